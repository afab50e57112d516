// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Load and unload: the filter on interfaces, by libxdp. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include "error.h"
#include "interface.h"
#include "lock.h"
#include "log.h"
#include "object.h"
#include "ruleset.h"

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

static bool kernel_has_socket_lookup(void)
{
	return libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_skc_lookup_tcp, NULL) == 1;
}

/* ---- One load of several interfaces ------------------------------------------------------ */

struct load {
	const struct pb_load_options *options;
	const char *name; /* of the ruleset */
	struct pb_ruleset *ruleset;
	bool made;  /* the ruleset, by this load */
	bool frags; /* the kernel's features */
	bool connections;
	struct pb_set before; /* of a ruleset that was there, where `changed` */
	bool changed;
};

/* Says by what the interface's program differs from what is asked for; "" if it does not. */
static void say_difference(const struct load *load, const struct pb_interface *interface,
			   char *text, size_t size)
{
	const struct pb_load_options *options = load->options;

	*text = '\0';
	if (strcmp(interface->ruleset, load->name))
		snprintf(text, size, "with the ruleset '%s'", interface->ruleset);
	else if (options->mode != PB_MODE_AUTO && options->mode != interface->mode)
		snprintf(text, size, "in %s mode", pb_mode_name(interface->mode));
	else if (options->priority && interface->dispatcher &&
		 (__u32)options->priority != interface->priority)
		snprintf(text, size, "with priority %u", interface->priority);
	else if (options->require_dispatcher && !interface->dispatcher)
		snprintf(text, size, "without the dispatcher");
	else if (options->set_policy && options->policy != interface->settings.policy)
		snprintf(text, size, "with policy %s (`xdp-portblock policy %s` changes it)",
			 pb_policy_name(interface->settings.policy),
			 pb_policy_name(options->policy));
}

static int check_loaded(const struct load *load, const struct pb_interface *interface,
			struct pb_error *error)
{
	char difference[128];

	say_difference(load, interface, difference, sizeof(difference));
	if (!*difference)
		return 0;
	return pb_fail(error, EEXIST,
		       "%s: already loaded, but %s: unload it first to load it otherwise",
		       interface->name, difference);
}

static int check_foreign(const struct load *load, const struct pb_interface *interface,
			 struct pb_error *error)
{
	const struct pb_load_options *options = load->options;

	if (!interface->dispatcher)
		return pb_fail(error, EBUSY,
			       "%s: the XDP program '%s' (id %u) holds the interface without "
			       "libxdp's dispatcher, so no other can be added: take it off "
			       "(`ip link set dev %s xdp off`) or load it by xdp-loader",
			       interface->name, interface->chain[0].name, interface->chain[0].id,
			       interface->name);
	if (options->mode != PB_MODE_AUTO && options->mode != interface->mode)
		return pb_fail(error, EBUSY,
			       "%s: its programs are loaded in %s mode, and all must use the same: "
			       "use `-m %s`",
			       interface->name, pb_mode_name(interface->mode),
			       pb_mode_name(interface->mode));
	return 0;
}

/* Whether an interface can be loaded, before anything is changed. */
static int check_interface(const struct load *load, int ifindex, struct pb_load_result *result,
			   struct pb_error *error)
{
	struct pb_interface *interface = &result->interface;
	struct pb_instance instance;
	int ret = pb_interface_look(ifindex, interface, &instance, error);

	if (ret)
		return ret;
	result->note[0] = '\0';
	result->what = interface->loaded ? PB_ALREADY_LOADED : PB_LOADED;
	if (interface->loaded)
		return check_loaded(load, interface, error);
	if (interface->nr_chain)
		return check_foreign(load, interface, error);
	return 0;
}

static int fail_attach(const struct pb_interface *interface, enum pb_mode mode, int code,
		       struct pb_error *error)
{
	const char *name = interface->name, *last = pb_log_last();

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
		return pb_fail_permission(error, code, "attach the program");
	default:
		return pb_fail(error, code, "%s: cannot attach the program: %s%s%s", name,
			       strerror(code), *last ? ": " : "", last);
	}
}

/* Opens an instance of the program for an interface; `*object` keeps what it is made of. */
static int open_program(const struct load *load, const struct pb_interface *interface,
			struct portblock_bpf **object, struct xdp_program **program,
			struct pb_error *error)
{
	struct pb_constants constants = { .frags = load->frags, .connections = load->connections };
	DECLARE_LIBXDP_OPTS(xdp_program_opts, options, 0);
	int ret = pb_interface_link_layer(interface->name, &constants.ethernet, error);

	if (!ret)
		ret = pb_object_open(&load->ruleset->maps, &constants, false, object, error);
	if (ret)
		return ret;
	options.obj = (*object)->obj;
	options.prog_name = "xdp_portblock";
	*program = xdp_program__create(&options);
	ret = libxdp_get_error(*program);
	if (!ret)
		ret = xdp_program__set_run_prio(*program,
						load->options->priority ?: PB_PRIORITY_DEFAULT);
	if (!ret && load->frags)
		ret = xdp_program__set_xdp_frags_support(*program, true);
	if (ret)
		return pb_fail(error, -ret, "cannot prepare the program: %s", strerror(-ret));
	return 0;
}

/* One attempt. A libxdp program can be attached once only, so each gets one of its own. */
static int attach_once(const struct load *load, const struct pb_interface *interface,
		       enum pb_mode mode, struct pb_error *error)
{
	struct portblock_bpf *object = NULL;
	struct xdp_program *program = NULL;
	int ret;

	pb_log_begin();
	ret = open_program(load, interface, &object, &program, error);
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

static int attach_retrying(const struct load *load, const struct pb_interface *interface,
			   enum pb_mode mode, struct pb_error *error)
{
	int ret = 0;

	for (int i = 0; i < ATTACH_ATTEMPTS; i++) {
		ret = attach_once(load, interface, mode, error);
		if (ret != -EBUSY && ret != -EAGAIN)
			break;
	}
	return ret;
}

/* In the mode asked for; `auto`: native, or skb where that fails for the driver's sake. */
static int attach(const struct load *load, struct pb_load_result *result, struct pb_error *error)
{
	struct pb_interface *interface = &result->interface;
	enum pb_mode mode = load->options->mode;
	int ret;

	if (mode == PB_MODE_AUTO && interface->nr_chain)
		mode = interface->mode;
	if (mode != PB_MODE_AUTO)
		return attach_retrying(load, interface, mode, error);
	ret = attach_retrying(load, interface, PB_MODE_NATIVE, error);
	if (ret != -EOPNOTSUPP && ret != -ERANGE && ret != -EINVAL)
		return ret;
	if (ret == -ERANGE)
		snprintf(result->note, sizeof(result->note),
			 "skb mode, since the MTU is too large for native mode with this driver");
	else
		snprintf(result->note, sizeof(result->note),
			 "skb mode, since the device has no native mode");
	return attach_retrying(load, interface, PB_MODE_SKB, error);
}

/* Takes a program that is ours off its interface. */
static int detach(int ifindex, __u32 program_id, struct pb_error *error)
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
	if (program && xdp_program__id(program) == program_id)
		ret = xdp_program__detach(program, ifindex, xdp_multiprog__attach_mode(programs),
					  0);
	xdp_multiprog__close(programs);
	if (ret)
		return pb_fail(error, -ret, "cannot detach program %u from interface %d: %s%s%s",
			       program_id, ifindex, strerror(-ret), *pb_log_last() ? ": " : "",
			       pb_log_last());
	return 0;
}

/* Looks at what has become of it; what was asked for and is not so is undone by the caller. */
static int check_attached(const struct load *load, struct pb_load_result *result,
			  struct pb_error *error)
{
	char note[sizeof(result->note)];
	struct pb_interface *interface = &result->interface;
	int ret = pb_interface_get(interface->ifindex, interface, error);

	if (ret)
		return ret;
	if (!interface->loaded)
		return pb_fail(error, EBUSY,
			       "%s: another program took the interface at the same moment",
			       interface->name);
	if (interface->dispatcher)
		return 0;
	if (load->options->require_dispatcher)
		return pb_fail(
			error, EOPNOTSUPP,
			"%s: libxdp's dispatcher can't be used here (the kernel refuses to "
			"attach programs to it); without --require-dispatcher it is loaded as "
			"a single program",
			interface->name);
	memcpy(note, result->note, sizeof(note));
	snprintf(result->note, sizeof(result->note),
		 "%.120s%sthe kernel refuses libxdp's dispatcher, so no other XDP program can be "
		 "added",
		 note, *note ? "; " : "");
	return 0;
}

static int load_interface(const struct load *load, struct pb_load_result *result,
			  struct pb_error *error)
{
	struct pb_error undo;
	int ret = attach(load, result, error);

	if (ret)
		return ret;
	ret = check_attached(load, result, error);
	if (ret && result->interface.loaded)
		detach(result->interface.ifindex, result->interface.program_id, &undo);
	return ret;
}

/* Sets the policy that `load --policy` asks for, in one transaction. */
static int set_policy(struct load *load, struct pb_error *error)
{
	struct pb_set set = {};
	int ret = pb_ruleset_read(load->ruleset, &load->before, error);

	if (!ret)
		ret = pb_ruleset_begin(load->ruleset, &set, error);
	if (ret)
		return ret;
	ret = pb_set_policy(&set, load->options->policy, error);
	if (ret)
		pb_ruleset_abort(load->ruleset, &set);
	else
		ret = pb_ruleset_commit(load->ruleset, &set, 0, error);
	load->changed = !ret;
	return ret;
}

static void undo_policy(struct load *load)
{
	struct pb_set set = {};

	if (pb_ruleset_begin(load->ruleset, &set, NULL))
		return;
	load->before.generation = set.generation;
	pb_set_clear(&set);
	set = load->before;
	memset(&load->before, 0, sizeof(load->before));
	pb_ruleset_commit(load->ruleset, &set, 0, NULL);
}

static int pin_new(struct load *load, struct pb_error *error)
{
	char path[PB_PATH_LEN];
	int ret = pb_ruleset_create(load->name, &load->options->limits, &load->ruleset, error);

	if (ret)
		return ret;
	pb_pins_path(path, load->name);
	ret = pb_maps_pin(&load->ruleset->maps, path, error);
	load->made = !ret;
	return ret;
}

static int check_limits(const struct load *load, struct pb_error *error)
{
	const struct pb_ruleset_options *limits = &load->options->limits;
	const struct pb_config *config = pb_ruleset_config(load->ruleset);

	if ((!limits->max_rules || limits->max_rules == config->max_rules) &&
	    (!limits->max_sources || limits->max_sources == config->max_sources))
		return 0;
	return pb_fail(error, EEXIST,
		       "the ruleset '%s' is there already, with --max-rules %u and --max-sources "
		       "%u: unload all of its interfaces to make it anew",
		       load->name, config->max_rules, config->max_sources);
}

/* The ruleset, there or made, with its policy: before any interface sees the program. */
static int prepare_ruleset(struct load *load, struct pb_error *error)
{
	int ret = pb_ruleset_open(load->name, &load->ruleset, error);

	if (ret == -ENOENT)
		ret = pin_new(load, error);
	else if (!ret)
		ret = check_limits(load, error);
	if (!ret && load->options->set_policy)
		ret = set_policy(load, error);
	return ret;
}

static void undo_load(struct load *load, struct pb_load_result *results, size_t nr)
{
	struct pb_error ignored;
	char path[PB_PATH_LEN];

	for (size_t i = 0; i < nr; i++)
		if (results[i].what == PB_LOADED)
			detach(results[i].interface.ifindex, results[i].interface.program_id,
			       &ignored);
	if (load->made) {
		pb_pins_path(path, load->name);
		pb_maps_unpin(path, &ignored);
	} else if (load->changed) {
		undo_policy(load);
	}
}

/* bpffs keeps no empty directory of ours. */
static void remove_if_empty(void)
{
	char path[PB_PATH_LEN];

	pb_pins_path(path, NULL);
	rmdir(path);
}

static int load_locked(struct load *load, const int *ifindexes, size_t nr,
		       struct pb_load_result *results, struct pb_error *error)
{
	size_t done = 0;
	bool any = false;
	int ret = 0;

	for (size_t i = 0; !ret && i < nr; i++) {
		ret = check_interface(load, ifindexes[i], &results[i], error);
		any |= results[i].what == PB_LOADED;
	}
	if (ret || !any)
		return ret;
	load->frags = kernel_has_frags();
	load->connections = kernel_has_socket_lookup();
	ret = prepare_ruleset(load, error);
	for (; !ret && done < nr; done++) {
		if (results[done].what == PB_LOADED)
			ret = load_interface(load, &results[done], error);
		if (ret)
			break;
	}
	if (ret)
		undo_load(load, results, done);
	pb_set_clear(&load->before);
	pb_ruleset_close(load->ruleset);
	return ret;
}

int pb_filter_load(const int *ifindexes, size_t nr, const struct pb_load_options *options,
		   struct pb_load_result *results, struct pb_error *error)
{
	struct load load = { .options = options, .name = options->ruleset ?: "default" };
	struct pb_load_result *tried;
	int ret = pb_ruleset_name_check(load.name, error), lock;

	if (!ret)
		ret = pb_bpffs_check(error);
	if (ret)
		return ret;
	tried = calloc(nr, sizeof(*tried));
	if (!tried)
		return pb_fail_memory(error);
	lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
	ret = lock < 0 ? lock : load_locked(&load, ifindexes, nr, tried, error);
	if (!ret)
		memcpy(results, tried, nr * sizeof(*results));
	remove_if_empty();
	pb_unlock(lock);
	free(tried);
	return ret;
}

/* ---- Unload ------------------------------------------------------------------------------ */

static int unload_locked(const int *ifindexes, size_t nr, bool keep, struct pb_error *error)
{
	struct pb_instance instances[PB_INTERFACES_MAX];
	struct pb_interface interface;
	__u32 gone[PB_INTERFACES_MAX];
	int ret = 0;

	for (size_t i = 0; !ret && i < nr; i++) {
		ret = pb_interface_look(ifindexes[i], &interface, &instances[i], error);
		if (!ret && !interface.loaded)
			ret = pb_fail(error, ENOENT, "%s: xdp-portblock is not loaded on it%s",
				      interface.name,
				      interface.nr_chain ? " (another XDP program is)" : "");
		gone[i] = instances[i].program_id;
	}
	for (size_t i = 0; !ret && i < nr; i++)
		ret = detach(ifindexes[i], instances[i].program_id, error);
	for (size_t i = 0; !ret && i < nr; i++)
		ret = pb_ruleset_release(instances[i].config_id, gone, nr, keep, error);
	return ret;
}

int pb_filter_unload(const int *ifindexes, size_t nr, bool keep, struct pb_error *error)
{
	int lock, ret = pb_bpffs_check(error);

	if (ret)
		return ret;
	if (nr > PB_INTERFACES_MAX)
		return pb_fail(error, EINVAL, "%zu interfaces are too many at once: at most %d", nr,
			       PB_INTERFACES_MAX);
	lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
	ret = lock < 0 ? lock : unload_locked(ifindexes, nr, keep, error);
	remove_if_empty();
	pb_unlock(lock);
	return ret;
}

static int remove_if_unused(const char *name, size_t *removed, struct pb_error *error)
{
	struct pb_ruleset *ruleset;
	char path[PB_PATH_LEN];
	bool used = false;
	int ret;

	/* What can't be opened, of another version say, is used by nothing that we know of. */
	if (!pb_ruleset_open(name, &ruleset, NULL)) {
		used = pb_instances_count(pb_map_id(ruleset->maps.fd[PB_MAP_CONFIG]), NULL, 0);
		pb_ruleset_close(ruleset);
	}
	if (used)
		return 0;
	pb_pins_path(path, name);
	ret = pb_maps_unpin(path, error);
	if (!ret)
		++*removed;
	return ret;
}

int pb_rulesets_remove_unused(size_t *removed, struct pb_error *error)
{
	char **names = NULL;
	size_t nr = 0, count = 0;
	int lock, ret = pb_bpffs_check(error);

	if (ret)
		return ret;
	lock = pb_lock(NULL, PB_LOCK_CHANGE, error);
	ret = lock < 0 ? lock : pb_ruleset_names(&names, &nr, error);
	for (size_t i = 0; i < nr; i++) {
		if (!ret)
			ret = remove_if_unused(names[i], &count, error);
		free(names[i]);
	}
	free(names);
	remove_if_empty();
	pb_unlock(lock);
	if (!ret)
		*removed = count;
	return ret;
}
