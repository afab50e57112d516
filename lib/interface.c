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
#include "error.h"
#include "interface.h"
#include "log.h"
#include "portblock.skel.h"
#include "ruleset.h"
#include "slot.h"

#define PROGRAM_NAME "xdp_portblock"
#define MAPS_OF_PROGRAM 32

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

/* A map or program that is gone by now is none of ours; any other failure is one. */
static int gone_or_error(void)
{
	return errno == ENOENT ? 0 : -errno;
}

static int find_map(__u32 id, struct pb_instance *instance)
{
	struct portblock_bpf__rodata constants;
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), zero = 0;
	int fd = bpf_map_get_fd_by_id(id), ret = 0;

	if (fd < 0)
		return gone_or_error();
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		ret = -errno;
	else if (!strcmp(info.name, "pb_config"))
		instance->config_id = id;
	else if (!strcmp(info.name, ".data.outcomes")) /* as libbpf names it */
		instance->outcomes_id = id;
	else if (strstr(info.name, ".rodata") && info.value_size == sizeof(constants) &&
		 !bpf_map_lookup_elem(fd, &zero, &constants))
		instance->frags = constants.pb_frames == PB_FRAMES_ETHERNET_SPLIT ||
				  constants.pb_frames == PB_FRAMES_IP_SPLIT;
	close(fd);
	return ret;
}

/* Finds the maps that tell an instance of ours; 1, or 0 if they are not there. */
static int find_maps(const __u32 *ids, __u32 nr, struct pb_instance *instance)
{
	int ret = 0;

	for (__u32 i = 0; !ret && i < nr; i++)
		ret = find_map(ids[i], instance);
	return ret ?: instance->config_id && instance->outcomes_id;
}

int pb_instance_of(__u32 program_id, struct pb_instance *instance)
{
	int fd = bpf_prog_get_fd_by_id(program_id), ours = 0;
	struct pb_instance found = { .program_id = program_id };
	__u32 ids[MAPS_OF_PROGRAM];
	struct bpf_prog_info info = {
		.nr_map_ids = MAPS_OF_PROGRAM,
		.map_ids = (__u64)(unsigned long)ids,
	};
	__u32 len = sizeof(info);

	if (fd < 0)
		return gone_or_error();
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		ours = -errno;
	else if (!strcmp(info.name, PROGRAM_NAME) && info.nr_map_ids <= MAPS_OF_PROGRAM)
		ours = find_maps(ids, info.nr_map_ids, &found);
	close(fd);
	if (ours > 0)
		*instance = found;
	return ours;
}

int pb_instances_count(__u32 config_id, const __u32 *without, size_t nr)
{
	struct pb_instance instance;
	int count = 0, ours;
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		bool left_out = false;

		for (size_t i = 0; i < nr; i++)
			left_out |= without[i] == id;
		if (left_out)
			continue;
		ours = pb_instance_of(id, &instance);
		if (ours < 0)
			return ours;
		count += ours && instance.config_id == config_id;
	}
	return errno == ENOENT ? count : -errno;
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

static void add_program(const struct xdp_program *program, struct pb_interface *interface,
			struct pb_instance *instance)
{
	struct pb_chain_program *entry = &interface->chain[interface->nr_chain];

	if (interface->nr_chain == PB_CHAIN_PROGRAMS_MAX)
		return;
	interface->nr_chain++;
	snprintf(entry->name, sizeof(entry->name), "%s", xdp_program__name(program));
	entry->id = xdp_program__id(program);
	entry->priority = xdp_program__run_prio(program);
	if (interface->loaded || pb_instance_of(entry->id, instance) <= 0)
		return;
	interface->loaded = true;
	interface->program_id = entry->id;
	interface->priority = entry->priority;
	interface->frags = instance->frags;
}

static void read_chain(const struct xdp_multiprog *programs, struct pb_interface *interface,
		       struct pb_instance *instance)
{
	struct xdp_program *program = NULL;

	interface->mode = mode_of(xdp_multiprog__attach_mode(programs));
	interface->dispatcher = !xdp_multiprog__is_legacy(programs);
	if (!interface->dispatcher) {
		program = xdp_multiprog__main_prog(programs) ?: xdp_multiprog__hw_prog(programs);
		if (program)
			add_program(program, interface, instance);
		return;
	}
	while ((program = xdp_multiprog__next_prog(program, programs)))
		add_program(program, interface, instance);
}

/* No chain that libxdp sees: none, or its dispatcher's pins are in another bpffs. */
static int read_hidden_chain(struct pb_interface *interface, struct pb_error *error)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct pb_chain_program *entry = &interface->chain[0];
	int ret = bpf_xdp_query(interface->ifindex, 0, &query);
	__u32 id = query.prog_id ?: query.drv_prog_id ?: query.skb_prog_id ?: query.hw_prog_id;
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	int fd;

	if (ret)
		return pb_fail_permission(error, -ret, "ask for the interface's XDP programs");
	if (!id)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd < 0)
		return pb_fail_permission(error, errno, "look at the interface's XDP program");
	if (!bpf_obj_get_info_by_fd(fd, &info, &len))
		snprintf(entry->name, sizeof(entry->name), "%s", info.name);
	close(fd);
	if (!strcmp(info.name, "xdp_dispatcher"))
		return pb_fail(
			error, ENODEV,
			"%s: libxdp's dispatcher (program %u) is attached, but its pins are "
			"not below %s: mount that bpffs there (`mount -t bpf bpf %s`), or look "
			"from the mount namespace in which it was loaded",
			interface->name, id, pb_bpffs(), pb_bpffs());
	entry->id = id;
	interface->nr_chain = 1;
	interface->mode = query.drv_prog_id ? PB_MODE_NATIVE :
			  query.hw_prog_id  ? PB_MODE_HW :
					      PB_MODE_SKB;
	return 0;
}

/* What the program's own maps say: which ruleset, its settings, the counters. */
static void read_maps(struct pb_interface *interface, const struct pb_instance *instance)
{
	struct pb_config config;
	const struct pb_slot *slot;
	struct pb_ruleset *ruleset;

	interface->outcomes_error = pb_maps_config_by_id(instance->config_id, &config);
	if (interface->outcomes_error)
		return;
	slot = &config.slots[pb_config_slot(&config)];
	interface->pending = pb_config_pending(&config);
	memcpy(interface->ruleset, config.ruleset, sizeof(interface->ruleset));
	interface->ruleset[sizeof(interface->ruleset) - 1] = '\0';
	interface->settings = pb_settings_of(slot->flags);
	interface->rules = slot->rules;
	interface->outcomes_error = pb_outcomes_read(instance->outcomes_id, interface->outcomes);
	interface->abi_version = config.abi_version;
	interface->pinned = pb_pins_id(interface->ruleset) == instance->config_id;
	if (interface->pinned && !pb_ruleset_open(interface->ruleset, &ruleset, NULL)) {
		interface->rules =
			pb_slot_live_rules(&ruleset->maps, pb_config_slot(&config), pb_clock());
		pb_ruleset_close(ruleset);
	}
}

int pb_interface_look(int ifindex, struct pb_interface *interface, struct pb_instance *instance,
		      struct pb_error *error)
{
	struct xdp_multiprog *programs;
	long err;

	memset(interface, 0, sizeof(*interface));
	memset(instance, 0, sizeof(*instance));
	interface->ifindex = ifindex;
	if (!if_indextoname(ifindex, interface->name))
		return pb_fail(error, ENODEV, "there is no interface %d here", ifindex);
	pb_log_begin();
	programs = xdp_multiprog__get_from_ifindex(ifindex);
	err = libxdp_get_error(programs);
	if (err)
		return read_hidden_chain(interface, error);
	read_chain(programs, interface, instance);
	xdp_multiprog__close(programs);
	if (interface->loaded)
		read_maps(interface, instance);
	return 0;
}

int pb_interface_get(int ifindex, struct pb_interface *interface, struct pb_error *error)
{
	struct pb_instance instance;
	struct pb_interface seen;
	int ret = pb_interface_look(ifindex, &seen, &instance, error);

	if (!ret)
		*interface = seen;
	return ret;
}

int pb_interface_list(struct pb_interface **interfaces, size_t *nr, struct pb_error *error)
{
	struct if_nameindex *names = if_nameindex();
	struct pb_interface *found = NULL, *grown, seen;
	size_t count = 0;
	int ret = names ? 0 : pb_fail(error, errno, "cannot list interfaces: %s", strerror(errno));

	for (struct if_nameindex *at = names; !ret && at && at->if_index; at++) {
		ret = pb_interface_get(at->if_index, &seen, error);
		if (ret == -ENODEV)
			ret = 0; /* gone since it was listed */
		if (ret || !seen.loaded)
			continue;
		grown = reallocarray(found, count + 1, sizeof(*found));
		if (!grown) {
			ret = pb_fail_memory(error);
			break;
		}
		found = grown;
		found[count++] = seen;
	}
	if (names)
		if_freenameindex(names);
	if (ret) {
		free(found);
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
