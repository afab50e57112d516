/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* The fields of a rule: one table says how each is read, printed, compared and put in JSON. */
#ifndef PB_RULE_H
#define PB_RULE_H

#include <stdio.h>
#include <portblock/portblock.h>

#define PB_UNUSED __attribute__((unused))

/* What a reader of text is told beside the text. */
struct pb_input {
	__u64 now;
	const char *file;      /* in which it stands; NULL: in none */
	struct pb_error *note; /* added to; NULL: not wanted */
	struct pb_error *error;
};

/* A part of struct pb_rule: a value, or an array (`count` is where its size_t count is). */
struct pb_part {
	size_t at;
	size_t size; /* of the value or of an element; 0: no part, or strings */
	size_t count;
	bool strings;
};

struct pb_field;

/* Takes a field from its text; changes nothing when it fails. */
typedef int pb_field_set(struct pb_rule *rule, const char *text, const struct pb_input *in);
typedef bool pb_field_given(const struct pb_rule *rule);
typedef void pb_field_print(const struct pb_rule *rule, __u64 now, FILE *out);
typedef int pb_field_write(const struct pb_field *field, const struct pb_rule *rule, __u64 now,
			   struct json_object **json);
typedef int pb_field_read(const struct json_object *json, char **text, struct pb_error *error);

struct pb_field {
	const char *word;	 /* keyword of the text form; NULL: only in JSON */
	const char *key;	 /* in JSON; NULL: only in the text form */
	const char *value;	 /* an example, for messages; NULL: has no value */
	bool leading;		 /* stands without its keyword, before the others */
	pb_field_set *set;	 /* NULL: cannot be set */
	pb_field_given *given;	 /* NULL: always */
	pb_field_print *print;	 /* the value; NULL: has none */
	pb_field_write *write;	 /* to JSON */
	pb_field_read *read;	 /* from JSON to the text for `set`, or to NULL: do not set */
	struct pb_part identity; /* rules that differ in it are not the same rule */
};

extern const struct pb_field pb_fields[];
extern const size_t pb_nr_fields;

/* text.c: pb_rule_parse(), of words that may stand in a file. */
int pb_rule_read(char *const *words, size_t nr, const struct pb_input *in, struct pb_rule *rule);

/* The field with that keyword, leading ones only if `leading`; NULL: -EINVAL was said. */
const struct pb_field *pb_field_find(const char *word, bool leading, struct pb_error *error);

/* rule.c: is it about sources alone, whatever the ports of a packet, or without any? */
bool pb_rule_is_alone(const struct pb_rule *rule);
/* The same protocols, side, ports, sources and `new`? */
bool pb_rule_same(const struct pb_rule *a, const struct pb_rule *b);
/* Equal for rules that are the same. */
__u32 pb_rule_hash(const struct pb_rule *rule);

#endif
