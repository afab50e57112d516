// SPDX-License-Identifier: GPL-2.0-only
/* xdp-portblock help */
#include <string.h>
#include "tool.h"

int cmd_help(const struct arguments *arguments)
{
	char name[64] = "";

	if (!arguments->nr_words) {
		print_help(NULL);
		return DONE;
	}
	for (size_t i = 0; i < arguments->nr_words; i++) {
		if (i)
			strncat(name, " ", sizeof(name) - strlen(name) - 1);
		strncat(name, arguments->words[i], sizeof(name) - strlen(name) - 1);
	}
	for (size_t i = 0; i < nr_commands; i++)
		if (!strcmp(commands[i].name, name)) {
			print_help(&commands[i]);
			return DONE;
		}
	if (arguments->nr_words == 1 && is_group(name)) {
		list_commands(stdout, name);
		return DONE;
	}
	return wrong(arguments, "there is no command '%s'", name);
}
