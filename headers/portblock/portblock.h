/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libportblock: block ports in XDP. Everything of xdp-portblock but argv and the terminal.
 *
 * Conventions, for every function here unless it says otherwise:
 * - Returns 0 or a negative errno. On failure `error` (may be NULL) holds one line for a person:
 *   it quotes the word that was wrong and says what would be right. Outputs are then unchanged.
 * - Ports are host order. Addresses are network order. Times are nanoseconds on CLOCK_BOOTTIME.
 * - A structure that is declared here without members is the library's own: it makes and frees it. It
 *   makes those that grow at their end, too (struct pb_rule, pb_interface, pb_explanation): programs read
 *   their members by a pointer, and never have one by value, nor an array of them.
 * - A structure that begins with `size` is the program's: zero it, and set `size` to sizeof of it.
 *   Where options may be NULL, that is as zero. -EINVAL: no size. -E2BIG: the program is built for a
 *   later library, and asks for what this one does not know. All others keep their size.
 * - Text is NUL-terminated UTF-8; a `char **text` output is for the caller to free().
 * - Nothing is printed, no signal is touched, no environment variable is set, no child is made, the
 *   process never exits. Not thread-safe for one object; different objects may be used by different
 *   threads.
 */
#ifndef PORTBLOCK_H
#define PORTBLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <portblock/abi.h>

#ifdef __cplusplus
extern "C" {
#endif
/* All else in the library is hidden. */
#pragma GCC visibility push(default)

struct json_object;

struct pb_error {
	char text[1024];
};

/*
 * Takes libbpf's and libxdp's own messages, without the last newline: warnings, or with `all` every one
 * of them; NULL (as at first): they are dropped. That is so for the whole process while a function of
 * this library runs; the caller's own printers are back when the last that runs returns. Each thread
 * that is in such a function calls it, or one of the library's own while that waits, so several may at
 * once; it calls nothing of this library.
 */
typedef void (*pb_logger)(const char *line);
void pb_log_set(pb_logger function, bool all);

/* ---- Rules ------------------------------------------------------------------------------- */

/* An IPv4 (family 4, address in the first four bytes) or IPv6 (family 6) prefix. Host bits are 0. */
struct pb_prefix {
	__u8 addr[16];
	__u8 family;
	__u8 len;
};

/*
 * A rule as it is written. It grows at its end: pb_rule_new() makes one, and programs neither declare
 * nor copy one by value. Ports are sorted by first, then last, without duplicates; ranges may overlap,
 * and the narrowest one that holds a port gives the rule its rank there. 0 is no port. Prefixes are
 * sorted by family, address and length, without duplicates. Without protocols and ports it is about all IP
 * packets of its sources, those without ports included.
 */
struct pb_rule {
	__u32 id; /* 1 to PB_RULES_LIMIT; 0: not among others yet */
	enum pb_action action;
	enum pb_side side;
	unsigned int protocols; /* bit 1 << enum pb_proto */
	struct pb_range *ports;
	size_t nr_ports;
	struct pb_prefix *from; /* none: any source */
	size_t nr_from;
	struct pb_prefix *except;
	size_t nr_except;
	bool only_new; /* only packets of no connection of this host */
	__u64 expires; /* 0: never */
	char comment[PB_COMMENT_LEN];
	bool added;    /* read only: not in the generation that was read */
	__u64 packets; /* read only: counted so far */
	__u64 bytes;
	/* Names of sets, sorted, without duplicates: sources beside those of `from` and `except`. */
	char **from_sets;
	size_t nr_from_sets;
	char **except_sets;
	size_t nr_except_sets;
	struct pb_over over; /* only packets beyond a rate; rate.amount 0: all */
};

/* An empty rule, for the functions below to fill. NULL: no memory. */
struct pb_rule *pb_rule_new(void);
/* Frees it and what it owns; NULL is none. */
void pb_rule_free(struct pb_rule *rule);
/* Frees what a rule owns and empties it. */
void pb_rule_clear(struct pb_rule *rule);

/* Makes `to` (cleared first) a copy that owns its own memory. -ENOMEM. */
int pb_rule_copy(struct pb_rule *to, const struct pb_rule *from);

/*
 * Sets one field from its text: `word` is a keyword of the text form ("dport", "sport", "from",
 * "except", "expires", "comment", "new", "action", "protocols"). PORTS as in `22,80-90,ssh`;
 * protocols as in `tcp,udp`; sources as in `10.0.0.0/8,fd00::1,@bans`: prefixes (host bits are
 * masked, and `note`, if not NULL, then tells so: the caller may show it), sets by name, and files,
 * which are an `@` and a name with a slash in it, relative to the working directory: prefixes, white
 * space or commas between, # comments. `now`: see pb_clock(). "new" takes no text (NULL or "").
 * Service names in PORTS are those of the rule's protocols: set these first; while none are set, any
 * protocol's do. A field that was set is replaced; `note` is made empty when there is nothing to
 * tell. -EINVAL with the user's word quoted; -ENOENT unknown field.
 */
int pb_rule_set(struct pb_rule *rule, const char *word, const char *text, __u64 now,
		struct pb_error *note, struct pb_error *error);

/*
 * Reads the text form from words: `ACTION PROTOCOLS dport|sport PORTS [from S,..] [except S,..]
 * [new] [expires DURATION] [comment TEXT]`, or the short form `[ACTION] PORTS/PROTOCOLS` followed
 * by the same optional fields; or `ACTION from S,.. [except S,..] [expires DURATION]
 * [comment TEXT]`, about sources alone. The fields behind the protocols may come in any order, each
 * once. The action may be left out (drop), and so may the protocols of the long form (tcp,udp).
 * `rule` is replaced.
 */
int pb_rule_parse(char *const *words, size_t nr, __u64 now, struct pb_rule *rule,
		  struct pb_error *note, struct pb_error *error);

/* Splits a line into words: white space between, "double quotes" around a whole word with \" and \\
 * in it; a word that starts with # ends the line. The caller frees with pb_words_free(). -EINVAL on
 * a quote left open or inside a word. */
int pb_words_split(const char *line, char ***words, size_t *nr, struct pb_error *error);
void pb_words_free(char **words, size_t nr);

/* A rule that makes sense as a whole? (ports and protocols given, or `from` alone, `new` without
 * sport, a source left after `except`, ...) -EINVAL. pb_rule_parse() has called it already. */
int pb_rule_check(const struct pb_rule *rule, struct pb_error *error);

/* The canonical text form on one line, no newline; pb_rule_parse() reads it back, unless the rule has
 * ended at `now` (`expires 0s`, which no rule can start with): leave ended rules out. -ENOMEM. */
int pb_rule_format(const struct pb_rule *rule, __u64 now, char **text);

/* JSON, as xdp-portblock-json(5) says: keys id, action, protocols, side, ports, from, except,
 * from_sets, except_sets (names), new, expires_in (seconds or null), comment (or null), packets,
 * bytes. NULL on -ENOMEM. */
struct json_object *pb_rule_to_json(const struct pb_rule *rule, __u64 now);
/* Unknown keys, wrong types and bad values are -EINVAL; packets, bytes and id are ignored. A key
 * that is absent or null is as left out in the text form; `ports` must be there, or sources
 * without protocols. */
int pb_rule_from_json(const struct json_object *json, __u64 now, struct pb_rule *rule,
		      struct pb_error *error);

/* Parts of the text form, for tables and messages: "22,80-90", "tcp,udp", "10.0.0.0/8,..".
 * NULL when memory ran out. The caller frees. */
char *pb_ports_text(const struct pb_range *ports, size_t nr);
char *pb_protocols_text(unsigned int protocols);
char *pb_prefixes_text(const struct pb_prefix *prefixes, size_t nr);
/* Prefixes, then sets: "10.0.0.0/8,@bans". */
char *pb_sources_text(const struct pb_prefix *prefixes, size_t nr, char *const *sets,
		      size_t nr_sets);
/* "1h30m", "45s"; rounds up to whole seconds. */
char *pb_duration_text(__u64 ns);
/* "90s", "10m", "1h30m", "2d": at least 1 s, at most 3650 days. */
int pb_duration_parse(const char *text, __u64 *ns, struct pb_error *error);

const char *pb_action_name(enum pb_action action);
const char *pb_side_name(enum pb_side side);
const char *pb_proto_name(enum pb_proto proto);
const char *pb_policy_name(enum pb_policy policy);
/* "pass", "drop-rule", "drop-policy", "audit", "noport", "fragment", "malformed", "unparsable" */
const char *pb_outcome_name(enum pb_outcome outcome);
/* "allow" or "deny" */
int pb_policy_parse(const char *text, enum pb_policy *policy, struct pb_error *error);

/* CLOCK_BOOTTIME now, nanoseconds: the host's, also in a time namespace. */
__u64 pb_clock(void);

/*
 * Text of whomever, for a terminal: control characters, what is no UTF-8, and what turns the
 * direction of writing or ends a line are escaped. In a line, as \xNN a byte; in lines likewise, but
 * newlines and tabs stay; in JSON, which it leaves right and the same, as \uNNNN. What the library
 * says of errors is escaped already. The caller frees; NULL when memory ran out.
 */
enum pb_escape { PB_ESCAPE_LINE, PB_ESCAPE_LINES, PB_ESCAPE_JSON };
char *pb_text_escape(const char *text, enum pb_escape how);
/* The same without memory: as much of it as there is room for, and a NUL. `room` is 17 at least. */
void pb_text_escape_into(char *out, size_t room, const char *text, enum pb_escape how);
/* Room for any text of that length in bytes. */
#define PB_ESCAPED(length) (6 * (length) + 17)

/* ---- Many rules in memory ---------------------------------------------------------------- */

/* Zeroed, they are at their defaults. */
struct pb_settings {
	enum pb_policy policy;
	bool no_replies;      /* policy deny drops replies to own connections, too */
	bool drop_fragments;  /* later fragments are dropped */
	bool pass_unparsable; /* unparsable packets are passed */
	bool reserved1;
	__u32 answers; /* of `reject`, at most so many a second and CPU; 0: PB_ANSWERS_DEFAULT */
	bool reserved[20]; /* for more of them */
};

#define PB_ANSWERS_NONE ((__u32)-1) /* nobody is told */

/*
 * Settings by name, as in the text form: policy allow|deny|reject, replies on|off, fragments
 * pass|drop, unparsable drop|pass (the default first), answers 1000/s or off. pb_setting_name() lists
 * them: NULL behind the last. The value of answers is there until the thread asks for it twice more.
 * pb_setting_set(): -ENOENT unknown name, -EINVAL unknown value.
 */
const char *pb_setting_name(size_t i);
const char *pb_setting_value(const struct pb_settings *settings, const char *name);
bool pb_setting_is_default(const struct pb_settings *settings, const char *name);
int pb_setting_set(struct pb_settings *settings, const char *name, const char *value,
		   struct pb_error *error);

/* Settings as PB_SLOT_* flags, and back; but for `answers`. */
__u32 pb_settings_flags(const struct pb_settings *settings);
struct pb_settings pb_settings_of(__u32 flags);

/* The rules and settings of a ruleset, in memory. Rules are sorted by id. */
struct pb_rules;

/* No rules, and settings at their defaults; ids go from 1 to PB_RULES_LIMIT. NULL: no memory. */
struct pb_rules *pb_rules_new(void);
/* Frees them and what they own; NULL is none. */
void pb_rules_free(struct pb_rules *rules);

size_t pb_rules_nr(const struct pb_rules *rules);
/*
 * The rule at a place, from 0 on; NULL behind the last. It is where it was until rules are added or
 * deleted, and what is not part of its match may be changed there.
 */
struct pb_rule *pb_rules_at(const struct pb_rules *rules, size_t place);
/* To be read, or changed, where they are. */
struct pb_settings *pb_rules_settings(const struct pb_rules *rules);
/* Of the ruleset that they were read from; 0: of none. */
__u64 pb_rules_generation(const struct pb_rules *rules);

enum pb_added { PB_ADDED, PB_CHANGED, PB_UNCHANGED };

/*
 * Adds a rule, or, where the same rule (protocols, side, ports, sources, new) is there, changes
 * its action, comment and expiry and keeps its id and counters. `rule` is moved from (emptied) on
 * success; its id is not looked at. `id`, `what` (each may be NULL) tell what was done.
 * -ENOSPC: all ids are taken, names --max-rules. -ENOMEM.
 */
int pb_rules_add(struct pb_rules *rules, struct pb_rule *rule, __u32 *id, enum pb_added *what,
		 struct pb_error *error);

/* Finds by id, or the same rule (see above); NULL where there is none. */
struct pb_rule *pb_rules_find(const struct pb_rules *rules, __u32 id);
struct pb_rule *pb_rules_find_same(const struct pb_rules *rules, const struct pb_rule *rule);

/* Returns -ENOENT with a message: the rule is not there, but these come near (overlapping ports). */
int pb_rules_missing(const struct pb_rules *rules, const struct pb_rule *rule,
		     struct pb_error *error);

/* Deletes the rule with that id. -ENOENT names the id and what ids there are. */
int pb_rules_del(struct pb_rules *rules, __u32 id, struct pb_error *error);

/* Deletes all rules that `drop` picks, in one pass; returns how many. */
size_t pb_rules_del_if(struct pb_rules *rules, bool (*drop)(const struct pb_rule *rule, void *ctx),
		       void *ctx);

/*
 * Sets the policy. Turning it to deny adds the rules that keep a host reachable by its own
 * network, commented "failsafe": DHCP (udp dport 68) and DHCPv6 (udp dport 546), unless there is
 * a rule for those packets alone. -ENOSPC as pb_rules_add().
 */
int pb_rules_policy(struct pb_rules *rules, enum pb_policy policy, struct pb_error *error);

/*
 * A packet as rules see it. One without ports (ICMP, a later fragment, ...) has the protocol
 * PB_PROTO_MAX and ports 0: only rules about sources alone match it.
 */
struct pb_flow {
	enum pb_proto proto;
	__u16 sport;
	__u16 dport;
	struct pb_prefix source; /* of full length */
	bool connected;		 /* belongs to a connection of this host */
};

/* How well a rule matches: what decides between rules beside action and id. */
struct pb_match {
	const struct pb_rule *rule;
	/* Of the longest `from` prefix that holds the source, IPv4 + 96; 128: a set does. */
	unsigned int len;
	/* Of the narrowest range that holds the port; PB_WIDTH_ALL: sources alone. */
	unsigned int width;
};

/* Does one of the prefixes hold the host? */
bool pb_prefixes_hold(const struct pb_prefix *prefixes, size_t nr, const struct pb_prefix *host);

/* Does the rule match at `now`? As if all sets were empty, here and in the next two functions. */
bool pb_rule_match(const struct pb_rule *rule, const struct pb_flow *flow, __u64 now,
		   struct pb_match *match);
/* All rules that match, the winner first. The caller frees. -ENOMEM. */
int pb_rules_matches(const struct pb_rules *rules, const struct pb_flow *flow, __u64 now,
		     struct pb_match **matches, size_t *nr);
/*
 * The outcome of a packet and the rule that decided; NULL: the policy did, or, for a packet without
 * ports (then PB_OUTCOME_NOPORT, whatever it is), none.
 */
enum pb_outcome pb_rules_judge(const struct pb_rules *rules, const struct pb_flow *flow, __u64 now,
			       const struct pb_rule **rule);

/* Does the set with that name hold the source, which is of full length? */
typedef bool (*pb_set_holds_function)(const char *name, const struct pb_prefix *source,
				      void *context);
/* The same three, with the elements of sets, as `holds` (NULL: of none) says. */
bool pb_rule_match_in(const struct pb_rule *rule, const struct pb_flow *flow, __u64 now,
		      pb_set_holds_function holds, void *context, struct pb_match *match);
int pb_rules_matches_in(const struct pb_rules *rules, const struct pb_flow *flow, __u64 now,
			pb_set_holds_function holds, void *context, struct pb_match **matches,
			size_t *nr);
enum pb_outcome pb_rules_judge_in(const struct pb_rules *rules, const struct pb_flow *flow,
				  __u64 now, pb_set_holds_function holds, void *context,
				  const struct pb_rule **rule);

/* Deletes rules that have expired at `now`; returns how many. */
size_t pb_rules_expire(struct pb_rules *rules, __u64 now);

/* ---- Rulesets in files -------------------------------------------------------------------- */

#define PB_PROBLEMS_MAX 20
#define PB_PROBLEMS_END 10000

/*
 * Lines for a person, "FILE:LINE: what is wrong", and how many there were beyond those; reading
 * ends when it has found PB_PROBLEMS_END in all.
 */
struct pb_problems {
	struct pb_error list[PB_PROBLEMS_MAX];
	size_t nr;
	size_t more;
};

/*
 * Reads a ruleset from a file ("-": standard input), as xdp-portblock.rules(5) says; JSON where its
 * name ends in .json. A pipe or a terminal is read up to its end. Files that a file names are
 * relative to it. -EINVAL: `problems` says all that is wrong, and `rules` is as it was. `notes` (may
 * be NULL): what is right and yet worth a word. The caller frees `rules`.
 */
int pb_rules_read(const char *path, __u64 now, struct pb_rules **rules,
		  struct pb_problems *problems, struct pb_problems *notes);

/* The text form, as pb_rules_read() takes it; rules that have ended are left out. -ENOMEM. */
int pb_rules_format(const struct pb_rules *rules, __u64 now, char **text);
/* JSON: "ruleset" (unless NULL), a key a setting, and "rules"; likewise. */
struct json_object *pb_rules_to_json(const struct pb_rules *rules, const char *ruleset, __u64 now);

/* Would they fit a ruleset of that size? -ENOSPC as pb_ruleset_commit(). No system call. */
int pb_rules_check(const struct pb_rules *rules, __u32 max_rules, struct pb_error *error);

/*
 * Makes the rules and settings of `rules` those of `wanted`, and adds its sets, which hold where they
 * are there otherwise. Rules that are in both keep their id and counters. -ENOSPC as pb_rules_add().
 */
int pb_rules_replace(struct pb_rules *rules, const struct pb_rules *wanted, struct pb_error *error);

/* ---- Rulesets: rules in pinned maps, read by the XDP program ----------------------------- */

/* An open ruleset. Its maps are pinned in <bpffs>/xdp-portblock/NAME/. */
struct pb_ruleset;

struct pb_ruleset_options {
	size_t size;
	__u32 max_rules;   /* 0: PB_RULES_DEFAULT */
	__u32 max_sources; /* 0: PB_SOURCES_DEFAULT */
	__u32 max_buckets; /* 0: PB_BUCKETS_DEFAULT; at most PB_BUCKETS_LIMIT */
	__u32 reserved;	   /* 0 */
};

/* -EINVAL: letters, digits, - and _ only, at most PB_NAME_LEN - 1 of them. */
int pb_ruleset_name_check(const char *name, struct pb_error *error);

/* What a command in a message needs to mean this ruleset: " -r NAME"; "" for the default one. */
#define PB_RULESET_OPTION_LEN (PB_NAME_LEN + 4)
const char *pb_ruleset_option(const char *name, char text[PB_RULESET_OPTION_LEN]);

/*
 * Opens the maps of a ruleset that is there, all of one ruleset, waiting for a change that is under
 * way. -ENOENT: nothing is loaded under that name (names `load`). -EPROTO: pinned by another abi
 * version, or something else is pinned in the place of a map. -EPERM, -EACCES: names the
 * capabilities, or what is open to others. The caller closes. Changes nothing.
 */
int pb_ruleset_open(const char *name, struct pb_ruleset **ruleset, struct pb_error *error);
void pb_ruleset_close(struct pb_ruleset *ruleset);

const char *pb_ruleset_name(const struct pb_ruleset *ruleset);

/*
 * What a ruleset was made with. The caller sets limits->size, as for options; what it has beyond what
 * this library knows is 0. -EINVAL: no size.
 */
int pb_ruleset_limits(const struct pb_ruleset *ruleset, struct pb_ruleset_options *limits,
		      struct pb_error *error);

/*
 * The number of the generation in force now: that of what pb_ruleset_read() reads, until the rules
 * change, by whomever, or go back by the clock. No two generations have the same. No system call.
 */
__u64 pb_ruleset_generation(const struct pb_ruleset *ruleset);

/*
 * Reads the generation in force, with counters; once the ruleset is unloaded, the last one that it
 * had. The caller frees `rules`.
 */
int pb_ruleset_read(struct pb_ruleset *ruleset, struct pb_rules **rules, struct pb_error *error);

/*
 * A change: begin takes the ruleset's lock (waiting for another process's change) and reads the
 * rules, those that have ended left out; the caller edits `rules`; commit compiles it into the idle
 * slot and publishes it by one store; abort lets go. Both end the change and free `rules`; after a
 * begin that failed there is nothing to end, and abort takes NULL. Commit fails with -ENOSPC and a
 * message naming limit, number and option when something does not fit; the generation in force is
 * then untouched. With `confirm` (nanoseconds; 0: at once for good) the generation from before
 * comes back after that time, by the kernel's clock and with no process running, unless
 * pb_ruleset_confirm() is called; until then another change is -EBUSY.
 * This and the other functions that change a ruleset change the one that is there: where it was
 * unloaded and loaded anew since it was opened, it is opened anew, so not while a monitor or a test
 * run of the object is open. -ENOENT: there is none any more.
 */
int pb_ruleset_begin(struct pb_ruleset *ruleset, struct pb_rules **rules, struct pb_error *error);
int pb_ruleset_commit(struct pb_ruleset *ruleset, struct pb_rules *rules, __u64 confirm,
		      struct pb_error *error);
void pb_ruleset_abort(struct pb_ruleset *ruleset, struct pb_rules *rules);

/*
 * A change that adds one rule without reading, compiling and writing the others, so in a time that does not grow with
 * their number: of `drop`, `audit` and `allow` by destination ports of TCP and UDP, at most six ranges that no rule covers
 * yet, with no condition. 1: it is in force, and `id` its id. 0: it takes begin, pb_rules_add() and commit (it has a
 * condition, rules cover its ports already, a change is pending, ...); nothing was changed. In one step as by commit, with a
 * number of its own as generation; errors as of begin. `rule` stays the caller's.
 */
int pb_ruleset_add_alone(struct pb_ruleset *ruleset, const struct pb_rule *rule, __u32 *id,
			 struct pb_error *error);

/* Nanoseconds left to confirm a change; 0: none is pending. */
__u64 pb_ruleset_pending(const struct pb_ruleset *ruleset);
/* Keeps the pending change. -ENOENT: there is none; -ETIME: too late. */
int pb_ruleset_confirm(struct pb_ruleset *ruleset, struct pb_error *error);
/* Reads the rules that come back unless the pending change is confirmed. -ENOENT: there is none. */
int pb_ruleset_read_before(struct pb_ruleset *ruleset, struct pb_rules **rules,
			   struct pb_error *error);
/* Brings the generation from before the pending change back at once. -ENOENT: there is none. */
int pb_ruleset_rollback(struct pb_ruleset *ruleset, struct pb_error *error);

/*
 * Counters of all rules and of the interfaces bound to the ruleset count from 0 on, exactly: a
 * packet is counted before or after. For that the calling thread goes from CPU to CPU, and then back
 * to where it may be. The buckets of all rates are full then; what was counted of rates and answers
 * (pb_ruleset_rates()) goes on. On failure no counter is reset.
 */
int pb_ruleset_reset(struct pb_ruleset *ruleset, struct pb_error *error);

/*
 * Names of the rulesets that have pins here, sorted; the caller frees each and the array. -EPERM: the
 * folder is not ours alone.
 */
int pb_ruleset_names(char ***names, size_t *nr, struct pb_error *error);

/* ---- Rates: how full buckets are ---------------------------------------------------------- */

/* A token bucket. It fills by the clock alone; looking takes nothing out of it. */
struct pb_bucket {
	__u64 left;    /* packets or bits, as its rate counts, that may come at once */
	__u64 burst;   /* so many it holds; 0: there is no such bucket */
	__u64 full_in; /* ns until it is full; 0: it is */
};

/* Those of a rule with `over`. */
struct pb_buckets {
	size_t size;
	struct pb_bucket rate; /* the rule's own; with `each` that of the source which is asked for */
	struct pb_bucket total; /* with `each`: that of all its sources together */
	bool over; /* a packet from there is beyond one of them: the rule holds for it */
	bool reserved[7];
};

/*
 * How full the buckets of a rule are, in the generation in force. `source`: of full length; NULL: none is asked for.
 * With `each`, one that has no bucket yet has a full one. `length`: of the packet that `over` is about, in bytes from the
 * link-layer header on. Changes nothing. -ENOENT: there is no such rule, or it has no `over`.
 */
int pb_rule_buckets(struct pb_ruleset *ruleset, __u32 id, const struct pb_prefix *source,
		    size_t length, struct pb_buckets *buckets, struct pb_error *error);

/* What is kept of rates and of the answers of `reject`; the first three since the ruleset is there. */
struct pb_rate_counts {
	__u64 evicted;	 /* buckets of sources that were not full when they went for another one */
	__u64 answered;	 /* packets whose sender was told */
	__u64 held_back; /* answers that were over the rate of answers */
	__u32 buckets;	 /* of sources, that are not full now */
	__u32 max_buckets; /* so many the ruleset was made for */
	__u64 reserved[4]; /* 0 */
};

/* Adds up what all CPUs have counted, and looks at each bucket of a source. Changes nothing. */
int pb_ruleset_rates(struct pb_ruleset *ruleset, struct pb_rate_counts *counts,
		     struct pb_error *error);

/* ---- Sets: sources of a ruleset by name --------------------------------------------------- */

/*
 * A named set of prefixes, of both families, which rules name (`from @NAME`). Its elements belong to the
 * ruleset and not to a generation: they change one by one while packets are judged, and what a function
 * here adds or takes out counts when it has returned. Each of these functions takes and leaves the lock of the
 * ruleset's elements, which is another than that of its rules. It grows at its end.
 *
 * A set whose elements are a file's is part of a generation instead: it is published with the rules that came
 * with it, and goes back with them. The functions that change a set refuse it (-EROFS, names the file).
 */
struct pb_set {
	char name[PB_NAME_LEN];
	__u64 timeout; /* ns, of an element that is added without one; 0: none */
	__u32 max;     /* elements at most */
	__u32 nr;      /* elements that count now */
	/* The file whose elements it has, by an absolute path; "": it has those that it is given. */
	char file[PB_SET_FILE_LEN];
};

/* An element: a prefix, and until when it counts. */
struct pb_element {
	struct pb_prefix prefix;
	__u64 expires; /* CLOCK_BOOTTIME, ns; 0: it does not expire */
};

/*
 * An address or a prefix: "192.0.2.1", "10.0.0.0/8", "2001:db8::/32". Bits behind the length are masked, and
 * `masked` (may be NULL) tells whether there were any.
 */
int pb_prefix_parse(const char *word, struct pb_prefix *prefix, bool *masked,
		    struct pb_error *error);

/*
 * How long an element counts: as pb_duration_parse(), or a plain number of seconds, as programs have it; "0": it
 * does not expire, and `ns` is 0.
 */
int pb_timeout_parse(const char *text, __u64 *ns, struct pb_error *error);

/*
 * Reads a list as they are published ("-": standard input): a line begins with an address or a prefix, and
 * what stands behind it is for people, if it is not another one; empty lines, and comments from # or ; on. Both
 * families, in any order; LF or CRLF. The elements come sorted, each once, and do not expire; there may be none. `note`
 * is added to, as pb_rule_set() does. -EINVAL names PATH:LINE. Refused is a last line without its end that has
 * bits behind the length, too: of a list that was cut off, "10.0.0.0/1" may be left of "10.0.0.0/16". The caller
 * frees the array.
 */
int pb_elements_read(const char *path, struct pb_element **elements, size_t *nr,
		     struct pb_error *note, struct pb_error *error);
/* The same of "192.0.2.1,2001:db8::/32", or of "@FILE", where the name of the file has a slash in it. */
int pb_elements_parse(const char *text, struct pb_element **elements, size_t *nr,
		      struct pb_error *note, struct pb_error *error);

/*
 * The sets that rules in memory come with, by name: those that a file of rules declares, without
 * elements (`nr` 0). They are the library's, and are there until the rules are changed.
 */
struct pb_set *const *pb_rules_sets(const struct pb_rules *rules, size_t *nr);
/*
 * The elements that such a set was read with, sorted: those of its file. They are the library's, as long. NULL:
 * it has none of its own, or the rules are those of a ruleset, where pb_set_elements() has them.
 */
const struct pb_element *pb_rules_elements(const struct pb_rules *rules, const char *name,
					   size_t *nr);

/* As a file of rules declares it: "set bans timeout 1d", "set hostile file /etc/hostile.txt". -ENOMEM. */
int pb_set_format(const struct pb_set *set, char **text);

/* As a name of a ruleset. -EINVAL quotes it. */
int pb_set_name_check(const char *name, struct pb_error *error);

/*
 * Makes an empty set. `max` 0: PB_SET_DEFAULT. One that is there with the same timeout and max is no error;
 * with others -EEXIST. -ENOSPC: PB_SETS_MAX are there. -E2BIG: max is more than PB_SET_LIMIT.
 */
int pb_set_create(struct pb_ruleset *ruleset, const char *name, __u64 timeout, __u32 max,
		  struct pb_error *error);
/* Removes a set. -ENOENT: not there. -EBUSY: a rule names it, in force or pending; the rule's id is said. */
int pb_set_destroy(struct pb_ruleset *ruleset, const char *name, struct pb_error *error);

/* The sets of a ruleset, by name. The caller frees them by pb_sets_free(). */
int pb_sets_list(struct pb_ruleset *ruleset, struct pb_set ***sets, size_t *nr,
		 struct pb_error *error);
void pb_sets_free(struct pb_set **sets, size_t nr);

/*
 * How long an element counts that is added without a time of its own, ns; 0: always. No look at elements, so it
 * takes as long whatever there is. -ENOENT: there is no such set.
 */
int pb_set_timeout(struct pb_ruleset *ruleset, const char *name, __u64 *ns, struct pb_error *error);

/*
 * The file whose elements the set has, by an absolute path; "": it has those that it is given. As quickly.
 */
int pb_set_file(struct pb_ruleset *ruleset, const char *name, char file[PB_SET_FILE_LEN],
		struct pb_error *error);

/*
 * The elements of a set that count now, sorted as prefixes are. The caller frees the array. -ENOENT: there
 * is no such set, names those that are.
 */
int pb_set_elements(struct pb_ruleset *ruleset, const char *name, struct pb_element **elements,
		    size_t *nr, struct pb_error *error);

/*
 * Adds elements; one that is there gets the new time. All or none: -ENOSPC names --max. `expires` of an
 * element is as it is: the caller has added the set's timeout.
 */
int pb_set_add(struct pb_ruleset *ruleset, const char *name, const struct pb_element *elements,
	       size_t nr, struct pb_error *error);
/* Takes elements out; one that is not there is no error. Only the prefix itself, not those within it. */
int pb_set_del(struct pb_ruleset *ruleset, const char *name, const struct pb_prefix *prefixes,
	       size_t nr, struct pb_error *error);
/* Makes these the elements of the set, in one step; none: it is flushed. -ENOSPC as pb_set_add(). */
int pb_set_replace(struct pb_ruleset *ruleset, const char *name, const struct pb_element *elements,
		   size_t nr, struct pb_error *error);
/* Exchanges the elements of two sets (with timeout and max), in one step. */
int pb_set_swap(struct pb_ruleset *ruleset, const char *name, const char *other,
		struct pb_error *error);

/*
 * How a set would change if these (sorted, each once) became its elements: so many would come, and so many go.
 * Changes nothing.
 */
int pb_set_compare(struct pb_ruleset *ruleset, const char *name, const struct pb_element *elements,
		   size_t nr, size_t *come, size_t *go, struct pb_error *error);

/* The longest element that holds the host. 1: it is in the set, and `element` (may be NULL) is filled. 0: not. */
int pb_set_test(struct pb_ruleset *ruleset, const char *name, const struct pb_prefix *host,
		struct pb_element *element, struct pb_error *error);

/* ---- Elements in files ------------------------------------------------------------------- */

/*
 * Sets with their elements as a file has them, which xdp-portblock(8) describes ("Elements in files"): what lasts while a
 * host is off. Their times there are those of the wall clock, and here those of the boot clock.
 */
struct pb_saved;

/* A set of it. It grows at its end. */
struct pb_saved_set {
	char name[PB_NAME_LEN];
	__u64 timeout; /* as it is made where it is not there */
	__u32 max;
	size_t elements;
	size_t ended; /* elements beside those, which have ended and are left out */
};

/*
 * Writes the elements of all sets of a ruleset, as they are at one moment, to an open file. -EIO and the like: it
 * could not be written.
 */
int pb_sets_save(struct pb_ruleset *ruleset, int fd, struct pb_error *error);

/*
 * Reads such a file ("-": standard input). The time that elements have left is what they have at this moment, or,
 * where the wall clock is behind the time at which the file was written, what they had then. `note` (may be NULL) is
 * added to. -EINVAL names PATH:LINE. The caller frees.
 */
int pb_saved_read(const char *path, struct pb_saved **saved, struct pb_error *note,
		  struct pb_error *error);
void pb_saved_free(struct pb_saved *saved);
/* The set at a place, from 0 on; NULL behind the last. It is there until `saved` is freed. */
const struct pb_saved_set *pb_saved_at(const struct pb_saved *saved, size_t place);

/*
 * Adds the elements to the sets of a ruleset, all in one step or none; sets that are not there are made. Of an
 * element that is there the later end holds. -ENOSPC names --max, or that there are too many sets.
 */
int pb_sets_restore(struct pb_ruleset *ruleset, const struct pb_saved *saved,
		    struct pb_error *error);

/*
 * The same with a change of rules: pb_ruleset_commit() has the elements in the sets before it puts the rules in
 * force. Sets that are neither there nor declared by the rules are declared. `saved` has to be there as long as
 * `rules` is. -ENOSPC: too many sets.
 */
int pb_rules_restore(struct pb_rules *rules, const struct pb_saved *saved, struct pb_error *error);

/* ---- The filter on interfaces ------------------------------------------------------------ */

enum pb_mode { PB_MODE_AUTO, PB_MODE_NATIVE, PB_MODE_SKB, PB_MODE_HW, PB_MODE_MAX };
const char *pb_mode_name(enum pb_mode mode);
/* "auto", "native", "skb" or "hw" */
int pb_mode_parse(const char *text, enum pb_mode *mode, struct pb_error *error);

/*
 * What reads frames: the BPF program itself, or the kernel module portblock_native that it calls.
 * PB_ENGINE_AUTO: as it is, BPF where nothing is loaded.
 */
enum pb_engine { PB_ENGINE_AUTO, PB_ENGINE_BPF, PB_ENGINE_NATIVE, PB_ENGINE_MAX };
const char *pb_engine_name(enum pb_engine engine);
/* "auto", "bpf" or "native" */
int pb_engine_parse(const char *text, enum pb_engine *engine, struct pb_error *error);

#define PB_PRIORITY_DEFAULT 9 /* ahead of xdp-filter's 10 */
#define PB_PRIORITY_MAX 65535
#define PB_CHAIN_PROGRAMS_MAX 16

/* A program of an interface's chain, in the order in which they run. */
struct pb_chain_program {
	char name[64];
	__u32 id;
	__u32 priority;
	bool ours;
};

/* For outcomes to come. */
#define PB_OUTCOMES_ROOM 32

/* What is on an interface, as the kernel says. It grows at its end. */
struct pb_interface {
	int ifindex;
	char name[16];
	bool loaded;	    /* our program is on it; else the fields below the chain are 0 */
	char obstacle[256]; /* "", or why it cannot be seen whether it is: the chain is not all */
	enum pb_mode mode;  /* of whatever XDP program is attached */
	bool dispatcher;    /* attached through libxdp's dispatcher, else a single program */
	struct pb_chain_program chain[PB_CHAIN_PROGRAMS_MAX];
	unsigned int nr_chain;
	unsigned int nr_ours; /* of the chain; more than one: the fields below are of the first, */
	bool exchange;	      /* or of that whose turn it is while one is exchanged for another */
	__u32 program_id;
	__u32 priority;
	bool frags; /* takes frames in several buffers */
	char ruleset[PB_NAME_LEN];
	bool pinned;	   /* the ruleset's pins are there and are these maps */
	int pins;	   /* why not: -ENOENT: gone; -EPROTO: not all; else they can't be seen */
	__u32 abi_version; /* of its maps */
	struct pb_settings settings;
	__u32 rules;
	__u64 pending; /* nanoseconds left to confirm a change of the ruleset; 0: none */
	struct pb_count outcomes[PB_OUTCOMES_ROOM]; /* by enum pb_outcome; 0 beyond the last */
	int outcomes_error; /* 0, or a negative errno: why `outcomes` could not be read */
	enum pb_engine engine;
	char module[32];	     /* the version of the native engine's kernel module; else "" */
	struct pb_rate_counts rates; /* of the ruleset, `buckets` 0; max_buckets 0: not known */
	__u32 group; /* id of the one that may read its ruleset without root; 0: none may */
};

/* An interface's index from its name or from a decimal index. -ENODEV quotes the word. */
int pb_interface_index(const char *word, int *ifindex, struct pb_error *error);

/* Do its frames begin with an Ethernet header? -EOPNOTSUPP: neither that nor bare IP. */
int pb_interface_ethernet(const char *name, bool *ethernet, struct pb_error *error);

/* Do they tell somebody, by a rule or the policy `reject`? */
bool pb_rules_reject(const struct pb_rules *rules);
/*
 * Will the answers of `reject` leave the interface, as far as can be seen? What is not loaded, or whose
 * driver is not known to lose them, is right. -ENETUNREACH: they are lost; -EREMOTE: they are unless its
 * peer in another network namespace has a program, too.
 */
int pb_interface_answers(const struct pb_interface *interface, struct pb_error *error);

/* Looks at one interface. Changes nothing. The caller frees it by free(). */
int pb_interface_get(int ifindex, struct pb_interface **interface, struct pb_error *error);

/*
 * All interfaces of this network namespace that carry our program, and those with an obstacle:
 * `loaded` tells. What comes or goes meanwhile may be there or not. The caller frees them by
 * pb_interfaces_free().
 */
int pb_interface_list(struct pb_interface ***interfaces, size_t *nr, struct pb_error *error);

/* Each of them, where it is not NULL, and the array. NULL: nothing. */
void pb_interfaces_free(struct pb_interface **interfaces, size_t nr);

struct pb_load_options {
	size_t size;
	enum pb_mode mode;
	const char *ruleset;	 /* NULL: "default", and none is moved to it */
	int priority;		 /* 0: PB_PRIORITY_DEFAULT */
	bool require_dispatcher; /* fail rather than attach as a single program */
	bool set_policy;	 /* `policy` is asked for */
	enum pb_policy policy;
	const struct pb_rules *rules; /* what the ruleset becomes first; NULL: as it is, or empty */
	const struct pb_ruleset_options *limits; /* NULL: as it is, or the default */
	enum pb_engine engine;			 /* a loaded interface is moved to it */
	__u32 reserved;				 /* 0 */
	const struct pb_saved
		*saved;	 /* elements to be brought back, as pb_rules_restore() does; NULL: none */
	__u32 set_group; /* 1: `group` is asked for */
	__u32 group;	 /* id of the one that may read the ruleset without root; 0: none may */
};

/* What became of one interface of a load. */
enum pb_loaded { PB_LOADED, PB_MOVED, PB_ALREADY_LOADED };
struct pb_load_result {
	enum pb_loaded what;
	struct pb_interface *interface; /* as it is now, for the caller to free() */
	char note[256]; /* "" or why it is not as good as could be (single program, no frags) */
};

/*
 * Loads the filter on interfaces, all or none: after a failure each is as it was. The ruleset is
 * made if it is not there. `results` (may be NULL) has room for `nr`. An interface that is loaded just as
 * asked is no error (PB_ALREADY_LOADED); one that differs is -EEXIST with what differs. One that is bound
 * to another ruleset or engine is moved to this one (PB_MOVED), without a moment in which packets pass
 * unjudged; its counters stay where the ruleset does.
 * `options` may be NULL.
 * -EBUSY: a foreign program holds it (name and id are said); -EOPNOTSUPP: the mode;
 * -ERANGE: the MTU; -ENOPKG: the native engine's module is not there, or of another version; -EPERM.
 */
int pb_filter_load(const int *ifindexes, size_t nr, const struct pb_load_options *options,
		   struct pb_load_result *results, struct pb_error *error);

/*
 * Puts this library's program in the place of the one that is loaded, rules and counters kept;
 * there is no moment without a program. `interfaces` (may be NULL) has room for `nr`, each as it is
 * then, for the caller to free(). -ENOENT: not loaded there; -EPROTO: the maps are of another abi version.
 */
int pb_filter_upgrade(const int *ifindexes, size_t nr, struct pb_interface **interfaces,
		      struct pb_error *error);

/*
 * Finishes what a process that was killed while it exchanged programs has left on the interfaces of
 * this network namespace, or undoes it; `recovered` gets of how many. The functions above and below
 * do that first; one that only reads may be preceded by it. Returns 0 without looking where another
 * process is at it, or where this one may not see the rulesets.
 */
int pb_filter_recover(size_t *recovered, struct pb_error *error);

/*
 * Takes the filter off interfaces; other programs of the chain stay. The pins of a ruleset that no
 * interface uses any more are removed unless `keep`. -ENOENT: not loaded there.
 */
int pb_filter_unload(const int *ifindexes, size_t nr, bool keep, struct pb_error *error);

/* What became of one of all: taken off, or why not. */
typedef void pb_unloaded_function(const struct pb_interface *interface,
				  const struct pb_error *error, void *context);

/*
 * The same for all interfaces of this network namespace, where one that cannot be taken off leaves
 * the others no longer loaded: an error is of none of them.
 */
int pb_filter_unload_all(bool keep, pb_unloaded_function *function, void *context,
			 struct pb_error *error);

/*
 * Removes the pins of rulesets that no program in the kernel uses, with `kept` also of those that
 * were kept on purpose; `removed` gets how many there were.
 */
int pb_rulesets_remove_unused(bool kept, size_t *removed, struct pb_error *error);

/* ---- Packets as they come ----------------------------------------------------------------- */

struct pb_monitor_filter {
	size_t size;
	__u32 outcomes; /* bit 1 << enum pb_outcome */
	__u32 rate;	/* packets a second and CPU, at most */
	__u32 rule;	/* id; 0: any */
	__u16 port;	/* destination or source; 0: any */
	__u16 snaplen;	/* bytes of each packet, 0 to PB_SNAPLEN_MAX */
};

/* An event and its captured bytes, valid during the call; other than 0 ends the poll with it. */
typedef int pb_monitor_function(const struct pb_event *event, const unsigned char *data,
				void *context);

/*
 * Listens to the packets of a ruleset's interfaces: the program reports them only while somebody
 * does. -EBUSY: another process listens, in whatever namespace. The ruleset must stay open, and not
 * be changed through the same object, until pb_monitor_close().
 */
struct pb_monitor;
int pb_monitor_open(struct pb_ruleset *ruleset, const struct pb_monitor_filter *filter,
		    pb_monitor_function *function, void *context, struct pb_monitor **monitor,
		    struct pb_error *error);
void pb_monitor_close(struct pb_monitor *monitor);

/*
 * Hands on what has been reported, waiting up to that time; to be called at least each second.
 * -ENOENT: the ruleset was unloaded; or what the function returned, if less than 0.
 */
int pb_monitor_poll(struct pb_monitor *monitor, int milliseconds);

/* Packets since pb_monitor_open() that were not reported: over the rate, or no room for them. */
void pb_monitor_missed(const struct pb_monitor *monitor, __u64 *suppressed, __u64 *lost);

/* ---- What would happen to a packet -------------------------------------------------------- */

/* It grows at its end. */
struct pb_explanation {
	bool drop;
	enum pb_outcome outcome;
	__u32 rule; /* id; 0: none decided */
	/* How the ports were found. */
	enum pb_outcome parsed; /* PB_OUTCOME_PASS: there are ports, in `flow` */
	struct pb_flow flow;	/* `source` where `family` is not 0 */
	unsigned int tags;
	unsigned int extensions;
	unsigned int network;  /* where the IP header begins */
	unsigned int protocol; /* the number at which the search ended */
	unsigned int family;
	bool first_fragment;
	bool cut;      /* PB_OUTCOME_UNPARSABLE: a first fragment that does not hold its ports */
	size_t length; /* of the frame that the program was run on; else 0 */
	bool told;     /* PB_OUTCOME_REJECT: the sender is told, as often as `answers` lets it be */
};

/* An empty one, for the functions below to fill; freed by free(). NULL: no memory. */
struct pb_explanation *pb_explanation_new(void);

/*
 * An instance of the program that runs on packets of the caller's by BPF_PROG_TEST_RUN: it shares the
 * rules with the loaded one, counts nothing and reports nothing. Sockets are those of the
 * caller's network namespace.
 */
struct pb_test_run;
int pb_test_run_open(struct pb_ruleset *ruleset, bool ethernet, struct pb_test_run **run,
		     struct pb_error *error);
/* The same of an engine. -ENOPKG: as pb_filter_load(). */
int pb_test_run_open_engine(struct pb_ruleset *ruleset, bool ethernet, enum pb_engine engine,
			    struct pb_test_run **run, struct pb_error *error);
void pb_test_run_close(struct pb_test_run *run);
/* Runs it on one frame. -EINVAL: shorter than the kernel takes (14 bytes). */
int pb_test_run_frame(struct pb_test_run *run, const void *frame, size_t length,
		      struct pb_explanation *explanation, struct pb_error *error);
/* The part of it that needs no program: how the ports are found. */
void pb_explain_parse(const void *frame, size_t length, bool ethernet,
		      struct pb_explanation *explanation);

/* ---- A connection that is not to be cut --------------------------------------------------- */

/* A TCP connection to this host, as the server sees it. */
struct pb_connection {
	struct pb_prefix client; /* of full length, as `server` */
	struct pb_prefix server;
	__u16 client_port;
	__u16 server_port;
	int scope; /* the interface that link-local addresses belong to; 0: none, or unknown */
};

/*
 * From which addresses its packets come, as they are judged: the client's, and the one that it has before this host
 * translates it, mostly the same. -errno: that cannot be found out.
 */
int pb_connection_sources(const struct pb_connection *connection, struct pb_prefix sources[2],
			  struct pb_error *error);

/* What is to become of a set: some of its elements go, and others come. One that is not there is passed over. */
struct pb_set_prospect {
	const char *name;
	const struct pb_element *elements; /* that come */
	size_t nr;
	const struct pb_prefix *gone; /* that go */
	size_t nr_gone;
	bool replaces;	   /* all that are there go */
	const char *other; /* the set that it is exchanged with; NULL: none */
};

/* What is to become of a ruleset. It grows at its end. */
struct pb_prospect {
	size_t size;
	const char *ruleset;
	const struct pb_rules *rules;
	const struct pb_ruleset_options *limits; /* NULL: the default */
	const int *ifindexes; /* interfaces that will be bound to it, beside those that are */
	size_t nr;
	const struct pb_set_prospect *sets; /* beside what pb_rules_restore() gave to the rules */
	size_t nr_sets;
};

/*
 * Would the program drop packets that the client sends, now or, as rules end, later? It is run by
 * BPF_PROG_TEST_RUN over those rules and on such packets, also as they are before connection tracking
 * translates their addresses, for each interface of the ruleset on which they may come in: all but
 * those of which it is certain that they do not. 0: no. -ECONNABORTED: yes, and `error` says on which
 * interface, when and by what, and by which element of a set. Any other: it cannot be told.
 */
int pb_connection_check(const struct pb_connection *connection, const struct pb_prospect *prospect,
			struct pb_error *error);

/* ---- Health ------------------------------------------------------------------------------- */

enum pb_health { PB_HEALTH_OK, PB_HEALTH_WARNING, PB_HEALTH_PROBLEM };

/* One finding; `mend` is a command that mends it, or NULL. */
typedef void pb_finding_function(enum pb_health health, const char *text, const char *mend,
				 void *context);

/*
 * Checks what the filter stands on, and one interface (a name or an index; NULL: none). Changes
 * nothing, but that libxdp's folder is made on bpffs if it is not there, as by any use of libxdp.
 * Whether the dispatcher works is tried in namespaces of their own, by a thread that has ended when
 * this returns; the logger may be called in it.
 */
int pb_doctor(const char *interface, pb_finding_function *function, void *context,
	      unsigned int *problems, struct pb_error *error);

/* ---- Counters, again and again ------------------------------------------------------------ */

/* Was it opened by the right of a group (`group` of struct pb_load_options), which changes nothing? */
bool pb_ruleset_is_read_only(const struct pb_ruleset *ruleset);

/*
 * One rule's counter, read from memory: no system call once the rules were read, or one counter. 0 where there
 * is no memory to map them.
 */
struct pb_count pb_ruleset_count(const struct pb_ruleset *ruleset, __u32 id);
/* Still the one that is pinned under its name? Not after it was unloaded. */
bool pb_ruleset_is_there(const struct pb_ruleset *ruleset);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
