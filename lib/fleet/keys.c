// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <string.h>
#include "fleet/keys.h"

char *fleet_key(const struct fleet_conf *conf, const char *folder, const char *name)
{
	char *key;

	return asprintf(&key, "%s%s/%s", conf->prefix, folder, name) < 0 ? NULL : key;
}

char *fleet_history_key(const struct fleet_conf *conf, const char *name)
{
	char *key;

	return asprintf(&key, "%s" FLEET_HISTORY "/%s/", conf->prefix, name) < 0 ? NULL : key;
}

char *fleet_key_numbered(const struct fleet_conf *conf, const char *name, __s64 revision)
{
	char *key;

	if (asprintf(&key, "%s" FLEET_HISTORY "/%s/%020lld", conf->prefix, name, revision) < 0)
		return NULL;
	return key;
}

const char *fleet_key_short(const struct fleet_conf *conf, const char *key)
{
	size_t len = strlen(conf->prefix);

	return strncmp(key, conf->prefix, len) ? key : key + len;
}
