/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* What the kernel can do, found out once by trying; for all threads. */
#ifndef PB_FEATURES_H
#define PB_FEATURES_H

#include <stdbool.h>
#include <linux/bpf.h>

#ifndef BPF_F_XDP_HAS_FRAGS /* Linux 5.18; Debian 11's headers are older */
#define BPF_F_XDP_HAS_FRAGS (1U << 5)
#endif

struct pb_features {
	bool frags;	  /* frames in several buffers (5.18) */
	bool kern_ctx;	  /* bpf_cast_to_kern_ctx() (6.2) */
	bool connections; /* socket lookup from XDP */
	bool cmpxchg;	  /* compare-and-swap in programs (5.12) */
	bool coarse;	  /* bpf_ktime_get_coarse_ns() (5.11) */
	bool resize;	  /* under the dispatcher, a program may change the size of a frame */
};
struct pb_features pb_features(void);

/* From now on, for bpf_cast_to_kern_ctx() is there, and yet not for programs of this type. */
void pb_features_do_without_kern_ctx(void);

/* From now on: since 6.13, only where libxdp's dispatcher says that it does so itself, which older ones do not. */
void pb_features_do_without_resize(void);

#endif
