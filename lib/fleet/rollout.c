// SPDX-License-Identifier: GPL-2.0-only
/* A rollout to its end: what is to be done next, and done. */
#include <stdlib.h>
#include <string.h>
#include "fleet/error.h"
#include "fleet/rollout-parts.h"

/* Until something is to be done. What was seen before a stream ended decides nothing. */
static int await_step(struct fleet_rollout *rollout, enum fleet_step *step, struct pb_error *why,
		      struct pb_error *error)
{
	int err = 0;

	for (;;) {
		if (rollout->watch)
			*step = fleet_decide(&rollout->roster, rollout->stage,
					     rollout->revision->revision,
					     pb_clock() - rollout->began, why);
		else
			*step = FLEET_STEP_WAIT;
		if (*step != FLEET_STEP_WAIT)
			return 0;
		err = fleet_rollout_look(rollout, fleet_rollout_left(rollout, rollout->began),
					 error);
		if (err)
			return err;
	}
}

static int finish(struct fleet_rollout *rollout, struct fleet_outcome *outcome,
		  struct pb_error *error)
{
	rollout->stage->state = FLEET_DONE;
	outcome->done = true;
	return fleet_rollout_write_end(rollout, error);
}

/* Hosts are back when they say so; those that say nothing are named, and not waited for longer than for a stage. */
static int await_back(struct fleet_rollout *rollout, struct fleet_outcome *outcome,
		      struct pb_error *error)
{
	__u64 began = pb_clock();
	size_t nr;
	int err = 0;

	while (!err) {
		nr = fleet_not_back(&rollout->roster, rollout->stage, rollout->revision->revision,
				    outcome->late.text, sizeof(outcome->late.text));
		if ((!nr && rollout->watch) || !fleet_rollout_left(rollout, began))
			return 0;
		err = fleet_rollout_look(rollout, fleet_rollout_left(rollout, began), error);
	}
	return err;
}

static int stop(struct fleet_rollout *rollout, struct fleet_outcome *outcome,
		struct pb_error *error)
{
	int err;

	free(rollout->stage->reason);
	rollout->stage->reason = strdup(outcome->why.text);
	rollout->stage->state = FLEET_STOPPED;
	if (!rollout->stage->reason)
		return fleet_fail_memory(error);
	err = fleet_rollout_write_end(rollout, error);
	if (err)
		return err;
	fleet_rollout_tell(rollout, FLEET_NEWS_STOPPED, outcome->why.text);
	return await_back(rollout, outcome, error);
}

static int run(struct fleet_rollout *rollout, struct fleet_outcome *outcome, struct pb_error *error)
{
	enum fleet_step step;
	int err;

	do {
		err = await_step(rollout, &step, &outcome->why, error);
		if (!err && step == FLEET_STEP_NEXT)
			err = fleet_rollout_next_stage(rollout, error);
	} while (!err && step == FLEET_STEP_NEXT);
	if (err)
		return err;
	outcome->count = fleet_roster_count(&rollout->roster, rollout->stage);
	return step == FLEET_STEP_DONE ? finish(rollout, outcome, error) :
					 stop(rollout, outcome, error);
}

int fleet_rollout_run(struct fleet_rollout *rollout, fleet_listener listener, void *context,
		      const volatile sig_atomic_t *interrupted, struct fleet_outcome *outcome,
		      struct pb_error *error)
{
	struct fleet_outcome made = { .revision = rollout->revision->revision,
				      .back = rollout->stage->back };
	int err;

	rollout->listener = listener;
	rollout->context = context;
	rollout->interrupted = interrupted;
	fleet_rollout_tell(rollout, FLEET_NEWS_STAGE, NULL);
	err = run(rollout, &made, error);
	if (!err)
		*outcome = made;
	return err;
}
