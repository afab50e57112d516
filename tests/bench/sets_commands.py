# SPDX-License-Identifier: GPL-2.0-only
"""How long commands about sets take, and how much memory: ours and others', in turns."""

import bench
import sets_lists
import sets_world

FEW, MANY, BANS = 10, 1000000, 20000
TURNS = 20  # in a round, of what takes milliseconds
SLOW_ROUNDS = 1  # of what takes many seconds
FIRST_BAN = 100000  # of what is in no list; the numbers before are for single elements
LONG = 2  # seconds, after which it is said what took so long
XDP_FILTER_BANS = 9000  # its map has room for 10,000
NAME = sets_world.NAME
TABLES = {"few": FEW, "many": MANY}
NFT = {"hash": "hosts", "interval": "mixture"}  # kinds of its sets, and what is in them


class Results:
    def __init__(self):
        self.seconds = {}
        self.memory = {}

    def run(self, name, *command, **options):
        seconds, memory = bench.timed(*command, **options)
        self.seconds.setdefault(name, []).append(seconds)
        self.memory[name] = max(memory, self.memory.get(name, 0))
        if seconds > LONG:
            bench.say(f"sets: {name} took {seconds:.1f} s")

    def shown(self):
        return {name: {**bench.spread(values), "memory": self.memory[name]}
                for name, values in self.seconds.items()}

    def ratio(self, name, to):
        """Round by round."""
        return bench.spread([a / b for a, b in zip(self.seconds[name], self.seconds[to])])


def tool_set(verb, ruleset, *words):
    return sets_world.ours("set", verb, "-r", ruleset, *words)


def quietly(*command):
    """What it prints goes nowhere: no reader that it would wait for."""
    return ("sh", "-c", 'exec "$@" >/dev/null', "sh", *command)


def one_by_one(path, *command):
    """A command for each line of a file, which is its last word; stops at the first that fails."""
    return ("sh", "-c", 'list=$1; shift; while read -r word; do "$@" "$word" || exit 1; done <"$list"',
            "sh", path, *command)


def nft_tables():
    """A name for each: what it has, and how many."""
    return [(f"{kind}_{table}", kind, table) for kind in NFT for table in TABLES]


def fill(lists, rulesets, namespaces):
    """What is there before: few and many elements, ours and others'. Returns where nft's are."""
    where = {name: namespaces.make(name) for name, _, _ in nft_tables()}
    for table, number in TABLES.items():
        bench.say(f"sets: commands, {number} elements for each")
        rulesets.load(table, room=sets_world.ROOM)
        path = lists.plain("mixture", 4, number)
        bench.run(*tool_set("load", table, NAME, path))
        bench.run("ipset", "restore", "-file", lists.ipset(table, "mixture", number))
    for name, kind, table in nft_tables():
        bench.timed(*where[name], "nft", "-f", lists.nft(name, NFT[kind], TABLES[table]))
    rulesets.load("bans", room=65536)
    bench.run("xdp-filter", "load", "v5")
    return where


def adds(results, number, where):
    """One element that is not there, and its end; each turn another one."""
    element = sets_lists.free4(number)
    for table, there in TABLES.items():
        results.run(f"set add, {there} there", *tool_set("add", table, NAME, element))
        results.run(f"set test, {there} there", *tool_set("test", table, NAME, element))
        results.run(f"set del, {there} there", *tool_set("del", table, NAME, element))
    results.run("xdp-filter ip", "xdp-filter", "ip", "-m", "src", element)
    for table, there in TABLES.items():
        results.run(f"ipset add, {there} there", "ipset", "add", table, element)
    for name, kind, table in nft_tables():
        # Among many intervals it takes minutes.
        if (kind, table) != ("interval", "many") or number < SLOW_ROUNDS:
            results.run(f"nft add element, {kind}, {TABLES[table]} there", *where[name], "nft",
                        "add", "element", "netdev", name, "blocked", f"{{ {element} }}")


def bans(lists, results, number):
    path = lists.write("bans", (f"{sets_lists.free4(FIRST_BAN + i)}\n" for i in range(BANS)))
    stream = tool_set("add", "bans", NAME, "-")
    with open(path, encoding="ascii") as file:
        results.run(f"{BANS} by one set add -", *stream, stdin=file)
    bench.run(*tool_set("flush", "bans", NAME))
    if number >= SLOW_ROUNDS:
        return
    results.run(f"{BANS} by set add, a command each",
                *one_by_one(path, *tool_set("add", "bans", NAME)))
    bench.run(*tool_set("flush", "bans", NAME))
    half = lists.write("half", (f"{sets_lists.free4(FIRST_BAN + i)}\n" for i in range(XDP_FILTER_BANS)))
    results.run(f"{XDP_FILTER_BANS} by xdp-filter ip, a command each",
                *one_by_one(half, "xdp-filter", "ip", "-m", "src"))
    bench.run("xdp-filter", "unload", "v5")
    bench.run("xdp-filter", "load", "v5")
    bench.run("ipset", "create", "bans", "hash:net")
    results.run(f"{BANS} by ipset add, a command each", *one_by_one(path, "ipset", "add", "bans"))
    bench.run("ipset", "destroy", "bans")


def whole_lists(lists, results, number):
    """A million, read, listed and put in the place of others."""
    for family in 4, 6:
        path = lists.plain("mixture", family, MANY)
        results.run(f"set load, {MANY} prefixes, IPv{family}", *tool_set("load", "many", NAME, path))
        results.run(f"set list, {MANY} prefixes, IPv{family}",
                    *quietly(*tool_set("list", "many", NAME)))
    bench.run(*tool_set("load", "many", NAME, lists.plain("mixture", 4, MANY)))
    results.run(f"ipset restore, {MANY} prefixes", "ipset", "restore", "-file",
                lists.ipset("again", "mixture", MANY))
    results.run(f"ipset list, {MANY} prefixes", *quietly("ipset", "list", "again"))
    bench.run("ipset", "destroy", "again")
    if number >= SLOW_ROUNDS:
        return
    for title, kind in NFT.items():
        results.run(f"nft -f, {title}, {MANY} there", "nft", "-f", lists.nft("again", kind, MANY))
        bench.run("nft", "delete", "table", "netdev", "again")


def empty():
    """What is not the tool's."""
    bench.run("xdp-filter", "unload", "v5")


def commands(lists, rounds):
    results = Results()
    with sets_world.Rulesets(("v0", "v2", "v4")) as rulesets:
        where = fill(lists, rulesets, sets_world.Namespaces())
        for number in range(rounds):
            bench.say(f"sets: commands, round {number + 1} of {rounds}")
            for turn in range(TURNS):
                adds(results, number * TURNS + turn, where)
            bans(lists, results, number)
            whole_lists(lists, results, number)
    empty()
    many = f"set add, {MANY} there"
    ratios = {f"{a} / {b}": results.ratio(a, b) for a, b in (
        (f"set add, {FEW} there", "xdp-filter ip"), (many, "xdp-filter ip"),
        (many, f"ipset add, {MANY} there"), (many, f"nft add element, hash, {MANY} there"),
        (many, f"nft add element, interval, {MANY} there"))}
    return {"commands": results.shown(), "ratios": ratios}
