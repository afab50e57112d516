// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fleet/curl-library.h"
#include "fleet/error.h"
#include "fleet/http.h"

#define CONNECT_MS 5000L
#define WHOLE_MS 30000L
/* An answer that is longer is none of etcd's: 10,000 hosts tell 10 MiB of themselves. */
#define ANSWER_MAX (256UL << 20)

#define PEERS_MAX 16

struct fleet_http {
	const struct fleet_conf *conf;
	const struct curl_library *curl;
	CURLM *multi;
	long limit;	    /* ms, of a call that is no stream */
	unsigned long news; /* something came for a call, or one ended: so often */
	char peers[PEERS_MAX][64];
	size_t next_peer;
};

struct fleet_call {
	struct fleet_http *http;
	CURL *easy;
	struct curl_slist *headers;
	char *body;
	char *text;
	size_t len, room;
	long long heard;
	bool answered, ended;
	CURLcode result;
	char why[CURL_ERROR_SIZE];
};

long long fleet_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int fleet_http_open(const struct fleet_conf *conf, struct fleet_http **http, struct pb_error *error)
{
	const struct curl_library *curl;
	struct fleet_http *made;
	int err = fleet_curl_load(&curl, error);

	if (err)
		return err;
	made = calloc(1, sizeof(*made));
	if (!made)
		return fleet_fail_memory(error);
	made->conf = conf;
	made->limit = WHOLE_MS;
	made->curl = curl;
	made->multi = curl->multi_init();
	if (!made->multi) {
		free(made);
		return fleet_fail_memory(error);
	}
	*http = made;
	return 0;
}

void fleet_http_limit(struct fleet_http *http, long ms)
{
	http->limit = ms ?: WHOLE_MS;
}

void fleet_http_close(struct fleet_http *http)
{
	if (!http)
		return;
	http->curl->multi_cleanup(http->multi);
	free(http);
}

/* ---- Who was spoken to --------------------------------------------------------------------- */

static void note_peer(struct fleet_http *http, CURL *easy)
{
	char *address = NULL;

	if ((http->curl->easy_getinfo)(easy, CURLINFO_PRIMARY_IP, &address) || !address ||
	    !*address)
		return;
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (!strcmp(http->peers[i], address))
			return;
	snprintf(http->peers[http->next_peer], sizeof(http->peers[0]), "%s", address);
	http->next_peer = (http->next_peer + 1) % PEERS_MAX;
}

void fleet_http_peers(const struct fleet_http *http,
		      void (*take)(const char *address, void *context), void *context)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (*http->peers[i])
			take(http->peers[i], context);
}

/* ---- A call -------------------------------------------------------------------------------- */

static bool make_room(struct fleet_call *call, size_t more)
{
	size_t room = call->room ?: 4096;
	char *grown;

	if (more > ANSWER_MAX - call->len)
		return false;
	while (room < call->len + more + 1)
		room *= 2;
	if (room == call->room)
		return true;
	grown = realloc(call->text, room);
	if (!grown)
		return false;
	call->text = grown;
	call->room = room;
	return true;
}

/* What curl calls with each piece of an answer; less than all: the call ends. */
static size_t take(char *data, size_t size, size_t nr, void *context)
{
	struct fleet_call *call = context;
	size_t len = size * nr;

	if (!make_room(call, len))
		return 0;
	if (!call->answered)
		note_peer(call->http, call->easy);
	call->answered = true;
	memcpy(call->text + call->len, data, len);
	call->len += len;
	call->text[call->len] = '\0';
	call->heard = fleet_now_ms();
	call->http->news++;
	return len;
}

static bool add_header(struct fleet_call *call, const char *name, const char *value)
{
	struct curl_slist *grown;
	char *line;

	if (asprintf(&line, "%s:%s%s", name, *value ? " " : "", value) < 0)
		return false;
	grown = call->http->curl->slist_append(call->headers, line);
	free(line);
	if (grown)
		call->headers = grown;
	return grown;
}

/* A proxy of the environment is not asked: a host reaches its etcd, or it is cut off. */
static bool set_options(struct fleet_call *call, const char *url, bool stream)
{
	const struct fleet_conf *conf = call->http->conf;
	const struct curl_library *curl = call->http->curl;
	long limit = call->http->limit;
	const struct {
		CURLoption option;
		const void *value;
	} texts[] = {
		{ CURLOPT_URL, url },
		{ CURLOPT_POSTFIELDS, call->body },
		{ CURLOPT_PROXY, "" },
		{ CURLOPT_CAINFO, conf->cacert },
		{ CURLOPT_SSLCERT, conf->cert },
		{ CURLOPT_SSLKEY, conf->key },
		{ CURLOPT_HTTPHEADER, call->headers },
		{ CURLOPT_ERRORBUFFER, call->why },
		{ CURLOPT_WRITEFUNCTION, take },
		{ CURLOPT_WRITEDATA, call },
		{ CURLOPT_PRIVATE, call },
	};
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_POST, 1 },
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_TCP_KEEPALIVE, 1 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_CONNECTTIMEOUT_MS, limit < CONNECT_MS ? limit : CONNECT_MS },
		{ CURLOPT_TIMEOUT_MS, stream ? 0 : limit },
	};
	CURLcode result = CURLE_OK;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (texts[i].value && !result)
			result = (curl->easy_setopt)(call->easy, texts[i].option, texts[i].value);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers) && !result; i++)
		result = (curl->easy_setopt)(call->easy, numbers[i].option, numbers[i].value);
	return !result;
}

/*
 * Go's server of HTTP/1.1 throws away what it has not read of a request when its answer begins, unless the connection
 * ends with that: of several watches asked for in one stream, those behind the first would be lost now and then.
 */
static bool begin(struct fleet_call *call, const char *endpoint, const char *path,
		  const char *token, bool stream)
{
	const struct curl_library *curl = call->http->curl;
	char *url = NULL;
	bool begun = call->easy && call->body &&
		     add_header(call, "Content-Type", "application/json") &&
		     add_header(call, "Expect", "") &&
		     (!stream || add_header(call, "Connection", "close")) &&
		     (!token || add_header(call, "Authorization", token)) &&
		     asprintf(&url, "%s%s", endpoint, path) > 0 && set_options(call, url, stream) &&
		     !curl->multi_add_handle(call->http->multi, call->easy);

	free(url);
	return begun;
}

struct fleet_call *fleet_call_new(struct fleet_http *http, const char *endpoint, const char *path,
				  const char *body, const char *token, bool stream)
{
	struct fleet_call *call = calloc(1, sizeof(*call));

	if (!call)
		return NULL;
	call->http = http;
	call->easy = http->curl->easy_init();
	call->body = strdup(body);
	call->heard = fleet_now_ms();
	if (make_room(call, 0)) {
		*call->text = '\0';
		if (begin(call, endpoint, path, token, stream))
			return call;
	}
	fleet_call_free(call);
	return NULL;
}

void fleet_call_free(struct fleet_call *call)
{
	const struct curl_library *curl;

	if (!call)
		return;
	curl = call->http->curl;
	if (call->easy) {
		curl->multi_remove_handle(call->http->multi, call->easy);
		curl->easy_cleanup(call->easy);
	}
	curl->slist_free_all(call->headers);
	if (call->body)
		explicit_bzero(call->body, strlen(call->body)); /* of a password, too */
	free(call->body);
	free(call->text);
	free(call);
}

/* ---- All of them --------------------------------------------------------------------------- */

static void note_ends(struct fleet_http *http)
{
	const struct curl_library *curl = http->curl;
	struct fleet_call *call;
	CURLMsg *message;
	int left;

	while ((message = curl->multi_info_read(http->multi, &left))) {
		if (message->msg != CURLMSG_DONE)
			continue;
		(curl->easy_getinfo)(message->easy_handle, CURLINFO_PRIVATE, (char **)&call);
		call->ended = true;
		call->result = message->data.result;
		note_peer(http, call->easy);
		http->news++;
	}
}

static int failed(struct fleet_http *http, CURLMcode code, struct pb_error *error)
{
	return fleet_fail(error, EIO, "libcurl: %s", http->curl->multi_strerror(code));
}

int fleet_http_wait(struct fleet_http *http, int timeout_ms, struct pb_error *error)
{
	long long end = fleet_now_ms() + timeout_ms, left = timeout_ms;
	unsigned long news = http->news;
	CURLMcode code;
	int running, ready;

	for (;;) {
		code = http->curl->multi_perform(http->multi, &running);
		note_ends(http);
		if (code)
			return failed(http, code, error);
		left = end - fleet_now_ms();
		if (news != http->news || left <= 0)
			return 0;
		code = http->curl->multi_poll(http->multi, NULL, 0, (int)left, &ready);
		if (code)
			return failed(http, code, error);
	}
}

/* What libcurl could not do before the request was out, and what that is to us. */
static const struct {
	CURLcode code;
	int err;
	bool unsent;
} ends[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, EHOSTUNREACH, true },
	{ CURLE_COULDNT_CONNECT, ECONNREFUSED, true },
	{ CURLE_PEER_FAILED_VERIFICATION, EKEYREJECTED, true },
	{ CURLE_SSL_CONNECT_ERROR, EPROTO, true },
	{ CURLE_SSL_CACERT_BADFILE, EINVAL, true },
	{ CURLE_SSL_CERTPROBLEM, EINVAL, true },
	{ CURLE_OPERATION_TIMEDOUT, ETIMEDOUT, false },
	{ CURLE_OUT_OF_MEMORY, ENOMEM, false },
	{ CURLE_WRITE_ERROR, EFBIG, false },
	{ CURLE_GOT_NOTHING, EPIPE, false },
	{ CURLE_RECV_ERROR, EPIPE, false },
	{ CURLE_SEND_ERROR, EPIPE, false },
	{ CURLE_PARTIAL_FILE, EPIPE, false },
};

bool fleet_call_ended(const struct fleet_call *call, struct fleet_outcome *outcome)
{
	const struct curl_library *curl = call->http->curl;
	double connected = 0;

	if (!call->ended)
		return false;
	*outcome = (struct fleet_outcome){ .err = call->result ? -EIO : 0 };
	outcome->why = *call->why ? call->why : curl->easy_strerror(call->result);
	(curl->easy_getinfo)(call->easy, CURLINFO_RESPONSE_CODE, &outcome->status);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (ends[i].code == call->result) {
			outcome->err = -ends[i].err;
			outcome->unsent = ends[i].unsent;
		}
	if (call->result == CURLE_OPERATION_TIMEDOUT) {
		(curl->easy_getinfo)(call->easy, CURLINFO_PRETRANSFER_TIME, &connected);
		outcome->unsent = connected == 0;
	}
	return true;
}

long fleet_call_status(const struct fleet_call *call)
{
	long status = 0;

	(call->http->curl->easy_getinfo)(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

char *fleet_call_text(const struct fleet_call *call, size_t *len)
{
	*len = call->len;
	return call->text;
}

void fleet_call_drop(struct fleet_call *call, size_t len)
{
	memmove(call->text, call->text + len, call->len - len + 1);
	call->len -= len;
}

long long fleet_call_heard(const struct fleet_call *call)
{
	return call->heard;
}
