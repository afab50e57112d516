// SPDX-License-Identifier: GPL-2.0-only
/*
 * The XDP program as a function of packets, for tests: loads it by itself, with maps of its own
 * and one ruleset, attaches it nowhere, and answers for each frame on stdin on stdout.
 *
 *	runner [--no-ethernet] [--frags | --linear] [--no-resize] [--sent] RULES-FILE
 *
 * The program is as `load` would load it, or as on older kernels: --frags: one with frames in several
 * buffers, before 6.2; --linear: one without, before 5.18.
 *
 * --no-resize: it can't change the size of a frame, as under an old dispatcher. --sent: behind each answer comes
 * a __u32, how long the frame is that the program sends back (0: none), and that frame.
 *
 * RULES-FILE has a setting (`policy deny`, `replies off`, `fragments drop`, `unparsable pass`) or
 * a rule a line. First comes a struct hello, then a struct answer for each struct question and
 * frame. Numbers are little-endian. It runs in a network namespace of its own, where no packet
 * belongs to a connection.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attach/features.h"
#include "attach/object.h"
#include "maps/slot.h"
#include "rules/rules.h"
#include "util/log.h"

#define MAX_RULES 64U
#define NOT_SHOWN 255
#define BUFFER (1U << 20)
/*
 * Longer frames are not for a program without frags. No driver shows it one, but 6.18's test run
 * does, by its first buffer.
 */
#define ONE_BUFFER 3000

enum feature {
	FEATURE_FRAGS = 1, /* frames in several buffers */
	FEATURE_SPLIT = 2, /* ... split where the question says */
};

struct hello {
	__u32 features;
	__u32 instructions; /* that the verifier looked at; 0: the kernel does not say */
};

struct question {
	__u32 length;
	__u32 linear; /* bytes in the first buffer; 0: all */
};

struct answer {
	__u8 verdict; /* XDP_*; NOT_SHOWN: the kernel does not take such a frame */
	__u8 outcome; /* enum pb_outcome; NOT_SHOWN: not counted once, with its length */
	__u16 rule;   /* id; 0: none counted */
};

struct runner {
	struct pb_maps maps;
	struct portblock_bpf *object;
	int prog;
	__u32 features;
	__u32 nr_rules;
	const struct pb_count *rules;	 /* this CPU's row */
	const struct pb_count *outcomes; /* this CPU's row */
	bool sent;			 /* frames that are sent back are told */
	__u32 sent_length;
	unsigned char sent_frame[65536];
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("runner: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* --- the ruleset ----------------------------------------------------------------------------- */

static bool read_setting(struct pb_settings *settings, const char *name, const char *value)
{
	if (!strcmp(name, "policy"))
		settings->policy = !strcmp(value, "deny")   ? PB_POLICY_DENY :
				   !strcmp(value, "reject") ? PB_POLICY_REJECT :
							      PB_POLICY_ALLOW;
	else if (!strcmp(name, "replies"))
		settings->no_replies = !strcmp(value, "off");
	else if (!strcmp(name, "fragments"))
		settings->drop_fragments = !strcmp(value, "drop");
	else if (!strcmp(name, "unparsable"))
		settings->pass_unparsable = !strcmp(value, "pass");
	else
		return false;
	return true;
}

static void read_line(struct pb_rules *rules, const char *line)
{
	struct pb_rule rule = { 0 };
	struct pb_error error = { 0 };
	char **words;
	size_t nr;

	if (pb_words_split(line, &words, &nr, &error))
		die("%s", error.text);
	if (nr && !(nr == 2 && read_setting(&rules->settings, words[0], words[1]))) {
		if (pb_rule_parse(words, nr, pb_clock(), &rule, NULL, &error) ||
		    pb_rules_add(rules, &rule, NULL, NULL, &error))
			die("%s", error.text);
	}
	pb_words_free(words, nr);
}

static void read_rules(const char *path, struct pb_rules *rules)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t room = 0;

	if (!file)
		die("%s: %s", path, strerror(errno));
	while (getline(&line, &room, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		read_line(rules, line);
	}
	free(line);
	fclose(file);
}

/* --- the program ----------------------------------------------------------------------------- */

/* Stays on one CPU, so that one row of the counters is enough; several runners spread. */
static int stay_on_cpu(void)
{
	cpu_set_t cpus;
	int skip, cpu = -1;

	if (sched_getaffinity(0, sizeof(cpus), &cpus))
		die("sched_getaffinity: %s", strerror(errno));
	skip = getpid() % CPU_COUNT(&cpus);
	do {
		cpu++;
	} while (!CPU_ISSET(cpu, &cpus) || skip--);
	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		die("sched_setaffinity: %s", strerror(errno));
	return cpu;
}

static bool is_loaded(struct runner *runner, const struct pb_constants *constants)
{
	struct bpf_program *prog;
	struct pb_error error;

	if (pb_object_open(&runner->maps, constants, &runner->object, &error))
		die("%s", error.text);
	prog = runner->object->progs.xdp_portblock;
	if (constants->frags)
		bpf_program__set_flags(prog, bpf_program__flags(prog) | BPF_F_XDP_HAS_FRAGS);
	runner->prog = portblock_bpf__load(runner->object) ? -1 : bpf_program__fd(prog);
	return runner->prog >= 0;
}

/* As `load` does: a kernel may have bpf_cast_to_kern_ctx(), and yet not take it (s390x's 6.12). */
static void load(struct runner *runner, struct pb_constants constants)
{
	constants.connections = true;
	if (!is_loaded(runner, &constants) && constants.kern_ctx) {
		portblock_bpf__destroy(runner->object);
		constants.kern_ctx = false;
		is_loaded(runner, &constants);
	}
	if (runner->prog < 0)
		die("cannot load the program: %s", pb_log_last());
	if (constants.frags)
		runner->features |= FEATURE_FRAGS;
}

/* The outcome counters of a CPU. */
static const struct pb_count *map_outcomes(const struct bpf_map *map, int cpu)
{
	const struct pb_outcomes *all;

	all = mmap(NULL, sizeof(*all), PROT_READ, MAP_SHARED, bpf_map__fd(map), 0);
	if (all == MAP_FAILED)
		die("mmap %s: %s", bpf_map__name(map), strerror(errno));
	return all->row[cpu < PB_CPU_ROWS ? cpu : PB_CPU_ROWS - 1];
}

/* Fills the slot in force: there are no packets yet. */
static void write_ruleset(struct runner *runner, const struct pb_rules *rules)
{
	struct pb_ruleset_options options = { .max_rules = MAX_RULES };
	struct pb_error error;

	if (pb_maps_create("test", &options, &runner->maps, &error) ||
	    pb_slot_write(&runner->maps, runner->maps.config->active, rules, 2, &error))
		die("%s", error.text);
}

/* --- one packet ------------------------------------------------------------------------------ */

static int test_run(struct runner *runner, const void *frame, __u32 length, __u32 linear)
{
	struct xdp_md ctx = { .data_end = linear };
	struct bpf_test_run_opts options = { .sz = sizeof(options), .repeat = 1 };

	options.data_in = frame;
	options.data_size_in = length;
	if (runner->sent) {
		options.data_out = runner->sent_frame;
		options.data_size_out = sizeof(runner->sent_frame);
	}
	if (linear) {
		options.ctx_in = &ctx;
		options.ctx_size_in = sizeof(ctx);
	}
	if (bpf_prog_test_run_opts(runner->prog, &options))
		return -errno;
	runner->sent_length = options.retval == XDP_TX ? options.data_size_out : 0;
	return options.retval;
}

/* Linux 6.18 lets data_end say where the first buffer ends; before it must be the frame's end. */
static void probe_split(struct runner *runner)
{
	static const char frame[64];

	if (runner->features & FEATURE_FRAGS && test_run(runner, frame, sizeof(frame), 20) >= 0)
		runner->features |= FEATURE_SPLIT;
}

/* Did the counter count just this frame? `total` adds up all that was counted. */
static bool is_counted(const struct pb_count *now, const struct pb_count *before, __u32 length,
		       int *total)
{
	__u64 packets = now->packets - before->packets;

	*total += packets;
	return packets == 1 && now->bytes - before->bytes == length;
}

static struct answer judge(struct runner *runner, const void *frame, struct question question)
{
	struct pb_count outcomes[PB_OUTCOME_MAX], rules[MAX_RULES + 1];
	struct answer answer = { .outcome = NOT_SHOWN };
	int verdict, counted = 0, rules_counted = 0;

	memcpy(outcomes, runner->outcomes, sizeof(outcomes));
	memcpy(rules, runner->rules, sizeof(rules[0]) * (runner->nr_rules + 1));
	if (question.length > ONE_BUFFER && !(runner->features & FEATURE_FRAGS))
		return (struct answer){ .verdict = NOT_SHOWN, .outcome = NOT_SHOWN };
	verdict = test_run(runner, frame, question.length,
			   runner->features & FEATURE_SPLIT ? question.linear : 0);
	if (verdict < 0 && verdict != -EINVAL && verdict != -EMSGSIZE)
		die("test run of %u bytes: %s", question.length, strerror(-verdict));
	answer.verdict = verdict < 0 ? NOT_SHOWN : verdict;
	for (int i = 0; i < PB_OUTCOME_MAX; i++)
		if (is_counted(&runner->outcomes[i], &outcomes[i], question.length, &counted))
			answer.outcome = i;
	for (__u32 id = 0; id <= runner->nr_rules; id++)
		if (is_counted(&runner->rules[id], &rules[id], question.length, &rules_counted))
			answer.rule = id;
	if (counted != 1 || rules_counted > 1)
		answer.outcome = NOT_SHOWN;
	return answer;
}

/* --- stdin, stdout --------------------------------------------------------------------------- */

static void write_all(const void *data, size_t size)
{
	while (size) {
		ssize_t done = write(STDOUT_FILENO, data, size);

		if (done < 0)
			die("write: %s", strerror(errno));
		data = (const char *)data + done;
		size -= done;
	}
}

/* Answers the whole questions in `data`; returns how many bytes of it they were. */
static size_t answer_all(struct runner *runner, const unsigned char *data, size_t size)
{
	static struct answer answers[BUFFER / sizeof(struct question)];
	struct question question;
	size_t pos = 0, nr = 0;

	while (size - pos >= sizeof(question)) {
		memcpy(&question, data + pos, sizeof(question));
		if (question.length > BUFFER - sizeof(question))
			die("a frame of %u bytes", question.length);
		if (size - pos - sizeof(question) < question.length)
			break;
		answers[nr++] = judge(runner, data + pos + sizeof(question), question);
		if (runner->sent) {
			write_all(&answers[--nr], sizeof(answers[0]));
			write_all(&runner->sent_length, sizeof(runner->sent_length));
			write_all(runner->sent_frame, runner->sent_length);
		}
		pos += sizeof(question) + question.length;
	}
	write_all(answers, nr * sizeof(answers[0]));
	return pos;
}

static void serve(struct runner *runner)
{
	static unsigned char buffer[BUFFER];
	size_t size = 0, used;
	ssize_t got;

	while ((got = read(STDIN_FILENO, buffer + size, sizeof(buffer) - size)) > 0) {
		size += got;
		used = answer_all(runner, buffer, size);
		size -= used;
		memmove(buffer, buffer + used, size);
	}
	if (got < 0 || size)
		die("the questions end within one");
}

static void say_hello(const struct runner *runner)
{
	struct hello hello = { .features = runner->features };
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);

	if (!bpf_obj_get_info_by_fd(runner->prog, &info, &size))
		hello.instructions = info.verified_insns;
	write_all(&hello, sizeof(hello));
}

int main(int argc, char **argv)
{
	const struct pb_features features = pb_features();
	struct pb_constants constants = { .ethernet = true,
					  .frags = features.frags,
					  .resize = true,
					  .kern_ctx = features.kern_ctx };
	const char *engine = getenv("PB_ENGINE");
	static struct runner runner = { .maps = PB_MAPS_NONE };
	struct pb_rules rules = { .max_rules = MAX_RULES };
	int cpu = stay_on_cpu();

	pb_log_enter(); /* keeps libbpf's messages to itself */
	if (argc < 2)
		die("usage: runner [--no-ethernet] [--frags | --linear] RULES-FILE");
	for (int i = 1; i < argc - 1; i++) {
		constants.ethernet &= !!strcmp(argv[i], "--no-ethernet");
		constants.kern_ctx &= !!strcmp(argv[i], "--frags");
		constants.frags &= !!strcmp(argv[i], "--linear");
		constants.resize &= !!strcmp(argv[i], "--no-resize");
		runner.sent |= !strcmp(argv[i], "--sent");
	}
	if (unshare(CLONE_NEWNET))
		die("no network namespace of its own: %s", strerror(errno));
	read_rules(argv[argc - 1], &rules);
	write_ruleset(&runner, &rules);
	constants.native = engine && !strcmp(engine, "native");
	load(&runner, constants);
	runner.nr_rules = rules.nr;
	runner.rules = runner.maps.counts + (size_t)PB_COUNT_ROW(MAX_RULES) * cpu;
	runner.outcomes = map_outcomes(runner.object->maps.data_outcomes, cpu);
	probe_split(&runner);
	say_hello(&runner);
	serve(&runner);
	portblock_bpf__destroy(runner.object);
	pb_maps_close(&runner.maps);
	pb_rules_clear(&rules);
	return 0;
}
