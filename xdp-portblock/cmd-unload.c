// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock unload: take the filter off interfaces. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include "tool.h"

static int unload_all(bool keep)
{
	struct pb_interface *interfaces;
	int ifindexes[PB_INTERFACES_MAX];
	struct pb_error error;
	size_t nr, left_over;
	int ret;

	if (pb_interface_list(&interfaces, &nr, &error))
		return fail(&error);
	for (size_t i = 0; i < nr && i < PB_INTERFACES_MAX; i++)
		ifindexes[i] = interfaces[i].ifindex;
	ret = pb_filter_unload(ifindexes, nr, keep, &error);
	for (size_t i = 0; !ret && i < nr; i++)
		printf("%s: unloaded\n", interfaces[i].name);
	free(interfaces);
	if (!ret && !keep)
		ret = pb_rulesets_remove_unused(true, &left_over, &error);
	if (ret)
		return fail(&error);
	if (!keep && left_over)
		printf("Removed the pins of %zu ruleset%s that no interface used.\n", left_over,
		       left_over == 1 ? "" : "s");
	else if (!nr)
		printf("No interface is loaded.\n");
	return DONE;
}

int cmd_unload(const struct arguments *arguments)
{
	int ifindexes[PB_INTERFACES_MAX], ret;
	char name[IF_NAMESIZE];
	bool keep = given(arguments, OPT_KEEP);
	struct pb_error error;

	if (given(arguments, OPT_ALL) == (arguments->nr_words > 0))
		return wrong(arguments, "unload which: names of interfaces, or --all?");
	if (given(arguments, OPT_ALL))
		return unload_all(keep);
	ret = interface_indexes(arguments, ifindexes);
	if (ret != DONE)
		return ret;
	if (pb_filter_unload(ifindexes, arguments->nr_words, keep, &error))
		return fail(&error);
	for (size_t i = 0; i < arguments->nr_words; i++)
		printf("%s: unloaded\n", if_indextoname(ifindexes[i], name) ?: arguments->words[i]);
	return DONE;
}
