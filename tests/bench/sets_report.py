# SPDX-License-Identifier: GPL-2.0-only
"""build/bench/sets.json as text: tables, and the targets with what was measured beside."""

SIZES = ("1000", "10000", "100000", "1000000")
FAMILIES = ("4", "6")
LOOK_LIMITS = {"1000": 12, "10000": 12, "100000": 30, "1000000": 60}  # ns
ALL_FACTOR = 3
TRIE_FACTORS = {"100000": 10, "1000000": 20}
MIB = 2**20


def markdown(titles, rows):
    print("| " + " | ".join(titles) + " |")
    print("| --- " + "| ---: " * (len(titles) - 1) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print()


def verdict(value, limit, at_most=True):
    return "met" if (value <= limit if at_most else value >= limit) else "not met"


def shown(value, digits=1):
    """A spread: the median, and the middle half."""
    return f"{value['median']:,.{digits}f} ({value['low']:,.{digits}f}-{value['high']:,.{digits}f})"


# --- look-ups ---------------------------------------------------------------------------------


def beyond(entry, name):
    value = entry[name]["beyond"]
    return f"{value['best']} ({value['median']:.0f})"


def show_lookups(part):
    print(f"""**One look-up**, nanoseconds a packet beyond the same packet and the same rule without a set, by
BPF_PROG_TEST_RUN: another source in each packet, 1,048,576 drawn before. Hits are sources that elements
hold, misses those that none holds. 70 % of the elements are hosts, 20 % /24 (IPv6: /64), 10 % of any length from
/16 to /31 (/32 to /127). Best less best of {part['rounds']} rounds, in brackets the median of the
differences round by round. The kernel's are its maps alone, called by a program that does nothing else, beyond that
program without the call; the hash has the hosts only. *A read* is one word of an array of as many cache lines as the table of IPv4 has, at a place that the
source says: what memory itself takes here.
""")
    rows = []
    for family in FAMILIES:
        for size in SIZES:
            entry = part["mixture"][family][size]
            rows.append((f"IPv{family}, {int(size):,}", *(beyond(entry, name) for name in (
                "ours:members", "ours:others", "trie:members", "trie:others", "hash:hosts",
                "hash:others", "line:members"))))
    markdown(("elements", "hit", "miss", "LPM trie, hit", "miss", "hash, hit", "miss", "a read"),
             rows)
    print("""What stands in the way: the barest table of hashed prefixes that could be (tests/bench/peers.bpf.c), which has no
sets, no times, no growth, no writer beside it and no lengths but /24 and /32, with the same elements. It asks which
of the two to look for, and hits follow no pattern that a processor could learn. *Hosts*: without that question.
""")
    markdown(("IPv4, elements", "ours, hit", "miss", "hosts", "barest, hit", "miss", "hosts"), [
        (f"{int(size):,}", *(beyond(part["mixture"]["4"][size], name) for name in (
            "ours:members", "ours:others", "ours:hosts", "barest:members", "barest:others", "bucket:hosts")))
        for size in SIZES])
    print("""All lengths in one list, evenly, /0 among them, so that each source is in it: members of elements drawn
evenly, and any sources.
""")
    rows = [(f"IPv{family}, {int(size):,}", beyond(part["all"][family][size], "ours:members"),
             beyond(part["all"][family][size], "ours:any"))
            for family in FAMILIES for size in SIZES]
    markdown(("elements of all lengths", "members", "any source"), rows)
    inline = part["inline"]["beyond"]
    print("""A rule with 10,000 sources, IPv4, written in it or in a set: nanoseconds beyond a program that only drops.
(The table of instructions above has the same rule with the same packet again and again.)
""")
    markdown(("rule", "hit", "miss"), [
        (title, *(f"{inline[f'{name}:{kind}']['best']} ({inline[f'{name}:{kind}']['median']:.0f})"
                  for kind in ("members", "others")))
        for title, name in (("without sources", "without"), ("10,000 in the rule", "inline"),
                            ("10,000 in a set", "ours"))])


def best(entry, name):
    return entry[name]["beyond"]["best"]


def worst(entry, names):
    return max(best(entry, name) for name in names)


def of_all(part, kind):
    """By what the loop takes in all, with all that is before the rule."""
    whole = part["inline"]["whole"]
    return whole[f"inline:{kind}"]["least"] / whole[f"without:{kind}"]["least"]


def lookup_targets(part):
    for family in FAMILIES:
        for size, limit in LOOK_LIMITS.items():
            entry = part["mixture"][family][size]
            values = [best(entry, name) for name in ("ours:members", "ours:others")]
            yield (f"one look among {int(size):,}, IPv{family}, ns", f"{limit}",
                   f"{values[0]} hit, {values[1]} miss", verdict(max(values), limit),
                   f"a read alone {best(entry, 'line:members')} ns")
    for family in FAMILIES:
        for size, factor in TRIE_FACTORS.items():
            entry = part["mixture"][family][size]
            values = [best(entry, f"trie:{kind}") / max(best(entry, f"ours:{kind}"), 1)
                      for kind in ("members", "others")]
            yield (f"as fast as the LPM trie, {int(size):,}, IPv{family}", f"at least {factor} x",
                   f"{values[0]:.1f} x hit, {values[1]:.1f} x miss",
                   verdict(min(values), factor, False), "")
    for family in FAMILIES:
        for size, limit in LOOK_LIMITS.items():
            value = worst(part["all"][family][size], ("ours:members", "ours:any"))
            mixture = worst(part["mixture"][family][size], ("ours:members", "ours:others"))
            yield (f"all lengths, {int(size):,}, IPv{family}, ns", f"{ALL_FACTOR * limit}", value,
                   verdict(value, ALL_FACTOR * limit), f"{value / max(mixture, 1):.1f} x the mixture")
    inline = part["inline"]["beyond"]
    for kind, title in ("members", "hit"), ("others", "miss"):
        ratio = inline[f"inline:{kind}"]["best"] / max(inline[f"without:{kind}"]["best"], 1)
        yield (f"a rule with 10,000 sources to one without, {title}", "1.5 x", f"{ratio:.1f} x",
               verdict(ratio, 1.5), f"{inline[f'inline:{kind}']['best']} ns, with a set "
               f"{inline[f'ours:{kind}']['best']} ns; of the whole packet {of_all(part, kind):.1f} x")


# --- live frames ------------------------------------------------------------------------------


def show_live(part):
    print("""**Packets a second**, in millions: live frames redirected into a veth pair, sender and filter on one CPU;
each packet comes from one of 1,048,576 sources that are members of a list of 1,000,000: the mixture above, or hosts.
nftables works at ingress, ipset in the raw table. xdp-portblock drops by `drop tcp dport 80 from @SET`.
""")
    markdown(("filter", "Mpps", "best", "of bare", "ours to it"), [
        (name, shown({key: value / 1e6 for key, value in entry["pps"].items()}, 2),
         f"{entry['pps']['most'] / 1e6:.2f}", f"{entry['of_bare']['median']:.2f}",
         f"{entry['ours_to_it']['median']:.2f}") for name, entry in part["filters"].items()])


def live_targets(part):
    filters = part["filters"]
    for name, other in (("xdp-portblock", "prefixes"), ("xdp-portblock, hosts", "hosts")):
        value = filters[name]["of_bare"]
        yield (f"live frames of bare XDP_DROP, 1,000,000 {other}", "at least 0.7", shown(value, 2),
               verdict(value["median"], 0.7, False),
               "" if value["median"] >= 0.7 else "the look-up, above, where all else takes "
               f"{1e9 / filters['bare XDP_DROP']['pps']['most']:.0f} ns")
    for name in ("ipset hash:net", "nftables, interval set", "ipset hash:net, hosts",
                 "nftables, hash set, hosts"):
        value = filters[name]["ours_to_it"]
        yield (f"live frames to {name}", "at least 3 x", shown(value, 2),
               verdict(value["median"], 3, False), "")


# --- commands and memory ----------------------------------------------------------------------


def show_commands(part):
    print(f"""**Commands** about sets, wall time in milliseconds, process start included, and peak memory. Rounds:
{part['rounds']}; once a round what takes seconds, in the first one only what takes many, and single elements in
20 turns. nft's tables are in networks of their own, since it reads all tables of one.
""")
    markdown(("command", "least", "median", "middle half", "peak"), [
        (name, f"{1e3 * v['least']:,.1f}", f"{1e3 * v['median']:,.1f}",
         f"{1e3 * v['low']:,.1f}-{1e3 * v['high']:,.1f}", f"{v['memory'] / MIB:,.0f} MiB")
        for name, v in part["commands"].items()])


def command_targets(part):
    commands, ratios = part["commands"], part["ratios"]
    for there in 10, 1000000:
        value = commands[f"set add, {there} there"]
        yield (f"set add, {there:,} there, ms", "2",
               f"{1e3 * value['least']:.1f} (median {1e3 * value['median']:.1f})",
               verdict(value["least"], 0.002), "")
        value = ratios[f"set add, {there} there / xdp-filter ip"]
        yield (f"set add to xdp-filter's own, {there:,} there", "1.5 x", shown(value, 2),
               verdict(value["median"], 1.5), "")
    whole = [(f"set {verb}, 1000000 prefixes, IPv{family}", 1)
             for verb in ("load", "list") for family in FAMILIES]
    for name, limit in (("20000 by set add, a command each", 40), ("20000 by one set add -", 0.2),
                        *whole):
        least = commands[name]["least"]
        yield f"{name}, s", f"{limit}", f"{least:.2f}", verdict(least, limit), ""
    for family in FAMILIES:
        peak = commands[f"set load, 1000000 prefixes, IPv{family}"]["memory"]
        yield (f"set load, 1000000 prefixes, IPv{family}, peak MB", "200", f"{peak / 1e6:.0f}",
               verdict(peak, 200e6), "")


def show_memory(part):
    print(f"""**Kernel memory** of sets, beyond a ruleset without any, which has {sum(part['without'].values()) / MIB:.1f} MiB; what
the kernel says of each map. ipset hash:net with a million IPv4 hosts: {part['ipset'] / MIB:.1f} MiB.
""")
    names = {"hosts4": "1,000,000 IPv4 hosts", "hosts6": "1,000,000 IPv6 hosts",
             "mixture4": "1,000,000 IPv4 prefixes", "mixture6": "1,000,000 IPv6 prefixes"}
    markdown(("elements", "MiB"), [(names[name], f"{entry['bytes'] / MIB:.1f}")
                                   for name, entry in part["sets"].items()])


def memory_targets(part):
    for family, limit in ("4", 32), ("6", 64):
        value = part["sets"]["hosts" + family]["bytes"] / MIB
        yield (f"kernel memory of 1,000,000 IPv{family} hosts, MiB", f"{limit}", f"{value:.1f}",
               verdict(value, limit), "")


# --- all of it --------------------------------------------------------------------------------


PARTS = {
    "lookups": (show_lookups, lookup_targets),
    "live": (show_live, live_targets),
    "commands": (show_commands, command_targets),
    "memory": (show_memory, memory_targets),
}


def all_of(worlds, key):
    return ", ".join(sorted({world[key] for world in worlds}))


def show_world(parts):
    worlds = [part["world"] for part in parts]
    world = worlds[0]
    returns = world["mitigations"].get("spec_rstack_overflow", "not said")
    print(f"""Measured by `tests/bench/sets` on {all_of(worlds, 'date')}, commit {all_of(worlds, 'commit')}: Linux
{world['kernel']}, {world['cpus']} CPUs ({world['processor']}), shared with other work (load
{min(w['load'] for w in worlds):.1f} to {max(w['load'] for w in worlds):.1f} when parts ended). All that is compared took turns in the same run; in brackets is the middle half of the rounds.
Speculative return stack overflow: {returns}; Spectre v2:
{world['mitigations'].get('spectre_v2', 'not said')}.""")
    if "Safe RET" in returns:
        print("With safe RET each return from a function costs a packet about 7 ns on this machine.")
    print()


def text(result):
    parts = {name: result[name] for name in PARTS if name in result}
    if not parts:
        return
    show_world(list(parts.values()))
    for name, part in parts.items():
        PARTS[name][0](part)
    print("**What was aimed at**, by the best of the rounds, ratios by the median of them:\n")
    markdown(("figure", "target", "measured", "", "beside it"),
             [row for name, part in parts.items() for row in PARTS[name][1](part)])
