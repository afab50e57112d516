// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Does an interface send the answers of `reject`? A driver without XDP_TX refuses the program, or loses what it sends;
 * of those that lose it, veth is known: its veth_xdp_flush() wakes the peer only if that has a program of its own, for
 * which GRO is no substitute. Generic XDP sends by any driver.
 */
#include <errno.h>
#include <string.h>
#include "attach/link.h"
#include "rules/rules.h"
#include "util/error.h"
#include "util/log.h"

bool pb_rules_reject(const struct pb_rules *rules)
{
	if (!pb_settings_answers(&rules->settings))
		return false;
	if (rules->settings.policy == PB_POLICY_REJECT)
		return true;
	for (size_t i = 0; i < rules->nr; i++)
		if (rules->rule[i].action == PB_ACTION_REJECT)
			return true;
	return false;
}

int pb_interface_answers(const struct pb_interface *interface, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_link_peer peer;
	struct pb_link_xdp xdp;
	int ret;

	if (!interface->loaded || interface->mode != PB_MODE_NATIVE)
		return 0;
	ret = pb_link_peer(interface->ifindex, &peer);
	if (ret)
		return pb_fail(error, -ret, "%s: cannot ask which driver it has: %s",
			       interface->name, strerror(-ret));
	if (!peer.veth)
		return 0;
	if (peer.elsewhere)
		return pb_fail(
			error, EREMOTE,
			"%s: who is rejected is not told unless its peer, which is in another "
			"network namespace, has an XDP program in native mode: veth loses "
			"the answers otherwise; skb mode sends them",
			interface->name);
	if (!pb_link_xdp(peer.ifindex, &xdp) && xdp.program_id && xdp.mode == PB_MODE_NATIVE)
		return 0;
	return pb_fail(error, ENETUNREACH,
		       "%s: who is rejected is not told, for its peer has no XDP program in native "
		       "mode, and veth loses the answers then; skb mode sends them",
		       interface->name);
}
