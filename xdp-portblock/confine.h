/* SPDX-License-Identifier: GPL-2.0-only */
/* What a command that runs for long may still ask of the kernel, once it has set itself up. */
#ifndef CONFINE_H
#define CONFINE_H

/* Each may what those before it may. */
enum confined {
	CONFINED_LISTENING, /* reads the ring, tells of packets, writes to files that are open */
	CONFINED_READING,   /* looks at interfaces again and again, and writes its file anew */
	CONFINED_FOLLOWING, /* does so, has connections to etcd, makes folders, changes rulesets */
};

/*
 * From now on all other system calls fail with EPERM, for this process and whatever becomes of it; it cannot be undone.
 * Not so where the tool was built without libseccomp; where the kernel refuses it, that is said.
 */
void confine(enum confined what);

#endif
