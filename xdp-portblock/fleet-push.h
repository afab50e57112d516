/* SPDX-License-Identifier: GPL-2.0-only */
/* What `fleet push` and `fleet rollback` share. */
#ifndef TOOL_FLEET_PUSH_H
#define TOOL_FLEET_PUSH_H

#include "fleet.h"
#include "fleet/rollout.h"

/* How it is to be pushed, by --stages, --wait and --sign. */
struct push_options {
	char **stages;
	size_t nr_stages;
	__u32 wait;	     /* seconds */
	const char *keyfile; /* NULL: not signed */
};

/* WRONG_USAGE after a message. The caller ends it by push_options_clear(), in either case. */
int push_options_read(const struct arguments *arguments, struct push_options *options);
void push_options_clear(struct push_options *options);

/* The name of a ruleset of the fleet, checked; WRONG_USAGE after a message. */
int check_ruleset_word(const struct arguments *arguments, const char *word);

/* Who we are, as a revision has it. FAILED after a message. */
int author_of(const struct fleet_conf *conf, char **author);

/* Signs the revision, if that is asked for, pushes it, and shows how it goes until it is at its end. */
int push_revision(const struct arguments *arguments, struct fleet_etcd *etcd,
		  const struct fleet_conf *conf, const struct push_options *options,
		  struct fleet_revision *revision);

/* fleet-progress.c: carries a rollout to its end, and shows it: DONE all have it in force, FAILED it was stopped. */
int carry_rollout(const struct arguments *arguments, struct fleet_rollout *rollout,
		  const char *ruleset);

#endif
