// SPDX-License-Identifier: GPL-2.0-only
/* Words of the commands `set ...`, and how elements are written. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "set.h"

int set_words(const struct arguments *arguments, size_t wanted, bool more, const char *what)
{
	struct pb_error error;
	int err;

	if (!arguments->nr_words)
		return wrong(arguments, "which set?");
	err = pb_set_name_check(arguments->words[0], &error);
	if (err)
		return refused(arguments, err, OPT_MAX, &error);
	if (arguments->nr_words < wanted + 1)
		return wrong(arguments, "%s", what);
	if (!more && arguments->nr_words > wanted + 1)
		return wrong(arguments, "'%s' is not wanted here", arguments->words[wanted + 1]);
	return DONE;
}

/* ---- Elements ------------------------------------------------------------------------------- */

static int read_word(const struct arguments *arguments, const char *word,
		     struct pb_element **elements, size_t *nr)
{
	struct pb_error error, masked = { "" };
	bool file = *word == '@' && strchr(word, '/');
	int err;

	if (!strcmp(word, "-"))
		return wrong(arguments, "'-', standard input, stands alone");
	err = pb_elements_parse(word, elements, nr, &masked, &error);
	if (err)
		return file ? fail(&error) : refused(arguments, err, OPT_MAX, &error);
	if (*masked.text)
		note("%s", masked.text);
	if (!*nr)
		note("%s holds no addresses", word + 1);
	return DONE;
}

static int append(struct pb_element **all, size_t *nr_all, const struct pb_element *more, size_t nr)
{
	struct pb_element *grown = reallocarray(*all, *nr_all + nr + 1, sizeof(*grown));

	if (!grown)
		return out_of_memory();
	if (nr)
		memcpy(grown + *nr_all, more, nr * sizeof(*more));
	*all = grown;
	*nr_all += nr;
	return DONE;
}

int set_elements(const struct arguments *arguments, struct pb_element **elements, size_t *nr)
{
	struct pb_element *all = NULL;
	size_t nr_all = 0;
	int ret = DONE;

	for (size_t i = 1; ret == DONE && i < arguments->nr_words; i++) {
		struct pb_element *some = NULL;
		size_t nr_some = 0;

		ret = read_word(arguments, arguments->words[i], &some, &nr_some);
		if (ret == DONE)
			ret = append(&all, &nr_all, some, nr_some);
		free(some);
	}
	if (ret != DONE) {
		free(all);
		return ret;
	}
	*elements = all;
	*nr = nr_all;
	return DONE;
}

struct pb_prefix *set_prefixes(const struct pb_element *elements, size_t nr)
{
	struct pb_prefix *prefixes = calloc(nr + 1, sizeof(*prefixes));

	for (size_t i = 0; prefixes && i < nr; i++)
		prefixes[i] = elements[i].prefix;
	return prefixes;
}

const char *element_text(const struct pb_prefix *prefix, bool whole, char text[ELEMENT_TEXT])
{
	bool four = prefix->family == 4;
	size_t len;

	inet_ntop(four ? AF_INET : AF_INET6, prefix->addr, text, ELEMENT_TEXT);
	len = strlen(text);
	if (whole || prefix->len < (four ? 32 : 128))
		snprintf(text + len, ELEMENT_TEXT - len, "/%u", prefix->len);
	return text;
}

/* ---- Times ---------------------------------------------------------------------------------- */

int set_timeout(const struct arguments *arguments, __u64 *ns)
{
	const char *text = arguments->values[OPT_TIMEOUT];
	struct pb_error error;
	int err = text ? pb_timeout_parse(text, ns, &error) : 0;

	return err ? refused(arguments, err, OPT_TIMEOUT, &error) : DONE;
}

__u64 set_expiry(__u64 timeout)
{
	return timeout ? pb_clock() + timeout : 0;
}

__u64 seconds_left(__u64 expires, __u64 now)
{
	const __u64 second = 1000000000;

	return expires > now ? (expires - now + second - 1) / second : 0;
}
