/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef PB_ELEMENT_H
#define PB_ELEMENT_H

#include <portblock/portblock.h>

/* By their prefixes, for qsort(). */
int pb_element_order(const void *a, const void *b);

/*
 * As pb_elements_read(), of a file that another one, `from`, calls `name`: see pb_file_beside(). What is no file, a
 * device or a pipe with a name, is refused.
 */
int pb_elements_read_beside(const char *name, const char *from, struct pb_element **elements,
			    size_t *nr, struct pb_error *note, struct pb_error *error);

#endif
