// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock stats: counters, and rates between readings; text, JSON or Prometheus. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "buckets.h"
#include "confine.h"
#include "counters.h"
#include "json.h"

/* ---- JSON: one object a reading, newline-separated ---------------------------------------- */

static struct json_object *count_to_json(const struct pb_count *count, const struct rate *rate,
					 double interval)
{
	struct json_object *json = json_new_object();

	json_add(json, "packets", json_uint(count->packets));
	json_add(json, "bytes", json_uint(count->bytes));
	json_add(json, "packets_per_second", interval > 0 ? json_double(rate->packets) : NULL);
	json_add(json, "bytes_per_second", interval > 0 ? json_double(rate->bytes) : NULL);
	return json;
}

static struct json_object *rules_to_json(const struct counters *counters)
{
	struct json_object *array = json_new_array(), *json;

	for (size_t i = 0; i < counters->nr_rules; i++) {
		const struct rule_counters *rule = &counters->by_rule[i];
		char *text;

		json = count_to_json(&rule->count, &rule->rate, counters->interval);
		json_add(json, "id", json_int(rule->rule->id));
		if (pb_rule_format(rule->rule, pb_clock(), &text))
			text = NULL;
		json_add(json, "rule", json_string(text));
		free(text);
		json_append(array, json);
	}
	return array;
}

static struct json_object *interfaces_to_json(const struct counters *counters)
{
	struct json_object *array = json_new_array(), *json, *outcomes;

	for (size_t i = 0; i < counters->nr_interfaces; i++) {
		const struct interface_counters *at = &counters->interfaces[i];

		json = json_new_object();
		outcomes = at->interface->outcomes_error ? NULL : json_new_object();
		for (int o = 0; outcomes && o < PB_OUTCOME_MAX; o++)
			json_add(outcomes, pb_outcome_name(o),
				 count_to_json(&at->interface->outcomes[o], &at->rates[o],
					       counters->interval));
		json_add(json, "name", json_string(at->interface->name));
		json_add(json, "index", json_int(at->interface->ifindex));
		json_add(json, "outcomes", outcomes);
		json_append(array, json);
	}
	return array;
}

static int print_counters_json(const struct counters *counters)
{
	struct json_object *json = json_new_object();
	char now[ISO_TIME];

	json_add(json, "time", json_string(iso_time(now)));
	json_add(json, "interval", counters->interval > 0 ? json_double(counters->interval) : NULL);
	json_add(json, "ruleset", json_string(pb_ruleset_name(counters->ruleset)));
	json_add(json, "rules", rules_to_json(counters));
	json_add(json, "interfaces", counters->blind ? NULL : interfaces_to_json(counters));
	json_add(json, "rates", rate_counts_to_json(&counters->rates, true));
	return json_print(json);
}

/* ---- Text -------------------------------------------------------------------------------- */

static void print_numbers(const struct pb_count *count, const struct rate *rate, double interval)
{
	char text[4][16];

	printf("%8s %8s", human(count->packets, text[0]), human(count->bytes, text[1]));
	if (interval > 0)
		printf(" %8s %8s", human(rate->packets, text[2]), human(rate->bytes, text[3]));
	else
		printf(" %8s %8s", "-", "-");
}

void print_counters(const struct counters *counters)
{
	char why[UNREADABLE], *text;

	printf("%-5s %8s %8s %8s %8s  %s\n", "RULE", "PACKETS", "BYTES", "PKT/S", "B/S", "");
	for (size_t i = 0; i < counters->nr_rules; i++) {
		const struct rule_counters *rule = &counters->by_rule[i];

		printf("%-5u ", rule->rule->id);
		print_numbers(&rule->count, &rule->rate, counters->interval);
		if (pb_rule_format(rule->rule, pb_clock(), &text))
			text = NULL;
		print("  %s\n", kept(text));
		free(text);
	}
	if (!counters->nr_rules)
		printf("No rules.\n");
	if (rate_counts_any(&counters->rates)) {
		printf("rates: ");
		print_rate_counts(&counters->rates, true);
	}
	for (size_t i = 0; i < counters->nr_interfaces; i++) {
		const struct interface_counters *at = &counters->interfaces[i];

		print("\n%s\n", at->interface->name);
		if (at->interface->outcomes_error) {
			printf("counters: %s\n", unreadable(at->interface, why));
			continue;
		}
		for (int o = 0; o < PB_OUTCOME_MAX; o++) {
			printf("%-12s ", pb_outcome_name(o));
			print_numbers(&at->interface->outcomes[o], &at->rates[o],
				      counters->interval);
			printf("\n");
		}
	}
}

/* ------------------------------------------------------------------------------------------- */

static int print_one(const struct arguments *arguments, const struct counters *counters, bool first)
{
	if (given(arguments, OPT_PROMETHEUS))
		return print_prometheus(counters, arguments->values[OPT_OUTPUT]);
	if (given(arguments, OPT_JSON))
		return print_counters_json(counters);
	if (!first)
		printf("\n");
	print_counters(counters);
	return finish_output();
}

static int print_readings(const struct arguments *arguments, struct counters *counters,
			  __u32 interval, __u32 count)
{
	struct timespec next;
	struct pb_error error;
	int ret = DONE;

	if (count != 1)
		confine(CONFINED_READING);
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (__u32 i = 0; ret == DONE && (!count || i < count); i++) {
		if (i)
			clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
		next.tv_sec += interval;
		if (counters_update(counters, &error))
			ret = fail(&error);
		else
			ret = print_one(arguments, counters, !i);
	}
	return ret;
}

int cmd_stats(const struct arguments *arguments)
{
	bool repeated = given(arguments, OPT_INTERVAL) || given(arguments, OPT_COUNT);
	__u32 interval = 1, count = 0;
	struct counters counters = {};
	struct pb_error error;
	int ret = option_number(arguments, OPT_INTERVAL, 1, 86400, &interval);

	if (ret == DONE)
		ret = option_number(arguments, OPT_COUNT, 1, UINT32_MAX, &count);
	if (ret == DONE && given(arguments, OPT_OUTPUT) && !given(arguments, OPT_PROMETHEUS))
		ret = wrong(arguments, "--output goes with --prometheus");
	if (ret == DONE && given(arguments, OPT_JSON) && given(arguments, OPT_PROMETHEUS))
		ret = wrong(arguments, "--json and --prometheus exclude each other");
	if (ret != DONE)
		return ret;
	if (pb_ruleset_open(ruleset_name(arguments), &counters.ruleset, &error))
		return fail(&error);
	ret = print_readings(arguments, &counters, interval, repeated ? count : 1);
	counters_clear(&counters);
	return ret;
}
