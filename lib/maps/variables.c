// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "maps/maps.h"
#include "maps/variables.h"
#include "util/error.h"

/* Maps an array of one entry into memory. -EPROTO: the entry has another size. */
static int map_entry(__u32 id, size_t size, void **entry)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	int fd = pb_map_open(id), ret = 0;
	void *start = MAP_FAILED;

	if (fd < 0)
		return fd;
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		ret = -errno;
	else if (info.value_size != size)
		ret = -EPROTO;
	if (!ret)
		start = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (!ret && start == MAP_FAILED)
		ret = -errno;
	close(fd);
	if (!ret)
		*entry = start;
	return ret;
}

int pb_config_map(__u32 id, struct pb_config **config)
{
	return map_entry(id, sizeof(**config), (void **)config);
}

void pb_config_unmap(struct pb_config *config)
{
	munmap(config, sizeof(*config));
}

int pb_exchange_map(__u32 id, struct pb_exchange **exchange)
{
	return map_entry(id, sizeof(**exchange), (void **)exchange);
}

void pb_exchange_unmap(struct pb_exchange *exchange)
{
	munmap(exchange, sizeof(*exchange));
}

int pb_outcomes_map(__u32 id, struct pb_outcomes **outcomes)
{
	return map_entry(id, sizeof(**outcomes), (void **)outcomes);
}

void pb_outcomes_unmap(struct pb_outcomes *outcomes)
{
	munmap(outcomes, sizeof(*outcomes));
}

struct pb_counters pb_outcomes_counters(struct pb_outcomes *outcomes)
{
	return (struct pb_counters){ .counts = outcomes->row[0],
				     .rows = PB_CPU_ROWS,
				     .width = PB_OUTCOME_ROW,
				     .resets = &outcomes->resets };
}

int pb_outcomes_read(__u32 id, struct pb_count outcomes[PB_OUTCOME_MAX])
{
	struct pb_outcomes *all;
	struct pb_counters counters;
	int ret = pb_outcomes_map(id, &all);

	if (ret)
		return ret;
	counters = pb_outcomes_counters(all);
	pb_counters_read(&counters, 0, PB_OUTCOME_MAX, outcomes);
	pb_outcomes_unmap(all);
	return 0;
}

__u32 pb_exchange_number(const struct pb_exchange *exchange, __u32 program_id)
{
	__u32 old = PB_TURN_OLD_OF(exchange->turn);

	return exchange->programs[old] == program_id ? old : !old;
}
