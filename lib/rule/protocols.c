// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "util/error.h"
#include "util/text.h"

static int parse_item(const char *word, void *ctx, struct pb_error *error)
{
	int proto = pb_names_find(&pb_proto_names, word, error);

	if (proto < 0)
		return proto;
	*(unsigned int *)ctx |= 1U << proto;
	return 0;
}

int pb_protocols_parse(const char *text, unsigned int *protocols, struct pb_error *error)
{
	unsigned int found = 0;
	int err = pb_list_each(text, "protocols", parse_item, &found, error);

	if (!err)
		*protocols = found;
	return err;
}

void pb_protocols_print(FILE *out, unsigned int protocols)
{
	const char *between = "";

	for (unsigned int proto = 0; proto < PB_PROTO_MAX; proto++) {
		if (!(protocols & (1U << proto)))
			continue;
		fprintf(out, "%s%s", between, pb_proto_name(proto));
		between = ",";
	}
}

char *pb_protocols_text(unsigned int protocols)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	pb_protocols_print(out, protocols);
	return pb_stream_take(out, &text);
}
