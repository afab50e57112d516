// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What the kernel refuses, and which rights it may have missed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "maps/rights.h"
#include "util/error.h"

/* CAP_DAC_OVERRIDE 1, CAP_NET_ADMIN 12, CAP_SYS_ADMIN 21, CAP_BPF 39 of the effective set. */
static __u64 effective_capabilities(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long long set = 0;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &set) == 1)
			break;
	if (file)
		fclose(file);
	return set;
}

/* Where not all ids are the host's own, capabilities are the namespace's. What cannot be read says nothing. */
static bool in_user_namespace(void)
{
	unsigned int inside = 0, outside = 0, nr = ~0U;
	FILE *file = fopen("/proc/self/uid_map", "re");
	bool read = file && fscanf(file, "%u %u %u", &inside, &outside, &nr) == 3;

	if (file)
		fclose(file);
	return read && (inside || outside || nr != ~0U);
}

int pb_fail_permission(struct pb_error *error, int code, const char *doing)
{
	bool admin, net, bpf;
	__u64 has;

	if (code != EPERM && code != EACCES)
		return pb_fail(error, code, "cannot %s: %s", doing, strerror(code));
	has = effective_capabilities();
	admin = has >> 21 & 1;
	net = has >> 12 & 1;
	bpf = has >> 39 & 1;
	if (!admin)
		return pb_fail(error, code,
			       "cannot %s: %s: this needs root, or the capabilities CAP_NET_ADMIN "
			       "and CAP_BPF, and CAP_SYS_ADMIN to look programs up (missing "
			       "here:%s%s CAP_SYS_ADMIN)",
			       doing, strerror(code), net ? "" : " CAP_NET_ADMIN",
			       bpf ? "" : " CAP_BPF");
	if (code == EACCES && geteuid() && !(has >> 1 & 1))
		return pb_fail(error, code,
			       "cannot %s: %s: bpffs and the pins in it are their owner's alone: "
			       "this needs the user who loaded it, root, or the capability "
			       "CAP_DAC_OVERRIDE",
			       doing, strerror(code));
	if (in_user_namespace())
		return pb_fail(
			error, code,
			"cannot %s: %s: the capabilities are those of a user namespace, and the kernel "
			"wants them of the host for BPF: run the container without one",
			doing, strerror(code));
	return pb_fail(error, code,
		       "cannot %s: %s, though the capabilities are there: a locked-down kernel, a "
		       "security module, a container's seccomp filter, or on kernels before 5.11 "
		       "the limit of locked memory (ulimit -l) may refuse it",
		       doing, strerror(code));
}
