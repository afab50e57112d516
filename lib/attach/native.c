// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/utsname.h>
#include <portblock/native.h>
#include "attach/native.h"
#include "util/error.h"

#define MODULE PB_NATIVE_MODULE

int pb_native_version(char *version, size_t size)
{
	FILE *file = fopen("/sys/module/" MODULE "/version", "re");
	int ret = file ? 0 : -errno;

	if (!file)
		return ret;
	if (fgets(version, size, file))
		version[strcspn(version, "\n")] = '\0';
	else
		ret = -EIO;
	fclose(file);
	return ret;
}

/*
 * May it be among the modules that are installed for the running kernel? Where nobody can say, it may:
 * modules are out of sight (systemd: ProtectKernelModules), or the list of them cannot be opened now.
 */
static bool may_be_installed(const char *release)
{
	char path[128], line[512];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/lib/modules/%.65s/modules.dep", release);
	file = fopen(path, "re");
	if (!file)
		return errno != ENOENT;
	while (!found && fgets(line, sizeof(line), file))
		found = strstr(line, "/" MODULE ".ko");
	fclose(file);
	return found;
}

static int fail_absent(struct pb_error *error)
{
	struct utsname kernel;

	uname(&kernel);
	if (may_be_installed(kernel.release))
		return pb_fail(error, ENOPKG,
			       "the native engine's kernel module is not loaded: `modprobe " MODULE
			       "` loads it, if it is installed (`make native-install`)");
	return pb_fail(error, ENOPKG,
		       "the native engine's kernel module is not there: `make native` and `make "
		       "native-install` in the source of xdp-portblock build it (for Linux 6.9 and "
		       "later, x86_64; this is %s, whose headers it needs), `modprobe " MODULE
		       "` then loads it",
		       kernel.release);
}

int pb_native_check(struct pb_error *error)
{
	char version[32];
	int ret = pb_native_version(version, sizeof(version));

	if (ret == -ENOENT)
		return fail_absent(error);
	if (ret)
		return pb_fail(error, -ret, "cannot read the version of the module " MODULE ": %s",
			       strerror(-ret));
	if (strcmp(version, PB_VERSION))
		return pb_fail(
			error, ENOPKG,
			"the kernel module " MODULE " is of version %s, and this is %s: install "
			"the module of this version, take the filter off the interfaces that use "
			"it, then `rmmod " MODULE "` and `modprobe " MODULE "`",
			version, PB_VERSION);
	if (access("/sys/kernel/btf/" MODULE, F_OK))
		return pb_fail(error, ENOPKG,
			       "the kernel module " MODULE
			       " was built without BTF, by which programs "
			       "find its functions: build it with headers that have the kernel's "
			       "vmlinux and with pahole");
	return 0;
}
