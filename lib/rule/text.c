// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Rules from text and to text. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "rule/fields.h"
#include "rule/names.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

#define FIELDS_MAX 32

struct parse {
	char *const *words;
	size_t nr;
	size_t at; /* the next word */
	struct pb_rule rule;
	struct pb_input in;
	__u32 seen; /* bit i: pb_fields[i] */
};

const struct pb_field *pb_field_find(const char *word, bool leading, struct pb_error *error)
{
	const char *words[FIELDS_MAX];
	size_t fields[FIELDS_MAX] = { 0 };
	struct pb_names names = { "a keyword of a rule", words, 0 };
	int found;

	for (size_t i = 0; i < pb_nr_fields && names.nr < FIELDS_MAX; i++) {
		if (!pb_fields[i].word || (pb_fields[i].leading && !leading))
			continue;
		fields[names.nr] = i;
		words[names.nr++] = pb_fields[i].word;
	}
	found = pb_names_find(&names, word, error);
	return found < 0 ? NULL : &pb_fields[fields[found]];
}

int pb_rule_set(struct pb_rule *rule, const char *word, const char *text, __u64 now,
		struct pb_error *note, struct pb_error *error)
{
	const struct pb_field *field = pb_field_find(word, true, error);
	const struct pb_input in = { now, NULL, note, error };

	if (note)
		note->text[0] = '\0';
	if (!field)
		return -ENOENT;
	if (field->value && !text)
		return pb_fail(error, EINVAL, "\"%s\" lacks its value, as in %s %s", field->word,
			       field->word, field->value);
	return field->set(rule, text, &in);
}

/* Sets a field that has not been set before. */
static int take(struct parse *p, const struct pb_field *field, const char *text)
{
	__u32 bit = 1U << (field - pb_fields);

	if (p->seen & bit)
		return pb_fail(p->in.error, EINVAL, "\"%s\" is given twice: give it once, %s",
			       field->word,
			       field->value ? "with commas between values" : "as one word");
	p->seen |= bit;
	return field->set(&p->rule, text, &p->in);
}

static bool seen(const struct parse *p, const char *word)
{
	return p->seen & 1U << (pb_field_find(word, true, NULL) - pb_fields);
}

/* `dport 22`, `new`, ... */
static int take_keyword(struct parse *p)
{
	const char *word = p->words[p->at++], *text = NULL;
	const struct pb_field *field = pb_field_find(word, false, p->in.error);

	if (!field && seen(p, "comment"))
		return pb_fail(p->in.error, EINVAL,
			       "%s behind the comment is not a keyword of a rule: put a comment "
			       "of several words in quotes",
			       PB_Q(word));
	if (!field)
		return -EINVAL;
	if (field->value && p->at == p->nr)
		return pb_fail(p->in.error, EINVAL, "\"%s\" lacks its value, as in %s %s", word,
			       word, field->value);
	if (field->value)
		text = p->words[p->at++];
	return take(p, field, text);
}

/* `22/tcp`: the protocols first, since they tell what a service name means. */
static int take_short(struct parse *p)
{
	const char *word = p->words[p->at++], *slash = strchr(word, '/');
	char *ports = strndup(word, slash - word);
	int err;

	if (!ports)
		return pb_fail_memory(p->in.error);
	err = take(p, pb_field_find("protocols", true, NULL), slash + 1);
	if (!err)
		err = take(p, pb_field_find("dport", true, NULL), ports);
	free(ports);
	return err;
}

static int bad_start(struct parse *p, const char *word)
{
	const char *near = pb_names_near(&pb_action_names, word);

	if (!near)
		near = pb_names_near(&pb_proto_names, word);
	return pb_fail(
		p->in.error, EINVAL,
		"%s starts no rule%s%s%s Write as in \"drop tcp dport 22\", \"22/tcp\" or "
		"\"drop from 192.0.2.1\"; "
		"actions are drop, reject, audit and allow, protocols tcp, udp, sctp, dccp and "
		"udplite",
		PB_Q(word), near ? ": did you mean " : "", near ? near : "", near ? "?" : ".");
}

/* Protocols or the short form, if the next word is no keyword. */
static int take_protocols(struct parse *p)
{
	const struct pb_field *field = pb_field_find("protocols", true, NULL);
	const char *word = p->words[p->at];

	if (pb_field_find(word, false, NULL))
		return 0;
	if (strchr(word, '/'))
		return take_short(p);
	if (isdigit((unsigned char)word[0]))
		return pb_fail(p->in.error, EINVAL,
			       "%s lacks a protocol: write %s/tcp, %s/udp or %s/tcp,udp",
			       PB_Q(word), word, word, word);
	if (!seen(p, "action") && !strchr(word, ',') &&
	    pb_names_find(&pb_proto_names, word, NULL) < 0)
		return bad_start(p, word);
	p->at++;
	return take(p, field, word);
}

/* `drop from @bans`: neither protocols nor ports. */
static void leave_alone(struct parse *p)
{
	if (seen(p, "from") && !seen(p, "protocols") && !seen(p, "dport") && !seen(p, "sport"))
		p->rule.protocols = 0;
}

static int take_all(struct parse *p)
{
	int err = 0;

	if (!p->nr)
		return pb_fail(
			p->in.error, EINVAL,
			"the rule is empty: write as in \"drop tcp dport 22\" or \"22/tcp\"");
	if (pb_names_find(&pb_action_names, p->words[0], NULL) >= 0)
		err = take(p, pb_field_find("action", true, NULL), p->words[p->at++]);
	if (!err && p->at < p->nr)
		err = take_protocols(p);
	while (!err && p->at < p->nr)
		err = take_keyword(p);
	leave_alone(p);
	return err ? err : pb_rule_check(&p->rule, p->in.error);
}

int pb_rule_read(char *const *words, size_t nr, const struct pb_input *in, struct pb_rule *rule)
{
	struct parse p = { .words = words,
			   .nr = nr,
			   .rule.protocols = 1U << PB_PROTO_TCP | 1U << PB_PROTO_UDP,
			   .in = *in };
	int err;

	if (in->note)
		in->note->text[0] = '\0';
	err = take_all(&p);
	if (!err) {
		pb_rule_clear(rule);
		*rule = p.rule;
		return 0;
	}
	pb_rule_clear(&p.rule);
	return err;
}

int pb_rule_parse(char *const *words, size_t nr, __u64 now, struct pb_rule *rule,
		  struct pb_error *note, struct pb_error *error)
{
	const struct pb_input in = { now, NULL, note, error };

	return pb_rule_read(words, nr, &in, rule);
}

static void print_field(const struct pb_field *field, const struct pb_rule *rule, __u64 now,
			FILE *out)
{
	if (!field->word || (field->given && !field->given(rule)))
		return;
	if (ftell(out))
		putc(' ', out);
	if (!field->leading)
		fputs(field->word, out);
	if (!field->leading && field->print)
		putc(' ', out);
	if (field->print)
		field->print(rule, now, out);
}

int pb_rule_format(const struct pb_rule *rule, __u64 now, char **text)
{
	char *made = NULL;
	size_t len;
	FILE *out = open_memstream(&made, &len);

	if (!out)
		return -ENOMEM;
	for (size_t i = 0; i < pb_nr_fields; i++)
		print_field(&pb_fields[i], rule, now, out);
	if (!pb_stream_take(out, &made))
		return -ENOMEM;
	*text = made;
	return 0;
}
