// SPDX-License-Identifier: GPL-2.0-only
/*
 * For LD_PRELOAD: a kernel that does not take our program from libxdp, as 5.10 does not: what
 * xdp_program__attach() loads of it is refused as invalid. Alone it takes it.
 */
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xdp/libxdp.h>

#define NEXT(name) ((typeof(&(name)))dlsym(RTLD_NEXT, #name))

static __thread bool by_libxdp;

int xdp_program__attach(struct xdp_program *program, int ifindex, enum xdp_attach_mode mode,
			unsigned int flags)
{
	int ret;

	by_libxdp = true;
	ret = NEXT(xdp_program__attach)(program, ifindex, mode, flags);
	by_libxdp = false;
	return ret;
}

long syscall(long number, ...)
{
	const union bpf_attr *attr;
	long a[6];
	va_list args;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(args, long);
	va_end(args);
	attr = (const union bpf_attr *)a[1];
	if (number == SYS_bpf && a[0] == BPF_PROG_LOAD && by_libxdp &&
	    !strcmp(attr->prog_name, "xdp_portblock")) {
		errno = EINVAL;
		return -1;
	}
	return NEXT(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
