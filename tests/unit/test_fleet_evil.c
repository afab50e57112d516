// SPDX-License-Identifier: GPL-2.0-only
/* An etcd that is not: its answers are those of somebody who wants the client to crash, to spin or to grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "fleet/base64.h"
#include "fleet/etcd.h"
#include "fleet/share.h"
#include "fleet/survey.h"
#include "says.h"

#define LISTS "{\"header\":{\"revision\":\"5\"},\"kvs\":[%s],\"count\":\"1\"}"

/* What it says to one who asks for a path; `ever`: again and again, for ever. */
struct answer {
	const char *path;
	const char *text;
	bool ever;
	const char *status; /* NULL: 200 OK */
	const char *first;  /* before all that; NULL: nothing */
};

/* ---- The server ------------------------------------------------------------------------------ */

static bool say(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t done = send(fd, text, len, MSG_NOSIGNAL);

		if (done <= 0)
			return false;
		text += done;
		len -= done;
	}
	return true;
}

/* A request, up to its end; true: `path` is filled. */
static bool hear(int fd, char path[256])
{
	static char text[1 << 16];
	size_t len = 0;
	ssize_t got;
	char *body, *length;

	while (len < sizeof(text) - 1 &&
	       (got = recv(fd, text + len, sizeof(text) - 1 - len, 0)) > 0) {
		text[len += got] = '\0';
		body = strstr(text, "\r\n\r\n");
		length = strstr(text, "Content-Length: ");
		if (body && length && strlen(body + 4) >= strtoul(length + 16, NULL, 10))
			return sscanf(text, "POST %255s", path) == 1;
	}
	return false;
}

static void serve_one(int fd, const struct answer *answers)
{
	char path[256], head[512];

	if (!hear(fd, path))
		return;
	while (answers->path && strcmp(answers->path, path))
		answers++;
	snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nConnection: close\r\nLocation: %s\r\n\r\n",
		 answers->status ?: "200 OK", path);
	if (!answers->path || !say(fd, head, strlen(head)))
		return;
	if (answers->first && !say(fd, answers->first, strlen(answers->first)))
		return;
	while (say(fd, answers->text, strlen(answers->text)) && answers->ever)
		;
}

struct evil {
	pid_t pid;
	char endpoint[64];
	char *endpoints[1];
	struct fleet_conf conf;
	struct fleet_etcd *etcd;
};

static void serve(int listening, const struct answer *answers)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listening, NULL, NULL);

		if (fd >= 0 && !fork()) {
			serve_one(fd, answers);
			_exit(0);
		}
		close(fd);
	}
}

static void begin(struct evil *evil, const struct answer *answers)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t len = sizeof(here);
	int listening = socket(AF_INET, SOCK_STREAM, 0);

	inet_pton(AF_INET, "127.0.0.1", &here.sin_addr);
	assert_int_equal(bind(listening, (struct sockaddr *)&here, sizeof(here)), 0);
	assert_int_equal(listen(listening, 16), 0);
	assert_int_equal(getsockname(listening, (struct sockaddr *)&here, &len), 0);
	*evil = (struct evil){ .pid = fork() };
	if (!evil->pid)
		serve(listening, answers);
	close(listening);
	snprintf(evil->endpoint, sizeof(evil->endpoint), "http://127.0.0.1:%d",
		 ntohs(here.sin_port));
	evil->endpoints[0] = evil->endpoint;
	evil->conf = (struct fleet_conf){ .endpoints = { evil->endpoints, 1 },
					  .prefix = (char *)"/x/",
					  .host = (char *)"a",
					  .state = (char *)"/nowhere" };
	assert_int_equal(fleet_etcd_open(&evil->conf, &evil->etcd, NULL), 0);
}

static void end(struct evil *evil)
{
	fleet_etcd_close(evil->etcd);
	kill(evil->pid, SIGKILL);
	waitpid(evil->pid, NULL, 0);
}

/* {"key":..,"value":..} */
static char *kv_text(const char *key, const char *value)
{
	char *coded = fleet_base64(key, strlen(key)), *data = fleet_base64(value, strlen(value)),
	     *text;

	assert_true(
		asprintf(
			&text,
			"{\"key\":\"%s\",\"mod_revision\":\"5\",\"version\":\"1\",\"value\":\"%s\"}",
			coded, data) > 0);
	free(coded);
	free(data);
	return text;
}

static char *list_text(const char *one, const char *other)
{
	char *a = kv_text(one, "{}"), *b = kv_text(other, "{}"), *both, *text;

	assert_true(asprintf(&both, "%s,%s", a, b) > 0);
	assert_true(asprintf(&text, LISTS, both) > 0);
	free(a);
	free(b);
	free(both);
	return text;
}

/* ---- Keys that were not asked for ------------------------------------------------------------ */

static const struct wrong none_of_etcd = { "keys", "its answer is not as etcd's are", NULL };

/* Who lists looks behind the prefix of each key: there is nothing. */
static void test_other_keys(void **state)
{
	char *text = list_text("/x/hosts/a", "/");
	const struct answer answers[] = { { .path = "/v3/kv/range", .text = text }, {} };
	struct fleet_survey *survey = NULL;
	struct pb_error error;
	struct fleet_kv *kvs;
	struct evil evil;
	size_t nr;

	(void)state;
	begin(&evil, answers);
	assert_says(&none_of_etcd,
		    fleet_etcd_list(evil.etcd, "/x/hosts/", 0, &kvs, &nr, NULL, &error), -EBADMSG,
		    &error);
	assert_says(&none_of_etcd, fleet_etcd_keys(evil.etcd, "/x/hosts/", &kvs, &nr, &error),
		    -EBADMSG, &error);
	assert_says(&none_of_etcd, fleet_survey_read(evil.etcd, &evil.conf, &survey, &error),
		    -EBADMSG, &error);
	end(&evil);
	free(text);
}

/* One is asked for, and each more would be a leak. */
static void test_more_keys(void **state)
{
	char *text = list_text("/x/a", "/x/a");
	const struct answer answers[] = { { .path = "/v3/kv/range", .text = text }, {} };
	struct pb_error error;
	struct fleet_kv *kv;
	struct evil evil;

	(void)state;
	begin(&evil, answers);
	assert_says(&none_of_etcd, fleet_etcd_get(evil.etcd, "/x/a", 0, &kv, NULL, &error),
		    -EBADMSG, &error);
	assert_says(&none_of_etcd, fleet_etcd_get(evil.etcd, "/x/b", 0, &kv, NULL, &error),
		    -EBADMSG, &error);
	end(&evil);
	free(text);
}

#define CREATED "{\"result\":{\"header\":{\"revision\":\"5\"},\"created\":true}}\n"
#define NO_KEYS "{\"header\":{\"revision\":\"5\"},\"responses\":[]}"

static void test_other_events(void **state)
{
	static const struct wrong wrong = { "event", "an event of the stream is none", NULL };
	char *kv = kv_text("/", "{}"), *text;
	struct fleet_change *changes;
	struct fleet_watch *watch;
	struct pb_error error;
	struct evil evil;
	size_t nr;

	(void)state;
	assert_true(asprintf(&text, CREATED "{\"result\":{\"events\":[{\"kv\":%s}]}}\n", kv) > 0);
	begin(&evil, (const struct answer[]){ { .path = "/v3/watch", .text = text },
					      { .path = "/v3/kv/txn", .text = NO_KEYS },
					      {} });
	assert_int_equal(fleet_watch_open(evil.etcd, "/x/hosts/", 1, &watch, &error), 0);
	assert_says(&wrong, fleet_watch_next(watch, 60000, &changes, &nr, &error), -EBADMSG,
		    &error);
	fleet_watch_close(watch);
	end(&evil);
	free(text);
	free(kv);
}

/* ---- For ever -------------------------------------------------------------------------------- */

/* Lines that look as if a watch were made, and none is. */
static void test_never_created(void **state)
{
	static const struct answer answers[] = {
		{ .path = "/v3/watch",
		  .text = "{\"result\":{\"x\":{\"created\":true}}}\n",
		  .ever = true },
		{}
	};
	static const struct wrong wrong = { "created", "no watch within 10 s", NULL };
	struct fleet_watch *watch;
	struct pb_error error;
	struct evil evil;

	(void)state;
	begin(&evil, answers);
	assert_says(&wrong, fleet_watch_open(evil.etcd, "/x/hosts/", 1, &watch, &error), -ETIMEDOUT,
		    &error);
	end(&evil);
}

/* A line without an end: as much as an answer may have. */
static void test_endless_line(void **state)
{
	static char piece[1 << 16];
	const struct answer answers[] = {
		{ .path = "/v3/watch", .text = piece, .ever = true, .first = CREATED },
		{ .path = "/v3/kv/txn", .text = NO_KEYS },
		{}
	};
	static const struct wrong wrong = { "line", "", NULL };
	struct fleet_change *changes = NULL;
	struct fleet_watch *watch;
	struct pb_error error;
	struct evil evil;
	size_t nr;

	(void)state;
	memset(piece, ' ', sizeof(piece) - 1);
	begin(&evil, answers);
	assert_int_equal(fleet_watch_open(evil.etcd, "/x/hosts/", 1, &watch, &error), 0);
	assert_says(&wrong, fleet_watch_next(watch, 600000, &changes, &nr, &error), -EFBIG, &error);
	fleet_watch_close(watch);
	end(&evil);
}

/* Objects without end in an answer of a size that is right: json-c makes 800 bytes of each. */
static void test_many_objects(void **state)
{
	static char text[3 << 20];
	static const struct wrong wrong = { "objects", "its answer is no object of JSON", NULL };
	const struct answer answers[] = { { .path = "/v3/kv/range", .text = text }, {} };
	struct pb_error error;
	struct fleet_kv *kv;
	struct evil evil;
	size_t len;

	(void)state;
	len = sprintf(text, "{\"kvs\":[{}");
	while (len < sizeof(text) - 16)
		len += sprintf(text + len, ",{}");
	strcpy(text + len, "]}");
	begin(&evil, answers);
	assert_says(&wrong, fleet_etcd_get(evil.etcd, "/x/a", 0, &kv, NULL, &error), -EBADMSG,
		    &error);
	end(&evil);
}

/* Elsewhere nobody is asked, and no other protocol is spoken. */
static void test_redirect(void **state)
{
	static const struct wrong wrong = { "307", "it answers with status 307", NULL };
	static const struct answer answers[] = {
		{ .path = "/v3/kv/range", .text = "", .status = "307 Temporary Redirect" }, {}
	};
	struct pb_error error;
	struct fleet_kv *kv;
	struct evil evil;

	(void)state;
	begin(&evil, answers);
	assert_says(&wrong, fleet_etcd_get(evil.etcd, "/x/a", 0, &kv, NULL, &error), -EREMOTEIO,
		    &error);
	end(&evil);
}

/* ---- Sets ------------------------------------------------------------------------------------ */

static void forget(const char *line, void *context)
{
	(void)line, (void)context;
}

/* Bans without end: more than sets may have are not kept. */
static void test_many_bans(void **state)
{
	static const struct fleet_shared names = { "bad", "default", "bad" };
	static const struct fleet_conf conf = { .prefix = (char *)"/x/",
						.state = (char *)"/nowhere" };
	char key[] = "/x/sets/bad/bans/192.0.2.7",
	     value[] = "{\"format\":1,\"until\":null,\"host\":\"a\"}";
	const struct fleet_change change = { false,
					     { .key = key, .value = value, .len = strlen(value) } };
	const struct fleet_log log = { forget, NULL };
	struct fleet_share share;

	(void)state;
	assert_int_equal(fleet_share_begin(&share, &conf, &names, &log), 0);
	assert_int_equal(fleet_share_take(&share, &change), 0);
	assert_int_equal(share.entries.nr, 1);
	fleet_entries_free(&share.entries);
	share.entries.nr = 2 * PB_SET_LIMIT; /* as if they were there */
	assert_int_equal(fleet_share_take(&share, &change), 0);
	assert_int_equal(share.entries.nr, 2 * PB_SET_LIMIT);
	assert_non_null(strstr(share.wrong.text, "more bans than a set may have"));
	share.entries.nr = 0;
	fleet_share_end(&share);
}

/* ---- The environment ------------------------------------------------------------------------- */

/* It runs first: libcurl is loaded once. */
static void test_environment(void **state)
{
	struct evil evil;

	(void)state;
	setenv("SSLKEYLOGFILE", "/nowhere/keys", 1);
	begin(&evil, (const struct answer[]){ {} });
	assert_null(getenv("SSLKEYLOGFILE"));
	end(&evil);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_environment),   cmocka_unit_test(test_other_keys),
		cmocka_unit_test(test_more_keys),     cmocka_unit_test(test_other_events),
		cmocka_unit_test(test_never_created), cmocka_unit_test(test_endless_line),
		cmocka_unit_test(test_many_objects),  cmocka_unit_test(test_redirect),
		cmocka_unit_test(test_many_bans),
	};

	return cmocka_run_group_tests_name("fleet evil", tests, NULL, NULL);
}
