// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * The clock that rules end by, as the program sees it: the host's. In a time namespace (since Linux
 * 5.6) CLOCK_BOOTTIME has an offset, which /proc/PID/timens_offsets tells: that of the namespace
 * in which the process has its children, so it is ours only where that is the one we are in.
 * Who has called unshare(CLONE_NEWTIME) is not in the new one, but its parent may help.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <portblock/portblock.h>

#define NS 1000000000LL

static bool has_children_here(const char *pid)
{
	struct stat here, there;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/ns/time_for_children", pid);
	return !stat("/proc/self/ns/time", &here) && !stat(path, &there) &&
	       here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

static long long offset_of_children(const char *pid)
{
	long long seconds, ns, offset = 0;
	char path[64], line[128];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/timens_offsets", pid);
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "boottime %lld %lld", &seconds, &ns) == 2)
			offset = seconds * NS + ns;
	if (file)
		fclose(file);
	return offset;
}

static long long find_offset(void)
{
	char parent[16];

	if (has_children_here("self"))
		return offset_of_children("self");
	snprintf(parent, sizeof(parent), "%d", getppid());
	return has_children_here(parent) ? offset_of_children(parent) : 0;
}

/* An offset never changes once a process is in its namespace, but a child may be in another. */
static long long offset_here(void)
{
	static __thread long long offset;
	static __thread pid_t known_for;

	if (known_for != getpid()) {
		offset = find_offset();
		known_for = getpid();
	}
	return offset;
}

__u64 pb_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * NS + now.tv_nsec - offset_here();
}
