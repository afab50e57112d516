// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzzes parse.h (libFuzzer). The lowest bit of the first byte says whether the frame, which is
 * all the rest, begins with an Ethernet header; its other bits are the length of the first buffer.
 */
#include "harness.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	struct frame frame;
	const char *wrong;
	size_t buffer;

	if (!size || size > GUARD_ROOM)
		return 0;
	frame = guarded(data + 1, size - 1);
	buffer = data[0] >> 1;
	if (buffer > frame.length)
		buffer = frame.length;
	wrong = check_frame(frame, buffer, data[0] & 1);
	if (wrong) {
		fprintf(stderr, "%s\n", wrong);
		abort();
	}
	return 0;
}
