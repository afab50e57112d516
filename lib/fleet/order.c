// SPDX-License-Identifier: GPL-2.0-only
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/order.h"

#define DIGITS_MAX 9

const char fleet_all[FLEET_HASH_LEN] =
	"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";

int fleet_order(const char *host, const char *id, char order[FLEET_HASH_LEN])
{
	const char *const texts[] = { host, id };

	return fleet_hash(texts, 2, order);
}

bool fleet_takes_part(const struct fleet_stage *stage, const char *order)
{
	return stage->state != FLEET_STOPPED && strcmp(order, stage->upto) <= 0;
}

/* ---- Words ----------------------------------------------------------------------------------- */

struct part {
	unsigned long amount;
	bool percent;
};

static bool read_part(const char *word, struct part *part)
{
	size_t digits = strspn(word, "0123456789");

	part->percent = !strcmp(word + digits, "%");
	part->amount = digits && digits <= DIGITS_MAX ? strtoul(word, NULL, 10) : 0;
	return part->amount && (part->percent ? part->amount <= 100 : !word[digits]);
}

static int check_word(const char *word, const char *before, struct pb_error *error)
{
	struct part part, last = { 0 };

	if (!read_part(word, &part))
		return fleet_fail(
			error, EINVAL,
			"'%.80s' is no stage: it is a number of hosts from 1 on or a part from 1%% to "
			"100%%, such as 1,10%%,100%%",
			word);
	if (before)
		read_part(before, &last);
	if (before && part.percent == last.percent && part.amount <= last.amount)
		return fleet_fail(error, EINVAL,
				  "the stage '%s' is not more than '%s', which comes before it",
				  word, before);
	return 0;
}

int fleet_stages_check(char *const *stages, size_t nr, struct pb_error *error)
{
	int err = 0;

	if (!nr || nr > FLEET_STAGES_MAX)
		return fleet_fail(error, EINVAL, "%zu stages, and it has to be 1 to %d of them", nr,
				  FLEET_STAGES_MAX);
	for (size_t i = 0; !err && i < nr; i++)
		err = check_word(stages[i], i ? stages[i - 1] : NULL, error);
	if (!err && strcmp(stages[nr - 1], "100%"))
		err = fleet_fail(
			error, EINVAL,
			"the last stage is '%s', and has to be 100%%: a revision is for all",
			stages[nr - 1]);
	return err;
}

/* Room for all of them, which are one more than there are commas. */
static char **split(const char *text, size_t *nr)
{
	size_t room = 1, len;
	char **words;

	for (const char *at = text; *at; at++)
		room += *at == ',';
	words = calloc(room, sizeof(*words));
	for (*nr = 0; words && *nr < room; text += len + 1) {
		len = strcspn(text, ",");
		words[*nr] = strndup(text, len);
		if (!words[*nr]) {
			fleet_stages_free(words, *nr);
			return NULL;
		}
		++*nr;
	}
	return words;
}

int fleet_stages_parse(const char *text, char ***stages, size_t *nr, struct pb_error *error)
{
	size_t nr_words;
	char **words = split(text, &nr_words);
	int err;

	if (!words)
		return fleet_fail_memory(error);
	err = fleet_stages_check(words, nr_words, error);
	if (err) {
		fleet_stages_free(words, nr_words);
		return err;
	}
	*stages = words;
	*nr = nr_words;
	return 0;
}

void fleet_stages_free(char **stages, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		free(stages[i]);
	free(stages);
}

/* ---- Hosts ----------------------------------------------------------------------------------- */

/* How many of them take part already. */
static size_t count_upto(const char (*orders)[FLEET_HASH_LEN], size_t nr, const char *upto)
{
	size_t count = 0;

	while (count < nr && strcmp(orders[count], upto) <= 0)
		count++;
	return count;
}

void fleet_upto(const char *stage, const char (*orders)[FLEET_HASH_LEN], size_t nr,
		const char *before, char upto[FLEET_HASH_LEN])
{
	size_t had = count_upto(orders, nr, before), count;
	struct part part = { 100, true };

	read_part(stage, &part);
	count = part.percent ? (nr * part.amount + 99) / 100 : part.amount;
	if (count <= had)
		count = had + 1;
	if (part.percent && part.amount == 100)
		strcpy(upto, fleet_all);
	else if (count <= nr)
		strcpy(upto, orders[count - 1]);
	else if (had < nr)
		strcpy(upto, orders[nr - 1]);
	else
		memmove(upto, before, strlen(before) + 1); /* nobody is left to be added */
}
