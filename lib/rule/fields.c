// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* The fields of a rule. A new match field is one row of pb_fields[], with what the row names. */
#include <stdlib.h>
#include <string.h>
#include "rule/duration.h"
#include "rule/fields.h"
#include "rule/json.h"
#include "rule/names.h"
#include "rule/ports.h"
#include "rule/prefix.h"
#include "rule/rate.h"
#include "rule/set-names.h"
#include "util/error.h"
#include "util/escape.h"

static int set_action(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	int action = pb_names_find(&pb_action_names, text, in->error);

	if (action < 0)
		return action;
	rule->action = action;
	return 0;
}

static void print_action(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	fputs(pb_action_name(rule->action), out);
}

static int set_protocols(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return pb_protocols_parse(text, &rule->protocols, in->error);
}

static bool given_protocols(const struct pb_rule *rule)
{
	return rule->protocols;
}

static void print_protocols(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_protocols_print(out, rule->protocols);
}

static int set_side(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	int side = pb_names_find(&pb_side_names, text, in->error);

	if (side < 0)
		return side;
	rule->side = side;
	return 0;
}

static void print_side(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	fputs(pb_side_name(rule->side), out);
}

static int set_ports(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	struct pb_range *ports;
	size_t nr;
	int err = pb_ports_parse(text, rule->protocols, &ports, &nr, in->error);

	if (err)
		return err;
	free(rule->ports);
	rule->ports = ports;
	rule->nr_ports = nr;
	return 0;
}

static void print_ports(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_ports_print(out, rule->ports, rule->nr_ports);
}

static int set_side_ports(struct pb_rule *rule, enum pb_side side, const char *text,
			  const struct pb_input *in)
{
	int err;

	if (rule->nr_ports && rule->side != side)
		return pb_fail(in->error, EINVAL,
			       "\"%s\" and \"%s\" in one rule: a rule looks at one side, so make "
			       "two rules",
			       pb_side_name(rule->side), pb_side_name(side));
	err = set_ports(rule, text, in);
	if (!err)
		rule->side = side;
	return err;
}

static int set_dport(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return set_side_ports(rule, PB_SIDE_DPORT, text, in);
}

static bool given_dport(const struct pb_rule *rule)
{
	return rule->nr_ports && rule->side == PB_SIDE_DPORT;
}

static int set_sport(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return set_side_ports(rule, PB_SIDE_SPORT, text, in);
}

static bool given_sport(const struct pb_rule *rule)
{
	return rule->nr_ports && rule->side == PB_SIDE_SPORT;
}

static void take_prefixes(struct pb_prefix **to, size_t *nr, struct pb_prefix *prefixes,
			  size_t nr_prefixes)
{
	free(*to);
	*to = prefixes;
	*nr = nr_prefixes;
}

static void take_sets(char ***to, size_t *nr, char **names, size_t nr_names)
{
	pb_set_names_free(*to, *nr);
	*to = names;
	*nr = nr_names;
}

/* In JSON prefixes and sets have a key each. */
static int set_prefixes(struct pb_prefix **to, size_t *nr, const char *text,
			const struct pb_input *in)
{
	struct pb_prefix *prefixes;
	size_t nr_prefixes;
	int err = pb_prefixes_parse(text, in->file, &prefixes, &nr_prefixes, in->note, in->error);

	if (!err)
		take_prefixes(to, nr, prefixes, nr_prefixes);
	return err;
}

static int set_sets(char ***to, size_t *nr, const char *text, const struct pb_input *in)
{
	struct pb_set_names names = { 0 };
	int err = pb_set_names_parse(text, &names, in->error);

	if (err)
		pb_set_names_free(names.names, names.nr);
	else
		take_sets(to, nr, names.names, names.nr);
	return err;
}

static int set_from_prefixes(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return set_prefixes(&rule->from, &rule->nr_from, text, in);
}

static void print_from_prefixes(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_prefixes_print(out, rule->from, rule->nr_from);
}

static int set_from_sets(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return set_sets(&rule->from_sets, &rule->nr_from_sets, text, in);
}

static void print_from_sets(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_set_names_print(out, rule->from_sets, rule->nr_from_sets, "", false);
}

static int set_from(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	struct pb_source_list list;
	int err = pb_source_list_parse(text, in->file, &list, in->note, in->error);

	if (err)
		return err;
	take_prefixes(&rule->from, &rule->nr_from, list.prefixes, list.nr);
	take_sets(&rule->from_sets, &rule->nr_from_sets, list.sets, list.nr_sets);
	return 0;
}

static bool given_from(const struct pb_rule *rule)
{
	return rule->nr_from || rule->nr_from_sets;
}

static void print_from(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_prefixes_print(out, rule->from, rule->nr_from);
	pb_set_names_print(out, rule->from_sets, rule->nr_from_sets, "@", rule->nr_from);
}

static int set_except_prefixes(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return set_prefixes(&rule->except, &rule->nr_except, text, in);
}

static void print_except_prefixes(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_prefixes_print(out, rule->except, rule->nr_except);
}

static int set_except_sets(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return set_sets(&rule->except_sets, &rule->nr_except_sets, text, in);
}

static void print_except_sets(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_set_names_print(out, rule->except_sets, rule->nr_except_sets, "", false);
}

static int set_except(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	struct pb_source_list list;
	int err = pb_source_list_parse(text, in->file, &list, in->note, in->error);

	if (err)
		return err;
	take_prefixes(&rule->except, &rule->nr_except, list.prefixes, list.nr);
	take_sets(&rule->except_sets, &rule->nr_except_sets, list.sets, list.nr_sets);
	return 0;
}

static bool given_except(const struct pb_rule *rule)
{
	return rule->nr_except || rule->nr_except_sets;
}

static void print_except(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_prefixes_print(out, rule->except, rule->nr_except);
	pb_set_names_print(out, rule->except_sets, rule->nr_except_sets, "@", rule->nr_except);
}

static int set_new(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	if (text && *text)
		return pb_fail(in->error, EINVAL, "\"new\" takes no value, but got %s", PB_Q(text));
	rule->only_new = true;
	return 0;
}

static bool given_new(const struct pb_rule *rule)
{
	return rule->only_new;
}

/* Another rate has another burst; whether each source has a bucket stays. */
static int set_over(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return pb_rate_parse(text, &rule->over.rate, in->error);
}

static bool given_over(const struct pb_rule *rule)
{
	return rule->over.rate.amount;
}

static void print_over(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_rate_print(out, &rule->over.rate);
}

static int lacks_over(const char *word, const char *example, const struct pb_input *in)
{
	return pb_fail(
		in->error, EINVAL,
		"\"%s\" stands behind \"over\" and the rate that it is about, as in over 6/m %s",
		word, example);
}

static int set_burst(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	if (!given_over(rule))
		return lacks_over("burst", "burst 10", in);
	return pb_burst_parse(text, &rule->over.rate, in->error);
}

static bool given_burst(const struct pb_rule *rule)
{
	return pb_burst_is_given(&rule->over.rate);
}

static void print_burst(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_burst_print(out, &rule->over.rate);
}

static int set_each(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	if (!given_over(rule))
		return lacks_over("each", "each source", in);
	return pb_each_parse(text, &rule->over, in->error);
}

static bool given_each(const struct pb_rule *rule)
{
	return rule->over.each;
}

static void print_each(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_each_print(out, &rule->over);
}

static int set_total(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	if (!rule->over.each)
		return pb_fail(
			in->error, EINVAL,
			"\"total\" stands behind \"each source\", whose sources it is about, as in "
			"over 6/m each source total 100/s");
	return pb_rate_parse(text, &rule->over.total, in->error);
}

static bool given_total(const struct pb_rule *rule)
{
	return rule->over.total.amount;
}

static void print_total(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	pb_rate_print(out, &rule->over.total);
}

static int set_all_of_over(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	return pb_over_parse(text, &rule->over, in->error);
}

static int set_expires(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	__u64 ns;
	int err = pb_duration_parse(text, &ns, in->error);

	if (!err)
		rule->expires = in->now + ns;
	return err;
}

static bool given_expires(const struct pb_rule *rule)
{
	return rule->expires;
}

static void print_expires(const struct pb_rule *rule, __u64 now, FILE *out)
{
	pb_duration_print(out, rule->expires > now ? rule->expires - now : 0);
}

static int set_comment(struct pb_rule *rule, const char *text, const struct pb_input *in)
{
	size_t len = strlen(text);

	if (!pb_text_is_clean(text))
		return pb_fail(in->error, EINVAL,
			       "the comment %s holds control characters, characters that turn the "
			       "direction of writing, or is not UTF-8: write plain text",
			       PB_Q(text));
	if (len >= PB_COMMENT_LEN)
		return pb_fail(in->error, EINVAL,
			       "the comment %s is %zu bytes long: at most %u bytes fit", PB_Q(text),
			       len, PB_COMMENT_LEN - 1);
	memset(rule->comment, 0, sizeof(rule->comment));
	memcpy(rule->comment, text, len);
	return 0;
}

static bool given_comment(const struct pb_rule *rule)
{
	return rule->comment[0];
}

static void print_comment(const struct pb_rule *rule, __u64 now PB_UNUSED, FILE *out)
{
	putc('"', out);
	for (const char *c = rule->comment; *c; c++)
		fprintf(out, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	putc('"', out);
}

/* clang-format off */
#define VALUE(member)                                                                              \
	{ offsetof(struct pb_rule, member), sizeof(((struct pb_rule *)0)->member), 0, false }
#define ARRAY(member)                                                                              \
	{ offsetof(struct pb_rule, member), sizeof(*((struct pb_rule *)0)->member),                \
	  offsetof(struct pb_rule, nr_##member), false }
#define NAMES(member)                                                                              \
	{ offsetof(struct pb_rule, member), 0, offsetof(struct pb_rule, nr_##member), true }

/* In the order of the canonical text form, and of the keys in JSON. */
const struct pb_field pb_fields[] = {
	{ .key = "id", .write = pb_json_write_id },
	{ .word = "action", .key = "action", .value = "drop", .leading = true,
	  .set = set_action, .print = print_action,
	  .write = pb_json_write_string, .read = pb_json_read_string },
	{ .word = "protocols", .key = "protocols", .value = "tcp,udp", .leading = true,
	  .set = set_protocols, .given = given_protocols, .print = print_protocols,
	  .write = pb_json_write_list, .read = pb_json_read_list, .identity = VALUE(protocols) },
	{ .key = "side", .set = set_side, .print = print_side,
	  .write = pb_json_write_string, .read = pb_json_read_string, .identity = VALUE(side) },
	{ .key = "ports", .set = set_ports, .print = print_ports,
	  .write = pb_json_write_list, .read = pb_json_read_list, .identity = ARRAY(ports) },
	{ .word = "dport", .value = "22,80-90",
	  .set = set_dport, .given = given_dport, .print = print_ports },
	{ .word = "sport", .value = "22,80-90",
	  .set = set_sport, .given = given_sport, .print = print_ports },
	{ .key = "from", .set = set_from_prefixes, .print = print_from_prefixes,
	  .write = pb_json_write_list, .read = pb_json_read_list, .identity = ARRAY(from) },
	{ .key = "except", .set = set_except_prefixes, .print = print_except_prefixes,
	  .write = pb_json_write_list, .read = pb_json_read_list, .identity = ARRAY(except) },
	{ .key = "from_sets", .set = set_from_sets, .print = print_from_sets,
	  .write = pb_json_write_list, .read = pb_json_read_list, .identity = NAMES(from_sets) },
	{ .key = "except_sets", .set = set_except_sets, .print = print_except_sets,
	  .write = pb_json_write_list, .read = pb_json_read_list, .identity = NAMES(except_sets) },
	{ .word = "from", .value = "10.0.0.0/8,fd00::1",
	  .set = set_from, .given = given_from, .print = print_from },
	{ .word = "except", .value = "10.0.0.0/8,fd00::1",
	  .set = set_except, .given = given_except, .print = print_except },
	{ .word = "new", .key = "new", .set = set_new, .given = given_new,
	  .write = pb_json_write_given, .read = pb_json_read_given, .identity = VALUE(only_new) },
	{ .key = "over", .set = set_all_of_over,
	  .write = pb_json_write_over, .read = pb_json_read_over, .identity = VALUE(over) },
	{ .word = "over", .value = "6/m", .set = set_over, .given = given_over, .print = print_over },
	{ .word = "burst", .value = "10", .set = set_burst, .given = given_burst, .print = print_burst },
	{ .word = "each", .value = "source", .set = set_each, .given = given_each, .print = print_each },
	{ .word = "total", .value = "100/s", .set = set_total, .given = given_total, .print = print_total },
	{ .word = "expires", .key = "expires_in", .value = "1h30m",
	  .set = set_expires, .given = given_expires, .print = print_expires,
	  .write = pb_json_write_seconds, .read = pb_json_read_seconds },
	{ .word = "comment", .key = "comment", .value = "\"office only\"",
	  .set = set_comment, .given = given_comment, .print = print_comment,
	  .write = pb_json_write_comment, .read = pb_json_read_string },
	{ .key = "packets", .write = pb_json_write_packets },
	{ .key = "bytes", .write = pb_json_write_bytes },
};
/* clang-format on */

const size_t pb_nr_fields = sizeof(pb_fields) / sizeof(pb_fields[0]);
