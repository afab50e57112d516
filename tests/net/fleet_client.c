// SPDX-License-Identifier: GPL-2.0-only
/*
 * One call of lib/fleet's client of etcd a run, for fleet-client.sh:
 *	fleet_client CONF COMMAND ARGUMENTS...
 * What fails is printed as "ENAME: message", and ends it with 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/etcd.h"

struct run {
	struct fleet_etcd *etcd;
	char **words; /* behind the command; NULL behind the last */
	struct pb_error error;
};

static void print_kv(const struct fleet_kv *kv)
{
	printf("%s=%.60s length %zu mod %lld version %lld lease %d\n", kv->key, kv->value, kv->len,
	       (long long)kv->mod_revision, (long long)kv->version, kv->lease != 0);
}

static long long number(const char *word)
{
	return word ? strtoll(word, NULL, 10) : 0;
}

/* get KEY [REVISION] */
static int get(struct run *run)
{
	struct fleet_kv *kv;
	__s64 revision;
	int err = fleet_etcd_get(run->etcd, run->words[0], number(run->words[1]), &kv, &revision,
				 &run->error);

	if (err)
		return err;
	if (kv)
		print_kv(kv);
	else
		printf("none\n");
	fleet_kvs_free(kv, 1);
	return 0;
}

/* list PREFIX */
static int list(struct run *run)
{
	struct fleet_kv *kvs;
	__s64 revision;
	size_t nr;
	int err = fleet_etcd_list(run->etcd, run->words[0], 0, &kvs, &nr, &revision, &run->error);

	if (err)
		return err;
	for (size_t i = 0; i < nr; i++)
		print_kv(&kvs[i]);
	printf("revision %lld\n", (long long)revision);
	fleet_kvs_free(kvs, nr);
	return 0;
}

/* put KEY VALUE [LEASE] */
static int put(struct run *run)
{
	__s64 revision;
	int err = fleet_etcd_put(run->etcd, run->words[0], run->words[1], number(run->words[2]),
				 &revision, &run->error);

	if (!err)
		printf("revision %lld\n", (long long)revision);
	return err;
}

/* fill KEY BYTES */
static int fill(struct run *run)
{
	size_t size = number(run->words[1]);
	char *value = malloc(size + 1);
	int err;

	if (!value)
		return -ENOMEM;
	memset(value, 'x', size);
	value[size] = '\0';
	err = fleet_etcd_put(run->etcd, run->words[0], value, 0, NULL, &run->error);
	free(value);
	return err;
}

/* txn KEY mod|create|version NUMBER VALUE OTHER: if it is so, KEY is VALUE and OTHER is deleted */
static int txn(struct run *run)
{
	static const char *const names[] = { "mod", "create", "version" };
	struct fleet_txn *made = fleet_txn_new();
	enum fleet_compare what = FLEET_MOD_REVISION;
	bool succeeded;
	__s64 revision;
	int err;

	while (what < FLEET_VERSION && strcmp(names[what], run->words[1]))
		what++;
	err = fleet_txn_compare(made, run->words[0], what, number(run->words[2])) ?:
		      fleet_txn_put(made, run->words[0], run->words[3], 0)	  ?:
		      fleet_txn_delete(made, run->words[4])			  ?:
		      fleet_etcd_commit(run->etcd, made, &succeeded, &revision, &run->error);
	fleet_txn_free(made);
	if (!err)
		printf("%s\n", succeeded ? "succeeded" : "not so");
	return err;
}

static int grant(struct run *run)
{
	__s64 lease;
	int err = fleet_lease_grant(run->etcd, number(run->words[0]), &lease, &run->error);

	if (!err)
		printf("%lld\n", (long long)lease);
	return err;
}

static int keep(struct run *run)
{
	return fleet_lease_keep(run->etcd, number(run->words[0]), &run->error);
}

static int revoke(struct run *run)
{
	return fleet_lease_revoke(run->etcd, number(run->words[0]), &run->error);
}

static int print_changes(struct fleet_watch *watch, long long wanted, struct pb_error *error)
{
	struct fleet_change *changes;
	size_t nr;
	int err = 0;

	while (wanted > 0) {
		err = fleet_watch_next(watch, 5000, &changes, &nr, error);
		if (err)
			return err;
		for (size_t i = 0; i < nr; i++) {
			printf("%s ", changes[i].deleted ? "deleted" : "is");
			print_kv(&changes[i].kv);
		}
		fflush(stdout);
		wanted -= nr;
		fleet_changes_free(changes, nr);
	}
	return 0;
}

/* watch FROM NUMBER PREFIX...: until so many changes have come */
static int watch(struct run *run)
{
	struct fleet_watch *made;
	size_t nr = 0;
	int err;

	while (run->words[2 + nr])
		nr++;
	err = fleet_watch_open_all(run->etcd, (const char *const *)run->words + 2, nr,
				   number(run->words[0]), &made, &run->error);
	if (err)
		return err;
	printf("watching\n");
	fflush(stdout);
	err = print_changes(made, number(run->words[1]), &run->error);
	fleet_watch_close(made);
	return err;
}

static const struct {
	const char *name;
	int words;
	int (*run)(struct run *run);
} commands[] = {
	{ "get", 1, get },   { "list", 1, list },     { "put", 2, put },
	{ "fill", 2, fill }, { "txn", 5, txn },	      { "grant", 1, grant },
	{ "keep", 1, keep }, { "revoke", 1, revoke }, { "watch", 3, watch },
};

static int run_command(int argc, char **argv, const struct fleet_conf *conf, struct pb_error *error)
{
	struct run run = { .words = argv + 3 };
	int err = -EINVAL;

	if (fleet_etcd_open(conf, &run.etcd, error))
		return -EINVAL;
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (!strcmp(commands[i].name, argv[2]) && argc - 3 >= commands[i].words)
			err = commands[i].run(&run);
	fleet_etcd_close(run.etcd);
	*error = run.error;
	return err;
}

int main(int argc, char **argv)
{
	struct pb_error error = {};
	struct fleet_conf *conf;
	int err;

	if (argc < 3)
		return 2;
	err = fleet_conf_read(argv[1], &conf, &error);
	if (!err) {
		err = run_command(argc, argv, conf, &error);
		fleet_conf_free(conf);
	}
	if (err)
		printf("%s: %s\n", strerrorname_np(-err), error.text);
	return err != 0;
}
