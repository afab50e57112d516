// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include "attach/card.h"

int pb_card_ask(const char *ifname, unsigned long request, void *data)
{
	struct ifreq ifreq = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), ret;

	if (fd < 0)
		return -errno;
	snprintf(ifreq.ifr_name, sizeof(ifreq.ifr_name), "%s", ifname);
	if (request == SIOCETHTOOL)
		ifreq.ifr_data = data;
	ret = ioctl(fd, request, &ifreq) ? -errno : 0;
	if (!ret && request != SIOCETHTOOL)
		*(struct ifreq *)data = ifreq;
	close(fd);
	return ret;
}

void pb_card_driver(const char *ifname, char driver[32])
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };

	*driver = '\0';
	if (!pb_card_ask(ifname, SIOCETHTOOL, &info))
		snprintf(driver, 32, "%.31s", info.driver);
}

/* ---- Features ------------------------------------------------------------------------------ */

static __u32 count_features(const char *ifname)
{
	struct {
		struct ethtool_sset_info info;
		__u32 count;
	} sets = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ULL << ETH_SS_FEATURES } };

	return pb_card_ask(ifname, SIOCETHTOOL, &sets) || !sets.info.sset_mask ? 0 : sets.count;
}

/* The bit of a feature, which differs from kernel to kernel; `nr` if there is none. */
static __u32 find_feature(const char *ifname, const char *feature, __u32 nr)
{
	struct ethtool_gstrings *names;
	__u32 found = 0;

	/* The kernel writes as many as it has, whatever `len` says. */
	names = nr ? calloc(1, sizeof(*names) + nr * ETH_GSTRING_LEN) : NULL;
	if (!names)
		return nr;
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_FEATURES;
	names->len = nr;
	if (pb_card_ask(ifname, SIOCETHTOOL, names))
		found = nr;
	while (found < nr &&
	       strncmp((char *)names->data + found * ETH_GSTRING_LEN, feature, ETH_GSTRING_LEN))
		found++;
	free(names);
	return found;
}

struct pb_card_feature pb_card_feature(const char *ifname, const char *feature)
{
	__u32 nr = count_features(ifname), bit = find_feature(ifname, feature, nr);
	__u32 blocks = (nr + 31) / 32, mask = 1U << bit % 32;
	const struct ethtool_get_features_block *block;
	struct pb_card_feature found = {};
	struct ethtool_gfeatures *all;

	all = bit < nr ? calloc(1, sizeof(*all) + blocks * sizeof(all->features[0])) : NULL;
	if (!all)
		return found;
	all->cmd = ETHTOOL_GFEATURES;
	all->size = blocks;
	if (!pb_card_ask(ifname, SIOCETHTOOL, all)) {
		block = &all->features[bit / 32];
		found.on = block->active & mask;
		found.fixed = !(block->available & mask) || block->never_changed & mask;
	}
	free(all);
	return found;
}

/* ---- Drivers ------------------------------------------------------------------------------- */

/* Those that were tried (tests/vm/test_drivers); all others are taken for the usual. */
static const struct driver {
	const char *name;
	bool frees_itself, forgets, drops_large;
	int mtu_max; /* 0: as usual */
} drivers[] = {
	{ "igb", .mtu_max = 3046 },
	{ "virtio_net", .frees_itself = true, .drops_large = true, .mtu_max = 3494 },
	{ "vmxnet3", .frees_itself = true, .forgets = true, .mtu_max = 3494 },
};
static const struct driver usual;

/* Up to a page less what the kernel keeps before and behind a frame there is one buffer. */
#define MTU_OF_ONE_BUFFER 3498

static const struct driver *find_driver(const char *name)
{
	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++)
		if (!strcmp(drivers[i].name, name))
			return &drivers[i];
	return &usual;
}

bool pb_card_frees_itself(const char *driver)
{
	return find_driver(driver)->frees_itself;
}

bool pb_card_forgets(const char *driver)
{
	return find_driver(driver)->forgets;
}

bool pb_card_drops_large(const char *driver)
{
	return find_driver(driver)->drops_large;
}

int pb_card_mtu_max(const char *driver)
{
	return find_driver(driver)->mtu_max ?: MTU_OF_ONE_BUFFER;
}

/* Of Debian's 6.1, all with native mode but mlx5_core and mvneta. */
static const char *const had_one_buffer[] = {
	"atlantic", "bnxt_en", "ena",	  "hv_netvsc", "i40e",	  "ice",	"igb",
	"igc",	    "ixgbe",   "ixgbevf", "mana",      "mlx4_en", "nfp",	"qede",
	"sfc",	    "st_gmac", "tun",	  "veth",      "vif",	  "virtio_net",
};

bool pb_card_had_one_buffer(const char *driver)
{
	for (size_t i = 0; i < sizeof(had_one_buffer) / sizeof(had_one_buffer[0]); i++)
		if (!strcmp(had_one_buffer[i], driver))
			return true;
	return false;
}
