/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who takes part in which stage of a rollout. Each host has a place by hash of its name and the revision's id, so it
 * is another one for each revision, the same wherever it is worked out, and no list is kept.
 */
#ifndef FLEET_ORDER_H
#define FLEET_ORDER_H

#include "fleet/records.h"

/* A host's place among all, as text that is compared by strcmp(). -ENOMEM. */
int fleet_order(const char *host, const char *id, char order[FLEET_HASH_LEN]);

/* Is a host of that place to have the revision of the stage? */
bool fleet_takes_part(const struct fleet_stage *stage, const char *order);

/* "all" in a stage's `upto`. */
extern const char fleet_all[FLEET_HASH_LEN];

/*
 * Reads "1,10%,100%": hosts or parts of them, each more than the one before where both are of a kind; the last is 100%.
 * The words are the caller's to free, by fleet_stages_free(). -EINVAL quotes the word.
 */
int fleet_stages_parse(const char *text, char ***stages, size_t *nr, struct pb_error *error);
int fleet_stages_check(char *const *stages, size_t nr, struct pb_error *error);
void fleet_stages_free(char **stages, size_t nr);

/*
 * `upto` of a stage. `orders`: sorted, of the hosts there are; `before`: `upto` of the stage before, "" of the first.
 * One host more takes part than in that where there is any; 10 % of 3 hosts is one, since there is no less.
 */
void fleet_upto(const char *stage, const char (*orders)[FLEET_HASH_LEN], size_t nr,
		const char *before, char upto[FLEET_HASH_LEN]);

#endif
