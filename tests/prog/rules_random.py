# SPDX-License-Identifier: GPL-2.0-only
"""Random rulesets whose rules meet often, and packets at their borders. All from one seed."""

import ipaddress
from random import Random

from packets import EXTENSION, ETHERTYPE, PROTOCOL, ethernet, extension, ipv4, ipv6, transport
from rules_judge import BITS, Over, Packet, Rule, Ruleset, holds

ANY = ((4, 0, 0), (6, 0, 0))
# Both families from the same few bytes, so that one taken for the other would match.
BYTES = (0x00, 0x0A, 0x0B, 0x80, 0xFF)
LENGTHS = {4: (1, 7, 8, 9, 16, 17, 24, 30, 31, 32), 6: (1, 8, 9, 32, 33, 64, 96, 126, 127, 128)}
# What may be looked at over one port before a rule without conditions
MAX_CONDITIONAL = 7
SOON = (3, 6)  # seconds: ends while the test runs; all other times do not
LATER = (3600, 5400, 172800)
# The runner's tables are small: see weight().
MAX_WEIGHT = 640
DURATIONS = {3: "3s", 6: "6s", 3600: "1h", 5400: "1h30m", 172800: "2d"}


def masked(family, number, length):
    shift = BITS[family] - length
    return family, number >> shift << shift, length


def covered(prefix, others):
    """Do the others hold all of the prefix?"""
    family, number, length = prefix
    inside = [other for other in others if other[0] == family]
    if any(other[2] <= length and holds(other, family, number) for other in inside):
        return True
    if not any(holds(prefix, family, other[1]) for other in inside):
        return False
    half = 1 << (BITS[family] - length - 1)
    return all(covered((family, start, length + 1), others) for start in (number, number + half))


def weight(rules):
    """About so many decisions do the rules need: two for each region of sources (one at its
    place, one it leads to) of each set of rules that meet over a port."""
    covers = set()
    for protocol in PROTOCOL:
        for side in ("dport", "sport"):
            chosen = [rule for rule in rules if rule.side == side and protocol in rule.protocols]
            for port in {first for rule in chosen for ends in rule.ranges
                         for first in (ends[0], ends[1] + 1)}:
                covers.add(frozenset((rule, min(widths)) for rule in chosen if (widths := [
                    last - first for first, last in rule.ranges if first <= port <= last])))
    return sum(2 + 2 * len({prefix for rule, _ in cover
                            for prefix in rule.sources | rule.exceptions}) for cover in covers)


class World:
    """What the rules of one ruleset choose from."""

    def __init__(self, seed, number):
        self.random = Random(f"{seed} {number}")
        few = [self.random.randrange(1, 60) for _ in range(7)]
        many = [self.random.randrange(1, 65536) for _ in range(5)]
        self.borders = sorted({1, 65535, *few, *many})
        self.protocols = self.random.sample(list(PROTOCOL), self.random.randrange(1, 6))
        self.prefixes = self.make_prefixes()
        self.expiring = self.random.choice((0, 0.3, 0.6))
        self.sourced = self.random.choice((0, 0.3, 0.6, 0.9))
        self.rated = self.random.choice((0, 0, 0.3, 0.6))
        # About the moment of an end nobody knows what was taken out of buckets.
        self.ends = LATER if self.rated else (*SOON, *LATER)
        self.conditional = {"dport": 0, "sport": 0}

    def chance(self, share):
        return self.random.random() < share

    # -- sources

    def address(self, family):
        size = BITS[family] // 8
        first = 0x0A if self.chance(0.7) else self.random.choice(BYTES)
        rest = [0 if self.chance(0.8) else self.random.choice(BYTES) for _ in range(size - 1)]
        return int.from_bytes(bytes((first, *rest)), "big")

    def make_prefixes(self):
        """Nested ones: several lengths of the same addresses."""
        prefixes = set(self.random.sample(ANY, self.random.randrange(3)))
        for family in (4, 6):
            for _ in range(self.random.randrange(1, 4)):
                number = self.address(family)
                for length in self.random.sample(LENGTHS[family], self.random.randrange(1, 5)):
                    prefixes.add(masked(family, number, length))
        if self.chance(0.3):  # what must not hold 10.0.0.0
            prefixes.add((6, 0xFFFF0A000000, 104))
        return sorted(prefixes)

    def some(self, share):
        return frozenset(prefix for prefix in self.prefixes if self.chance(share))

    def sources(self):
        if not self.chance(self.sourced):
            return frozenset(), frozenset()
        sources = self.some(0.25) if self.chance(0.7) else frozenset()
        exceptions = self.some(0.2) if self.chance(0.6) else frozenset()
        # A rule of which nothing is left is refused.
        if all(covered(prefix, exceptions) for prefix in sources or ANY):
            exceptions = frozenset()
        return sources, exceptions

    # -- rules

    def ranges(self):
        ranges = set()
        for _ in range(self.random.choice((1, 1, 1, 2, 3, 9))):
            first = self.random.choice(self.borders)
            last = first if self.chance(0.5) else self.random.choice(self.borders)
            ranges.add((min(first, last), max(first, last)))
        return frozenset(ranges)

    def over(self):
        if not self.chance(self.rated):
            return None
        burst, each, total = self.random.randrange(1, 16), None, None
        if self.chance(0.5):
            each = self.random.choice(((32, 64), (24, 64), (8, 9), (31, 128), (1, 1)))
            total = self.random.choice((None, 1, 2, 3))
        return Over(burst, each, total)

    def conditions(self, side, protocols):
        """-> (new, expires, over)"""
        if self.conditional[side] == MAX_CONDITIONAL:
            return False, None, None
        new = side == "dport" and protocols <= {"tcp", "udp"} and self.chance(0.2)
        expires = self.random.choice(self.ends) if self.chance(self.expiring) else None
        over = self.over()
        self.conditional[side] += new or expires is not None or over is not None
        return new, expires, over

    def rule(self):
        action = self.random.choice(("drop", "allow", "audit"))
        side = "dport" if self.chance(0.7) else "sport"
        protocols = frozenset(self.random.sample(
            self.protocols, self.random.randrange(1, len(self.protocols) + 1)))
        sources, exceptions = self.sources()
        conditions = self.conditions(side, protocols)
        return Rule(action, protocols, side, self.ranges(), sources, exceptions, *conditions)

    def again(self, rule):
        """The same rule, and yet another action and another end."""
        expires = None
        if rule.expires is not None or rule.new or rule.over is not None:
            expires = self.random.choice((None, *self.ends))
        return rule._replace(action=self.random.choice(("drop", "allow", "audit")),
                             expires=expires)

    def ruleset(self):
        """-> (Ruleset, its text)"""
        deny = self.chance(0.5)
        ruleset, lines = Ruleset(deny), [f"policy {'deny' if deny else 'allow'}"]
        for _ in range(self.random.choice((0, 1, 2, 5, 10, 10, 20, 20, 40))):
            repeated = ruleset.rules and self.chance(0.1)
            rule = self.again(self.random.choice(ruleset.rules)) if repeated else self.rule()
            if weight(ruleset.rules + [rule]) > MAX_WEIGHT:
                continue
            ruleset.add(rule)
            lines.append(self.text(rule))
        return ruleset, "\n".join(lines) + "\n"

    # -- text: one rule has many

    def prefix_text(self, prefix):
        family, number, length = prefix
        if length < BITS[family] and self.chance(0.1):  # bits that are to be cleared
            number |= 1
        make = ipaddress.IPv4Address if family == 4 else ipaddress.IPv6Address
        if length == BITS[family] and self.chance(0.5):
            return str(make(number))
        return f"{make(number)}/{length}"

    def shuffled(self, words):
        words = list(words)
        self.random.shuffle(words)
        return ",".join(words)

    def over_text(self, over):
        text = f"over 1/h burst {over.burst}"
        if over.each:
            text += " each source"
            if over.each != (32, 64) or self.chance(0.5):
                text += f"/{over.each[0]}"
            if over.each[1] != 64:
                text += f",{over.each[1]}"
        return text if over.total is None else text + f" total {over.total}/h"

    def text(self, rule):
        ports = self.shuffled(str(first) if first == last else f"{first}-{last}"
                              for first, last in sorted(rule.ranges))
        protocols = self.shuffled(sorted(rule.protocols))
        fields = []
        for word, prefixes in (("from", rule.sources), ("except", rule.exceptions)):
            if prefixes:
                fields.append(f"{word} {self.shuffled(map(self.prefix_text, sorted(prefixes)))}")
        if rule.new:
            fields.append("new")
        if rule.expires is not None:
            fields.append(f"expires {DURATIONS[rule.expires]}")
        if rule.over is not None:
            fields.append(self.over_text(rule.over))
        self.random.shuffle(fields)
        if rule.side == "dport" and self.chance(0.3):
            words = [f"{ports}/{protocols}"]
        elif rule.protocols == {"tcp", "udp"} and self.chance(0.3):
            words = [rule.side, ports]
        else:
            words = [protocols, rule.side, ports]
        # "drop" goes without saying, but two words would be a setting.
        if rule.action != "drop" or len(words) == 2 or self.chance(0.7):
            words.insert(0, rule.action)
        return " ".join(words + fields)

    # -- packets

    def port(self, rules):
        if not rules or self.chance(0.1):
            return self.random.randrange(65536)
        border = self.random.choice(self.random.choice(sorted(
            self.random.choice(rules).ranges)))
        return (border + self.random.randrange(-1, 2)) % 65536

    def source(self):
        """At the edge of a prefix or within it, and sometimes a bit beside it."""
        if self.chance(0.1):
            family = self.random.choice((4, 6))
            return family, self.address(family)
        family, number, length = self.random.choice(self.prefixes)
        rest = (1 << (BITS[family] - length)) - 1
        number |= self.random.choice((0, rest, self.random.randrange(rest + 1)))
        if self.chance(0.3):
            bit = length if length and self.chance(0.7) else self.random.randrange(BITS[family]) + 1
            number ^= 1 << (BITS[family] - bit)
        return family, number

    def packet(self, rules):
        family, source = self.source()
        protocol = self.random.choice(self.protocols if self.chance(0.9) else list(PROTOCOL))
        return Packet(family, source, protocol, self.port(rules), self.port(rules))

    def frame(self, packet, link_layer):
        """-> (bytes, length of the first buffer, 0 for all)"""
        number = PROTOCOL[packet.protocol]
        payload = transport(packet.protocol, packet.sport, packet.dport)
        source = packet.source.to_bytes(BITS[packet.family] // 8, "big")
        kind, more = ETHERTYPE["ipv4" if packet.family == 4 else "ipv6"], self.chance(0.2)
        if packet.family == 4:
            frame = ipv4(payload, number, 8 if more else 5, source=source)
        elif more:
            frame = ipv6(extension(payload, EXTENSION["destination"], number),
                         EXTENSION["destination"], source=source)
        else:
            frame = ipv6(payload, number, source=source)
        if link_layer:
            frame = ethernet(frame, kind, (ETHERTYPE["vlan"],) * self.random.choice((0, 0, 0, 1, 4)))
        return frame, self.random.randrange(1, len(frame)) if self.chance(0.1) else 0
