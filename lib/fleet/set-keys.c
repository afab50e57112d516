// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "fleet/error.h"
#include "fleet/set-keys.h"
#include "fleet/shape.h"

#define NS 1000000000LL

char *fleet_set_key(const struct fleet_conf *conf, const char *name, const char *what,
		    const char *tail)
{
	char *key;

	if (asprintf(&key, "%s" FLEET_SETS "/%s/%s%s", conf->prefix, name, what, tail) < 0)
		return NULL;
	return key;
}

const struct fleet_shared *fleet_shared_find(const struct fleet_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->nr_sets; i++)
		if (!strcmp(conf->sets[i].remote, name))
			return &conf->sets[i];
	return NULL;
}

/* ---- Elements ------------------------------------------------------------------------------ */

const char *fleet_prefix_text(const struct pb_prefix *prefix, char text[FLEET_PREFIX_TEXT])
{
	bool four = prefix->family == 4;
	size_t len;

	inet_ntop(four ? AF_INET : AF_INET6, prefix->addr, text, FLEET_PREFIX_TEXT);
	len = strlen(text);
	if (prefix->len < (four ? 32 : 128))
		snprintf(text + len, FLEET_PREFIX_TEXT - len, "/%u", prefix->len);
	return text;
}

int fleet_prefix_read(const char *text, struct pb_prefix *prefix, struct pb_error *error)
{
	char canonical[FLEET_PREFIX_TEXT];
	struct pb_prefix read;
	int err = pb_prefix_parse(text, &read, NULL, error);

	if (err)
		return err;
	if (strcmp(fleet_prefix_text(&read, canonical), text))
		return fleet_fail(error, EINVAL, "'%.60s' is to be written as '%s'", text,
				  canonical);
	*prefix = read;
	return 0;
}

/* ---- Times --------------------------------------------------------------------------------- */

static long long wall_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

long long fleet_until(__u64 timeout)
{
	return timeout ? (wall_clock() + (long long)timeout + NS - 1) / NS : 0;
}

bool fleet_until_expires(long long until, __u64 *expires)
{
	long long left = until > FLEET_SECOND_LAST / 100 ? FLEET_SECOND_LAST / 100 * NS :
							   until * NS - wall_clock();

	if (!until) {
		*expires = 0;
		return true;
	}
	if (left <= 0)
		return false;
	*expires = pb_clock() + left;
	return true;
}

long long fleet_until_of(__u64 expires)
{
	return expires ? (wall_clock() + (long long)(expires - pb_clock()) + NS - 1) / NS : 0;
}

void fleet_until_text(long long until, char text[FLEET_UNTIL_TEXT])
{
	fleet_time_text(until, text);
}

int fleet_until_parse(const char *text, long long *until)
{
	char canonical[FLEET_UNTIL_TEXT];
	struct tm utc = {};
	char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
	long long seconds;

	if (!end || *end)
		return -EINVAL;
	seconds = timegm(&utc);
	if (seconds <= 0 || seconds > FLEET_SECOND_LAST)
		return -EINVAL;
	fleet_until_text(seconds, canonical);
	if (strcmp(canonical, text))
		return -EINVAL; /* the 31st of February */
	*until = seconds;
	return 0;
}

/* ---- Bans ---------------------------------------------------------------------------------- */

struct record {
	char *until; /* NULL: for ever */
	char *host;
};

static const struct fleet_field fields[] = {
	{ "until", FLEET_TEXT, false, offsetof(struct record, until), FLEET_UNTIL_TEXT - 1, NULL,
	  NULL },
	{ "host", FLEET_HOST, true, offsetof(struct record, host), 0, NULL, NULL },
	{ NULL, 0, false, 0, 0, NULL, NULL },
};
static const struct fleet_shape shape = { sizeof(struct record), fields };

int fleet_ban_read(const char *text, size_t len, const char *what, struct fleet_ban *ban,
		   struct pb_error *error)
{
	struct record *record;
	long long until = 0;
	void *made;
	int err = fleet_shape_read(&shape, text, len, what, &made, error);

	if (err)
		return err;
	record = made;
	if (record->until && fleet_until_parse(record->until, &until)) {
		err = fleet_fail(error, EINVAL,
				 "%s: \"until\" is \"%s\", and has to be a time like "
				 "2026-11-29T09:12:03Z, or null",
				 what, record->until);
	} else {
		ban->until = until;
		snprintf(ban->host, sizeof(ban->host), "%s", record->host);
	}
	fleet_shape_free(&shape, made);
	return err;
}

/* By hand: neither a time nor the name of a host has what JSON escapes. */
char *fleet_ban_text(const struct fleet_ban *ban)
{
	char until[FLEET_UNTIL_TEXT] = "null", *text;
	const char *quote = ban->until ? "\"" : "";

	if (ban->until)
		fleet_until_text(ban->until, until);
	if (asprintf(&text, "{\"format\":1,\"until\":%s%s%s,\"host\":\"%s\"}", quote, until, quote,
		     ban->host) < 0)
		return NULL;
	return text;
}
