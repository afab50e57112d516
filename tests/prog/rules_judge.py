# SPDX-License-Identifier: GPL-2.0-only
"""What the manual promises of rules, as loops over all of them: which one decides a packet.

Nothing is shared with what is under test, not even the text of a rule: a Rule here is made
first, and its text from it. Prefixes are (family, number, length).
"""

from collections import namedtuple

BITS = {4: 32, 6: 128}
DROP, PASS = 1, 2
VERDICTS = {"drop": (DROP, "drop-rule"), "audit": (PASS, "audit"), "allow": (PASS, "pass")}

# `protocols`, `ranges`, `sources` and `exceptions` are frozensets; `expires`: in so many
# seconds, or None; `over`: an Over or None.
Rule = namedtuple("Rule", "action protocols side ranges sources exceptions new expires over")
# So many are let go; what comes back in an hour does not while a test runs. `each`: the lengths of the
# prefixes of either family that have a bucket each, or None; `total`: of all of these, or None.
Over = namedtuple("Over", "burst each total")
Packet = namedtuple("Packet", "family source protocol sport dport")


def holds(prefix, family, number):
    """Is the address in the prefix?"""
    return prefix[0] == family and not (prefix[1] ^ number) >> (BITS[family] - prefix[2])


def lengths(prefixes, packet):
    """Of the prefixes that hold the packet's source; IPv4 counts as its length + 96."""
    return [length + 128 - BITS[family] for family, number, length in prefixes
            if holds((family, number, length), packet.family, packet.source)]


def precedence(number, rule, packet):
    """None where the rule does not match, the time aside; of two, the greater one wins."""
    port = packet.dport if rule.side == "dport" else packet.sport
    widths = [last - first + 1 for first, last in rule.ranges if first <= port <= last]
    if packet.protocol not in rule.protocols or not widths:
        return None
    sources = lengths(rule.sources, packet) if rule.sources else [0]
    if not sources or lengths(rule.exceptions, packet):
        return None
    return max(sources), -min(widths), ("allow", "audit", "drop").index(rule.action), -number


def same(rule):
    """What makes two rules the same one."""
    return rule._replace(action=None, expires=None)


class Ruleset:
    """Of a host without connections: each packet is new."""

    def __init__(self, deny):
        self.deny = deny
        self.rules = []  # by number, from 1
        self.left = {}  # in buckets that are not full
        self.let_go = 0  # by rates

    def add(self, rule):
        for index, known in enumerate(self.rules):
            if same(known) == same(rule):
                self.rules[index] = rule
                return
        self.rules.append(rule)

    def candidates(self, packet):
        """The rules that match, the best first: [(number, rule)]"""
        matching = [(precedence(number, rule, packet), number, rule)
                    for number, rule in enumerate(self.rules, 1)]
        matching = [match for match in matching if match[0]]
        matching.sort(key=lambda match: match[0], reverse=True)
        return [(number, rule) for _, number, rule in matching]

    def take(self, bucket, burst):
        """Takes one out of it, if there is one."""
        left = self.left.get(bucket, burst)
        self.left[bucket] = max(left - 1, 0)
        return left > 0

    def is_over(self, number, over, packet):
        """Is it beyond the rate? If not, it has cost as much."""
        if over is None:
            return True
        if over.each is None:
            return not self.take(number, over.burst)
        prefix = packet.source >> (BITS[packet.family] - over.each[packet.family == 6])
        if not self.take((number, packet.family, prefix), over.burst):
            return True
        return over.total is not None and not self.take(number, over.total)

    def judge(self, candidates, ended, packet):
        """-> (verdict, outcome, rule number or 0); `ended`: the times of `expires` that are over"""
        for number, rule in candidates:
            if rule.expires not in ended:
                if self.is_over(number, rule.over, packet):
                    return *VERDICTS[rule.action], number
                self.let_go += 1
        return (DROP, "drop-policy", 0) if self.deny else (PASS, "pass", 0)
