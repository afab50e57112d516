// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock status: what is loaded where. Changes nothing. */
#include <stdlib.h>
#include "tool.h"

static int get_named(const struct arguments *arguments, struct pb_interface *interfaces, size_t *nr)
{
	int ifindexes[PB_INTERFACES_MAX], ret = interface_indexes(arguments, ifindexes);
	struct pb_error error;

	for (size_t i = 0; ret == DONE && i < arguments->nr_words; i++) {
		if (pb_interface_get(ifindexes[i], &interfaces[*nr], &error))
			return fail(&error);
		if (interfaces[*nr].loaded)
			++*nr;
		else
			note("%s: xdp-portblock is not loaded on it", interfaces[*nr].name);
	}
	return ret;
}

int cmd_status(const struct arguments *arguments)
{
	bool json = given(arguments, OPT_JSON);
	struct pb_interface *interfaces = NULL;
	struct pb_error error;
	size_t nr = 0;
	int ret = DONE;

	if (!arguments->nr_words) {
		if (pb_interface_list(&interfaces, &nr, &error))
			return fail(&error);
		ret = print_interfaces(interfaces, nr, json);
		free(interfaces);
		return ret;
	}
	interfaces = calloc(arguments->nr_words, sizeof(*interfaces));
	if (!interfaces) {
		note("out of memory");
		return FAILED;
	}
	ret = get_named(arguments, interfaces, &nr);
	if (ret == DONE && (nr || json))
		ret = print_interfaces(interfaces, nr, json);
	if (ret == DONE && nr < arguments->nr_words)
		ret = FAILED;
	free(interfaces);
	return ret;
}
