// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "anyrule.h"

static __attribute__((format(printf, 2, 3))) void add(char *line, const char *format, ...)
{
	size_t len = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + len, ANY_LINE - len, format, args);
	va_end(args);
}

static bool chance(struct random *random, __u32 percent)
{
	return random_below(random, 100) < percent;
}

static void add_protocols(struct random *random, __u32 known, char *line)
{
	const char *between = "";

	for (__u32 n = 1 + random_below(random, 3); n; n--) {
		add(line, "%s%s", between, pb_proto_name(random_below(random, known)));
		between = ",";
	}
}

static void add_ports(struct random *random, char *line)
{
	const char *between = "";

	for (__u32 n = 1 + random_below(random, 6); n; n--) {
		__u32 first = 1 + random_below(random, chance(random, 50) ? 40 : 65535);
		__u32 last = first + random_below(random, 65536 - first);

		add(line, "%s%u", between, first);
		if (chance(random, 50))
			add(line, "-%u", last);
		between = ",";
	}
}

/* Never all addresses there are, nor all of what another list may hold: lengths start at 8. */
static void add_prefixes(struct random *random, char *line, const char *v4, const char *v6)
{
	const char *between = "";

	for (__u32 n = 1 + random_below(random, 5); n; n--) {
		__u32 a = random_below(random, 3), b = random_below(random, 256);

		if (chance(random, 50))
			add(line, "%s%s.%u.%u.%u", between, v4, a, b, a ^ b);
		else
			add(line, "%s%s:%x::%x", between, v6, a, b);
		if (chance(random, 70))
			add(line, "/%u", 8 + random_below(random, 25));
		between = ",";
	}
}

/* Names of `of`, behind prefixes if `more`; never all of what another list may name. */
static void add_sets(struct random *random, char *line, const char *of, bool more)
{
	for (__u32 n = 1 + random_below(random, 3); n; n--) {
		add(line, "%s@%s%u", more ? "," : "", of, random_below(random, 5));
		more = true;
	}
}

static void add_sources(struct random *random, char *line, const char *v4, const char *v6,
			const char *sets)
{
	bool prefixes = chance(random, 70);

	if (prefixes)
		add_prefixes(random, line, v4, v6);
	if (!prefixes || chance(random, 30))
		add_sets(random, line, sets, prefixes);
}

static void add_duration(struct random *random, char *line)
{
	static const char *const units = "dhms";
	bool any = false;

	for (int unit = 0; unit < 4; unit++) {
		if (!chance(random, 50) && (any || unit < 3))
			continue;
		add(line, "%u%c", 1 + random_below(random, 800), units[unit]);
		any = true;
	}
}

/* Quoted, with what needs a backslash, and characters of several bytes. */
static void add_comment(struct random *random, char *line)
{
	static const char *const pieces[] = {
		"a", " ", "#", "\\\"", "\\\\", "\xc3\xa9", "\xf0\x9f\x98\x80", "'", "new", "0"
	};

	add(line, "\"");
	for (__u32 n = random_below(random, 16); n; n--)
		add(line, "%s", pieces[random_below(random, 10)]);
	add(line, "\"");
}

/* Numbers of any length: most are small, some need more than 32 bits. */
static void add_rate(struct random *random, char *line, bool *bits)
{
	static const char *const prefixes[] = { "", "k", "m", "g" };
	static const char pers[] = "smh";
	__u32 number = 1 + random_below(random, chance(random, 50) ? 20 : 90000), per;

	*bits = chance(random, 30);
	per = *bits ? 0 : random_below(random, 3);
	add(line, "%u%s", number,
	    prefixes[random_below(random, number > 90	    ? 2 :
					  *bits || per == 2 ? 4 :
							      3)]);
	add(line, "%s/%c", *bits ? "bit" : "", pers[per]);
}

static void add_over(struct random *random, char *line)
{
	bool bits;

	add(line, " over ");
	add_rate(random, line, &bits);
	if (bits && chance(random, 40))
		add(line, " burst %u%cbit", 13 + random_below(random, 18),
		    chance(random, 50) ? 'k' : 'm');
	else if (!bits && chance(random, 40))
		add(line, " burst %u", 1 + random_below(random, 8000));
	if (!chance(random, 50))
		return;
	add(line, " each source");
	if (chance(random, 50))
		add(line, "/%u", 1 + random_below(random, 32));
	if (line[strlen(line) - 1] != 'e' && chance(random, 50))
		add(line, ",%u", 1 + random_below(random, 128));
	if (!chance(random, 50))
		return;
	add(line, " total ");
	add_rate(random, line, &bits);
}

void any_line(struct random *random, char *line)
{
	bool alone = chance(random, 15), sport = !alone && chance(random, 30);
	bool only_new = !alone && !sport && chance(random, 30);

	line[0] = '\0';
	if (chance(random, 80))
		add(line, "%s ", pb_action_name(random_below(random, PB_ACTION_MAX)));
	if (!alone && chance(random, 80))
		add_protocols(random, only_new ? PB_PROTO_UDP + 1 : PB_PROTO_MAX, line);
	if (!alone) {
		add(line, " %s ", pb_side_name(sport));
		add_ports(random, line);
	}
	if (alone || chance(random, 30)) {
		add(line, " from ");
		add_sources(random, line, "10", "fd00", "f");
	}
	if (chance(random, 30)) {
		add(line, " except ");
		add_sources(random, line, "11", "2001", "e");
	}
	if (only_new)
		add(line, " new");
	if (chance(random, 30))
		add_over(random, line);
	if (chance(random, 30)) {
		add(line, " expires ");
		add_duration(random, line);
	}
	if (chance(random, 40)) {
		add(line, " comment ");
		add_comment(random, line);
	}
}
