// SPDX-License-Identifier: GPL-2.0-only
/* What came of it: for the host's record, for the log, and to be remembered. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fleet/before.h"
#include "fleet/follow-parts.h"
#include "fleet/http.h"

#define AGAIN_MS 60000

void fleet_follow_become(struct fleet_follow *follow, enum fleet_host_state state,
			 const char *reason)
{
	follow->state = state;
	snprintf(follow->reason, sizeof(follow->reason), "%s", reason ?: "");
}

void fleet_follow_remember(struct fleet_follow *follow, const struct fleet_calls *calls)
{
	struct pb_error error;

	if (fleet_memory_write(follow->conf->state, &follow->memory, &error))
		fleet_say(calls->log, "ruleset %s: %s", follow->names->local, error.text);
}

void fleet_follow_forget_before(struct fleet_follow *follow)
{
	fleet_before_forget(follow->conf->state, follow->names->local);
	follow->before = false;
}

void fleet_follow_fail(struct fleet_follow *follow, const struct fleet_revision *revision,
		       const char *reason, const struct fleet_calls *calls)
{
	struct fleet_memory *memory = &follow->memory;

	fleet_follow_become(follow, FLEET_HOST_FAILED, reason);
	if (revision == follow->wanted || revision == follow->good)
		fleet_say(calls->log, "ruleset %s: revision %lld failed: %s", follow->names->local,
			  (long long)revision->revision, reason);
	else
		fleet_say(calls->log, "ruleset %s: the way back failed: %s", follow->names->local,
			  reason);
	*memory->trying = '\0';
	memory->attempts = 0;
	if (revision != follow->wanted) {
		/* There is nothing else to go back to: later again. */
		follow->again = fleet_now_ms() + AGAIN_MS;
	} else {
		strcpy(memory->failed_id, revision->id);
		memory->failed = revision->revision;
		free(memory->reason);
		memory->reason = strdup(reason);
		/* The rules are the host's own, and may change until the next is tried. */
		if (!*memory->id)
			fleet_follow_forget_before(follow);
	}
	fleet_follow_remember(follow, calls);
}
