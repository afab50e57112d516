# SPDX-License-Identifier: GPL-2.0-only
"""Packets by the thousand: built by grammar, then mistreated.

All comes from one seed. Values are drawn near the edges that matter: ports around
those of the rules, header counts around their limits, lengths that lie.
"""

from random import Random

import packets
from packets import ETHERTYPE, ethernet, extension, fragment6, ipv4, ipv6, pppoe, transport

MIN_FRAME = 14  # BPF_PROG_TEST_RUN takes no shorter ones
MAX_FRAME = 9000

PORTS = (1, 21, 22, 23, 52, 53, 54, 79, 80, 80, 80, 81, 123, 137, 139, 140, 443, 445, 1023, 1024,
         8080, 40000, 65535)
TRANSPORTS = ("tcp",) * 5 + ("udp",) * 4 + ("sctp", "dccp", "udplite")
# ICMP, IGMP, IPIP, IPv6 in IPv4, GRE, ESP, AH, ICMPv6, none, OSPF and IPv6's own
OTHERS = (1, 1, 2, 4, 41, 47, 50, 50, 51, 58, 58, 59, 59, 89, 0, 43, 44, 60, 255)
EXTENSIONS = tuple(packets.EXTENSION.values())
TAGS = (0x8100,) * 4 + (0x88A8,) * 3 + (0x9100,)
KINDS = (0x0806, 0x88CC, 0x8863, 0x8847, 0x0026, 0x9000, 0x88E5, 0x8864)
# How many tags, and how many extension headers: often none, and often about the limit.
TAG_COUNTS = (0,) * 12 + (1, 1, 1, 2, 2, 3, 4, 4, 5, 6)
AH_COUNTS = (0,) * 30 + (1,) * 4 + (2, 3, 7, 8, 9)
CHAIN_COUNTS = (0,) * 6 + (1,) * 5 + (2, 2, 3, 4, 5, 6, 7, 7, 8, 8, 9, 9, 10)

SOURCES4 = [bytes(a) for a in ([192, 0, 2, 1], [192, 0, 2, 77], [10, 0, 0, 1], [10, 1, 2, 3],
                               [10, 1, 2, 4], [9, 255, 255, 255], [11, 0, 0, 0], [0, 0, 0, 0])]
SOURCES6 = [bytes.fromhex(a) for a in (
    "20010db8000000000000000000000001", "20010db8000100000000000000000001",
    "20010db8ffffffffffffffffffffffff", "20010db7ffffffffffffffffffffffff",
    "fe800000000000000000000000000001", "00000000000000000000ffff0a010203")]


class Generator:
    def __init__(self, seed, link_layer=True):
        self.random = Random(f"{seed} {link_layer}")
        self.draw = self.random.random
        self.link_layer = link_layer
        self.kept = [self.grammatical() for _ in range(32)]

    def frames(self, count):
        """-> [(frame, bytes in its first buffer, 0 for all of them)]"""
        return [self.frame() for _ in range(count)]

    def frame(self):
        chance = self.draw()
        frame = self.grammatical() if chance < 0.8 else self.mutated()
        if chance < 0.15:
            frame = frame[:self.below(len(frame) + 1)]
        if len(frame) < MIN_FRAME:
            frame += self.random.randbytes(MIN_FRAME - len(frame))
        frame = frame[:MAX_FRAME]
        if chance > 0.3:
            return frame, 0
        return frame, 1 + self.below(min(len(frame), 150))

    def below(self, number):
        return int(self.draw() * number)

    def pick(self, choices):
        return choices[int(self.draw() * len(choices))]

    # -- by grammar

    def grammatical(self):
        chance = self.draw()
        if chance < 0.46:
            kind, protocol, packet = 0x0800, 0x0021, self.ipv4()
        elif chance < 0.96:
            kind, protocol, packet = 0x86DD, 0x0057, self.ipv6()
        else:
            kind, protocol, packet = self.pick(KINDS), 0xC021, self.random.randbytes(50)
        if not self.link_layer:
            return packet
        if self.draw() < 0.01:
            kind = self.pick((0x0800, 0x86DD))
        if self.draw() < 0.08:
            short = protocol < 0x100 and self.draw() < 0.3
            kind, packet = ETHERTYPE["pppoe"], pppoe(packet, protocol, length=self.length(),
                                                     short=short)
        tags = tuple([self.pick(TAGS) for _ in range(self.pick(TAG_COUNTS))])
        return ethernet(packet, kind, tags)

    def length(self):
        """Of a header's length field: right, or anything."""
        return None if self.draw() < 0.9 else self.pick((0, 1, 20, 40, 0xFFFF, self.below(200)))

    def ipv4(self):
        protocol, payload = self.payload()
        headers = self.pick(AH_COUNTS)
        for _ in range(headers):
            protocol, payload = 51, self.extension(payload, 51, protocol)
        if headers and self.draw() < 0.4:
            return self.first_fragment4(payload)
        ihl = 5 if self.draw() < 0.75 else self.below(16)
        version = 4 if self.draw() < 0.98 else self.below(16)
        options = self.random.randbytes(ihl * 4 - 20) if ihl > 5 else b""
        return ipv4(payload, protocol, ihl, version, self.fragment4(), options, self.length(),
                    self.source(SOURCES4, 4))

    def first_fragment4(self, payload):
        """With AH; it ends anywhere."""
        cut = self.below(len(payload) + 1)
        ihl = self.pick((5, 5, 5, 6, 15))
        if self.draw() < 0.5:
            return ipv4(payload[:cut], 51, ihl, fragment=0x2000, source=self.source(SOURCES4, 4))
        return ipv4(payload, 51, ihl, fragment=0x2000, length=ihl * 4 + cut,
                    source=self.source(SOURCES4, 4))

    def fragment4(self):
        chance = self.draw()
        if chance < 0.8:
            return 0
        if chance < 0.85:
            return 0x4000  # do not fragment
        if chance < 0.9:
            return 0x2000  # the first one
        return self.pick((0x0001, 0x2001, 0x00B9, 0x1FFF, 0x1000, 0x8000, 0xE000, self.below(0x10000)))

    def ipv6(self):
        protocol, payload = self.payload()
        for _ in range(self.pick(CHAIN_COUNTS)):
            kind = self.pick(EXTENSIONS)
            payload = self.extension(payload, kind, protocol)
            protocol = kind
        if self.draw() < 0.15:
            return self.first_fragment6(payload, protocol)
        version = 6 if self.draw() < 0.98 else self.below(16)
        return ipv6(payload, protocol, version, self.length(), self.source(SOURCES6, 16))

    def first_fragment6(self, payload, protocol):
        """It ends anywhere: the frame does, or its payload length says so."""
        payload = fragment6(payload, protocol, 0, 1 | self.below(8), self.below(256))
        cut = self.below(len(payload) + 1)
        if self.draw() < 0.5:
            return ipv6(payload[:cut], 44, source=self.source(SOURCES6, 16))
        return ipv6(payload, 44, length=cut, source=self.source(SOURCES6, 16))

    def extension(self, payload, kind, protocol):
        chance = self.draw()
        if kind == 44:
            offset = 0 if chance < 0.8 else self.pick((1, 185, 0x1000, 0x1FFF))
            return fragment6(payload, protocol, offset, self.below(8), self.below(256))
        units = self.below(3) if chance < 0.97 else self.below(256)
        header = extension(b"", kind, protocol, units)
        if chance < 0.02:  # a length that lies
            header = header[:1] + bytes((self.below(256),)) + header[2:]
        return header + payload

    def payload(self):
        """-> (protocol number, bytes)"""
        name = self.pick(TRANSPORTS)
        segment = transport(name, self.port(), self.port())
        if self.draw() < 0.18:
            return self.pick(OTHERS), segment
        return packets.PROTOCOL[name], segment

    def port(self):
        return self.pick(PORTS) if self.draw() < 0.85 else self.below(65536)

    def source(self, known, size):
        return self.pick(known) if self.draw() < 0.9 else self.random.randbytes(size)

    # -- by mutation

    def mutated(self):
        frame = self.pick((self.flipped, self.spliced, self.moved))(self.pick(self.kept))
        # Mutations of mutations drift away: renew.
        self.kept[self.below(len(self.kept))] = frame if self.draw() < 0.6 else self.grammatical()
        return frame

    def flipped(self, frame):
        frame = bytearray(frame)
        for _ in range(1 + self.below(4)):
            if frame:
                frame[self.below(min(len(frame), 100))] ^= 1 << self.below(8)
        return bytes(frame)

    def spliced(self, frame):
        other = self.pick(self.kept)
        return frame[:self.below(len(frame) + 1)] + other[self.below(len(other) + 1):]

    def moved(self, frame):
        """A few bytes left out or put in."""
        at, size = self.below(len(frame) + 1), 1 + self.below(8)
        if self.draw() < 0.5:
            return frame[:at] + frame[at + size:]
        return frame[:at] + self.random.randbytes(size) + frame[at:]


def well_formed(seed, count):
    """Right packets, by scapy: what both it and our own dissector must understand."""
    from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
    from scapy.layers.inet6 import (IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                    IPv6ExtHdrRouting, PadN)
    from scapy.layers.ipsec import AH
    from scapy.layers.l2 import Dot1AD, Dot1Q, Ether
    from scapy.layers.ppp import PPP, PPPoE
    from scapy.layers.sctp import SCTP
    from scapy.packet import Raw

    random = Random(seed)

    def segment():
        sport, dport = random.choice(PORTS), random.choice(PORTS)
        ports = {"sport": sport, "dport": dport}
        other = Raw(packets.transport("udplite", sport, dport))
        return random.choice([(6, TCP(**ports)), (17, UDP(**ports)), (132, SCTP(**ports)),
                              (33, other), (136, other), (253, Raw(b"experiment"))])

    def network4():
        number, payload = segment()
        fragment = random.choice((0, 0, 0, 100))
        if fragment:
            payload = Raw(b"\x9c\x40\x00\x50 later")
        elif random.random() < 0.2:
            payload = AH(nh=number, payloadlen=4, icv=b"y" * 12) / payload
            number = 51
        options = [IPOption_NOP()] * random.randrange(9)
        return IP(proto=number, frag=fragment, options=options, src="192.0.2.1",
                  dst="192.0.2.2") / payload

    def network6():
        headers = [IPv6ExtHdrHopByHop(options=[PadN(optdata=b"x" * random.randrange(20))]),
                   IPv6ExtHdrDestOpt(), IPv6ExtHdrRouting(addresses=["2001:db8::7"]),
                   IPv6ExtHdrFragment(), AH(payloadlen=4, icv=b"y" * 12)]
        number, payload = segment()
        picked = random.sample(headers, random.randrange(len(headers) + 1))
        if random.random() < 0.2:
            picked.append(IPv6ExtHdrFragment(offset=random.randrange(1, 100)))
            payload = Raw(b"\x9c\x40\x00\x50 later")
        packet = IPv6(nh=number, src="2001:db8::1", dst="2001:db8::2")
        for header in picked:
            packet = packet / header
        last = packet.lastlayer()
        last.nh = number
        return packet / payload

    def link(packet):
        frame = Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01")
        for _ in range(random.randrange(5)):
            frame = frame / random.choice((Dot1Q(vlan=5), Dot1AD(vlan=6)))
        if random.random() < 0.2:
            # Scapy's own PPP writes the protocol in one byte.
            number = 0x21 if packet.name == "IP" else 0x57
            ppp = random.choice((PPP(proto=number), Raw(bytes((0, number)))))
            frame = frame / PPPoE(sessionid=1) / ppp
        return frame / packet

    return [bytes(link(random.choice((network4, network6))())) for _ in range(count)]
