// SPDX-License-Identifier: GPL-2.0-only
/* What comes next in a rollout: by what hosts say of themselves, and by the clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "fleet/roster.h"
#include "random.h"

#define SECOND 1000000000ULL
#define REVISION 7
#define WAIT 60

/* Ids of this revision and of the one before. */
static const char new_id[] = "1111111111111111111111111111111111111111111111111111111111111111";
static const char old_id[] = "2222222222222222222222222222222222222222222222222222222222222222";

struct fleet {
	struct fleet_roster roster;
	struct fleet_stage stage;
	struct pb_error why;
};

/* What a host says; `failed` 0: nothing has. */
static void say(struct fleet *fleet, const char *host, enum fleet_host_state state, const char *id,
		__s64 in_force, __s64 failed)
{
	struct fleet_host_ruleset ruleset = {
		.name = "web", .state = state, .in_force = in_force, .failed = failed
	};
	struct fleet_host record = { .host = (char *)host, .rulesets = &ruleset, .nr_rulesets = 1 };

	if (failed || state == FLEET_HOST_FAILED)
		ruleset.reason = (char *)"etcd is out of reach";
	strcpy(ruleset.id, id);
	assert_int_equal(fleet_roster_put(&fleet->roster, "web", new_id, &record), 0);
}

static void has_old(struct fleet *fleet, const char *host)
{
	say(fleet, host, FLEET_HOST_IN_FORCE, old_id, 6, 0);
}

static void has_new(struct fleet *fleet, const char *host)
{
	say(fleet, host, FLEET_HOST_IN_FORCE, new_id, REVISION, 0);
}

/* So many hosts with the old revision, h0 and on. */
static void fill(struct fleet *fleet, size_t nr)
{
	char host[32];

	memset(fleet, 0, sizeof(*fleet));
	strcpy(fleet->stage.id, new_id);
	fleet->stage.wait = WAIT;
	fleet->stage.of = 3;
	for (size_t i = 0; i < nr; i++) {
		snprintf(host, sizeof(host), "h%zu", i);
		has_old(fleet, host);
	}
}

static void begin(struct fleet *fleet, unsigned int stage, const char *word)
{
	fleet->stage.stage = stage;
	assert_int_equal(fleet_roster_begin(&fleet->roster, word, fleet->stage.upto, &fleet->stage),
			 0);
}

static enum fleet_step decide(struct fleet *fleet, __u64 seconds)
{
	return fleet_decide(&fleet->roster, &fleet->stage, REVISION, seconds * SECOND, &fleet->why);
}

/* The host at a place in the order. */
static const char *at(const struct fleet *fleet, size_t place)
{
	return fleet->roster.list[place].host;
}

static void test_to_the_end(void **state)
{
	static const struct {
		const char *word;
		size_t upto;
	} stages[] = { { "1", 1 }, { "10%", 2 }, { "100%", 20 } };
	struct fleet fleet;
	size_t had = 0;

	(void)state;
	fill(&fleet, 20);
	for (unsigned int i = 0; i < 3; i++) {
		begin(&fleet, i + 1, stages[i].word);
		assert_int_equal(fleet.stage.hosts, stages[i].upto);
		for (; had < stages[i].upto; had++) {
			assert_int_equal(decide(&fleet, 0), FLEET_STEP_WAIT);
			assert_int_equal(decide(&fleet, WAIT - 1), FLEET_STEP_WAIT);
			say(&fleet, at(&fleet, had), FLEET_HOST_CONFIRMING, new_id, 6, 0);
			assert_int_equal(decide(&fleet, 1), FLEET_STEP_WAIT);
			has_new(&fleet, at(&fleet, had));
		}
		assert_int_equal(decide(&fleet, 2), i < 2 ? FLEET_STEP_NEXT : FLEET_STEP_DONE);
		/* However late it is seen. */
		assert_int_equal(decide(&fleet, WAIT), i < 2 ? FLEET_STEP_NEXT : FLEET_STEP_DONE);
	}
	fleet_roster_free(&fleet.roster);
}

static void test_failure(void **state)
{
	struct fleet fleet;

	(void)state;
	fill(&fleet, 20);
	begin(&fleet, 1, "3");
	/* Of another revision, and of a host that has no part in it */
	say(&fleet, at(&fleet, 0), FLEET_HOST_FAILED, old_id, 5, 6);
	say(&fleet, at(&fleet, 9), FLEET_HOST_FAILED, new_id, 6, REVISION);
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_WAIT);
	has_new(&fleet, at(&fleet, 0));
	has_new(&fleet, at(&fleet, 1));
	/* It has gone back already, and says what failed. */
	say(&fleet, at(&fleet, 2), FLEET_HOST_IN_FORCE, old_id, 6, REVISION);
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_STOP);
	assert_non_null(strstr(fleet.why.text, at(&fleet, 2)));
	assert_non_null(strstr(fleet.why.text, "etcd is out of reach"));
	say(&fleet, at(&fleet, 2), FLEET_HOST_NO_SIGNATURE, new_id, 6, 0);
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_STOP);
	assert_non_null(strstr(fleet.why.text, "no-signature"));
	has_new(&fleet, at(&fleet, 2));
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_NEXT);
	/* One of a stage before, while the next goes on */
	begin(&fleet, 2, "10");
	say(&fleet, at(&fleet, 1), FLEET_HOST_FAILED, new_id, 6, REVISION);
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_STOP);
	fleet_roster_free(&fleet.roster);
}

static void test_silence(void **state)
{
	struct fleet fleet;

	(void)state;
	fill(&fleet, 10);
	begin(&fleet, 1, "9");
	for (size_t i = 0; i < 7; i++)
		has_new(&fleet, at(&fleet, i));
	say(&fleet, at(&fleet, 7), FLEET_HOST_CONFIRMING, new_id, REVISION, 0);
	assert_int_equal(fleet_roster_gone(&fleet.roster, new_id, at(&fleet, 8)), 0);
	assert_int_equal(decide(&fleet, WAIT - 1), FLEET_STEP_WAIT);
	assert_int_equal(decide(&fleet, WAIT), FLEET_STEP_STOP);
	assert_non_null(strstr(fleet.why.text, "2 of 9 hosts"));
	assert_non_null(strstr(fleet.why.text, "after 60 seconds"));
	assert_non_null(strstr(fleet.why.text, "(confirming)"));
	assert_non_null(strstr(fleet.why.text, "(not seen)"));
	fleet_roster_free(&fleet.roster);
}

/* One that keeps a change of its own is not waited for, and named as what it is. */
static void test_drifted(void **state)
{
	struct fleet_host_ruleset ruleset = { .name = "web",
					      .state = FLEET_HOST_DRIFTED,
					      .reason = (char *)"here is what to do" };
	struct fleet_host record = { .host = (char *)"h0", .rulesets = &ruleset, .nr_rulesets = 1 };
	struct fleet fleet;

	(void)state;
	fill(&fleet, 1);
	begin(&fleet, 1, "1");
	/* From the revision before: it has not seen this one yet. */
	say(&fleet, "h0", FLEET_HOST_DRIFTED, old_id, 6, 0);
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_WAIT);
	strcpy(ruleset.id, new_id);
	assert_int_equal(fleet_roster_put(&fleet.roster, "web", new_id, &record), 0);
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_STOP);
	assert_string_equal(fleet.why.text, "h0: drifted: here is what to do");
	fleet_roster_free(&fleet.roster);
}

/* What a host says of itself is part of why it was stopped, and not of the line that shows how it goes. */
static void test_reasons(void **state)
{
	struct fleet fleet;
	char text[256];

	(void)state;
	fill(&fleet, 1);
	begin(&fleet, 1, "1");
	say(&fleet, "h0", FLEET_HOST_WAITING, new_id, 6, 3);
	assert_int_equal(decide(&fleet, WAIT), FLEET_STEP_STOP);
	assert_non_null(strstr(fleet.why.text, "h0 (waiting: etcd is out of reach)"));
	assert_int_equal(fleet_lagging(&fleet.roster, &fleet.stage, text, sizeof(text)), 1);
	assert_string_equal(text, "h0 (waiting)");
	fleet_roster_free(&fleet.roster);
}

/* A host that comes while a stage runs is waited for, if it is its turn, and one that was never there is not. */
static void test_coming_and_going(void **state)
{
	struct fleet fleet;
	struct fleet_count count;

	(void)state;
	fill(&fleet, 0);
	begin(&fleet, 1, "1");
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_NEXT);
	begin(&fleet, 3, "100%");
	has_old(&fleet, "late");
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_WAIT);
	assert_int_equal(fleet_roster_gone(&fleet.roster, new_id, "late"), 0);
	assert_int_equal(fleet_roster_gone(&fleet.roster, new_id, "never"), 0);
	assert_int_equal(decide(&fleet, 0), FLEET_STEP_DONE);
	has_new(&fleet, "late");
	count = fleet_roster_count(&fleet.roster, &fleet.stage);
	assert_int_equal(count.hosts, 1);
	assert_int_equal(count.in_force, 1);
	fleet_roster_free(&fleet.roster);
}

/* A host that no longer follows the ruleset is as gone. */
static void test_other_ruleset(void **state)
{
	struct fleet_host record = { .host = (char *)"h0" };
	struct fleet fleet;

	(void)state;
	fill(&fleet, 1);
	begin(&fleet, 1, "1");
	assert_int_equal(fleet_roster_put(&fleet.roster, "web", new_id, &record), 0);
	assert_int_equal(decide(&fleet, WAIT), FLEET_STEP_STOP);
	assert_non_null(strstr(fleet.why.text, "h0 (not seen)"));
	fleet_roster_free(&fleet.roster);
}

/* Whoever goes on with it knows by the stage how many took part, though not who. */
static void test_resumed(void **state)
{
	struct fleet fleet, other;

	(void)state;
	fill(&fleet, 4);
	begin(&fleet, 1, "3");
	fill(&other, 4);
	other.stage = fleet.stage;
	fleet_roster_free(&other.roster);
	for (size_t i = 0; i < 2; i++)
		has_new(&other, at(&fleet, i));
	has_old(&other, at(&fleet, 3));
	fleet_roster_resume(&other.roster, &other.stage);
	assert_int_equal(decide(&other, 0), FLEET_STEP_WAIT);
	assert_int_equal(decide(&other, WAIT), FLEET_STEP_STOP);
	assert_non_null(strstr(other.why.text, "1 of 3 hosts"));
	has_new(&other, at(&fleet, 2));
	assert_int_equal(decide(&other, 0), FLEET_STEP_NEXT);
	fleet_roster_free(&fleet.roster);
	fleet_roster_free(&other.roster);
}

static void test_names(void **state)
{
	struct fleet fleet;
	char text[512], small[20];

	(void)state;
	fill(&fleet, 12);
	begin(&fleet, 3, "100%");
	assert_int_equal(fleet_lagging(&fleet.roster, &fleet.stage, text, sizeof(text)), 12);
	assert_non_null(strstr(text, "(not begun), "));
	assert_non_null(strstr(text, " and 7 more"));
	assert_int_equal(fleet_lagging(&fleet.roster, &fleet.stage, small, sizeof(small)), 12);
	assert_true(strlen(small) < sizeof(small));
	for (size_t i = 0; i < 12; i++)
		has_new(&fleet, at(&fleet, i));
	assert_int_equal(fleet_lagging(&fleet.roster, &fleet.stage, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	fleet_roster_free(&fleet.roster);
}

static void test_back(void **state)
{
	struct fleet fleet;
	char text[512];

	(void)state;
	fill(&fleet, 4);
	begin(&fleet, 3, "100%");
	has_new(&fleet, at(&fleet, 0));
	say(&fleet, at(&fleet, 1), FLEET_HOST_CONFIRMING, new_id, 6, 0);
	say(&fleet, at(&fleet, 2), FLEET_HOST_CONFIRMING, old_id, REVISION, 0);
	say(&fleet, at(&fleet, 3), FLEET_HOST_FAILED, new_id, 6, REVISION);
	assert_int_equal(fleet_not_back(&fleet.roster, &fleet.stage, REVISION, text, sizeof(text)),
			 3);
	for (size_t i = 0; i < 3; i++)
		has_old(&fleet, at(&fleet, i));
	assert_int_equal(fleet_not_back(&fleet.roster, &fleet.stage, REVISION, text, sizeof(text)),
			 0);
	assert_string_equal(text, "");
	fleet_roster_free(&fleet.roster);
}

/* Whatever hosts say: no stage follows while one of those before has it not, and each rollout ends. */
static void test_random(void **state)
{
	struct random random;
	enum fleet_step step;
	struct fleet fleet;

	(void)state;
	random_begin(&random);
	for (unsigned int round = 0; round < 2000; round++) {
		size_t nr = random_below(&random, 12);
		unsigned int seconds = 0;
		char host[32];

		fill(&fleet, nr);
		begin(&fleet, 1, "2");
		do {
			snprintf(host, sizeof(host), "h%u", random_below(&random, nr + 2));
			switch (random_below(&random, 8)) {
			case 0:
				fleet_roster_gone(&fleet.roster, new_id, host);
				break;
			case 1:
				has_old(&fleet, host);
				break;
			default:
				has_new(&fleet, host);
			}
			step = decide(&fleet, seconds++);
			for (size_t i = 0; i < fleet.roster.nr && step != FLEET_STEP_STOP; i++) {
				const struct fleet_member *member = &fleet.roster.list[i];
				bool part = strcmp(member->order, fleet.stage.upto) <= 0;

				if (part && (member->here || member->had) &&
				    (!member->here || strcmp(member->id, new_id)))
					assert_int_equal(step, FLEET_STEP_WAIT);
			}
			if (step == FLEET_STEP_NEXT) {
				begin(&fleet, fleet.stage.stage + 1,
				      fleet.stage.stage == 1 ? "50%" : "100%");
				seconds = 0;
			}
			assert_true(seconds <= WAIT + 1);
		} while (step == FLEET_STEP_WAIT || step == FLEET_STEP_NEXT);
		if (step == FLEET_STEP_DONE)
			assert_string_equal(fleet.stage.upto, fleet_all);
		fleet_roster_free(&fleet.roster);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_the_end),    cmocka_unit_test(test_failure),
		cmocka_unit_test(test_silence),	      cmocka_unit_test(test_drifted),
		cmocka_unit_test(test_reasons),	      cmocka_unit_test(test_coming_and_going),
		cmocka_unit_test(test_other_ruleset), cmocka_unit_test(test_resumed),
		cmocka_unit_test(test_names),	      cmocka_unit_test(test_back),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests_name("fleet rollout", tests, NULL, NULL);
}
