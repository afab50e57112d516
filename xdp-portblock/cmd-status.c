// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock status: what is loaded where. Changes nothing. */
#include <stdlib.h>
#include "tool.h"

/* Those of the interfaces that there is something to say of, and how many are loaded. */
static int get_named(const struct arguments *arguments, const int *ifindexes,
		     struct pb_interface **interfaces, size_t *nr, size_t *loaded)
{
	struct pb_error error;

	for (size_t i = 0; i < arguments->nr_words; i++) {
		struct pb_interface *seen;

		if (pb_interface_get(ifindexes[i], &seen, &error))
			return fail(&error);
		*loaded += seen->loaded;
		if (seen->loaded || *seen->obstacle) {
			interfaces[(*nr)++] = seen;
			continue;
		}
		note("%s: xdp-portblock is not loaded on it", seen->name);
		free(seen);
	}
	return DONE;
}

static int status_of_named(const struct arguments *arguments, bool json)
{
	struct pb_interface **interfaces = calloc(arguments->nr_words, sizeof(*interfaces));
	int *ifindexes = NULL, ret = interfaces ? DONE : out_of_memory();
	size_t nr = 0, loaded = 0;

	if (ret == DONE)
		ret = interface_indexes(arguments, &ifindexes);
	if (ret == DONE)
		ret = get_named(arguments, ifindexes, interfaces, &nr, &loaded);
	if (ret == DONE && (nr || json))
		ret = print_interfaces(interfaces, nr, json);
	if (ret == DONE && loaded < arguments->nr_words)
		ret = FAILED;
	free(ifindexes);
	pb_interfaces_free(interfaces, nr);
	return ret;
}

int cmd_status(const struct arguments *arguments)
{
	bool json = given(arguments, OPT_JSON);
	struct pb_interface **interfaces;
	struct pb_error error;
	size_t nr = 0;
	int ret;

	if (arguments->nr_words)
		return status_of_named(arguments, json);
	if (pb_interface_list(&interfaces, &nr, &error))
		return fail(&error);
	ret = print_interfaces(interfaces, nr, json);
	pb_interfaces_free(interfaces, nr);
	return ret;
}
