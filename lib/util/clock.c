// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The clocks that rules end by and buckets fill by, as the program sees them: the host's. In a time namespace (since
 * Linux 5.6) each has an offset, which /proc/PID/timens_offsets tells: that of the namespace
 * in which the process has its children, so it is ours only where that is the one we are in.
 * Who has called unshare(CLONE_NEWTIME) is not in the new one, but its parent may help.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <string.h>
#include "util/clock.h"

#define NS 1000000000LL

static bool has_children_here(const char *pid)
{
	struct stat here, there;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/ns/time_for_children", pid);
	return !stat("/proc/self/ns/time", &here) && !stat(path, &there) &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

struct offsets {
	long long boottime, monotonic;
};

static struct offsets offsets_of_children(const char *pid)
{
	struct offsets offsets = {};
	long long seconds, ns;
	char path[64], line[128], clock[16];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/timens_offsets", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%15s %lld %lld", clock, &seconds, &ns) != 3)
			continue;
		if (!strcmp(clock, "boottime"))
			offsets.boottime = seconds * NS + ns;
		if (!strcmp(clock, "monotonic"))
			offsets.monotonic = seconds * NS + ns;
	}
	if (file)
		fclose(file);
	return offsets;
}

static struct offsets find_offsets(void)
{
	const struct offsets none = {};
	char parent[16];

	if (has_children_here("self"))
		return offsets_of_children("self");
	snprintf(parent, sizeof(parent), "%d", getppid());
	return has_children_here(parent) ? offsets_of_children(parent) : none;
}

/* An offset never changes once a process is in its namespace, but a child may be in another. */
static struct offsets offsets_here(void)
{
	static __thread struct offsets offsets;
	static __thread pid_t known_for;

	if (known_for != getpid()) {
		offsets = find_offsets();
		known_for = getpid();
	}
	return offsets;
}

static __u64 now_by(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

__u64 pb_clock(void)
{
	return now_by(CLOCK_BOOTTIME) - offsets_here().boottime;
}

__u64 pb_clock_monotonic(void)
{
	return now_by(CLOCK_MONOTONIC) - offsets_here().monotonic;
}
