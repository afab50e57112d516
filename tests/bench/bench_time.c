// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command, and prints how long it took and its peak memory: nanoseconds of wall time, of
 * processor time in user space and in the kernel, and bytes.
 *
 *	bench_time [--netns FILE] COMMAND ARGS...
 *
 * --netns: in that network namespace, which is entered before the clock starts.
 * The command's standard output goes to standard error. A program of its own: what a child used
 * before it became the command counts, and that is little here.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>

static long long ns(const struct timeval *time)
{
	return time->tv_sec * 1000000000LL + time->tv_usec * 1000LL;
}

static bool enter(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool entered = fd >= 0 && !setns(fd, CLONE_NEWNET);

	if (!entered)
		perror(path);
	if (fd >= 0)
		close(fd);
	return entered;
}

static int measure(char **command)
{
	struct timespec start, end;
	struct rusage usage;
	int status;
	pid_t child;

	clock_gettime(CLOCK_MONOTONIC, &start);
	child = vfork();
	if (!child) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(command[0], command);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) < 0) {
		perror("bench_time");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld %lld %lld %lld\n",
	       (end.tv_sec - start.tv_sec) * 1000000000LL + end.tv_nsec - start.tv_nsec,
	       ns(&usage.ru_utime), ns(&usage.ru_stime), usage.ru_maxrss * 1024LL);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	const bool inside = argc > 3 && !strcmp(argv[1], "--netns");

	if (argc < 2)
		return 2;
	if (inside && !enter(argv[2]))
		return 1;
	return measure(argv + (inside ? 3 : 1));
}
