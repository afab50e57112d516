// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "fleet/chunks.h"
#include "fleet/error.h"
#include "fleet/keys.h"
#include "fleet/set-content.h"

static int take_ban(const struct fleet_conf *conf, const struct fleet_kv *kv, size_t prefix,
		    struct fleet_content *content)
{
	struct fleet_banned *banned = &content->bans[content->nr_bans];
	int err = fleet_prefix_read(kv->key + prefix, &banned->prefix, NULL);

	if (!err)
		err = fleet_ban_read(kv->value, kv->len, fleet_key_short(conf, kv->key),
				     &banned->ban, NULL);
	if (err == -ENOMEM)
		return err;
	content->nr_bans += !err;
	content->wrong += !!err;
	return 0;
}

static int read_bans(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		     __s64 *revision, struct fleet_content *content, struct pb_error *error)
{
	char *prefix = fleet_set_key(conf, name, FLEET_SET_BANS, "");
	struct fleet_kv *kvs = NULL;
	size_t nr = 0;
	int err = prefix ? fleet_etcd_list(etcd, prefix, 0, &kvs, &nr, revision, error) :
			   fleet_fail_memory(error);

	if (!err) {
		content->bans = calloc(nr + 1, sizeof(*content->bans));
		err = content->bans ? 0 : fleet_fail_memory(error);
	}
	for (size_t i = 0; !err && i < nr; i++)
		if (take_ban(conf, &kvs[i], strlen(prefix), content))
			err = fleet_fail_memory(error);
	fleet_kvs_free(kvs, nr);
	free(prefix);
	return err;
}

static int read_list(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		     __s64 revision, struct fleet_content *content, struct pb_error *error)
{
	char *key = fleet_set_key(conf, name, FLEET_SET_LIST, "");
	struct fleet_kv *kv = NULL;
	struct fleet_set_list *list;
	int err = key ? fleet_etcd_get(etcd, key, revision, &kv, NULL, error) :
			fleet_fail_memory(error);

	if (!err && kv) {
		err = fleet_set_list_read(kv->value, kv->len, fleet_key_short(conf, key), &list,
					  error);
		if (!err) {
			content->listed = true;
			content->nr = list->nr;
			content->chunks = list->nr_digests;
			fleet_set_list_free(list);
		}
	}
	fleet_kvs_free(kv, 1);
	free(key);
	return err;
}

int fleet_content_read(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		       struct fleet_content *content, struct pb_error *error)
{
	struct fleet_content made = {};
	__s64 revision;
	int err = read_bans(etcd, conf, name, &revision, &made, error) ?:
			  read_list(etcd, conf, name, revision, &made, error);

	if (err)
		fleet_content_free(&made);
	else
		*content = made;
	return err;
}

void fleet_content_free(struct fleet_content *content)
{
	free(content->bans);
}
