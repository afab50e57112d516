// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Checks of what the filter stands on. Each is a function; a new one is a row of the table. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <portblock/native.h>
#include "attach/dispatch.h"
#include "attach/driver.h"
#include "attach/features.h"
#include "attach/interface.h"
#include "attach/native.h"
#include "attach/card.h"
#include "inspect/dispatcher.h"
#include "inspect/tunnel.h"
#include "inspect/upper.h"
#include "maps/folders.h"
#include "maps/instance.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "rules/rules.h"
#include "util/error.h"
#include "util/log.h"

struct doctor {
	pb_finding_function *function;
	void *context;
	const struct pb_interface *interface; /* NULL in checks of the machine */
	unsigned int problems;
};

static __attribute__((format(printf, 4, 5))) void say(struct doctor *doctor, enum pb_health health,
						      const char *mend, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	doctor->problems += health == PB_HEALTH_PROBLEM;
	doctor->function(health, text, mend, doctor->context);
}

/* ---- The machine ------------------------------------------------------------------------- */

static bool kernel_before(unsigned int major, unsigned int minor)
{
	unsigned int is_major = 0, is_minor = 0;
	struct utsname name;

	uname(&name);
	sscanf(name.release, "%u.%u", &is_major, &is_minor);
	return is_major < major || (is_major == major && is_minor < minor);
}

static void check_kernel(struct doctor *doctor)
{
	struct utsname name;

	uname(&name);
	if (kernel_before(5, 10))
		say(doctor, PB_HEALTH_PROBLEM, "install a kernel of 5.10 or later",
		    "kernel %s: too old, 5.10 is the oldest that was tried", name.release);
	else
		say(doctor, PB_HEALTH_OK, NULL, "kernel %s", name.release);
}

static void check_rights(struct doctor *doctor)
{
	struct pb_error error;
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pb_doctor", 4, 4, 1, NULL);

	if (fd >= 0) {
		close(fd);
		say(doctor, PB_HEALTH_OK, NULL, "rights: BPF maps can be made");
		return;
	}
	pb_fail_permission(&error, errno, "make a BPF map");
	say(doctor, PB_HEALTH_PROBLEM, "sudo xdp-portblock doctor", "rights: %.400s", error.text);
}

/* What is pinned is its owner's alone all the same, but to be there first is to be in the way. */
static bool is_open_to_others(const char *path)
{
	struct stat is;

	return !stat(path, &is) && is.st_mode & (S_IWGRP | S_IWOTH);
}

static void check_bpffs(struct doctor *doctor)
{
	char mount[PB_PATH_LEN + 64], chmod[PB_PATH_LEN + 64];
	const char *path = pb_bpffs();
	struct pb_error error;
	int ret = pb_bpffs_check(&error) ?: pb_libxdp_folder_check(&error);

	snprintf(mount, sizeof(mount), "mount -t bpf -o mode=0700 bpf %s", path);
	snprintf(chmod, sizeof(chmod), "chmod 0700 %s", path);
	if (ret == -ENODEV)
		say(doctor, PB_HEALTH_PROBLEM, mount, "bpffs is not mounted on %s", path);
	else if (ret)
		say(doctor, PB_HEALTH_PROBLEM, NULL, "%s", error.text);
	else if (is_open_to_others(path))
		say(doctor, PB_HEALTH_WARNING, chmod,
		    "bpffs is mounted on %s, and open to others: whoever makes a folder there "
		    "before xdp-portblock or libxdp does is in their way",
		    path);
	else
		say(doctor, PB_HEALTH_OK, NULL, "bpffs is mounted on %s", path);
}

/* Memory of BPF objects counts against this limit before 5.11 only. */
static void check_memlock(struct doctor *doctor)
{
	struct rlimit limit;

	if (!kernel_before(5, 11) || getrlimit(RLIMIT_MEMLOCK, &limit) ||
	    limit.rlim_cur >= 64 << 20)
		say(doctor, PB_HEALTH_OK, NULL, "limit of locked memory: enough, or not in use");
	else
		say(doctor, PB_HEALTH_WARNING, "ulimit -l unlimited",
		    "limit of locked memory: %llu bytes are few for a kernel before 5.11",
		    (unsigned long long)limit.rlim_cur);
}

static void check_feature(struct doctor *doctor, const char *what, bool has, const char *without)
{
	if (has)
		say(doctor, PB_HEALTH_OK, NULL, "%s: yes", what);
	else
		say(doctor, PB_HEALTH_WARNING, NULL, "%s: no: %s", what, without);
}

static void check_features(struct doctor *doctor)
{
	struct pb_features features = pb_features();

	check_feature(doctor, "frames in several buffers", features.frags,
		      "large MTUs need skb mode");
	check_feature(doctor, "socket lookup from XDP", features.connections,
		      "`new` and replies under policy deny do not work");
	check_feature(doctor, "BTF of the kernel", !access("/sys/kernel/btf/vmlinux", R_OK),
		      "libxdp's dispatcher can't be used");
}

static void check_native(struct doctor *doctor)
{
	struct pb_error error;
	char version[32];
	int ret = pb_native_version(version, sizeof(version));

	if (ret == -ENOENT)
		say(doctor, PB_HEALTH_OK, NULL, "native engine: its kernel module is not loaded");
	else if (ret)
		say(doctor, PB_HEALTH_WARNING, NULL,
		    "native engine: it can't be seen whether its kernel module is loaded: %s",
		    strerror(-ret));
	else if (pb_native_check(&error))
		say(doctor, PB_HEALTH_WARNING, NULL, "native engine: %.500s", error.text);
	else
		say(doctor, PB_HEALTH_OK, NULL, "native engine: " PB_NATIVE_MODULE " %s is loaded",
		    version);
}

/* By trying it, on a device of its own in a namespace of its own. */
static void check_dispatcher(struct doctor *doctor)
{
	switch (pb_dispatcher_try()) {
	case 1:
		say(doctor, PB_HEALTH_OK, NULL, "libxdp's dispatcher works");
		break;
	case 0:
		say(doctor, PB_HEALTH_WARNING, NULL,
		    "libxdp's dispatcher does not work: the kernel refuses programs of the type EXT; "
		    "the filter is then the only XDP program of its interface");
		break;
	default:
		say(doctor, PB_HEALTH_WARNING, NULL, "libxdp's dispatcher: could not be tried");
	}
}

static void say_elsewhere(const char *path, void *doctor)
{
	char mend[300];

	snprintf(mend, sizeof(mend),
		 "unless the interface is in another network namespace, rm -r %.200s", path);
	say(doctor, PB_HEALTH_WARNING, mend,
	    "%.200s: libxdp keeps a program of ours, and so its ruleset in use, for an interface "
	    "that has gone, has lost its program, or is in another network namespace",
	    path);
}

/* What an interface leaves that goes while it is loaded: libxdp removes its pins when it unloads. */
static void check_pins(struct doctor *doctor)
{
	int ret = pb_dispatch_elsewhere(say_elsewhere, doctor);

	if (ret)
		say(doctor, PB_HEALTH_WARNING, NULL, "cannot look at libxdp's pins: %s",
		    strerror(-ret));
}

/* What was let go of sources that had more than their rate. */
static void check_buckets(struct doctor *doctor, struct pb_ruleset *ruleset)
{
	struct pb_rate_counts counts;
	struct pb_error error;
	char mend[160];

	if (pb_ruleset_rates(ruleset, &counts, &error)) {
		say(doctor, PB_HEALTH_PROBLEM, NULL, "%.500s", error.text);
		return;
	}
	if (!counts.evicted)
		return;
	snprintf(mend, sizeof(mend),
		 "load it anew with a larger --max-buckets than %u, and give rules with `each "
		 "source` a `total`",
		 counts.max_buckets);
	say(doctor, PB_HEALTH_WARNING, mend,
	    "ruleset '%s': %llu buckets of sources went for those of others before they were full, so "
	    "these sources may have had more than their rate",
	    ruleset->name, (unsigned long long)counts.evicted);
}

static void check_ruleset(struct doctor *doctor, const char *name)
{
	struct pb_ruleset *ruleset;
	struct pb_error error;
	char mend[96];
	int users;

	if (pb_ruleset_open(name, &ruleset, &error)) {
		say(doctor, PB_HEALTH_PROBLEM, "xdp-portblock unload --all", "%.500s", error.text);
		return;
	}
	snprintf(mend, sizeof(mend), "xdp-portblock doctor --fix");
	users = pb_instances_count(pb_maps_id(&ruleset->maps), NULL, 0);
	if (users < 0)
		say(doctor, PB_HEALTH_PROBLEM, NULL, "ruleset '%s': cannot see who uses it: %s",
		    name, strerror(-users));
	else if (users)
		say(doctor, PB_HEALTH_OK, NULL, "ruleset '%s': in use, maps of this version", name);
	else if (ruleset->maps.config->keep)
		say(doctor, PB_HEALTH_OK, NULL, "ruleset '%s': kept for a later load", name);
	else
		say(doctor, PB_HEALTH_WARNING, mend,
		    "ruleset '%s': left over, no interface uses it", name);
	check_buckets(doctor, ruleset);
	pb_ruleset_close(ruleset);
}

static void check_rulesets(struct doctor *doctor)
{
	struct pb_error error;
	char **names;
	size_t nr;

	if (pb_ruleset_names(&names, &nr, &error)) {
		say(doctor, PB_HEALTH_PROBLEM, NULL, "%.500s", error.text);
		return;
	}
	for (size_t i = 0; i < nr; i++) {
		check_ruleset(doctor, names[i]);
		free(names[i]);
	}
	free(names);
}

/* ---- An interface ------------------------------------------------------------------------ */

static void check_type(struct doctor *doctor)
{
	struct pb_error error;
	bool ethernet;

	if (pb_interface_ethernet(doctor->interface->name, &ethernet, &error))
		say(doctor, PB_HEALTH_PROBLEM, NULL, "%.500s", error.text);
	else
		say(doctor, PB_HEALTH_OK, NULL, "%s: frames begin with %s", doctor->interface->name,
		    ethernet ? "an Ethernet header" : "an IP header");
}

static void check_programs(struct doctor *doctor)
{
	const struct pb_interface *at = doctor->interface;
	char mend[64];

	snprintf(mend, sizeof(mend), "ip link set dev %s xdp off", at->name);
	if (*at->obstacle)
		say(doctor, PB_HEALTH_PROBLEM, NULL, "%s", at->obstacle);
	else if (at->nr_chain && !at->dispatcher && !at->loaded)
		say(doctor, PB_HEALTH_PROBLEM, mend,
		    "%s: the XDP program '%s' (id %u) holds it without libxdp's dispatcher",
		    at->name, at->chain[0].name, at->chain[0].id);
	else if (at->loaded && (!at->pinned || at->abi_version != PB_ABI_VERSION))
		say(doctor, PB_HEALTH_PROBLEM, "xdp-portblock unload, then load",
		    "%s: loaded, but its ruleset '%s' can't be reached: pins gone, or of another "
		    "version",
		    at->name, at->ruleset);
	else
		say(doctor, PB_HEALTH_OK, NULL, "%s: %u XDP program%s, %s", at->name, at->nr_chain,
		    at->nr_chain == 1 ? "" : "s", at->loaded ? "ours loaded" : "ours not loaded");
}

/* More than one of ours: an exchange, or whatever else has put them there. */
static void check_doubled(struct doctor *doctor)
{
	const struct pb_interface *at = doctor->interface;
	char mend[96];

	if (at->nr_ours < 2)
		return;
	snprintf(mend, sizeof(mend), "xdp-portblock unload %s, then load it again", at->name);
	if (at->exchange)
		say(doctor, PB_HEALTH_WARNING, NULL,
		    "%s: a program is being exchanged for another, or a command that did was "
		    "killed: the next one goes on with it",
		    at->name);
	else
		say(doctor, PB_HEALTH_PROBLEM, mend,
		    "%s: %u programs of xdp-portblock are on it, and each judges and counts what "
		    "the one before it passes",
		    at->name, at->nr_ours);
}

/* The kernel says that the program is there, and it sees no packet. */
static void check_forgetful(struct doctor *doctor, const char *driver)
{
	const struct pb_interface *at = doctor->interface;
	char mend[160], option[PB_RULESET_OPTION_LEN];

	if (!at->loaded || at->mode != PB_MODE_NATIVE) {
		say(doctor, PB_HEALTH_OK, NULL,
		    "%s: its driver, %s, has a native mode that is not to be relied on: skb mode is right",
		    at->name, driver);
		return;
	}
	snprintf(mend, sizeof(mend), "xdp-portblock unload -k %s; xdp-portblock load %s -m skb%s",
		 at->name, at->name, pb_ruleset_option(at->ruleset, option));
	say(doctor, PB_HEALTH_PROBLEM, mend,
	    "%s: its driver, %s, forgets the program in native mode when the link goes down and up, and passes all "
	    "packets then",
	    at->name, driver);
}

/* What the driver can do, and whether that is made use of. */
static void check_driver(struct doctor *doctor)
{
	const struct pb_interface *at = doctor->interface;
	bool skb = at->loaded && at->mode == PB_MODE_SKB;
	__u64 features;
	char mend[160], option[PB_RULESET_OPTION_LEN], driver[32];
	int ret = pb_driver_features(at->ifindex, &features);

	pb_card_driver(at->name, driver);
	if (ret == -EOPNOTSUPP)
		say(doctor, skb ? PB_HEALTH_WARNING : PB_HEALTH_OK, NULL,
		    "%s: %swhether its driver has native mode can't be asked before Linux 6.3",
		    at->name, skb ? "skb mode, which costs more than native mode; " : "");
	else if (ret)
		say(doctor, PB_HEALTH_WARNING, NULL,
		    "%s: cannot ask whether its driver has native mode: %s", at->name,
		    strerror(-ret));
	else if (!(features & PB_DRIVER_NATIVE))
		say(doctor, PB_HEALTH_OK, NULL,
		    "%s: its driver has no native mode: skb mode is what it can do", at->name);
	else if (pb_card_forgets(driver))
		check_forgetful(doctor, driver);
	else if (!skb)
		say(doctor, PB_HEALTH_OK, NULL, "%s: its driver has native mode", at->name);
	else {
		snprintf(mend, sizeof(mend),
			 "xdp-portblock unload -k %s; xdp-portblock load %s -m native%s", at->name,
			 at->name, pb_ruleset_option(at->ruleset, option));
		say(doctor, PB_HEALTH_WARNING, mend,
		    "%s: skb mode, though its driver has native mode, which costs less", at->name);
	}
}

/* Rules that reject, on an interface that does not send what they tell. */
static void check_answers(struct doctor *doctor)
{
	const struct pb_interface *at = doctor->interface;
	struct pb_ruleset *ruleset;
	struct pb_rules *rules;
	struct pb_error error;
	char mend[160], option[PB_RULESET_OPTION_LEN];

	if (!at->loaded || !at->pinned || pb_ruleset_open(at->ruleset, &ruleset, &error))
		return;
	snprintf(mend, sizeof(mend), "xdp-portblock unload -k %s; xdp-portblock load %s -m skb%s",
		 at->name, at->name, pb_ruleset_option(at->ruleset, option));
	if (!pb_ruleset_read(ruleset, &rules, &error)) {
		if (pb_rules_reject(rules) && pb_interface_answers(at, &error))
			say(doctor, PB_HEALTH_WARNING, mend, "%.500s", error.text);
		pb_rules_free(rules);
	}
	pb_ruleset_close(ruleset);
}

/* Does native mode take frames of one buffer only? A driver that can't be asked and is not known is trusted. */
static bool needs_one_buffer(int ifindex, const char *driver)
{
	__u64 features;

	if (pb_driver_features(ifindex, &features))
		return !pb_features().frags || pb_card_had_one_buffer(driver);
	return features & PB_DRIVER_NATIVE && !(features & PB_DRIVER_FRAGS && pb_features().frags);
}

static void check_mtu(struct doctor *doctor)
{
	const char *name = doctor->interface->name;
	char driver[32];
	struct ifreq answer;

	if (pb_card_ask(name, SIOCGIFMTU, &answer))
		return;
	pb_card_driver(name, driver);
	if (answer.ifr_mtu > pb_card_mtu_max(driver) &&
	    needs_one_buffer(doctor->interface->ifindex, driver))
		say(doctor, PB_HEALTH_WARNING, "load it with -m skb, or lower the MTU",
		    "%s: MTU %d is too large for native mode without frames in several buffers",
		    name, answer.ifr_mtu);
	else
		say(doctor, PB_HEALTH_OK, NULL, "%s: MTU %d", name, answer.ifr_mtu);
}

/* What puts packets together before XDP, for which most drivers refuse native mode. */
static const struct {
	const char *feature; /* of the kernel, as ethtool -K takes it */
	const char *name;
	bool by_all; /* and not by those alone that can't be changed */
} merges[] = {
	{ "rx-lro", "LRO", true },
	{ "rx-gro-hw", "GRO_HW", false },
};

static void check_merging(struct doctor *doctor)
{
	const char *name = doctor->interface->name;
	struct pb_card_feature feature;
	char driver[32], mend[64];

	if (doctor->interface->loaded)
		return;
	pb_card_driver(name, driver);
	for (size_t i = 0; i < sizeof(merges) / sizeof(merges[0]); i++) {
		feature = pb_card_feature(name, merges[i].feature);
		snprintf(mend, sizeof(mend), "ethtool -K %s %s off", name, merges[i].feature);
		if (!feature.on)
			continue;
		if (feature.fixed)
			say(doctor, PB_HEALTH_WARNING, "load it with -m skb",
			    "%s: %s is on and can't be switched off: its driver refuses native mode",
			    name, merges[i].name);
		else if (pb_card_frees_itself(driver))
			say(doctor, PB_HEALTH_OK, NULL,
			    "%s: %s is on, and its driver switches it off for native mode", name,
			    merges[i].name);
		else if (merges[i].by_all)
			say(doctor, PB_HEALTH_WARNING, mend,
			    "%s: %s is on, with which most drivers refuse native mode", name,
			    merges[i].name);
	}
}

static void check_vlan(struct doctor *doctor)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GFLAGS };
	const char *name = doctor->interface->name;
	char mend[64];

	if (pb_card_ask(name, SIOCETHTOOL, &value))
		return;
	snprintf(mend, sizeof(mend), "ethtool -K %s rxvlan off", name);
	if (value.data & ETH_FLAG_RXVLAN)
		say(doctor, PB_HEALTH_WARNING, mend,
		    "%s: VLAN tags are stripped before XDP: tagged packets are judged as untagged",
		    name);
}

/*
 * IP tunnels: until 5.14 a packet that came out of one still began with the outer header where
 * generic XDP looks.
 */
static void check_outer_header(struct doctor *doctor)
{
	static const int types[] = { ARPHRD_TUNNEL, ARPHRD_TUNNEL6, ARPHRD_SIT, ARPHRD_IPGRE,
				     823 /* ARPHRD_IP6GRE */ };
	const char *name = doctor->interface->name;
	struct ifreq answer;

	if (!kernel_before(5, 14) || pb_card_ask(name, SIOCGIFHWADDR, &answer))
		return;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (answer.ifr_hwaddr.sa_family == types[i])
			say(doctor, PB_HEALTH_PROBLEM, "install a kernel of 5.14 or later",
			    "%s: on an IP tunnel this kernel shows XDP the outer packet: nothing "
			    "in it is judged",
			    name);
}

static void check_tunnel(struct doctor *doctor, const struct pb_tunnel *tunnel)
{
	const struct pb_interface *at = doctor->interface;
	struct pb_interface end;
	struct pb_error error;
	char mend[64];

	if (tunnel->ifindex == at->ifindex || pb_interface_see(tunnel->ifindex, &end, &error))
		return;
	snprintf(mend, sizeof(mend), "xdp-portblock load %s", tunnel->name);
	if (!end.loaded)
		say(doctor, PB_HEALTH_WARNING, mend,
		    "%s: what comes out of %s (%s) is not judged: its packets are wrapped where "
		    "they come in",
		    at->name, tunnel->name, tunnel->kind);
	else
		say(doctor, PB_HEALTH_OK, NULL, "%s: what comes out of %s (%s) is judged there",
		    at->name, tunnel->name, tunnel->kind);
}

/* What a filter that is loaded does not see, since this host unwraps it behind. */
static void check_tunnels(struct doctor *doctor)
{
	struct pb_tunnel *tunnels;
	size_t nr;
	int ret;

	if (!doctor->interface->loaded)
		return;
	ret = pb_tunnels_list(&tunnels, &nr);
	if (ret) {
		say(doctor, PB_HEALTH_WARNING, NULL, "%s: cannot look for tunnels: %s",
		    doctor->interface->name, strerror(-ret));
		return;
	}
	for (size_t i = 0; i < nr; i++)
		check_tunnel(doctor, &tunnels[i]);
	free(tunnels);
}

/* Do its rules ask whether a packet belongs to a connection? */
static bool asks_for_connections(const struct pb_interface *at)
{
	bool asks = at->settings.policy != PB_POLICY_ALLOW && !at->settings.no_replies;
	struct pb_ruleset *ruleset;
	struct pb_rules *rules;

	if (asks || !at->pinned || pb_ruleset_open(at->ruleset, &ruleset, NULL))
		return asks;
	if (!pb_ruleset_read(ruleset, &rules, NULL)) {
		for (size_t i = 0; i < rules->nr; i++)
			asks |= rules->rule[i].only_new;
		pb_rules_free(rules);
	}
	pb_ruleset_close(ruleset);
	return asks;
}

static void check_upper(struct doctor *doctor, const struct pb_upper *upper)
{
	const struct pb_interface *at = doctor->interface;
	char mend[200], option[PB_RULESET_OPTION_LEN];

	if (!upper->nr_bound) {
		say(doctor, PB_HEALTH_OK, NULL,
		    "%s: no connection is bound to %s, which stands on it: replies to such a one "
		    "would be taken for new packets",
		    at->name, upper->name);
		return;
	}
	snprintf(mend, sizeof(mend),
		 "allow these packets by a rule, or xdp-portblock unload -k %s; "
		 "xdp-portblock load %s -m skb%s",
		 at->name, upper->name, pb_ruleset_option(at->ruleset, option));
	say(doctor, PB_HEALTH_WARNING, mend,
	    "%s: %zu connection%s bound to %s, which stands on it (%s port %u%s): replies are taken for new "
	    "packets",
	    at->name, upper->nr_bound, upper->nr_bound == 1 ? " is" : "s are", upper->name,
	    upper->bound.protocol, upper->bound.port, upper->nr_bound == 1 ? "" : ", and others");
}

/*
 * The kernel looks sockets up for the interface where the program runs, and finds none that is bound to another:
 * one above it is such a one.
 */
static void check_uppers(struct doctor *doctor)
{
	const struct pb_interface *at = doctor->interface;
	struct pb_upper *uppers;
	size_t nr;
	int ret;

	if (!at->loaded || !asks_for_connections(at))
		return;
	ret = pb_uppers_list(at->ifindex, &uppers, &nr);
	if (ret) {
		say(doctor, PB_HEALTH_WARNING, NULL,
		    "%s: cannot look for connections that are bound to an interface above it: %s",
		    at->name, strerror(-ret));
		return;
	}
	for (size_t i = 0; i < nr; i++)
		check_upper(doctor, &uppers[i]);
	free(uppers);
}

/* Settings by which this host unwraps packets that come in, to be judged no more. */
static const struct {
	const char *below; /* of /proc/sys/net */
	const char *setting;
	bool for_all; /* it counts only if it is set for all interfaces, too */
	const char *does;
} unwraps[] = {
	/* net/mpls/af_mpls.c: mpls_forward() */
	{ "mpls/conf", "input", false, "takes MPLS labels off" },
	/* net/ipv6/exthdrs.c: ipv6_srh_rcv() (4.10), ipv6_rpl_srh_rcv() (5.7) */
	{ "ipv6/conf", "seg6_enabled", true, "ends segment routes (SRv6)" },
	{ "ipv6/conf", "rpl_seg_enabled", true, "ends RPL source routes" },
};

static bool is_set(size_t i, const char *interface)
{
	char path[128], value = '0';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/%s/%s", unwraps[i].below, interface,
		 unwraps[i].setting);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fread(&value, 1, 1, file) != 1)
		value = '0';
	fclose(file);
	return value != '0';
}

static void check_unwrapping(struct doctor *doctor)
{
	const char *name = doctor->interface->name;
	char mend[128];

	if (!doctor->interface->loaded)
		return;
	for (size_t i = 0; i < sizeof(unwraps) / sizeof(unwraps[0]); i++) {
		if (!is_set(i, name) || (unwraps[i].for_all && !is_set(i, "all")))
			continue;
		snprintf(mend, sizeof(mend), "sysctl -w net/%s/%s/%s=0", unwraps[i].below, name,
			 unwraps[i].setting);
		say(doctor, PB_HEALTH_WARNING, mend,
		    "%s: this host %s, and what is behind them is not judged", name,
		    unwraps[i].does);
	}
}

/* ------------------------------------------------------------------------------------------- */

typedef void check_function(struct doctor *doctor);

static check_function *const machine_checks[] = {
	check_kernel, check_rights,	check_bpffs, check_memlock,  check_features,
	check_native, check_dispatcher, check_pins,  check_rulesets,
};
static check_function *const interface_checks[] = {
	check_type,   check_outer_header, check_programs, check_doubled,
	check_driver, check_answers,	  check_mtu,	  check_merging,
	check_vlan,   check_tunnels,	  check_uppers,	  check_unwrapping,
};

int pb_doctor(const char *word, pb_finding_function *function, void *context,
	      unsigned int *problems, struct pb_error *error)
{
	PB_LOG_HERE();
	struct doctor doctor = { .function = function, .context = context };
	struct pb_interface interface;
	int ifindex, ret;

	if (word && (ret = pb_interface_index(word, &ifindex, error)))
		return ret;
	pb_log_begin();
	for (size_t i = 0; i < sizeof(machine_checks) / sizeof(machine_checks[0]); i++)
		machine_checks[i](&doctor);
	if (word) {
		struct pb_error fault;

		if (pb_interface_see(ifindex, &interface, &fault)) {
			say(&doctor, PB_HEALTH_PROBLEM, NULL, "%.500s", fault.text);
		} else {
			doctor.interface = &interface;
			for (size_t i = 0;
			     i < sizeof(interface_checks) / sizeof(interface_checks[0]); i++)
				interface_checks[i](&doctor);
		}
	}
	*problems = doctor.problems;
	return 0;
}
