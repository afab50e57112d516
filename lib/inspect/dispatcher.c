// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Whether libxdp's dispatcher works, by trying it where nobody is disturbed. */
#include <net/if.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>
#include "attach/attach.h"
#include "inspect/dispatcher.h"
#include "maps/folders.h"
#include "maps/ruleset.h"
#include "util/log.h"

/* In the child: a namespace of its own has a loopback device, and a bpffs is mounted over ours. */
static int try_dispatcher(void)
{
	const struct pb_ruleset_options options = { .max_rules = 1, .max_sources = 1 };
	struct pb_attach how = { .mode = PB_MODE_SKB };
	struct pb_interface interface;
	struct pb_ruleset *ruleset;
	char note[256];

	if (unshare(CLONE_NEWNS | CLONE_NEWNET) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", pb_bpffs(), "bpf", 0, "mode=0700") ||
	    pb_ruleset_create("doctor", &options, &ruleset, NULL) ||
	    pb_interface_get(if_nametoindex("lo"), &interface, NULL))
		return -1;
	how.maps = &ruleset->maps;
	if (pb_attach(&how, &interface, note, NULL) ||
	    pb_interface_get(interface.ifindex, &interface, NULL))
		return -1;
	return interface.dispatcher;
}

int pb_dispatcher_try(void)
{
	int status;
	pid_t pid = pb_log_fork();

	if (!pid)
		_exit(try_dispatcher() + 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status) - 1;
}
