/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Words of the user's, quoted back. */
#ifndef PB_ESCAPE_H
#define PB_ESCAPE_H

#include <portblock/portblock.h>

struct pb_quoted {
	char text[104];
};

/*
 * A word of the user's in double quotes, for a message: escaped as by PB_ESCAPE_LINE, a long word
 * is cut and ends in "...".
 */
struct pb_quoted pb_quote(const char *word);
/* Lives until the end of the expression it stands in. */
#define PB_Q(word) (pb_quote(word).text)

/* Is there nothing for pb_text_escape() to escape? */
bool pb_text_is_clean(const char *text);

#endif
