// SPDX-License-Identifier: GPL-2.0-only
/* Rules and JSON. PB_SEED in the environment repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <json-c/json.h>
#include "anyrule.h"
#include "says.h"

#define ROUNDS 2000
#define NOW 123456789012345ULL

static char *json_of(const struct pb_rule *rule)
{
	struct json_object *json = pb_rule_to_json(rule, NOW);
	char *text;

	assert_non_null(json);
	text = strdup(json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN |
								   JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(json);
	return text;
}

static int from_json(const char *text, struct pb_rule *rule, struct pb_error *error)
{
	struct json_object *json = json_tokener_parse(text);
	int err;

	if (!json)
		fail_msg("%s: no JSON", text);
	err = pb_rule_from_json(json, NOW, rule, error);
	json_object_put(json);
	return err;
}

static void writes(const char *line, const char *wanted)
{
	struct pb_rule rule = rule_of(line, NOW);
	char *text = json_of(&rule);

	assert_string_equal(text, wanted);
	free(text);
	pb_rule_clear(&rule);
}

static void reads(const char *json, const char *wanted)
{
	struct pb_rule rule = { 0 };
	struct pb_error error = { "" };
	char *text;

	if (from_json(json, &rule, &error))
		fail_msg("%s: %s", json, error.text);
	text = text_of(&rule, NOW);
	assert_string_equal(text, wanted);
	free(text);
	pb_rule_clear(&rule);
}

static void test_write(void **state)
{
	(void)state;
	writes("22/tcp",
	       "{\"id\":0,\"action\":\"drop\",\"protocols\":[\"tcp\"],\"side\":\"dport\","
	       "\"ports\":[\"22\"],\"from\":[],\"except\":[],\"from_sets\":[],\"except_sets\":[],\"new\":false,\"over\":null,"
	       "\"expires_in\":null,\"comment\":null,\"packets\":0,\"bytes\":0}");
	writes("audit tcp,udp dport 22,80-90 from 10.0.0.0/8,fd00::1 except 10.0.0.1 new expires "
	       "90s comment \"a \\\"b\\\"\"",
	       "{\"id\":0,\"action\":\"audit\",\"protocols\":[\"tcp\",\"udp\"],"
	       "\"side\":\"dport\",\"ports\":[\"22\",\"80-90\"],"
	       "\"from\":[\"10.0.0.0/8\",\"fd00::1\"],\"except\":[\"10.0.0.1\"],\"from_sets\":[],"
	       "\"except_sets\":[],\"new\":true,\"over\":null,\"expires_in\":90,\"comment\":\"a \\\"b\\\"\",\"packets\":0,\"bytes\":0}");
}

static void test_over(void **state)
{
	static const char over[] = "{\"ports\":[\"1\"],\"over\":";
	char text[400];

	(void)state;
	writes("22/tcp over 1mbit/s each source total 2mbit/s",
	       "{\"id\":0,\"action\":\"drop\",\"protocols\":[\"tcp\"],\"side\":\"dport\","
	       "\"ports\":[\"22\"],\"from\":[],\"except\":[],\"from_sets\":[],\"except_sets\":[],"
	       "\"new\":false,\"over\":{\"rate\":1000000,\"unit\":\"bits\",\"per\":\"s\","
	       "\"burst\":1000000,\"each\":{\"ipv4\":32,\"ipv6\":64},\"total\":{\"rate\":2000000,"
	       "\"unit\":\"bits\",\"per\":\"s\",\"burst\":2000000}},\"expires_in\":null,"
	       "\"comment\":null,\"packets\":0,\"bytes\":0}");
	snprintf(text, sizeof(text),
		 "%s{\"rate\":6,\"unit\":\"packets\",\"per\":\"m\",\"burst\":9,"
		 "\"each\":{\"ipv4\":24,\"ipv6\":56},\"total\":{\"rate\":50,\"per\":\"s\"}}}",
		 over);
	reads(text, "drop tcp,udp dport 1 over 6/m burst 9 each source/24,56 total 50/s");
	snprintf(text, sizeof(text), "%s{\"rate\":6}}", over);
	reads(text, "drop tcp,udp dport 1 over 6/s");
	snprintf(text, sizeof(text),
		 "%s{\"rate\":1500000,\"unit\":\"bits\",\"burst\":20000,"
		 "\"each\":null,\"total\":null}}",
		 over);
	reads(text, "drop tcp,udp dport 1 over 1500kbit/s burst 20kbit");
	snprintf(text, sizeof(text), "%s{\"rate\":100000000000,\"unit\":\"bits\"}}", over);
	reads(text, "drop tcp,udp dport 1 over 100gbit/s");
	snprintf(text, sizeof(text),
		 "%s{\"rate\":9,\"each\":{\"ipv4\":32,\"ipv6\":64},"
		 "\"total\":{\"rate\":50,\"burst\":50}}}",
		 over);
	reads(text, "drop tcp,udp dport 1 over 9/s each source total 50/s");
	snprintf(text, sizeof(text), "%snull}", over);
	reads(text, "drop tcp,udp dport 1");
}

static void test_sets(void **state)
{
	(void)state;
	writes("drop from 10.0.0.0/8,@b,@a except @c",
	       "{\"id\":0,\"action\":\"drop\",\"protocols\":[],\"side\":\"dport\",\"ports\":[],"
	       "\"from\":[\"10.0.0.0/8\"],\"except\":[],\"from_sets\":[\"a\",\"b\"],"
	       "\"except_sets\":[\"c\"],\"new\":false,\"over\":null,\"expires_in\":null,\"comment\":null,"
	       "\"packets\":0,\"bytes\":0}");
}

static void test_counters(void **state)
{
	struct pb_rule rule = rule_of("53/udp expires 1s", NOW - 5000000000ULL);
	char *text;

	(void)state;
	rule.id = 65535;
	rule.packets = UINT64_MAX;
	rule.bytes = 1500;
	text = json_of(&rule);
	assert_non_null(strstr(text, "\"id\":65535,"));
	assert_non_null(strstr(text, "\"packets\":18446744073709551615,\"bytes\":1500}"));
	assert_non_null(strstr(text, "\"expires_in\":0,"));
	free(text);
	pb_rule_clear(&rule);
}

static void test_read(void **state)
{
	(void)state;
	reads("{\"ports\":[\"22\"]}", "drop tcp,udp dport 22");
	reads("{\"ports\":[\"22\"],\"protocols\":null,\"from\":null}", "drop tcp,udp dport 22");
	reads("{\"ports\":[\"90\",\"22\",\"80-89\"],\"side\":\"sport\",\"protocols\":[\"udp\"],"
	      "\"action\":\"allow\",\"id\":7,\"packets\":9,\"bytes\":9}",
	      "allow udp sport 22,80-89,90");
	reads("{\"ports\":[\"1\"],\"from_sets\":[\"b\",\"a\"],\"except_sets\":[\"c\"],"
	      "\"from\":[\"fd00::1\"]}",
	      "drop tcp,udp dport 1 from fd00::1,@a,@b except @c");
	reads("{\"protocols\":[],\"ports\":[],\"from_sets\":[\"a\"],\"side\":\"dport\"}",
	      "drop from @a");
	reads("{\"from\":[\"10.0.0.0/8\"]}", "drop from 10.0.0.0/8");
	reads("{\"ports\":[\"1\"],\"new\":true,\"over\":null,\"expires_in\":60,\"comment\":\"x\",\"from\":[]}",
	      "drop tcp,udp dport 1 new expires 1m comment \"x\"");
}

static void test_wrong(void **state)
{
	static const struct wrong wrong[] = {
		{ "[]", "\"[ ]\" is not an object", "ports" },
		{ "\"22/tcp\"", "is not an object", NULL },
		{ "{}", "lacks ports", NULL },
		{ "{\"ports\":[]}", "lacks ports", NULL },
		{ "{\"ports\":[\"1\"],\"protocols\":[]}", "lacks protocols", NULL },
		{ "{\"ports\":[\"1\"],\"proto\":[\"tcp\"]}", "\"proto\" is not a key of a rule",
		  "id, action, protocols, side, ports, from, except, from_sets, except_sets, "
		  "new, over, expires_in, comment, packets, bytes" },
		{ "{\"ports\":[\"1\"],\"over\":6}", "\"over\": \"6\" is not an object", "\"per\"" },
		{ "{\"ports\":[\"1\"],\"over\":{}}", "\"over\": \"rate\" is missing", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":\"6\"}}", "is not a whole number", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":0,\"per\":\"m\"}}",
		  "\"0/m\" would let nothing", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":6,\"per\":\"d\"}}",
		  "is no \"per\" of a rate", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":6,\"unit\":\"bytes\"}}",
		  "is no \"unit\" of a rate", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":6,\"bursts\":1}}",
		  "\"bursts\" is not a key", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":6,\"each\":{\"ipv4\":33,\"ipv6\":64}}}",
		  "1 to 32 bits", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":6,\"each\":{\"ipv4\":32}}}",
		  "\"ipv6\" is missing", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":6,\"total\":{\"rate\":9}}}",
		  "give \"each\"", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":9,\"each\":{\"ipv4\":32,\"ipv6\":64},"
		  "\"total\":{\"rate\":50,\"burst\":51}}}",
		  "\"51\" is not the burst of the total", "50: leave it out" },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":1e3}}", "is not a whole number", NULL },
		{ "{\"ports\":[\"1\"],\"over\":{\"rate\":-1}}", "\"-1/s\" is no rate", NULL },
		{ "{\"ports\":\"22\"}", "\"ports\": ", "is not a list of strings" },
		{ "{\"ports\":22}", "\"ports\": \"22\" is not a list of strings", NULL },
		{ "{\"ports\":[22]}", "\"ports\": \"22\" is not a string", NULL },
		{ "{\"ports\":[null]}", "\"ports\": \"null\" is not a string", NULL },
		{ "{\"ports\":[\"22abc\"]}", "\"ports\": \"22abc\" is not a port", NULL },
		{ "{\"ports\":[\"22,23\"]}", "\"ports\": \"22,23\": an element", "commas" },
		{ "{\"ports\":[\"22\",\"\"]}", "\"ports\": \"22,\" has an empty place", NULL },
		{ "{\"ports\":[\"22\\u0000\"]}", "\"ports\": \"22\" goes on behind a NUL", NULL },
		{ "{\"ports\":[\"1\"],\"from\":[\"@/etc/passwd\"]}", "\"from\": \"@/etc/passwd\"",
		  "no file" },
		{ "{\"ports\":[\"1\"],\"from\":[\"@bans\"]}", "\"from\": \"@bans\"",
		  "\"from_sets\"" },
		{ "{\"ports\":[\"1\"],\"from_sets\":[\"@bans\"]}", "\"from_sets\": \"@bans\"",
		  "without @" },
		{ "{\"ports\":[\"1\"],\"from_sets\":[\"a b\"]}",
		  "\"from_sets\": 'a b' is no name for a set", NULL },
		{ "{\"ports\":[\"1\"],\"from_sets\":\"bans\"}", "is not a list of strings", NULL },
		{ "{\"from_sets\":[\"a\"],\"except_sets\":[\"a\"]}", "\"@a\" leaves no source",
		  "names" },
		{ "{\"from_sets\":[\"a\"],\"side\":\"sport\"}", "\"sport\" needs ports", NULL },
		{ "{\"from_sets\":[\"a\"],\"new\":true}", "\"new\" needs ports", NULL },
		{ "{\"from_sets\":[\"a\"],\"protocols\":[\"tcp\"]}", "lacks ports",
		  "leave the protocols out" },
		{ "{\"except_sets\":[\"a\"]}", "lacks ports", NULL },
		{ "{\"ports\":[\"1\"],\"action\":\"dorp\"}", "\"action\": \"dorp\" is not",
		  "did you mean drop?" },
		{ "{\"ports\":[\"1\"],\"action\":1}", "\"action\": \"1\" is not a string", NULL },
		{ "{\"ports\":[\"1\"],\"side\":\"both\"}", "\"side\": \"both\" is not a side",
		  "dport, sport" },
		{ "{\"ports\":[\"1\"],\"new\":1}", "\"new\": \"1\" is not true or false", NULL },
		{ "{\"ports\":[\"1\"],\"expires_in\":1.5}", "\"expires_in\": \"1.5\" is not",
		  "whole number" },
		{ "{\"ports\":[\"1\"],\"expires_in\":0}", "\"expires_in\": \"0s\" is too short",
		  NULL },
		{ "{\"ports\":[\"1\"],\"expires_in\":-5}", "\"expires_in\": \"-5s\" is not", NULL },
		{ "{\"ports\":[\"1\"],\"expires_in\":99999999999999999999}", "is too long", NULL },
		{ "{\"ports\":[\"1\"],\"comment\":\"a\\u0007\"}",
		  "\"comment\": ", "control characters" },
		{ "{\"ports\":[\"1\"],\"side\":\"sport\",\"new\":true}", "cannot go with", NULL },
		{ "{\"ports\":[\"1\"],\"except\":[\"::/0\",\"0.0.0.0/0\"]}", "leaves no source",
		  NULL },
		{ NULL, NULL, NULL },
	};
	struct pb_rule rule = { 0 };

	(void)state;
	for (const struct wrong *w = wrong; w->input; w++) {
		struct pb_error error = { "" };

		assert_says(w, from_json(w->input, &rule, &error), -EINVAL, &error);
		assert_int_equal(from_json(w->input, &rule, NULL), -EINVAL);
		assert_null(rule.ports);
	}
}

static void test_random(void **state)
{
	struct random random;
	char line[ANY_LINE];

	(void)state;
	random_begin(&random);
	for (int round = 0; round < ROUNDS; round++) {
		struct pb_rule first, second = { 0 };
		char *json, *back, *a, *b;

		any_line(&random, line);
		first = rule_of(line, NOW);
		json = json_of(&first);
		assert_int_equal(from_json(json, &second, NULL), 0);
		back = json_of(&second);
		assert_string_equal(json, back);
		a = text_of(&first, NOW);
		b = text_of(&second, NOW);
		assert_string_equal(a, b);
		free(json);
		free(back);
		free(a);
		free(b);
		pb_rule_clear(&first);
		pb_rule_clear(&second);
	}
}

static void test_random_over(void **state)
{
	struct random random;

	(void)state;
	random_begin(&random);
	for (int round = 0; round < ROUNDS; round++) {
		struct pb_rule rule = rule_of("22/tcp", NOW), read = { 0 };
		char *json;

		random_over(&random, &rule.over);
		json = json_of(&rule);
		assert_int_equal(from_json(json, &read, NULL), 0);
		assert_memory_equal(&rule.over, &read.over, sizeof(rule.over));
		pb_rule_clear(&rule);
		pb_rule_clear(&read);
		free(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),  cmocka_unit_test(test_over),
		cmocka_unit_test(test_sets),   cmocka_unit_test(test_counters),
		cmocka_unit_test(test_read),   cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_random), cmocka_unit_test(test_random_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
