// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "random.h"
#include "rule/ports.h"
#include "says.h"

#define TCP (1U << PB_PROTO_TCP)
#define UDP (1U << PB_PROTO_UDP)

static void reads_for(unsigned int protocols, const char *text, const char *wanted)
{
	struct pb_range *ports = NULL;
	struct pb_error error = { "" };
	size_t nr;
	char *back;

	if (pb_ports_parse(text, protocols, &ports, &nr, &error))
		fail_msg("%s: %s", text, error.text);
	back = pb_ports_text(ports, nr);
	assert_string_equal(back, wanted);
	free(back);
	free(ports);
}

static void reads(const char *text, const char *wanted)
{
	reads_for(0, text, wanted);
}

static void test_right(void **state)
{
	(void)state;
	reads("22", "22");
	reads("1", "1");
	reads("65535", "65535");
	reads("1-65535", "1-65535");
	reads("22,80-90", "22,80-90");
	reads("80-90,22", "22,80-90");
	reads("7-7", "7");
}

/* What is written twice counts once; widths decide between rules, so nothing is merged. */
static void test_order(void **state)
{
	(void)state;
	reads("22,22", "22");
	reads("23,22", "22,23");
	reads("22,22-23", "22,22-23");
	reads("22,1-1024", "1-1024,22");
	reads("1-10,5-20,1-10", "1-10,5-20");
	reads("1-65535,65535,1-9", "1-9,1-65535,65535");
}

static void test_wrong(void **state)
{
	static const struct wrong wrong[] = {
		{ "22abc", "\"22abc\" is not a port", "1 to 65535" },
		{ "-1", "\"-1\" is not a port", "1 to 65535" },
		{ "0", "\"0\" is not a port", "ports are 1 to 65535" },
		{ "0-22", "\"0-22\" is not a port", "ports are 1 to 65535" },
		{ "65536", "\"65536\" is not a port", "ports are 1 to 65535" },
		{ "22-65536", "\"22-65536\" is not a port", "ports are 1 to 65535" },
		{ "99999999999999999999999", "99999\" is not a port", "ports are 1 to 65535" },
		{ "90-80", "\"90-80\" runs backwards", "write 80-90" },
		{ "80-", "\"80-\" is not a port", "80-90" },
		{ "-", "\"-\" is not a port", NULL },
		{ "1-2-3", "\"1-2-3\" is not a port", NULL },
		{ "1--3", "\"1--3\" is not a port", NULL },
		{ "+22", "\"+22\" is not a port", NULL },
		{ " 22", "\" 22\" is not a port", NULL },
		{ "22 ", "\"22 \" is not a port", NULL },
		{ "022", "\"022\" is not a port", "leading zeros" },
		{ "0x16", "\"0x16\" is not a port", NULL },
		{ "22.5", "\"22.5\" is not a port", NULL },
		{ "", "the list of ports is empty", NULL },
		{ ",", "\",\" has an empty place", NULL },
		{ "22,,23", "\"22,,23\" has an empty place", NULL },
		{ "22,", "\"22,\" has an empty place", NULL },
		{ ",22", "\",22\" has an empty place", NULL },
		{ "22,23x", "\"23x\" is not a port", NULL },
		{ "no-such-service", "\"no-such-service\" is not a port", "/etc/services" },
		{ NULL, NULL, NULL },
	};

	(void)state;
	for (const struct wrong *w = wrong; w->input; w++) {
		struct pb_range *ports = (struct pb_range *)0x1;
		struct pb_error error = { "" };
		size_t nr = 99;

		assert_says(w, pb_ports_parse(w->input, 0, &ports, &nr, &error), -EINVAL, &error);
		assert_int_equal(nr, 99);
		assert_ptr_equal(ports, (struct pb_range *)0x1);
	}
}

static void test_services(void **state)
{
	static const struct wrong wrong = { "ssh", "\"ssh\" is a service of tcp", "write 22" };
	struct pb_range *ports;
	struct pb_error error = { "" };
	size_t nr;

	(void)state;
	if (!getservbyname("ssh", "tcp") || !getservbyname("tftp", "udp")) {
		print_message("no /etc/services here\n");
		skip();
	}
	reads("ssh", "22");
	reads("ssh,80", "22,80");
	reads_for(TCP, "ssh", "22");
	reads_for(TCP | UDP, "ssh,tftp", "22,69");
	reads_for(1U << PB_PROTO_UDPLITE, "tftp", "69");
	if (!getservbyname("ssh", "udp"))
		assert_says(&wrong, pb_ports_parse("ssh", UDP, &ports, &nr, &error), -EINVAL,
			    &error);
}

/* Any list of ranges, in any order, holds the same ports when it is read back. */
static void test_random(void **state)
{
	struct random random;

	(void)state;
	random_begin(&random);
	for (int round = 0; round < 300; round++) {
		static bool wanted[PB_PORTS], got[PB_PORTS];
		char text[512];
		struct pb_range *ports;
		size_t nr, len = 0;

		memset(wanted, 0, sizeof(wanted));
		memset(got, 0, sizeof(got));
		for (__u32 i = 0, n = 1 + random_below(&random, 20); i < n; i++) {
			__u32 first = 1 + random_below(&random, round % 2 ? 60 : 65535);
			__u32 last = first + random_below(&random, 6);

			last = last > 65535 ? 65535 : last;
			memset(wanted + first, true, last - first + 1);
			len += sprintf(text + len, "%s%u-%u", i ? "," : "", first, last);
		}
		assert_int_equal(pb_ports_parse(text, 0, &ports, &nr, NULL), 0);
		for (size_t i = 0; i < nr; i++) {
			memset(got + ports[i].first, true, ports[i].last - ports[i].first + 1);
			assert_true(!i || ports[i].first >= ports[i - 1].first);
		}
		assert_memory_equal(wanted, got, sizeof(got));
		free(ports);
	}
}

static void test_protocols(void **state)
{
	static const struct wrong wrong[] = {
		{ "tpc", "\"tpc\" is not a protocol (tcp, udp, sctp, dccp, udplite)",
		  "did you mean tcp?" },
		{ "TCP", "\"TCP\" is not a protocol", "did you mean tcp?" },
		{ "icmp", "\"icmp\" is not a protocol", NULL },
		{ "tcp,", "\"tcp,\" has an empty place", "protocols" },
		{ "", "the list of protocols is empty", NULL },
		{ "tcp, udp", "\" udp\" is not a protocol", NULL },
		{ NULL, NULL, NULL },
	};
	unsigned int protocols = 0;
	struct pb_error error = { "" };
	char *text;

	(void)state;
	for (const struct wrong *w = wrong; w->input; w++)
		assert_says(w, pb_protocols_parse(w->input, &protocols, &error), -EINVAL, &error);
	assert_int_equal(protocols, 0);
	assert_int_equal(pb_protocols_parse("udplite,tcp,sctp,tcp", &protocols, &error), 0);
	text = pb_protocols_text(protocols);
	assert_string_equal(text, "tcp,sctp,udplite");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_right),  cmocka_unit_test(test_order),
		cmocka_unit_test(test_wrong),  cmocka_unit_test(test_services),
		cmocka_unit_test(test_random), cmocka_unit_test(test_protocols),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
