// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "maps/pin.h"

/* Root's, whoever makes it: root without CAP_DAC_OVERRIDE, as units have it, would be refused another user's. */
int pb_pin_make(int fd, const char *path, unsigned int mode)
{
	int code;

	if (bpf_obj_pin(fd, path))
		return errno == EEXIST ? 0 : -errno;
	if (!chmod(path, mode) && (!geteuid() || !lchown(path, 0, -1)))
		return 0;
	code = errno;
	unlink(path);
	return -code;
}

int pb_pin_open(const char *path)
{
	LIBBPF_OPTS(bpf_obj_get_opts, read_only, .file_flags = BPF_F_RDONLY);
	int fd = bpf_obj_get(path);

	if (fd < 0 && errno == EACCES)
		fd = bpf_obj_get_opts(path, &read_only);
	return fd < 0 ? -errno : fd;
}
