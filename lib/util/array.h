/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Arrays that grow one element at a time. */
#ifndef PB_ARRAY_H
#define PB_ARRAY_H

#include <stdlib.h>

/*
 * Makes room for one more element behind the `nr` there are, by doubling. Returns where the array
 * is now; NULL when memory ran out: the array then is as it was.
 */
static inline void *pb_grow(void *array, size_t nr, size_t *room, size_t size)
{
	size_t wanted = *room ? *room * 2 : 8;

	if (nr < *room)
		return array;
	array = reallocarray(array, wanted, size);
	if (array)
		*room = wanted;
	return array;
}

#endif
