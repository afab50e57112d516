// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * By hand: a file may have millions of times, and strptime() and its like ask for the language and the time
 * zone. A year begins in March here, so that the day that is not always there is its last one.
 */
#include <stdbool.h>
#include <string.h>
#include "util/calendar.h"
#include "util/error.h"
#include "util/escape.h"

#define DAY 86400LL
#define DAYS_400_YEARS 146097
#define DAYS_BEFORE_1970 719468 /* since March of the year 0 */
#define LAST 253402300799LL	/* 9999-12-31T23:59:59Z */

/* ---- Days ---------------------------------------------------------------------------------- */

struct date {
	int year, month, day;
};

static long long days_of(const struct date *date)
{
	int year = date->month > 2 ? date->year : date->year - 1;
	int months = (date->month + 9) % 12; /* since March */
	int of_year = (153 * months + 2) / 5 + date->day - 1;

	return year * 365LL + year / 4 - year / 100 + year / 400 + of_year - DAYS_BEFORE_1970;
}

static struct date date_of(long long days)
{
	long long since = days + DAYS_BEFORE_1970, cycle = since / DAYS_400_YEARS;
	int left = since % DAYS_400_YEARS;
	int year = (left - left / 1460 + left / 36524 - left / 146096) / 365;
	int of_year = left - (365 * year + year / 4 - year / 100);
	int months = (5 * of_year + 2) / 153;
	struct date date = { .month = months < 10 ? months + 3 : months - 9,
			     .day = of_year - (153 * months + 2) / 5 + 1 };

	date.year = cycle * 400 + year + (date.month <= 2);
	return date;
}

static bool is_leap(int year)
{
	return year % 4 == 0 && (year % 100 || year % 400 == 0);
}

static bool is_date(const struct date *date)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (date->year < 1970 || date->month < 1 || date->month > 12 || date->day < 1)
		return false;
	return date->day <= days[date->month - 1] + (date->month == 2 && is_leap(date->year));
}

/* ---- Text ---------------------------------------------------------------------------------- */

/* So many digits at `at`, at most `max`, which moves behind them and the character that follows. */
static bool take(const char **at, int digits, int max, char follows, int *number)
{
	*number = 0;
	for (; digits; digits--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		*number = *number * 10 + (**at - '0');
	}
	if (follows && *(*at)++ != follows)
		return false;
	return *number <= max;
}

/* "Z", "+01:00" or "-03:30", up to the end; what is to be taken off, in seconds. */
static bool take_zone(const char *at, long long *offset)
{
	int hours, minutes, sign = *at == '-' ? -1 : 1;

	*offset = 0;
	if (*at == 'Z')
		return !at[1];
	if (*at != '+' && *at != '-')
		return false;
	at++;
	if (!take(&at, 2, 23, ':', &hours) || !take(&at, 2, 59, '\0', &minutes))
		return false;
	*offset = sign * (hours * 3600LL + minutes * 60);
	return !*at;
}

static bool take_time(const char *at, long long *seconds)
{
	struct date date;
	int hour, minute, second;
	long long offset, made;

	if (!take(&at, 4, 9999, '-', &date.year) || !take(&at, 2, 12, '-', &date.month) ||
	    !take(&at, 2, 31, 'T', &date.day) || !take(&at, 2, 23, ':', &hour) ||
	    !take(&at, 2, 59, ':', &minute) || !take(&at, 2, 59, '\0', &second) ||
	    !take_zone(at, &offset) || !is_date(&date))
		return false;
	made = days_of(&date) * DAY + hour * 3600 + minute * 60 + second - offset;
	if (made >= 0)
		*seconds = made;
	return made >= 0;
}

int pb_time_parse(const char *text, long long *seconds, struct pb_error *error)
{
	if (take_time(text, seconds))
		return 0;
	return pb_fail(error, EINVAL,
		       "%s is no time: write as in 2026-11-29T09:12:03Z, which is UTC, or "
		       "2026-11-29T10:12:03+01:00",
		       PB_Q(text));
}

static void put(char *at, int digits, int number)
{
	while (digits--) {
		at[digits] = '0' + number % 10;
		number /= 10;
	}
}

void pb_time_text(long long seconds, char text[PB_TIME_TEXT])
{
	long long known = seconds < LAST ? seconds : LAST;
	struct date date = date_of(known / DAY);
	int of_day = known % DAY;

	memcpy(text, "0000-00-00T00:00:00Z", PB_TIME_TEXT);
	put(text, 4, date.year);
	put(text + 5, 2, date.month);
	put(text + 8, 2, date.day);
	put(text + 11, 2, of_day / 3600);
	put(text + 14, 2, of_day / 60 % 60);
	put(text + 17, 2, of_day % 60);
}
