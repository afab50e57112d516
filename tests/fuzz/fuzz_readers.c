// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes one of the readers of text (libFuzzer): a rule, a file of rules, one in JSON, or what comes from etcd, as CHECK
 * says, a function of readers.h or fleet.h.
 */
#ifdef WITH_FLEET
#include "fleet.h"
#else
#include "readers.h"
#endif

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
