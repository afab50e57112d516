// SPDX-License-Identifier: GPL-2.0-only
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <net/ethernet.h>
#include "capture.h"
#include "pcap-library.h"
#include "tool.h"

struct capture {
	const struct pcap_library *library;
	pcap_t *pcap;
	pcap_dumper_t *dumper;
	int err; /* of the first write that failed */
	unsigned char frame[ETH_HLEN + PB_SNAPLEN_MAX];
};

int capture_open(const char *path, unsigned int snaplen, struct capture **capture)
{
	const struct pcap_library *library = pcap_library_load();
	struct capture *made;

	if (!library)
		return FAILED;
	made = calloc(1, sizeof(*made));
	if (made) {
		made->library = library;
		made->pcap = library->open_dead_with_tstamp_precision(
			DLT_EN10MB, ETH_HLEN + snaplen, PCAP_TSTAMP_PRECISION_NANO);
	}
	if (!made || !made->pcap) {
		note("out of memory");
		free(made);
		return FAILED;
	}
	made->dumper = library->dump_open(made->pcap, path);
	if (!made->dumper) {
		note("cannot write '%s': %s", path, library->geterr(made->pcap));
		library->close(made->pcap);
		free(made);
		return FAILED;
	}
	*capture = made;
	return DONE;
}

/* Puts the header that the device has not in front; returns its length. */
static size_t add_header(struct capture *capture, const struct pb_event *event,
			 const unsigned char *data)
{
	struct ether_header *header = (struct ether_header *)capture->frame;
	bool v6 = event->captured && data[0] >> 4 == 6;

	memcpy(capture->frame + (event->ethernet ? 0 : ETH_HLEN), data, event->captured);
	if (event->ethernet)
		return 0;
	memset(header, 0, sizeof(*header));
	header->ether_type = htons(v6 ? ETHERTYPE_IPV6 : ETHERTYPE_IP);
	return ETH_HLEN;
}

/* What failed is told at the end; errno has changed by then. */
static int keep_error(struct capture *capture, bool failed)
{
	if (failed && !capture->err)
		capture->err = errno;
	return capture->err ? -EPIPE : 0;
}

int capture_write(struct capture *capture, struct timespec at, const struct pb_event *event,
		  const unsigned char *data)
{
	size_t more = add_header(capture, event, data);
	/* libpcap keeps nanoseconds where it says microseconds, in a file of that precision. */
	struct pcap_pkthdr header = { .ts = { at.tv_sec, at.tv_nsec },
				      .caplen = event->captured + more,
				      .len = event->length + more };

	capture->library->dump((u_char *)capture->dumper, &header, capture->frame);
	return keep_error(capture, ferror(capture->library->dump_file(capture->dumper)));
}

int capture_flush(struct capture *capture)
{
	return keep_error(capture, capture->library->dump_flush(capture->dumper));
}

int capture_close(struct capture *capture)
{
	int err;

	capture_flush(capture);
	err = capture->err;
	capture->library->dump_close(capture->dumper);
	capture->library->close(capture->pcap);
	free(capture);
	if (err && err != EPIPE)
		note("cannot write the capture: %s", strerror(err));
	return err ? FAILED : DONE;
}
