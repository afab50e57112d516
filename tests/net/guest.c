// SPDX-License-Identifier: GPL-2.0-only
/*
 * The library as a guest in somebody's process: guest INTERFACE. After each call, libbpf's and
 * libxdp's messages go where they went before, and nothing was printed by the libraries to where the
 * caller has them go; the environment, the namespaces, the working directory, the signals and the
 * threads are what they were; and the caller, who has a child, a thread that waits for any, and a
 * handler that counts their ends, sees the end of that child and of no other.
 */
#include <dirent.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <portblock/portblock.h>
#include "printers.h"

extern char **environ;

static unsigned int tests, failed;

/* ---- What a process has one of ------------------------------------------------------------ */

struct process {
	ino_t network, mounts;
	size_t variables;
	sigset_t blocked;
	char folder[4096];
	mode_t mask;
};

static ino_t number_of(const char *path)
{
	struct stat about;

	return stat(path, &about) ? 0 : about.st_ino;
}

static size_t entries_of(const char *path)
{
	DIR *folder = opendir(path);
	size_t nr = 0;

	while (folder && readdir(folder))
		nr++;
	if (folder)
		closedir(folder);
	return nr;
}

static void look_at(struct process *process)
{
	memset(process, 0, sizeof(*process));
	process->network = number_of("/proc/thread-self/ns/net");
	process->mounts = number_of("/proc/thread-self/ns/mnt");
	while (environ[process->variables])
		process->variables++;
	pthread_sigmask(SIG_BLOCK, NULL, &process->blocked);
	if (!getcwd(process->folder, sizeof(process->folder)))
		*process->folder = '\0';
	process->mask = umask(0);
	umask(process->mask);
}

/* Who has waited for a thread may see it for a moment yet. */
static void wait_for_threads(size_t nr)
{
	while (entries_of("/proc/self/task") > nr)
		sched_yield();
}

/* ---- A child of the caller's ----------------------------------------------------------------- */

static volatile sig_atomic_t children_ended;

static void on_child(int number)
{
	(void)number;
	children_ended++;
}

static void *wait_for_any(void *first)
{
	*(pid_t *)first = waitpid(-1, NULL, 0);
	return NULL;
}

/* ---- Calls --------------------------------------------------------------------------------- */

static void is(const char *what, bool right)
{
	printf("%sok %u - %s\n", right ? "" : "not ", ++tests, what);
	failed += !right;
}

/* What is to be as before; `ret` is that of the call. */
static void was_a_guest(const char *call, int ret, const struct pb_error *error)
{
	static struct process before;
	static size_t threads;
	struct process now;
	char what[128];

	look_at(&now);
	if (!threads) {
		threads = entries_of("/proc/self/task");
		before = now;
	}
	wait_for_threads(threads);
	snprintf(what, sizeof(what), "%s: done", call);
	is(what, !ret);
	if (ret)
		printf("#   %s\n", error->text);
	snprintf(what, sizeof(what), "%s: the printers are the caller's", call);
	is(what, set_printers());
	snprintf(what, sizeof(what), "%s: and heard nothing", call);
	is(what, !heard);
	snprintf(what, sizeof(what), "%s: the process is as it was", call);
	is(what, !memcmp(&now, &before, sizeof(now)));
	heard = 0;
}

static int count(const struct pb_event *event, const unsigned char *data, void *context)
{
	(void)event;
	(void)data;
	(void)context;
	return 0;
}

static void find(enum pb_health health, const char *text, const char *mend, void *context)
{
	(void)health;
	if (strstr(text, "dispatcher"))
		printf("# %s\n", text);
	(void)mend;
	(void)context;
}

static int change(struct pb_ruleset *ruleset, struct pb_error *error)
{
	char *words[] = { "drop", "tcp", "dport", "22" };
	struct pb_rule *rule = pb_rule_new();
	struct pb_rules *rules = NULL;
	int ret = pb_rule_parse(words, 4, pb_clock(), rule, NULL, error);

	if (!ret)
		ret = pb_ruleset_begin(ruleset, &rules, error);
	if (!ret)
		ret = pb_rules_add(rules, rule, NULL, NULL, error);
	pb_rule_free(rule);
	return ret ?: pb_ruleset_commit(ruleset, rules, 0, error);
}

static void look(struct pb_ruleset *ruleset)
{
	const struct pb_monitor_filter all = { .size = sizeof(all), .outcomes = ~0U, .rate = 1 };
	struct pb_explanation *explanation = pb_explanation_new();
	const unsigned char frame[64] = {};
	struct pb_monitor *monitor;
	struct pb_test_run *run;
	struct pb_error error;

	was_a_guest("monitor", pb_monitor_open(ruleset, &all, count, NULL, &monitor, &error),
		    &error);
	was_a_guest("poll", pb_monitor_poll(monitor, 0), &error);
	pb_monitor_close(monitor);
	was_a_guest("test run", pb_test_run_open(ruleset, true, &run, &error), &error);
	was_a_guest("frame", pb_test_run_frame(run, frame, sizeof(frame), explanation, &error),
		    &error);
	pb_test_run_close(run);
	free(explanation);
}

static void be_a_guest(const char *name, int ifindex)
{
	struct pb_load_options options = { .size = sizeof(options) };
	struct pb_load_result result;
	struct pb_interface **interfaces, *interface;
	struct pb_ruleset *ruleset;
	struct pb_error error;
	unsigned int problems;
	size_t nr;

	was_a_guest("list", pb_interface_list(&interfaces, &nr, &error), &error);
	pb_interfaces_free(interfaces, nr);
	was_a_guest("doctor", pb_doctor(NULL, find, NULL, &problems, &error), &error);
	was_a_guest("load", pb_filter_load(&ifindex, 1, &options, &result, &error), &error);
	free(result.interface);
	was_a_guest("upgrade", pb_filter_upgrade(&ifindex, 1, &interface, &error), &error);
	free(interface);
	was_a_guest("open", pb_ruleset_open("default", &ruleset, &error), &error);
	was_a_guest("change", change(ruleset, &error), &error);
	was_a_guest("reset", pb_ruleset_reset(ruleset, &error), &error);
	look(ruleset);
	pb_ruleset_close(ruleset);
	was_a_guest("doctor again", pb_doctor(name, find, NULL, &problems, &error), &error);
	was_a_guest("unload", pb_filter_unload(&ifindex, 1, false, &error), &error);
}

int main(int argc, char **argv)
{
	struct pb_error error;
	pid_t child, first = 0;
	pthread_t waiting;
	size_t descriptors;
	int ifindex;

	if (argc != 2 || pb_interface_index(argv[1], &ifindex, &error))
		return 2;
	signal(SIGCHLD, on_child);
	child = fork();
	if (!child)
		pause();
	if (child < 0 || pthread_create(&waiting, NULL, wait_for_any, &first))
		return 2;
	set_printers();
	descriptors = entries_of("/proc/self/fd");
	be_a_guest(argv[1], ifindex);
	is("no descriptor is left", entries_of("/proc/self/fd") == descriptors);
	is("no child ended", !children_ended);
	kill(child, SIGKILL);
	pthread_join(waiting, NULL);
	is("whoever waits for any child gets the caller's", first == child);
	is("the handler saw its end alone", children_ended == 1);
	return failed > 0;
}
