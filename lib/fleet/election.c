// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "fleet/election.h"
#include "fleet/error.h"

#define MS 1000000ULL
#define KEEP_EVERY (FLEET_ELECTION_TTL * 1000 / 3) /* ms */

static int put_if_free(struct fleet_election *election, bool *taken, struct pb_error *error)
{
	struct fleet_txn *txn = fleet_txn_new();
	int err = -ENOMEM;

	if (txn)
		err = fleet_txn_compare(txn, election->key, FLEET_CREATE_REVISION, 0);
	if (!err)
		err = fleet_txn_put(txn, election->key, election->value, election->lease);
	if (err)
		fleet_fail_memory(error);
	else
		err = fleet_etcd_commit(election->etcd, txn, taken, &election->held, error);
	fleet_txn_free(txn);
	return err;
}

static int say_busy(const struct fleet_carrier *carrier, struct pb_error *error)
{
	return fleet_fail(
		error, EBUSY,
		"%s is rolling out revision %.12s of it (process %lld). Should that process be dead, "
		"etcd takes it for so after %d seconds",
		carrier->host, carrier->id, carrier->pid, FLEET_ELECTION_TTL);
}

/* Who has the key that we have not got. */
static int say_who(struct fleet_election *election, struct pb_error *error)
{
	struct fleet_carrier *carrier;
	struct fleet_kv *kv;
	int err = fleet_etcd_get(election->etcd, election->key, 0, &kv, NULL, error);

	if (err)
		return err;
	if (!kv)
		return fleet_fail(error, EBUSY,
				  "another process was rolling it out until now: try again");
	err = fleet_carrier_read(kv->value, kv->len, election->key, &carrier, error);
	fleet_kvs_free(kv, 1);
	if (err)
		return err;
	err = say_busy(carrier, error);
	fleet_carrier_free(carrier);
	return err;
}

/* With a lease of its own, which goes where the key is another's. */
static int stand(struct fleet_election *election, struct pb_error *error)
{
	__u64 now = pb_clock();
	bool taken = false;
	int err = fleet_lease_grant(election->etcd, FLEET_ELECTION_TTL, &election->lease, error);

	if (err)
		return err;
	err = put_if_free(election, &taken, error);
	if (!err && taken) {
		election->kept = now;
		return 0;
	}
	fleet_lease_revoke(election->etcd, election->lease, NULL);
	election->lease = 0;
	return err ?: say_who(election, error);
}

int fleet_election_take(struct fleet_etcd *etcd, const char *key,
			const struct fleet_carrier *carrier, struct fleet_election *election,
			struct pb_error *error)
{
	struct fleet_election made = { .etcd = etcd, .key = strdup(key) };
	int err;

	made.value = fleet_carrier_text(carrier);
	err = made.key && made.value ? stand(&made, error) : fleet_fail_memory(error);
	if (err)
		fleet_election_leave(&made);
	else
		*election = made;
	return err;
}

int fleet_election_due(const struct fleet_election *election)
{
	__u64 passed = (pb_clock() - election->kept) / MS;

	return passed < KEEP_EVERY ? KEEP_EVERY - passed : 0;
}

int fleet_election_keep(struct fleet_election *election, struct pb_error *error)
{
	__u64 now = pb_clock();
	int err;

	if (fleet_election_due(election))
		return 0;
	err = fleet_lease_keep(election->etcd, election->lease, error);
	if (err == -ENOENT)
		return stand(election, error);
	if (!err)
		election->kept = now;
	return err;
}

void fleet_election_leave(struct fleet_election *election)
{
	if (election->lease)
		fleet_lease_revoke(election->etcd, election->lease, NULL);
	free(election->key);
	free(election->value);
	*election = (struct fleet_election){ 0 };
}
