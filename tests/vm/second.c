// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tool never does to an interface that carries the program, under the dispatcher:
 *
 *	second beside IFNAME		attach another one beside it, that takes no turns with it
 *	second swap IFNAME PRIORITY...	exchange it for one of that priority, each in turn: which of the
 *					two runs first while they take turns is then as one likes
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "attach/attach.h"
#include "attach/exchange.h"
#include "attach/interface.h"
#include "maps/lock.h"
#include "maps/ruleset.h"

static int once(int ifindex, int priority, struct pb_error *error)
{
	struct pb_attach how = { .priority = priority };
	struct pb_ruleset *ruleset = NULL;
	struct pb_instances ours;
	struct pb_interface interface;
	int ret = pb_interface_look(ifindex, &interface, &ours, error);

	if (!ret)
		ret = pb_ruleset_open(interface.ruleset, &ruleset, error);
	if (ret)
		return ret;
	how.maps = &ruleset->maps;
	how.outcomes_id = ours.list[0].outcomes_id;
	if (!priority)
		ret = pb_attach_beside(&how, &interface, error);
	else
		ret = pb_replace(&how, &interface, &ours.list[0], error);
	pb_ruleset_close(ruleset);
	return ret;
}

int main(int argc, char **argv)
{
	struct pb_error error;
	int ifindex, lock, ret;

	if (argc < 3 || (strcmp(argv[1], "beside") && argc < 4)) {
		fprintf(stderr, "usage: second beside IFNAME | swap IFNAME PRIORITY...\n");
		return 2;
	}
	ret = pb_interface_index(argv[2], &ifindex, &error);
	lock = ret ? ret : pb_lock(NULL, PB_LOCK_CHANGE, &error);
	ret = lock < 0 ? lock : 0;
	if (!ret && !strcmp(argv[1], "beside"))
		ret = once(ifindex, 0, &error);
	for (int i = 3; !ret && i < argc; i++)
		ret = once(ifindex, atoi(argv[i]), &error);
	pb_unlock(lock);
	if (ret)
		fprintf(stderr, "second: %s\n", error.text);
	return ret ? 1 : 0;
}
