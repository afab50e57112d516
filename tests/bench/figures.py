# SPDX-License-Identifier: GPL-2.0-only
"""What stands in build/bench/*.json as figures: a name, a number, its unit, and of what it is a ratio.

Of each benchmark those of ours; what others take is in its own table and in its ratios.
"""

import collections

import bench

# `name` begins with the benchmark and a slash. `of`: what a ratio is to; empty for all else.
Figure = collections.namedtuple("Figure", "name value unit of")
# What was measured at once: `machine` is what times depend on, and for what is counted who counted.
Part = collections.namedtuple("Part", "commit date kernel machine figures")

MIB = 2**20
PEERS = ("alw_", "dny_", "nothing", "xdpfilt_")
LIMIT = "a program that reads the ports and drops"
COUNTED = "instructions, counted by qemu"


def ratio(name, value, of):
    return Figure(name, round(value, 3), "x", of)


def part(world, figures, kernel=None, machine=None):
    return Part(world.get("commit"), world["date"], kernel or world["kernel"],
                machine or f"{world['processor']}, {world['cpus']} CPUs", list(figures))


def of_ours(cases):
    return [(name, value) for name, value in cases.items() if not name.startswith(PEERS)]


# --- each benchmark -----------------------------------------------------------------------------


def insns(result):
    """What is counted depends on the compiler."""
    def figures():
        for how, prefix in ("direct", ""), ("dispatched", "dispatched/"):
            cases = result[how]
            for name, value in of_ours(cases):
                yield Figure(f"insns/{prefix}{name}", value, "instructions", "")
            for ours, peer in ("drop:tcp4", "hit:tcp4"), ("miss:tcp4", "miss:tcp4"):
                if f"alw_tcp:{peer}" in cases:
                    yield ratio(f"insns/{prefix}{ours} to xdp-filter's", cases[ours] / cases[f"alw_tcp:{peer}"],
                                "xdp-filter, TCP only")
        for name, value in of_ours(result["parts"]):
            yield Figure(f"insns/parts/{name}", value, "instructions", "")
        # One is alone in the place of the dispatcher, which the second brings: each further one is from the third on.
        for name, values in of_ours(result["chained"]):
            yield Figure(f"insns/chained/{name}, ten", values[-1], "instructions", "")
            yield Figure(f"insns/chained/{name}, each further one", round((values[-1] - values[1]) / (len(values) - 2)),
                         "instructions", "")
    yield part(result["world"], figures(), result["kernel"], f"{COUNTED}; {result['clang']}")


def native(result):
    def figures():
        for case, entry in result["cases"].items():
            yield Figure(f"native/{case}", entry["native"], "instructions", "")
            yield ratio(f"native/{case} to the BPF engine's", entry["native"] / entry["bpf"],
                        f"the same by the BPF engine, {entry['bpf']}")
    yield part(result["world"], figures(), result["kernel"], f"{COUNTED}; {result['rustc']}")


def ns(result):
    def figures():
        for table, prefix in ("one_port", ""), ("any_port", "any port, "):
            for name, value in of_ours(result[table]):
                if name != "bare":
                    yield Figure(f"ns/{prefix}{name}", value["net"], "ns", "")
    yield part(result["world"], figures())


def rates(result):
    yield part(result["world"], (
        Figure(f"rates/{name}, {int(sources):,} sources", case["beyond"]["best"], "ns", "")
        for sources, cases in result["sources"].items() for name, case in cases.items()))


def reject(result):
    def figures():
        for floods in result["floods"]:
            flood = f"{floods['rate']:,} a second" if floods["rate"] else "as many as it takes"
            yield Figure(f"reject/rejected, {flood}", round(floods["pps"]["reject"]["median"] / 1e6, 3), "Mpps", "")
            yield ratio(f"reject/to dropped, {flood}", floods["ratio"]["median"], "the same, dropped")
            yield ratio(f"reject/answers, {flood}", floods["of_cap"], "what is allowed")
        for name, entry in result["clients"].items():
            yield Figure(f"reject/refused, {name}", round(entry["median"], 3), "ms", "")
    yield part(result["world"], figures())


def is_our_command(name):
    return not name.startswith(("nft", "ipset", "xdp-filter")) and " by ipset" not in name and " by xdp-filter" not in name


def commands(prefix, measured):
    for name, value in measured["commands"].items():
        if is_our_command(name):
            yield Figure(f"{prefix}/{name}", round(1e3 * value["median"], 1), "ms", "")
    for name, value in measured["ratios"].items():
        ours, other = name.split(" / ", 1)
        yield ratio(f"{prefix}/{ours} to {other}", value["median"], other)


def control(result):
    def figures():
        yield from commands("control", result)
        for cpus, key in (result["maps"]["cpus"], "here"), (64, "cpus_64"):
            yield Figure(f"control/kernel memory, {cpus} CPUs", round(result["maps"][key] / MIB, 2), "MiB", "")
    yield part(result["world"], figures())


def pps(result):
    def figures():
        for name, of_ports in result["filters"].items():
            for ports, entry in of_ports.items() if name.startswith("xdp-portblock") else ():
                title = f"pps/{name}, ports: {int(ports):,}"
                yield Figure(title, round(entry["pps"]["median"] / 1e6, 3), "Mpps", "")
                yield ratio(title + ", to bare", entry["of_bare"]["median"], "bare XDP_DROP")
                yield ratio(title + ", to the limit", entry["of_limit"]["median"], LIMIT)
    yield part(result["world"], figures())


def parts(result):
    """What is ours, and ours less one part at a time; rates by themselves are those of the machine's hour."""
    def figures():
        for mode, of_ports in result["modes"].items():
            for ports, of_name in of_ports.items():
                for name, entry in of_ours(of_name):
                    if name not in ("bare", "ports"):
                        yield ratio(f"parts/{mode}, ports: {int(ports):,}, {name}", entry["of_limit"]["median"], LIMIT)
                theirs = of_name["xdpfilt_alw_tcp"]["of_ours"]["median"]
                yield ratio(f"parts/{mode}, ports: {int(ports):,}, to xdp-filter's", 1 / theirs, "xdp-filter, TCP only")
    yield part(result["world"], figures())


def lookups(measured):
    for table, title in ("mixture", ""), ("all", "all lengths, "):
        for family, sizes in measured[table].items():
            for size, cases in sizes.items():
                for name, case in cases.items():
                    if name.startswith("ours:"):
                        yield Figure(f"sets/look-up, {title}{int(size):,}, IPv{family}, {name[5:]}",
                                     case["beyond"]["best"], "ns", "")
    for name, value in measured["inline"]["beyond"].items():
        if name.startswith(("inline:", "ours:")):
            where = "in the rule" if name.startswith("inline") else "in a set"
            yield Figure(f"sets/10,000 sources {where}, {name.split(':')[1]}", value["best"], "ns", "")


def live(measured):
    for name, entry in measured["filters"].items():
        if name.startswith("xdp-portblock"):
            yield Figure(f"sets/{name}", round(entry["pps"]["median"] / 1e6, 2), "Mpps", "")
            yield ratio(f"sets/{name}, to bare", entry["of_bare"]["median"], "bare XDP_DROP")
        elif name.startswith(("ipset", "nftables")):
            yield ratio(f"sets/live frames to {name}", entry["ours_to_it"]["median"], name)


def memory(measured):
    for name, entry in measured["sets"].items():
        yield Figure(f"sets/kernel memory, 1,000,000 {name}", round(entry["bytes"] / MIB, 1), "MiB", "")


def sets(result):
    """Its parts may be of several versions."""
    parts = {"lookups": lookups, "live": live, "commands": lambda measured: commands("sets", measured), "memory": memory}
    for name, figures in parts.items():
        if name in result:
            yield part(result[name]["world"], figures(result[name]))


def fleet(result):
    def figures():
        for key, title in (("in_force", "push to in force"), ("last", "push to in force, the last host"),
                           ("heard", "push to heard"), ("whole", "push, from beginning to end"),
                           ("banned", "a ban, to dropped"), ("banned_last", "a ban, to dropped, the last host")):
            if result[key]:
                yield Figure(f"fleet/{title}", round(1e3 * result[key]["p50"], 1), "ms", "")
        yield Figure("fleet/etcd, a push, processor", round(1e3 * result["cpu_push"], 1), "ms", "")
        yield Figure("fleet/etcd's memory at the end", round(result["memory"]["end"] / MIB, 1), "MiB", "")
        yield Figure("fleet/bytes a host, a push", round(result["bytes_push"]), "bytes", "")
        yield Figure("fleet/an idle agent's memory, PSS", round(result["idle"]["agent"]["Pss"] / MIB, 1), "MiB", "")
    yield part(result["world"], figures())


def cpus(result):
    def figures():
        for case, entry in result["cases"].items():
            yield Figure(f"cpus/{case}, alone", round(entry["alone"]["median"] / 1e6, 2), "Mpps", "")
            yield ratio(f"cpus/{case}, two to one", entry["ratio"]["median"], "one CPU alone")
    yield part(result["world"], figures())


# In the order in which `make bench` runs them: what is soonest done comes first.
BENCHMARKS = {function.__name__: function
              for function in (insns, native, ns, cpus, rates, reject, parts, control, pps, fleet, sets)}


def parts_of(name):
    """The parts of what a benchmark has left in build/bench, or None where it has left nothing."""
    result = bench.load(name)
    if result is None:
        return None
    try:
        return list(BENCHMARKS[name](result))
    except (KeyError, TypeError, AttributeError, ValueError, ZeroDivisionError) as error:
        bench.die(f"build/bench/{name}.json is not what tests/bench/{name} writes today: {error!r}")
