// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock: the tables of commands and options, and what is done with them. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tool.h"

#define MATCH_OPTIONS                                                                             \
	(OPT(PORT) | OPT(SPORT) | OPT(PROTO) | OPT(ACTION) | OPT(FROM) | OPT(EXCEPT) | OPT(NEW) | \
	 OPT(OVER) | OPT(BURST) | OPT(EACH) | OPT(TOTAL) | OPT(EXPIRES) | OPT(COMMENT))

const struct option_info option_infos[OPT_MAX] = {
	[OPT_MODE] = { 'm', "mode", "MODE",
		       "auto (default), native, skb or hw: where in the kernel to attach" },
	[OPT_ENGINE] = { 0, "engine", "ENGINE",
			 "bpf (default) or native: what reads frames, BPF or a kernel module" },
	[OPT_POLICY] = { 'p', "policy", "POLICY",
			 "allow, deny or reject: what happens where no rule matches" },
	[OPT_PRIORITY] = { 0, "priority", "N",
			   "place in the chain of XDP programs, lower first (default 9)" },
	[OPT_REQUIRE_DISPATCHER] = { 0, "require-dispatcher", NULL,
				     "fail where other XDP programs could not be added" },
	[OPT_MAX_RULES] = { 0, "max-rules", "N",
			    "room for rules in a new ruleset (default 4096, at most 65535)" },
	[OPT_MAX_SOURCES] = { 0, "max-sources", "N",
			      "room for source prefixes in a new ruleset (default 16384)" },
	[OPT_MAX_BUCKETS] = { 0, "max-buckets", "N",
			      "sources with a bucket each, of rates (default 65536)" },
	[OPT_GROUP] = { 0, "group", "NAME",
			"who may read the ruleset without root; root: nobody else" },
	[OPT_TIMEOUT] = { 0, "timeout", "DURATION",
			  "how long elements count: 600 or 10m, 1d; 0: they do not expire" },
	[OPT_MAX_ELEMENTS] = { 0, "max", "N",
			       "room for elements (default 65536, at most 4194304)" },
	[OPT_ALL] = { 'a', "all", NULL, "all interfaces" },
	[OPT_KEEP] = { 'k', "keep", NULL, "keep the pinned rules for a later load" },
	[OPT_PORT] = { 0, "port", "PORTS", "destination ports: 22, 22,80-90, ssh, 1-65535" },
	[OPT_SPORT] = { 0, "sport", "PORTS", "source ports, instead of --port" },
	[OPT_PROTO] = { 0, "proto", "PROTOS",
			"tcp, udp, sctp, dccp, udplite; several by commas (default tcp,udp)" },
	[OPT_ACTION] = { 0, "action", "ACTION", "drop (default), reject, allow or audit" },
	[OPT_FROM] = { 0, "from", "P,..",
		       "only from these prefixes: 10.0.0.0/8,2001:db8::1, or @FILE" },
	[OPT_EXCEPT] = { 0, "except", "P,..", "not from these prefixes" },
	[OPT_NEW] = { 0, "new", NULL, "only packets of no connection of this host" },
	[OPT_OVER] = { 0, "over", "RATE", "only packets beyond it: 6/m, 100/s, 10mbit/s" },
	[OPT_BURST] = { 0, "burst", "N",
			"with --over: so many at once (default the rate's own number)" },
	[OPT_EACH] = { 0, "each", "source[/L4[,L6]]",
		       "with --over: a bucket a source, or a prefix of so many bits" },
	[OPT_TOTAL] = { 0, "total", "RATE", "with --each: and of all sources together" },
	[OPT_EXPIRES] = { 0, "expires", "DURATION", "end the rule after 90s, 10m, 1h30m, 2d" },
	[OPT_COMMENT] = { 0, "comment", "TEXT", "a comment, at most 63 bytes" },
	[OPT_CONFIRM] = { 0, "confirm", "DURATION",
			  "take the change back after that time unless `confirm` is called" },
	[OPT_FORCE] = { 'f', "force", NULL, "even if it cuts the SSH connection in use" },
	[OPT_RULES] = { 0, "rules", "FILE", "apply a file of rules before packets are judged" },
	[OPT_ELEMENTS] = { 0, "elements", "FILE",
			   "a file of the elements of sets, with the time that they have left" },
	[OPT_INTERVAL] = { 'i', "interval", "SECONDS", "read again after so long (default 1)" },
	[OPT_COUNT] = { 'c', "count", "N", "end after so many (default: go on)" },
	[OPT_PROMETHEUS] = { 0, "prometheus", NULL, "print metrics for Prometheus" },
	[OPT_OUTPUT] = { 'o', "output", "FILE", "write them to a file, in one step" },
	[OPT_RULE] = { 0, "rule", "ID", "only packets that this rule decided" },
	[OPT_OUTCOME] = { 0, "outcome", "OUTCOMES",
			  "all, or some of pass, drop-rule, ... (default: drops, rejects, audits)" },
	[OPT_RATE] = { 0, "rate", "N", "at most so many packets a second and CPU (default 1000)" },
	[OPT_WRITE] = { 'w', "write", "FILE", "write a pcap file (- for stdout)" },
	[OPT_SNAPLEN] = { 's', "snaplen", "BYTES", "of each packet (default 128, at most 2048)" },
	[OPT_INTERFACE] = { 'i', "interface", "IFNAME", "as it would come in on this interface" },
	[OPT_TO] = { 0, "to", "ADDRESS", "destination address of the packet" },
	[OPT_HEX] = { 0, "hex", NULL, "print the packet's bytes, too" },
	[OPT_FIX] = { 0, "fix", NULL, "remove stale leftovers" },
	[OPT_CONFIG] = { 0, "config", "FILE",
			 "what is known of the fleet (default /etc/xdp-portblock/fleet.conf)" },
	[OPT_ONCE] = { 0, "once", NULL, "do what is to be done now, and end" },
	[OPT_STAGES] = { 0, "stages", "N,..",
			 "hosts or parts of them, one stage after another (default 1,10%,100%)" },
	[OPT_WAIT] = { 0, "wait", "DURATION", "how long a stage may take (default 60s)" },
	[OPT_SIGN] = { 0, "sign", "KEYFILE", "sign it with this private key (ed25519, PEM)" },
	[OPT_NOTE] = { 0, "note", "TEXT", "what it is for, in the history" },
	[OPT_RESUME] = { 0, "resume", NULL, "go on with a rollout whose process has died" },
	[OPT_RULESET] = { 'r', "ruleset", "NAME", "the ruleset (default \"default\")" },
	[OPT_JSON] = { 'j', "json", NULL, "print JSON" },
	[OPT_VERBOSE] = { 'v', "verbose", NULL,
			  "show warnings of libbpf and libxdp; twice: all they say" },
	[OPT_HELP] = { 'h', "help", NULL, "print this help" },
	[OPT_VERSION] = { 'V', "version", NULL, "print the version" },
};

static const char pushed_form[] =
	"FILE is a file of rules, RULESET its name in the fleet. With --resume RULESET alone is\n"
	"wanted: the rollout goes on where its process has left it.\n";

#define CHANGE_OPTIONS (OPT(RULESET) | OPT(CONFIRM) | OPT(FORCE))

static const char rule_forms[] = "A rule is given by options, by its text, or in short:\n"
				 "  --port 22 --proto tcp\n"
				 "  drop tcp dport 22 except 10.0.0.0/8 comment \"ssh\"\n"
				 "  22/tcp\n";

static const char element_forms[] =
	"Elements are given as addresses and prefixes, or where they stand:\n"
	"  192.0.2.7 or 10.0.0.0/8,2001:db8::/32\n"
	"  @./FILE    a list as they are published: one a line, # and ; begin comments\n"
	"  -          standard input, one a line until its end, each in force when read\n";

static const char ban_forms[] =
	"NAME is what the fleet calls the set: `sets` of fleet.conf says which of this host it is.\n"
	"Addresses and prefixes are given as they are, or where they stand:\n"
	"  192.0.2.7 or 10.0.0.0/8,2001:db8::/32\n"
	"  @./FILE    a list as they are published: one a line, # and ; begin comments\n";

static const char followed_form[] =
	"LOCAL is what the ruleset is called on the hosts, NAME in the fleet; NAME alone is both.\n"
	"`groups` of fleet.conf says which groups a host belongs to.\n";

static const char list_form[] =
	"FILE is a list as they are published: an address or prefix a line, what stands\n"
	"behind it does not matter, # and ; begin comments. - is standard input.\n"
	"A list that is wrong, or empty, changes nothing.\n";

static const char restored_form[] =
	"With --elements the elements of sets come back that `save --elements` has written, before\n"
	"the rules are in force, with the time that they have left. - is standard input.\n";

static const char saved_form[] =
	"With --elements the elements of all sets are written, too; without FILE they alone are.\n"
	"`load` and `apply --elements`, and `set restore`, bring them back.\n";

/* Help lists them in this order. */
static const struct command commands[] = {
	{ "load", "IFNAME...", "load the filter on interfaces", restored_form,
	  OPT(MODE) | OPT(ENGINE) | OPT(POLICY) | OPT(RULES) | OPT(ELEMENTS) | OPT(RULESET) |
		  OPT(FORCE) | OPT(PRIORITY) | OPT(REQUIRE_DISPATCHER) | OPT(MAX_RULES) |
		  OPT(MAX_SOURCES) | OPT(MAX_BUCKETS) | OPT(GROUP),
	  cmd_load },
	{ "unload", "IFNAME... | --all", "take the filter off interfaces", NULL,
	  OPT(ALL) | OPT(KEEP), cmd_unload },
	{ "upgrade", "IFNAME... | --all", "put this version's program in place, rules kept", NULL,
	  OPT(ALL), cmd_upgrade },
	{ "status", "[IFNAME...]", "what is loaded where, and what became of packets", NULL,
	  OPT(JSON), cmd_status },
	{ "rule add", "[RULE]", "add a rule, or change the same rule's action", rule_forms,
	  MATCH_OPTIONS | CHANGE_OPTIONS | OPT(JSON), cmd_rule_add },
	{ "rule del", "ID... | [RULE]", "delete rules by id, or the same rule", rule_forms,
	  MATCH_OPTIONS | CHANGE_OPTIONS, cmd_rule_del },
	{ "rule list", "", "list the rules with their counters", NULL, OPT(RULESET) | OPT(JSON),
	  cmd_rule_list },
	{ "rule flush", "", "delete all rules", NULL, CHANGE_OPTIONS, cmd_rule_flush },
	{ "rule reset", "", "set the counters of rules and interfaces to 0", NULL, OPT(RULESET),
	  cmd_rule_reset },
	{ "set create", "NAME", "make a set: sources by name, for rules `from @NAME`", NULL,
	  OPT(TIMEOUT) | OPT(MAX_ELEMENTS) | OPT(RULESET), cmd_set_create },
	{ "set add", "NAME P,..|@./FILE|-", "add elements to a set, or renew their time",
	  element_forms, OPT(TIMEOUT) | OPT(FORCE) | OPT(RULESET), cmd_set_add },
	{ "set del", "NAME P,..|@./FILE|-", "delete elements of a set", element_forms,
	  OPT(FORCE) | OPT(RULESET), cmd_set_del },
	{ "set test", "NAME ADDRESS", "is an address in a set: exit 0 it is, 1 it is not", NULL,
	  OPT(RULESET) | OPT(JSON), cmd_set_test },
	{ "set list", "[NAME]", "list the sets, or the elements of one", NULL,
	  OPT(RULESET) | OPT(JSON), cmd_set_list },
	{ "set flush", "NAME", "delete all elements of a set", NULL, OPT(FORCE) | OPT(RULESET),
	  cmd_set_flush },
	{ "set load", "NAME FILE|-", "make a set that of a list, in one step", list_form,
	  OPT(FORCE) | OPT(RULESET), cmd_set_load },
	{ "set restore", "FILE|-", "add the elements that `save --elements` has written", NULL,
	  OPT(FORCE) | OPT(RULESET), cmd_set_restore },
	{ "set destroy", "NAME", "remove a set that no rule names", NULL, OPT(RULESET),
	  cmd_set_destroy },
	{ "set swap", "NAME OTHER", "exchange two sets in one step", NULL,
	  OPT(FORCE) | OPT(RULESET), cmd_set_swap },
	{ "policy", "[allow|deny|reject]", "print or set what happens where no rule matches", NULL,
	  CHANGE_OPTIONS | OPT(JSON), cmd_setting },
	{ "replies", "[on|off]", "whether policy deny passes packets of own connections", NULL,
	  CHANGE_OPTIONS | OPT(JSON), cmd_setting },
	{ "fragments", "[pass|drop]", "what happens to fragments after the first", NULL,
	  CHANGE_OPTIONS | OPT(JSON), cmd_setting },
	{ "unparsable", "[drop|pass]", "what happens to too many tags or extension headers", NULL,
	  CHANGE_OPTIONS | OPT(JSON), cmd_setting },
	{ "answers", "[N/s|off]",
	  "how many senders are told that they are rejected, a second and CPU", NULL,
	  CHANGE_OPTIONS | OPT(JSON), cmd_setting },
	{ "save", "[FILE]", "write the ruleset to a file, or stdout", saved_form,
	  OPT(ELEMENTS) | OPT(RULESET) | OPT(JSON), cmd_save },
	{ "check", "FILE", "look for faults in a file; needs no root", NULL, OPT(MAX_RULES),
	  cmd_check },
	{ "diff", "FILE", "how a file differs from the loaded ruleset: exit 0 same, 1 differs",
	  NULL, OPT(RULESET), cmd_diff },
	{ "apply", "FILE", "make the loaded ruleset that of a file, in one step", restored_form,
	  CHANGE_OPTIONS | OPT(ELEMENTS), cmd_apply },
	{ "confirm", "", "keep the change that waits to be confirmed", NULL,
	  OPT(RULESET) | OPT(FORCE), cmd_confirm },
	{ "rollback", "", "take the change that waits to be confirmed back at once", NULL,
	  OPT(RULESET) | OPT(FORCE), cmd_rollback },
	{ "stats", "", "packets and bytes of rules and interfaces, and their rates", NULL,
	  OPT(INTERVAL) | OPT(COUNT) | OPT(PROMETHEUS) | OPT(OUTPUT) | OPT(RULESET) | OPT(JSON),
	  cmd_stats },
	{ "top", "", "the same as a live table", NULL, OPT(INTERVAL) | OPT(RULESET), cmd_top },
	{ "monitor", "", "dropped and audited packets as they come", NULL,
	  OPT(RULE) | OPT(PORT) | OPT(FROM) | OPT(OUTCOME) | OPT(RATE) | OPT(COUNT) | OPT(WRITE) |
		  OPT(SNAPLEN) | OPT(RULESET) | OPT(JSON),
	  cmd_monitor },
	{ "explain", "[FILE.pcap]", "what would happen to a packet, and why", NULL,
	  OPT(PORT) | OPT(SPORT) | OPT(PROTO) | OPT(FROM) | OPT(TO) | OPT(INTERFACE) | OPT(HEX) |
		  OPT(RULESET) | OPT(JSON),
	  cmd_explain },
	{ "doctor", "[IFNAME]", "look for what may stand in the way", NULL, OPT(FIX) | OPT(JSON),
	  cmd_doctor },
	{ "fleet follow", "", "keep this host's rulesets what the fleet's etcd says", NULL,
	  OPT(CONFIG) | OPT(ONCE), cmd_fleet },
	{ "fleet push", "FILE RULESET | RULESET",
	  "bring rules to all hosts, stage by stage, or back: exit 0 done, 1 not", pushed_form,
	  OPT(STAGES) | OPT(WAIT) | OPT(SIGN) | OPT(NOTE) | OPT(RESUME) | OPT(CONFIG) | OPT(JSON),
	  cmd_fleet },
	{ "fleet status", "", "which host has what, and who carries a rollout", NULL,
	  OPT(PROMETHEUS) | OPT(OUTPUT) | OPT(CONFIG) | OPT(JSON), cmd_fleet },
	{ "fleet history", "RULESET", "the revisions that were pushed, the newest first", NULL,
	  OPT(CONFIG) | OPT(JSON), cmd_fleet },
	{ "fleet diff", "RULESET",
	  "how the fleet's revision differs from this host's rules: exit 0 same, 1 differs", NULL,
	  OPT(CONFIG), cmd_fleet },
	{ "fleet rollback", "RULESET [REVISION]",
	  "push a revision again that was good, by default the one before", NULL,
	  OPT(STAGES) | OPT(WAIT) | OPT(SIGN) | OPT(CONFIG) | OPT(JSON), cmd_fleet },
	{ "fleet forget", "HOST", "a host that is gone was taken out of service", NULL, OPT(CONFIG),
	  cmd_fleet },
	{ "fleet group list", "", "the groups of hosts, and which rulesets those follow", NULL,
	  OPT(CONFIG) | OPT(JSON), cmd_fleet },
	{ "fleet group set", "GROUP LOCAL=NAME,..",
	  "make these the rulesets that the hosts of a group follow", followed_form,
	  OPT(SIGN) | OPT(CONFIG), cmd_fleet },
	{ "fleet group del", "GROUP", "take a group away: its hosts keep the rules they have", NULL,
	  OPT(CONFIG), cmd_fleet },
	{ "fleet set add", "NAME P,..|@./FILE", "ban addresses on all hosts that share a set",
	  ban_forms, OPT(TIMEOUT) | OPT(CONFIG), cmd_fleet },
	{ "fleet set del", "NAME P,..|@./FILE", "take such bans away", ban_forms, OPT(CONFIG),
	  cmd_fleet },
	{ "fleet set load", "NAME FILE|-",
	  "make a list that of a set on all hosts, beside its bans", list_form, OPT(CONFIG),
	  cmd_fleet },
	{ "fleet set flush", "NAME", "take all bans and the list of a shared set away", NULL,
	  OPT(CONFIG), cmd_fleet },
	{ "fleet set list", "NAME", "the bans of a shared set, and how long its list is", NULL,
	  OPT(CONFIG) | OPT(JSON), cmd_fleet },
	{ "help", "[COMMAND]", "print help", NULL, 0, cmd_help },
};
static const size_t nr_commands = sizeof(commands) / sizeof(commands[0]);

#define EVERY_COMMAND (OPT(VERBOSE) | OPT(HELP))

static void print_option(enum option_id id)
{
	const struct option_info *info = &option_infos[id];
	char left[64], letter[4] = "";

	if (info->letter)
		snprintf(letter, sizeof(letter), "-%c,", info->letter);
	snprintf(left, sizeof(left), "%3s --%s%s%s", letter, info->name, info->value ? " " : "",
		 info->value ?: "");
	printf("  %-26s  %s\n", left, info->help);
}

static void print_overview(void)
{
	printf("Usage: xdp-portblock COMMAND [OPTIONS] ...\n\n"
	       "Blocks ports in XDP, before the network stack sees a packet.\n\nCommands:\n");
	for (size_t i = 0; i < nr_commands; i++)
		printf("  %-14s %s\n", commands[i].name, commands[i].help);
	printf("\n`xdp-portblock COMMAND --help` tells more. A command may be shortened.\n\n"
	       "For example:\n"
	       "  xdp-portblock load eth0\n"
	       "  xdp-portblock rule add --port 22 --proto tcp\n"
	       "  xdp-portblock status\n");
}

static void print_help(const struct command *command)
{
	if (!command) {
		print_overview();
		return;
	}
	printf("Usage: xdp-portblock %s [OPTIONS]%s%s\n\n%c%s.\n\nOptions:\n", command->name,
	       *command->words ? " " : "", command->words, command->help[0] - 'a' + 'A',
	       command->help + 1);
	for (int id = 0; id < OPT_MAX; id++)
		if ((command->options | EVERY_COMMAND) & 1ULL << id)
			print_option(id);
	if (command->more)
		printf("\n%s", command->more);
}

/* ---- Which command ----------------------------------------------------------------------- */

/* How many words of the command's name are given; 0: they do not match. */
static int match_words(const char *name, int argc, char **argv, bool *exact)
{
	int used = 0;

	*exact = true;
	for (const char *word = name; word; used++) {
		const char *space = strchr(word, ' ');
		size_t len = space ? (size_t)(space - word) : strlen(word);
		size_t typed = used < argc ? strlen(argv[used]) : 0;

		if (!typed || typed > len || strncmp(word, argv[used], typed))
			return 0;
		*exact &= typed == len;
		word = space ? space + 1 : NULL;
	}
	return used;
}

/* Does the word, or its beginning, name a group such as "rule"? */
static bool is_group(const char *word)
{
	size_t len = strlen(word);

	for (size_t i = 0; i < nr_commands; i++) {
		const char *space = strchr(commands[i].name, ' ');

		if (space && len <= (size_t)(space - commands[i].name) &&
		    !strncmp(word, commands[i].name, len))
			return true;
	}
	return false;
}

static void list_commands(FILE *out, const char *group)
{
	for (size_t i = 0; i < nr_commands; i++)
		if (!group || (strchr(commands[i].name, ' ') &&
			       !strncmp(commands[i].name, group, strlen(group))))
			fprintf(out, "  xdp-portblock %-14s %s\n", commands[i].name,
				commands[i].help);
}

static const struct command *complain(int argc, char **argv)
{
	const char *group = is_group(argv[0]) ? argv[0] : NULL;

	if (group && argc > 1 && argv[1][0] != '-')
		note("there is no command '%s %s'; there are:", argv[0], argv[1]);
	else if (group)
		note("'%s' wants to know what to do:", argv[0]);
	else
		note("there is no command '%s'; there are:", argv[0]);
	list_commands(stderr, group);
	return NULL;
}

/* The command that the words say, perhaps shortened; NULL after a message. */
static const struct command *find_command(int argc, char **argv, int *used)
{
	const struct command *found = NULL;
	size_t matches = 0;

	for (size_t i = 0; i < nr_commands; i++) {
		bool exact;
		int words = match_words(commands[i].name, argc, argv, &exact);

		if (!words)
			continue;
		*used = words;
		found = &commands[i];
		if (exact)
			return found;
		matches++;
	}
	if (matches == 1)
		return found;
	if (!matches)
		return complain(argc, argv);
	note("'%s%s%s' may mean several commands:", argv[0], *used > 1 ? " " : "",
	     *used > 1 ? argv[1] : "");
	for (size_t i = 0; i < nr_commands; i++) {
		bool exact;

		if (match_words(commands[i].name, argc, argv, &exact))
			fprintf(stderr, "  xdp-portblock %-14s %s\n", commands[i].name,
				commands[i].help);
	}
	return NULL;
}

/* ---- Its options ------------------------------------------------------------------------- */

struct getopt_tables {
	struct option longs[OPT_MAX + 1];
	char shorts[2 * OPT_MAX + 2];
};

/* Long options return OPT_MAX + their id, above all letters' use. */
#define LONG_BASE 256

static void make_tables(const struct command *command, struct getopt_tables *tables)
{
	unsigned long long accepted = command->options | EVERY_COMMAND;
	size_t nr = 0, at = 0;

	memset(tables, 0, sizeof(*tables));
	tables->shorts[at++] = ':'; /* a missing value is ours to report */
	for (int id = 0; id < OPT_MAX; id++) {
		const struct option_info *info = &option_infos[id];

		if (!(accepted & 1ULL << id))
			continue;
		tables->longs[nr++] =
			(struct option){ info->name, info->value != NULL, NULL, LONG_BASE + id };
		if (info->letter)
			tables->shorts[at++] = info->letter;
		if (info->letter && info->value)
			tables->shorts[at++] = ':';
	}
}

static enum option_id option_of(const struct command *command, int got)
{
	unsigned long long accepted = command->options | EVERY_COMMAND;

	if (got >= LONG_BASE)
		return got - LONG_BASE;
	for (int id = 0; id < OPT_MAX; id++)
		if (accepted & 1ULL << id && option_infos[id].letter == got)
			return id;
	return OPT_MAX;
}

static int take_option(struct arguments *arguments, enum option_id id, const char *value)
{
	if (id == OPT_VERBOSE)
		arguments->verbose++;
	else if (arguments->values[id])
		return wrong(arguments, "--%s is given twice", option_infos[id].name);
	arguments->values[id] = value ?: "";
	return DONE;
}

/* getopt tells a letter by optopt; a long option it leaves as the word before optind. */
static int complain_option(const struct arguments *arguments, int got, const char *word)
{
	char letter[] = { '-', optopt, '\0' };
	const char *option = optopt && optopt < LONG_BASE ? letter : word;

	if (got == ':')
		return wrong(arguments, "%s wants a value", option);
	if (optopt >= LONG_BASE)
		return wrong(arguments, "%s takes no value", option);
	return wrong(arguments, "there is no option %s here", option);
}

static int parse_options(struct arguments *arguments, int argc, char **argv)
{
	struct getopt_tables tables;
	int got, ret = DONE;

	make_tables(arguments->command, &tables);
	opterr = 0;
	optind = 0; /* a full restart, by glibc's rules */
	while (ret == DONE &&
	       (got = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		if (got == ':' || got == '?')
			ret = complain_option(arguments, got, argv[optind - 1]);
		else
			ret = take_option(arguments, option_of(arguments->command, got), optarg);
	}
	arguments->words = argv + optind;
	arguments->nr_words = argc - optind;
	return ret;
}

/* ---- xdp-portblock help -------------------------------------------------------------------- */

int cmd_help(const struct arguments *arguments)
{
	char name[64] = "";

	if (!arguments->nr_words) {
		print_help(NULL);
		return DONE;
	}
	for (size_t i = 0; i < arguments->nr_words; i++) {
		if (i)
			strncat(name, " ", sizeof(name) - strlen(name) - 1);
		strncat(name, arguments->words[i], sizeof(name) - strlen(name) - 1);
	}
	for (size_t i = 0; i < nr_commands; i++)
		if (!strcmp(commands[i].name, name)) {
			print_help(&commands[i]);
			return DONE;
		}
	if (arguments->nr_words == 1 && is_group(name)) {
		list_commands(stdout, name);
		return DONE;
	}
	return wrong(arguments, "there is no command '%s'", name);
}

/* ---- ------------------------------------------------------------------------------------- */

/* What a command left that was killed; whatever the next one is to do, it begins with that. */
static void recover(void)
{
	struct pb_error error;
	size_t recovered;

	if (pb_filter_recover(&recovered, &error))
		note("a program that was being exchanged when a command was killed: %s",
		     error.text);
	else if (recovered)
		note("%zu interface%s on which a command was killed while it exchanged programs: "
		     "mended",
		     recovered, recovered == 1 ? "" : "s");
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct arguments arguments = { .command = command };
	int ret = parse_options(&arguments, argc, argv);

	if (given(&arguments, OPT_HELP)) {
		print_help(command);
		return finish_output();
	}
	if (ret != DONE)
		return ret;
	if (arguments.nr_words && !*command->words)
		return wrong(&arguments, "'%s' is not wanted here", arguments.words[0]);
	if (arguments.verbose)
		pb_log_set(print_log, arguments.verbose > 1);
	recover();
	ret = command->run(&arguments);
	return finish_output() == DONE ? ret : FAILED;
}

/* Options before the command: the ones that need none. */
static int run_without_command(const char *word)
{
	if (!word || !strcmp(word, "-h") || !strcmp(word, "--help")) {
		print_overview();
		return word ? finish_output() : WRONG_USAGE;
	}
	if (!strcmp(word, "-V") || !strcmp(word, "--version")) {
		printf("xdp-portblock %s\n", PB_VERSION);
		return finish_output();
	}
	note("a command comes first, then its options: '%s'; there are:", word);
	list_commands(stderr, NULL);
	return WRONG_USAGE;
}

int main(int argc, char **argv)
{
	const struct command *command;
	int used = 0;

	if (argc < 2 || argv[1][0] == '-')
		return run_without_command(argv[1]);
	if (argc > 2 && is_group(argv[1]) &&
	    (!strcmp(argv[2], "-h") || !strcmp(argv[2], "--help"))) {
		list_commands(stdout, argv[1]);
		return finish_output();
	}
	command = find_command(argc - 1, argv + 1, &used);
	if (!command)
		return WRONG_USAGE;
	/* getopt takes the last word of the command's name for the program's. */
	return run_command(command, argc - used, argv + used);
}
