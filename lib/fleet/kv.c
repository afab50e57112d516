// SPDX-License-Identifier: GPL-2.0-only
/* Keys, transactions, leases. */
#include <stdlib.h>
#include <string.h>
#include "fleet/base64.h"
#include "fleet/error.h"
#include "fleet/etcd-call.h"

static int not_etcd(struct fleet_etcd *etcd, struct pb_error *error)
{
	return fleet_fail(error, EBADMSG, "etcd at %s: its answer is not as etcd's are",
			  etcd->conf->endpoints.texts[etcd->at]);
}

/* ---- Reading ------------------------------------------------------------------------------- */

void fleet_kv_clear(struct fleet_kv *kv)
{
	free(kv->key);
	free(kv->value);
}

void fleet_kvs_free(struct fleet_kv *kvs, size_t nr)
{
	for (size_t i = 0; kvs && i < nr; i++)
		fleet_kv_clear(&kvs[i]);
	free(kvs);
}

static int decode(struct json_object *json, const char *key, char **data, size_t *len)
{
	int err = fleet_base64_decode(fleet_text(json, key) ?: "", data, len);

	return err == -EINVAL ? -EBADMSG : err;
}

static bool is_text(const char *key, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)key[i] < ' ' || key[i] == 0x7f)
			return false;
	return len;
}

int fleet_kv_read(struct json_object *json, struct fleet_kv *kv)
{
	struct fleet_kv made = {};
	size_t len;
	int err = decode(json, "key", &made.key, &len);

	if (!err)
		err = decode(json, "value", &made.value, &made.len);
	if (!err && !is_text(made.key, len))
		err = 1;
	if (err) {
		fleet_kv_clear(&made);
		return err;
	}
	made.create_revision = fleet_number(json, "create_revision");
	made.mod_revision = fleet_number(json, "mod_revision");
	made.version = fleet_number(json, "version");
	made.lease = fleet_number(json, "lease");
	*kv = made;
	return 0;
}

/* What was asked for: that key, or those that begin so. */
struct asked {
	const char *key;
	bool all;
};

/* Others rely on it: they look behind what a key begins with. */
static bool is_asked(const struct asked *asked, const char *key)
{
	return asked->all ? !strncmp(key, asked->key, strlen(asked->key)) :
			    !strcmp(key, asked->key);
}

static bool are_asked(const struct asked *asked, const struct fleet_kv *kvs, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!is_asked(asked, kvs[i].key))
			return false;
	return asked->all || nr <= 1;
}

static int read_kvs(struct fleet_etcd *etcd, struct json_object *answer, const struct asked *asked,
		    struct fleet_kv **kvs, size_t *nr, struct pb_error *error)
{
	struct json_object *list = NULL;
	struct fleet_kv *made;
	size_t nr_list, nr_made = 0;
	int err = 0;

	if (json_object_object_get_ex(answer, "kvs", &list) &&
	    !json_object_is_type(list, json_type_array))
		return not_etcd(etcd, error);
	nr_list = list ? json_object_array_length(list) : 0;
	made = calloc(nr_list + 1, sizeof(*made));
	if (!made)
		return fleet_fail_memory(error);
	for (size_t i = 0; i < nr_list && err >= 0; i++) {
		err = fleet_kv_read(json_object_array_get_idx(list, i), &made[nr_made]);
		nr_made += !err;
	}
	if (err >= 0 && !are_asked(asked, made, nr_made))
		err = -EBADMSG;
	if (err < 0) {
		fleet_kvs_free(made, nr_made);
		return err == -ENOMEM ? fleet_fail_memory(error) : not_etcd(etcd, error);
	}
	*kvs = made;
	*nr = nr_made;
	return 0;
}

static struct json_object *new_range(const struct asked *asked, __s64 at_revision, bool keys_only)
{
	struct json_object *body = json_object_new_object();

	if (fleet_add_range(body, asked->key, asked->all) &&
	    fleet_add_number(body, "revision", at_revision) &&
	    (!keys_only || fleet_add(body, "keys_only", json_object_new_boolean(true))))
		return body;
	json_object_put(body);
	return NULL;
}

static int ask_range(struct fleet_etcd *etcd, const struct asked *asked, __s64 at_revision,
		     bool keys_only, struct fleet_kv **kvs, size_t *nr, __s64 *revision,
		     struct pb_error *error)
{
	struct json_object *body = new_range(asked, at_revision, keys_only), *answer = NULL;
	int err;

	if (!body)
		return fleet_fail_memory(error);
	err = fleet_ask(etcd, "/v3/kv/range", body, false, &answer, error);
	if (!err)
		err = read_kvs(etcd, answer, asked, kvs, nr, error);
	if (!err && revision)
		*revision = fleet_revision(answer);
	json_object_put(answer);
	return err;
}

int fleet_etcd_get(struct fleet_etcd *etcd, const char *key, __s64 at_revision,
		   struct fleet_kv **kv, __s64 *revision, struct pb_error *error)
{
	const struct asked asked = { key, false };
	struct fleet_kv *kvs;
	size_t nr;
	int err = ask_range(etcd, &asked, at_revision, false, &kvs, &nr, revision, error);

	if (err)
		return err;
	if (!nr) {
		free(kvs);
		kvs = NULL;
	}
	*kv = kvs;
	return 0;
}

int fleet_etcd_list(struct fleet_etcd *etcd, const char *prefix, __s64 at_revision,
		    struct fleet_kv **kvs, size_t *nr, __s64 *revision, struct pb_error *error)
{
	const struct asked asked = { prefix, true };

	return ask_range(etcd, &asked, at_revision, false, kvs, nr, revision, error);
}

int fleet_etcd_keys(struct fleet_etcd *etcd, const char *prefix, struct fleet_kv **kvs, size_t *nr,
		    struct pb_error *error)
{
	const struct asked asked = { prefix, true };

	return ask_range(etcd, &asked, 0, true, kvs, nr, NULL, error);
}

/* ---- Transactions -------------------------------------------------------------------------- */

struct fleet_txn {
	struct json_object *json, *compare, *success; /* the last two are in the first */
};

struct fleet_txn *fleet_txn_new(void)
{
	struct fleet_txn *txn = calloc(1, sizeof(*txn));
	bool compare, success;

	if (!txn)
		return NULL;
	txn->json = json_object_new_object();
	txn->compare = json_object_new_array();
	txn->success = json_object_new_array();
	compare =
		fleet_add(txn->json, "compare", txn->compare); /* takes it over, if it fails, too */
	success = fleet_add(txn->json, "success", txn->success);
	if (compare && success)
		return txn;
	fleet_txn_free(txn);
	return NULL;
}

void fleet_txn_free(struct fleet_txn *txn)
{
	if (!txn)
		return;
	json_object_put(txn->json);
	free(txn);
}

/* Takes both; `made`: they are whole. */
static int append(struct json_object *array, struct json_object *json, bool made)
{
	if (made && !json_object_array_add(array, json))
		return 0;
	json_object_put(json);
	return -ENOMEM;
}

int fleet_txn_compare(struct fleet_txn *txn, const char *key, enum fleet_compare what, __s64 value)
{
	static const struct {
		const char *target, *member;
	} names[] = {
		[FLEET_MOD_REVISION] = { "MOD", "mod_revision" },
		[FLEET_CREATE_REVISION] = { "CREATE", "create_revision" },
		[FLEET_VERSION] = { "VERSION", "version" },
	};
	struct json_object *json = json_object_new_object();

	return append(txn->compare, json,
		      fleet_add_base64(json, "key", key) &&
			      fleet_add(json, "result", json_object_new_string("EQUAL")) &&
			      fleet_add(json, "target",
					json_object_new_string(names[what].target)) &&
			      fleet_add_number(json, names[what].member, value));
}

static struct json_object *new_put(const char *key, const char *value, __s64 lease)
{
	struct json_object *json = json_object_new_object();

	if (fleet_add_base64(json, "key", key) && fleet_add_base64(json, "value", value) &&
	    (!lease || fleet_add_number(json, "lease", lease)))
		return json;
	json_object_put(json);
	return NULL;
}

int fleet_txn_put(struct fleet_txn *txn, const char *key, const char *value, __s64 lease)
{
	struct json_object *json = json_object_new_object();

	return append(txn->success, json,
		      fleet_add(json, "request_put", new_put(key, value, lease)));
}

int fleet_txn_delete(struct fleet_txn *txn, const char *key)
{
	struct json_object *json = json_object_new_object(), *what = json_object_new_object();
	bool made = fleet_add_base64(what, "key", key);

	return append(txn->success, json, fleet_add(json, "request_delete_range", what) && made);
}

int fleet_etcd_commit(struct fleet_etcd *etcd, const struct fleet_txn *txn, bool *succeeded,
		      __s64 *revision, struct pb_error *error)
{
	struct json_object *answer = NULL, *done;
	int err = fleet_ask(etcd, "/v3/kv/txn", json_object_get(txn->json), true, &answer, error);

	if (err)
		return err;
	*succeeded = json_object_object_get_ex(answer, "succeeded", &done) &&
		     json_object_get_boolean(done);
	if (revision)
		*revision = fleet_revision(answer);
	json_object_put(answer);
	return 0;
}

int fleet_etcd_put(struct fleet_etcd *etcd, const char *key, const char *value, __s64 lease,
		   __s64 *revision, struct pb_error *error)
{
	struct json_object *answer = NULL;
	int err = fleet_ask(etcd, "/v3/kv/put", new_put(key, value, lease), false, &answer, error);

	if (!err && revision)
		*revision = fleet_revision(answer);
	json_object_put(answer);
	return err;
}

/* ---- Leases -------------------------------------------------------------------------------- */

static int ask_number(struct fleet_etcd *etcd, const char *path, const char *key, __s64 number,
		      struct json_object **answer, struct pb_error *error)
{
	struct json_object *body = json_object_new_object();

	if (!fleet_add_number(body, key, number)) {
		json_object_put(body);
		return fleet_fail_memory(error);
	}
	return fleet_ask(etcd, path, body, false, answer, error);
}

int fleet_lease_grant(struct fleet_etcd *etcd, __s64 seconds, __s64 *lease, struct pb_error *error)
{
	struct json_object *answer = NULL;
	int err = ask_number(etcd, "/v3/lease/grant", "TTL", seconds, &answer, error);
	__s64 got = err ? 0 : fleet_number(answer, "ID");

	json_object_put(answer);
	if (!err && !got)
		err = not_etcd(etcd, error);
	if (!err)
		*lease = got;
	return err;
}

/* The answer is the first object of a stream; a TTL of 0, or none, is that of a lease that is gone. */
int fleet_lease_keep(struct fleet_etcd *etcd, __s64 lease, struct pb_error *error)
{
	struct json_object *answer = NULL, *result;
	int err = ask_number(etcd, "/v3/lease/keepalive", "ID", lease, &answer, error);

	if (err)
		return err;
	if (!json_object_object_get_ex(answer, "result", &result))
		err = not_etcd(etcd, error);
	else if (fleet_number(result, "TTL") <= 0)
		err = fleet_fail(error, ENOENT, "etcd at %s: the lease is gone",
				 etcd->conf->endpoints.texts[etcd->at]);
	json_object_put(answer);
	return err;
}

int fleet_lease_revoke(struct fleet_etcd *etcd, __s64 lease, struct pb_error *error)
{
	struct json_object *answer = NULL;
	int err = ask_number(etcd, "/v3/lease/revoke", "ID", lease, &answer, error);

	json_object_put(answer);
	return err;
}
