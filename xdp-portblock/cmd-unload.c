// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock unload: take the filter off interfaces. */
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include "tool.h"

struct tally {
	size_t nr;
	bool failed;
};

static void tell(const struct pb_interface *interface, const struct pb_error *error, void *context)
{
	struct tally *tally = context;

	tally->nr++;
	if (error) {
		fail(error);
		tally->failed = true;
	} else {
		print("%s: unloaded\n", interface->name);
	}
}

static int unload_all(bool keep)
{
	struct tally tally = {};
	struct pb_error error;
	size_t left_over = 0;
	int ret = pb_filter_unload_all(keep, tell, &tally, &error);

	if (!ret && !keep)
		ret = pb_rulesets_remove_unused(true, &left_over, &error);
	if (ret)
		return fail(&error);
	if (left_over)
		printf("Removed the pins of %zu ruleset%s that no interface used.\n", left_over,
		       left_over == 1 ? "" : "s");
	else if (!tally.nr)
		printf("No interface is loaded.\n");
	return tally.failed ? FAILED : DONE;
}

static int unload_named(const struct arguments *arguments, bool keep)
{
	int *ifindexes = NULL, ret = interface_indexes(arguments, &ifindexes);
	char name[IF_NAMESIZE];
	struct pb_error error;

	if (ret == DONE && pb_filter_unload(ifindexes, arguments->nr_words, keep, &error))
		ret = fail(&error);
	for (size_t i = 0; ret == DONE && i < arguments->nr_words; i++)
		print("%s: unloaded\n", if_indextoname(ifindexes[i], name) ?: arguments->words[i]);
	free(ifindexes);
	return ret;
}

int cmd_unload(const struct arguments *arguments)
{
	bool keep = given(arguments, OPT_KEEP);

	if (given(arguments, OPT_ALL) == (arguments->nr_words > 0))
		return wrong(arguments, "unload which: names of interfaces, or --all?");
	return given(arguments, OPT_ALL) ? unload_all(keep) : unload_named(arguments, keep);
}
