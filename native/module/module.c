// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native engine's half in the kernel: functions by which the XDP program asks code in safe Rust
 * (native/portblock) for the ports of a frame and what they come to. It knows no ruleset and keeps
 * nothing: all that it looks at is handed in.
 */
#include <linux/bpf.h>
#include <linux/btf.h>
#include <linux/btf_ids.h>
#include <linux/filter.h>
#include <linux/module.h>
#include <linux/version.h>
#include <net/xdp.h>
#include <portblock/native.h>

#ifndef BTF_KFUNCS_START /* before 6.9 */
#define BTF_KFUNCS_START BTF_SET8_START
#define BTF_KFUNCS_END BTF_SET8_END
#endif

#ifndef __bpf_kfunc /* before 6.3 */
#define __bpf_kfunc __used noinline
#endif

/*
 * Any program may call these functions, not ours alone. With this flag the verifier lets no null pointer
 * through. Before 6.9 it asks for more than memory then; and where it has no such flag any more, it is
 * always so.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define MAY_BE_NULL true
#undef KF_TRUSTED_ARGS
#else
#define MAY_BE_NULL false
#endif
#ifndef KF_TRUSTED_ARGS
#define KF_TRUSTED_ARGS 0
#endif

/* In Rust: native/portblock_rt/door.rs. */
u32 pb_native_entry(const void *frame, size_t length, const struct pb_native_ports *ports,
		    u32 slot);
u32 pb_native_find(const void *frame, size_t length, const struct pb_native_ports *ports,
		   struct pb_native_found *found, u32 flags);

__diag_push();
__diag_ignore_all("-Wmissing-prototypes", "they are called from BPF");

/*
 * What a frame with a link-layer header comes to, as far as its first buffer and the tables say:
 * PB_ENTRY(), indirect where they do not, or where there are no ports. The verifier sees to it that
 * `ports` is as large as its type says.
 */
__bpf_kfunc u32 bpf_portblock_entry_v11(struct xdp_md *ctx, const struct pb_native_ports *ports,
					u32 slot)
{
	const struct xdp_buff *frame = (const struct xdp_buff *)ctx;

	if (MAY_BE_NULL && !ports)
		return 0;
	return pb_native_entry(frame->data, frame->data_end - frame->data, ports, slot);
}

/*
 * Finds the ports of a frame, as far as its first buffer says: enum pb_outcome, PB_OUTCOME_PASS where
 * it has any. `flags`: PB_NATIVE_*.
 */
__bpf_kfunc u32 bpf_portblock_find_v11(struct xdp_md *ctx, const struct pb_native_ports *ports,
				       struct pb_native_found *found, u32 flags)
{
	const struct xdp_buff *frame = (const struct xdp_buff *)ctx;
	struct pb_native_found own = {}; /* `found` may be memory that others write to */
	u32 outcome;

	if (MAY_BE_NULL && (!ports || !found))
		return PB_OUTCOME_UNPARSABLE;
	outcome = pb_native_find(frame->data, frame->data_end - frame->data, ports, &own, flags);
	*found = own;
	return outcome;
}

__diag_pop();

BTF_KFUNCS_START(functions)
BTF_ID_FLAGS(func, bpf_portblock_entry_v11, KF_TRUSTED_ARGS)
BTF_ID_FLAGS(func, bpf_portblock_find_v11, KF_TRUSTED_ARGS)
BTF_KFUNCS_END(functions)

static const struct btf_kfunc_id_set function_set = {
	.owner = THIS_MODULE,
	.set = &functions,
};

static int __init portblock_native_init(void)
{
	return register_btf_kfunc_id_set(BPF_PROG_TYPE_XDP, &function_set);
}

/* The kernel does not unload the module while a program calls its functions. */
static void __exit portblock_native_exit(void)
{
}

module_init(portblock_native_init);
module_exit(portblock_native_exit);
MODULE_DESCRIPTION("xdp-portblock: frames and tables of ports, read by safe Rust");
MODULE_VERSION(PB_VERSION);
MODULE_LICENSE("GPL");
