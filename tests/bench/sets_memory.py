# SPDX-License-Identifier: GPL-2.0-only
"""Kernel memory of a ruleset with sets: what the kernel says of each of its maps."""

import json
import os
import re
import sys

import bench
import sets_world

NUMBER = 1000000
FOLDER = "/sys/fs/bpf/xdp-portblock"


def show(*which):
    return json.loads(bench.run("bpftool", "-j", "map", "show", *which))


def inner_ids(path):
    """Of the maps that lie in a map of maps, each once: those that are let go have one in their place."""
    return {int.from_bytes((int(byte, 16) for byte in entry["value"]), sys.byteorder)
            for entry in json.loads(bench.run("bpftool", "-j", "map", "dump", "pinned", path))}


def maps_of(ruleset):
    """Bytes by the name of the map; the inner ones are with the map that they lie in."""
    result = {}
    for name in sorted(os.listdir(os.path.join(FOLDER, ruleset))):
        path = os.path.join(FOLDER, ruleset, name)
        if os.path.isdir(path):
            continue
        entry = show("pinned", path)
        size = int(entry["bytes_memlock"])
        if entry["type"].endswith("_of_maps"):
            size += sum(int(show("id", str(i))["bytes_memlock"]) for i in inner_ids(path))
        result[name] = size
    return result


def of_ipset(lists):
    """As it says itself."""
    bench.run("ipset", "restore", "-file", lists.ipset("memory", "hosts", NUMBER))
    out = bench.run("ipset", "list", "-t", "memory")
    bench.run("ipset", "destroy", "memory")
    return int(re.search(r"Size in memory: (\d+)", out).group(1))


def memory(lists, _rounds):
    result = {}
    with sets_world.Rulesets(("v0",)) as rulesets:
        rulesets.load("memory")
        none = maps_of("memory")
        bench.run(*sets_world.ours("set", "create", sets_world.NAME, "-r", "memory", "--max",
                                   str(sets_world.ROOM)))
        for kind in "hosts", "mixture":
            for family in 4, 6:
                bench.say(f"sets: memory of {NUMBER} {kind}, IPv{family}")
                bench.run(*sets_world.ours("set", "load", "-r", "memory", sets_world.NAME,
                                           lists.plain(kind, family, NUMBER)))
                maps = maps_of("memory")
                result[f"{kind}{family}"] = {"bytes": sum(maps.values()) - sum(none.values()),
                                             "maps": maps}
                bench.run(*sets_world.ours("set", "flush", "-r", "memory", sets_world.NAME))
    return {"without": none, "sets": result, "ipset": of_ipset(lists)}
