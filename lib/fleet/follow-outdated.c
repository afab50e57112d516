// SPDX-License-Identifier: GPL-2.0-only
/* Which revisions are too old for this host to go back to, and why. */
#include <string.h>
#include "fleet/error.h"
#include "fleet/follow.h"

/*
 * A signature holds for ever, so whoever owns etcd may put an old revision back that was signed once. It is known by its
 * time, which is part of what was signed. A host with `trust` takes none that is older than the newest that it had in
 * force while that was the good one: that had come to its end everywhere, so no way back leads behind it but a new
 * revision.
 *
 * Why not the newest that was in force at all? A revision that is stopped has to go back to the good one, which is
 * older, and which this host may never have had: it was away then, or is new. What does that leave to whoever owns
 * etcd? While a rollout goes on, or if he never lets the host know of its end, he may bring it back to what is not older
 * than the good one before. He can have that with any rule: by keeping the new revision from the host to begin with,
 * and telling the fleet that it has it. What he cannot have any more, once a revision has been seen to be good, is
 * the state before it: not by `rulesets/`, `stages/` or `good/`, each of which leads through here, nor by a restart,
 * since it is on the disk, nor by a time that he makes up, since only what is signed counts. To say that a revision is
 * good before it is brings him only that hosts do not go back from it.
 */
bool fleet_follow_outdated(const struct fleet_follow *follow, const struct fleet_revision *revision,
			   struct pb_error *error)
{
	const struct fleet_memory *memory = &follow->memory;

	/* Nothing that is signed later would be taken behind it, and whoever owns etcd could bring it back for ever. */
	if (fleet_time_is_ahead(revision->time)) {
		fleet_fail(error, ESTALE,
			   "it was signed at %s, which is more than a day from now: the clock of "
			   "who pushed it is wrong, or that of this host",
			   revision->time);
		return true;
	}
	if (!*memory->settled || fleet_time_compare(revision->time, memory->settled) >= 0)
		return false;
	fleet_fail(
		error, ESTALE,
		"it is older than revision %lld, which this host had: it was signed at %s, and that "
		"one at %s; to go back, sign it anew (`fleet rollback --sign`)",
		(long long)memory->settled_revision, revision->time, memory->settled);
	return true;
}

bool fleet_follow_settle(struct fleet_follow *follow)
{
	struct fleet_memory *memory = &follow->memory;
	const struct fleet_revision *good = follow->good;
	const struct fleet_list *trust = &follow->conf->trust;

	if (!good || strcmp(good->id, memory->id) || !trust->nr ||
	    (*memory->settled && fleet_time_compare(good->time, memory->settled) <= 0) ||
	    fleet_verify(good->id, good->signature, trust->texts, trust->nr, NULL))
		return false;
	strcpy(memory->settled, good->time);
	memory->settled_revision = good->revision;
	return true;
}
