/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libpcap, loaded when a command first needs it. It brings the libraries of D-Bus and systemd along where it is built
 * as distributions do, and with them each command would take half as long again to start: fail2ban starts one for
 * each address.
 */
#ifndef PCAP_LIBRARY_H
#define PCAP_LIBRARY_H

#include <pcap/pcap.h>

/* What is used of it. */
#define PCAP_FUNCTIONS(each)                                                                \
	each(close) each(datalink) each(datalink_val_to_name) each(dump) each(dump_close)   \
		each(dump_file) each(dump_flush) each(dump_open) each(geterr) each(next_ex) \
			each(open_dead_with_tstamp_precision) each(open_offline)

/* pcap_close() is library->close() */
struct pcap_library {
#define MEMBER(function) __typeof__(pcap_##function) *function;
	PCAP_FUNCTIONS(MEMBER)
#undef MEMBER
};

/* NULL: it cannot be loaded, which was said. It stays loaded until the process ends. */
const struct pcap_library *pcap_library_load(void);

#endif
