# SPDX-License-Identifier: GPL-2.0-only
"""Packets from bytes: one small function a header, payload last to first.

Nothing is filled in that was not asked for, so wrong packets are as easy to
write as right ones. Checksums stay 0: a port filter does not look at them.
"""

from struct import pack

ETHERTYPE = {"ipv4": 0x0800, "arp": 0x0806, "vlan": 0x8100, "ipv6": 0x86DD,
             "pppoe-discovery": 0x8863, "pppoe": 0x8864, "ad": 0x88A8, "lldp": 0x88CC}
PROTOCOL = {"tcp": 6, "udp": 17, "dccp": 33, "sctp": 132, "udplite": 136}
EXTENSION = {"hop-by-hop": 0, "routing": 43, "fragment": 44, "ah": 51,
             "destination": 60, "mobility": 135, "hip": 139, "shim6": 140}

MACS = bytes.fromhex("020000000002" "020000000001")
SOURCE4, TARGET4 = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 2])
SOURCE6 = bytes.fromhex("20010db8000000000000000000000001")
TARGET6 = bytes.fromhex("20010db8000000000000000000000002")


def ethernet(payload, kind=ETHERTYPE["ipv4"], tags=(), macs=MACS):
    """`tags`: the ethertype of each, outermost first."""
    if not tags:
        return macs + pack("!H", kind) + payload
    follows = (*tags[1:], kind)
    stack = b"".join([pack("!HH", 0x2000 | vlan, after)
                      for vlan, after in enumerate(follows, 100)])
    return macs + pack("!H", tags[0]) + stack + payload


def pppoe(payload, protocol=0x0021, code=0, length=None, short=False):
    """`short`: the protocol in one byte (RFC 1661 6.5)."""
    length = len(payload) + 2 - short if length is None else length
    head = pack("!BBHH", 0x11, code, 1, length & 0xFFFF)
    return head + protocol.to_bytes(1 if short else 2, "big") + payload


def ipv4(payload, protocol=6, ihl=5, version=4, fragment=0, options=None, length=None,
         source=SOURCE4, target=TARGET4):
    """`fragment`: the 16 bits of flags and offset. Options fill what `ihl` promises."""
    if options is None:
        options = b"\x01" * max(0, ihl * 4 - 20)
    length = 20 + len(options) + len(payload) if length is None else length
    return pack("!BBHHHBBH4s4s", version << 4 | ihl, 0, length & 0xFFFF, 1, fragment, 64,
                protocol, 0, source, target) + options + payload


def ipv6(payload, protocol=6, version=6, length=None, source=SOURCE6, target=TARGET6):
    length = len(payload) if length is None else length
    return pack("!IHBB16s16s", version << 28, length & 0xFFFF, protocol, 64, source,
                target) + payload


def fragment6(payload, protocol=6, offset=0, more=0, reserved=0):
    """`offset` in units of 8 bytes."""
    return pack("!BBHI", protocol, reserved, offset << 3 | more, 7) + payload


def extension(payload, kind, protocol=6, units=0):
    """A header of the given type in front of `payload`, whose type is `protocol`.

    `units` is the length field: 8 bytes more for each, 4 for AH.
    """
    if kind == EXTENSION["fragment"]:
        return fragment6(payload, protocol)
    if kind == EXTENSION["ah"]:
        return pack("!BB", protocol, units) + b"\x00" * (units * 4 + 6) + payload
    # As options: one PadN over the whole header (of at most 257 bytes), then Pad1.
    return pack("!BBBB", protocol, units, 1, min(255, units * 8 + 4)) + \
        b"\x00" * (units * 8 + 4) + payload


def chain(payload, kinds, protocol=6, units=0):
    """IPv6 with the given extension headers, in that order."""
    for kind in reversed(kinds):
        payload = extension(payload, kind, protocol, 4 if kind == 51 and not units else units)
        protocol = kind
    return ipv6(payload, protocol)


def transport(name="tcp", sport=40000, dport=80, payload=b""):
    """The header of one of the five protocols with ports."""
    ports = pack("!HH", sport, dport)
    if name == "tcp":
        return ports + pack("!IIHHHH", 1, 0, 0x5002, 64240, 0, 0) + payload
    if name == "sctp":
        return ports + pack("!II", 7, 0) + payload
    if name == "dccp":
        return ports + pack("!BBHIII", 4, 0, 0, 1, 0, 0) + payload
    return ports + pack("!HH", 8 + len(payload), 0) + payload
