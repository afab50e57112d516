// SPDX-License-Identifier: GPL-2.0-only
/*
 * layout tables|door|ports: what the headers in C say, as assertions for that file of the native
 * engine in Rust.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <linux/if_ether.h>
#include <portblock/abi.h>
#include <portblock/native.h>

static const struct {
	const char *file, *rust;
	size_t value;
} rows[] = {
	{ "tables", "size_of::<Tables>()", sizeof(struct pb_ports) },
	{ "tables", "core::mem::offset_of!(Tables, entry)", offsetof(struct pb_ports, entry) },
	{ "tables", "core::mem::offset_of!(Tables, classes)", offsetof(struct pb_ports, classes) },
	{ "tables", "size_of::<[[[AtomicU32; PORTS]; 2]; 2]>()",
	  sizeof((struct pb_ports){}.entry) },
	{ "tables", "PORTS", PB_PORTS },
	{ "tables", "Slot::of(!0) as usize", PB_NATIVE_SLOT },
	{ "tables", "Slot::of(!1) as usize", 0 },
	{ "tables", "Entry::INDIRECT.bits() as usize", PB_ENTRY(0, 0, PB_ENTRY_INDIRECT) },
	{ "tables", "Entry::without_ports(Outcome::Unparsable).bits() as usize",
	  PB_ENTRY(0, PB_OUTCOME_UNPARSABLE, PB_ENTRY_INDIRECT) },
	{ "tables", "Side::Destination as usize", PB_CLASSES_DPORT },
	{ "tables", "Side::Source as usize", PB_CLASSES_SPORT },
	{ "door", "size_of::<Reply>()", sizeof(struct pb_native_found) },
	{ "door", "core::mem::offset_of!(Reply, found)", offsetof(struct pb_native_found, found) },
	{ "door", "core::mem::offset_of!(Reply, ports)", offsetof(struct pb_native_found, ports) },
	{ "door", "core::mem::offset_of!(Reply, entry)", offsetof(struct pb_native_found, entry) },
	{ "door", "core::mem::offset_of!(Reply, classes)",
	  offsetof(struct pb_native_found, classes) },
	{ "door", "ETHERNET as usize", PB_NATIVE_ETHERNET },
	{ "door", "Outcome::Pass as usize", PB_OUTCOME_PASS },
	{ "door", "Outcome::NoPort as usize", PB_OUTCOME_NOPORT },
	{ "door", "Outcome::Fragment as usize", PB_OUTCOME_FRAGMENT },
	{ "door", "Outcome::Malformed as usize", PB_OUTCOME_MALFORMED },
	{ "door", "Outcome::Unparsable as usize", PB_OUTCOME_UNPARSABLE },
	{ "door", "Proto::Tcp as usize", PB_PROTO_TCP },
	{ "door", "Proto::Udp as usize", PB_PROTO_UDP },
	{ "door", "Proto::Sctp as usize", PB_PROTO_SCTP },
	{ "door", "Proto::Dccp as usize", PB_PROTO_DCCP },
	{ "door", "Proto::UdpLite as usize", PB_PROTO_UDPLITE },
	{ "ports", "TAGS_MAX", PB_TAGS_MAX },
	{ "ports", "EXTENSIONS_MAX", PB_EXTENSIONS_MAX },
	{ "ports", "IPV4 as usize", ETH_P_IP },
	{ "ports", "IPV6 as usize", ETH_P_IPV6 },
	{ "ports", "VLAN as usize", ETH_P_8021Q },
	{ "ports", "SERVICE_VLAN as usize", ETH_P_8021AD },
	{ "ports", "PPPOE_SESSION as usize", ETH_P_PPP_SES },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].file, argv[1]))
			printf("const _: () = assert!(%s == %zu);\n", rows[i].rust, rows[i].value);
	return 0;
}
