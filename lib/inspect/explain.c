// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * What the loaded ruleset does to a packet, decided by the program itself: an instance of it shares
 * the ruleset's maps, counts in maps of its own, and is run on the packet alone.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <portblock/parse.h>
#include "attach/features.h"
#include "attach/native.h"
#include "attach/object.h"
#include "inspect/explain.h"
#include "maps/rights.h"
#include "maps/ruleset.h"
#include "util/error.h"
#include "util/log.h"

/* BPF_PROG_TEST_RUN takes no shorter frames. */
#define SHORTEST ETH_HLEN
#define NR_OUTCOMES ((size_t)PB_CPU_ROWS * PB_OUTCOME_ROW)

struct pb_test_run {
	struct portblock_bpf *object;
	struct pb_count *counts, *outcomes; /* mapped: zero but while a packet is run */
	size_t nr_counts;		    /* of rules: one row for all CPUs */
	bool ethernet, native;
};

static struct pb_count *map_counts(const struct bpf_map *map, size_t nr)
{
	void *start = mmap(NULL, nr * sizeof(struct pb_count), PROT_READ | PROT_WRITE, MAP_SHARED,
			   bpf_map__fd(map), 0);

	return start == MAP_FAILED ? NULL : start;
}

static int load_once(struct pb_test_run *run, const struct pb_maps *maps,
		     const struct pb_constants *constants, struct pb_error *error)
{
	int ret = pb_object_open(maps, constants, &run->object, error);

	if (ret)
		return ret;
	if (constants->frags)
		ret = bpf_program__set_flags(run->object->progs.xdp_portblock, BPF_F_XDP_HAS_FRAGS);
	if (!ret)
		ret = portblock_bpf__load(run->object);
	return ret ? pb_fail_permission(error, -ret,
					"load an instance of the program for a test run") :
		     0;
}

/* As attaching does: a kernel may have what is asked for by its name, and refuse it (bpf_cast_to_kern_ctx(), s390x's 6.12). */
static int load_retrying(struct pb_test_run *run, const struct pb_maps *maps,
			 struct pb_constants constants, struct pb_error *error)
{
	int ret = load_once(run, maps, &constants, error);

	while (ret && (constants.resize || constants.kern_ctx)) {
		portblock_bpf__destroy(run->object);
		run->object = NULL;
		if (constants.resize)
			constants.resize = false;
		else
			constants.kern_ctx = false;
		ret = load_once(run, maps, &constants, error);
	}
	return ret;
}

static int load_instance(struct pb_test_run *run, const struct pb_maps *maps, bool sockets,
			 struct pb_error *error)
{
	const struct pb_features features = pb_features();
	const struct pb_constants constants = { .ethernet = run->ethernet,
						.frags = features.frags,
						.kern_ctx = features.kern_ctx,
						.native = run->native,
						.connections = sockets && features.connections,
						.resize = true,
						.private_counts = true };
	int ret;

	pb_log_begin();
	ret = load_retrying(run, maps, constants, error);
	if (ret)
		return ret;
	run->nr_counts = maps->config->max_rules + 1;
	run->counts = map_counts(run->object->maps.pb_counts, run->nr_counts);
	run->outcomes = map_counts(run->object->maps.data_outcomes, NR_OUTCOMES);
	if (!run->counts || !run->outcomes)
		return pb_fail(error, errno, "cannot map the counters of a test run: %s",
			       strerror(errno));
	return 0;
}

int pb_test_run_make(const struct pb_maps *maps, bool ethernet, bool native, bool sockets,
		     struct pb_test_run **run, struct pb_error *error)
{
	struct pb_test_run *made = calloc(1, sizeof(*made));
	int ret;

	if (!made)
		return pb_fail_memory(error);
	made->ethernet = ethernet;
	made->native = native;
	ret = load_instance(made, maps, sockets, error);
	if (ret)
		pb_test_run_close(made);
	else
		*run = made;
	return ret;
}

int pb_test_run_open_engine(struct pb_ruleset *ruleset, bool ethernet, enum pb_engine engine,
			    struct pb_test_run **run, struct pb_error *error)
{
	PB_LOG_HERE();
	bool native = engine == PB_ENGINE_NATIVE;
	int ret = native ? pb_native_check(error) : 0;

	return ret ?: pb_test_run_make(&ruleset->maps, ethernet, native, true, run, error);
}

int pb_test_run_open(struct pb_ruleset *ruleset, bool ethernet, struct pb_test_run **run,
		     struct pb_error *error)
{
	return pb_test_run_open_engine(ruleset, ethernet, PB_ENGINE_BPF, run, error);
}

void pb_test_run_close(struct pb_test_run *run)
{
	if (!run)
		return;
	if (run->counts)
		munmap(run->counts, run->nr_counts * sizeof(*run->counts));
	if (run->outcomes)
		munmap(run->outcomes, NR_OUTCOMES * sizeof(*run->outcomes));
	portblock_bpf__destroy(run->object);
	free(run);
}

/* The one entry that has counted, set back to zero; `nr` where none has. */
static size_t take_counted(struct pb_count *counts, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (counts[i].packets) {
			memset(&counts[i], 0, sizeof(counts[i]));
			return i;
		}
	return nr;
}

/* The program's answer, as if the frame came in on that interface; or a negative errno. */
static int run_once(const struct pb_test_run *run, int ifindex, const void *frame, size_t length)
{
	struct xdp_md from = { .data_end = length, .ingress_ifindex = ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame, .data_size_in = length,
		    .ctx_in = ifindex ? &from : NULL, .ctx_size_in = ifindex ? sizeof(from) : 0,
		    .repeat = 1);
	int program = bpf_program__fd(run->object->progs.xdp_portblock);

	if (!bpf_prog_test_run_opts(program, &options))
		return options.retval;
	return ifindex && errno == EINVAL ? run_once(run, 0, frame, length) : -errno;
}

int pb_test_run_frame(struct pb_test_run *run, const void *frame, size_t length,
		      struct pb_explanation *explanation, struct pb_error *error)
{
	return pb_test_run_frame_on(run, 0, frame, length, explanation, error);
}

int pb_test_run_frame_on(struct pb_test_run *run, int ifindex, const void *frame, size_t length,
			 struct pb_explanation *explanation, struct pb_error *error)
{
	size_t rule, outcome;
	int verdict;

	if (length < SHORTEST)
		return pb_fail(
			error, EINVAL,
			"%zu bytes are too few: the kernel tries packets of %d bytes and more "
			"only",
			length, SHORTEST);
	verdict = run_once(run, ifindex, frame, length);
	if (verdict < 0)
		return pb_fail_permission(error, -verdict, "run the program on a packet");
	outcome = take_counted(run->outcomes, NR_OUTCOMES);
	rule = take_counted(run->counts, run->nr_counts);
	if (outcome == NR_OUTCOMES)
		return pb_fail(error, EIO, "the program has not counted the packet");
	pb_explain_parse(frame, length, run->ethernet, explanation);
	explanation->drop = verdict != XDP_PASS;
	explanation->outcome = outcome % PB_OUTCOME_ROW;
	explanation->rule = rule == run->nr_counts ? 0 : rule;
	explanation->length = length;
	explanation->told = verdict == XDP_TX;
	return 0;
}

struct pb_explanation *pb_explanation_new(void)
{
	return calloc(1, sizeof(struct pb_explanation));
}

static void copy_source(const unsigned char *ip, const struct pb_packet *packet,
			struct pb_prefix *source)
{
	size_t size = packet->family == 4 ? 4 : 16;

	source->family = packet->family;
	source->len = 8 * size;
	memcpy(source->addr,
	       ip + (packet->family == 4 ? offsetof(struct pb_ipv4_header, source) :
					   offsetof(struct pb_ipv6_header, source)),
	       size);
}

void pb_explain_parse(const void *frame, size_t length, bool ethernet,
		      struct pb_explanation *explanation)
{
	struct pb_cursor cursor = { .pos = frame, .end = (const unsigned char *)frame + length };
	struct pb_packet packet = {};
	union pb_copy copy;

	memset(explanation, 0, sizeof(*explanation));
	explanation->parsed = pb_parse(&cursor, ethernet, &packet, &copy);
	explanation->tags = packet.tags;
	explanation->extensions = packet.extensions;
	explanation->first_fragment = packet.first_fragment;
	explanation->cut = packet.cut;
	explanation->protocol = packet.next;
	explanation->network = packet.network;
	explanation->family = packet.family;
	if (packet.family)
		copy_source((const unsigned char *)frame + packet.network, &packet,
			    &explanation->flow.source);
	if (explanation->parsed != PB_OUTCOME_PASS)
		return;
	explanation->flow.proto = packet.proto;
	explanation->flow.sport = ntohs(packet.sport);
	explanation->flow.dport = ntohs(packet.dport);
}
