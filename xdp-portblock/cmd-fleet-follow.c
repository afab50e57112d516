// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet follow: the agent that keeps this host's rulesets what the fleet says. */
#include <errno.h>
#include "fleet.h"
#include "fleet/agent.h"

static void say(const char *line, void *context)
{
	(void)context;
	note("%s", line);
}

int fleet_follow(const struct arguments *arguments, const struct fleet_conf *conf)
{
	const struct fleet_log log = { say, NULL };
	struct pb_error error;
	int err;

	if (arguments->nr_words)
		return wrong(arguments, "'%s' is not wanted: which rulesets says fleet.conf",
			     arguments->words[0]);
	if (given(arguments, OPT_ONCE))
		err = fleet_agent_once(conf, &log, &error);
	else
		err = fleet_agent_run(conf, &log, &error);
	if (err == -ENOMSG)
		return FAILED; /* it was said of each */
	return err ? fail(&error) : DONE;
}
