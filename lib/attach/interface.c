// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What is on an interface, as the kernel says; leftover pins are not believed. */
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include "attach/interface.h"
#include "attach/libxdp.h"
#include "attach/link.h"
#include "attach/native.h"
#include "maps/folders.h"
#include "maps/instance.h"
#include "maps/pins.h"
#include "maps/rates.h"
#include "maps/reader.h"
#include "maps/rights.h"
#include "maps/slot.h"
#include "maps/variables.h"
#include "rules/rules.h"
#include "util/array.h"
#include "util/error.h"
#include "util/log.h"

#define DISPATCHER_NAME "xdp_dispatcher"
#define LOOK_ATTEMPTS 10

static int fail_gone(int ifindex, struct pb_error *error)
{
	return pb_fail(error, ENODEV, "there is no interface %d here", ifindex);
}

int pb_interface_index(const char *word, int *ifindex, struct pb_error *error)
{
	unsigned int index = if_nametoindex(word);
	char name[IF_NAMESIZE], *end;
	unsigned long number;

	if (!index && *word >= '0' && *word <= '9') {
		number = strtoul(word, &end, 10);
		if (!*end && number <= INT32_MAX && if_indextoname(number, name))
			index = number;
	}
	if (!index)
		return pb_fail(error, ENODEV,
			       "there is no interface '%s' here (`ip link` lists them)", word);
	*ifindex = index;
	return 0;
}

static enum pb_mode mode_of(enum xdp_attach_mode mode)
{
	switch (mode) {
	case XDP_MODE_NATIVE:
		return PB_MODE_NATIVE;
	case XDP_MODE_SKB:
		return PB_MODE_SKB;
	case XDP_MODE_HW:
		return PB_MODE_HW;
	default:
		return PB_MODE_AUTO;
	}
}

static void add_program(const char *name, __u32 id, __u32 priority, struct pb_interface *interface)
{
	struct pb_chain_program *entry = &interface->chain[interface->nr_chain];

	if (interface->nr_chain == PB_CHAIN_PROGRAMS_MAX)
		return;
	interface->nr_chain++;
	snprintf(entry->name, sizeof(entry->name), "%s", name);
	entry->id = id;
	entry->priority = priority;
}

static void add_of_libxdp(const struct xdp_program *program, struct pb_interface *interface)
{
	add_program(xdp_program__name(program), xdp_program__id(program),
		    xdp_program__run_prio(program), interface);
}

static void read_chain(const struct xdp_multiprog *programs, struct pb_interface *interface)
{
	struct xdp_program *program = NULL;

	interface->mode = mode_of(xdp_multiprog__attach_mode(programs));
	interface->dispatcher = !xdp_multiprog__is_legacy(programs);
	if (!interface->dispatcher) {
		program = xdp_multiprog__main_prog(programs) ?: xdp_multiprog__hw_prog(programs);
		if (program)
			add_of_libxdp(program, interface);
		return;
	}
	while ((program = xdp_multiprog__next_prog(program, programs)))
		add_of_libxdp(program, interface);
}

/* A dispatcher whose pins libxdp does not find is one program to it: what runs below is unknown. */
static bool is_hidden(const struct xdp_multiprog *programs)
{
	const struct xdp_program *main = xdp_multiprog__main_prog(programs);

	return xdp_multiprog__is_legacy(programs) && main &&
	       !strcmp(xdp_program__name(main), DISPATCHER_NAME);
}

/*
 * Is it what the kernel says? Where a call of libxdp's fails it may go on, with a program less or one
 * without an id.
 */
static bool is_believable(const struct pb_interface *interface, __u32 attached,
			  const struct xdp_multiprog *programs)
{
	const struct xdp_program *main = xdp_multiprog__main_prog(programs) ?:
						 xdp_multiprog__hw_prog(programs);

	if (!main || xdp_program__id(main) != attached)
		return false;
	for (unsigned int i = 0; i < interface->nr_chain; i++)
		if (!interface->chain[i].id)
			return false;
	return (int)interface->nr_chain ==
	       (interface->dispatcher ? xdp_multiprog__program_count(programs) : 1);
}

struct question {
	struct pb_interface *interface;
	__u32 attached; /* the program that the kernel names */
};

static int ask_libxdp(void *context)
{
	const struct question *question = context;
	struct pb_interface *interface = question->interface;
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex(interface->ifindex);
	long err = libxdp_get_error(programs);

	if (err)
		return err;
	if (is_hidden(programs)) {
		err = -EXDEV;
	} else {
		read_chain(programs, interface);
		if (!is_believable(interface, question->attached, programs)) {
			interface->nr_chain = 0;
			interface->dispatcher = false;
			err = -EAGAIN;
		}
	}
	xdp_multiprog__close(programs);
	return err;
}

/* What libxdp sees; 0, -EXDEV where it sees a dispatcher and not its pins, or its error. */
static int try_chain(struct pb_interface *interface, __u32 attached)
{
	struct question question = { interface, attached };

	return pb_libxdp_run(ask_libxdp, &question);
}

static void say_obstacle(struct pb_interface *interface, __u32 id, int code)
{
	if (code == -EXDEV)
		snprintf(interface->obstacle, sizeof(interface->obstacle),
			 "%s: libxdp's dispatcher (program %u) is attached, but its pins are not "
			 "below %.60s: mount that bpffs there, or look from the mount namespace in "
			 "which it was loaded",
			 interface->name, id, pb_bpffs());
	else if (code == -EOPNOTSUPP && strstr(pb_log_last(), "ersion check failed"))
		snprintf(interface->obstacle, sizeof(interface->obstacle),
			 "%s: the dispatcher that is attached (program %u) was loaded by a later "
			 "libxdp, and this one does not read it: unload what is on it by the "
			 "tools that loaded it, or use those",
			 interface->name, id);
	else
		snprintf(interface->obstacle, sizeof(interface->obstacle),
			 "%s: libxdp cannot read the dispatcher that is attached (program %u): "
			 "%s%s%.100s",
			 interface->name, id, strerror(-code), *pb_log_last() ? ": " : "",
			 pb_log_last());
}

/* A chain that libxdp does not see: by what the kernel says of its one program. */
static int read_hidden_chain(const struct pb_link_xdp *link, int code,
			     struct pb_interface *interface, struct pb_error *error)
{
	int fd = bpf_prog_get_fd_by_id(
		link->program_id); /* which is no pin that libxdp could find */
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	int ret = fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (ret)
		return pb_fail_permission(error, -ret, "look at the interface's XDP program");
	interface->mode = link->mode;
	add_program(info.name, link->program_id, 0, interface);
	if (!strcmp(info.name, DISPATCHER_NAME))
		say_obstacle(interface, link->program_id, code);
	return 0;
}

/*
 * Another process may put another chain there while libxdp looks, and take away the pins of the one
 * that was there: what it does not find is believed when nothing has changed.
 */
static int look_at_chain(struct pb_link_xdp *link, struct pb_interface *interface,
			 struct pb_error *error)
{
	int ret = 0, code = 0;

	for (int i = 0; i < LOOK_ATTEMPTS; i++) {
		__u32 seen = link->program_id;

		code = try_chain(interface, seen);
		if (!code)
			return 0;
		ret = pb_link_xdp(interface->ifindex, link);
		if (ret || !link->program_id)
			break;
		if (link->program_id == seen && code != -ENOENT && code != -EAGAIN)
			break;
	}
	if (ret == -ENODEV)
		return fail_gone(interface->ifindex, error);
	if (ret)
		return pb_fail_permission(error, -ret, "ask for the interface's XDP programs");
	return link->program_id ? read_hidden_chain(link, code, interface, error) : 0;
}

/* While two of ours take turns, the one whose turn it is; else the first that a packet meets. */
static int choose_shown(struct pb_interface *interface, struct pb_instances *ours)
{
	const struct pb_instance *first = &ours->list[0];
	struct pb_exchange *record;
	int ret;

	for (unsigned int i = 1; i < ours->nr; i++)
		interface->exchange |= first->exchange_id &&
				       ours->list[i].exchange_id == first->exchange_id;
	if (!interface->exchange)
		return 0;
	ret = pb_exchange_map(first->exchange_id, &record);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (unsigned int i = 0; i < ours->nr; i++)
		if (ours->list[i].exchange_id == first->exchange_id &&
		    pb_exchange_number(record, ours->list[i].program_id) ==
			    PB_TURN_ACTING(record->turn))
			ours->shown = i;
	pb_exchange_unmap(record);
	return 0;
}

static void show(struct pb_interface *interface, const struct pb_instance *instance)
{
	interface->loaded = true;
	interface->program_id = instance->program_id;
	interface->frags = instance->frags;
	interface->engine = instance->native ? PB_ENGINE_NATIVE : PB_ENGINE_BPF;
	if (instance->native && pb_native_version(interface->module, sizeof(interface->module)))
		snprintf(interface->module, sizeof(interface->module), "not known");
	for (unsigned int i = 0; i < interface->nr_chain; i++)
		if (interface->chain[i].id == instance->program_id)
			interface->priority = interface->chain[i].priority;
}

/* Which programs of the chain are ours. */
static int find_ours(struct pb_interface *interface, struct pb_instances *ours,
		     struct pb_error *error)
{
	int ret = 0;

	for (unsigned int i = 0; ret >= 0 && i < interface->nr_chain; i++) {
		struct pb_chain_program *program = &interface->chain[i];

		ret = pb_instance_of(program->id, &ours->list[ours->nr]);
		if (ret <= 0)
			continue;
		program->ours = true;
		ours->nr++;
	}
	if (ret >= 0 && ours->nr)
		ret = choose_shown(interface, ours);
	if (ret < 0)
		return pb_fail_permission(error, -ret, "look at the interface's XDP program");
	interface->nr_ours = ours->nr;
	if (ours->nr)
		show(interface, &ours->list[ours->shown]);
	return 0;
}

/* What the program's own maps say: which ruleset, its settings, the counters. */
static int read_maps(struct pb_interface *interface, const struct pb_instance *instance,
		     struct pb_error *error)
{
	struct pb_maps maps = PB_MAPS_NONE;
	struct pb_config config;
	const struct pb_slot *slot;
	/* By id: pins may be gone, in another bpffs, or another ruleset's, and it is the program that filters. */
	int ret = pb_maps_config_by_id(instance->config_id, &config);

	interface->outcomes_error = ret;
	if (ret == -EPROTO || ret == -ENOENT) /* another version's, or unloaded just now */
		return 0;
	if (ret)
		return pb_fail_permission(error, -ret, "read the settings of the program");
	interface->abi_version = config.abi_version;
	slot = &config.slots[pb_config_slot(&config)];
	interface->pending = pb_config_pending(&config);
	memcpy(interface->ruleset, config.ruleset, sizeof(interface->ruleset));
	interface->ruleset[sizeof(interface->ruleset) - 1] = '\0';
	interface->settings = pb_settings_of_slot(slot);
	interface->rules = slot->rules;
	interface->outcomes_error = pb_outcomes_read(instance->outcomes_id, interface->outcomes);
	interface->pins = pb_pins_check(interface->ruleset, &config, instance->config_id);
	interface->pinned = !interface->pins;
	interface->group = interface->pinned ? pb_readers_of(interface->ruleset) : 0;
	ret = pb_maps_open_by_id(instance->config_id, &maps);
	if (ret == -ENOENT || ret == -EPROTO)
		return 0;
	if (ret)
		return pb_fail_permission(error, -ret, "read the rules of the program");
	ret = pb_maps_map_rules(&maps);
	if (!ret) {
		interface->rules = pb_slot_live_rules(&maps, pb_config_slot(&config), pb_clock());
		interface->rates = pb_rates_add_up(&maps);
	}
	pb_maps_close(&maps);
	return ret ? pb_fail_permission(error, -ret, "map the rules of the program") : 0;
}

int pb_interface_look(int ifindex, struct pb_interface *interface, struct pb_instances *ours,
		      struct pb_error *error)
{
	struct pb_link_xdp link;
	int ret;

	memset(interface, 0, sizeof(*interface));
	memset(ours, 0, sizeof(*ours));
	interface->ifindex = ifindex;
	if (!if_indextoname(ifindex, interface->name))
		return fail_gone(ifindex, error);
	pb_log_begin();
	ret = pb_link_xdp(ifindex, &link);
	if (ret == -ENODEV)
		return fail_gone(ifindex, error);
	if (ret)
		return pb_fail_permission(error, -ret, "ask for the interface's XDP programs");
	if (link.program_id)
		ret = pb_libxdp_folder_check(error) ?: look_at_chain(&link, interface, error);
	if (!ret)
		ret = find_ours(interface, ours, error);
	if (!ret && interface->loaded)
		ret = read_maps(interface, &ours->list[ours->shown], error);
	return ret;
}

int pb_interface_clear(const struct pb_interface *interface, struct pb_error *error)
{
	return *interface->obstacle ? pb_fail(error, EBUSY, "%s", interface->obstacle) : 0;
}

int pb_interface_single(const struct pb_interface *interface, struct pb_error *error)
{
	if (interface->nr_ours < 2)
		return 0;
	return pb_fail(
		error, EEXIST,
		"%s: %u programs of xdp-portblock are on it: `xdp-portblock unload %s` takes "
		"them off, then load it again",
		interface->name, interface->nr_ours, interface->name);
}

int pb_interface_see(int ifindex, struct pb_interface *interface, struct pb_error *error)
{
	struct pb_instances ours;
	struct pb_interface seen;
	int ret = pb_interface_look(ifindex, &seen, &ours, error);

	if (!ret)
		*interface = seen;
	return ret;
}

int pb_interface_get(int ifindex, struct pb_interface **interface, struct pb_error *error)
{
	PB_LOG_HERE();
	struct pb_interface *seen = calloc(1, sizeof(*seen));
	int ret = seen ? pb_interface_see(ifindex, seen, error) : pb_fail_memory(error);

	if (ret)
		free(seen);
	else
		*interface = seen;
	return ret;
}

/* Adds an interface to the list if there is something to say of it. */
static int list_interface(int ifindex, struct pb_interface ***list, size_t *nr, size_t *room,
			  struct pb_error *error)
{
	struct pb_interface *seen, **grown;
	int ret = pb_interface_get(ifindex, &seen, error);

	if (ret == -ENODEV)
		return 0; /* gone since its name was read */
	if (ret)
		return ret;
	if (!seen->loaded && !*seen->obstacle) {
		free(seen);
		return 0;
	}
	grown = pb_grow(*list, *nr, room, sizeof(**list));
	if (!grown) {
		free(seen);
		return pb_fail_memory(error);
	}
	*list = grown;
	grown[(*nr)++] = seen;
	return 0;
}

void pb_interfaces_free(struct pb_interface **interfaces, size_t nr)
{
	for (size_t i = 0; interfaces && i < nr; i++)
		free(interfaces[i]);
	free(interfaces);
}

int pb_interface_list(struct pb_interface ***interfaces, size_t *nr, struct pb_error *error)
{
	PB_LOG_HERE();
	struct if_nameindex *names = if_nameindex();
	struct pb_interface **found = NULL;
	size_t count = 0, room = 0;
	int ret = names ? 0 : pb_fail(error, errno, "cannot list interfaces: %s", strerror(errno));

	for (struct if_nameindex *at = names; !ret && at && at->if_index; at++)
		ret = list_interface(at->if_index, &found, &count, &room, error);
	if (names)
		if_freenameindex(names);
	if (ret) {
		pb_interfaces_free(found, count);
		return ret;
	}
	*interfaces = found;
	*nr = count;
	return 0;
}

int pb_interface_ethernet(const char *name, bool *ethernet, struct pb_error *error)
{
	/* <linux/if_arp.h> and <net/if_arp.h> exclude each other; these are the former's. */
	static const unsigned short bare_ip[] = {
		ARPHRD_PPP, 519 /* RAWIP */, ARPHRD_TUNNEL,    ARPHRD_TUNNEL6,
		ARPHRD_SIT, ARPHRD_IPGRE,    823 /* IP6GRE */, 0xFFFE /* NONE: tun, wireguard */,
	};
	struct ifreq request = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret = 0;
	unsigned short type;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		ret = pb_fail(error, errno, "%s: cannot ask for its type: %s", name,
			      strerror(errno));
	if (fd >= 0)
		close(fd);
	if (ret)
		return ret;
	type = request.ifr_hwaddr.sa_family;
	if (type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK) {
		*ethernet = true;
		return 0;
	}
	for (size_t i = 0; i < sizeof(bare_ip) / sizeof(bare_ip[0]); i++)
		if (type == bare_ip[i]) {
			*ethernet = false;
			return 0;
		}
	return pb_fail(error, EOPNOTSUPP,
		       "%s: devices of its type (ARPHRD %u) carry neither Ethernet frames nor bare "
		       "IP packets: their ports can't be found",
		       name, type);
}
