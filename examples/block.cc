// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
// Blocks a TCP port on an interface for a minute: block INTERFACE PORT, as root.
#include <iostream>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <portblock/portblock.h>

// Throws what a call of the library has said.
static void check(int ret, const pb_error &error)
{
	if (ret)
		throw std::runtime_error(error.text);
}

static void block(const char *name, std::string port)
{
	std::string drop = "drop", tcp = "tcp", dport = "dport", expires = "expires", minute = "1m";
	char *const words[] = { &drop[0], &tcp[0], &dport[0], &port[0], &expires[0], &minute[0] };
	pb_load_options options = {};
	options.size = sizeof(options);
	pb_error error;
	pb_rules *rules;
	pb_ruleset *opened;
	int ifindex;

	std::unique_ptr<pb_rule, void (*)(pb_rule *)> rule(pb_rule_new(), pb_rule_free);
	if (!rule)
		throw std::bad_alloc();
	check(pb_rule_parse(words, 6, pb_clock(), rule.get(), nullptr, &error), error);
	check(pb_interface_index(name, &ifindex, &error), error);
	check(pb_filter_load(&ifindex, 1, &options, nullptr, &error), error);
	check(pb_ruleset_open("default", &opened, &error), error);
	std::unique_ptr<pb_ruleset, void (*)(pb_ruleset *)> ruleset(opened, pb_ruleset_close);
	check(pb_ruleset_begin(opened, &rules, &error), error);
	int ret = pb_rules_add(rules, rule.get(), nullptr, nullptr, &error);
	if (ret)
		pb_ruleset_abort(opened, rules);
	else
		ret = pb_ruleset_commit(opened, rules, 0, &error);
	check(ret, error);
}

int main(int argc, char **argv)
try {
	if (argc != 3)
		throw std::runtime_error("block INTERFACE PORT");
	block(argv[1], argv[2]);
	return 0;
} catch (const std::exception &e) {
	std::cerr << e.what() << '\n';
	return 1;
}
