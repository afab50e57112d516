/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * One program of ours for another, under libxdp's dispatcher: the new one is attached beside the
 * old one, and they take turns (struct pb_exchange in abi.h) until the old one is taken off. What a
 * killed process left is found by the bit PB_ACTIVE_EXCHANGE of a ruleset, and gone on with by what
 * the interface's record says. All of this is done under the lock of loading and unloading.
 */
#ifndef PB_EXCHANGE_H
#define PB_EXCHANGE_H

#include "attach/attach.h"

/*
 * Puts a new instance in the place of `old`, mode as it is. There is no moment without one, and
 * each packet is judged and counted by one of the two: under the dispatcher they take turns, and a
 * single program is exchanged by the kernel, in one step. On failure the old one stays.
 */
int pb_replace(const struct pb_attach *how, const struct pb_interface *interface,
	       const struct pb_instance *old, struct pb_error *error);

/*
 * Finishes the exchanges of this network namespace's interfaces that a killed process has left, or
 * undoes those in which the old program acts still; `recovered`, if not NULL, gets how many.
 */
int pb_exchanges_recover(size_t *recovered, struct pb_error *error);

#endif
