# SPDX-License-Identifier: GPL-2.0-only
"""The conformance table: what must become of each shape of packet.

A row's verdicts are three letters, D for drop and P for pass, under
  - a rule that drops destination port 80 of all five protocols,
  - `policy deny` and a rule that allows it,
  - `policy deny` alone.
`peers` says what xdp-filter 1.3.1, XDP-Firewall and bpfilter were measured to
do when told to drop TCP destination port 80, or ARP's default deny (A: XDP_ABORTED,
C: cannot be told to, -: not known).
"""

from collections import namedtuple

from packets import ETHERTYPE, EXTENSION, chain, ethernet, extension, fragment6, ipv4, ipv6
from packets import PROTOCOL, pppoe, transport

RULESETS = {
    "drop": "drop tcp,udp,sctp,dccp,udplite dport 80\n",
    "allow": "policy deny\nallow tcp,udp,sctp,dccp,udplite dport 80\n",
    "deny": "policy deny\n",
}

# `outcome` is as in dissect.Found; `ethernet` is false for a device without link-layer header.
Shape = namedtuple("Shape", "name text frame outcome verdicts peers ethernet")

VLAN, AD = ETHERTYPE["vlan"], ETHERTYPE["ad"]
IPV6, PPPOE = ETHERTYPE["ipv6"], ETHERTYPE["pppoe"]
HOP, ROUTING, FRAGMENT, AH, DESTINATION, MOBILITY, HIP, SHIM6 = EXTENSION.values()
TCP80 = transport("tcp")
LIKE_PORT_80 = TCP80  # payload of a later fragment that looks like a port


def ports(name, text, frame, verdicts="DPD", peers="---", ethernet=True):
    return Shape(name, text, frame, "ports", verdicts, peers, ethernet)


def noport(name, text, frame, peers="---", ethernet=True):
    return Shape(name, text, frame, "noport", "PPP", peers, ethernet)


def later(name, text, frame, peers="---", ethernet=True):
    return Shape(name, text, frame, "fragment", "PPP", peers, ethernet)


def malformed(name, text, frame, peers="---", ethernet=True):
    return Shape(name, text, frame, "malformed", "PPP", peers, ethernet)


def unparsable(name, text, frame, peers="---", ethernet=True):
    return Shape(name, text, frame, "unparsable", "DDD", peers, ethernet)


def eth4(*args, **fields):
    return ethernet(ipv4(*args, **fields))


def eth6(*args, **fields):
    return ethernet(ipv6(*args, **fields), IPV6)


def ethchain(payload, kinds, protocol=6, units=0):
    return ethernet(chain(payload, kinds, protocol, units), IPV6)


def tagged(*tags):
    return ethernet(ipv4(TCP80), tags=tags)


def plain():
    yield ports("ipv4-tcp", "IPv4, TCP", eth4(TCP80), peers="DDD")
    yield ports("ipv6-tcp", "IPv6, TCP", eth6(TCP80), peers="DDD")
    yield ports("ipv4-options", "IPv4 with options", eth4(TCP80, ihl=8), peers="DDD")
    for name, text in (("udp", "UDP"), ("sctp", "SCTP"), ("dccp", "DCCP"), ("udplite", "UDP-Lite")):
        number, segment = PROTOCOL[name], transport(name)
        peers = "---" if name == "udp" else "CCC"
        yield ports(f"ipv4-{name}", f"IPv4, {text}", eth4(segment, number), peers=peers)
        yield ports(f"ipv6-{name}", f"IPv6, {text}", eth6(segment, number), peers=peers)
    other = transport("tcp", 80, 81)
    yield ports("ipv4-other-port", "IPv4, TCP port 81 (from port 80)", eth4(other), "PDD")
    yield ports("ipv6-other-port", "IPv6, TCP port 81 (from port 80)", eth6(other), "PDD")


def tags():
    yield ports("vlan", "802.1Q tag", tagged(VLAN), peers="DPP")
    yield ports("vlan-ipv6", "802.1Q tag, IPv6", ethernet(ipv6(TCP80), IPV6, (VLAN,)))
    yield ports("ad", "802.1ad tag", tagged(AD))
    yield ports("qinq", "802.1ad and 802.1Q tags (QinQ)", tagged(AD, VLAN))
    yield ports("tags-4", "4 tags", tagged(AD, VLAN, AD, VLAN))
    yield unparsable("tags-5", "5 tags", tagged(AD, VLAN, AD, VLAN, VLAN))
    yield noport("vlan-arp", "802.1Q tag, ARP", ethernet(arp(), ETHERTYPE["arp"], (VLAN,)))
    yield ports("pppoe-ipv4", "PPPoE, IPv4", ethernet(pppoe(ipv4(TCP80)), PPPOE))
    yield ports("pppoe-ipv6", "PPPoE, IPv6", ethernet(pppoe(ipv6(TCP80), 0x0057), PPPOE))
    yield ports("pppoe-short-ipv4", "PPPoE, protocol field of one byte, IPv4",
                ethernet(pppoe(ipv4(TCP80), short=True), PPPOE))
    yield ports("pppoe-short-ipv6", "PPPoE, protocol field of one byte, IPv6",
                ethernet(pppoe(ipv6(TCP80), 0x57, short=True), PPPOE))
    yield ports("qinq-pppoe", "QinQ, PPPoE, IPv4",
                ethernet(pppoe(ipv4(TCP80)), PPPOE, (AD, VLAN)))
    yield noport("pppoe-lcp", "PPPoE, PPP link control",
                 ethernet(pppoe(b"\x09\x01\x00\x08\x00\x00\x00\x00", 0xC021), PPPOE))
    yield noport("pppoe-discovery", "PPPoE discovery",
                 ethernet(pppoe(b"", 0x0101, code=9), ETHERTYPE["pppoe-discovery"]))


def chains():
    for name, text, kind, peers in (
            ("hop-by-hop", "hop-by-hop options", HOP, "DPD"),
            ("destination", "destination options", DESTINATION, "DPD"),
            ("routing", "routing header", ROUTING, "DPP"), ("ah", "AH", AH, "DPP"),
            ("atomic-fragment", "atomic fragment", FRAGMENT, "DPP"),
            ("mobility", "mobility header", MOBILITY, "---"), ("hip", "HIP", HIP, "---"),
            ("shim6", "shim6", SHIM6, "---")):
        yield ports(f"ipv6-{name}", f"IPv6 + {text}", ethchain(TCP80, (kind,)), peers=peers)
    every = (HOP, DESTINATION, ROUTING, FRAGMENT, AH, MOBILITY, HIP, SHIM6)
    yield ports("ipv6-8-headers", "IPv6 + all 8 extension headers", ethchain(TCP80, every))
    yield ports("ipv6-8-backwards", "the same, in reverse order", ethchain(TCP80, every[::-1]))
    yield unparsable("ipv6-9-headers", "IPv6 + 9 extension headers",
                     ethchain(TCP80, (*every, DESTINATION)))
    yield unparsable("ipv6-9-same", "IPv6 + 9 destination options headers",
                     ethchain(TCP80, (DESTINATION,) * 9))
    yield noport("ipv6-8-none", "IPv6 + 8 extension headers, next header 59",
                 ethchain(b"", every, 59))
    yield ports("ipv6-long-header", "IPv6 + hop-by-hop options of 264 bytes",
                ethchain(TCP80, (HOP,), units=32))
    yield ports("ipv6-ah-long", "IPv6 + AH of 72 bytes", ethchain(TCP80, (AH,), units=16))
    yield malformed("ipv6-header-too-long", "IPv6 + routing header longer than the frame",
                    eth6(extension(b"", ROUTING, 6, 32)[:64], ROUTING))
    yield noport("ipv6-none", "IPv6, next header 59, no payload", eth6(b"", 59), peers="A--")
    yield noport("ipv6-none-payload", "IPv6, next header 59, payload like port 80",
                 eth6(TCP80, 59))
    yield ports("ipv6-beyond-buffer", "IPv6 + 4096 bytes of routing headers",
                ethchain(TCP80, (ROUTING, ROUTING), units=255))


def fragments():
    yield ports("ipv4-first", "first IPv4 fragment", eth4(TCP80, fragment=0x2000))
    yield later("ipv4-later", "later IPv4 fragment, payload like port 80",
                eth4(LIKE_PORT_80, fragment=0x2001), peers="DDD")
    yield later("ipv4-last", "last IPv4 fragment, payload like port 80",
                eth4(LIKE_PORT_80, fragment=0x0001))
    yield later("ipv4-later-8", "later IPv4 fragment of 8 bytes",
                eth4(LIKE_PORT_80[:8], fragment=0x00B9), peers="ADP")
    for bit in (1, 12):
        yield later(f"ipv4-offset-bit-{bit}", f"later IPv4 fragment at {8 << bit}",
                    eth4(LIKE_PORT_80, fragment=1 << bit))
        yield later(f"ipv6-offset-bit-{bit}", f"later IPv6 fragment at {8 << bit}",
                    eth6(fragment6(LIKE_PORT_80, offset=1 << bit), FRAGMENT))
    yield ports("ipv4-reserved-flag", "IPv4, the reserved flag set", eth4(TCP80, fragment=0x8000))
    yield ports("ipv4-dont-fragment", "IPv4, do not fragment", eth4(TCP80, fragment=0x4000))
    yield malformed("ipv4-later-options-cut", "later IPv4 fragment, options cut short",
                    eth4(b"", fragment=0x0001, ihl=8)[:40])
    yield ports("ipv6-first", "first IPv6 fragment", eth6(fragment6(TCP80, more=1), FRAGMENT))
    yield later("ipv6-later", "later IPv6 fragment, payload like port 80",
                eth6(fragment6(LIKE_PORT_80, offset=1, more=1), FRAGMENT), peers="DPP")
    yield later("ipv6-later-8", "later IPv6 fragment of 8 bytes",
                eth6(fragment6(LIKE_PORT_80[:8], offset=185), FRAGMENT))
    yield later("ipv6-later-extension", "later IPv6 fragment, next header routing",
                eth6(fragment6(b"", ROUTING, offset=185), FRAGMENT))
    yield later("ipv6-8th-later", "IPv6 + 7 extension headers, later fragment",
                ethchain(fragment6(LIKE_PORT_80, offset=1), (DESTINATION,) * 7, FRAGMENT))
    yield unparsable("ipv6-9th-later", "IPv6 + 8 extension headers, later fragment",
                     ethchain(fragment6(LIKE_PORT_80, offset=1), (DESTINATION,) * 8, FRAGMENT))
    yield later("ipv6-atomic-then-later", "IPv6 + atomic fragment, later fragment",
                ethchain(fragment6(LIKE_PORT_80, offset=1), (FRAGMENT,), FRAGMENT))
    yield ports("ipv6-fragment-reserved", "atomic fragment with reserved bits set",
                eth6(fragment6(TCP80, more=6, reserved=255), FRAGMENT))


def first(payload, protocol=6, length=None, **fields):
    """An IPv6 packet that is a first fragment; `length`: its payload's, by its header."""
    return eth6(fragment6(payload, protocol, more=1, **fields), FRAGMENT, length=length)


def first_fragments():
    """Those whose ports the next fragment brings, and what else is like them."""
    options = extension(b"", DESTINATION, 6)
    more = fragment6(b"", DESTINATION, more=1)
    yield ports("ipv6-first-options", "first IPv6 fragment, destination options, TCP",
                first(options + TCP80, DESTINATION))
    yield unparsable("ipv6-first-no-ports", "first IPv6 fragment that ends before the ports",
                     first(options, DESTINATION))
    yield unparsable("ipv6-first-header-cut", "first IPv6 fragment that ends within a header",
                     first(extension(b"", DESTINATION, 6, 2)[:8], DESTINATION))
    yield unparsable("ipv6-first-no-header", "first IPv6 fragment that ends before a header",
                     first(extension(b"", DESTINATION, ROUTING), DESTINATION))
    yield unparsable("ipv6-first-empty", "first IPv6 fragment without payload", first(b""))
    for cut in range(1, 4):
        yield unparsable(f"ipv6-first-ports-{cut}",
                         f"first IPv6 fragment, TCP cut off after {cut} bytes", first(TCP80[:cut]))
    yield unparsable("ipv6-first-ah-cut", "first IPv6 fragment that ends within AH",
                     first(extension(b"", AH, 6, 4)[:16], AH))
    yield unparsable("ipv6-first-padding",
                     "first IPv6 fragment, ports only behind its payload length",
                     first(options + TCP80, DESTINATION, 16))
    yield unparsable("ipv6-first-padding-none",
                     "first IPv6 fragment, next header 59 only behind its payload length",
                     first(extension(extension(b"", DESTINATION, 59), DESTINATION, DESTINATION),
                           DESTINATION, 16))
    yield unparsable("ipv6-first-padding-later",
                     "first IPv6 fragment, a later fragment only behind its payload length",
                     first(extension(fragment6(b"", offset=1), DESTINATION, FRAGMENT), DESTINATION,
                           16))
    yield unparsable("ipv6-first-length-0", "first IPv6 fragment, payload length 0",
                     first(TCP80, length=0))
    yield noport("ipv6-first-none", "first IPv6 fragment, next header 59", first(b"", 59))
    yield noport("ipv6-first-esp", "first IPv6 fragment, ESP", first(TCP80, 50))
    yield noport("ipv6-first-icmpv6", "first IPv6 fragment, ICMPv6", first(b"\x80" + bytes(7), 58))
    yield unparsable("ipv6-nested-first", "first fragment in a first fragment, no ports",
                     eth6(fragment6(more + options, FRAGMENT, more=1), FRAGMENT))
    yield unparsable("ipv6-atomic-then-first", "atomic fragment, first fragment, no ports",
                     eth6(fragment6(more + options, FRAGMENT), FRAGMENT))
    yield unparsable("ipv6-first-then-atomic", "first fragment, atomic fragment, no ports",
                     first(fragment6(options, DESTINATION), FRAGMENT))
    yield later("ipv6-first-then-later", "later fragment in a first fragment",
                first(fragment6(LIKE_PORT_80, offset=1), FRAGMENT))
    yield malformed("ipv6-atomic-no-ports", "atomic fragment that ends before the ports",
                    eth6(fragment6(options, DESTINATION), FRAGMENT))
    yield malformed("ipv4-first-ports-3", "first IPv4 fragment, TCP cut off after 3 bytes",
                    eth4(TCP80[:3], fragment=0x2000))


def ah(payload, number=1, protocol=6, units=4):
    """`number` AHs before the payload."""
    for _ in range(number):
        payload, protocol = extension(payload, AH, protocol, units), AH
    return payload


def ipv4_ah():
    yield ports("ipv4-ah", "IPv4 + AH", eth4(ah(TCP80), AH))
    yield ports("ipv4-ah-options", "IPv4 with options + AH", eth4(ah(TCP80), AH, ihl=7))
    yield ports("ipv4-ah-8", "IPv4 + 8 AHs", eth4(ah(TCP80, 8), AH))
    yield unparsable("ipv4-ah-9", "IPv4 + 9 AHs", eth4(ah(TCP80, 9), AH))
    yield noport("ipv4-ah-esp", "IPv4 + AH, ESP", eth4(ah(TCP80, protocol=50), AH))
    yield noport("ipv4-ah-options-header", "IPv4 + AH, protocol 60 (IPv6 destination options)",
                 eth4(ah(extension(TCP80, DESTINATION), protocol=DESTINATION), AH))
    yield malformed("ipv4-ah-cut", "IPv4 + AH longer than the frame", eth4(ah(b"")[:16], AH))
    yield later("ipv4-ah-later", "later IPv4 fragment, protocol AH",
                eth4(ah(TCP80), AH, fragment=0x2001))
    yield ports("ipv4-ah-first", "first IPv4 fragment + AH", eth4(ah(TCP80), AH, fragment=0x2000))
    yield unparsable("ipv4-ah-first-no-ports", "first IPv4 fragment that ends with AH",
                     eth4(ah(b""), AH, fragment=0x2000))
    yield unparsable("ipv4-ah-first-cut", "first IPv4 fragment that ends within AH",
                     eth4(ah(b"")[:16], AH, fragment=0x2000))
    yield unparsable("ipv4-ah-first-padding",
                     "first IPv4 fragment + AH, ports only behind its total length",
                     eth4(ah(TCP80), AH, fragment=0x2000, length=44))
    yield unparsable("ipv4-ah-first-rounded",
                     "first IPv4 fragment + AH, ports behind a multiple of 8 bytes",
                     eth4(ah(TCP80[:4]), AH, fragment=0x2000, length=48))
    yield noport("ipv4-ah-first-esp", "first IPv4 fragment + AH, ESP",
                 eth4(ah(TCP80, protocol=50), AH, fragment=0x2000))


def headers():
    for ihl in range(16):
        name, text = f"ipv4-ihl-{ihl}", f"IPv4, ihl {ihl}"
        frame = eth4(TCP80, ihl=ihl)
        yield malformed(name, text, frame) if ihl < 5 else ports(name, text, frame)
    for version in (0, 3, 5, 6, 15):
        yield malformed(f"ipv4-version-{version}", f"ethertype IPv4, version {version}",
                        eth4(TCP80, version=version))
    for version in (0, 4, 5, 7, 15):
        yield malformed(f"ipv6-version-{version}", f"ethertype IPv6, version {version}",
                        eth6(TCP80, version=version))
    yield malformed("ipv4-is-ipv6", "ethertype IPv4, an IPv6 packet", ethernet(ipv6(TCP80)))
    yield malformed("ipv6-is-ipv4", "ethertype IPv6, an IPv4 packet",
                    ethernet(ipv4(TCP80, length=0) + bytes(20), IPV6))
    for cut in range(4):
        yield malformed(f"ipv4-ports-{cut}", f"IPv4, TCP cut off after {cut} bytes",
                        eth4(TCP80[:cut]))
        yield malformed(f"ipv6-ports-{cut}", f"IPv6, UDP cut off after {cut} bytes",
                        eth6(transport("udp")[:cut], 17))
    yield ports("ipv4-ports-4", "IPv4, TCP cut off after its ports", eth4(TCP80[:4]))
    yield ports("ipv4-length-0", "IPv4, total length 0 (offload)", eth4(TCP80, length=0))
    yield ports("ipv4-length-wrong", "IPv4, total length beyond the frame",
                eth4(TCP80, length=0xFFFF))
    yield ports("ipv6-length-0", "IPv6, payload length 0 (offload)", eth6(TCP80, length=0))
    yield ports("ipv4-padded", "IPv4, padded to 60 bytes", eth4(transport("udp"), 17) + bytes(18))


def arp():
    return bytes.fromhex("0001080006040001 020000000001c0000201 000000000000c0000202")


def others():
    lldp = bytes.fromhex("0207040200000000010403020000000106020078" "0000") + bytes(24)
    stp = bytes.fromhex("424203000000000080000200000000010000000080000200000000018001") + bytes(8)
    quoted = bytes(4) + ipv4(TCP80)
    yield noport("arp", "ARP", ethernet(arp(), ETHERTYPE["arp"]), peers="DPD")
    yield noport("lldp", "LLDP", ethernet(lldp, ETHERTYPE["lldp"]))
    yield noport("stp", "spanning tree (802.3 length, LLC)", ethernet(stp, 38))
    yield noport("old-qinq", "old QinQ ethertype 0x9100", ethernet(ipv4(TCP80), tags=(0x9100,)))
    yield noport("mpls", "MPLS", ethernet(bytes.fromhex("00010140") + ipv4(TCP80), 0x8847))
    yield noport("gre", "IPv4, GRE", eth4(b"\x00\x00\x08\x00" + ipv4(TCP80), 47))
    yield noport("gre-ipv6", "IPv6, GRE", eth6(b"\x00\x00\x08\x00" + ipv4(TCP80), 47))
    yield noport("ipip", "IPv4 in IPv4", eth4(ipv4(TCP80), 4))
    yield noport("esp", "IPv4, ESP", eth4(TCP80, 50))
    yield noport("esp-ipv6", "IPv6, ESP", eth6(TCP80, 50))
    yield noport("icmp", "ICMP that quotes port 80", eth4(b"\x03\x04\x00\x00" + quoted, 1))
    yield noport("icmpv6", "ICMPv6 neighbour solicitation", eth6(b"\x87" + bytes(23), 58))
    yield noport("mld", "IPv6 + hop-by-hop options, ICMPv6 (MLD)",
                 ethchain(b"\x8f" + bytes(7), (HOP,), 58))
    yield noport("mld-long", "IPv6 + hop-by-hop options of 24 bytes, ICMPv6",
                 ethchain(b"\x8f" + bytes(7), (HOP,), 58, units=2))
    yield noport("igmp", "IGMP", eth4(b"\x16" + bytes(7), 2, ihl=6))


def bare():
    yield ports("bare-ipv4", "no link layer: IPv4", ipv4(TCP80), ethernet=False)
    yield ports("bare-ipv6", "no link layer: IPv6", ipv6(TCP80), ethernet=False)
    yield ports("bare-ipv6-routing", "no link layer: IPv6 + routing header",
                chain(TCP80, (ROUTING,)), ethernet=False)
    yield noport("bare-icmp", "no link layer: ICMP", ipv4(b"\x08" + bytes(7), 1), ethernet=False)
    yield later("bare-ipv4-later", "no link layer: later IPv4 fragment",
                ipv4(LIKE_PORT_80, fragment=1), ethernet=False)
    yield unparsable("bare-9-headers", "no link layer: IPv6 + 9 extension headers",
                     chain(TCP80, (HOP,) * 9), ethernet=False)
    for version in (0, 5, 15):
        yield malformed(f"bare-version-{version}", f"no link layer: IP version {version}",
                        ipv4(TCP80, version=version), ethernet=False)
    yield malformed("bare-ethernet", "no link layer: an Ethernet frame", eth4(TCP80),
                    ethernet=False)


GROUPS = (plain, tags, chains, fragments, first_fragments, ipv4_ah, headers, others, bare)
SHAPES = [shape for group in GROUPS for shape in group()]
