// SPDX-License-Identifier: GPL-2.0-only
/* The text exposition format of Prometheus, version 0.0.4. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "counters.h"

/* Names of rulesets and interfaces, and comments, are shorter. */
#define LABEL_MAX 255

/* A label's value: UTF-8 in which backslash and quote are escaped. */
static void print_value(FILE *out, const char *text)
{
	char clean[PB_ESCAPED(LABEL_MAX)];

	pb_text_escape_into(clean, sizeof(clean), text, PB_ESCAPE_LINE);
	fputc('"', out);
	for (const char *at = clean; *at; at++)
		fprintf(out, *at == '\\' || *at == '"' ? "\\%c" : "%c", *at);
	fputc('"', out);
}

static void print_head(FILE *out, const char *name, const char *help, const char *type)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_rule_counts(FILE *out, const struct counters *counters, bool bytes)
{
	const char *name = bytes ? "xdp_portblock_rule_bytes_total" :
				   "xdp_portblock_rule_packets_total";

	print_head(out, name, bytes ? "Bytes that a rule decided." : "Packets that a rule decided.",
		   "counter");
	for (size_t i = 0; i < counters->nr_rules; i++) {
		const struct rule_counters *at = &counters->by_rule[i];

		fprintf(out, "%s{ruleset=", name);
		print_value(out, pb_ruleset_name(counters->ruleset));
		fprintf(out, ",rule=\"%u\",action=\"%s\",comment=", at->rule->id,
			pb_action_name(at->rule->action));
		print_value(out, at->rule->comment);
		fprintf(out, "} %llu\n",
			(unsigned long long)(bytes ? at->count.bytes : at->count.packets));
	}
}

static void print_outcomes(FILE *out, const struct counters *counters, bool bytes)
{
	const char *name = bytes ? "xdp_portblock_interface_bytes_total" :
				   "xdp_portblock_interface_packets_total";

	print_head(out, name,
		   bytes ? "Bytes of an interface by outcome." :
			   "Packets of an interface by outcome.",
		   "counter");
	for (size_t i = 0; i < counters->nr_interfaces; i++) {
		const struct pb_interface *at = counters->interfaces[i].interface;

		for (int o = 0; !at->outcomes_error && o < PB_OUTCOME_MAX; o++) {
			fprintf(out, "%s{ruleset=", name);
			print_value(out, at->ruleset);
			fputs(",interface=", out);
			print_value(out, at->name);
			fprintf(out, ",outcome=\"%s\"} %llu\n", pb_outcome_name(o),
				(unsigned long long)(bytes ? at->outcomes[o].bytes :
							     at->outcomes[o].packets));
		}
	}
}

/* A number of the ruleset. */
static void print_one(FILE *out, const struct counters *counters, const char *name,
		      const char *help, const char *type, __u64 number)
{
	print_head(out, name, help, type);
	fprintf(out, "%s{ruleset=", name);
	print_value(out, pb_ruleset_name(counters->ruleset));
	fprintf(out, "} %llu\n", (unsigned long long)number);
}

static void print_rates(FILE *out, const struct counters *counters)
{
	const struct pb_rate_counts *rates = &counters->rates;

	print_one(out, counters, "xdp_portblock_buckets",
		  "Token buckets of sources that are not full.", "gauge", rates->buckets);
	print_one(out, counters, "xdp_portblock_buckets_max",
		  "Token buckets of sources that the ruleset was made for.", "gauge",
		  rates->max_buckets);
	print_one(out, counters, "xdp_portblock_buckets_evicted_total",
		  "Token buckets of sources that went for others while they were not full.",
		  "counter", rates->evicted);
	print_one(out, counters, "xdp_portblock_answers_total",
		  "Answers that were sent to what was rejected.", "counter", rates->answered);
	print_one(out, counters, "xdp_portblock_answers_held_back_total",
		  "Answers that were over the rate of answers, and not sent.", "counter",
		  rates->held_back);
}

/* What has no numbers is left out: 0 would be one. */
static void say_unreadable(const struct counters *counters)
{
	char why[UNREADABLE];

	for (size_t i = 0; i < counters->nr_interfaces; i++) {
		const struct pb_interface *at = counters->interfaces[i].interface;

		if (at->outcomes_error)
			note("%s: its counters are %s", at->name, unreadable(at, why));
	}
}

/* NULL when memory ran out. */
static char *all_metrics(const struct counters *counters)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;
	print_one(out, counters, "xdp_portblock_rules", "Rules in a ruleset.", "gauge",
		  counters->nr_rules);
	print_rule_counts(out, counters, false);
	print_rule_counts(out, counters, true);
	print_outcomes(out, counters, false);
	print_outcomes(out, counters, true);
	print_rates(out, counters);
	failed = ferror(out);
	if (!fclose(out) && !failed)
		return text;
	free(text);
	return NULL;
}

int print_prometheus(const struct counters *counters, const char *path)
{
	char *text = all_metrics(counters);
	int ret = DONE;

	if (!text)
		return out_of_memory();
	say_unreadable(counters);
	if (path)
		ret = write_file(path, text);
	else
		fputs(text, stdout);
	free(text);
	return ret == DONE ? finish_output() : ret;
}
