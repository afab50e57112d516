// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include "attach.h"
#include "error.h"
#include "interface.h"
#include "log.h"
#include "object.h"

#ifndef BPF_F_XDP_HAS_FRAGS
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

/* Attempts, where another process attaches at the same time by libxdp without our lock. */
#define ATTACH_ATTEMPTS 5

static const enum xdp_attach_mode xdp_modes[PB_MODE_MAX] = {
	[PB_MODE_AUTO] = XDP_MODE_UNSPEC,
	[PB_MODE_NATIVE] = XDP_MODE_NATIVE,
	[PB_MODE_SKB] = XDP_MODE_SKB,
	[PB_MODE_HW] = XDP_MODE_HW,
};

/* Can the kernel load programs for frames in several buffers (5.18)? By trying one. */
static bool kernel_has_frags(void)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .prog_flags = BPF_F_XDP_HAS_FRAGS);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "pb_frags", "GPL", pass, 2, &options);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool kernel_has_kern_ctx(void)
{
	struct btf *btf;
	bool has;

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		return false;
	btf = btf__load_vmlinux_btf();
	has = !libbpf_get_error(btf) &&
	      btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;
	btf__free(btf);
	return has;
}

static struct pb_features features;

struct pb_features pb_features(void)
{
	static bool known;

	if (!known) {
		features.frags = kernel_has_frags();
		features.kern_ctx = features.frags && kernel_has_kern_ctx();
		features.connections = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP,
							       BPF_FUNC_skc_lookup_tcp, NULL) == 1;
		known = true;
	}
	return features;
}

static int fail_attach(const struct pb_interface *interface, enum pb_mode mode, int code,
		       struct pb_error *error)
{
	const char *name = interface->name, *last = pb_log_last();

	if (mode == PB_MODE_HW && code == EINVAL)
		code = EOPNOTSUPP; /* a device without offload, as the kernel says it */
	switch (code) {
	case E2BIG:
		return pb_fail(error, code,
			       "%s: its chain is full: libxdp's dispatcher takes 10 programs at "
			       "most",
			       name);
	case EOPNOTSUPP:
		return pb_fail(error, code,
			       "%s: the device cannot do XDP in %s mode: use `-m skb`, which every "
			       "device can",
			       name, pb_mode_name(mode));
	case ERANGE:
		return pb_fail(error, code,
			       "%s: its MTU is too large for XDP in %s mode with this driver: make "
			       "it smaller (`ip link set dev %s mtu 1500`), or use `-m skb`",
			       name, pb_mode_name(mode), name);
	case EBUSY:
	case EEXIST:
		return pb_fail(error, EBUSY,
			       "%s: another program is being attached to the interface: try again",
			       name);
	case EPERM:
	case EACCES:
		if (strstr(last, "failed to load object"))
			return pb_fail(error, code,
				       "%s: the kernel's verifier refuses the program, which is a "
				       "fault of xdp-portblock: `-vv` shows why",
				       name);
		return pb_fail_permission(error, code, "attach the program");
	default:
		return pb_fail(error, code, "%s: cannot attach the program: %s%s%s", name,
			       strerror(code), *last ? ": " : "", last);
	}
}

/* Opens the object of an instance, not loaded yet. */
static int open_object(const struct pb_attach *how, const struct pb_interface *interface,
		       struct portblock_bpf **object, struct pb_error *error)
{
	struct pb_features has = pb_features();
	struct pb_constants constants = { .frags = has.frags,
					  .kern_ctx = has.kern_ctx,
					  .connections = has.connections,
					  .outcomes_id = how->outcomes_id };
	int ret = pb_interface_ethernet(interface->name, &constants.ethernet, error);

	return ret ?: pb_object_open(how->maps, &constants, object, error);
}

/* The same as a program of libxdp's; `*object` keeps what it is made of. */
static int open_program(const struct pb_attach *how, const struct pb_interface *interface,
			struct portblock_bpf **object, struct xdp_program **program,
			struct pb_error *error)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, options, 0);
	int ret = open_object(how, interface, object, error);

	if (ret)
		return ret;
	options.obj = (*object)->obj;
	options.prog_name = "xdp_portblock";
	*program = xdp_program__create(&options);
	ret = libxdp_get_error(*program);
	if (!ret)
		ret = xdp_program__set_run_prio(*program, how->priority ?: PB_PRIORITY_DEFAULT);
	if (!ret && pb_features().frags)
		ret = xdp_program__set_xdp_frags_support(*program, true);
	if (ret)
		return pb_fail(error, -ret, "cannot prepare the program: %s", strerror(-ret));
	return 0;
}

/* One attempt. A program of libxdp's can be attached once only, so each gets one of its own. */
static int attach_once(const struct pb_attach *how, const struct pb_interface *interface,
		       enum pb_mode mode, struct pb_error *error)
{
	struct portblock_bpf *object = NULL;
	struct xdp_program *program = NULL;
	int ret;

	pb_log_begin();
	ret = open_program(how, interface, &object, &program, error);
	if (!ret) {
		ret = xdp_program__attach(program, interface->ifindex, xdp_modes[mode], 0);
		if (ret)
			ret = fail_attach(interface, mode, -ret, error);
	}
	if (program && !libxdp_get_error(program))
		xdp_program__close(program);
	portblock_bpf__destroy(object);
	return ret;
}

/*
 * Without the dispatcher, where the kernel takes the program as such but not under it: 5.10 lets
 * no function of an EXT program hand its context to another.
 */
static int attach_alone(const struct pb_attach *how, const struct pb_interface *interface,
			enum pb_mode mode, struct pb_error *error)
{
	int ret;

	if (setenv("LIBXDP_SKIP_DISPATCHER", "1", true))
		return pb_fail_memory(error);
	ret = attach_once(how, interface, mode, error);
	unsetenv("LIBXDP_SKIP_DISPATCHER");
	return ret;
}

/* Where the kernel refuses to load the program, one that asks less of it is tried. */
static int attach_retrying(const struct pb_attach *how, const struct pb_interface *interface,
			   enum pb_mode mode, struct pb_error *error)
{
	int ret = 0;

	for (int i = 0; i < ATTACH_ATTEMPTS; i++) {
		ret = attach_once(how, interface, mode, error);
		if (ret != -EBUSY && ret != -EAGAIN)
			break;
	}
	if (!ret || !strstr(pb_log_last(), "failed to load object"))
		return ret;
	if (features.kern_ctx) { /* it is there, and may not be for programs of this type */
		features.kern_ctx = false;
		return attach_retrying(how, interface, mode, error);
	}
	if (ret == -EINVAL && !interface->nr_chain && !getenv("LIBXDP_SKIP_DISPATCHER"))
		ret = attach_alone(how, interface, mode, error);
	return ret;
}

int pb_attach(const struct pb_attach *how, const struct pb_interface *interface, char note[256],
	      struct pb_error *error)
{
	enum pb_mode mode = how->mode;
	int ret;

	*note = '\0';
	if (mode == PB_MODE_AUTO && interface->nr_chain)
		mode = interface->mode;
	if (mode != PB_MODE_AUTO)
		return attach_retrying(how, interface, mode, error);
	ret = attach_retrying(how, interface, PB_MODE_NATIVE, error);
	if (ret != -EOPNOTSUPP && ret != -ERANGE && ret != -EINVAL)
		return ret;
	snprintf(note, 256, "skb mode, since the %s",
		 ret == -ERANGE ? "MTU is too large for native mode with this driver" :
				  "device has no native mode");
	return attach_retrying(how, interface, PB_MODE_SKB, error);
}

/* Takes a program that is ours off its interface. */
int pb_detach(int ifindex, __u32 program_id, struct pb_error *error)
{
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *program = NULL;
	int ret = libxdp_get_error(programs);

	if (ret)
		return pb_fail_permission(error, -ret, "look at the interface's programs");
	if (xdp_multiprog__is_legacy(programs))
		program = xdp_multiprog__main_prog(programs) ?: xdp_multiprog__hw_prog(programs);
	else
		while ((program = xdp_multiprog__next_prog(program, programs)))
			if (xdp_program__id(program) == program_id)
				break;
	pb_log_begin();
	if (!program || xdp_program__id(program) != program_id)
		ret = -ENOENT;
	else
		ret = xdp_program__detach(program, ifindex, xdp_multiprog__attach_mode(programs),
					  0);
	xdp_multiprog__close(programs);
	if (ret)
		return pb_fail(error, -ret, "cannot detach program %u from interface %d: %s%s%s",
			       program_id, ifindex, strerror(-ret), *pb_log_last() ? ": " : "",
			       pb_log_last());
	return 0;
}

/* A single program, exchanged for another in one step, if it is still the one that was seen. */
static int exchange(const struct pb_attach *how, const struct pb_interface *interface,
		    struct pb_error *error)
{
	__u32 flags = XDP_FLAGS_REPLACE | (interface->mode == PB_MODE_SKB ? XDP_FLAGS_SKB_MODE :
					   interface->mode == PB_MODE_HW  ? XDP_FLAGS_HW_MODE :
									    XDP_FLAGS_DRV_MODE);
	int old = bpf_prog_get_fd_by_id(interface->program_id), ret = old < 0 ? -errno : 0;
	LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = old);
	struct portblock_bpf *object = NULL;

	pb_log_begin();
	if (!ret)
		ret = open_object(how, interface, &object, error);
	if (!ret && pb_features().frags)
		ret = bpf_program__set_flags(object->progs.xdp_portblock, BPF_F_XDP_HAS_FRAGS);
	if (!ret)
		ret = portblock_bpf__load(object);
	if (!ret)
		ret = bpf_xdp_attach(interface->ifindex,
				     bpf_program__fd(object->progs.xdp_portblock), flags, &options);
	if (ret)
		ret = fail_attach(interface, interface->mode, -ret, error);
	portblock_bpf__destroy(object);
	if (old >= 0)
		close(old);
	return ret;
}

int pb_attach_instead(const struct pb_attach *how, const struct pb_interface *interface,
		      struct pb_error *error)
{
	int ret;

	if (!interface->dispatcher)
		return exchange(how, interface, error);
	ret = attach_retrying(how, interface, interface->mode, error);
	return ret ?: pb_detach(interface->ifindex, interface->program_id, error);
}
