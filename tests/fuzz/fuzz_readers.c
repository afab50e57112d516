// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes one of the readers of text (libFuzzer): a rule, a file of rules, or one in JSON, as CHECK
 * says, a function of readers.h.
 */
#include "readers.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	fill_folder();
	return 0;
}

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	bool taken;
	const char *wrong = leads_outside(data, size) ? NULL : CHECK(data, size, &taken);

	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	return 0;
}
