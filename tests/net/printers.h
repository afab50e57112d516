/* SPDX-License-Identifier: GPL-2.0-only */
/* Printers of libbpf and libxdp that a program has of its own, before it uses the library. */
#ifndef PRINTERS_H
#define PRINTERS_H

#include <stdbool.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

static unsigned int heard; /* messages that came to them */

static int hear_libbpf(enum libbpf_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	heard++;
	return 0;
}

static int hear_libxdp(enum libxdp_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	heard++;
	return 0;
}

/* Sets them; were they set before? */
static bool set_printers(void)
{
	bool libbpf = libbpf_set_print(hear_libbpf) == hear_libbpf;

	return libxdp_set_print(hear_libxdp) == hear_libxdp && libbpf;
}

#endif
