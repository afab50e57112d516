// SPDX-License-Identifier: GPL-2.0-only
/* Facts to stdout: tables, or JSON by json-c. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "buckets.h"
#include "json.h"
#include "tool.h"

void settings_to_json(struct json_object *json, const struct pb_settings *settings)
{
	const char *name;

	for (size_t i = 0; (name = pb_setting_name(i)); i++)
		json_add(json, name, json_string(pb_setting_value(settings, name)));
}

/* The policy, and those of the others that are not at their default. */
static void print_settings(const struct pb_settings *settings)
{
	const char *name;

	for (size_t i = 0; (name = pb_setting_name(i)); i++)
		if (!i || !pb_setting_is_default(settings, name))
			printf(", %s %s", name, pb_setting_value(settings, name));
}

/* ---- Rules ------------------------------------------------------------------------------- */

static int print_rule(const struct pb_rule *rule, __u64 now)
{
	char packets[16], bytes[16], *text;

	if (pb_rule_format(rule, now, &text))
		return out_of_memory();
	print("%5u  %8s  %8s  %s\n", rule->id, human(rule->packets, packets),
	      human(rule->bytes, bytes), text);
	free(text);
	return DONE;
}

/* With how full their buckets are. */
static int print_rules_json(struct pb_ruleset *ruleset, const struct pb_rules *rules, __u64 now)
{
	struct json_object *json = pb_rules_to_json(rules, pb_ruleset_name(ruleset), now);

	if (json)
		add_states(json, ruleset);
	return json_print(json);
}

int print_rules(struct pb_ruleset *ruleset, const struct pb_rules *rules, bool json)
{
	const struct pb_rule *rule;
	__u64 now = pb_clock();
	size_t shown = 0;
	int ret = DONE;

	if (json)
		return print_rules_json(ruleset, rules, now);
	printf("Ruleset %s", pb_ruleset_name(ruleset));
	print_settings(pb_rules_settings(rules));
	printf("\n");
	for (size_t i = 0; ret == DONE && (rule = pb_rules_at(rules, i)); i++) {
		if (rule->expires && rule->expires <= now)
			continue;
		if (!shown++)
			printf("%5s  %8s  %8s  %s\n", "ID", "PACKETS", "BYTES", "RULE");
		ret = print_rule(rule, now);
	}
	if (!shown)
		printf("No rules.\n");
	return ret;
}

/* ---- Interfaces -------------------------------------------------------------------------- */

static struct json_object *count_to_json(const struct pb_count *count)
{
	struct json_object *json = json_new_object();

	json_add(json, "packets", json_uint(count->packets));
	json_add(json, "bytes", json_uint(count->bytes));
	return json;
}

static struct json_object *chain_to_json(const struct pb_interface *interface)
{
	struct json_object *chain = json_new_array();

	for (unsigned int i = 0; i < interface->nr_chain; i++) {
		const struct pb_chain_program *program = &interface->chain[i];
		struct json_object *json = json_new_object();

		json_add(json, "name", json_string(program->name));
		json_add(json, "id", json_int(program->id));
		json_add(json, "priority", json_int(program->priority));
		json_add(json, "ours", json_boolean(program->ours));
		json_append(chain, json);
	}
	return chain;
}

/* What is known of an interface with an obstacle. */
static struct json_object *obstacle_to_json(const struct pb_interface *interface)
{
	struct json_object *json = json_new_object();

	json_add(json, "name", json_string(interface->name));
	json_add(json, "index", json_int(interface->ifindex));
	json_add(json, "mode", json_string(pb_mode_name(interface->mode)));
	json_add(json, "obstacle", json_string(interface->obstacle));
	json_add(json, "chain", chain_to_json(interface));
	return json;
}

/* null: that cannot be seen from here. */
static struct json_object *pinned_to_json(const struct pb_interface *interface)
{
	bool known = !interface->pins || interface->pins == -ENOENT || interface->pins == -EPROTO;

	return known ? json_boolean(interface->pinned) : NULL;
}

/* Its name, or its number where it has none here. */
static const char *group_name(__u32 id, char text[16])
{
	const struct group *group = getgrgid(id);

	snprintf(text, 16, "%u", id);
	return group ? group->gr_name : text;
}

struct json_object *interface_to_json(const struct pb_interface *interface)
{
	struct json_object *json = json_new_object();
	struct json_object *outcomes = interface->outcomes_error ? NULL : json_new_object();
	const char *attach = interface->dispatcher ? "dispatcher" : "single";
	char group[16];

	for (int i = 0; outcomes && i < PB_OUTCOME_MAX; i++)
		json_add(outcomes, pb_outcome_name(i), count_to_json(&interface->outcomes[i]));
	json_add(json, "name", json_string(interface->name));
	json_add(json, "index", json_int(interface->ifindex));
	json_add(json, "mode", json_string(pb_mode_name(interface->mode)));
	json_add(json, "attach", json_string(attach));
	json_add(json, "priority", json_int(interface->priority));
	json_add(json, "engine", json_string(pb_engine_name(interface->engine)));
	json_add(json, "module", *interface->module ? json_string(interface->module) : NULL);
	json_add(json, "program_id", json_int(interface->program_id));
	json_add(json, "frags", json_boolean(interface->frags));
	json_add(json, "obstacle", NULL);
	json_add(json, "ruleset", json_string(interface->ruleset));
	json_add(json, "pinned", pinned_to_json(interface));
	json_add(json, "group",
		 interface->group ? json_string(group_name(interface->group, group)) : NULL);
	settings_to_json(json, &interface->settings);
	json_add(json, "rules", json_int(interface->rules));
	json_add(json, "confirm_in",
		 interface->pending ? json_double(interface->pending / 1e9) : NULL);
	json_add(json, "exchange", json_boolean(interface->exchange));
	json_add(json, "chain", chain_to_json(interface));
	json_add(json, "outcomes", outcomes);
	json_add(json, "rates", rate_counts_to_json(&interface->rates, false));
	return json;
}

const char *unreadable(const struct pb_interface *interface, char text[UNREADABLE])
{
	int error = -interface->outcomes_error;

	snprintf(text, UNREADABLE, "not readable (%s)",
		 error == EPROTO ? "of another version of xdp-portblock" : strerror(error));
	return text;
}

static void print_fault_of_pins(const struct pb_interface *interface)
{
	char option[PB_RULESET_OPTION_LEN];

	if (interface->abi_version != PB_ABI_VERSION) {
		printf(" (of another version of xdp-portblock: unload and load again)");
		return;
	}
	switch (interface->pins) {
	case 0:
		break;
	case -ENOENT:
		printf(" (its pins are gone: unload and load again)");
		break;
	case -EPROTO:
		printf(" (its pins are not all there: unload and load again)");
		break;
	case -ENODEV:
		printf(" (its pins can't be seen: bpffs is not mounted here)");
		break;
	default:
		printf(" (its pins can't be seen: `xdp-portblock rule list%s` says why)",
		       pb_ruleset_option(interface->ruleset, option));
	}
}

static void print_chain(const struct pb_interface *interface)
{
	printf("  chain:");
	for (unsigned int i = 0; i < interface->nr_chain; i++) {
		const struct pb_chain_program *program = &interface->chain[i];

		print("%s %s (id %u", i ? "," : "", program->name, program->id);
		if (interface->dispatcher)
			printf(", priority %u", program->priority);
		printf(")");
	}
	printf("\n");
}

static void print_doubled(const struct pb_interface *interface)
{
	if (interface->exchange)
		printf("  a program is exchanged for another: program %u judges packets now\n",
		       interface->program_id);
	else if (interface->nr_ours > 1)
		printf("  %u programs of xdp-portblock are on it, and each judges and counts what the "
		       "one before it passes: `xdp-portblock unload %s` takes all of them off\n",
		       interface->nr_ours, interface->name);
}

static void print_interface(const struct pb_interface *interface)
{
	char packets[16], bytes[16], group[16], why[UNREADABLE], *left;

	print("%s (index %d): %s mode, ", interface->name, interface->ifindex,
	      pb_mode_name(interface->mode));
	if (interface->dispatcher)
		printf("under the dispatcher, priority %u", interface->priority);
	else
		printf("single program");
	if (interface->engine == PB_ENGINE_NATIVE)
		printf(", engine native (module portblock_native %s)", interface->module);
	printf(", program %u\n", interface->program_id);
	printf("  ruleset %s", interface->ruleset);
	print_settings(&interface->settings);
	printf(", %u rule%s", interface->rules, interface->rules == 1 ? "" : "s");
	if (interface->group)
		print(", read by group %s", group_name(interface->group, group));
	print_fault_of_pins(interface);
	printf("\n");
	if (interface->pending) {
		left = pb_duration_text(interface->pending);
		print("  a change waits to be confirmed: %s left\n", kept(left));
		free(left);
	}
	if (rate_counts_any(&interface->rates)) {
		printf("  rates: ");
		print_rate_counts(&interface->rates, false);
	}
	print_chain(interface);
	print_doubled(interface);
	if (interface->outcomes_error) {
		printf("  counters: %s\n", unreadable(interface, why));
		return;
	}
	printf("  %-12s %10s %10s\n", "OUTCOME", "PACKETS", "BYTES");
	for (int i = 0; i < PB_OUTCOME_MAX; i++)
		printf("  %-12s %10s %10s\n", pb_outcome_name(i),
		       human(interface->outcomes[i].packets, packets),
		       human(interface->outcomes[i].bytes, bytes));
}

int print_interfaces(struct pb_interface *const *interfaces, size_t nr, bool json)
{
	struct json_object *object, *array;

	if (!json) {
		if (!nr)
			printf("No interface is loaded.\n");
		for (size_t i = 0; i < nr; i++) {
			if (i)
				printf("\n");
			if (interfaces[i]->loaded)
				print_interface(interfaces[i]);
			else
				printf("%s\n", interfaces[i]->obstacle);
		}
		return DONE;
	}
	object = json_new_object();
	array = json_new_array();
	for (size_t i = 0; i < nr; i++)
		json_append(array, interfaces[i]->loaded ? interface_to_json(interfaces[i]) :
							   obstacle_to_json(interfaces[i]));
	json_add(object, "interfaces", array);
	return json_print(object);
}
