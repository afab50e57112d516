// SPDX-License-Identifier: GPL-2.0-only
/* fleet.conf: what each key takes, and that each line that is wrong is quoted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "fleet/conf.h"
#include "says.h"

#define PLACE "endpoints = http://etcd1:2379\n"

static char path[] = "/tmp/pb-fleet-conf.XXXXXX";

static int read_text(const char *text, struct fleet_conf **conf, struct pb_error *error)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	return fleet_conf_read(path, conf, error);
}

static struct fleet_conf *reads(const char *text)
{
	struct fleet_conf *conf = NULL;
	struct pb_error error = { "" };

	if (read_text(text, &conf, &error))
		fail_msg("%s: %s", text, error.text);
	return conf;
}

static void test_defaults(void **state)
{
	struct fleet_conf *conf = reads("\n# a comment\n  endpoints=http://etcd1:2379  \r\n");
	char host[256] = "";

	(void)state;
	gethostname(host, sizeof(host) - 1);
	assert_int_equal(conf->endpoints.nr, 1);
	assert_string_equal(conf->endpoints.texts[0], "http://etcd1:2379");
	assert_string_equal(conf->host, host);
	assert_string_equal(conf->prefix, FLEET_PREFIX_DEFAULT);
	assert_string_equal(conf->state, FLEET_STATE_DEFAULT);
	assert_true(conf->confirm == 30000000000ULL);
	assert_false(conf->heal);
	assert_null(conf->cacert);
	assert_null(conf->user);
	assert_int_equal(conf->nr_rulesets + conf->groups.nr + conf->trust.nr + conf->command.nr,
			 0);
	fleet_conf_free(conf);
	fleet_conf_free(NULL);
}

static void test_all(void **state)
{
	struct fleet_conf *conf =
		reads("endpoints = https://a:1/, https://[::1]:2379 ,http://c\n"
		      "cacert = /ca.crt\ncert = /my.crt\nkey = /my.key\n"
		      "user = reader # one\npassword-file = /password\nhost = web-1.example\n"
		      "groups = web,edge\nrulesets = web, mine = theirs,z=edge\nconfirm = 1m\n"
		      "check-command = /bin/check \"two words\" x=y\ndrift = heal\n"
		      "trust = /a.pem,/b.pem\nprefix = /fleet/\nstate = /var/state\n");

	(void)state;
	assert_int_equal(conf->endpoints.nr, 3);
	assert_string_equal(conf->endpoints.texts[0], "https://a:1");
	assert_string_equal(conf->endpoints.texts[1], "https://[::1]:2379");
	assert_string_equal(conf->endpoints.texts[2], "http://c");
	assert_string_equal(conf->cacert, "/ca.crt");
	assert_string_equal(conf->cert, "/my.crt");
	assert_string_equal(conf->key, "/my.key");
	assert_string_equal(conf->user, "reader # one");
	assert_string_equal(conf->password_file, "/password");
	assert_string_equal(conf->host, "web-1.example");
	assert_int_equal(conf->groups.nr, 2);
	assert_string_equal(conf->groups.texts[1], "edge");
	assert_int_equal(conf->nr_rulesets, 3);
	assert_string_equal(conf->rulesets[0].local, "web");
	assert_string_equal(conf->rulesets[0].remote, "web");
	assert_string_equal(conf->rulesets[1].local, "mine");
	assert_string_equal(conf->rulesets[1].remote, "theirs");
	assert_string_equal(conf->rulesets[2].remote, "edge");
	assert_true(conf->confirm == 60000000000ULL);
	assert_int_equal(conf->command.nr, 3);
	assert_string_equal(conf->command.texts[1], "two words");
	assert_true(conf->heal);
	assert_int_equal(conf->trust.nr, 2);
	assert_string_equal(conf->trust.texts[1], "/b.pem");
	assert_string_equal(conf->prefix, "/fleet/");
	assert_string_equal(conf->state, "/var/state");
	fleet_conf_free(conf);
}

/* The third line, behind one that is right and a comment. */
static const struct wrong wrong_lines[] = {
	{ "drift", ":3: 'drift' is no line of `key = value`", NULL },
	{ "colour = red", ":3: there is no key 'colour'", NULL },
	{ "Drift = heal", ":3: there is no key 'Drift'", NULL },
	{ "= heal", ":3: there is no key ''", NULL },
	{ "drift =", ":3: 'drift' has no value", NULL },
	{ "endpoints = http://b", ":3: 'endpoints' is given twice", NULL },
	{ "drift = mend", ":3: drift: 'mend'", "keep or heal" },
	{ "cacert = ca.crt", ":3: cacert: 'ca.crt'", "absolute" },
	{ "trust = /a,b", ":3: trust: 'b'", "absolute" },
	{ "trust = /a,,/b", ":3: trust: ", "'/a,,/b'" },
	{ "host = a/b", ":3: host: 'a/b'", "letters, digits" },
	{ "host = a b", ":3: host: 'a b'", "letters, digits" },
	{ "host = \xff\xfe", ":3: host: '\\xff\\xfe'", NULL },
	{ "groups = web,e?", ":3: groups: ", "'e?'" },
	{ "rulesets = web,w/b", ":3: rulesets: ", "'w/b'" },
	{ "rulesets = web=w b", ":3: rulesets: ", "'w b'" },
	{ "rulesets = web,web", ":3: rulesets: 'web' is named twice", NULL },
	{ "rulesets = web=a,web=b", ":3: rulesets: 'web' is named twice", NULL },
	{ "rulesets = a=web,b=web", ":3: rulesets: 'web' is named twice", NULL },
	{ "rulesets = web=", ":3: rulesets: ", NULL },
	{ "confirm = soon", ":3: confirm: ", "\"soon\"" },
	{ "confirm = 1s", ":3: confirm: '1s' is not from 5s to 1h", NULL },
	{ "confirm = 2h", ":3: confirm: '2h' is not from 5s to 1h", NULL },
	{ "check-command = check me", ":3: check-command: 'check'", "absolute" },
	{ "check-command = /c \"open", ":3: check-command: ", NULL },
	{ "prefix = fleet", ":3: prefix: 'fleet'", "slash" },
	{ "prefix = /a b/", ":3: prefix: '/a b/'", "slash" },
	{ "prefix = /", ":3: prefix: '/'", "slash" },
	{ NULL, NULL, NULL },
};

static void test_wrong_lines(void **state)
{
	struct fleet_conf *conf = (void *)1;
	struct pb_error error = { "" };
	char text[512];

	(void)state;
	for (const struct wrong *wrong = wrong_lines; wrong->input; wrong++) {
		snprintf(text, sizeof(text), PLACE "# one\n%s\ndrift = heal\n", wrong->input);
		assert_says(wrong, read_text(text, &conf, &error), -EINVAL, &error);
		assert_ptr_equal(conf, (void *)1);
		if (strncmp(error.text, path, strlen(path)) != 0)
			fail_msg("%s: %s", wrong->input, error.text);
	}
}

static const struct wrong wrong_endpoints[] = {
	{ "etcd1:2379", "'etcd1:2379' is no endpoint", NULL },
	{ "ftp://etcd1", "'ftp://etcd1'", NULL },
	{ "http://", "'http://'", NULL },
	{ "http:///", "'http:///'", NULL },
	{ "http://a/v3", "'http://a/v3'", NULL },
	{ "http://user:word@a", "'http://user:word@a'", NULL },
	{ "http://a?b", "'http://a?b'", NULL },
	{ "http://a,", "between two commas", NULL },
	{ "http://a b", "'http://a b'", NULL },
	{ NULL, NULL, NULL },
};

static void test_wrong_endpoints(void **state)
{
	struct fleet_conf *conf;
	struct pb_error error = { "" };
	char text[512];

	(void)state;
	for (const struct wrong *wrong = wrong_endpoints; wrong->input; wrong++) {
		snprintf(text, sizeof(text), "endpoints = %s\n", wrong->input);
		assert_says(wrong, read_text(text, &conf, &error), -EINVAL, &error);
	}
}

/* What is wrong as a whole is of no line. */
static const struct wrong wrong_wholes[] = {
	{ "", "`endpoints` is missing", NULL },
	{ PLACE "cert = /a\n", "`key` is missing", NULL },
	{ PLACE "key = /a\n", "`cert` is missing", NULL },
	{ PLACE "user = a\n", "`password-file` is missing", NULL },
	{ PLACE "password-file = /a\n", "`user` is missing", NULL },
	{ NULL, NULL, NULL }
};

static void test_wrong_wholes(void **state)
{
	struct fleet_conf *conf;
	struct pb_error error = { "" };

	(void)state;
	for (const struct wrong *wrong = wrong_wholes; wrong->input; wrong++)
		assert_says(wrong, read_text(wrong->input, &conf, &error), -EINVAL, &error);
}

static void test_long(void **state)
{
	const struct wrong wrong = { "long", ":1: ", "too long a line" };
	char text[8192] = "user = ";
	struct fleet_conf *conf;
	struct pb_error error = { "" };

	(void)state;
	memset(text + 7, 'u', sizeof(text) - 8);
	assert_says(&wrong, read_text(text, &conf, &error), -EINVAL, &error);
}

static void test_many(void **state)
{
	const struct wrong wrong = { "many", "groups: 'g64' is one too many", "64" };
	char text[4096] = PLACE "groups = g0";
	struct fleet_conf *conf;
	struct pb_error error = { "" };

	(void)state;
	for (int i = 1; i < 65; i++)
		sprintf(text + strlen(text), ",g%d", i);
	assert_says(&wrong, read_text(text, &conf, &error), -EINVAL, &error);
}

static void test_absent(void **state)
{
	const struct wrong wrong = { "absent", "cannot read /no/such.conf", "No such file" };
	struct fleet_conf *conf;
	struct pb_error error = { "" };

	(void)state;
	assert_says(&wrong, fleet_conf_read("/no/such.conf", &conf, &error), -ENOENT, &error);
	assert_int_equal(fleet_conf_read("/no/such.conf", &conf, NULL), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),     cmocka_unit_test(test_all),
		cmocka_unit_test(test_wrong_lines),  cmocka_unit_test(test_wrong_endpoints),
		cmocka_unit_test(test_wrong_wholes), cmocka_unit_test(test_long),
		cmocka_unit_test(test_many),	     cmocka_unit_test(test_absent),
	};
	int fd = mkstemp(path), ret;

	if (fd < 0)
		return 1;
	close(fd);
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return ret;
}
