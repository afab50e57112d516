/* SPDX-License-Identifier: GPL-2.0-only */
/* A record as a table of its fields: from JSON, to JSON and freed by it. */
#ifndef FLEET_SHAPE_H
#define FLEET_SHAPE_H

#include <portblock/portblock.h>

enum fleet_kind {
	FLEET_TEXT,   /* char *: a line that can be printed */
	FLEET_FILE,   /* char *: any text */
	FLEET_HOST,   /* char *: a name of a host */
	FLEET_NAME,   /* char[PB_NAME_LEN]: of a ruleset */
	FLEET_HASH,   /* char[FLEET_HASH_LEN] */
	FLEET_TIME,   /* char[FLEET_TIME_LEN] */
	FLEET_NUMBER, /* __s64, 0 or more */
	FLEET_COUNT,  /* __u32 */
	FLEET_WORD,   /* unsigned int: one of `words` */
	FLEET_REAL,   /* double, 0 or more */
	FLEET_WORDS,  /* char **, and size_t behind it: lines */
	FLEET_ROWS,   /* an array of records, and size_t behind it */
	FLEET_PAIRS, /* struct fleet_ruleset *, and size_t behind it; in JSON an object, LOCAL: NAME */
	FLEET_NAMED, /* the same; in JSON an object, whose keys are the names at the records' beginning */
	FLEET_KINDS
};

struct fleet_field {
	const char *key;
	enum fleet_kind kind;
	bool needed; /* else it may be left out, and is where it is empty or 0 */
	size_t at;   /* offset in the record */
	size_t limit; /* bytes of a text, or how many there may be; the largest FLEET_COUNT; 0: any */
	const char *const *words;	 /* ends with NULL */
	const struct fleet_shape *shape; /* of FLEET_ROWS and FLEET_NAMED */
};

struct fleet_shape {
	size_t size;
	const struct fleet_field *fields; /* ends with a key NULL */
};

/* `what` names the record in messages. The caller frees it by fleet_shape_free(). */
int fleet_shape_read(const struct fleet_shape *shape, const char *text, size_t len,
		     const char *what, void **record, struct pb_error *error);
/* The caller frees. NULL: no memory. */
char *fleet_shape_text(const struct fleet_shape *shape, const void *record);
void fleet_shape_free(const struct fleet_shape *shape, void *record);

#endif
