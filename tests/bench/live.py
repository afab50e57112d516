# SPDX-License-Identifier: GPL-2.0-only
"""Live frames into one end of a veth pair, v1; a filter on the other, v0."""

import os
import sys

import bench

FLOOD = f"{bench.TOOLS}/bench_flood"
# Programs of bench_flood, and what is left out of ours, as less.bpf.c has it.
PARTS = {
    "bare": "bare XDP_DROP",
    "ports": "the limit: ports read, dropped",
    "ours": "xdp-portblock",
    "less-rule": "less the rule's counter",
    "less-outcome": "less the outcome's counter",
    "less-counters": "less both, and which CPU it is",
    "less-helper": "less the question for frames of several buffers",
    "less-length": "less the length",
    "less-table": "less the load of the port's entry",
    "less-state": "less the slot in force and who listens",
    "less-all": "less all of these",
    "xdpfilt_alw_tcp": "xdp-filter, TCP only",
}


def make_world(name):
    """Runs the rest in a network and a mount namespace of its own."""
    if os.environ.get("PB_BENCH_WORLD") != name:
        os.environ["PB_BENCH_WORLD"] = name
        os.execvp("unshare", ["unshare", "-n", "-m", sys.executable, *sys.argv])
    bench.run("mount", "-t", "bpf", "bpf", "/sys/fs/bpf")
    bench.run("ip", "link", "add", "v0", "address", "02:00:00:00:00:01", "type", "veth", "peer",
              "name", "v1", "address", "02:00:00:00:00:02")
    bench.run("ethtool", "-K", "v0", "gro", "on")
    for name in "lo", "v0", "v1":
        bench.run("ip", "link", "set", name, "up")
    bench.run("ip", "address", "add", "10.9.0.1/24", "dev", "v0")


def delivered():
    """IPv4 packets that went past all filters, in this namespace."""
    with open("/proc/self/net/snmp", encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith("Ip:")]
    return int(values[names.index("InDelivers")])


def received():
    """Packets that v0's receiving side has handled."""
    out = bench.run("ethtool", "-S", "v0")
    return sum(int(line.split(":")[1]) for line in out.splitlines()
               if line.strip().startswith("rx_queue_") and "xdp_packets" in line)


def past_all(what, before, handled):
    past = delivered() - before
    if past > handled / 1000:
        bench.die(f"{what}: {past} packets of {handled} were not dropped")


def flood(kind, ports, packets):
    """`kind`: a program of bench_flood, or whatever else is there. Packets a second, and the part that was lost."""
    command = [FLOOD, "--to", "v1", "--from", "v0", "--ports", str(ports), "--packets",
               str(packets)]
    if isinstance(kind, str):
        command += ["--program", kind, "--rules", str(ports)]
    before = received(), delivered()
    _, taken = map(int, bench.run(*command).split())
    handled = received() - before[0]
    past_all(kind, before[1], handled)
    return handled / taken * 1e9, 1 - handled / packets


def turns(programs, ports, packets, rounds, mode):  # pylint: disable=too-many-arguments
    """
    Programs of bench_flood, all loaded at once, in turns of a few hundredths of a second, of which that part is taken that is
    usual: rates by program, round by round. All packets must have been handled. What comes first brings near what is of
    the ports.
    """
    before = received(), delivered()
    output = bench.run(FLOOD, "--to", "v1", "--from", "v0", "--ports", str(ports), "--rules", str(ports), "--mode", mode,
                       "--packets", str(packets), "--settle", str(max(ports, 10000)), "--rounds", str(rounds),
                       "--program", ",".join(programs))
    sent = packets * rounds * len(programs)
    handled = received() - before[0]
    if handled < sent * 0.999:
        bench.die(f"{sent - handled} packets of {sent} were lost")
    past_all(mode, before[1], handled)
    rates = {name: [] for name in programs}
    for line in output.splitlines():
        name, number, taken = line.split()
        rates[name].append(int(number) / int(taken) * 1e9)
    return rates


def compared(rates, others, word):
    """
    Ratios within a round: what disturbs a round disturbs all of it. And of the best of each, and of what three quarters of
    the rounds are slower than: where others use the processors, that is nearer to what both are by themselves.
    """
    ratios = bench.spread([a / b for a, b in zip(rates, others)])
    return {f"of_{word}": ratios, f"best_of_{word}": max(rates) / max(others),
            f"fast_of_{word}": bench.spread(rates)["high"] / bench.spread(others)["high"]}
