// SPDX-License-Identifier: GPL-2.0-only
/* A word where rules reject on an interface that does not send what they tell. */
#include <string.h>
#include "tool.h"

void warn_of_interfaces(const char *ruleset)
{
	struct pb_interface **interfaces;
	struct pb_error error;
	size_t nr;

	if (pb_interface_list(&interfaces, &nr, &error))
		return;
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(interfaces[i]->ruleset, ruleset) &&
		    pb_interface_answers(interfaces[i], &error))
			note("%s", error.text);
	pb_interfaces_free(interfaces, nr);
}

void warn_of_answers(const char *name)
{
	struct pb_ruleset *ruleset;
	struct pb_rules *rules;
	struct pb_error error;

	if (pb_ruleset_open(name, &ruleset, &error))
		return;
	if (!pb_ruleset_read(ruleset, &rules, &error)) {
		if (pb_rules_reject(rules))
			warn_of_interfaces(name);
		pb_rules_free(rules);
	}
	pb_ruleset_close(ruleset);
}
