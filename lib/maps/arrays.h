/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * The memory of an array. The kernel maps none that was opened for reading alone (mmap(2) takes a file that cannot be
 * written for a private one, which BPF maps cannot be): then it is a copy.
 */
#ifndef PB_MAPS_ARRAYS_H
#define PB_MAPS_ARRAYS_H

#include <stdbool.h>
#include <stddef.h>

/* In memory, until it is unmapped. Who writes there has a lock, which who reads alone does not get. -errno. */
int pb_array_map(int fd, size_t size, void **memory);

/*
 * A part of it, for who may write: both numbers in bytes, the offset one of pages, of up to 64 KiB. The caller unmaps.
 * -errno.
 */
int pb_array_map_part(int fd, size_t offset, size_t size, void **part);

/* One element of an array, mapped as above. pb_array_unmap_element() takes NULL. -errno. */
int pb_array_map_element(int fd, size_t index, size_t size, void **element);
void pb_array_unmap_element(void *element, size_t size);

bool pb_array_is_copy(int fd);
/* Copies it as it would be mapped: each element begins at a multiple of eight bytes. -errno. */
int pb_array_copy(int fd, void *memory);

#endif
