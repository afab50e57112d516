/* SPDX-License-Identifier: GPL-2.0-only */
/* How much of a frame decides its verdict. */
#ifndef NEEDED_H
#define NEEDED_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Reads a frame as the program does, of whose `whole` bytes the first `captured` are there. So many
 * of the first ones are `needed`: with these, and as many more as one likes, the program has the same
 * verdict. false: what it would read next is not there.
 */
bool frame_read(const unsigned char *bytes, size_t captured, size_t whole, bool ethernet,
		size_t *needed);

#endif
