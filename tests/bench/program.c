// SPDX-License-Identifier: GPL-2.0-only
/* The programs under test, loaded with maps of their own; and how each gets its ports. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <bpf/bpf.h>
#include <xdp/libxdp.h>
#include "attach/features.h"
#include "attach/object.h"
#include "bench.h"
#include "maps/pins.h"
#include "maps/slot.h"
#include "rules/rules.h"
#include "util/log.h"

/* Where distributions have xdp-filter's objects. */
static const char *const folders[] = { "/usr/lib/x86_64-linux-gnu/bpf", "/usr/lib64/bpf",
				       "/usr/lib/bpf", "/usr/local/lib/bpf" };

struct program_private {
	struct portblock_bpf *ours;
	struct pb_maps maps;
	struct xdp_program *attached;
	int device;
	int main_fd; /* the dispatcher's */
};

void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("bench: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static void tell(const char *line)
{
	fprintf(stderr, "%s\n", line);
}

/* --- loading ---------------------------------------------------------------------------------- */

static struct bpf_program *only_program(struct bpf_object *object, const char *name)
{
	struct bpf_program *prog = NULL, *found = NULL;

	while ((prog = bpf_object__next_program(object, prog))) {
		bool wanted = !name || !strcmp(bpf_program__name(prog), name);

		bpf_program__set_autoload(prog, wanted);
		if (wanted)
			found = prog;
	}
	if (!found)
		die("no program %s", name ?: "in it");
	return found;
}

/* Hands the open object to libxdp, which puts it under its dispatcher; the measured one is that. */
static void load_under_dispatcher(struct program *program, struct bpf_program *prog)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, options, 0);
	struct program_private *private = program->private;
	struct xdp_multiprog *chain;

	options.obj = program->object;
	options.prog_name = bpf_program__name(prog);
	private->attached = xdp_program__create(&options);
	if (libxdp_get_error(private->attached))
		die("%s: libxdp does not take it", program->name);
	if (program->frags)
		xdp_program__set_xdp_frags_support(private->attached, true);
	if (xdp_program__attach(private->attached, private->device, XDP_MODE_NATIVE, 0))
		die("%s: cannot attach: %s", program->name, pb_log_last());
	chain = xdp_multiprog__get_from_ifindex(private->device);
	if (libxdp_get_error(chain) || xdp_multiprog__is_legacy(chain))
		die("%s: not under a dispatcher", program->name);
	private->main_fd = dup(xdp_program__fd(xdp_multiprog__main_prog(chain)));
	program->fd = private->main_fd;
	xdp_multiprog__close(chain);
}

static void load(struct program *program, struct bpf_program *prog)
{
	if (program->private->device) {
		load_under_dispatcher(program, prog);
		return;
	}
	if (program->frags)
		bpf_program__set_flags(prog, bpf_program__flags(prog) | BPF_F_XDP_HAS_FRAGS);
	if (bpf_object__load(program->object))
		die("%s: cannot load: %s", program->name, pb_log_last());
	program->fd = bpf_program__fd(prog);
}

/* --- bench.bpf.c ------------------------------------------------------------------------------ */

static struct bpf_object *open_file(const char *path)
{
	struct bpf_object *object = bpf_object__open_file(path, NULL);
	struct bpf_map *map = NULL;

	if (!object)
		die("cannot open %s", path);
	while ((map = bpf_object__next_map(object, map)))
		bpf_map__set_pin_path(map, NULL);
	return object;
}

/* Where the program lies that runs, and all objects beside it. */
static const char *own_folder(void)
{
	static char path[480];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		die("readlink: %s", strerror(errno));
	path[len] = '\0';
	*strrchr(path, '/') = '\0';
	return path;
}

static struct bpf_object *open_beside(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", own_folder(), name);
	return open_file(path);
}

struct bpf_map *find_map(struct bpf_object *object, const char *name)
{
	struct bpf_map *map = NULL;

	while ((map = bpf_object__next_map(object, map)))
		if (strstr(bpf_map__name(map), name))
			return map;
	die("no map %s", name);
}

void set_constants(struct bpf_object *object, const void *constants, size_t size)
{
	if (bpf_map__set_initial_value(find_map(object, ".rodata"), constants, size))
		die("cannot set the constants of a program: its .rodata has changed");
}

struct program *helper_open(const char *file, const char *name, bool frags,
			    void (*set_up)(struct bpf_object *, const void *), const void *context)
{
	struct program *program = calloc(1, sizeof(*program));

	program->private = calloc(1, sizeof(*program->private));
	program->name = name;
	program->frags = frags;
	program->object = open_beside(file);
	set_up(program->object, context);
	load(program, only_program(program->object, name));
	return program;
}

/* In the order in which bench.bpf.c has its constants. */
static void set_up_sender(struct bpf_object *object, const void *context)
{
	set_constants(object, context, sizeof(struct sender));
}

struct program *sender_open(const char *name, const struct sender *constants, bool frags)
{
	return helper_open("bench.bpf.o", name, frags, set_up_sender, constants);
}

static void open_other(struct program *program)
{
	program->object = open_beside("bench.bpf.o");
	load(program, only_program(program->object, program->name));
}

/* --- xdp-filter ------------------------------------------------------------------------------- */

/* As `xdp-filter port P` does it for TCP and UDP: a flag for destination and one a protocol. */
#define XDPFILT_DST (1 << 1)
#define XDPFILT_TCP (1 << 2)
#define XDPFILT_UDP (1 << 3)

static void block_port(int map, __u16 port)
{
	__u64 values[4096];
	__u32 key = htons(port);

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		values[i] = XDPFILT_DST | XDPFILT_TCP | XDPFILT_UDP;
	if (libbpf_num_possible_cpus() > (int)(sizeof(values) / sizeof(values[0])))
		die("too many CPUs");
	if (bpf_map_update_elem(map, &key, values, 0))
		die("xdp-filter's port map: %s", strerror(errno));
}

static void open_xdpfilt(struct program *program, const struct pb_rules *rules)
{
	char path[512] = "";
	int map;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s.o", folders[i], program->name);
		if (!access(path, R_OK))
			break;
	}
	program->object = open_file(path);
	load(program, only_program(program->object, NULL));
	map = bpf_map__fd(find_map(program->object, "filter_ports"));
	for (size_t i = 0; i < rules->nr; i++) {
		const struct pb_rule *rule = &rules->rule[i];

		for (size_t j = 0; j < rule->nr_ports; j++)
			for (int port = rule->ports[j].first; port <= rule->ports[j].last; port++)
				block_port(map, port);
	}
}

/* --- ours ------------------------------------------------------------------------------------- */

static void make_ruleset(struct pb_maps *maps, const struct pb_rules *rules)
{
	struct pb_ruleset_options options = { .max_rules = rules->max_rules, .max_sources = 65536 };
	struct pb_error error;

	if (pb_maps_create("bench", &options, maps, &error) ||
	    pb_slot_write(maps, maps->config->active, rules, 2, &error))
		die("%s", error.text);
}

static void open_ruleset(struct pb_maps *maps, const char *name)
{
	struct pb_error error = { 0 };

	if (pb_maps_open(name, maps, &error))
		die("no ruleset %s: %s", name, error.text);
}

static bool is_part(const char *name)
{
	return !strncmp(name, "less-", strlen("less-"));
}

static bool is_ours(const char *name)
{
	return !strncmp(name, "ours", strlen("ours")) || !strcmp(name, "native") || is_part(name);
}

static void open_ours(struct program *program, const char *ruleset, const struct pb_rules *rules)
{
	struct pb_constants constants = { .ethernet = true, .frags = program->frags };
	struct program_private *private = program->private;
	struct pb_error error;
	int ret;

	constants.connections = true;
	constants.kern_ctx = pb_features().kern_ctx;
	constants.native = !strcmp(program->name, "native");
	if (ruleset[0] == '@')
		open_ruleset(&private->maps, ruleset + 1);
	else
		make_ruleset(&private->maps, rules);
	if (is_part(program->name))
		ret = part_open(own_folder(), program->name, &private->maps, &constants,
				&private->ours, &error);
	else
		ret = pb_object_open(&private->maps, &constants, &private->ours, &error);
	if (ret)
		die("%s", error.text);
	program->object = private->ours->obj;
	load(program, private->ours->progs.xdp_portblock);
}

/* --- all of them ------------------------------------------------------------------------------ */

struct program *program_open(const char *name, const char *ruleset, int device)
{
	struct program *program = calloc(1, sizeof(*program));
	struct pb_rules rules = { 0 };

	program->private = calloc(1, sizeof(*program->private));
	program->private->maps = (struct pb_maps)PB_MAPS_NONE;
	program->private->device = device;
	program->name = name;
	/* A dispatcher takes frames of several buffers if all its programs do: `pass` is for chains with ours. */
	program->frags = (is_ours(name) && strcmp(name, "ours-linear")) || !strcmp(name, "pass");
	pb_log_set(tell, false);
	pb_log_enter();
	if (ruleset[0] != '@')
		rules_make(ruleset, &rules);
	if (is_ours(name))
		open_ours(program, ruleset, &rules);
	else if (!strncmp(name, "xdpfilt_", strlen("xdpfilt_")))
		open_xdpfilt(program, &rules);
	else
		open_other(program);
	pb_rules_clear(&rules);
	return program;
}

void program_close(struct program *program)
{
	struct program_private *private = program->private;

	if (private->attached) {
		xdp_program__detach(private->attached, private->device, XDP_MODE_NATIVE, 0);
		close(private->main_fd);
		xdp_program__close(private->attached);
	}
	if (private->ours)
		portblock_bpf__destroy(private->ours);
	else if (!private->attached)
		bpf_object__close(program->object);
	if (private->ours)
		pb_maps_close(&private->maps);
	free(private);
	free(program);
}
