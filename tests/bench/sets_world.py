# SPDX-License-Identifier: GPL-2.0-only
"""The world in which sets are measured: rulesets, devices, what was measured."""

import os
import signal
import sys

import bench

TOOL = os.path.join(bench.TOP, "xdp-portblock/xdp-portblock")
NAME = "bench"  # of the set in each ruleset
ROOM = 2097152


def ours(*words):
    return [TOOL, *words]


def make_world(pairs):
    """Runs the rest in a network and a mount namespace of its own, which go with it."""
    if os.environ.get("PB_BENCH_WORLD") != "sets":
        os.environ["PB_BENCH_WORLD"] = "sets"
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, *sys.argv])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    bench.run("mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
    for i in range(0, 2 * pairs, 2):
        bench.run("ip", "link", "add", f"v{i}", "address", f"02:00:00:00:00:{i + 1:02x}", "type",
                  "veth", "peer", "name", f"v{i + 1}", "address", f"02:00:00:00:00:{i + 2:02x}")
        bench.run("ethtool", "-K", f"v{i}", "gro", "on")
        for end in i, i + 1:
            bench.run("ip", "link", "set", f"v{end}", "up")
    bench.run("ip", "link", "set", "lo", "up")
    bench.run("ip", "address", "add", "10.9.0.1/24", "dev", "v0")


class Namespaces:
    """Networks beside this one, for nft, which reads all tables of a network before it changes one."""

    FOLDER = "/run/netns"

    def __init__(self):
        os.makedirs(self.FOLDER, exist_ok=True)
        bench.run("mount", "-t", "tmpfs", "none", self.FOLDER)  # seen in this mount namespace only

    def make(self, name):
        """The option of bench_time that leads there."""
        bench.run("ip", "netns", "add", name)
        return "--netns", f"{self.FOLDER}/{name}"


class Rulesets:
    """Those that the tool has loaded, each on a device of its own; taken down at the end."""

    def __init__(self, devices):
        self.free = list(devices)
        self.used = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for device in self.used.values():
            bench.run(*ours("unload", device))

    def load(self, name, *rule, room=None):
        """With a set where there is room given, and one rule where one is."""
        device = self.free.pop()
        bench.run(*ours("load", device, "-r", name))
        self.used[name] = device
        if room:
            bench.run(*ours("set", "create", NAME, "-r", name, "--max", str(room)))
        if rule:
            bench.run(*ours("rule", "add", "-r", name, *rule))

    def unload(self, name):
        device = self.used.pop(name)
        bench.run(*ours("unload", device))
        self.free.append(device)


def paired(values, others):
    """What is beyond others, round by round, and best less best."""
    result = bench.spread([a - b for a, b in zip(values, others)])
    result["best"] = min(values) - min(others)
    return result


def mitigations():
    """What the kernel says of those that make a call or a return slow."""
    result = {}
    for name in "spec_rstack_overflow", "retbleed", "spectre_v2", "indirect_target_selection":
        try:
            with open(f"/sys/devices/system/cpu/vulnerabilities/{name}", encoding="ascii") as file:
                result[name] = file.read().strip()
        except FileNotFoundError:
            pass
    return result


def world():
    """What a result depends on, and how busy the machine was."""
    return {**bench.world(), "mitigations": mitigations(), "load": os.getloadavg()[0]}
