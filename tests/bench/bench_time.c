// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs a command, and prints how long it took and its peak memory: nanoseconds of wall time, of
 * processor time in user space and in the kernel, and bytes.
 *
 *	bench_time COMMAND ARGS...
 *
 * The command's standard output goes to standard error. A program of its own: what a child used
 * before it became the command counts, and that is little here.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include <sys/resource.h>
#include <sys/wait.h>

static long long ns(const struct timeval *time)
{
	return time->tv_sec * 1000000000LL + time->tv_usec * 1000LL;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	struct rusage usage;
	int status;
	pid_t child;

	if (argc < 2)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &start);
	child = vfork();
	if (!child) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[1], argv + 1);
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
