// SPDX-License-Identifier: GPL-2.0-only
/* Groups of hosts: their records, who may set them, and which rulesets a host follows by them. */
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
#include <openssl/evp.h>
#include <openssl/pem.h>
#include "fleet/membership.h"
#include "says.h"

#define NR(array) (sizeof(array) / sizeof((array)[0]))
#define NOON "2026-11-29T12:00:00Z"

static char folder[] = "/tmp/pb-fleet-groups.XXXXXX";
static char private[64], public[64], strange[64];

/* ---- Records --------------------------------------------------------------------------------- */

/* `rulesets` as `fleet group set` takes them; `keyfile` NULL: not signed. */
static struct fleet_group *group_of(const char *name, const char *rulesets, const char *time,
				    const char *keyfile)
{
	struct fleet_group *group = calloc(1, sizeof(*group));

	assert_non_null(group);
	strcpy(group->group, name);
	strcpy(group->time, time);
	group->author = strdup("root@a");
	assert_int_equal(
		fleet_rulesets_parse(rulesets, &group->rulesets, &group->nr_rulesets, NULL), 0);
	assert_int_equal(fleet_group_id(group, group->id), 0);
	if (keyfile)
		assert_int_equal(fleet_sign_group(group->id, keyfile, &group->signature, NULL), 0);
	return group;
}

static char *json_of(const char *name, const char *rulesets, const char *time, const char *keyfile)
{
	struct fleet_group *group = group_of(name, rulesets, time, keyfile);
	char *text = fleet_group_text(group);

	assert_non_null(text);
	fleet_group_free(group);
	return text;
}

static void test_record(void **state)
{
	char *text = json_of("edge", "default=web, inner=db,same", NOON, NULL), *again;
	struct fleet_group *read;
	struct pb_error error = { "" };

	(void)state;
	assert_int_equal(fleet_group_read(text, strlen(text), "edge", "groups/edge", &read, &error),
			 0);
	assert_string_equal(error.text, "");
	assert_string_equal(read->group, "edge");
	assert_int_equal(read->nr_rulesets, 3);
	assert_string_equal(read->rulesets[1].local, "inner");
	assert_string_equal(read->rulesets[1].remote, "db");
	assert_string_equal(read->rulesets[2].remote, "same");
	assert_null(read->signature);
	again = fleet_group_text(read);
	assert_string_equal(again, text);
	fleet_group_free(read);
	free(again);
	free(text);
}

/* printf 'edge\n2026-11-29T12:00:00Z\nroot@a\ndefault=web\ninner=db\n' | sha256sum */
static void test_id(void **state)
{
	static const char *const orders[] = { "default=web,inner=db", "inner=db,default=web" };

	(void)state;
	for (size_t i = 0; i < NR(orders); i++) {
		struct fleet_group *group = group_of("edge", orders[i], NOON, NULL);

		assert_string_equal(
			group->id,
			"64374ba7b53b638765a1b55ea5c5f072f4862e6b314dba7f66d0577f4cf82f27");
		fleet_group_free(group);
	}
}

static void test_wrong_record(void **state)
{
	static const struct wrong texts[] = {
		{ "no JSON", "groups/edge is no JSON object", NULL },
		{ "{\"format\":2}", "\"format\" is 2", NULL },
		{ "{\"format\":1,\"group\":\"edge\"}", "\"rulesets\" is missing", NULL },
		{ "{\"format\":1,\"group\":\"../x\"}", "\"group\" is", NULL },
		{ "{\"format\":1,\"group\":\"edge\",\"rulesets\":[]}", "\"rulesets\" is [", NULL },
		{ "{\"format\":1,\"group\":\"edge\",\"rulesets\":{\"a/b\":\"web\"}}",
		  "'a/b' is no name of a ruleset", NULL },
		{ "{\"format\":1,\"group\":\"edge\",\"rulesets\":{\"a\":\"..\"}}",
		  "\"a\" is \"..\", and has to be the name of a ruleset", NULL },
		{ "{\"format\":1,\"group\":\"edge\",\"rulesets\":{\"a\":7}}", "\"a\" is 7", NULL },
		{ "{\"format\":1,\"group\":\"edge\",\"rulesets\":{\"a\":\"web\",\"b\":\"web\"}}",
		  "'web' is named twice", NULL },
	};
	char *text = json_of("edge", "default=web", NOON, NULL), *at;
	struct fleet_group *read = NULL;
	struct pb_error error;

	(void)state;
	for (size_t i = 0; i < NR(texts); i++)
		assert_says(&texts[i],
			    fleet_group_read(texts[i].input, strlen(texts[i].input), "edge",
					     "groups/edge", &read, &error),
			    -EINVAL, &error);
	assert_int_equal(fleet_group_read(text, strlen(text), "core", "groups/core", &read, &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "\"group\" is \"edge\", and has to be \"core\""));
	/* Whatever of it is changed, it has another id. */
	at = strstr(text, "\"web\"");
	assert_non_null(at);
	memcpy(at, "\"wob\"", 5);
	assert_int_equal(fleet_group_read(text, strlen(text), "edge", "groups/edge", &read, &error),
			 -EINVAL);
	assert_non_null(strstr(error.text, "something else than `fleet group set`"));
	assert_null(read);
	free(text);
}

/* ---- Whom a host follows --------------------------------------------------------------------- */

static char said[4096];

static void hear(const char *line, void *context)
{
	(void)context;
	strncat(said, line, sizeof(said) - strlen(said) - 2);
	strcat(said, "\n");
}

/* A host of the first of groups a, b, c, ..., whose fleet.conf has the rulesets `own`. */
static const struct fleet_log listening = { hear, NULL };

struct host {
	struct fleet_conf conf;
	struct fleet_membership membership;
	struct fleet_followed *followed;
	size_t nr;
};

static void begin(struct host *host, const char *own, size_t nr_groups)
{
	static char letters[26][2], *names[26];

	for (size_t i = 0; i < NR(names); i++) {
		*letters[i] = (char)('a' + i);
		names[i] = letters[i];
	}
	*host = (struct host){ .conf = { .prefix = (char *)"/x/", .state = folder } };
	host->conf.groups = (struct fleet_list){ names, nr_groups };
	if (own)
		assert_int_equal(fleet_rulesets_parse(own, &host->conf.rulesets,
						      &host->conf.nr_rulesets, NULL),
				 0);
	*said = '\0';
	assert_int_equal(fleet_membership_begin(&host->membership, &host->conf, &listening), 0);
}

static void take(struct host *host, size_t i, const char *rulesets, const char *time,
		 const char *keyfile)
{
	struct fleet_belonging *belonging = &host->membership.list[i];
	char *text = rulesets ? json_of(belonging->name, rulesets, time, keyfile) : NULL;

	assert_int_equal(fleet_membership_take(&host->membership, belonging, text,
					       text ? strlen(text) : 0),
			 0);
	free(text);
}

/* "default=web inner=db!": the second one is in conflict */
static const char *followed(struct host *host)
{
	static char text[32768];

	free(host->followed);
	assert_int_equal(fleet_membership_followed(&host->membership, &host->followed, &host->nr),
			 0);
	*text = '\0';
	for (size_t i = 0; i < host->nr; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s=%s%s",
			 i ? " " : "", host->followed[i].names.local,
			 host->followed[i].names.remote,
			 *host->followed[i].conflict.text ? "!" : "");
	return text;
}

/* What it has kept on the disk is removed. */
static void end(struct host *host, bool forget)
{
	char path[128];

	for (size_t i = 0; forget && i < host->conf.groups.nr; i++) {
		snprintf(path, sizeof(path), "%s/%s.group", folder, host->conf.groups.texts[i]);
		unlink(path);
	}
	fleet_membership_end(&host->membership);
	free(host->followed);
	free(host->conf.rulesets);
}

static void test_precedence(void **state)
{
	static const struct {
		const char *own, *a, *b, *c, *followed;
	} cases[] = {
		{ NULL, NULL, NULL, NULL, "" },
		{ "default=web", NULL, NULL, NULL, "default=web" },
		{ NULL, "default=web", NULL, NULL, "default=web" },
		{ "default=web", "inner=db", "core", NULL, "default=web inner=db core=core" },
		/* What fleet.conf says of a name comes first, of the host or of the fleet. */
		{ "default=web", "default=db,inner=in", NULL, NULL, "default=web inner=in" },
		{ "default=web", "inner=web,other=in", NULL, NULL, "default=web other=in" },
		/* So it ends conflicts. */
		{ "default=web", "default=db", "default=mail", NULL, "default=web" },
		{ "default=web", "inner=web", "inner=db", NULL, "default=web inner=db" },
		/* Two that say the same. */
		{ NULL, "default=web", "default=web,inner=db", NULL, "default=web inner=db" },
		/* One name here for two rulesets; two names for one. */
		{ NULL, "default=web", "default=db", NULL, "default=web! default=db!" },
		{ NULL, "default=web", "inner=web", NULL, "default=web!" },
		{ NULL, "default=web,x", "default=web,y", "inner=web,z",
		  "default=web! x=x y=y z=z" },
		{ "own", "default=web", "x", "default=db", "own=own default=web! x=x default=db!" },
	};
	struct host host;

	(void)state;
	for (size_t i = 0; i < NR(cases); i++) {
		begin(&host, cases[i].own, 3);
		take(&host, 0, cases[i].a, NOON, NULL);
		take(&host, 1, cases[i].b, NOON, NULL);
		take(&host, 2, cases[i].c, NOON, NULL);
		assert_string_equal(followed(&host), cases[i].followed);
		assert_true(fleet_membership_good(&host.membership));
		end(&host, true);
	}
}

static void test_conflict(void **state)
{
	struct host host;

	(void)state;
	begin(&host, NULL, 3);
	take(&host, 0, "default=web", NOON, NULL);
	take(&host, 2, "default=db", NOON, NULL);
	assert_string_equal(followed(&host), "default=web! default=db!");
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(
			host.followed[i].conflict.text,
			"groups a and c have different rulesets for 'default': 'web' and 'db'");
	take(&host, 2, "inner=web", NOON, NULL);
	assert_string_equal(followed(&host), "default=web!");
	assert_string_equal(
		host.followed[0].conflict.text,
		"groups a and c have two names for the ruleset 'web': 'default' and 'inner'");
	/* It ends with either. */
	take(&host, 2, NULL, NULL, NULL);
	assert_string_equal(followed(&host), "default=web");
	end(&host, true);
}

/* More than a host's record has room for. */
static void test_most(void **state)
{
	size_t groups = FLEET_FOLLOWED_MAX / FLEET_LIST_MAX + 1;
	char text[16 * FLEET_LIST_MAX];
	struct host host;

	(void)state;
	begin(&host, "own", groups);
	for (size_t i = 0; i < groups; i++) {
		*text = '\0';
		for (size_t k = 0; k < FLEET_LIST_MAX; k++)
			sprintf(text + strlen(text), "%sr%zu", k ? "," : "",
				i * FLEET_LIST_MAX + k);
		take(&host, i, text, NOON, NULL);
	}
	followed(&host);
	assert_int_equal(host.nr, FLEET_FOLLOWED_MAX);
	assert_false(fleet_membership_good(&host.membership));
	assert_non_null(strstr(said, "group p: 'r1023' is one too many"));
	end(&host, true);
}

/* What is wrong is not taken, what was before stays, and it is told once. */
static void test_garbage(void **state)
{
	struct host host;

	(void)state;
	begin(&host, NULL, 1);
	take(&host, 0, "default=web", NOON, NULL);
	for (int i = 0; i < 2; i++)
		assert_int_equal(fleet_membership_take(&host.membership, host.membership.list,
						       "garbage", 7),
				 0);
	assert_false(fleet_membership_good(&host.membership));
	assert_string_equal(followed(&host), "default=web");
	assert_non_null(strstr(host.followed[0].remark, "group a: /x/groups/a is no JSON object"));
	assert_non_null(strstr(said, "group a: as root@a has set it at " NOON "\ngroup a: /x"));
	assert_null(strstr(strstr(said, "is no JSON") + 1, "is no JSON"));
	end(&host, false);
	/* Another agent knows it still. */
	begin(&host, NULL, 1);
	fleet_membership_take(&host.membership, host.membership.list, "garbage", 7);
	assert_string_equal(followed(&host), "default=web");
	/* Nothing is there: nothing follows from it. */
	take(&host, 0, NULL, NULL, NULL);
	assert_string_equal(followed(&host), "");
	assert_true(fleet_membership_good(&host.membership));
	end(&host, true);
}

/* ---- Trust ----------------------------------------------------------------------------------- */

static void refused(struct host *host, const char *why)
{
	assert_string_equal(followed(host), "default=web");
	assert_non_null(strstr(host->membership.list[0].wrong.text, why));
}

static void test_trust(void **state)
{
	char *trusted[] = { public };
	struct host host;

	(void)state;
	begin(&host, NULL, 1);
	host.conf.trust = (struct fleet_list){ trusted, 1 };
	take(&host, 0, "default=db", NOON, NULL);
	assert_string_equal(followed(&host), "");
	assert_non_null(
		strstr(host.membership.list[0].wrong.text,
		       "group a: the group is not signed, and `trust` asks for that: set it"));
	take(&host, 0, "default=web", NOON, private);
	assert_true(fleet_membership_good(&host.membership));
	assert_string_equal(followed(&host), "default=web");
	take(&host, 0, "default=db", "2026-11-29T13:00:00Z", NULL);
	refused(&host, "not signed");
	take(&host, 0, "default=db", "2026-11-29T13:00:00Z", strange);
	refused(&host, "the group is not signed by a key that `trust` names");
	take(&host, 0, "default=db", "2026-11-29T11:59:59Z", private);
	refused(&host, "it is of 2026-11-29T11:59:59Z, and what was there before is of " NOON);
	take(&host, 0, "default=db", NOON, private);
	refused(&host, "what was there before is of " NOON);
	take(&host, 0, "default=db", "9999-12-31T23:59:59Z", private);
	refused(&host, "it is of 9999-12-31T23:59:59Z, which is more than a day from now");
	end(&host, false);
	/* Another agent has not forgotten it; nor has one whose group was away meanwhile. */
	begin(&host, NULL, 1);
	host.conf.trust = (struct fleet_list){ trusted, 1 };
	take(&host, 0, "default=db", "2026-11-29T11:59:59Z", private);
	refused(&host, "what was there before is of " NOON);
	take(&host, 0, NULL, NULL, NULL);
	assert_string_equal(followed(&host), "");
	take(&host, 0, "default=db", "2026-11-29T11:59:59Z", private);
	refused(&host, "what was there before is of " NOON);
	take(&host, 0, "default=web", NOON, private);
	assert_string_equal(followed(&host), "default=web");
	take(&host, 0, "default=db", "2026-11-29T12:00:01Z", private);
	assert_string_equal(followed(&host), "default=db");
	end(&host, true);
}

/* What was taken before there was `trust`, or of a key that is no longer trusted, counts for nothing. */
static void test_late_trust(void **state)
{
	char *trusted[] = { public };
	struct fleet_conf conf;
	struct host host;

	(void)state;
	begin(&host, NULL, 1);
	take(&host, 0, "default=db", "9999-01-01T00:00:00Z", strange);
	end(&host, false);
	begin(&host, NULL, 1);
	assert_non_null(host.membership.list[0].taken);
	fleet_membership_end(&host.membership);
	conf = host.conf;
	conf.trust = (struct fleet_list){ trusted, 1 };
	assert_int_equal(fleet_membership_begin(&host.membership, &conf, &listening), 0);
	assert_null(host.membership.list[0].taken);
	take(&host, 0, "default=web", NOON, private);
	assert_string_equal(followed(&host), "default=web");
	end(&host, true);
}

/* Who sets a group makes it later than what is there, but signs no time that whoever owns etcd has put there. */
static void test_later(void **state)
{
	static const struct wrong far = { "far",
					  "is of 9999-12-31T23:59:58Z, which is more than a day",
					  "fleet group del a" };
	struct fleet_group *group = group_of("a", "default=web", NOON, NULL);
	struct pb_error error = { "" };

	(void)state;
	assert_int_equal(fleet_group_be_later(group, "2026-11-29T11:00:00Z", &error), 0);
	assert_string_equal(group->time, NOON);
	assert_int_equal(fleet_group_be_later(group, "2026-11-29T12:00:00.5Z", &error), 0);
	assert_string_equal(group->time, "2026-11-29T12:00:01Z");
	assert_says(&far, fleet_group_be_later(group, "9999-12-31T23:59:58Z", &error), -EINVAL,
		    &error);
	assert_string_equal(group->time, "2026-11-29T12:00:01Z");
	fleet_group_free(group);
}

/* A signature of a revision is none of a group with the same id, nor the other way round. */
static void test_purpose(void **state)
{
	struct fleet_group *group = group_of("a", "default=web", NOON, private);
	char *trusted[] = { public }, *signature;
	struct pb_error error;

	(void)state;
	assert_int_equal(fleet_verify_group(group->id, group->signature, trusted, 1, &error), 0);
	assert_int_equal(fleet_verify(group->id, group->signature, trusted, 1, &error),
			 -EKEYREJECTED);
	assert_int_equal(fleet_sign(group->id, private, &signature, &error), 0);
	assert_int_equal(fleet_verify_group(group->id, signature, trusted, 1, &error),
			 -EKEYREJECTED);
	free(signature);
	fleet_group_free(group);
}

/* ---------------------------------------------------------------------------------------------- */

static void write_key(const char *path, EVP_PKEY *key, bool secret)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	if (secret)
		assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	else
		assert_int_equal(PEM_write_PUBKEY(file, key), 1);
	assert_int_equal(fclose(file), 0);
}

static int make_keys(void **state)
{
	EVP_PKEY *one = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"),
		 *other = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(private, sizeof(private), "%s/private", folder);
	snprintf(public, sizeof(public), "%s/public", folder);
	snprintf(strange, sizeof(strange), "%s/strange", folder);
	write_key(private, one, true);
	write_key(public, one, false);
	write_key(strange, other, true);
	EVP_PKEY_free(one);
	EVP_PKEY_free(other);
	return 0;
}

static int drop_keys(void **state)
{
	(void)state;
	unlink(private);
	unlink(public);
	unlink(strange);
	return rmdir(folder); /* nothing else is left there */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record),	     cmocka_unit_test(test_id),
		cmocka_unit_test(test_wrong_record), cmocka_unit_test(test_precedence),
		cmocka_unit_test(test_conflict),     cmocka_unit_test(test_most),
		cmocka_unit_test(test_garbage),	     cmocka_unit_test(test_trust),
		cmocka_unit_test(test_late_trust),   cmocka_unit_test(test_purpose),
		cmocka_unit_test(test_later),
	};

	return cmocka_run_group_tests_name("fleet groups", tests, make_keys, drop_keys);
}
