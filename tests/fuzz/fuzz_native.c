// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes both readers of frames, parse.h and the native engine's (libFuzzer), for an input of which
 * they say different things. Inputs are those of fuzz_parse.c.
 */
#include "native.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	bool ethernet;
	size_t buffer;

	if (!size || size > GUARD_ROOM)
		return 0;
	ethernet = data[0] & 1;
	buffer = data[0] >> 1;
	if (buffer > size - 1)
		buffer = size - 1;
	if (!readers_agree(data + 1, size - 1, ethernet) ||
	    !readers_agree(data + 1, buffer, ethernet))
		abort();
	return 0;
}
