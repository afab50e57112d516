// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Sets with their elements, as a file: a line each. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "rules/rules.h"
#include "rules/saved.h"
#include "rules/sets.h"
#include "util/calendar.h"
#include "util/error.h"

#define NS 1000000000ULL
#define BUFFER 262144
#define LINE 512 /* at most, but for a path */

struct writer {
	int fd;
	const struct pb_clocks *now;
	char *buffer;
	size_t len;
};

static int flush(struct writer *out, struct pb_error *error)
{
	size_t done = 0;

	while (done < out->len) {
		ssize_t more = write(out->fd, out->buffer + done, out->len - done);

		if (more < 0 && errno != EINTR)
			return pb_fail(error, errno, "cannot write elements: %s", strerror(errno));
		if (more > 0)
			done += more;
	}
	out->len = 0;
	return 0;
}

/* Room for one more line. */
static int make_room(struct writer *out, struct pb_error *error)
{
	return out->len + LINE > BUFFER ? flush(out, error) : 0;
}

static void put_text(struct writer *out, const char *text)
{
	size_t len = strlen(text);

	memcpy(out->buffer + out->len, text, len);
	out->len += len;
}

static void put_prefix(struct writer *out, const struct pb_prefix *prefix)
{
	bool four = prefix->family == 4;
	char len[8];

	inet_ntop(four ? AF_INET : AF_INET6, prefix->addr, out->buffer + out->len,
		  INET6_ADDRSTRLEN);
	out->len += strlen(out->buffer + out->len);
	if (prefix->len == (four ? 32 : 128))
		return;
	snprintf(len, sizeof(len), "/%u", prefix->len);
	put_text(out, len);
}

/* The second in which it has ended: rounded up, so that none ends too early. */
static long long ends_at(const struct pb_clocks *now, __u64 expires)
{
	__u64 left = expires - now->boot;

	return now->wall / NS + left / NS + (now->wall % NS + left % NS + NS - 1) / NS;
}

static void put_element(struct writer *out, const struct pb_element *element)
{
	char text[PB_TIME_TEXT];

	put_prefix(out, &element->prefix);
	if (element->expires) {
		put_text(out, " until ");
		pb_time_text(ends_at(out->now, element->expires), text);
		put_text(out, text);
	}
	put_text(out, "\n");
}

static void put_head(struct writer *out, const char *ruleset)
{
	char time[PB_TIME_TEXT];

	pb_time_text(out->now->wall / NS, time);
	out->len = snprintf(out->buffer, BUFFER,
			    "# Elements of the sets of the ruleset %.*s, by `xdp-portblock save "
			    "--elements`\nsaved %s\n",
			    PB_NAME_LEN, ruleset, time);
}

static int put_name(struct writer *out, const struct pb_saved_set *about, struct pb_error *error)
{
	struct pb_set set = { .timeout = about->timeout, .max = about->max };
	char line[LINE] = "";
	FILE *text = fmemopen(line, sizeof(line), "w");

	if (!text)
		return pb_fail_memory(error);
	memcpy(set.name, about->name, sizeof(set.name));
	fputs("set ", text);
	pb_set_print(text, &set);
	putc('\n', text);
	fclose(text);
	put_text(out, line);
	return 0;
}

static int put_set(struct writer *out, const struct pb_saved_elements *set, struct pb_error *error)
{
	int ret = make_room(out, error);

	if (!set->about.elements)
		return ret;
	if (!ret)
		ret = put_name(out, &set->about, error);
	for (size_t i = 0; !ret && i < set->about.elements; i++) {
		if (set->list[i].expires && set->list[i].expires <= out->now->boot)
			continue;
		ret = make_room(out, error);
		if (!ret)
			put_element(out, &set->list[i]);
	}
	return ret;
}

int pb_saved_write(const struct pb_saved *saved, const struct pb_clocks *now, const char *ruleset,
		   int fd, struct pb_error *error)
{
	struct writer out = { .fd = fd, .now = now, .buffer = malloc(BUFFER) };
	int ret = 0;

	if (!out.buffer)
		return pb_fail_memory(error);
	put_head(&out, ruleset);
	for (size_t i = 0; !ret && i < saved->nr; i++)
		ret = put_set(&out, &saved->sets[i], error);
	if (!ret)
		ret = flush(&out, error);
	free(out.buffer);
	return ret;
}
