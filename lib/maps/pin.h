/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
#ifndef PB_MAPS_PIN_H
#define PB_MAPS_PIN_H

/*
 * One pin: made, unless one is there, root's and with that mode; and opened, for reading alone where nothing else is
 * allowed. -errno without a message; -EPERM: another user may not give it to root, and it was not made.
 */
int pb_pin_make(int fd, const char *path, unsigned int mode);
int pb_pin_open(const char *path);

#endif
