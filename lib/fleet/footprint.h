/* SPDX-License-Identifier: GPL-2.0-only */
/* What a process that waits for days keeps in memory. */
#ifndef FLEET_FOOTPRINT_H
#define FLEET_FOOTPRINT_H

/*
 * Gives back to the kernel what can be had again: memory that was freed, and the pages of programs and libraries that
 * were used once, most of them when they were loaded. They are in the page cache still, and come back as they are
 * called. Where /proc cannot be read, they stay. Not while another thread maps or unmaps.
 */
void fleet_give_back(void);

#endif
