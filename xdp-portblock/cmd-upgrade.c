// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock upgrade: this version's program in the place of the loaded one, rules kept. */
#include <stdio.h>
#include <stdlib.h>
#include "tool.h"

static int all_loaded(int ifindexes[PB_INTERFACES_MAX], size_t *nr)
{
	struct pb_interface *interfaces;
	struct pb_error error;

	if (pb_interface_list(&interfaces, nr, &error))
		return fail(&error);
	for (size_t i = 0; i < *nr && i < PB_INTERFACES_MAX; i++)
		ifindexes[i] = interfaces[i].ifindex;
	free(interfaces);
	if (!*nr)
		printf("No interface is loaded.\n");
	return DONE;
}

int cmd_upgrade(const struct arguments *arguments)
{
	struct pb_interface *interfaces;
	int ifindexes[PB_INTERFACES_MAX], ret;
	size_t nr = arguments->nr_words;
	struct pb_error error;

	if (given(arguments, OPT_ALL) == (nr > 0))
		return wrong(arguments, "upgrade which: names of interfaces, or --all?");
	ret = nr ? interface_indexes(arguments, ifindexes) : all_loaded(ifindexes, &nr);
	if (ret != DONE || !nr)
		return ret;
	interfaces = calloc(nr, sizeof(*interfaces));
	if (!interfaces) {
		note("out of memory");
		return FAILED;
	}
	if (pb_filter_upgrade(ifindexes, nr, interfaces, &error))
		ret = fail(&error);
	for (size_t i = 0; ret == DONE && i < nr; i++)
		printf("%s: upgraded, now program %u\n", interfaces[i].name,
		       interfaces[i].program_id);
	free(interfaces);
	return ret;
}
