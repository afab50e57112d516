// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Whether libxdp's dispatcher works, by trying it where nobody is disturbed. */
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include "attach/attach.h"
#include "attach/interface.h"
#include "inspect/dispatcher.h"
#include "maps/folders.h"
#include "maps/ruleset.h"
#include "util/thread.h"

/*
 * A namespace of its own has a loopback device, and a bpffs is mounted over ours. libxdp notes, once
 * in a process, that its folder is there, and makes it no more: so it must be in both.
 */
static int enter(void)
{
	return pb_bpffs_check(NULL) || unshare(CLONE_NEWNET) || pb_libxdp_folder_make(NULL) ||
	       unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("bpf", pb_bpffs(), "bpf", 0, "mode=0700") || pb_libxdp_folder_make(NULL);
}

static int attach_to_loopback(const struct pb_ruleset *ruleset)
{
	const struct pb_attach how = { .maps = &ruleset->maps, .mode = PB_MODE_SKB };
	struct pb_interface interface;
	char note[256];

	if (pb_interface_see(if_nametoindex("lo"), &interface, NULL) ||
	    pb_attach(&how, &interface, note, NULL) ||
	    pb_interface_see(interface.ifindex, &interface, NULL))
		return -1;
	return interface.dispatcher;
}

static void *try_dispatcher(void *unused)
{
	const struct pb_ruleset_options options = { .max_rules = 1, .max_sources = 1 };
	struct pb_ruleset *ruleset;
	intptr_t works;

	(void)unused;
	if (enter() || pb_ruleset_create("doctor", &options, &ruleset, NULL))
		return (void *)-1;
	works = attach_to_loopback(ruleset);
	pb_ruleset_close(ruleset);
	return (void *)works;
}

/*
 * By a thread, which may leave the namespaces and the working directory of all others, and takes its
 * own with it when it ends. A child would be seen: by wait(), by a handler of SIGCHLD. And it could
 * not do all that where other threads hold a lock at that moment, malloc()'s for one.
 */
int pb_dispatcher_try(void)
{
	void *works;

	return pb_thread_run(try_dispatcher, NULL, &works) ? -1 : (intptr_t)works;
}
