// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fleet/chunks.h"
#include "fleet/error.h"
#include "fleet/http.h"
#include "fleet/keys.h"
#include "fleet/publish.h"

#define SECOND 1000000000ULL
/* etcd does 128 things in a step, of 1.5 MiB in all: base64 and keys leave room. */
#define STEP_NR 100
#define STEP_BYTES (512 * 1024)
#define LOCK_SECONDS 30

/* ---- Steps --------------------------------------------------------------------------------- */

/* Things that are done in several transactions; of one process at a time where `lock` is held. */
struct steps {
	struct fleet_etcd *etcd;
	const struct fleet_conf *conf;
	const char *name;
	struct fleet_txn *txn; /* NULL: nothing is in it */
	size_t nr, bytes;
	char *lock; /* the key; NULL: none is needed */
	__s64 held; /* its create_revision */
	__s64 lease;
	long long kept; /* when it was kept last (ms) */
};

static int keep_lock(struct steps *steps, struct pb_error *error)
{
	int err;

	if (!steps->lock || fleet_now_ms() - steps->kept < LOCK_SECONDS * 1000 / 3)
		return 0;
	err = fleet_lease_keep(steps->etcd, steps->lease, error);
	steps->kept = fleet_now_ms();
	return err == -ENOENT ? 0 : err; /* the next step says so */
}

static int commit(struct steps *steps, struct pb_error *error)
{
	bool done = false;
	int err = 0;

	if (!steps->txn)
		return 0;
	if (steps->lock &&
	    fleet_txn_compare(steps->txn, steps->lock, FLEET_CREATE_REVISION, steps->held))
		err = fleet_fail_memory(error);
	if (!err)
		err = keep_lock(steps, error) ?:
			      fleet_etcd_commit(steps->etcd, steps->txn, &done, NULL, error);
	if (!err && !done)
		err = fleet_fail(error, ECANCELED,
				 "another process has begun to change the list of %s: this one was "
				 "too slow",
				 steps->name);
	fleet_txn_free(steps->txn);
	steps->txn = NULL;
	steps->nr = steps->bytes = 0;
	return err;
}

/* Room for one more of that size. */
static int next(struct steps *steps, size_t bytes, struct pb_error *error)
{
	int err = 0;

	if (steps->nr >= STEP_NR || (steps->nr && steps->bytes + bytes > STEP_BYTES))
		err = commit(steps, error);
	if (!err && !steps->txn)
		steps->txn = fleet_txn_new();
	if (!err && !steps->txn)
		err = fleet_fail_memory(error);
	steps->nr++;
	steps->bytes += bytes;
	return err;
}

static int step_put(struct steps *steps, const char *key, const char *value, __s64 lease,
		    struct pb_error *error)
{
	int err = key && value ? next(steps, strlen(value), error) : fleet_fail_memory(error);

	if (!err && fleet_txn_put(steps->txn, key, value, lease))
		err = fleet_fail_memory(error);
	return err;
}

static int step_delete(struct steps *steps, const char *key, struct pb_error *error)
{
	int err = key ? next(steps, 0, error) : fleet_fail_memory(error);

	if (!err && fleet_txn_delete(steps->txn, key))
		err = fleet_fail_memory(error);
	return err;
}

/* ---- Bans ---------------------------------------------------------------------------------- */

static char *ban_key(const struct steps *steps, const struct pb_prefix *prefix)
{
	char text[FLEET_PREFIX_TEXT];

	return fleet_set_key(steps->conf, steps->name, FLEET_SET_BANS,
			     fleet_prefix_text(prefix, text));
}

/* A ban, or with `value` NULL none, of each. */
static int change_bans(struct steps *steps, const struct pb_element *elements, size_t nr,
		       const char *value, __s64 lease, struct pb_error *error)
{
	int err = 0;

	for (size_t i = 0; !err && i < nr; i++) {
		char *key = ban_key(steps, &elements[i].prefix);

		err = value ? step_put(steps, key, value, lease, error) :
			      step_delete(steps, key, error);
		free(key);
	}
	if (!err)
		err = commit(steps, error);
	fleet_txn_free(steps->txn);
	return err;
}

int fleet_bans_put(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		   const struct pb_element *elements, size_t nr, __u64 timeout,
		   struct pb_error *error)
{
	struct steps steps = { .etcd = etcd, .conf = conf, .name = name };
	struct fleet_ban ban = { .until = fleet_until(timeout) };
	__s64 lease = 0;
	char *value;
	int err = 0;

	snprintf(ban.host, sizeof(ban.host), "%s", conf->host);
	value = fleet_ban_text(&ban);
	if (!value)
		return fleet_fail_memory(error);
	if (timeout)
		err = fleet_lease_grant(etcd, (timeout + SECOND - 1) / SECOND, &lease, error);
	if (!err)
		err = change_bans(&steps, elements, nr, value, lease, error);
	free(value);
	return err;
}

int fleet_bans_delete(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		      const struct pb_element *elements, size_t nr, struct pb_error *error)
{
	struct steps steps = { .etcd = etcd, .conf = conf, .name = name };

	return change_bans(&steps, elements, nr, NULL, 0, error);
}

int fleet_bans_flush(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		     struct pb_error *error)
{
	struct steps steps = { .etcd = etcd, .conf = conf, .name = name };
	char *prefix = fleet_set_key(conf, name, FLEET_SET_BANS, "");
	struct fleet_kv *kvs = NULL;
	size_t nr = 0;
	int err = prefix ? fleet_etcd_keys(etcd, prefix, &kvs, &nr, error) :
			   fleet_fail_memory(error);

	for (size_t i = 0; !err && i < nr; i++)
		err = step_delete(&steps, kvs[i].key, error);
	if (!err)
		err = commit(&steps, error);
	fleet_txn_free(steps.txn);
	fleet_kvs_free(kvs, nr);
	free(prefix);
	return err;
}

/* ---- Who changes a list -------------------------------------------------------------------- */

static int say_busy(struct steps *steps, struct pb_error *error)
{
	struct fleet_kv *kv;
	int err = fleet_etcd_get(steps->etcd, steps->lock, 0, &kv, NULL, error);

	if (err)
		return err;
	err = fleet_fail(
		error, EBUSY,
		"the list of %s is being changed by another process%s%.300s; should that be "
		"dead, etcd takes it for so after %d seconds",
		steps->name, kv ? ", " : "", kv ? kv->value : "", LOCK_SECONDS);
	fleet_kvs_free(kv, 1);
	return err;
}

static int put_lock(struct steps *steps, const char *value, bool *done, struct pb_error *error)
{
	struct fleet_txn *txn = fleet_txn_new();
	int err;

	if (txn && !fleet_txn_compare(txn, steps->lock, FLEET_CREATE_REVISION, 0) &&
	    !fleet_txn_put(txn, steps->lock, value, steps->lease))
		err = fleet_etcd_commit(steps->etcd, txn, done, &steps->held, error);
	else
		err = fleet_fail_memory(error);
	fleet_txn_free(txn);
	return err;
}

static int take_lock(struct steps *steps, struct pb_error *error)
{
	bool done = false;
	char *value;
	int err;

	steps->lock = fleet_set_key(steps->conf, steps->name, FLEET_SET_LOADING, "");
	if (!steps->lock || asprintf(&value, "%s (%d)", steps->conf->host, getpid()) < 0)
		return fleet_fail_memory(error);
	err = fleet_lease_grant(steps->etcd, LOCK_SECONDS, &steps->lease, error);
	if (!err)
		err = put_lock(steps, value, &done, error);
	steps->kept = fleet_now_ms();
	free(value);
	return err || done ? err : say_busy(steps, error);
}

static void leave_lock(struct steps *steps)
{
	if (steps->lease)
		fleet_lease_revoke(steps->etcd, steps->lease, NULL);
	fleet_txn_free(steps->txn);
	free(steps->lock);
}

/* ---- The list ------------------------------------------------------------------------------ */

/* Chunks that are there, by their keys, which etcd sorts. */
struct there {
	char *prefix;
	struct fleet_kv *kvs;
	size_t nr;
};

static int compare_kv(const void *digest, const void *kv)
{
	const char *key = ((const struct fleet_kv *)kv)->key;
	size_t len = strlen(key);

	return strcmp(digest, len < FLEET_HASH_LEN - 1 ? "" : key + len - (FLEET_HASH_LEN - 1));
}

static int compare_chunk(const void *a, const void *b)
{
	return strcmp(((const struct fleet_chunk *)a)->digest,
		      ((const struct fleet_chunk *)b)->digest);
}

static int write_chunks(struct steps *steps, const struct there *there,
			const struct fleet_chunk *chunks, size_t nr, size_t *written,
			struct pb_error *error)
{
	int err = 0;

	for (size_t i = 0; !err && i < nr; i++) {
		char *key;

		if (there->nr && bsearch(chunks[i].digest, there->kvs, there->nr,
					 sizeof(*there->kvs), compare_kv))
			continue;
		key = fleet_set_key(steps->conf, steps->name, FLEET_SET_CHUNKS, chunks[i].digest);
		err = step_put(steps, key, chunks[i].text, 0, error);
		free(key);
		++*written;
	}
	return err ?: commit(steps, error);
}

/* What is the same is not written again: all hosts would read it anew. */
static int write_list(struct steps *steps, const char *text, struct pb_error *error)
{
	char *key = fleet_set_key(steps->conf, steps->name, FLEET_SET_LIST, "");
	struct fleet_kv *kv = NULL;
	int err = key ? fleet_etcd_get(steps->etcd, key, 0, &kv, NULL, error) :
			fleet_fail_memory(error);

	if (!err && text && !(kv && !strcmp(kv->value, text)))
		err = step_put(steps, key, text, 0, error);
	else if (!err && !text && kv)
		err = step_delete(steps, key, error);
	fleet_kvs_free(kv, 1);
	free(key);
	return err ?: commit(steps, error);
}

/* `sorted`: digests of the chunks. */
static int delete_chunks(struct steps *steps, const struct there *there,
			 const struct fleet_chunk *sorted, size_t nr, size_t *deleted,
			 struct pb_error *error)
{
	int err = 0;

	for (size_t i = 0; !err && i < there->nr; i++) {
		const char *digest = there->kvs[i].key + strlen(there->prefix);
		struct fleet_chunk key = {};

		snprintf(key.digest, sizeof(key.digest), "%s", digest);
		if (nr && strlen(digest) < sizeof(key.digest) &&
		    bsearch(&key, sorted, nr, sizeof(key), compare_chunk))
			continue;
		err = step_delete(steps, there->kvs[i].key, error);
		++*deleted;
	}
	return err ?: commit(steps, error);
}

/* NULL: no memory. The caller frees. */
static char *list_text(const struct fleet_chunk *chunks, size_t nr, __u32 elements)
{
	struct fleet_set_list list = { calloc(nr + 1, sizeof(char *)), nr, elements };
	char *text = NULL;

	if (!list.digests)
		return NULL;
	for (size_t i = 0; i < nr; i++)
		list.digests[i] = (char *)chunks[i].digest;
	text = fleet_set_list_text(&list);
	free(list.digests);
	return text;
}

static int put_list(struct steps *steps, struct fleet_chunk *chunks, size_t nr, __u32 elements,
		    struct fleet_published *published, struct pb_error *error)
{
	struct there there = {
		.prefix = fleet_set_key(steps->conf, steps->name, FLEET_SET_CHUNKS, ""),
	};
	char *text = elements ? list_text(chunks, nr, elements) : NULL;
	int err = there.prefix && (text || !elements) ?
			  fleet_etcd_keys(steps->etcd, there.prefix, &there.kvs, &there.nr, error) :
			  fleet_fail_memory(error);

	if (!err)
		err = write_chunks(steps, &there, chunks, nr, &published->written, error);
	if (!err)
		err = write_list(steps, text, error);
	if (!err && nr)
		qsort(chunks, nr, sizeof(*chunks), compare_chunk);
	if (!err)
		err = delete_chunks(steps, &there, chunks, nr, &published->deleted, error);
	published->chunks = nr;
	fleet_kvs_free(there.kvs, there.nr);
	free(there.prefix);
	free(text);
	return err;
}

int fleet_list_put(struct fleet_etcd *etcd, const struct fleet_conf *conf, const char *name,
		   const struct pb_element *elements, size_t nr, struct fleet_published *published,
		   struct pb_error *error)
{
	struct steps steps = { .etcd = etcd, .conf = conf, .name = name };
	struct fleet_published made = {};
	struct fleet_chunk *chunks;
	size_t nr_chunks;
	int err;

	if (nr > PB_SET_LIMIT)
		return fleet_fail(error, E2BIG, "%zu elements: no set has room for more than %u",
				  nr, PB_SET_LIMIT);
	if (fleet_chunks_cut(elements, nr, &chunks, &nr_chunks))
		return fleet_fail_memory(error);
	err = take_lock(&steps, error);
	if (!err)
		err = put_list(&steps, chunks, nr_chunks, nr, &made, error);
	leave_lock(&steps);
	fleet_chunks_free(chunks, nr_chunks);
	if (!err)
		*published = made;
	return err;
}
