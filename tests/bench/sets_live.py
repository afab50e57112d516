# SPDX-License-Identifier: GPL-2.0-only
"""Live frames into one end of a veth pair, each from one of a million sources that the other blocks."""

import subprocess

import bench
import sets_world

FLOOD = f"{bench.TOOLS}/bench_flood"
NUMBER = 1000000
TARGET = 1.0  # seconds a measurement
PORT_RULE = ("drop", "tcp", "dport", "80")


def chain(table, rule):
    """Only the chain comes and goes: to fill the set takes long."""
    bench.run("nft", "-f", "-", input=f"table netdev {table} {{\n chain in {{\n  type filter hook "
              f"ingress device v0 priority 0; policy accept;\n  {rule}\n }}\n}}\n")


def no_chain(table):
    bench.run("nft", "delete", "chain", "netdev", table, "in")


class Nft:
    def __init__(self, table):
        self.table = table

    def __enter__(self):
        chain(self.table, "ip saddr @blocked drop")

    def __exit__(self, *_):
        no_chain(self.table)


class Ipset:
    def __init__(self, name):
        self.name = name

    def __enter__(self):
        bench.run("iptables-restore", input="*raw\n-A PREROUTING -i v0 -p tcp -m set --match-set "
                  f"{self.name} src -j DROP\nCOMMIT\n")

    def __exit__(self, *_):
        bench.run("iptables-restore", input="*raw\nCOMMIT\n")


class Program:
    """One that bench_flood attaches itself."""

    def __init__(self, *options):
        self.options = options

    def __enter__(self):
        pass

    def __exit__(self, *_):
        pass


# name: the list whose members send, and what drops them
FILTERS = {
    "bare XDP_DROP": ("mixture", Program("--program", "bare")),
    "xdp-portblock, a rule for a port": ("mixture", Program("--program", "ours", "--rules", "@port")),
    "xdp-portblock": ("mixture", Program("--program", "ours", "--rules", "@mixture")),
    "ipset hash:net": ("mixture", Ipset("mixture")),
    "nftables, interval set": ("mixture", Nft("mixture")),
    "bare XDP_DROP, hosts": ("hosts", Program("--program", "bare")),
    "xdp-portblock, hosts": ("hosts", Program("--program", "ours", "--rules", "@hosts")),
    "ipset hash:net, hosts": ("hosts", Ipset("hosts")),
    "nftables, hash set, hosts": ("hosts", Nft("hosts")),
}


def delivered():
    """IPv4 packets that went past all filters, in this namespace."""
    with open("/proc/self/net/snmp", encoding="ascii") as file:
        names, values = [line.split() for line in file if line.startswith("Ip:")]
    return int(values[names.index("InDelivers")]) + int(values[names.index("InAddrErrors")])


def received():
    """Packets that v0's receiving side has handled."""
    out = bench.run("ethtool", "-S", "v0")
    return sum(int(line.split(":")[1]) for line in out.splitlines()
               if line.strip().startswith("rx_queue_") and "xdp_packets" in line)


def flood(lists, name, packets):
    """Packets a second, and the part that was lost."""
    kind, dropper = FILTERS[name]
    options = dropper.options if isinstance(dropper, Program) else ()
    with dropper:
        before = received(), delivered()
        _, time = map(int, bench.run(
            FLOOD, "--to", "v1", "--from", "v0", "--packets", str(packets), "--list",
            lists.plain(kind, 4, NUMBER), "--sources", "members", *options).split())
        handled = received() - before[0]
        past = delivered() - before[1]
    if past > handled / 1000:
        bench.die(f"{name}: {past} packets of {handled} were not dropped")
    return handled / time * 1e9, 1 - handled / packets


def fill(lists, rulesets):
    """All have the same elements, of which the stack's stay from round to round."""
    rulesets.load("port", *PORT_RULE)
    for kind in "mixture", "hosts":
        rulesets.load(kind, *PORT_RULE, "from", "@" + sets_world.NAME, room=sets_world.ROOM)
        bench.run(*sets_world.ours("set", "load", "-r", kind, sets_world.NAME,
                                   lists.plain(kind, 4, NUMBER)))
        bench.say(f"sets: live, ipset and nft take the {kind}")
        bench.run("ipset", "restore", "-file", lists.ipset(kind, kind, NUMBER))
        bench.run("nft", "-f", lists.nft(kind, kind, NUMBER))


def empty():
    for kind in "mixture", "hosts":
        for command in ("ipset", "destroy", kind), ("nft", "delete", "table", "netdev", kind):
            subprocess.run(command, check=False, capture_output=True)


def live(lists, rounds):
    rates, lost = {}, {}
    with sets_world.Rulesets(("v2", "v3", "v4")) as rulesets:
        try:
            fill(lists, rulesets)
            packets = {name: max(int(flood(lists, name, 100000)[0] * TARGET), 2000) for name in FILTERS}
            for number in range(rounds):
                bench.say(f"sets: live, round {number + 1} of {rounds}")
                for name in FILTERS:
                    rate, loss = flood(lists, name, packets[name])
                    rates.setdefault(name, []).append(rate)
                    lost[name] = max(lost.get(name, 0), loss)
        finally:
            empty()
    return {"filters": {name: evaluated(name, rates, lost) for name in FILTERS}}


def evaluated(name, rates, lost):
    """Beside bare XDP_DROP, and ours beside it, in the same round."""
    suffix = ", hosts" if name.endswith(", hosts") else ""
    bare, ours = rates["bare XDP_DROP" + suffix], rates["xdp-portblock" + suffix]
    return {"pps": bench.spread(rates[name]), "lost": lost[name],
            "of_bare": bench.spread([a / b for a, b in zip(rates[name], bare)]),
            "ours_to_it": bench.spread([a / b for a, b in zip(ours, rates[name])])}
