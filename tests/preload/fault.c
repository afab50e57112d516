// SPDX-License-Identifier: GPL-2.0-only
/*
 * For LD_PRELOAD: lets one call of a program fail, as if the kernel or the allocator had.
 *
 * PB_FAULT=KIND:N lets the Nth call of that kind fail.
 * PB_FAULT_COUNT=FILE has it append "KIND CALLS" for each kind when the program ends.
 * A program that crashes says in whose code, for some libraries do where memory runs out.
 * Calls that glibc makes of itself are seen where they go by a name that can be taken over: those of
 * malloc() and its like are, an open() inside of fopen() is not, so fopen() and opendir() count.
 */
/* A program calls open() or open64(), as it was built: each is taken over by its own name. */
#undef _FILE_OFFSET_BITS
#undef _TIME_BITS
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum kind { MEMORY, BPF, OPEN, MMAP, NETLINK, THREAD, NR_KINDS };

static struct {
	const char *name;
	int err;
	unsigned long calls;
	unsigned long failing; /* which of them fails, counted from 1; 0: none */
} kinds[NR_KINDS] = {
	[MEMORY] = { .name = "memory", .err = ENOMEM },
	[BPF] = { .name = "bpf", .err = ENOMEM },
	[OPEN] = { .name = "open", .err = EMFILE },
	[MMAP] = { .name = "mmap", .err = ENOMEM },
	[NETLINK] = { .name = "netlink", .err = ENOBUFS },
	[THREAD] = { .name = "thread", .err = EAGAIN },
};

#define FRAMES 64

/* The first code on the stack that is neither this file's nor of what everybody calls. */
static const char *crashed_in(void)
{
	void *frames[FRAMES];
	int nr = backtrace(frames, FRAMES);
	Dl_info here, at;

	dladdr(crashed_in, &here);
	for (int i = 0; i < nr; i++)
		if (dladdr(frames[i], &at) && strcmp(at.dli_fname, here.dli_fname) &&
		    !strstr(at.dli_fname, "/libc.so"))
			return at.dli_fname;
	return "?";
}

/* Once: then the signal comes again, and does what it does. */
static void on_crash(int number)
{
	char line[256];
	int len = snprintf(line, sizeof(line), "PB_FAULT: crashed in %s\n", crashed_in());

	syscall(SYS_write, STDERR_FILENO, line, len);
	raise(number);
}

static void catch_crashes(void)
{
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = SA_RESETHAND };
	void *frame;

	backtrace(&frame, 1); /* it takes memory at its first call */
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGABRT, &action, NULL);
	for (int kind = 0; kind < NR_KINDS; kind++)
		kinds[kind].calls = 0;
}

static void __attribute__((constructor)) read_fault(void)
{
	const char *text = getenv("PB_FAULT"), *colon = text ? strchr(text, ':') : NULL;

	catch_crashes();
	for (int kind = 0; colon && kind < NR_KINDS; kind++)
		if (!strncmp(text, kinds[kind].name, colon - text))
			kinds[kind].failing = strtoul(colon + 1, NULL, 10);
}

static void __attribute__((destructor)) write_counts(void)
{
	const char *path = getenv("PB_FAULT_COUNT");
	char line[64];
	int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND,
				     0600) :
			-1;

	for (int kind = 0; fd >= 0 && kind < NR_KINDS; kind++) {
		int len = snprintf(line, sizeof(line), "%s %lu\n", kinds[kind].name,
				   kinds[kind].calls);

		if (syscall(SYS_write, fd, line, len) != len)
			abort();
	}
}

static bool fails(enum kind kind)
{
	unsigned long call = __atomic_add_fetch(&kinds[kind].calls, 1, __ATOMIC_RELAXED);

	if (call != kinds[kind].failing)
		return false;
	errno = kinds[kind].err;
	return true;
}

/* ---- memory ------------------------------------------------------------------------------- */

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *old, size_t size);

/*
 * libseccomp (2.5) frees twice where memory is lacking, or makes a filter that lacks rules and says that all is well. It
 * has what it wants.
 */
static struct {
	uintptr_t start, end;
} spared;

static int find_spared(struct dl_phdr_info *library, size_t size, void *context)
{
	(void)size;
	(void)context;
	if (!strstr(library->dlpi_name, "/libseccomp.so"))
		return 0;
	for (int i = 0; i < library->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &library->dlpi_phdr[i];

		if (part->p_type == PT_LOAD && part->p_flags & PF_X) {
			spared.start = library->dlpi_addr + part->p_vaddr;
			spared.end = spared.start + part->p_memsz;
		}
	}
	return 1;
}

static void __attribute__((constructor)) spare_libseccomp(void)
{
	dl_iterate_phdr(find_spared, NULL);
}

static bool lacks(const void *caller)
{
	uintptr_t at = (uintptr_t)caller;

	return (at < spared.start || at >= spared.end) && fails(MEMORY);
}

void *malloc(size_t size)
{
	return lacks(__builtin_return_address(0)) ? NULL : __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	return lacks(__builtin_return_address(0)) ? NULL : __libc_calloc(nr, size);
}

void *realloc(void *old, size_t size)
{
	return lacks(__builtin_return_address(0)) ? NULL : __libc_realloc(old, size);
}

/* ---- what the kernel is asked -------------------------------------------------------------- */

#define NEXT(name) ((typeof(&(name)))dlsym(RTLD_NEXT, #name))

long syscall(long number, ...)
{
	static typeof(&syscall) next;
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_bpf && fails(BPF))
		return -1;
	if (!next)
		next = NEXT(syscall);
	return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static bool makes_file(int flags)
{
	return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

#define DEFINE_OPEN(declaration, folder)                                                       \
	declaration                                                                            \
	{                                                                                      \
		va_list args;                                                                  \
		int mode;                                                                      \
                                                                                               \
		va_start(args, flags);                                                         \
		mode = makes_file(flags) ? va_arg(args, int) : 0;                              \
		va_end(args);                                                                  \
		return fails(OPEN) ? -1 : (int)syscall(SYS_openat, folder, path, flags, mode); \
	}

DEFINE_OPEN(int open(const char *path, int flags, ...), AT_FDCWD)
DEFINE_OPEN(int open64(const char *path, int flags, ...), AT_FDCWD)
DEFINE_OPEN(int openat(int folder, const char *path, int flags, ...), folder)
DEFINE_OPEN(int openat64(int folder, const char *path, int flags, ...), folder)

FILE *fopen(const char *path, const char *mode)
{
	return fails(OPEN) ? NULL : NEXT(fopen)(path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
	return fails(OPEN) ? NULL : NEXT(fopen64)(path, mode);
}

DIR *opendir(const char *path)
{
	return fails(OPEN) ? NULL : NEXT(opendir)(path);
}

void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	return fails(MMAP) ? MAP_FAILED : NEXT(mmap)(at, len, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t len, int prot, int flags, int fd, off64_t offset)
{
	return fails(MMAP) ? MAP_FAILED : NEXT(mmap64)(at, len, prot, flags, fd, offset);
}

/* ---- threads ------------------------------------------------------------------------------- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*function)(void *),
		   void *context)
{
	if (fails(THREAD))
		return errno;
	return NEXT(pthread_create)(thread, attributes, function, context);
}

/* ---- netlink ------------------------------------------------------------------------------ */

static bool netlink_fails(int fd)
{
	int domain = 0;
	socklen_t len = sizeof(domain);

	return !getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) && domain == AF_NETLINK &&
	       fails(NETLINK);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
	return netlink_fails(fd) ? -1 : NEXT(send)(fd, data, len, flags);
}

ssize_t sendto(int fd, const void *data, size_t len, int flags, const struct sockaddr *to,
	       socklen_t to_len)
{
	return netlink_fails(fd) ? -1 : NEXT(sendto)(fd, data, len, flags, to, to_len);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return netlink_fails(fd) ? -1 : NEXT(sendmsg)(fd, message, flags);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
	return netlink_fails(fd) ? -1 : NEXT(recv)(fd, data, len, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return netlink_fails(fd) ? -1 : NEXT(recvmsg)(fd, message, flags);
}
