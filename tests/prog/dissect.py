# SPDX-License-Identifier: GPL-2.0-only
"""An independent judge: what must become of a packet.

Written from the RFCs and from what xdp-portblock(8) promises, not from the code
that is under test, and it shares nothing with it. It may be slow and it may be
naive: it looks at all rules for each packet and takes the best.
"""

import ipaddress
import shlex
from collections import namedtuple
from struct import error as CutShort
from struct import unpack_from

# As counted by the program, in that order.
OUTCOMES = ("pass", "drop-rule", "drop-policy", "audit", "noport", "fragment", "malformed",
            "unparsable", "reject")
DROP, PASS = 1, 2

# What a frame turned out to be. `outcome` is "ports" where it has ports.
Found = namedtuple("Found", "outcome protocol sport dport source", defaults=(None,) * 4)
MALFORMED, NOPORT = Found("malformed"), Found("noport")
FRAGMENT, UNPARSABLE = Found("fragment"), Found("unparsable")

WITH_PORTS = {6: "tcp", 17: "udp", 33: "dccp", 132: "sctp", 136: "udplite"}
# IPv6 extension header -> its length in bytes by its length field
# (RFC 8200 4.3-4.6, RFC 4302 2.2, RFC 6275 6.1, RFC 7401 5.1, RFC 5533 5.1)
EXTENSION_LENGTH = dict.fromkeys((0, 43, 60, 135, 139, 140), lambda field: 8 * field + 8)
AH, FRAGMENT_HEADER = 51, 44
EXTENSION_LENGTH[AH] = lambda field: 4 * field + 8
EXTENSION_LENGTH[FRAGMENT_HEADER] = lambda field: 8
MAX_TAGS, MAX_EXTENSIONS = 4, 8


def dissect(frame, ethernet=True):
    """Finds the ports of a frame by its outermost headers."""
    try:
        if ethernet:
            return link_layer(frame)
        return ipv4(frame) if frame[0] >> 4 == 4 else ipv6(frame)
    except (CutShort, IndexError):
        return MALFORMED


def link_layer(frame):
    (kind,) = unpack_from("!12xH", frame)
    rest, tags = frame[14:], 0
    while kind in (0x8100, 0x88A8):
        tags += 1
        if tags > MAX_TAGS:
            return UNPARSABLE
        (kind,) = unpack_from("!2xH", rest)
        rest = rest[4:]
    if kind == 0x8864:
        size = 7 if rest[6] & 1 else 8  # RFC 1661 6.5: odd in one byte, or even, odd
        kind = {0x21: 0x0800, 0x57: 0x86DD}.get(int.from_bytes(rest[6:size], "big"))
        if size > len(rest):
            return MALFORMED
        rest = rest[size:]
    if kind == 0x0800:
        return ipv4(rest)
    return ipv6(rest) if kind == 0x86DD else NOPORT


def ipv4(packet):
    first, total, fragment, protocol, source = unpack_from("!BxH2xHxB2x4s4x", packet)
    size = 4 * (first % 16)
    if first // 16 != 4 or not 20 <= size <= len(packet):
        return MALFORMED
    if fragment % 0x2000:
        return FRAGMENT
    if protocol != AH:
        return transport(protocol, packet[size:], source)
    found, _ = chain(packet[size:], protocol, source, {AH: EXTENSION_LENGTH[AH]})
    if fragment & 0x2000:
        # Of a fragment that is not the last one Linux keeps a multiple of 8 bytes.
        kept = packet[size:][:max(0, total - size) // 8 * 8]
        found = first_fragment(*chain(kept, protocol, source, {AH: EXTENSION_LENGTH[AH]}))
    return found


def ipv6(packet):
    first, length, protocol, source = unpack_from("!B3xHBx16s16x", packet)
    if first // 16 != 6:
        return MALFORMED
    found, begins = chain(packet[40:], protocol, source, EXTENSION_LENGTH)
    if begins:
        found = first_fragment(*chain(packet[40:][:length], protocol, source, EXTENSION_LENGTH))
    return found


def first_fragment(found, _):
    """Of one that others follow, in what is left of it when the stack puts them together.

    What is missing there comes with the others, so it is not malformed.
    """
    return UNPARSABLE if found == MALFORMED else found


def chain(rest, protocol, source, lengths):
    """-> (what was found behind extension headers, whether one says that fragments follow)"""
    passed, begins = 0, False
    try:
        while protocol in lengths:
            passed += 1
            if passed > MAX_EXTENSIONS:
                return UNPARSABLE, begins
            following, field, fragment = unpack_from("!BBH4x", rest)
            begins = begins or protocol == FRAGMENT_HEADER and fragment // 8 == 0 and fragment % 2
            size = lengths[protocol](field)
            if size > len(rest):
                return MALFORMED, begins
            if protocol == FRAGMENT_HEADER and fragment // 8:
                return FRAGMENT, begins
            protocol, rest = following, rest[size:]
        return transport(protocol, rest, source), begins
    except CutShort:
        return MALFORMED, begins


def transport(protocol, segment, source):
    if protocol not in WITH_PORTS:
        return NOPORT
    return Found("ports", WITH_PORTS[protocol], *unpack_from("!HH", segment), source)


def prefix_of(text):
    """-> (bytes of an address, bits to shift out, the rest's value, length as it counts)"""
    net = ipaddress.ip_network(text, strict=False)
    shift = net.max_prefixlen - net.prefixlen
    return (net.max_prefixlen // 8, shift, int(net.network_address) >> shift,
            net.prefixlen + 128 - net.max_prefixlen)


def longest(prefixes, source):
    """The length of the longest of the prefixes that hold the address, or None."""
    number, size = int.from_bytes(source, "big"), len(source)
    return max((counts for length, shift, value, counts in prefixes
                if length == size and number >> shift == value), default=None)


def ranges_of(text):
    """As they are written: the width of each counts, where they overlap as well."""
    return sorted({tuple(int(port) for port in (part.split("-") * 2)[:2])
                   for part in text.split(",")})


class Rule:
    """One rule, read from its text form.

    `new` is always true: the tests run where there are no connections.
    """

    def __init__(self, number, text):
        words = shlex.split(text, comments=True)
        self.number, self.action = number, words[0]
        self.protocols = words[1].split(",")
        self.by_source_port = words[2] == "sport"
        self.ranges = ranges_of(words[3])
        self.sources, self.exceptions = (), ()
        for word, value in zip(words[4:], words[5:]):
            if word == "from":
                self.sources = [prefix_of(text) for text in value.split(",")]
            elif word == "except":
                self.exceptions = [prefix_of(text) for text in value.split(",")]

    def rank(self, found):
        """None where the rule does not match; of two ranks the greater one wins."""
        if found.protocol not in self.protocols:
            return None
        port = found.sport if self.by_source_port else found.dport
        widths = [last - first for first, last in self.ranges if first <= port <= last]
        if not widths:
            return None
        length = longest(self.sources, found.source) if self.sources else 0
        if length is None or longest(self.exceptions, found.source) is not None:
            return None
        return (length, -min(widths), ("allow", "audit", "drop").index(self.action), -self.number)


class Policy:
    """A ruleset: settings and rules, from text."""

    def __init__(self, text):
        self.settings = {"policy": "allow", "fragments": "pass", "unparsable": "drop"}
        self.rules = []
        for line in text.splitlines():
            words = line.split()
            if len(words) == 2:
                self.settings[words[0]] = words[1]
            elif words:
                self.rules.append(Rule(len(self.rules) + 1, line))

    def judge(self, found):
        """-> (verdict, outcome, rule id or 0)"""
        if found.outcome == "ports":
            return self.judge_ports(found)
        dropped = {"fragment": self.settings["fragments"] == "drop",
                   "unparsable": self.settings["unparsable"] == "drop"}
        return DROP if dropped.get(found.outcome) else PASS, found.outcome, 0

    def judge_ports(self, found):
        ranked = [(rank, rule) for rule in self.rules if (rank := rule.rank(found))]
        if ranked:
            rule = max(ranked, key=lambda pair: pair[0])[1]
            verdict, outcome = {"drop": (DROP, "drop-rule"), "audit": (PASS, "audit"),
                                "allow": (PASS, "pass")}[rule.action]
            return verdict, outcome, rule.number
        if self.settings["policy"] == "deny":
            return DROP, "drop-policy", 0
        return PASS, "pass", 0


def scapy_ports(frame):
    """(protocol number, sport, dport) by scapy's own dissection, or None.

    For the packets of generate.well_formed() only: scapy guesses where others
    are strict. Scapy knows no DCCP and no UDP-Lite, and since 2.6 leaves what first fragments
    carry undissected: the ports are then the first bytes of that.
    """
    from scapy.layers.inet import IP, TCP, UDP
    from scapy.layers.l2 import Ether
    from scapy.layers.sctp import SCTP
    from scapy.packet import Raw

    packet = Ether(frame)
    outer = packet
    while outer and "nh" not in outer.fields and not isinstance(outer, IP):
        outer = outer.payload
    if not outer:
        return None
    if isinstance(outer, IP):
        number, later = outer.proto, outer.frag
        while number == AH and not later:
            outer = outer.payload
            number = outer.nh
    else:
        number, later = None, 0
        while "nh" in outer.fields:
            number = outer.nh
            later = later or outer.fields.get("offset", 0)
            outer = outer.payload
    if later:
        return None
    for layer, known in ((TCP, 6), (UDP, 17), (SCTP, 132)):
        if number == known and packet.haslayer(layer):
            return known, packet[layer].sport, packet[layer].dport
    if number in WITH_PORTS:
        return number, *unpack_from("!HH", bytes(packet[Raw]))
    return None
