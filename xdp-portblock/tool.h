/* SPDX-License-Identifier: GPL-2.0-only */
/* What the commands share: the tables of commands and options, messages, output. */
#ifndef TOOL_H
#define TOOL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <portblock/portblock.h>

enum { DONE = 0, FAILED = 1, WRONG_USAGE = 2 };

/* Every option of every command, in the order in which help shows them. */
enum option_id {
	OPT_MODE,
	OPT_ENGINE,
	OPT_POLICY,
	OPT_RULES,
	OPT_ELEMENTS,
	OPT_PRIORITY,
	OPT_REQUIRE_DISPATCHER,
	OPT_MAX_RULES,
	OPT_MAX_SOURCES,
	OPT_MAX_BUCKETS,
	OPT_GROUP,
	OPT_TIMEOUT,
	OPT_MAX_ELEMENTS,
	OPT_ALL,
	OPT_KEEP,
	OPT_PORT,
	OPT_SPORT,
	OPT_PROTO,
	OPT_ACTION,
	OPT_FROM,
	OPT_EXCEPT,
	OPT_NEW,
	OPT_OVER,
	OPT_BURST,
	OPT_EACH,
	OPT_TOTAL,
	OPT_EXPIRES,
	OPT_COMMENT,
	OPT_CONFIRM,
	OPT_FORCE,
	OPT_INTERVAL,
	OPT_COUNT,
	OPT_PROMETHEUS,
	OPT_OUTPUT,
	OPT_RULE,
	OPT_OUTCOME,
	OPT_RATE,
	OPT_WRITE,
	OPT_SNAPLEN,
	OPT_INTERFACE,
	OPT_TO,
	OPT_HEX,
	OPT_FIX,
	OPT_CONFIG,
	OPT_ONCE,
	OPT_STAGES,
	OPT_WAIT,
	OPT_SIGN,
	OPT_NOTE,
	OPT_RESUME,
	OPT_RULESET,
	OPT_JSON,
	OPT_VERBOSE,
	OPT_HELP,
	OPT_VERSION,
	OPT_MAX
};
#define OPT(name) (1ULL << OPT_##name)

struct option_info {
	char letter; /* 0: long form only */
	const char *name;
	const char *value; /* what it takes; NULL: nothing */
	const char *help;
};
extern const struct option_info option_infos[OPT_MAX];

/* A command's arguments, parsed. */
struct arguments {
	const struct command *command;
	const char *values[OPT_MAX]; /* "" for a given option that takes no value; NULL: not given */
	int verbose;
	char **words; /* what is no option */
	size_t nr_words;
};

struct command {
	const char *name;	    /* "load", "rule add" */
	const char *words;	    /* what follows the options, for help; "" if nothing */
	const char *help;	    /* one line */
	const char *more;	    /* what help says below the options, or NULL */
	unsigned long long options; /* OPT(...); -h, -v are every command's */
	int (*run)(const struct arguments *arguments);
};

/* cmd-*.c; help is in main.c, which has the table of commands */
int cmd_load(const struct arguments *arguments);
int cmd_unload(const struct arguments *arguments);
int cmd_upgrade(const struct arguments *arguments);
int cmd_status(const struct arguments *arguments);
int cmd_rule_add(const struct arguments *arguments);
int cmd_rule_del(const struct arguments *arguments);
int cmd_rule_list(const struct arguments *arguments);
int cmd_rule_flush(const struct arguments *arguments);
int cmd_rule_reset(const struct arguments *arguments);
int cmd_set_create(const struct arguments *arguments);
int cmd_set_add(const struct arguments *arguments);
int cmd_set_del(const struct arguments *arguments);
int cmd_set_test(const struct arguments *arguments);
int cmd_set_list(const struct arguments *arguments);
int cmd_set_flush(const struct arguments *arguments);
int cmd_set_load(const struct arguments *arguments);
int cmd_set_restore(const struct arguments *arguments);
int cmd_set_destroy(const struct arguments *arguments);
int cmd_set_swap(const struct arguments *arguments);
int cmd_setting(const struct arguments *arguments);
int cmd_save(const struct arguments *arguments);
int cmd_check(const struct arguments *arguments);
int cmd_diff(const struct arguments *arguments);
int cmd_apply(const struct arguments *arguments);
int cmd_confirm(const struct arguments *arguments);
int cmd_rollback(const struct arguments *arguments);
int cmd_stats(const struct arguments *arguments);
int cmd_top(const struct arguments *arguments);
int cmd_monitor(const struct arguments *arguments);
int cmd_explain(const struct arguments *arguments);
int cmd_doctor(const struct arguments *arguments);
/* All commands `fleet`: see fleet.h. */
int cmd_fleet(const struct arguments *arguments);
int cmd_help(const struct arguments *arguments);

/*
 * output.c: text that may hold what others have written (names, comments, paths) goes out by
 * these, escaped: to stdout in a table, or to stderr, a line each, with the program's name in front.
 */
void print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A text to print, where NULL is one for which there was no memory: finish_output() fails then. */
const char *kept(const char *text);
/* FAILED after a message if not all that was printed reached stdout. */
int finish_output(void);
/* Of libbpf and libxdp; it may be several lines. */
void print_log(const char *line);
int fail(const struct pb_error *error); /* returns FAILED */
int out_of_memory(void);		/* likewise */
/* The same, for a caller that prints the error: returns -ENOMEM. */
int lack_memory(struct pb_error *error);
int wrong(const struct arguments *arguments, const char *format, ...)
	__attribute__((format(printf, 2, 3))); /* returns WRONG_USAGE */
/* What the library said of an option's value, or of the words (OPT_MAX): returns WRONG_USAGE, or
 * FAILED where it was memory that it lacked. */
int refused(const struct arguments *arguments, int err, enum option_id id,
	    const struct pb_error *error);
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* 1234567 -> "1.2M"; at most 6 characters. */
const char *human(__u64 number, char text[16]);
/* Now, UTC, by ISO 8601 with milliseconds. */
#define ISO_TIME 40
const char *iso_time(char text[ISO_TIME]);

/* arguments.c: what several commands read from their arguments */
bool given(const struct arguments *arguments, enum option_id id);
/* -r NAME, or "default". */
const char *ruleset_name(const struct arguments *arguments);
/* An option's number; WRONG_USAGE after a message. `number` is left alone where it is not given. */
int option_number(const struct arguments *arguments, enum option_id id, unsigned long min,
		  unsigned long max, __u32 *number);
/*
 * Interface words to as many indexes, each once, which the caller frees; FAILED or WRONG_USAGE after
 * a message, and `ifindexes` is left alone.
 */
int interface_indexes(const struct arguments *arguments, int **ifindexes);
/*
 * Reads a ruleset file: FAILED after a message for each problem; notes go to stderr. The caller
 * frees `rules`.
 */
int read_file(const char *path, struct pb_rules **rules);
/* The rule that options and words say, which the caller frees; WRONG_USAGE after a message. */
int rule_from_arguments(const struct arguments *arguments, struct pb_rule **rule);
/* Is any part of a rule given by an option? */
bool rule_options_given(const struct arguments *arguments);

/*
 * cmd-diff.c: prints how rules, which are called `to`, differ from those of a loaded ruleset. 0 same, 1 differs,
 * WRONG_USAGE after a message.
 */
int diff_rules(const char *name, const char *to, const struct pb_rules *wanted);

/* change.c: edits the rules, returns 0, an error, or 1 where there is nothing to change */
typedef int change_function(struct pb_rules *rules, void *context, struct pb_error *error);
/* One transaction on the ruleset of -r, guarded, with --confirm; FAILED after a message. */
int change_ruleset(const struct arguments *arguments, change_function *change, void *context);
/*
 * The same, but where `at_once` makes the change without reading the ruleset: that returns 1 then, 0 where it cannot and
 * has changed nothing, or an error. It is not asked for a change that is to be confirmed.
 */
typedef int at_once_function(const struct arguments *arguments, struct pb_ruleset *ruleset,
			     void *context, struct pb_error *error);
int change_ruleset_or(const struct arguments *arguments, at_once_function *at_once,
		      change_function *change, void *context);
/* A word, on stderr, where rules of the ruleset reject and an interface does not send what they tell. */
void warn_of_answers(const char *ruleset);
/* The same of a ruleset of which some rule is known to reject. */
void warn_of_interfaces(const char *ruleset);

/* What to say of a command that has --confirm. */
#define GUARD_CONFIRM "--confirm 60s tries it and comes back by itself, " GUARD_FORCE
#define GUARD_FORCE "--force does it"

/* guard.c: is the command given through an SSH connection? Else nothing need be asked. */
bool guarded(void);
/*
 * An error where what is to come would cut the SSH connection in use, or that cannot be
 * told; `way_on` says what the user may do then. guard_ruleset(): of a ruleset that is there, which
 * keeps its interfaces.
 */
int guard(const struct pb_prospect *prospect, const char *way_on, struct pb_error *error);
int guard_ruleset(const struct pb_ruleset *ruleset, const struct pb_rules *rules,
		  const char *way_on, struct pb_error *error);
/* The same together with what is to become of a set; NULL: they stay as they are. */
int guard_with_set(const struct pb_ruleset *ruleset, const struct pb_rules *rules,
		   const struct pb_set_prospect *set, const char *way_on, struct pb_error *error);
/* From which addresses packets of that connection come; `nr` 0: there is none. An error as guard() gives it. */
#define GUARD_SOURCES 2
int guard_sources(struct pb_prefix sources[GUARD_SOURCES], size_t *nr, const char *way_on,
		  struct pb_error *error);

/*
 * write.c: FAILED after a message. Whoever reads a file sees the old one or the new one, whole, and
 * the new one has the mode and the owner of the old; what is no file (a device, a pipe) is written
 * to; links are followed.
 */
int write_file(const char *path, const char *text);
/* The same of the elements of a ruleset's sets; "-": standard output. */
int save_elements(struct pb_ruleset *ruleset, const char *path);

/*
 * restored.c: read_saved() reads a file of elements that are to be brought back, and read_elements() that of
 * --elements, which is given beside the file of rules `rules` (NULL: none); `saved` is left alone where it is not given.
 * FAILED or WRONG_USAGE after a message. print_restored() says what came of it; `saved` NULL: nothing.
 */
int read_saved(const char *path, struct pb_saved **saved);
int read_elements(const struct arguments *arguments, const char *rules, struct pb_saved **saved);
void print_restored(const struct pb_saved *saved);

/* print.c: text and JSON */
struct json_object;
int print_rules(struct pb_ruleset *ruleset, const struct pb_rules *rules, bool json);
/* Adds a key for each setting. */
void settings_to_json(struct json_object *json, const struct pb_settings *settings);
int print_interfaces(struct pb_interface *const *interfaces, size_t nr, bool json);
struct json_object *interface_to_json(const struct pb_interface *interface);
/* Why an interface's counters are not shown: "not readable (Operation not permitted)" */
#define UNREADABLE 80
const char *unreadable(const struct pb_interface *interface, char text[UNREADABLE]);
struct counters;
void print_counters(const struct counters *counters);
/* To a file, or stdout where `path` is NULL. */
int print_prometheus(const struct counters *counters, const char *path);

#endif
