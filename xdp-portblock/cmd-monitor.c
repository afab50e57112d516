// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock monitor: packets as they come, as text, JSON or a pcap file. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "json.h"
#include "capture.h"
#include "confine.h"
#include "in-set.h"
#include "tool.h"

#define RATE_DEFAULT 1000
#define SNAPLEN_DEFAULT 128
#define OUTCOMES_DEFAULT                                                                      \
	(1U << PB_OUTCOME_DROP_RULE | 1U << PB_OUTCOME_DROP_POLICY | 1U << PB_OUTCOME_AUDIT | \
	 1U << PB_OUTCOME_REJECT)

struct monitor {
	const struct arguments *arguments;
	struct pb_ruleset *ruleset;
	struct pb_rules *rules; /* to print the rules' texts */
	struct pb_monitor_filter filter;
	struct pb_rule *from;	    /* its `from`: sources to show; none: all */
	struct pb_explanation *how; /* of the packet at hand */
	struct capture *capture;
	__u32 limit; /* packets to show; 0: no end */
	__u32 shown;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

static int read_outcomes(const struct arguments *arguments, __u32 *outcomes)
{
	char words[128], *rest = words, *word;

	*outcomes = OUTCOMES_DEFAULT;
	if (!given(arguments, OPT_OUTCOME))
		return DONE;
	*outcomes = 0;
	snprintf(words, sizeof(words), "%s", arguments->values[OPT_OUTCOME]);
	while ((word = strsep(&rest, ","))) {
		int outcome = 0;

		if (!strcmp(word, "all")) {
			*outcomes = (1U << PB_OUTCOME_MAX) - 1;
			continue;
		}
		while (outcome < PB_OUTCOME_MAX && strcmp(word, pb_outcome_name(outcome)))
			outcome++;
		if (outcome == PB_OUTCOME_MAX)
			return wrong(arguments,
				     "--outcome: '%s' is no outcome: there are pass, drop-rule, "
				     "drop-policy, audit, noport, fragment, malformed, unparsable, "
				     "reject and all",
				     word);
		*outcomes |= 1U << outcome;
	}
	return DONE;
}

static int read_from(const struct arguments *arguments, struct pb_rule **from)
{
	const char *text = arguments->values[OPT_FROM];
	struct pb_error error;
	int err;

	*from = pb_rule_new();
	if (!*from)
		return out_of_memory();
	err = text ? pb_rule_set(*from, "from", text, 0, NULL, &error) : 0;
	return err ? refused(arguments, err, OPT_FROM, &error) : DONE;
}

static int read_arguments(const struct arguments *arguments, struct monitor *monitor)
{
	__u32 snaplen = SNAPLEN_DEFAULT, port = 0;
	int ret = read_outcomes(arguments, &monitor->filter.outcomes);

	monitor->filter.rate = RATE_DEFAULT;
	if (ret == DONE)
		ret = option_number(arguments, OPT_RULE, 1, PB_RULES_LIMIT, &monitor->filter.rule);
	if (ret == DONE)
		ret = option_number(arguments, OPT_PORT, 1, 65535, &port);
	if (ret == DONE)
		ret = option_number(arguments, OPT_RATE, 1, 10000000, &monitor->filter.rate);
	if (ret == DONE)
		ret = option_number(arguments, OPT_SNAPLEN, 1, PB_SNAPLEN_MAX, &snaplen);
	if (ret == DONE)
		ret = option_number(arguments, OPT_COUNT, 1, UINT32_MAX, &monitor->limit);
	if (ret == DONE)
		ret = read_from(arguments, &monitor->from);
	if (ret == DONE && given(arguments, OPT_JSON) && given(arguments, OPT_WRITE))
		ret = wrong(arguments, "--json and --write exclude each other");
	monitor->filter.port = port;
	monitor->filter.snaplen = snaplen;
	return ret;
}

/* ---- One packet -------------------------------------------------------------------------- */

struct packet {
	const struct pb_explanation *how; /* how its ports were found */
	char interface[IF_NAMESIZE];
	char time[ISO_TIME];
	char source[INET6_ADDRSTRLEN], destination[INET6_ADDRSTRLEN];
	char *rule; /* its text; NULL: none, or gone */
	struct in_set in;
};

static struct timespec wall_time(__u64 boot)
{
	struct timespec real;
	__s64 ns;

	clock_gettime(CLOCK_REALTIME, &real);
	ns = real.tv_sec * 1000000000LL + real.tv_nsec - (__s64)(pb_clock() - boot);
	return (struct timespec){ ns / 1000000000LL, ns % 1000000000LL };
}

static void print_addresses(const struct pb_event *event, const unsigned char *data,
			    struct packet *packet)
{
	size_t size = packet->how->family == 4 ? 4 : 16, at = packet->how->family == 4 ? 12 : 8;
	int family = packet->how->family == 4 ? AF_INET : AF_INET6;
	const unsigned char *source = data + packet->how->network + at;

	if (!packet->how->family || packet->how->network + at + 2 * size > event->captured)
		return;
	inet_ntop(family, source, packet->source, sizeof(packet->source));
	inet_ntop(family, source + size, packet->destination, sizeof(packet->destination));
}

/* Those in force now: they may have changed, or gone back by the clock, since the last packet. */
static int read_rules(struct monitor *monitor, struct pb_error *error)
{
	struct pb_rules *rules;
	int ret;

	if (monitor->rules &&
	    pb_ruleset_generation(monitor->ruleset) == pb_rules_generation(monitor->rules))
		return 0;
	ret = pb_ruleset_read(monitor->ruleset, &rules, error);
	if (ret)
		return ret;
	pb_rules_free(monitor->rules);
	monitor->rules = rules;
	return 0;
}

/* NULL: there is none, or it cannot be told, and then monitor fails at its end. */
static char *text_of_rule(struct monitor *monitor, __u32 id)
{
	const struct pb_rule *rule;
	char *text;

	if (read_rules(monitor, NULL)) {
		kept(NULL);
		return NULL;
	}
	rule = pb_rules_find(monitor->rules, id);
	if (!rule)
		return NULL;
	if (!pb_rule_format(rule, pb_clock(), &text))
		return text;
	kept(NULL);
	return NULL;
}

static void describe(struct monitor *monitor, const struct pb_event *event,
		     const unsigned char *data, struct packet *packet)
{
	struct timespec at = wall_time(event->time);
	struct tm utc;
	size_t len;

	memset(packet, 0, sizeof(*packet));
	pb_explain_parse(data, event->captured, event->ethernet, monitor->how);
	packet->how = monitor->how;
	if (!if_indextoname(event->ifindex, packet->interface))
		snprintf(packet->interface, sizeof(packet->interface), "%u", event->ifindex);
	gmtime_r(&at.tv_sec, &utc);
	len = strftime(packet->time, sizeof(packet->time), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(packet->time + len, sizeof(packet->time) - len, ".%06ldZ", at.tv_nsec / 1000);
	print_addresses(event, data, packet);
	if (!event->rule)
		return;
	packet->rule = text_of_rule(monitor, event->rule);
	if (monitor->rules)
		find_in_set(monitor->ruleset, pb_rules_find(monitor->rules, event->rule),
			    &monitor->how->flow.source, &packet->in);
}

static void print_text(const struct pb_event *event, const struct packet *packet)
{
	const struct pb_explanation *how = packet->how;

	print("%s %s %s", packet->time, packet->interface, pb_outcome_name(event->outcome));
	if (event->rule)
		printf(" rule %u", event->rule);
	if (how->parsed == PB_OUTCOME_PASS)
		printf(" %s %s.%u > %s.%u", pb_proto_name(how->flow.proto), packet->source,
		       how->flow.sport, packet->destination, how->flow.dport);
	else if (*packet->source)
		printf(" ip%s %s > %s proto %u", how->family == 6 ? "6" : "", packet->source,
		       packet->destination, how->protocol);
	print(" length %u%s%s", event->length, packet->rule ? ": " : "", packet->rule ?: "");
	if (*packet->in.name)
		print(" (@%s has %s)", packet->in.name, kept(packet->in.element));
	print("\n");
}

static struct json_object *string_or_null(const char *text)
{
	return text && *text ? json_string(text) : NULL;
}

static int print_object(const struct pb_event *event, const struct packet *packet)
{
	const struct pb_explanation *how = packet->how;
	struct json_object *json = json_new_object();
	bool ports = how->parsed == PB_OUTCOME_PASS;

	json_add(json, "time", json_string(packet->time));
	json_add(json, "interface", json_string(packet->interface));
	json_add(json, "outcome", json_string(pb_outcome_name(event->outcome)));
	json_add(json, "rule", event->rule ? json_int(event->rule) : NULL);
	json_add(json, "rule_text", string_or_null(packet->rule));
	json_add(json, "set", string_or_null(packet->in.name));
	json_add(json, "element", string_or_null(packet->in.element));
	json_add(json, "protocol", ports ? json_string(pb_proto_name(how->flow.proto)) : NULL);
	json_add(json, "source", string_or_null(packet->source));
	json_add(json, "destination", string_or_null(packet->destination));
	json_add(json, "sport", ports ? json_int(how->flow.sport) : NULL);
	json_add(json, "dport", ports ? json_int(how->flow.dport) : NULL);
	json_add(json, "length", json_int(event->length));
	return json_print(json);
}

static bool is_wanted(const struct monitor *monitor, const struct packet *packet)
{
	const struct pb_rule *rule = monitor->from;
	const struct pb_prefix *source = &packet->how->flow.source;

	if (!rule->nr_from && !rule->nr_from_sets)
		return true;
	if (!packet->how->family)
		return false;
	for (size_t i = 0; i < rule->nr_from_sets; i++)
		if (set_holds(rule->from_sets[i], source, monitor->ruleset))
			return true;
	return pb_prefixes_hold(rule->from, rule->nr_from, source);
}

static int show(const struct pb_event *event, const unsigned char *data, void *context)
{
	struct monitor *monitor = context;
	struct packet packet;
	int ret = 0;

	if (monitor->limit && monitor->shown == monitor->limit)
		return -ECANCELED;
	describe(monitor, event, data, &packet);
	if (is_wanted(monitor, &packet)) {
		monitor->shown++;
		if (monitor->capture)
			ret = capture_write(monitor->capture, wall_time(event->time), event, data);
		else if (given(monitor->arguments, OPT_JSON))
			ret = print_object(event, &packet) == DONE ? 0 : -EPIPE;
		else
			print_text(event, &packet);
	}
	free(packet.rule);
	free(packet.in.element);
	return ret;
}

/* ---- The loop ---------------------------------------------------------------------------- */

static bool is_over(const struct monitor *monitor)
{
	return interrupted || (monitor->limit && monitor->shown == monitor->limit) ||
	       ferror(stdout);
}

static int listen_on(struct monitor *monitor, struct pb_monitor *listener)
{
	int ret = 0;

	while (!ret && !is_over(monitor)) {
		ret = pb_monitor_poll(listener, 500);
		fflush(stdout);
		if (monitor->capture && capture_flush(monitor->capture))
			ret = -EPIPE;
	}
	if (!ret && interrupted) /* what has been reported by now */
		ret = pb_monitor_poll(listener, 0);
	if (ret == -ENOENT)
		note("the ruleset '%s' was unloaded", pb_ruleset_name(monitor->ruleset));
	else if (ret && ret != -ECANCELED && ret != -EPIPE)
		note("cannot go on listening: %s", strerror(-ret));
	return !ret || ret == -ECANCELED ? DONE : FAILED;
}

static void say_missed(const struct monitor *monitor, const struct pb_monitor *listener)
{
	__u64 suppressed, lost;

	pb_monitor_missed(listener, &suppressed, &lost);
	note("%u packet%s shown, %llu suppressed by --rate, %llu lost", monitor->shown,
	     monitor->shown == 1 ? "" : "s", (unsigned long long)suppressed,
	     (unsigned long long)lost);
}

static int monitor_ruleset(struct monitor *monitor)
{
	const char *file = monitor->arguments->values[OPT_WRITE];
	struct sigaction action = { .sa_handler = interrupt };
	struct pb_monitor *listener = NULL;
	char option[PB_RULESET_OPTION_LEN];
	struct pb_error error;
	int ret = DONE;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
	if (pb_ruleset_open(ruleset_name(monitor->arguments), &monitor->ruleset, &error) ||
	    read_rules(monitor, &error))
		return fail(&error);
	if (monitor->filter.rule && !pb_rules_find(monitor->rules, monitor->filter.rule)) {
		note("there is no rule %u (`xdp-portblock rule list%s` shows them)",
		     monitor->filter.rule,
		     pb_ruleset_option(pb_ruleset_name(monitor->ruleset), option));
		return FAILED;
	}
	if (pb_monitor_open(monitor->ruleset, &monitor->filter, show, monitor, &listener, &error))
		ret = fail(&error);
	if (ret == DONE && file) /* not before: it makes the file anew */
		ret = capture_open(file, monitor->filter.snaplen, &monitor->capture);
	if (ret == DONE) {
		confine(CONFINED_LISTENING);
		ret = listen_on(monitor, listener);
		say_missed(monitor, listener);
	}
	pb_monitor_close(listener);
	if (monitor->capture && capture_close(monitor->capture) != DONE)
		ret = FAILED;
	return ret;
}

int cmd_monitor(const struct arguments *arguments)
{
	struct monitor monitor = { .arguments = arguments, .filter.size = sizeof(monitor.filter) };
	int ret = read_arguments(arguments, &monitor);

	monitor.how = pb_explanation_new();
	if (ret == DONE && !monitor.how)
		ret = out_of_memory();
	if (ret == DONE)
		ret = monitor_ruleset(&monitor);
	pb_ruleset_close(monitor.ruleset);
	pb_rules_free(monitor.rules);
	pb_rule_free(monitor.from);
	free(monitor.how);
	return ret;
}
