# SPDX-License-Identifier: GPL-2.0-only
"""What one look-up costs a packet: ours, the kernel's LPM trie and hash with the same elements, and the
one read of memory that none can be without."""

import bench
import sets_world

SIZES = (1000, 10000, 100000, 1000000)
INLINE = 10000

# Ours, and what others have in the same loop. A hash has hosts alone, the barest table IPv4. Where all lengths are in a list
# 0.0.0.0/0 is, so no source is in none.
MIXTURE = (
    ("without:members", "@without", "members", "drop"),
    ("without:others", "@without", "others", "drop"),
    ("ours:members", "@with", "members", "drop"),
    ("ours:others", "@with", "others", "pass"),
    ("nothing:members", "nothing", "members", "drop"),
    ("nothing:others", "nothing", "others", "drop"),
    ("nothing:hosts", "nothing", "hosts", "drop"),
    ("line:members", "line", "members", "drop"),
    ("trie:members", "trie", "members", "drop"),
    ("trie:others", "trie", "others", "pass"),
    ("hash:hosts", "hash", "hosts", "drop"),
    ("hash:others", "hash", "others", "pass"),
    ("without:hosts", "@without", "hosts", "any"),
    ("ours:hosts", "@with", "hosts", "any"),
)
BAREST = (
    ("bucket:hosts", "bucket", "hosts", "any"),
    ("barest:members", "barest", "members", "any"),
    ("barest:others", "barest", "others", "any"),
)
ALL = (
    ("without:members", "@without", "members", "drop"),
    ("without:any", "@without", "any", "drop"),
    ("ours:members", "@with", "members", "drop"),
    ("ours:any", "@with", "any", "drop"),
)
INLINE_CASES = (
    ("nothing:members", "nothing", "members", "drop"),
    ("nothing:others", "nothing", "others", "drop"),
    ("without:members", "@without", "members", "drop"),
    ("without:others", "@without", "others", "drop"),
    ("inline:members", "@inline", "members", "drop"),
    ("inline:others", "@inline", "others", "pass"),
    ("ours:members", "@with", "members", "drop"),
    ("ours:others", "@with", "others", "pass"),
)


def beside(name):
    """What a case's cost is beyond of: the same sources without a look-up."""
    program, sources = name.split(":")
    return f"{'without' if program == 'ours' else 'nothing'}:{sources}"


def measure(cases, family, path, rounds):
    output = bench.run(f"{bench.TOOLS}/bench_lookups", "--rounds", str(rounds), "--family",
                       str(family), "--list", path,
                       input="".join(" ".join(case) + "\n" for case in cases))
    values = {}
    for line in output.splitlines():
        name, *durations = line.split()
        values[name] = [int(duration) for duration in durations]
    return values


def group(cases, family, path, rounds):
    """Loads the list into the set; returns what each look-up is beyond the same without one."""
    bench.run(*sets_world.ours("set", "load", "-r", "with", sets_world.NAME, path))
    values = measure(cases, family, path, rounds)
    result = {name: {"whole": bench.spread(numbers)} for name, numbers in values.items()}
    for name, entry in result.items():
        if not name.startswith(("without", "nothing")):
            entry["beyond"] = sets_world.paired(values[name], values[beside(name)])
    return result


def inline_against_none(lists, rulesets, rounds):
    """A rule with many sources against one without, and against one with a set of the same."""
    path = lists.plain("mixture", 4, INLINE)
    rulesets.load("inline", "drop", "tcp", "dport", "80", "from", "@" + path)
    bench.run(*sets_world.ours("set", "load", "-r", "with", sets_world.NAME, path))
    values = measure(INLINE_CASES, 4, path, rounds)
    rulesets.unload("inline")
    beyond = {name: sets_world.paired(numbers, values["nothing:" + name.split(":")[1]])
              for name, numbers in values.items() if not name.startswith("nothing")}
    return {"whole": {name: bench.spread(numbers) for name, numbers in values.items()},
            "beyond": beyond}


def lookups(lists, rounds):
    result = {"mixture": {}, "all": {}}
    with sets_world.Rulesets(("v0", "v2", "v4")) as rulesets:
        rulesets.load("without", "drop", "tcp", "dport", "80")
        rulesets.load("with", "drop", "tcp", "dport", "80", "from", "@" + sets_world.NAME,
                      room=sets_world.ROOM)
        bench.say("sets: a rule with sources")
        result["inline"] = inline_against_none(lists, rulesets, rounds)
        for kind, cases in ("mixture", MIXTURE), ("all", ALL):
            for family in 4, 6:
                for size in SIZES:
                    bench.say(f"sets: look-ups, {kind}, IPv{family}, {size}")
                    path = lists.plain(kind, family, size)
                    more = BAREST if kind == "mixture" and family == 4 else ()
                    result[kind].setdefault(str(family), {})[str(size)] = group(
                        cases + more, family, path, rounds)
    return result
