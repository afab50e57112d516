// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "util/array.h"
#include "util/error.h"
#include "util/text.h"

struct list {
	struct pb_prefix *prefixes;
	size_t nr;
	size_t room;
	size_t masked;		      /* had host bits */
	struct pb_quoted first;	      /* of those */
	struct pb_prefix first_taken; /* as what it was taken */
};

static const struct family {
	int af;
	const char *name;
	__u8 family;
	__u8 bits;
} families[] = { { AF_INET, "IPv4", 4, 32 }, { AF_INET6, "IPv6", 6, 128 } };

/* Zeroes what is behind the length; tells whether anything was there. */
static bool mask(struct pb_prefix *prefix)
{
	bool masked = false;

	for (unsigned int i = 0; i < sizeof(prefix->addr); i++) {
		unsigned int keep = prefix->len > i * 8 ? prefix->len - i * 8 : 0;
		__u8 bits = keep < 8 ? 0xff >> keep : 0;

		masked = masked || prefix->addr[i] & bits;
		prefix->addr[i] &= ~bits;
	}
	return masked;
}

static int parse_address(const char *word, const struct family *family, __u8 *addr,
			 struct pb_error *error)
{
	size_t len = strcspn(word, "/");
	char address[INET6_ADDRSTRLEN] = "";

	if (len < sizeof(address))
		memcpy(address, word, len);
	if (inet_pton(family->af, address, addr) != 1)
		return pb_fail(error, EINVAL,
			       "%s is not an address or prefix: write as in 192.0.2.1, 10.0.0.0/8, "
			       "fd00::1 or 2001:db8::/32",
			       PB_Q(word));
	return 0;
}

static int parse_len(const char *word, const struct family *family, __u8 *len,
		     struct pb_error *error)
{
	const char *slash = strchr(word, '/');
	unsigned long number = family->bits;

	if (slash && pb_number_parse(slash + 1, strlen(slash + 1), family->bits, &number))
		return pb_fail(error, EINVAL,
			       "%s has no valid length: %s prefixes go from /0 to /%u", PB_Q(word),
			       family->name, family->bits);
	*len = number;
	return 0;
}

static int parse_prefix(const char *word, struct pb_prefix *prefix, struct pb_error *error)
{
	const struct family *family = &families[!!strchr(word, ':')];
	int err = parse_address(word, family, prefix->addr, error);

	prefix->family = family->family;
	return err ? err : parse_len(word, family, &prefix->len, error);
}

static int parse_item(const char *word, void *ctx, struct pb_error *error)
{
	struct list *list = ctx;
	struct pb_prefix prefix = { 0 }, *grown;
	int err = parse_prefix(word, &prefix, error);

	if (err)
		return err;
	if (list->nr == PB_SOURCES_LIMIT)
		return pb_fail(error, EINVAL, "more than %u prefixes in one list",
			       PB_SOURCES_LIMIT);
	grown = pb_grow(list->prefixes, list->nr, &list->room, sizeof(*grown));
	if (!grown)
		return pb_fail_memory(error);
	list->prefixes = grown;
	if (mask(&prefix) && !list->masked++) {
		list->first = pb_quote(word);
		list->first_taken = prefix;
	}
	grown[list->nr++] = prefix;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct pb_prefix *left = a, *right = b;
	int order = (int)left->family - right->family;

	if (!order)
		order = memcmp(left->addr, right->addr, sizeof(left->addr));
	return order ? order : (int)left->len - right->len;
}

static void sort(struct list *list)
{
	size_t nr = 0;

	qsort(list->prefixes, list->nr, sizeof(*list->prefixes), compare);
	for (size_t i = 0; i < list->nr; i++)
		if (!nr || compare(&list->prefixes[nr - 1], &list->prefixes[i]))
			list->prefixes[nr++] = list->prefixes[i];
	list->nr = nr;
}

static int note_masked(const struct list *list, struct pb_error *note, struct pb_error *error)
{
	char *taken, more[48] = "";
	size_t len;

	if (!note || !list->masked)
		return 0;
	taken = pb_prefixes_text(&list->first_taken, 1);
	if (!taken)
		return pb_fail_memory(error);
	if (list->masked > 1)
		snprintf(more, sizeof(more), ", and %zu more like it", list->masked - 1);
	len = strlen(note->text);
	snprintf(note->text + len, sizeof(note->text) - len,
		 "%s%s is taken as %s (bits behind the length do not count)%s", len ? "; " : "",
		 list->first.text, taken, more);
	free(taken);
	return 0;
}

int pb_prefixes_parse(const char *text, struct pb_prefix **prefixes, size_t *nr,
		      struct pb_error *note, struct pb_error *error)
{
	struct list list = { 0 };
	int err;

	err = text[0] == '@' ? pb_prefix_file_each(text + 1, parse_item, &list, error) :
			       pb_list_each(text, "prefixes", parse_item, &list, error);
	if (!err && !list.nr)
		err = pb_fail(error, EINVAL, "the file %s holds no prefixes", PB_Q(text + 1));
	if (!err)
		err = note_masked(&list, note, error);
	if (err) {
		free(list.prefixes);
		return err;
	}
	sort(&list);
	*prefixes = list.prefixes;
	*nr = list.nr;
	return 0;
}

void pb_prefixes_print(FILE *out, const struct pb_prefix *prefixes, size_t nr)
{
	char address[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < nr; i++) {
		const struct family *family = &families[prefixes[i].family == 6];

		inet_ntop(family->af, prefixes[i].addr, address, sizeof(address));
		fprintf(out, "%s%s", i ? "," : "", address);
		if (prefixes[i].len < family->bits)
			fprintf(out, "/%u", prefixes[i].len);
	}
}

char *pb_prefixes_text(const struct pb_prefix *prefixes, size_t nr)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	pb_prefixes_print(out, prefixes, nr);
	return pb_stream_take(out, &text);
}
