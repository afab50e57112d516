// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet follow: the agent that keeps this host's rulesets what the fleet says. */
#include "fleet.h"

int fleet_follow(const struct arguments *arguments, const struct fleet_conf *conf)
{
	(void)conf;
	return wrong(arguments, "not yet");
}
