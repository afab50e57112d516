// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* PORTS: numbers, ranges and service names; and PROTOCOLS. */
#include <netdb.h>
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "rule/names.h"
#include "rule/ports.h"
#include "util/array.h"
#include "util/error.h"
#include "util/escape.h"
#include "util/text.h"

#define PORT_MAX 65535

struct list {
	struct pb_range *ranges;
	size_t nr;
	size_t room;
	unsigned int protocols;
};

static int add(struct list *list, __u16 first, __u16 last, struct pb_error *error)
{
	struct pb_range *ranges = pb_grow(list->ranges, list->nr, &list->room, sizeof(*ranges));

	if (!ranges)
		return pb_fail_memory(error);
	list->ranges = ranges;
	ranges[list->nr++] = (struct pb_range){ first, last };
	return 0;
}

/* A port of `len` digits that is (a part of) `word`. */
static int parse_port(const char *text, size_t len, const char *word, __u16 *port,
		      struct pb_error *error)
{
	unsigned long number;
	int err = pb_number_parse(text, len, PORT_MAX, &number);

	if (err == -EINVAL)
		return pb_fail(error, EINVAL,
			       "%s is not a port: write a number from 1 to 65535 without leading "
			       "zeros, or a range as in 80-90",
			       PB_Q(word));
	if (err || !number)
		return pb_fail(error, EINVAL, "%s is not a port: ports are 1 to 65535", PB_Q(word));
	*port = number;
	return 0;
}

static int parse_range(const char *word, struct list *list, struct pb_error *error)
{
	size_t len = strcspn(word, "-");
	__u16 first, last;
	int err;

	err = parse_port(word, len, word, &first, error);
	if (err)
		return err;
	last = first;
	if (word[len])
		err = parse_port(word + len + 1, strlen(word + len + 1), word, &last, error);
	if (err)
		return err;
	if (first > last)
		return pb_fail(error, EINVAL, "%s runs backwards: write %u-%u", PB_Q(word), last,
			       first);
	return add(list, first, last, error);
}

/* The port of a service name; 0: unknown. UDP-Lite has the services of UDP. */
static __u16 service_port(const char *name, enum pb_proto proto)
{
	const char *under = proto == PB_PROTO_UDPLITE ? "udp" : pb_proto_name(proto);
	struct servent entry, *found = NULL;
	char buffer[8192];

	if (getservbyname_r(name, under, &entry, buffer, sizeof(buffer), &found) || !found)
		return 0;
	return ntohs(found->s_port);
}

static int unknown_service(const char *name, struct pb_error *error)
{
	for (unsigned int proto = 0; proto < PB_PROTO_MAX; proto++) {
		__u16 port = service_port(name, proto);

		if (port)
			return pb_fail(error, EINVAL,
				       "%s is a service of %s, not of this rule's protocols: "
				       "to mean its port anyhow, write %u",
				       PB_Q(name), pb_proto_name(proto), port);
	}
	return pb_fail(error, EINVAL,
		       "%s is not a port, nor a service known here (/etc/services): write a number "
		       "from 1 to 65535, or a range as in 80-90",
		       PB_Q(name));
}

/* Known for one of the protocols is enough: few services are registered for all they use. */
static int parse_service(const char *name, struct list *list, struct pb_error *error)
{
	unsigned int wanted = list->protocols ? list->protocols : ~0U;
	__u16 port = 0;

	for (unsigned int proto = 0; proto < PB_PROTO_MAX; proto++) {
		__u16 found = wanted & (1U << proto) ? service_port(name, proto) : 0;

		if (port && found && found != port)
			return pb_fail(error, EINVAL,
				       "%s is port %u or %u, depending on the protocol: write the "
				       "number",
				       PB_Q(name), port, found);
		if (found)
			port = found;
	}
	return port ? add(list, port, port, error) : unknown_service(name, error);
}

static int parse_item(const char *word, void *ctx, struct pb_error *error)
{
	bool digits = !word[strspn(word, "0123456789-")];

	return (digits ? parse_range : parse_service)(word, ctx, error);
}

static int by_first(const void *a, const void *b)
{
	const struct pb_range *left = a, *right = b;

	return left->first != right->first ? left->first - right->first : left->last - right->last;
}

/*
 * Sorts, and drops what is there twice. Ranges that overlap or touch stay as they were written:
 * the width of each decides between rules, and `22,23` is narrower than `22-23`.
 */
static void sort(struct list *list)
{
	size_t nr = 0;

	qsort(list->ranges, list->nr, sizeof(*list->ranges), by_first);
	for (size_t i = 0; i < list->nr; i++)
		if (!nr || by_first(&list->ranges[nr - 1], &list->ranges[i]))
			list->ranges[nr++] = list->ranges[i];
	list->nr = nr;
}

int pb_ports_parse(const char *text, unsigned int protocols, struct pb_range **ports, size_t *nr,
		   struct pb_error *error)
{
	struct list list = { .protocols = protocols };
	int err = pb_list_each(text, "ports", parse_item, &list, error);

	if (err) {
		free(list.ranges);
		return err;
	}
	sort(&list);
	*ports = list.ranges;
	*nr = list.nr;
	return 0;
}

void pb_ports_print(FILE *out, const struct pb_range *ports, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		fprintf(out, "%s%u", i ? "," : "", ports[i].first);
		if (ports[i].last != ports[i].first)
			fprintf(out, "-%u", ports[i].last);
	}
}

char *pb_ports_text(const struct pb_range *ports, size_t nr)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	pb_ports_print(out, ports, nr);
	return pb_stream_take(out, &text);
}

static int parse_protocol(const char *word, void *ctx, struct pb_error *error)
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
	int err = pb_list_each(text, "protocols", parse_protocol, &found, error);

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
