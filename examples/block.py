#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
"""Blocks a TCP port on an interface for a minute: block.py INTERFACE PORT, as root.

Options may be left out, and what becomes of the interface is not looked into, so it is room here:
more than it takes.
"""
import ctypes
import sys

pb = ctypes.CDLL("libportblock.so.0")
pb.pb_clock.restype = ctypes.c_uint64
pb.pb_rule_new.restype = ctypes.c_void_p


def call(function, *arguments):
    error = ctypes.create_string_buffer(1024)
    if function(*arguments, error):
        sys.exit(error.value.decode())


def block(interface, port):
    text = ["drop", "tcp", "dport", port, "expires", "1m"]
    words = (ctypes.c_char_p * len(text))(*(word.encode() for word in text))
    rule, ifindex = ctypes.c_void_p(pb.pb_rule_new()), ctypes.c_int()
    rules, ruleset = ctypes.c_void_p(), ctypes.c_void_p()

    call(pb.pb_rule_parse, words, ctypes.c_size_t(len(text)), ctypes.c_uint64(pb.pb_clock()), rule, None)
    call(pb.pb_interface_index, interface.encode(), ctypes.byref(ifindex))
    call(pb.pb_filter_load, ctypes.byref(ifindex), ctypes.c_size_t(1), None, None)
    call(pb.pb_ruleset_open, b"default", ctypes.byref(ruleset))
    call(pb.pb_ruleset_begin, ruleset, ctypes.byref(rules))
    call(pb.pb_rules_add, rules, rule, None, None)
    call(pb.pb_ruleset_commit, ruleset, rules, ctypes.c_uint64(0))
    pb.pb_ruleset_close(ruleset)
    pb.pb_rule_free(rule)


if len(sys.argv) != 3:
    sys.exit("block.py INTERFACE PORT")
block(*sys.argv[1:])
