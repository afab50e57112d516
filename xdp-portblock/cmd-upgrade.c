// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock upgrade: this version's program in the place of the loaded one, rules kept. */
#include <stdio.h>
#include <stdlib.h>
#include "tool.h"

/* Those that can be upgraded; FAILED where something is in the way of knowing one. */
static int all_loaded(int **ifindexes, size_t *nr)
{
	struct pb_interface **interfaces;
	struct pb_error error;
	size_t listed;
	int ret = DONE;

	if (pb_interface_list(&interfaces, &listed, &error))
		return fail(&error);
	*ifindexes = calloc(listed + 1, sizeof(**ifindexes));
	if (!*ifindexes)
		ret = out_of_memory();
	for (size_t i = 0; *ifindexes && i < listed; i++) {
		if (interfaces[i]->loaded) {
			(*ifindexes)[(*nr)++] = interfaces[i]->ifindex;
		} else {
			note("%s", interfaces[i]->obstacle);
			ret = FAILED;
		}
	}
	pb_interfaces_free(interfaces, listed);
	if (ret == DONE && !*nr)
		printf("No interface is loaded.\n");
	return ret;
}

static int upgrade(const int *ifindexes, size_t nr)
{
	struct pb_interface **interfaces = calloc(nr, sizeof(*interfaces));
	struct pb_error error;
	int ret = DONE;

	if (!interfaces)
		return out_of_memory();
	if (pb_filter_upgrade(ifindexes, nr, interfaces, &error))
		ret = fail(&error);
	for (size_t i = 0; ret == DONE && i < nr; i++)
		print("%s: upgraded, now program %u\n", interfaces[i]->name,
		      interfaces[i]->program_id);
	pb_interfaces_free(interfaces, nr);
	return ret;
}

int cmd_upgrade(const struct arguments *arguments)
{
	int *ifindexes = NULL, ret;
	size_t nr = 0;

	if (given(arguments, OPT_ALL) == (arguments->nr_words > 0))
		return wrong(arguments, "upgrade which: names of interfaces, or --all?");
	if (given(arguments, OPT_ALL)) {
		ret = all_loaded(&ifindexes, &nr);
	} else {
		ret = interface_indexes(arguments, &ifindexes);
		nr = ret == DONE ? arguments->nr_words : 0;
	}
	if (nr && upgrade(ifindexes, nr) != DONE)
		ret = FAILED;
	free(ifindexes);
	return ret;
}
