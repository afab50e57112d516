// SPDX-License-Identifier: GPL-2.0-only
/* One question to etcd: endpoints in turn, the user's token, what its errors mean. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "fleet/base64.h"
#include "fleet/error.h"
#include "fleet/etcd-call.h"
#include "fleet/json.h"

#define PASSWORD_MAX 1024

int fleet_etcd_open(const struct fleet_conf *conf, struct fleet_etcd **etcd, struct pb_error *error)
{
	struct fleet_etcd *made = calloc(1, sizeof(*made));
	int err;

	if (!made)
		return fleet_fail_memory(error);
	made->conf = conf;
	err = fleet_http_open(conf, &made->http, error);
	if (err)
		free(made);
	else
		*etcd = made;
	return err;
}

void fleet_etcd_close(struct fleet_etcd *etcd)
{
	if (!etcd)
		return;
	fleet_http_close(etcd->http);
	fleet_token_forget(etcd);
	free(etcd);
}

void fleet_etcd_peers(const struct fleet_etcd *etcd,
		      void (*take)(const char *address, void *context), void *context)
{
	fleet_http_peers(etcd->http, take, context);
}

void fleet_etcd_limit(struct fleet_etcd *etcd, long ms)
{
	fleet_http_limit(etcd->http, ms);
}

/* ---- What etcd says ------------------------------------------------------------------------ */

/* Parts of its messages, the first that is in one counts. */
static const struct {
	const char *part;
	int err;
	const char *hint;
} meanings[] = {
	{ "invalid auth token", EKEYEXPIRED, "" },
	{ "revision of auth store is old", EKEYEXPIRED, "" },
	{ "authentication failed", EACCES, ": `user` or `password-file` of fleet.conf is wrong" },
	{ "authentication is not enabled", EACCES,
	  ": it knows no users, so fleet.conf is to name no `user`" },
	{ "user name is empty", EACCES, ": `user` and `password-file` of fleet.conf are wanted" },
	{ "permission denied", EACCES, ": the user of fleet.conf has no right to that" },
	{ "CommonName of client", EACCES,
	  ": the certificate that is `cert` of fleet.conf has a common name (CN), and must have none" },
	{ "request is too large", E2BIG, ": it takes 1.5 MiB at once" },
	{ "larger than max", E2BIG, ": it takes 1.5 MiB at once" },
	{ "required revision has been compacted", ESTALE, "" },
	{ "mvcc: database space exceeded", ENOSPC, "" },
	{ "requested lease not found", ENOENT, "" },
	{ "no leader", EAGAIN, "" },
	{ "leader changed", EAGAIN, "" },
	{ "request timed out", EAGAIN, "" },
};

int fleet_refused(const char *endpoint, const char *text, struct pb_error *error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(*meanings); i++)
		if (strstr(text, meanings[i].part))
			return fleet_fail(error, meanings[i].err, "etcd at %s: %s%s", endpoint,
					  text, meanings[i].hint);
	return fleet_fail(error, EREMOTEIO, "etcd at %s: %s", endpoint, text);
}

const char *fleet_text(struct json_object *json, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(json, key, &value) &&
			       json_object_is_type(value, json_type_string) ?
		       json_object_get_string(value) :
		       NULL;
}

__s64 fleet_number(struct json_object *json, const char *key)
{
	struct json_object *value;

	return json_object_object_get_ex(json, key, &value) ? json_object_get_int64(value) : 0;
}

__s64 fleet_revision(struct json_object *answer)
{
	struct json_object *header;
	__s64 revision = json_object_object_get_ex(answer, "header", &header) ?
				 fleet_number(header, "revision") :
				 0;

	/* The next one is a number, too. */
	return revision >= 0 && revision < LLONG_MAX ? revision : 0;
}

/* etcd's are longer: a key has 80 bytes and more. */
#define PART_LEAST 32
#define PARTS_ALWAYS 1000

struct json_object *fleet_parse(const char *text, size_t len)
{
	bool etcds = !fleet_json_has_more(text, len, PARTS_ALWAYS + len / PART_LEAST);
	struct json_tokener *tokener = etcds ? json_tokener_new_ex(16) : NULL;
	struct json_object *json = NULL;
	int err = etcds ? ENOMEM : EINVAL;
	size_t end;

	if (tokener) {
		json = fleet_json_parse(tokener, text, len + 1, &end);
		err = errno;
		json_tokener_free(tokener);
	}
	errno = err;
	if (json && !json_object_is_type(json, json_type_object)) {
		json_object_put(json);
		json = NULL;
	}
	return json;
}

/* ---- One question, one endpoint ------------------------------------------------------------ */

struct question {
	const char *path;
	const char *body;
	bool once;
	bool unsent; /* it failed before etcd can have done anything */
};

const char *fleet_complaint(struct json_object *json)
{
	struct json_object *error;

	if (json_object_object_get_ex(json, "error", &error) &&
	    json_object_is_type(error, json_type_object))
		return fleet_text(error, "message") ?: "an error without a message";
	return fleet_text(json, "error") ?: fleet_text(json, "message");
}

int fleet_turned_away(const char *endpoint, long status, const char *text, size_t len,
		      struct pb_error *error)
{
	struct json_object *json = fleet_parse(text, len);
	const char *said = json ? fleet_complaint(json) : NULL;
	int err = errno;

	if (!json && err == ENOMEM)
		return fleet_fail_memory(error);
	/* Its door speaks no JSON. */
	if (status == 400 && !strncmp(text, "CommonName of client", 20))
		said = "CommonName of client";
	if (said)
		err = fleet_refused(endpoint, said, error);
	else
		err = fleet_fail(error, EREMOTEIO, "etcd at %s: it answers with status %ld of HTTP",
				 endpoint, status);
	json_object_put(json);
	return err;
}

static int read_answer(const char *endpoint, const struct fleet_call *call, long status,
		       struct json_object **answer, struct pb_error *error)
{
	size_t len;
	const char *text = fleet_call_text(call, &len);
	struct json_object *json;
	const char *said;
	int err;

	if (status != 200)
		return fleet_turned_away(endpoint, status, text, len, error);
	json = fleet_parse(text, len);
	said = json ? fleet_complaint(json) : NULL;
	if (json && !said) {
		*answer = json;
		return 0;
	}
	if (said)
		err = fleet_refused(endpoint, said, error);
	else
		err = fleet_fail(error, EBADMSG,
				 "etcd at %s: its answer is no object of JSON: '%.60s'", endpoint,
				 text);
	json_object_put(json);
	return err;
}

static int ask_one(struct fleet_etcd *etcd, const char *endpoint, struct question *question,
		   const char *token, struct json_object **answer, struct pb_error *error)
{
	struct fleet_call *call =
		fleet_call_new(etcd->http, endpoint, question->path, question->body, token, false);
	struct fleet_outcome outcome;
	int err = call ? 0 : fleet_fail_memory(error);

	while (!err && !fleet_call_ended(call, &outcome))
		err = fleet_http_wait(etcd->http, 60000, error);
	if (!err && outcome.err) {
		question->unsent = outcome.unsent;
		err = fleet_fail(error, -outcome.err, "etcd at %s: %s", endpoint, outcome.why);
	} else if (!err) {
		err = read_answer(endpoint, call, outcome.status, answer, error);
	}
	fleet_call_free(call);
	return err;
}

/* ---- Users --------------------------------------------------------------------------------- */

void fleet_token_forget(struct fleet_etcd *etcd)
{
	free(etcd->token);
	etcd->token = NULL;
}

/* Its first line. */
static int read_password(const char *path, char password[PASSWORD_MAX], struct pb_error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat about;
	ssize_t len = -1;

	if (fd >= 0 && !fstat(fd, &about) && about.st_mode & 077) {
		close(fd);
		return fleet_fail(error, EPERM,
				  "%s: others than its owner may use it: `chmod 600` it first",
				  path);
	}
	if (fd >= 0)
		len = read(fd, password, PASSWORD_MAX - 1);
	if (len < 0) {
		len = errno;
		if (fd >= 0)
			close(fd);
		return fleet_fail(error, (int)len, "cannot read %s: %s", path, strerror((int)len));
	}
	close(fd);
	password[len] = '\0';
	password[strcspn(password, "\r\n")] = '\0';
	return *password ? 0 : fleet_fail(error, EINVAL, "%s: there is no password in it", path);
}

static int credentials(const struct fleet_conf *conf, char **body, struct pb_error *error)
{
	char password[PASSWORD_MAX];
	struct json_object *json;
	int err = read_password(conf->password_file, password, error);

	if (err)
		return err;
	json = json_object_new_object();
	*body = NULL;
	if (fleet_add(json, "name", json_object_new_string(conf->user)) &&
	    fleet_add(json, "password", json_object_new_string(password)))
		*body = strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN));
	json_object_put(json);
	explicit_bzero(password, sizeof(password));
	return *body ? 0 : fleet_fail_memory(error);
}

int fleet_token(struct fleet_etcd *etcd, const char *endpoint, struct pb_error *error)
{
	struct question question = { .path = "/v3/auth/authenticate" };
	struct json_object *answer = NULL;
	const char *token;
	char *body;
	int err;

	if (etcd->token || !etcd->conf->user)
		return 0;
	err = credentials(etcd->conf, &body, error);
	if (err)
		return err;
	question.body = body;
	err = ask_one(etcd, endpoint, &question, NULL, &answer, error);
	explicit_bzero(body, strlen(body));
	free(body);
	if (err)
		return err;
	token = fleet_text(answer, "token");
	/* It goes into a header. */
	if (!token || strpbrk(token, "\r\n"))
		err = fleet_fail(error, EBADMSG, "etcd at %s: it gives no token", endpoint);
	else if (!(etcd->token = strdup(token)))
		err = fleet_fail_memory(error);
	json_object_put(answer);
	return err;
}

/* ---- Endpoints in turn --------------------------------------------------------------------- */

/* With a token; a new one where etcd does not know ours any more. */
static int ask_as_user(struct fleet_etcd *etcd, const char *endpoint, struct question *question,
		       struct json_object **answer, struct pb_error *error)
{
	int err;

	for (int again = 0;; again++) {
		question->unsent = true;
		err = fleet_token(etcd, endpoint, error);
		if (err)
			return err;
		question->unsent = false;
		err = ask_one(etcd, endpoint, question, etcd->token, answer, error);
		if (err != -EKEYEXPIRED || again || !etcd->conf->user)
			return err;
		fleet_token_forget(etcd);
	}
}

/* Would another endpoint say something else? */
static bool goes_on(int err, const struct question *question)
{
	static const int ours[] = { EACCES, EPERM, E2BIG, ESTALE, ENOSPC, ENOENT, ENOMEM, EINVAL };

	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		if (err == -ours[i])
			return false;
	return question->unsent || !question->once;
}

static int ask_in_turn(struct fleet_etcd *etcd, struct question *question,
		       struct json_object **answer, struct pb_error *error)
{
	const struct fleet_list *endpoints = &etcd->conf->endpoints;
	int err = 0;

	for (size_t i = 0; i < endpoints->nr; i++) {
		err = ask_as_user(etcd, endpoints->texts[etcd->at], question, answer, error);
		if (!err || !goes_on(err, question))
			break;
		etcd->at = (etcd->at + 1) % endpoints->nr;
	}
	return err;
}

int fleet_ask(struct fleet_etcd *etcd, const char *path, struct json_object *body, bool once,
	      struct json_object **answer, struct pb_error *error)
{
	struct question question = { .path = path, .once = once };
	struct pb_error unheard;
	int err;

	if (body)
		question.body = json_object_to_json_string_ext(
			body, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	if (question.body)
		err = ask_in_turn(etcd, &question, answer, error ?: &unheard);
	else
		err = fleet_fail_memory(error);
	json_object_put(body);
	return err;
}

/* ---- Documents ----------------------------------------------------------------------------- */

bool fleet_add(struct json_object *json, const char *key, struct json_object *value)
{
	if (json && value && !json_object_object_add(json, key, value))
		return true;
	json_object_put(value);
	return false;
}

bool fleet_add_number(struct json_object *json, const char *key, __s64 number)
{
	return fleet_add(json, key, json_object_new_int64(number));
}

static bool add_bytes(struct json_object *json, const char *key, const char *text, size_t len)
{
	char *encoded = fleet_base64(text, len);
	bool added = encoded && fleet_add(json, key, json_object_new_string(encoded));

	free(encoded);
	return added;
}

bool fleet_add_base64(struct json_object *json, const char *key, const char *text)
{
	return add_bytes(json, key, text, strlen(text));
}

/* The end of a range is the first key behind it: the last byte is one more. Ours are no 0xff. */
bool fleet_add_range(struct json_object *json, const char *key, bool all)
{
	size_t len = strlen(key);
	char *end;
	bool added;

	if (!fleet_add_base64(json, "key", key))
		return false;
	if (!all || !len)
		return true;
	end = strdup(key);
	if (!end)
		return false;
	end[len - 1]++;
	added = add_bytes(json, "range_end", end, len);
	free(end);
	return added;
}
