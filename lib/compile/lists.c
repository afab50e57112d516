// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "compile/lists.h"

#define TABLE_MIN 16

static int vector_reserve(struct pb_vector *vector, size_t nr)
{
	size_t room = vector->room ? vector->room : TABLE_MIN;
	__u32 *at;

	while (room < vector->nr + nr)
		room *= 2;
	if (room == vector->room)
		return 0;
	/* Positions in a vector are __u32. */
	at = room > PB_NONE ? NULL : reallocarray(vector->at, room, sizeof(*at));
	if (!at)
		return -ENOMEM;
	vector->at = at;
	vector->room = room;
	return 0;
}

int pb_vector_add(struct pb_vector *vector, const __u32 *numbers, size_t nr)
{
	if (vector_reserve(vector, nr))
		return -ENOMEM;
	if (nr)
		memcpy(vector->at + vector->nr, numbers, nr * sizeof(*numbers));
	vector->nr += nr;
	return 0;
}

int pb_vector_push(struct pb_vector *vector, __u32 number)
{
	return pb_vector_add(vector, &number, 1);
}

void pb_vector_free(struct pb_vector *vector)
{
	free(vector->at);
	memset(vector, 0, sizeof(*vector));
}

static size_t hash(const __u32 *numbers, size_t nr)
{
	__u64 sum = nr;

	for (size_t i = 0; i < nr; i++) {
		sum = (sum ^ numbers[i]) * 0x9e3779b97f4a7c15ULL;
		sum ^= sum >> 32;
	}
	return sum;
}

/* The entry of the table that holds the list, or the free one where it belongs. */
static __u32 *find(const struct pb_lists *lists, const __u32 *numbers, size_t nr)
{
	size_t i = hash(numbers, nr) & (lists->size - 1);

	for (; lists->table[i]; i = (i + 1) & (lists->size - 1)) {
		size_t other_nr;
		const __u32 *other = pb_lists_get(lists, lists->table[i] - 1, &other_nr);

		if (other_nr == nr && (!nr || !memcmp(other, numbers, nr * sizeof(*numbers))))
			break;
	}
	return &lists->table[i];
}

/* Room for one more, the table at most half full. */
static int table_reserve(struct pb_lists *lists)
{
	size_t size = lists->size ? lists->size * 2 : TABLE_MIN;
	struct pb_lists grown = *lists;

	if ((pb_lists_nr(lists) + 1) * 2 <= lists->size)
		return 0;
	grown.size = size;
	grown.table = calloc(size, sizeof(*grown.table));
	if (!grown.table)
		return -ENOMEM;
	for (size_t i = 0; i < pb_lists_nr(lists); i++) {
		size_t nr;
		const __u32 *numbers = pb_lists_get(lists, i, &nr);

		*find(&grown, numbers, nr) = i + 1;
	}
	free(lists->table);
	*lists = grown;
	return 0;
}

int pb_lists_add(struct pb_lists *lists, const __u32 *numbers, size_t nr, __u32 *list)
{
	__u32 *entry;

	if (table_reserve(lists))
		return -ENOMEM;
	entry = find(lists, numbers, nr);
	if (!*entry) {
		if (pb_vector_add(&lists->numbers, numbers, nr) ||
		    pb_vector_push(&lists->ends, lists->numbers.nr))
			return -ENOMEM;
		*entry = pb_lists_nr(lists);
	}
	*list = *entry - 1;
	return 0;
}

void pb_lists_free(struct pb_lists *lists)
{
	pb_vector_free(&lists->numbers);
	pb_vector_free(&lists->ends);
	free(lists->table);
	memset(lists, 0, sizeof(*lists));
}
