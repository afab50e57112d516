// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/http.h"
#include "fleet/journal.h"
#include "fleet/keys.h"
#include "fleet/set-keys.h"
#include "fleet/share.h"

int fleet_share_begin(struct fleet_share *share, const struct fleet_conf *conf,
		      const struct fleet_shared *names, const struct fleet_log *log)
{
	*share = (struct fleet_share){ .conf = conf, .names = names, .log = log, .whole = true };
	share->bans = fleet_set_key(conf, names->remote, FLEET_SET_BANS, "");
	share->list = fleet_set_key(conf, names->remote, FLEET_SET_LIST, "");
	if (!share->bans || !share->list)
		return -ENOMEM;
	return fleet_journal_read(conf, names, &share->entries);
}

static void free_parts(struct fleet_part *parts, size_t nr)
{
	for (size_t i = 0; parts && i < nr; i++)
		free(parts[i].prefixes);
	free(parts);
}

void fleet_share_end(struct fleet_share *share)
{
	free(share->bans);
	free(share->list);
	fleet_entries_free(&share->entries);
	free_parts(share->parts, share->nr_parts);
	fleet_set_list_free(share->wanted);
	pb_ruleset_close(share->ruleset);
}

void fleet_share_complain(struct fleet_share *share, const char *what)
{
	struct pb_error line;

	snprintf(share->wrong.text, sizeof(share->wrong.text), "%s", what ?: "");
	if (!what || !strcmp(what, share->said.text)) {
		if (!what)
			*share->said.text = '\0';
		return;
	}
	share->said = share->wrong;
	fleet_fail(&line, EINVAL, "set %s/%s: %.800s; what is in it stays", share->names->ruleset,
		   share->names->local, what);
	fleet_say(share->log, "%s", line.text);
}

/* ---- Bans ---------------------------------------------------------------------------------- */

/* As many in bans as in a list. */
#define ENTRIES_MAX (2 * PB_SET_LIMIT)

/* Of a ban that is not known it is known only that it was in force, where it was. */
static void hold_ban(struct fleet_share *share, const struct pb_prefix *prefix)
{
	struct fleet_entry *entry = fleet_entries_find(&share->entries, prefix);

	if (!entry)
		return;
	if (entry->applied && !entry->banned && !entry->listed) {
		entry->banned = true;
		entry->until = entry->otherwise ? 0 : fleet_until_of(entry->expires);
	}
	entry->seen = share->reading;
}

static int take_ban(struct fleet_share *share, const struct pb_prefix *prefix,
		    const struct fleet_ban *ban)
{
	struct fleet_entry *entry = fleet_entries_find(&share->entries, prefix);

	if (!entry && ban) {
		if (share->entries.nr >= ENTRIES_MAX) {
			fleet_share_complain(share, "the fleet has more bans than a set may have");
			return 0;
		}
		entry = fleet_entries_make(&share->entries, prefix);
		if (!entry)
			return -ENOMEM;
	}
	if (!entry)
		return 0;
	entry->banned = ban;
	entry->until = ban ? ban->until : 0;
	entry->seen = share->reading;
	return fleet_entries_touch(&share->entries, entry);
}

static int take_ban_key(struct fleet_share *share, const struct fleet_kv *kv, bool deleted)
{
	const char *what = fleet_key_short(share->conf, kv->key), *tail = kv->key;
	struct pb_prefix prefix;
	struct pb_error why, line;
	struct fleet_ban ban;
	int err;

	tail += strlen(share->bans);
	err = fleet_prefix_read(tail, &prefix, &why);
	if (err && deleted)
		return 0;
	if (err) {
		fleet_fail(&line, EINVAL, "%.200s: %.700s", what, why.text);
		fleet_share_complain(share, line.text);
		return 0;
	}
	if (deleted)
		return take_ban(share, &prefix, NULL);
	err = fleet_ban_read(kv->value, kv->len, what, &ban, &why);
	if (!err)
		return take_ban(share, &prefix, &ban);
	if (err == -ENOMEM)
		return err;
	hold_ban(share, &prefix);
	fleet_share_complain(share, why.text);
	return 0;
}

/* ---- The list ------------------------------------------------------------------------------ */

static int take_list(struct fleet_share *share, const char *value, size_t len, __s64 revision)
{
	struct fleet_set_list *list;
	struct pb_error why;
	int err = 0;

	if (value)
		err = fleet_set_list_read(value, len, fleet_key_short(share->conf, share->list),
					  &list, &why);
	else
		list = calloc(1, sizeof(*list)); /* none is as one without chunks */
	if (err == -ENOMEM || (!err && !list))
		return -ENOMEM;
	if (err) {
		fleet_share_complain(share, why.text);
		return 0;
	}
	fleet_set_list_free(share->wanted);
	share->wanted = list;
	share->wanted_at = revision;
	share->fetch_again = 0;
	return 0;
}

int fleet_share_take(struct fleet_share *share, const struct fleet_change *change)
{
	const struct fleet_kv *kv = &change->kv;

	if (!strcmp(kv->key, share->list))
		return take_list(share, change->deleted ? NULL : kv->value, kv->len,
				 kv->mod_revision);
	if (!strncmp(kv->key, share->bans, strlen(share->bans)))
		return take_ban_key(share, kv, change->deleted);
	return 0;
}

/* ---- All of it ----------------------------------------------------------------------------- */

static int read_bans(struct fleet_share *share, struct fleet_etcd *etcd, __s64 *revision,
		     struct pb_error *error)
{
	struct fleet_kv *kvs;
	__s64 now;
	size_t nr;
	int err = fleet_etcd_list(etcd, share->bans, *revision, &kvs, &nr, &now, error);

	if (err)
		return err;
	if (!*revision)
		*revision = now;
	share->reading++;
	for (size_t i = 0; !err && i < nr; i++)
		err = take_ban_key(share, &kvs[i], false);
	for (size_t i = 0; !err && i < share->entries.nr; i++) {
		struct fleet_entry *entry = &share->entries.list[i];

		if (entry->seen != share->reading)
			entry->banned = false;
	}
	fleet_kvs_free(kvs, nr);
	return err ? fleet_fail_memory(error) : 0;
}

static int read_list(struct fleet_share *share, struct fleet_etcd *etcd, __s64 revision,
		     struct pb_error *error)
{
	struct fleet_kv *kv;
	int err = fleet_etcd_get(etcd, share->list, revision, &kv, NULL, error);

	if (err)
		return err;
	err = take_list(share, kv ? kv->value : NULL, kv ? kv->len : 0, kv ? kv->mod_revision : 0);
	fleet_kvs_free(kv, 1);
	return err ? fleet_fail_memory(error) : 0;
}

int fleet_share_read(struct fleet_share *share, struct fleet_etcd *etcd, __s64 *revision,
		     struct pb_error *error)
{
	int err;

	fleet_share_complain(share, NULL);
	err = read_bans(share, etcd, revision, error) ?: read_list(share, etcd, *revision, error);
	if (!err) {
		share->whole = true;
		share->again = 0;
	}
	return err;
}

/* ---- Chunks -------------------------------------------------------------------------------- */

static int compare_parts(const void *a, const void *b)
{
	const struct fleet_part *left = a, *right = b;

	return strcmp(left->digest, right->digest);
}

static const struct fleet_part *find_part(const struct fleet_share *share, const char *digest)
{
	struct fleet_part key = {};

	snprintf(key.digest, sizeof(key.digest), "%s", digest);
	return share->nr_parts ?
		       bsearch(&key, share->parts, share->nr_parts, sizeof(key), compare_parts) :
		       NULL;
}

/* One that has gone since, since a newer list has it no more, was there when this list was written. */
static int get_part(struct fleet_share *share, struct fleet_etcd *etcd, const char *key,
		    struct fleet_kv **kv, struct pb_error *error)
{
	int err = fleet_etcd_get(etcd, key, 0, kv, NULL, error);

	if (err || *kv)
		return err;
	err = fleet_etcd_get(etcd, key, share->wanted_at, kv, NULL, error);
	return err == -ESTALE ? 0 : err;
}

/* 1: it is not there, or wrong, which was told. */
static int fetch_part(struct fleet_share *share, struct fleet_etcd *etcd, const char *digest,
		      struct fleet_part *part, struct pb_error *error)
{
	char *key = fleet_set_key(share->conf, share->names->remote, FLEET_SET_CHUNKS, digest);
	struct pb_error why;
	struct fleet_kv *kv;
	int err = key ? get_part(share, etcd, key, &kv, error) : fleet_fail_memory(error);

	if (err) {
		free(key);
		return err;
	}
	if (!kv)
		err = fleet_fail(&why, ENOENT, "%s is not there",
				 fleet_key_short(share->conf, key));
	else
		err = fleet_chunk_read(kv->value, kv->len, digest,
				       fleet_key_short(share->conf, key), &part->prefixes,
				       &part->nr, &why);
	fleet_kvs_free(kv, 1);
	free(key);
	if (err == -ENOMEM)
		return fleet_fail_memory(error);
	if (err)
		fleet_share_complain(share, why.text);
	return err ? 1 : 0;
}

/* Those that are known already are lent. */
static int fetch_parts(struct fleet_share *share, struct fleet_etcd *etcd, struct fleet_part *parts,
		       struct pb_error *error)
{
	const struct fleet_set_list *list = share->wanted;
	size_t nr = 0;
	int err = 0;

	/* More than it says are looked at no further: see check_number(). */
	for (size_t i = 0; !err && i < list->nr_digests && nr <= list->nr; i++) {
		const struct fleet_part *known = find_part(share, list->digests[i]);

		strcpy(parts[i].digest, list->digests[i]);
		if (known)
			parts[i] = *known;
		else
			err = fetch_part(share, etcd, list->digests[i], &parts[i], error);
		nr += parts[i].nr;
	}
	return err;
}

static int check_number(struct fleet_share *share, const struct fleet_part *parts)
{
	const struct fleet_set_list *list = share->wanted;
	struct pb_error why;
	size_t nr = 0;

	for (size_t i = 0; i < list->nr_digests; i++)
		nr += parts[i].nr;
	if (nr == list->nr)
		return 0;
	fleet_fail(&why, EINVAL, "%s: \"nr\" is %u, and its chunks have %zu",
		   fleet_key_short(share->conf, share->list), list->nr, nr);
	fleet_share_complain(share, why.text);
	return 1;
}

/* Its elements have entries, and are looked at: what may fail of counting them. */
static int prepare_part(struct fleet_share *share, const struct fleet_part *part)
{
	struct fleet_entry *entry;
	int err = 0;

	for (size_t i = 0; !err && i < part->nr; i++) {
		entry = fleet_entries_make(&share->entries, &part->prefixes[i]);
		err = entry ? fleet_entries_touch(&share->entries, entry) : -ENOMEM;
	}
	return err;
}

/* They are listed once more, or less. */
static void count_part(struct fleet_share *share, const struct fleet_part *part, int more)
{
	for (size_t i = 0; i < part->nr; i++)
		fleet_entries_find(&share->entries, &part->prefixes[i])->listed += more;
}

static bool is_kept(const struct fleet_part *part, const struct fleet_part *parts, size_t nr)
{
	return nr && bsearch(part, parts, nr, sizeof(*part), compare_parts);
}

static int prepare_parts(struct fleet_share *share, const struct fleet_part *parts, size_t nr)
{
	int err = 0;

	for (size_t i = 0; !err && i < nr; i++)
		if (!find_part(share, parts[i].digest))
			err = prepare_part(share, &parts[i]);
	for (size_t i = 0; !err && i < share->nr_parts; i++)
		if (!is_kept(&share->parts[i], parts, nr))
			err = prepare_part(share, &share->parts[i]);
	return err;
}

/* From now on these are the list's. */
static int take_parts(struct fleet_share *share, struct fleet_part *parts, size_t nr)
{
	int err;

	qsort(parts, nr, sizeof(*parts), compare_parts);
	err = prepare_parts(share, parts, nr);
	if (err)
		return err;
	for (size_t i = 0; i < nr; i++)
		if (!find_part(share, parts[i].digest))
			count_part(share, &parts[i], 1);
	for (size_t i = 0; i < share->nr_parts; i++)
		if (!is_kept(&share->parts[i], parts, nr)) {
			count_part(share, &share->parts[i], -1);
			free(share->parts[i].prefixes);
		}
	free(share->parts);
	share->parts = parts;
	share->nr_parts = nr;
	return 0;
}

/* But for those that are lent. */
static void drop_parts(struct fleet_share *share, struct fleet_part *parts, size_t nr)
{
	for (size_t i = 0; parts && i < nr; i++)
		if (!find_part(share, parts[i].digest))
			free(parts[i].prefixes);
	free(parts);
}

int fleet_share_fetch(struct fleet_share *share, struct fleet_etcd *etcd, struct pb_error *error)
{
	struct fleet_part *parts;
	size_t nr;
	int err;

	if (!share->wanted || fleet_now_ms() < share->fetch_again)
		return 0;
	nr = share->wanted->nr_digests;
	parts = calloc(nr + 1, sizeof(*parts));
	err = parts ? fetch_parts(share, etcd, parts, error) : fleet_fail_memory(error);
	if (!err)
		err = check_number(share, parts);
	if (!err && take_parts(share, parts, nr))
		err = fleet_fail_memory(error);
	if (err) {
		drop_parts(share, parts, nr);
		share->fetch_again = fleet_now_ms() + FLEET_SHARE_AGAIN_MS;
		return err < 0 ? err : 0;
	}
	fleet_set_list_free(share->wanted);
	share->wanted = NULL;
	/* What was restored and is of no list may go now. */
	share->whole |= !share->settled;
	share->settled = true;
	return 0;
}
