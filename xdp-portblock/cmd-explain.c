// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock explain: what would happen to a packet, decided by the program itself. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "frames.h"
#include "in-set.h"
#include "packet.h"
#include "rated.h"
#include "tool.h"

struct explaining {
	const struct arguments *arguments;
	struct pb_ruleset *ruleset;
	struct pb_rules *rules;
	struct pb_test_run *run;
	struct pb_explanation *how;	/* of the packet at hand */
	struct pb_interface *interface; /* that is asked for; NULL: none */
	bool ethernet;			/* its frames begin with an Ethernet header */
};

/* ---- Why ---------------------------------------------------------------------------------- */

/* What decided, as the rules say; the program's own answer is what it must agree with. */
struct reasons {
	struct pb_match *matches;
	size_t nr;
	struct rated_list rated;
	struct in_set in;
	bool connected; /* the packet belongs to a connection of this host */
	bool truncated; /* what was not captured could change the answer */
	char why[256];
};

/* The first of the winner's merits by which it is ahead of the next best rule. */
static void say_why_rule(const struct pb_explanation *how, const struct reasons *reasons, char *why,
			 size_t size)
{
	const struct pb_match *winner = &reasons->matches[0], *next = &reasons->matches[1];

	if (reasons->nr == 1)
		snprintf(why, size, "no other rule matches");
	else if (winner->len > next->len && *reasons->in.name)
		snprintf(why, size, "its source is in a set, which counts as a single host");
	else if (winner->len > next->len)
		snprintf(why, size,
			 "its source prefix, of /%u, is the longest that holds the source",
			 how->family == 4 ? winner->len - 96 : winner->len);
	else if (winner->width < next->width && winner->width == 1)
		snprintf(why, size, "it names this very port");
	else if (winner->width < next->width && next->width == PB_WIDTH_ALL)
		snprintf(why, size, "it names ports, and goes before rules about sources alone");
	else if (winner->width < next->width)
		snprintf(why, size, "its range of %u ports is the narrowest that holds the port",
			 winner->width);
	else if (winner->rule->action != next->rule->action)
		snprintf(why, size, "of rules that are equally specific, %s goes before %s",
			 pb_action_name(winner->rule->action), pb_action_name(next->rule->action));
	else
		snprintf(why, size, "of rules that are equally specific, it has the lowest id");
}

static void say_why(const struct pb_explanation *how, const struct pb_rules *rules,
		    struct reasons *reasons)
{
	static const char *const unparsed[PB_OUTCOME_MAX] = {
		[PB_OUTCOME_NOPORT] = "it has no ports that a rule could match",
		[PB_OUTCOME_FRAGMENT] = "a fragment after the first has no ports",
		[PB_OUTCOME_MALFORMED] = "a header is cut short or wrong: left to the stack",
		[PB_OUTCOME_UNPARSABLE] = "more than 4 tags or 8 extension headers",
	};

	if (how->cut)
		snprintf(reasons->why, sizeof(reasons->why),
			 "a first fragment that ends before its ports, which the next would bring");
	else if (how->rule && reasons->nr)
		say_why_rule(how, reasons, reasons->why, sizeof(reasons->why));
	else if (how->parsed != PB_OUTCOME_PASS)
		snprintf(reasons->why, sizeof(reasons->why), "%s", unparsed[how->parsed]);
	else if (how->outcome == PB_OUTCOME_DROP_POLICY || how->outcome == PB_OUTCOME_REJECT)
		snprintf(reasons->why, sizeof(reasons->why), "no rule matches, and policy is %s",
			 pb_policy_name(pb_rules_settings(rules)->policy));
	else if (pb_rules_settings(rules)->policy != PB_POLICY_ALLOW)
		snprintf(reasons->why, sizeof(reasons->why),
			 "no rule matches, and it belongs to a connection of this host");
	else
		snprintf(reasons->why, sizeof(reasons->why),
			 "no rule matches, and policy is allow");
}

/* A packet without ports is about its source alone. */
static struct pb_flow flow_of(const struct pb_explanation *how)
{
	struct pb_flow flow = how->flow;

	if (how->parsed != PB_OUTCOME_PASS)
		flow.proto = PB_PROTO_MAX;
	return flow;
}

/* The rules that match, and with `over` whose rate it is beyond. */
static int find_matches(const struct explaining *all, const struct pb_explanation *how,
			bool connected, struct reasons *reasons)
{
	struct pb_flow flow = flow_of(how);

	flow.connected = connected;
	reasons->connected = connected;
	if (pb_rules_matches_in(all->rules, &flow, pb_clock(), set_holds, all->ruleset,
				&reasons->matches, &reasons->nr))
		return -ENOMEM;
	return rated_take(all->ruleset, &flow.source, how->length, how->rule, reasons->matches,
			  &reasons->nr, &reasons->rated);
}

static void free_matches(struct reasons *reasons)
{
	free(reasons->matches);
	free(reasons->rated.list);
	reasons->matches = NULL;
	reasons->rated = (struct rated_list){ .nr = 0 };
}

/* Is it what the program said? Where no rule decides, the policy does. */
static bool agree(const struct explaining *all, const struct pb_explanation *how,
		  const struct reasons *reasons)
{
	const struct pb_settings *settings = pb_rules_settings(all->rules);
	bool pass = settings->policy == PB_POLICY_ALLOW ||
		    (reasons->connected && !settings->no_replies);

	if (reasons->nr || how->rule)
		return reasons->nr && reasons->matches[0].rule->id == how->rule;
	return how->parsed != PB_OUTCOME_PASS || pass == !how->drop;
}

/*
 * Finds the rules that match. Whether the packet is of a connection only the program knows; the
 * answer that fits what it said is taken.
 */
static int find_reasons(const struct explaining *all, const struct pb_explanation *how,
			struct reasons *reasons)
{
	int ret = 0;

	memset(reasons, 0, sizeof(*reasons));
	if (how->parsed == PB_OUTCOME_PASS || how->rule)
		ret = find_matches(all, how, false, reasons);
	if (!ret && reasons->matches && how->parsed == PB_OUTCOME_PASS &&
	    !agree(all, how, reasons)) {
		free_matches(reasons);
		ret = find_matches(all, how, true, reasons);
	}
	if (ret)
		return ret;
	find_in_set(all->ruleset, pb_rules_find(all->rules, how->rule), &how->flow.source,
		    &reasons->in);
	say_why(how, all->rules, reasons);
	return 0;
}

/* Would another rule decide, or the policy otherwise, if it belonged to a connection, or did not? */
static bool depends_on_connection(const struct explaining *all, const struct pb_explanation *how)
{
	const struct pb_settings *settings = pb_rules_settings(all->rules);
	struct reasons with = {}, without = {};
	bool depends = find_matches(all, how, true, &with) ||
		       find_matches(all, how, false, &without) || with.nr != without.nr ||
		       (with.nr && with.matches[0].rule != without.matches[0].rule) ||
		       (!with.nr && settings->policy != PB_POLICY_ALLOW && !settings->no_replies);

	free_matches(&with);
	free_matches(&without);
	return depends;
}

/* Behind the ports the program reads TCP's flags, and those only where a connection decides. */
static void say_truncated(const struct explaining *all, const struct pb_explanation *how,
			  const struct frame *frame, struct reasons *reasons)
{
	size_t used = strlen(reasons->why);

	if (!frame->truncated ||
	    (how->parsed == PB_OUTCOME_PASS && !depends_on_connection(all, how)))
		return;
	reasons->truncated = true;
	snprintf(reasons->why + used, sizeof(reasons->why) - used,
		 "; but only %zu of its %zu bytes were captured, and the next could change that",
		 frame->captured, frame->whole);
}

/* ---- Printing ----------------------------------------------------------------------------- */

static void say_found(const struct pb_explanation *how, char *text, size_t size)
{
	size_t used = snprintf(text, size, "%u tag%s, ", how->tags, how->tags == 1 ? "" : "s");

	if (!how->family)
		used += snprintf(text + used, size - used, "no IP header");
	else
		used += snprintf(text + used, size - used, "IPv%u at byte %u", how->family,
				 how->network);
	if (how->family == 6 || how->extensions)
		used += snprintf(text + used, size - used, ", %u extension header%s",
				 how->extensions, how->extensions == 1 ? "" : "s");
	if (how->first_fragment)
		used += snprintf(text + used, size - used, ", first fragment");
	if (how->parsed == PB_OUTCOME_PASS)
		snprintf(text + used, size - used, ", %s source port %u, destination port %u",
			 pb_proto_name(how->flow.proto), how->flow.sport, how->flow.dport);
	else if (how->family)
		snprintf(text + used, size - used, ", protocol %u", how->protocol);
}

static char *text_of(const struct pb_rule *rule)
{
	char *text;

	return rule && !pb_rule_format(rule, pb_clock(), &text) ? text : NULL;
}

/* What the sender of a rejected packet gets to know. */
static const char *told(const struct pb_explanation *how, const struct pb_settings *settings)
{
	if (!strcmp(pb_setting_value(settings, "answers"), "off"))
		return "nothing: answers are off";
	if (!how->told)
		return "nothing: of such a packet it never is";
	if (how->parsed == PB_OUTCOME_PASS && how->flow.proto == PB_PROTO_TCP)
		return "by a TCP reset";
	return how->family == 4 ? "by ICMP port unreachable" : "by ICMPv6 port unreachable";
}

static void print_explanation(const struct explaining *all, const struct pb_explanation *how,
			      const struct reasons *reasons)
{
	const struct pb_rule *rule = pb_rules_find(all->rules, how->rule);
	char found[256], *text = text_of(rule);

	say_found(how, found, sizeof(found));
	printf("%s (%s)\n", how->drop ? "drop" : "pass", pb_outcome_name(how->outcome));
	if (how->rule)
		print("  by rule %u: %s\n", how->rule, rule ? kept(text) : "(gone)");
	if (*reasons->in.name)
		print("  set:   @%s, by %s\n", reasons->in.name, kept(reasons->in.element));
	printf("  why:   %s\n", reasons->why);
	if (how->outcome == PB_OUTCOME_REJECT)
		printf("  told:  %s\n", told(how, pb_rules_settings(all->rules)));
	printf("  found: %s\n", found);
	free(text);
	rated_print(&reasons->rated);
	for (size_t i = 1; i < reasons->nr; i++) {
		text = text_of(reasons->matches[i].rule);
		print("  beaten: rule %u: %s\n", reasons->matches[i].rule->id, kept(text));
		free(text);
	}
}

static struct json_object *rule_to_json(const struct pb_rule *rule)
{
	char *text = text_of(rule);
	struct json_object *json = rule ? json_string(text) : NULL;

	free(text);
	return json;
}

static struct json_object *explanation_to_json(const struct explaining *all,
					       const struct pb_explanation *how,
					       const struct frame *frame,
					       const struct reasons *reasons)
{
	struct json_object *json = json_new_object(), *beaten = json_new_array();
	bool ports = how->parsed == PB_OUTCOME_PASS;

	for (size_t i = 1; i < reasons->nr; i++)
		json_append(beaten, json_int(reasons->matches[i].rule->id));
	if (frame)
		json_add(json, "packet", json_int(frame->number));
	json_add(json, "verdict", json_string(how->drop ? "drop" : "pass"));
	json_add(json, "outcome", json_string(pb_outcome_name(how->outcome)));
	json_add(json, "told",
		 json_object_new_boolean(how->told && pb_rules_settings(all->rules)->answers !=
							      PB_ANSWERS_NONE));
	json_add(json, "rule", how->rule ? json_int(how->rule) : NULL);
	json_add(json, "rule_text", rule_to_json(pb_rules_find(all->rules, how->rule)));
	json_add(json, "set", *reasons->in.name ? json_string(reasons->in.name) : NULL);
	json_add(json, "element", *reasons->in.name ? json_string(reasons->in.element) : NULL);
	json_add(json, "why", json_string(reasons->why));
	json_add(json, "beaten", beaten);
	json_add(json, "over", rated_to_json(&reasons->rated));
	json_add(json, "connected", json_boolean(reasons->connected));
	json_add(json, "tags", json_int(how->tags));
	json_add(json, "extensions", json_int(how->extensions));
	json_add(json, "first_fragment", json_boolean(how->first_fragment));
	json_add(json, "family", how->family ? json_int(how->family) : NULL);
	json_add(json, "protocol", how->family ? json_int(how->protocol) : NULL);
	json_add(json, "sport", ports ? json_int(how->flow.sport) : NULL);
	json_add(json, "dport", ports ? json_int(how->flow.dport) : NULL);
	if (frame)
		json_add(json, "truncated", json_boolean(reasons->truncated));
	return json;
}

static void print_line(size_t number, const struct pb_explanation *how,
		       const struct reasons *reasons)
{
	printf("%zu: %s (%s)", number, how->drop ? "drop" : "pass", pb_outcome_name(how->outcome));
	if (how->rule)
		printf(" rule %u", how->rule);
	if (how->parsed == PB_OUTCOME_PASS)
		printf(" %s %u > %u", pb_proto_name(how->flow.proto), how->flow.sport,
		       how->flow.dport);
	printf(": %s\n", reasons->why);
}

/* `frame`: a packet of a file, which gets a line; NULL: the only one. */
static int print_answer(const struct explaining *all, const struct pb_explanation *how,
			const struct frame *frame)
{
	bool json = given(all->arguments, OPT_JSON);
	struct reasons reasons;
	int ret = DONE;

	if (find_reasons(all, how, &reasons))
		return out_of_memory();
	if (frame)
		say_truncated(all, how, frame, &reasons);
	if (json)
		ret = json_print(explanation_to_json(all, how, frame, &reasons));
	else if (frame)
		print_line(frame->number, how, &reasons);
	else
		print_explanation(all, how, &reasons);
	free_matches(&reasons);
	free(reasons.in.element);
	return json ? ret : finish_output();
}

/* ---- Which packet ------------------------------------------------------------------------- */

static void print_hex(const unsigned char *frame, size_t length)
{
	for (size_t i = 0; i < length; i++)
		printf("%s%02x%s", i % 16 ? " " : "  ", frame[i],
		       i % 16 == 15 || i == length - 1 ? "\n" : "");
}

static int explain_options(const struct explaining *all)
{
	unsigned char frame[PACKET_MAX];
	struct pb_error error;
	size_t length;
	int ret = packet_build(all->arguments, all->ethernet, frame, &length);

	if (ret != DONE)
		return ret;
	if (given(all->arguments, OPT_HEX) && !given(all->arguments, OPT_JSON))
		print_hex(frame, length);
	if (pb_test_run_frame(all->run, frame, length, all->how, &error))
		return fail(&error);
	return print_answer(all, all->how, NULL);
}

/*
 * What the kernel tries for certain where it takes frames of one buffer only, before 5.18: a page
 * less the room that it keeps for itself.
 */
#define ONE_BUFFER 3000

static int run_frame(const struct explaining *all, const struct frame *frame,
		     struct pb_error *error)
{
	int ret = pb_test_run_frame(all->run, frame->bytes, frame->length, all->how, error);

	/* 5.10 says EMSGSIZE, others EINVAL. */
	if ((ret != -EINVAL && ret != -EMSGSIZE) || frame->length <= ONE_BUFFER)
		return ret;
	if (frame->needed <= ONE_BUFFER)
		return pb_test_run_frame(all->run, frame->bytes, ONE_BUFFER, all->how, error);
	snprintf(error->text, sizeof(error->text),
		 "its headers are longer than the packets that this kernel tries");
	return ret;
}

/* A packet that has no verdict gets its line all the same: lines are numbered as packets are. */
static int print_not_run(const struct explaining *all, size_t number, const char *why)
{
	struct json_object *json;

	if (!given(all->arguments, OPT_JSON)) {
		print("%zu: not run: %s\n", number, why);
		return finish_output();
	}
	json = json_new_object();
	json_add(json, "packet", json_int(number));
	json_add(json, "error", json_string(why));
	return json_print(json);
}

/* FAILED only where nothing more can be printed; what could not be run is added to `missed`. */
static int explain_packet(const struct explaining *all, const struct frame *frame, size_t *missed)
{
	struct pb_error error;

	if (!*frame->why_not && !run_frame(all, frame, &error))
		return print_answer(all, all->how, frame);
	++*missed;
	return print_not_run(all, frame->number, *frame->why_not ? frame->why_not : error.text);
}

static int explain_file(const struct explaining *all, const char *path)
{
	struct frames *frames;
	struct frame frame;
	size_t missed = 0;
	int got, ret = frames_open(path, all->ethernet, &frames);

	if (ret != DONE)
		return ret;
	while (ret == DONE && (got = frames_next(frames, &frame)) == 1)
		ret = explain_packet(all, &frame, &missed);
	frames_close(frames);
	if (ret != DONE || got < 0 || missed)
		return FAILED;
	return DONE;
}

/* ------------------------------------------------------------------------------------------- */

/* The ruleset and the kind of frames of the interface that is asked for. */
static int choose(struct explaining *all, const char **name)
{
	const char *word = all->arguments->values[OPT_INTERFACE];
	struct pb_error error;
	int ifindex;

	all->ethernet = true;
	*name = ruleset_name(all->arguments);
	if (!word)
		return DONE;
	if (given(all->arguments, OPT_RULESET))
		return wrong(all->arguments, "--interface says the ruleset: leave --ruleset out");
	if (pb_interface_index(word, &ifindex, &error) ||
	    pb_interface_get(ifindex, &all->interface, &error) ||
	    pb_interface_ethernet(all->interface->name, &all->ethernet, &error))
		return fail(&error);
	if (!all->interface->loaded) {
		note("%s: xdp-portblock is not loaded on it", all->interface->name);
		return FAILED;
	}
	*name = all->interface->ruleset;
	return DONE;
}

/* What is asked for, by the rules of a ruleset. */
static int explain(struct explaining *all, const char *name)
{
	const struct arguments *arguments = all->arguments;
	enum pb_engine engine = all->interface ? all->interface->engine : PB_ENGINE_BPF;
	struct pb_error error;
	int ret;

	if (pb_ruleset_open(name, &all->ruleset, &error) ||
	    pb_ruleset_read(all->ruleset, &all->rules, &error) ||
	    pb_test_run_open_engine(all->ruleset, all->ethernet, engine, &all->run, &error))
		ret = fail(&error);
	else
		ret = arguments->nr_words ? explain_file(all, arguments->words[0]) :
					    explain_options(all);
	pb_test_run_close(all->run);
	pb_rules_free(all->rules);
	pb_ruleset_close(all->ruleset);
	return ret;
}

int cmd_explain(const struct arguments *arguments)
{
	struct explaining all = { .arguments = arguments };
	const char *name;
	int ret;

	if (arguments->nr_words > 1)
		return wrong(arguments, "'%s' is one word too many", arguments->words[1]);
	if (arguments->nr_words && packet_options_given(arguments))
		return wrong(arguments, "a file of packets, or options that say one: not both");
	ret = choose(&all, &name);
	all.how = pb_explanation_new();
	if (ret == DONE && !all.how)
		ret = out_of_memory();
	if (ret == DONE)
		ret = explain(&all, name);
	free(all.how);
	free(all.interface);
	return ret;
}
