// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include "attach/attach.h"
#include "attach/card.h"
#include "attach/dispatch.h"
#include "attach/driver.h"
#include "attach/features.h"
#include "attach/interface.h"
#include "attach/libxdp.h"
#include "attach/link.h"
#include "attach/object.h"
#include "attach/refusal.h"
#include "maps/instance.h"
#include "maps/rights.h"
#include "util/error.h"
#include "util/log.h"

/* Attempts, where another process attaches at the same time by libxdp without our lock. */
#define ATTACH_ATTEMPTS 5

static const enum xdp_attach_mode xdp_modes[PB_MODE_MAX] = {
	[PB_MODE_AUTO] = XDP_MODE_UNSPEC,
	[PB_MODE_NATIVE] = XDP_MODE_NATIVE,
	[PB_MODE_SKB] = XDP_MODE_SKB,
	[PB_MODE_HW] = XDP_MODE_HW,
};

/* The driver says why, and mostly better than the number does. */
static int fail_refused(const struct pb_interface *interface, enum pb_mode mode, int code,
			const char *refusal, struct pb_error *error)
{
	const char *name = interface->name, *otherwise = mode == PB_MODE_SKB ? "" : "use `-m skb`";
	char help[256];

	pb_refusal_help(refusal, name, help, sizeof(help));
	return pb_fail(error, code, "%s: its driver refuses %s mode: \"%s\"%s%s%s%s", name,
		       pb_mode_name(mode), refusal, *help || *otherwise ? ": " : "", help,
		       *help && *otherwise ? ", or " : "", otherwise);
}

/* E2BIG: the program takes more steps than it goes through. A chain that is full is E2BIG, too. */
static bool is_verifier(int code, const char *last)
{
	return (code == E2BIG || code == EPERM || code == EACCES) &&
	       strstr(last, "failed to load object");
}

/* What libxdp 1.6 says of a dispatcher of those before it. */
static bool is_earlier(const char *last)
{
	return strstr(last, "dispatcher version");
}

static int fail_earlier(const char *name, struct pb_error *error)
{
	return pb_fail(error, EBUSY,
		       "%s: the dispatcher that is attached was loaded by an earlier libxdp, and "
		       "this one puts no other in its place: unload what is on it by the tools "
		       "that loaded it, or use those",
		       name);
}

static int fail_attach(const struct pb_interface *interface, enum pb_mode mode, int code,
		       struct pb_error *error)
{
	const char *name = interface->name, *last = pb_log_last(), *refusal = pb_refusal();

	if (refusal && code != EBUSY && code != EEXIST && code != ERANGE)
		return fail_refused(interface, mode, code, refusal, error);
	if (is_verifier(code, last))
		return pb_fail(error, code,
			       "%s: the kernel's verifier refuses the program, which is a fault of "
			       "xdp-portblock: `-vv` shows why",
			       name);
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
		if (is_earlier(last))
			return fail_earlier(name, error);
		return pb_fail(error, EBUSY,
			       "%s: another program is being attached to the interface: try again",
			       name);
	case EPERM:
	case EACCES:
		return pb_fail_permission(error, code, "attach the program");
	default:
		return pb_fail(error, code, "%s: cannot attach the program: %s%s%s", name,
			       strerror(code), *last ? ": " : "", last);
	}
}

/* Opens the object of an instance, not loaded yet. */
static int open_object(const struct pb_attach *how, const struct pb_interface *interface,
		       bool resize, struct portblock_bpf **object, struct pb_error *error)
{
	struct pb_features has = pb_features();
	struct pb_constants constants = { .frags = has.frags,
					  .kern_ctx = has.kern_ctx,
					  .native = how->native,
					  .connections = has.connections,
					  .resize = resize,
					  .outcomes_id = how->outcomes_id,
					  .exchange_id = how->exchange_id,
					  .number = how->number };
	int ret = pb_interface_ethernet(interface->name, &constants.ethernet, error);

	return ret ?: pb_object_open(how->maps, &constants, object, error);
}

/* The same as a program of libxdp's; `*object` keeps what it is made of. */
static int open_program(const struct pb_attach *how, const struct pb_interface *interface,
			struct portblock_bpf **object, struct xdp_program **program,
			struct pb_error *error)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, options, 0);
	int ret = open_object(how, interface, pb_features().resize, object, error);

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

/* ---- What an answer that was lost leaves -------------------------------------------------- */

/* What is on an interface before a change: by id, since it is whatever program the kernel names, and anybody's. */
struct before {
	int ifindex;
	struct pb_link_xdp link;
	int fd; /* of that program, so that it stays; -1: there is none */
};

static const __u32 mode_flags[PB_MODE_MAX] = {
	[PB_MODE_NATIVE] = XDP_FLAGS_DRV_MODE,
	[PB_MODE_SKB] = XDP_FLAGS_SKB_MODE,
	[PB_MODE_HW] = XDP_FLAGS_HW_MODE,
};

static int remember(int ifindex, struct before *before, struct pb_error *error)
{
	int ret = pb_link_xdp(ifindex, &before->link);

	before->ifindex = ifindex;
	before->fd = -1;
	if (!ret && before->link.program_id) {
		before->fd = bpf_prog_get_fd_by_id(before->link.program_id);
		ret = before->fd < 0 ? -errno : 0;
	}
	if (ret)
		return pb_fail_permission(error, -ret, "look at the interface's XDP program");
	return 0;
}

static void forget(const struct before *before)
{
	if (before->fd >= 0)
		close(before->fd);
}

/*
 * Of ours, or left by a libxdp that was told of a failure: it has removed the pins then, and with
 * them gone the programs below. What another process has put there meanwhile is none of these.
 */
static bool is_debris(int ifindex)
{
	struct pb_instances ours;
	struct pb_interface interface;

	return !pb_interface_look(ifindex, &interface, &ours, NULL) &&
	       (*interface.obstacle || (ours.nr && !interface.dispatcher));
}

/* After a failure: what was attached all the same gives way to what was there. */
static void put_back(const struct before *before)
{
	struct pb_link_xdp now;
	int fd;

	for (int i = 0; i < ATTACH_ATTEMPTS; i++) {
		LIBBPF_OPTS(bpf_xdp_attach_opts, options);

		if (pb_link_xdp(before->ifindex, &now))
			continue;
		if (!now.program_id || now.program_id == before->link.program_id ||
		    !is_debris(before->ifindex))
			return;
		fd = bpf_prog_get_fd_by_id(now.program_id); /* as in remember() */
		if (fd < 0)
			continue;
		options.old_prog_fd = fd;
		bpf_xdp_attach(before->ifindex, before->fd,
			       mode_flags[now.mode] | XDP_FLAGS_REPLACE, &options);
		close(fd);
	}
}

/* ---- One program --------------------------------------------------------------------------- */

/*
 * Programs and maps of ours are told by their names, and their priority by their BTF. libbpf goes on
 * without, where its trial of whether the kernel takes names, or the kernel's of the BTF, has failed
 * for whatever reason.
 */
static int check_recognized(__u32 program_id, const struct pb_interface *interface,
			    struct pb_error *error)
{
	struct pb_instance instance;
	int ours = pb_instance_of(program_id, &instance);

	if (ours > 0 && instance.btf_id)
		return 0;
	return pb_fail(error, ours < 0 ? -ours : EIO,
		       "%s: cannot recognize the program that was loaded as one of xdp-portblock: "
		       "%s",
		       interface->name,
		       ours < 0 ? strerror(-ours) : "it got no name or no BTF, try again");
}

struct attempt {
	const struct pb_attach *how;
	const struct pb_interface *interface;
	enum pb_mode mode;
	struct pb_error *error;
	bool tried; /* to attach it: something may be there */
	__u32 id;   /* of the program that was attached */
};

/* A program of libxdp's can be attached once only, so each attempt gets one of its own. */
static int attach_by_libxdp(void *context)
{
	struct attempt *attempt = context;
	const struct pb_interface *interface = attempt->interface;
	struct portblock_bpf *object = NULL;
	struct xdp_program *program = NULL;
	int ret = open_program(attempt->how, interface, &object, &program, attempt->error);

	if (!ret) {
		attempt->tried = true;
		ret = xdp_program__attach(program, interface->ifindex, xdp_modes[attempt->mode], 0);
		if (ret)
			ret = fail_attach(interface, attempt->mode, -ret, attempt->error);
		else
			attempt->id = xdp_program__id(program);
	}
	if (program && !libxdp_get_error(program))
		xdp_program__close(program);
	portblock_bpf__destroy(object);
	return ret;
}

static int attach_once(const struct pb_attach *how, const struct pb_interface *interface,
		       enum pb_mode mode, struct pb_error *error)
{
	struct attempt attempt = { how, interface, mode, error, false, 0 };
	struct before before;
	int ret = remember(interface->ifindex, &before, error);

	if (ret)
		return ret;
	pb_log_begin();
	pb_fail(error, EAGAIN, "%s: cannot start a thread", interface->name); /* if nothing else */
	ret = pb_libxdp_run(attach_by_libxdp, &attempt);
	if (ret && attempt.tried) {
		put_back(&before);
	} else if (!ret) {
		pb_dispatch_give(interface->ifindex);
		ret = check_recognized(attempt.id, interface, error);
		if (ret)
			pb_detach(interface->ifindex, attempt.id, NULL);
	}
	forget(&before);
	return ret;
}

static int id_of(int program, __u32 *id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &len))
		return -errno;
	*id = info.id;
	return 0;
}

/* As a program of its own, which libxdp knows nothing of. */
static int load_alone(const struct pb_attach *how, const struct pb_interface *interface,
		      enum pb_mode mode, struct portblock_bpf **object, __u32 *id,
		      struct pb_error *error)
{
	int ret = open_object(how, interface, true, object, error);

	if (ret)
		return ret;
	if (pb_features().frags)
		ret = bpf_program__set_flags((*object)->progs.xdp_portblock, BPF_F_XDP_HAS_FRAGS);
	if (!ret)
		ret = bpf_object__load((*object)->obj);
	if (!ret)
		ret = id_of(bpf_program__fd((*object)->progs.xdp_portblock), id);
	if (ret)
		return fail_attach(interface, mode, -ret, error);
	return check_recognized(*id, interface, error);
}

/*
 * Without the dispatcher, where the kernel takes the program as such but not under it: 5.10 lets
 * no function of an EXT program hand its context to another. libxdp would do so for an environment
 * variable, which is the process's.
 */
static int attach_alone(const struct pb_attach *how, const struct pb_interface *interface,
			enum pb_mode mode, struct pb_error *error)
{
	__u32 flags = XDP_FLAGS_UPDATE_IF_NOEXIST | mode_flags[mode], id;
	struct portblock_bpf *object = NULL;
	struct before before;
	int ret = remember(interface->ifindex, &before, error);

	if (ret)
		return ret;
	pb_log_begin();
	ret = load_alone(how, interface, mode, &object, &id, error);
	if (!ret) {
		ret = bpf_xdp_attach(interface->ifindex,
				     bpf_program__fd(object->progs.xdp_portblock), flags, NULL);
		if (ret) {
			ret = fail_attach(interface, mode, -ret, error);
			put_back(&before);
		}
	}
	forget(&before);
	portblock_bpf__destroy(object);
	return ret;
}

/* Where the kernel refuses to load the program, one that asks less of it is tried. */
static int attach_retrying(const struct pb_attach *how, const struct pb_interface *interface,
			   enum pb_mode mode, struct pb_error *error)
{
	bool kern_ctx = pb_features().kern_ctx;
	int ret = 0;

	for (int i = 0; i < ATTACH_ATTEMPTS; i++) {
		ret = attach_once(how, interface, mode, error);
		if (ret != -EBUSY && ret != -EAGAIN)
			break;
	}
	if (!ret || !strstr(pb_log_last(), "failed to load object"))
		return ret;
	if (pb_features().resize) {
		pb_features_do_without_resize();
		return attach_retrying(how, interface, mode, error);
	}
	if (kern_ctx) {
		pb_features_do_without_kern_ctx();
		return attach_retrying(how, interface, mode, error);
	}
	if (ret == -EINVAL && !interface->nr_chain)
		ret = attach_alone(how, interface, mode, error);
	return ret;
}

/* Why an interface gets skb mode that had better have native mode. */
static void note_skb(const struct pb_interface *interface, int ret, char note[256])
{
	const char *refusal = pb_refusal();
	char help[256];

	if (ret == -ERANGE || !refusal) {
		snprintf(note, 256, "skb mode, since the %s",
			 ret == -ERANGE ? "MTU is too large for native mode with this driver" :
					  "device has no native mode");
		return;
	}
	pb_refusal_help(refusal, interface->name, help, sizeof(help));
	snprintf(note, 256, "skb mode, since its driver refuses native mode: \"%.90s\"%s%.80s",
		 refusal, *help ? ": to have that, " : "", help);
}

/* Better no native mode than one that ends in silence. */
static bool is_forgetful(const struct pb_interface *interface, char note[256])
{
	char driver[32];

	pb_card_driver(interface->name, driver);
	if (!pb_card_forgets(driver))
		return false;
	snprintf(
		note, 256,
		"in native mode the driver %s forgets the program when the link goes down and up, and passes all "
		"packets then",
		driver);
	return true;
}

/* At this MTU, larger frames would be lost in native mode, though the driver takes the program. */
static bool is_too_large(const struct pb_interface *interface, char note[256])
{
	struct ifreq answer;
	char driver[32];
	__u64 features;

	pb_card_driver(interface->name, driver);
	if (!pb_card_drops_large(driver) ||
	    pb_driver_features(interface->ifindex, &features) != -EOPNOTSUPP ||
	    pb_card_ask(interface->name, SIOCGIFMTU, &answer) ||
	    answer.ifr_mtu <= pb_card_mtu_max(driver))
		return false;
	snprintf(
		note, 256,
		"in native mode the driver %s drops frames that are larger than an MTU of %d: to have that, make the "
		"MTU smaller (`ip link set dev %s mtu 1500`)",
		driver, pb_card_mtu_max(driver), interface->name);
	return true;
}

/* Does the driver refuse native mode, and not the kernel the program? */
static bool is_no_native(int ret)
{
	if (ret == -EOPNOTSUPP || ret == -ERANGE || ret == -EINVAL)
		return true;
	/* Of too few queues: virtio_net before 5.13, veth. */
	return (ret == -ENOMEM || ret == -ENOSPC) && pb_refusal();
}

int pb_attach(const struct pb_attach *how, const struct pb_interface *interface, char note[256],
	      struct pb_error *error)
{
	enum pb_mode mode = how->mode;
	int ret;

	*note = '\0';
	if (mode == PB_MODE_AUTO && interface->nr_chain)
		mode = interface->mode;
	if (mode != PB_MODE_SKB && mode != PB_MODE_HW &&
	    (is_forgetful(interface, note) || is_too_large(interface, note))) {
		if (mode == PB_MODE_AUTO)
			mode = PB_MODE_SKB;
	}
	if (mode != PB_MODE_AUTO)
		return attach_retrying(how, interface, mode, error);
	ret = attach_retrying(how, interface, PB_MODE_NATIVE, error);
	if (!is_no_native(ret))
		return ret;
	note_skb(interface, ret, note);
	return attach_retrying(how, interface, PB_MODE_SKB, error);
}

/* Has that program no place in the chain any more, though libxdp says that it failed? */
static bool is_off(int ifindex, __u32 program_id)
{
	struct pb_instances ours;
	struct pb_interface interface;

	if (pb_interface_look(ifindex, &interface, &ours, NULL) || *interface.obstacle)
		return false;
	for (unsigned int i = 0; i < ours.nr; i++)
		if (ours.list[i].program_id == program_id)
			return false;
	return true;
}

struct detachment {
	int ifindex;
	__u32 program_id;
};

static int detach_by_libxdp(void *context)
{
	const struct detachment *detachment = context;
	int ifindex = detachment->ifindex;
	__u32 program_id = detachment->program_id;
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex(ifindex);
	struct xdp_program *program = NULL;
	int ret = libxdp_get_error(programs);

	if (ret)
		return ret;
	if (xdp_multiprog__is_legacy(programs))
		program = xdp_multiprog__main_prog(programs) ?: xdp_multiprog__hw_prog(programs);
	else
		while ((program = xdp_multiprog__next_prog(program, programs)))
			if (xdp_program__id(program) == program_id)
				break;
	if (!program || xdp_program__id(program) != program_id)
		ret = -ENOENT;
	else
		ret = xdp_program__detach(program, ifindex, xdp_multiprog__attach_mode(programs),
					  0);
	xdp_multiprog__close(programs);
	return ret;
}

static int detach_once(int ifindex, __u32 program_id)
{
	struct detachment detachment = { ifindex, program_id };

	return pb_libxdp_run(detach_by_libxdp, &detachment);
}

/*
 * `reason` is what libxdp has said, and `refusal` what the driver has, or "": virtio_net before 6.3 looks at the MTU
 * where a program goes, too.
 */
static int fail_detach(int ifindex, __u32 program_id, int code, const char *reason,
		       const char *refusal, struct pb_error *error)
{
	char name[IF_NAMESIZE], help[256];

	if (is_earlier(reason) && if_indextoname(ifindex, name))
		return fail_earlier(name, error);
	if (if_indextoname(ifindex, name)) {
		pb_refusal_help(refusal, name, help, sizeof(help));
		if (*help)
			return pb_fail(error, code,
				       "%s: its driver does not let go of the program: \"%s\": %s",
				       name, refusal, help);
	}
	return pb_fail(error, code, "cannot detach program %u from interface %d: %s", program_id,
		       ifindex, reason);
}

int pb_detach(int ifindex, __u32 program_id, struct pb_error *error)
{
	const struct pb_dispatch_programs taken_off = { .ids = &program_id, .nr = 1 };
	struct before before;
	int ret = remember(ifindex, &before, error);
	char reason[256], refusal[256];

	if (ret)
		return ret;
	pb_log_begin();
	ret = detach_once(ifindex, program_id);
	if (ret) {
		snprintf(reason, sizeof(reason), "%s%s%s", strerror(-ret),
			 *pb_log_last() ? ": " : "", pb_log_last());
		snprintf(refusal, sizeof(refusal), "%s", pb_refusal() ?: "");
		put_back(&before);
		if (is_off(ifindex, program_id))
			ret = 0;
		else
			fail_detach(ifindex, program_id, -ret, reason, refusal, error);
	}
	forget(&before);
	/* libxdp does not tell of pins that it could not remove. The program is off all the same. */
	if (!ret)
		pb_dispatch_clean(ifindex, &taken_off, NULL);
	if (!ret)
		pb_dispatch_give(ifindex);
	return ret;
}

/* Whatever the answer was. */
static bool is_on(int ifindex, __u32 program_id)
{
	struct pb_link_xdp link;

	return !pb_link_xdp(ifindex, &link) && link.program_id == program_id;
}

int pb_attach_over(const struct pb_attach *how, const struct pb_interface *interface,
		   struct pb_error *error)
{
	__u32 flags = XDP_FLAGS_REPLACE | mode_flags[interface->mode], id = 0;
	int old = bpf_prog_get_fd_by_id(interface->program_id),
	    ret; /* alone on it, and so pinned nowhere */
	LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = old);
	struct portblock_bpf *object = NULL;

	if (old < 0)
		return fail_attach(interface, interface->mode, errno, error);
	pb_log_begin();
	ret = load_alone(how, interface, interface->mode, &object, &id, error);
	if (!ret) {
		ret = bpf_xdp_attach(interface->ifindex,
				     bpf_program__fd(object->progs.xdp_portblock), flags, &options);
		if (ret && is_on(interface->ifindex, id))
			ret = 0;
		if (ret)
			ret = fail_attach(interface, interface->mode, -ret, error);
	}
	portblock_bpf__destroy(object);
	close(old);
	return ret;
}

int pb_attach_beside(const struct pb_attach *how, const struct pb_interface *interface,
		     struct pb_error *error)
{
	return attach_retrying(how, interface, interface->mode, error);
}
