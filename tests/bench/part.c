// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opens the XDP program less a part of it exactly as the library opens the whole: by the library's source, which is told
 * that another object is embedded.
 */
#include <stdio.h>
#include <stdlib.h>
#include "bench.h"
#include "attach/object.h"
#include "portblock_kern_ctx.skel.h"

static void *part;
static size_t part_size;

static const void *elf_of_part(size_t *size)
{
	*size = part_size;
	return part;
}

#define pb_object_open open_part
#define portblock_bpf__elf_bytes elf_of_part
#define portblock_kern_ctx_bpf__elf_bytes elf_of_part
#include "attach/object.c"

static void read_part(const char *path)
{
	FILE *file = fopen(path, "r");

	if (!file || fseek(file, 0, SEEK_END))
		die("cannot open %s: `make bench-parts` makes it", path);
	part_size = ftell(file);
	rewind(file);
	free(part);
	part = malloc(part_size);
	if (!part || fread(part, 1, part_size, file) != part_size)
		die("cannot read %s", path);
	fclose(file);
}

int part_open(const char *folder, const char *name, const struct pb_maps *maps,
	      const struct pb_constants *constants, struct portblock_bpf **object,
	      struct pb_error *error)
{
	bool kern_ctx = constants->frags && constants->kern_ctx;
	char path[512];

	snprintf(path, sizeof(path), "%s/%s%s.bpf.o", folder, name, kern_ctx ? "_kern_ctx" : "");
	read_part(path);
	return open_part(maps, constants, object, error);
}
