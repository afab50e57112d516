// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet: which of its commands it is; and what is missing where it was built without. */
#include <string.h>
#include "tool.h"

#ifdef HAVE_FLEET

#include "fleet.h"
#include "fleet/crypto-library.h"

static const struct {
	const char *name; /* as in the table of commands, without "fleet " */
	fleet_command *run;
} fleet_commands[] = {
	{ "follow", fleet_follow },
	{ "push", fleet_push },
	{ "status", fleet_status },
	{ "history", fleet_history },
	{ "diff", fleet_diff },
	{ "rollback", fleet_rollback },
	{ "group list", fleet_group_list },
	{ "group set", fleet_group_set },
	{ "group del", fleet_group_del },
	{ "forget", fleet_forget },
	{ "set add", fleet_set_add },
	{ "set del", fleet_set_del },
	{ "set flush", fleet_set_flush },
	{ "set list", fleet_set_list },
	{ "set load", fleet_set_load },
};

static fleet_command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(fleet_commands) / sizeof(*fleet_commands); i++)
		if (!strcmp(fleet_commands[i].name, name))
			return fleet_commands[i].run;
	return NULL;
}

int cmd_fleet(const struct arguments *arguments)
{
	fleet_command *run = find(arguments->command->name + strlen("fleet "));
	struct fleet_conf *conf;
	struct pb_error error;
	int ret;

	if (fleet_crypto_load(&error))
		return fail(&error);
	if (fleet_conf_read(arguments->values[OPT_CONFIG] ?: FLEET_CONF_DEFAULT, &conf, &error))
		return fail(&error);
	ret = run(arguments, conf);
	fleet_conf_free(conf);
	return ret;
}

#else

int cmd_fleet(const struct arguments *arguments)
{
	note("%s: this xdp-portblock was built without libcurl and libcrypto, by which it talks to "
	     "etcd: install them (Debian: libcurl4-openssl-dev libssl-dev, Fedora: libcurl-devel "
	     "openssl-devel), and run ./configure and make again",
	     arguments->command->name);
	return FAILED;
}

#endif
