// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several threads of one process use the library, each a ruleset and an interface of its own:
 * threads INTERFACE INTERFACE ROUNDS. Built with ThreadSanitizer, which tells of each race. One more
 * thread is the doctor, and the first one changes the logger meanwhile.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <portblock/portblock.h>
#include "printers.h"

#define WORKERS 2
#define CHANGES 3

struct worker {
	pthread_t thread;
	const char *interface, *ruleset;
	int rounds;
	const char *failed; /* what did; NULL: nothing */
	struct pb_error error;
};

static atomic_uint working, logged;

static void take(const char *line)
{
	(void)line;
	logged++;
}

static int see(const struct pb_event *event, const unsigned char *data, void *context)
{
	(void)event;
	(void)data;
	(void)context;
	return 0;
}

static void find(enum pb_health health, const char *text, const char *mend, void *context)
{
	(void)health;
	(void)text;
	(void)mend;
	(void)context;
}

static void check(struct worker *worker, const char *what, int ret)
{
	if (ret && !worker->failed)
		worker->failed = what;
}

/* ---- What a worker does ----------------------------------------------------------------------- */

static int add_rule(struct pb_rules *rules, int port, struct pb_error *error)
{
	char number[8];
	char *words[] = { "drop", "tcp", "dport", number, "from", "10.0.0.0/8" };
	struct pb_rule *rule = pb_rule_new();
	int ret;

	if (!rule)
		return -ENOMEM;
	snprintf(number, sizeof(number), "%d", port);
	ret = pb_rule_parse(words, 6, pb_clock(), rule, NULL, error);
	if (!ret)
		ret = pb_rules_add(rules, rule, NULL, NULL, error);
	pb_rule_free(rule);
	return ret;
}

static int change(struct pb_ruleset *ruleset, int port, __u64 confirm, struct pb_error *error)
{
	enum pb_policy policy = port & 1 ? PB_POLICY_DENY : PB_POLICY_ALLOW;
	struct pb_rules *rules;
	int ret = pb_ruleset_begin(ruleset, &rules, error);

	if (ret)
		return ret;
	ret = add_rule(rules, port, error);
	if (!ret)
		ret = pb_rules_policy(rules, policy, error);
	if (!ret)
		return pb_ruleset_commit(ruleset, rules, confirm, error);
	pb_ruleset_abort(ruleset, rules);
	return ret;
}

static int read_back(struct pb_ruleset *ruleset, struct pb_error *error)
{
	struct pb_rules *rules = NULL;
	char *text = NULL;
	int ret = pb_ruleset_read(ruleset, &rules, error);

	if (!ret)
		ret = pb_rules_format(rules, pb_clock(), &text);
	if (!ret && pb_rules_nr(rules))
		pb_ruleset_count(ruleset, pb_rules_at(rules, 0)->id);
	pb_rules_free(rules);
	free(text);
	return ret;
}

static void change_rules(struct worker *worker, struct pb_ruleset *ruleset)
{
	const __u64 minute = 60000000000;
	struct pb_error *error = &worker->error;

	for (int i = 0; !worker->failed && i < CHANGES; i++) {
		check(worker, "change", change(ruleset, 1000 + i, 0, error));
		check(worker, "read", read_back(ruleset, error));
		check(worker, "change to confirm", change(ruleset, 2000 + i, minute, error));
		if (i & 1)
			check(worker, "confirm", pb_ruleset_confirm(ruleset, error));
		else
			check(worker, "rollback", pb_ruleset_rollback(ruleset, error));
	}
	check(worker, "reset", pb_ruleset_reset(ruleset, error));
}

static void watch(struct worker *worker, struct pb_ruleset *ruleset)
{
	const struct pb_monitor_filter all = { .size = sizeof(all), .outcomes = ~0U, .rate = 1 };
	const unsigned char frame[64] = {};
	struct pb_explanation *explanation = pb_explanation_new();
	struct pb_error *error = &worker->error;
	struct pb_monitor *monitor;
	struct pb_test_run *run;
	int ret = pb_monitor_open(ruleset, &all, see, NULL, &monitor, error);

	check(worker, "monitor", ret);
	if (!ret) {
		check(worker, "poll", pb_monitor_poll(monitor, 0));
		pb_monitor_close(monitor);
	}
	pb_explain_parse(frame, sizeof(frame), true, explanation);
	ret = pb_test_run_open(ruleset, true, &run, error);
	check(worker, "test run", ret);
	if (!ret) {
		check(worker, "frame",
		      pb_test_run_frame(run, frame, sizeof(frame), explanation, error));
		pb_test_run_close(run);
	}
	free(explanation);
}

static void one_round(struct worker *worker)
{
	const struct pb_load_options options = { .size = sizeof(options),
						 .ruleset = worker->ruleset };
	struct pb_interface *interface = NULL, **interfaces;
	struct pb_error *error = &worker->error;
	struct pb_ruleset *ruleset;
	int ifindex, ret;
	size_t nr;

	check(worker, "index", pb_interface_index(worker->interface, &ifindex, error));
	ret = pb_filter_load(&ifindex, 1, &options, NULL, error);
	check(worker, "load", ret);
	if (!ret)
		ret = pb_ruleset_open(worker->ruleset, &ruleset, error);
	check(worker, "open", ret);
	if (ret)
		return;
	change_rules(worker, ruleset);
	watch(worker, ruleset);
	pb_ruleset_close(ruleset);
	check(worker, "interface", pb_interface_get(ifindex, &interface, error));
	free(interface);
	ret = pb_interface_list(&interfaces, &nr, error);
	check(worker, "interfaces", ret);
	if (!ret)
		pb_interfaces_free(interfaces, nr);
	check(worker, "upgrade", pb_filter_upgrade(&ifindex, 1, NULL, error));
	check(worker, "unload", pb_filter_unload(&ifindex, 1, false, error));
}

static void *work(void *context)
{
	struct worker *worker = context;

	for (int i = 0; !worker->failed && i < worker->rounds; i++)
		one_round(worker);
	working--;
	return NULL;
}

static void *be_the_doctor(void *context)
{
	struct worker *worker = context;
	unsigned int problems;

	check(worker, "doctor", pb_doctor(NULL, find, NULL, &problems, &worker->error));
	working--;
	return NULL;
}

/* ---- All of them -------------------------------------------------------------------------- */

static int is(const char *what, bool right, const struct worker *worker)
{
	static unsigned int tests;

	printf("%sok %u - %s\n", right ? "" : "not ", ++tests, what);
	if (!right && worker)
		printf("#   %s: %s\n", worker->failed, worker->error.text);
	return !right;
}

int main(int argc, char **argv)
{
	struct worker workers[WORKERS + 1] = {};
	int failed = 0;

	if (argc != 4)
		return 2;
	set_printers();
	working = WORKERS + 1;
	for (int i = 0; i <= WORKERS; i++) {
		workers[i].interface = argv[1 + i % WORKERS];
		workers[i].ruleset = i ? "one" : "two";
		workers[i].rounds = atoi(argv[3]);
		if (pthread_create(&workers[i].thread, NULL, i < WORKERS ? work : be_the_doctor,
				   &workers[i]))
			return 2;
	}
	for (bool all = false; working; all = !all) {
		pb_log_set(all ? take : NULL, all);
		sched_yield();
	}
	for (int i = 0; i <= WORKERS; i++) {
		pthread_join(workers[i].thread, NULL);
		failed += is(i < WORKERS ? "a thread with a ruleset" : "the doctor's",
			     !workers[i].failed, &workers[i]);
	}
	failed += is("the printers are the caller's", set_printers(), NULL);
	failed += is("and heard nothing", !heard, NULL);
	failed += is("the logger heard something", logged > 0, NULL);
	return failed > 0;
}
