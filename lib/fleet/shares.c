// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include "fleet/shares.h"

int fleet_shares_begin(struct fleet_shares *shares, const struct fleet_conf *conf,
		       const struct fleet_log *log)
{
	int err = 0;

	*shares = (struct fleet_shares){ .list = calloc(conf->nr_sets + 1, sizeof(*shares->list)) };
	if (!shares->list)
		return -ENOMEM;
	for (; !err && shares->nr < conf->nr_sets; shares->nr++) {
		err = fleet_share_begin(&shares->list[shares->nr], conf, &conf->sets[shares->nr],
					log);
		shares->list[shares->nr].spared = &shares->spared;
	}
	return err;
}

void fleet_shares_end(struct fleet_shares *shares)
{
	for (size_t i = 0; i < shares->nr; i++)
		fleet_share_end(&shares->list[i]);
	free(shares->list);
	*shares = (struct fleet_shares){};
}

void fleet_shares_keys(const struct fleet_shares *shares, const char **keys)
{
	for (size_t i = 0; i < shares->nr; i++) {
		keys[i * FLEET_SHARE_KEYS] = shares->list[i].bans;
		keys[i * FLEET_SHARE_KEYS + 1] = shares->list[i].list;
	}
}

int fleet_shares_read(struct fleet_shares *shares, struct fleet_etcd *etcd, __s64 *revision,
		      struct pb_error *error)
{
	int err = 0;

	for (size_t i = 0; !err && i < shares->nr; i++)
		err = fleet_share_read(&shares->list[i], etcd, revision, error);
	return err;
}

int fleet_shares_take(struct fleet_shares *shares, const struct fleet_change *change)
{
	int err = 0;

	for (size_t i = 0; !err && i < shares->nr; i++)
		err = fleet_share_take(&shares->list[i], change);
	return err;
}

/* Bans first: they need nothing that is still to be fetched. */
int fleet_shares_act(struct fleet_shares *shares, struct fleet_etcd *etcd, struct pb_error *error)
{
	int err = 0;

	for (size_t i = 0; i < shares->nr; i++)
		if (!shares->list[i].whole)
			fleet_share_apply(&shares->list[i]);
	for (size_t i = 0; !err && i < shares->nr; i++)
		err = fleet_share_fetch(&shares->list[i], etcd, error);
	for (size_t i = 0; !err && i < shares->nr; i++)
		fleet_share_apply(&shares->list[i]);
	return err;
}

void fleet_shares_spare(struct fleet_shares *shares)
{
	for (size_t i = 0; i < shares->nr; i++) {
		struct fleet_share *share = &shares->list[i];

		if (share->spared_seen != shares->spared.changes && fleet_share_harms(share)) {
			share->whole = true;
			share->again = 0;
			fleet_share_apply(share);
		}
	}
}

bool fleet_shares_good(const struct fleet_shares *shares)
{
	for (size_t i = 0; i < shares->nr; i++)
		if (*shares->list[i].wrong.text)
			return false;
	return true;
}
