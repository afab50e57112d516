// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "maps/arrays.h"

bool pb_array_is_copy(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && (flags & O_ACCMODE) == O_RDONLY;
}

/* From the call, which packs them, to where they are in a mapped array; from the last one on, since it is the same memory. */
static void spread(char *memory, __u32 nr, __u32 size)
{
	__u32 step = (size + 7) & ~7U;

	while (nr-- && step != size)
		memmove(memory + (size_t)nr * step, memory + (size_t)nr * size, size);
}

int pb_array_copy(int fd, void *memory)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), done, batch = 0;
	__u32 *keys;
	int ret = bpf_obj_get_info_by_fd(fd, &info, &len) ? -errno : 0;

	if (ret)
		return ret;
	keys = calloc(info.max_entries, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	done = info.max_entries;
	/* ENOENT: there are no more. */
	if (bpf_map_lookup_batch(fd, NULL, &batch, keys, memory, &done, NULL) && errno != ENOENT)
		ret = -errno;
	else if (done != info.max_entries)
		ret = -EIO;
	else
		spread(memory, info.max_entries, info.value_size);
	free(keys);
	return ret;
}

int pb_array_map(int fd, size_t size, void **memory)
{
	bool copy = pb_array_is_copy(fd);
	int flags = copy ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, ret;
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, copy ? -1 : fd, 0);

	if (start == MAP_FAILED)
		return -errno;
	ret = copy ? pb_array_copy(fd, start) : 0;
	if (ret)
		munmap(start, size);
	else
		*memory = start;
	return ret;
}

int pb_array_map_part(int fd, size_t offset, size_t size, void **part)
{
	void *start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

	if (start == MAP_FAILED)
		return -errno;
	*part = start;
	return 0;
}

/* The pages that an element is on, by where it begins in the array or in memory. */
struct pages {
	size_t first, size;
};

static struct pages pages_of(size_t start, size_t size)
{
	const size_t within = sysconf(_SC_PAGESIZE) - 1;
	const size_t first = start & ~within;

	return (struct pages){ .first = first, .size = (start + size - first + within) & ~within };
}

int pb_array_map_element(int fd, size_t index, size_t size, void **element)
{
	const size_t start = index * ((size + 7) & ~7UL);
	const struct pages pages = pages_of(start, size);
	void *part = NULL;
	int ret = pb_array_map_part(fd, pages.first, pages.size, &part);

	if (ret)
		return ret;
	*element = (char *)part + (start - pages.first);
	return 0;
}

void pb_array_unmap_element(void *element, size_t size)
{
	const struct pages pages = pages_of((size_t)element, size);

	if (element)
		munmap((void *)pages.first, pages.size);
}
