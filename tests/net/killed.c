// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adds a rule by pb_ruleset_add_alone(), and is killed at each of its stores.
 *
 *	killed PINS WORD...
 *
 * A child is led instruction by instruction, and what it changes is looked at after each: pb_config, the record of the next
 * id, entries of the rule's first ports, the spare decisions of the slot in force. When that has changed for the first time the
 * child is killed; the next child when it has changed twice, and so on, until one ends. Each time the rule is to be
 * among those that are read if the program judges packets by it, and only then; so it is to be after another
 * rule was added, by whatever way that goes; and to be gone when it is deleted. The rule is deleted in the end.
 *
 * Prints what is wrong, and "stores N without N with N": after so many of the kills it was not there, and there. The last
 * folder of PINS is the ruleset's name.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <portblock/portblock.h>
#include <portblock/abi.h>

#define PORTS_SEEN 8 /* from the first port of the rule on */

static void die(const char *what)
{
	fprintf(stderr, "killed: %s: %s\n", what, strerror(errno));
	exit(99);
}

static const void *map(const char *pins, const char *name, size_t *size)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	char path[256];
	void *start;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", pins, name);
	fd = bpf_obj_get(path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		die(path);
	*size = (size_t)info.max_entries * ((info.value_size + 7) & ~7U);
	start = mmap(NULL, *size, PROT_READ, MAP_SHARED, fd, 0);
	if (start == MAP_FAILED)
		die(path);
	close(fd);
	return start;
}

/* Of the child's doing. */
struct watched {
	const struct pb_config *config;
	const struct pb_rule_record *rules;
	const struct pb_ports *ports;
	const struct pb_decision *decisions;
	size_t sizes[4];
	__u32 slot, id;
	__u16 first; /* port */
};

static void watch(struct watched *watched, const char *pins, __u16 first)
{
	watched->config = map(pins, "pb_config", &watched->sizes[0]);
	watched->rules = map(pins, "pb_rules", &watched->sizes[1]);
	watched->ports = map(pins, "pb_ports", &watched->sizes[2]);
	watched->decisions = map(pins, "pb_decisions", &watched->sizes[3]);
	watched->slot = watched->config->active & PB_ACTIVE_SLOT;
	watched->id = watched->config->slots[watched->slot].next_id;
	watched->first = first;
}

static void unwatch(const struct watched *watched)
{
	munmap((void *)watched->config, watched->sizes[0]);
	munmap((void *)watched->rules, watched->sizes[1]);
	munmap((void *)watched->ports, watched->sizes[2]);
	munmap((void *)watched->decisions, watched->sizes[3]);
}

struct seen {
	struct pb_config config;
	struct pb_rule_record record;
	__u32 entries[PB_ENTRY_PROTOS][PORTS_SEEN];
	struct pb_decision spare[PB_SPARE_DECISIONS];
};

static void look(const struct watched *watched, struct seen *seen)
{
	const __u32 spare = watched->config->max_decisions - PB_SPARE_DECISIONS;

	memset(seen, 0, sizeof(*seen));
	seen->config = *watched->config;
	seen->record = watched->rules[watched->id * PB_SLOTS + watched->slot];
	for (int proto = 0; proto < PB_ENTRY_PROTOS; proto++)
		for (int i = 0; i < PORTS_SEEN; i++)
			seen->entries[proto][i] =
				watched->ports
					->entry[watched->slot][proto][htons(watched->first + i)];
	for (__u32 i = 0; i < PB_SPARE_DECISIONS; i++)
		seen->spare[i] = watched->decisions[(spare + i) * PB_SLOTS + watched->slot];
}

/* The child: stops, adds, and says by its status what add_alone() has said. */
static void add(const char *ruleset_name, const struct pb_rule *rule)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	__u32 id;
	int ret;

	if (ptrace(PTRACE_TRACEME, 0, 0, 0) || pb_ruleset_open(ruleset_name, &ruleset, &error))
		_exit(99);
	raise(SIGSTOP);
	ret = pb_ruleset_add_alone(ruleset, rule, &id, &error);
	_exit(ret < 0 ? 98 : ret);
}

/* The status of the child; -1: it was killed at that store. */
static int lead(pid_t child, const struct watched *watched, unsigned long store)
{
	struct seen before, now;
	unsigned long changes;
	int status;

	look(watched, &before);
	for (changes = 0; waitpid(child, &status, 0) == child && WIFSTOPPED(status);) {
		look(watched, &now);
		changes += memcmp(&before, &now, sizeof(now)) != 0;
		before = now;
		if (changes == store) {
			kill(child, SIGKILL);
			waitpid(child, &status, 0);
			return -1;
		}
		if (ptrace(PTRACE_SINGLESTEP, child, 0, 0))
			die("step");
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}

/* ---- What is read, and what packets say ------------------------------------------------------- */

struct judge {
	const char *name;
	const struct pb_rule *rule;
	struct pb_rule *other;
	struct pb_test_run *run;
	struct pb_explanation *how;
	unsigned long wrong;
};

static void fail(const char *what, const struct pb_error *error)
{
	fprintf(stderr, "killed: %s: %s\n", what, error->text);
	exit(99);
}

static bool is_read(const struct judge *judge, const struct pb_rule *rule)
{
	struct pb_ruleset *ruleset;
	struct pb_rules *rules;
	struct pb_error error;
	bool found;

	if (pb_ruleset_open(judge->name, &ruleset, &error) ||
	    pb_ruleset_read(ruleset, &rules, &error))
		fail("read", &error);
	found = pb_rules_find_same(rules, rule);
	pb_rules_free(rules);
	pb_ruleset_close(ruleset);
	return found;
}

static bool decides(const struct judge *judge, bool udp, __u16 port)
{
	unsigned char frame[74] = {
		[12] = 0x08, [14] = 0x45, [17] = 60, [22] = 64, [23] = udp ? 17 : 6
	};
	struct pb_error error;

	memcpy(frame + 26, "\xc0\x00\x02\x01\xc0\x00\x02\x02", 8);
	frame[36] = port >> 8;
	frame[37] = port;
	if (pb_test_run_frame(judge->run, frame, sizeof(frame), judge->how, &error))
		fail("test run", &error);
	return judge->how->rule;
}

/* Is it one, what is read and what each of the rule's ports says? */
static void agree(struct judge *judge, bool there, const char *when, unsigned long store)
{
	const struct pb_rule *rule = judge->rule;

	for (int udp = 0; udp < PB_ENTRY_PROTOS; udp++)
		for (__u32 port = rule->ports[0].first;
		     rule->protocols & 1U << udp && port <= rule->ports[0].last; port++)
			if (decides(judge, udp, port) != there) {
				printf("store %lu, %s: %s/%u is %s by the rule, which is %s\n",
				       store, when, udp ? "udp" : "tcp", port,
				       there ? "not judged" : "judged",
				       there ? "read" : "not read");
				judge->wrong++;
			}
}

/* One transaction: adds the other rule where `add`, deletes both where not. */
static void change(const struct judge *judge, bool add)
{
	const struct pb_rule *gone[] = { judge->rule, judge->other };
	struct pb_rule *copy = pb_rule_new(), *same;
	struct pb_ruleset *ruleset;
	struct pb_rules *rules;
	struct pb_error error;
	int ret;

	if (pb_ruleset_open(judge->name, &ruleset, &error) ||
	    pb_ruleset_begin(ruleset, &rules, &error))
		fail("begin", &error);
	ret = add ? pb_rule_copy(copy, judge->other) ?:
						       pb_rules_add(rules, copy, NULL, NULL, &error) :
		    0;
	for (int i = 0; !add && !ret && i < 2; i++)
		if ((same = pb_rules_find_same(rules, gone[i])))
			ret = pb_rules_del(rules, same->id, &error);
	if (ret || pb_ruleset_commit(ruleset, rules, 0, &error))
		fail("change", &error);
	pb_ruleset_close(ruleset);
	pb_rule_free(copy);
}

/* After a kill. Returns whether the rule was there. */
static bool judge_kill(struct judge *judge, unsigned long store)
{
	bool there = is_read(judge, judge->rule);

	agree(judge, there, "killed", store);
	change(judge, true);
	if (is_read(judge, judge->rule) != there || !is_read(judge, judge->other)) {
		printf("store %lu: the next change has lost a rule, or brought one\n", store);
		judge->wrong++;
	}
	agree(judge, there, "after the next change", store);
	change(judge, false);
	agree(judge, false, "deleted", store);
	return there;
}

/* The status of a child that adds the rule; -1: it was killed at that store. */
static int add_until(const struct judge *judge, const char *pins, unsigned long store)
{
	struct watched watched;
	pid_t child;
	int status;

	watch(&watched, pins, judge->rule->ports[0].first);
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		add(judge->name, judge->rule);
	status = lead(child, &watched, store);
	unwatch(&watched);
	return status;
}

static struct pb_rule *parse(char **words, size_t nr)
{
	struct pb_rule *rule = pb_rule_new();
	struct pb_error error;

	if (!rule || pb_rule_parse(words, nr, 0, rule, NULL, &error))
		fail("rule", &error);
	return rule;
}

int main(int argc, char **argv)
{
	char *other[] = { "drop", "sctp", "dport", "99" }; /* goes the long way */
	unsigned long stores = 0, with = 0;
	struct pb_ruleset *ruleset;
	struct judge judge = {};
	struct pb_error error;
	int status;

	if (argc < 3)
		die("killed PINS WORD...");
	judge.name = strrchr(argv[1], '/') + 1;
	judge.rule = parse(argv + 2, argc - 2);
	judge.other = parse(other, 4);
	judge.how = pb_explanation_new();
	if (pb_ruleset_open(judge.name, &ruleset, &error) ||
	    pb_test_run_open(ruleset, true, &judge.run, &error))
		fail("test run", &error);
	while ((status = add_until(&judge, argv[1], stores + 1)) < 0)
		with += judge_kill(&judge, ++stores);
	if (status != 1) {
		printf("undisturbed it is not added (%d)\n", status);
		judge.wrong++;
	}
	agree(&judge, is_read(&judge, judge.rule), "done", stores);
	change(&judge, false);
	printf("stores %lu without %lu with %lu\n", stores, stores - with, with);
	pb_test_run_close(judge.run);
	pb_ruleset_close(ruleset);
	return judge.wrong != 0;
}
