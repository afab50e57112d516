// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock fleet follow: the agent that keeps this host's rulesets what the fleet says. */
#include <errno.h>
#include "confine.h"
#include "fleet.h"
#include "fleet/agent.h"

static void say(const char *line, void *context)
{
	(void)context;
	note("%s", line);
}

/* What check-command runs is the host's own, may do what it likes, and would inherit the filter. */
static int run(const struct fleet_conf *conf, const struct fleet_log *log, struct pb_error *error)
{
	if (!conf->command.nr)
		confine(CONFINED_FOLLOWING);
	return fleet_agent_run(conf, log, error);
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
		err = run(conf, &log, &error);
	if (err == -ENOMSG)
		return FAILED; /* it was said of each */
	return err ? fail(&error) : DONE;
}
