// SPDX-License-Identifier: GPL-2.0-only
/*
 * By names, which libseccomp knows for each machine; one that this machine has not is left out. What is not in the lists
 * fails with EPERM, as in the units, and does not kill: a later libc that asks for something new is told no, and goes on
 * or says so, while who has taken the process over is no further by it.
 */
#include "confine.h"

/* A sanitizer asks for what it likes, and looks at the process from another one in the end. */
#if !defined(HAVE_SECCOMP) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

void confine(enum confined what)
{
	(void)what;
}

#else

#include <errno.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <unistd.h>
#include "tool.h"

/* Files, memory, time, signals and maps. */
static const char *const common[] = {
	"access",
	"bpf",
	"brk",
	"clock_getres",
	"clock_gettime",
	"clock_gettime64",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"close",
	"dup",
	"dup2",
	"dup3",
	"epoll_create1",
	"epoll_ctl",
	"epoll_pwait",
	"epoll_pwait2",
	"epoll_wait",
	"exit",
	"exit_group",
	"faccessat",
	"faccessat2",
	"fcntl",
	"fcntl64",
	"flock",
	"fstat",
	"fstat64",
	"fstatat64",
	"fstatfs",
	"fstatfs64",
	"futex",
	"futex_time64",
	"getcwd",
	"getdents64",
	"getegid",
	"geteuid",
	"getgid",
	"getpid",
	"getrandom",
	"getrlimit",
	"gettid",
	"gettimeofday",
	"getuid",
	"getxattr",
	"ioctl",
	"_llseek",
	"lseek",
	"lstat",
	"madvise",
	"membarrier",
	"mmap",
	"mmap2",
	"mprotect",
	"mremap",
	"munmap",
	"nanosleep",
	"newfstatat",
	"open",
	"openat",
	"poll",
	"ppoll",
	"ppoll_time64",
	"pread64",
	"prlimit64",
	"pselect6",
	"pselect6_time64",
	"pwrite64",
	"read",
	"readlink",
	"readlinkat",
	"readv",
	"restart_syscall",
	"rseq",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigreturn",
	"sched_getaffinity",
	"sched_yield",
	"select",
	"set_robust_list",
	"set_tid_address",
	"sigreturn",
	"stat",
	"stat64",
	"statfs",
	"statfs64",
	"statx",
	"sysinfo",
	"ugetrlimit",
	"uname",
	"write",
	"writev",
	/* names of interfaces */
	"socket",
};

/* Netlink, a file in the place of another, with its label, and the terminal's job control. */
static const char *const reading[] = {
	"bind",	      "chmod",	 "fchmod",   "fchmodat",   "fchown",	  "fdatasync",
	"fsetxattr",  "fsync",	 "getpgid",  "getpgrp",	   "getpeername", "getsockname",
	"getsockopt", "linkat",	 "recvfrom", "recvmsg",	   "rename",	  "renameat",
	"renameat2",  "sendmsg", "sendto",   "setsockopt", "unlink",	  "unlinkat",
};

/* Connections, to a host by its name, which a thread of libcurl's asks for; folders of pins, and whose they are. */
static const char *const following[] = {
	"chown", "lchown", "fchownat", "connect",  "eventfd2",	 "mkdir",    "mkdirat",
	"pipe2", "rmdir",  "recvmmsg", "sendmmsg", "socketpair", "shutdown",
};

static int allow(scmp_filter_ctx filter, const char *const *names, size_t nr)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < nr; i++) {
		int number = seccomp_syscall_resolve_name(names[i]);

		if (number >= 0)
			ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0);
	}
	return ret;
}

/*
 * Threads, and no processes. What clone3(2) is to make stands in memory, which no filter reads: without it, libc takes
 * clone(2), whose flags are its first argument but on s390.
 */
static int allow_threads(scmp_filter_ctx filter)
{
#ifdef __s390__
	const unsigned int argument = 1;
#else
	const unsigned int argument = 0;
#endif
	int clone3 = seccomp_syscall_resolve_name("clone3");
	int ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
				   SCMP_CMP64(argument, SCMP_CMP_MASKED_EQ, CLONE_THREAD,
					      CLONE_THREAD));

	if (!ret && clone3 >= 0)
		ret = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), clone3, 0);
	return ret;
}

/* Signals to itself: abort(3), and a terminal's ^Z, which ncurses passes on. */
static int allow_own_signals(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp to_itself = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(kill), 1, &to_itself) ?:
		       seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
					      &to_itself);
}

/* A thread of libxdp's has a table of files of its own, and no namespace. */
static int allow_own_files(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp files = SCMP_A0(SCMP_CMP_EQ, CLONE_FILES);

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(unshare), 1, &files);
}

static int fill(scmp_filter_ctx filter, enum confined what)
{
	int ret = allow(filter, common, sizeof(common) / sizeof(common[0]));

	if (!ret)
		ret = allow_own_signals(filter);
	if (!ret && what >= CONFINED_READING)
		ret = allow(filter, reading, sizeof(reading) / sizeof(reading[0]));
	if (!ret && what >= CONFINED_READING)
		ret = allow_threads(filter) ?: allow_own_files(filter);
	if (!ret && what == CONFINED_FOLLOWING)
		ret = allow(filter, following, sizeof(following) / sizeof(following[0]));
	return ret;
}

void confine(enum confined what)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = filter ? fill(filter, what) : -ENOMEM;

	if (!ret)
		ret = seccomp_load(filter);
	if (ret)
		note("goes on without a filter of system calls: %s", strerror(-ret));
	if (filter)
		seccomp_release(filter);
}

#endif
