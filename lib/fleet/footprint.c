// SPDX-License-Identifier: GPL-2.0-only
/*
 * MADV_DONTNEED of a private mapping throws its pages away, and the next use finds what the file has. That is right
 * only where each page is still the file's: a page that was written once is a copy of our own ("Anonymous"), also when
 * the mapping cannot be written any more, as the tables that the loader has relocated and then protects (RELRO). A
 * mapping with a single such copy is left alone, in memory ("Anonymous") or swapped out ("Swap"); so is one that can be
 * written now, since a copy may come at any moment; and one that is shared, or of no file. What remains cannot get a
 * copy but by mprotect(), which nobody calls while we look: the loader has done its work, and no other thread is there.
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "fleet/footprint.h"

/* A mapping, as /proc/self/smaps has it. */
struct mapping {
	unsigned long begin, end;
	bool of_file; /* of a file, private, and not to be written */
	bool copies;  /* pages of it are our own, or it is not known */
	bool told;    /* both numbers of these were there */
};

static bool read_head(const char *line, struct mapping *mapping)
{
	unsigned long begin, end, inode;
	char rights[5], path;
	int nr =
		sscanf(line, "%lx-%lx %4s %*x %*x:%*x %lu %c", &begin, &end, rights, &inode, &path);

	if (nr < 4)
		return false;
	*mapping = (struct mapping){ .begin = begin, .end = end };
	mapping->of_file = nr == 5 && inode && path == '/' && rights[1] == '-' && rights[3] == 'p';
	return true;
}

/* "Swap:" is behind "Anonymous:". */
static void read_number(const char *line, struct mapping *mapping)
{
	unsigned long kib;

	if (sscanf(line, "Anonymous: %lu", &kib) == 1) {
		mapping->copies = kib;
	} else if (sscanf(line, "Swap: %lu", &kib) == 1) {
		mapping->copies |= kib;
		mapping->told = true;
	}
}

static void give_back_pages(const struct mapping *mapping)
{
	if (mapping->of_file && mapping->told && !mapping->copies)
		madvise((void *)mapping->begin, mapping->end - mapping->begin, MADV_DONTNEED);
}

void fleet_give_back(void)
{
	struct mapping mapping = {};
	char *line = NULL;
	size_t room = 0;
	FILE *file;

#ifdef __GLIBC__
	malloc_trim(0);
#endif
	file = fopen("/proc/self/smaps", "re");
	if (!file)
		return;
	while (getline(&line, &room, file) > 0) {
		struct mapping before = mapping;

		if (read_head(line, &mapping))
			give_back_pages(&before);
		else
			read_number(line, &mapping);
	}
	give_back_pages(&mapping);
	free(line);
	fclose(file);
}
