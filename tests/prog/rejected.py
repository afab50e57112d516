# SPDX-License-Identifier: GPL-2.0-only
"""Packets that are rejected: those whose senders are told, and those of which nobody ever is."""

from ipaddress import ip_address
from struct import pack, pack_into, unpack_from

from packets import ETHERTYPE, EXTENSION, MACS, TARGET4, TARGET6, chain, ethernet, extension
from packets import fragment6, ipv4, ipv6, transport

DROP, TX = 1, 3
SYN, RST, ACK, FIN = 2, 4, 16, 1
RULES = "policy reject\nreject from 192.0.2.0/24,2001:db8::/32\n"


def total(data):
    data = bytes(data) + b"\0" * (len(data) & 1)
    value = sum(unpack_from(f"!{len(data) // 2}H", data))
    while value >> 16:
        value = (value & 0xFFFF) + (value >> 16)
    return value


def network_of(frame, has_ethernet):
    """Where the IP header begins, and where PPPoE does, if it is there."""
    if not has_ethernet:
        return 0, None
    kind, at, session = unpack_from("!H", frame, 12)[0], 14, None
    while kind in (ETHERTYPE["vlan"], ETHERTYPE["ad"]):
        kind, at = unpack_from("!H", frame, at + 2)[0], at + 4
    if kind == ETHERTYPE["pppoe"]:
        at, session = at + (7 if frame[at + 6] & 1 else 8), at
    return at, session


def with_checksum(frame, has_ethernet=True):
    """The same with a right IPv4 header checksum."""
    frame, (at, _) = bytearray(frame), network_of(frame, has_ethernet)
    header = (frame[at] & 15) * 4 if at < len(frame) else 0
    if header >= 20 and frame[at] >> 4 == 4 and len(frame) >= at + header:
        pack_into("!H", frame, at + 10, 0)
        pack_into("!H", frame, at + 10, ~total(frame[at:at + header]) & 0xFFFF)
    return bytes(frame)


def transport_of(frame, at):
    """Protocol, where its header begins, and where the packet ends."""
    if frame[at] >> 4 == 4:
        protocol, where = frame[at + 9], at + (frame[at] & 15) * 4
        end = at + unpack_from("!H", frame, at + 2)[0]
    else:
        protocol, where = frame[at + 6], at + 40
        end = at + 40 + unpack_from("!H", frame, at + 4)[0]
    while protocol in ((51,) if frame[at] >> 4 == 4 else EXTENSION.values()):
        units = frame[where + 1]
        size = 8 if protocol == 44 else (units + 2) * 4 if protocol == 51 else (units + 1) * 8
        protocol, where = frame[where], where + size
    return protocol, where, end


def is_to_answer(shape, frame):
    """By the shape's headers alone; addresses and flags are right in all of the table."""
    if shape.outcome != "ports":
        return False
    at = network_of(frame, shape.ethernet)[0]
    protocol, where, end = transport_of(frame, at)
    size = {6: 20, 33: 12, 132: 12}.get(protocol, 8)
    return at % 2 == 0 and where + size <= end <= len(frame)


def tcp(flags, seq=7, ack=9, payload=b"", options=b""):
    return pack("!HHIIBBHHH", 40000, 80, seq, ack, (5 + len(options) // 4) << 4, flags, 512, 0,
                0) + options + payload


def eth4(*args, **fields):
    return ethernet(ipv4(*args, **fields))


def eth6(*args, **fields):
    return ethernet(ipv6(*args, **fields), ETHERTYPE["ipv6"])


def answered():
    top = 0xFFFFFFFF
    for name, segment in (
            ("SYN with data", tcp(SYN, payload=b"abc")), ("SYN at the last number", tcp(SYN, top)),
            ("FIN", tcp(FIN)), ("ACK", tcp(ACK, ack=top)), ("SYN ACK", tcp(SYN | ACK)),
            ("no flags, data", tcp(0, payload=bytes(700))), ("FIN ACK", tcp(FIN | ACK)),
            ("options", tcp(SYN, options=b"\x01" * 40)), ("all but RST", tcp(0xFB))):
        yield "TCP, " + name, eth4(segment)
        yield "TCP over IPv6, " + name, eth6(segment)
    for size in (0, 1, 7, 17, 18, 19, 31, 32, 40, 64, 511, 512, 513, 519, 520, 521, 1100, 1223, 1400):
        data = bytes(i * 7 & 255 for i in range(size))
        yield f"UDP, {size} bytes", eth4(transport("udp", payload=data), 17)
        yield f"UDP over IPv6, {size} bytes", eth6(transport("udp", payload=data), 17)
        yield f"UDP, options, {size} bytes", eth4(transport("udp", payload=data), 17, ihl=15)
        yield f"UDP, padded, {size} bytes", eth4(transport("udp", payload=data), 17) + bytes(30)
    yield "ping", eth4(b"\x08" + bytes(30), 1)
    yield "ping over IPv6", eth6(b"\x80" + bytes(60), 58)
    yield "ESP", eth4(bytes(range(64)), 50)
    home4, home6 = bytes([127, 0, 0, 1]), bytes(15) + b"\1"
    for name, frame in (("IPv4", eth4(tcp(SYN), source=home4, target=home4)),
                        ("IPv6", eth6(tcp(SYN), source=home6, target=home6)),
                        ("an address of this host's", eth4(tcp(SYN), source=TARGET4))):
        yield f"on lo, {name}", frame.replace(MACS, bytes(12), 1)


def hidden():
    """What is not to be told, behind other headers; and what the stack itself would discard."""
    error, fragment, ah = b"\x03\x03" + bytes(62), EXTENSION["fragment"], EXTENSION["ah"]
    jumbo = bytes([6, 0, 0xC2, 4]) + pack("!I", 28) + tcp(SYN)
    yield "a reset behind IPv4 options", eth4(tcp(RST), ihl=15)
    yield "ICMP 3 behind IPv4 options", eth4(error, 1, ihl=15)
    for name, data, protocol in (("a reset", tcp(RST), 6), ("ICMP 3", error, 1)):
        yield f"{name} behind AH", eth4(extension(data, ah, protocol, 4), ah)
    yield "a later fragment behind AH", eth4(extension(tcp(SYN), ah, 6, 4), ah, fragment=3)
    yield "a later fragment of ESP", eth4(bytes(64), 50, fragment=0x2003)
    yield "a later fragment like a ping", eth4(b"\x08" + bytes(63), 1, fragment=0x2003)
    for kind in EXTENSION.values():
        yield f"a reset behind header {kind}", ethernet(chain(tcp(RST), (kind,)), ETHERTYPE["ipv6"])
        yield f"ICMPv6 1 behind header {kind}", \
            ethernet(chain(b"\1" + bytes(63), (kind,), 58), ETHERTYPE["ipv6"])
    yield "a later fragment over IPv6", eth6(fragment6(tcp(SYN), offset=3), fragment)
    yield "a jumbogram", eth6(jumbo, 0, length=0)


def silent():
    group, loop, every = bytes([224, 0, 0, 1]), bytes([127, 0, 0, 1]), bytes([255] * 4)
    for protocol, data in ((6, tcp(SYN)), (17, transport("udp", payload=bytes(80)))):
        for name, address in (("a group", group), ("127.0.0.1", loop), ("everybody", every),
                              ("0.0.0.0", bytes(4))):
            yield f"{protocol} to {name}", eth4(data, protocol, target=address)
            yield f"{protocol} from {name}", eth4(data, protocol, source=address)
        for name in ("ff02::1", "ff0e::1", "::", "::1", "::2", "::192.0.2.1", "::ffff:192.0.2.1"):
            address = ip_address(name).packed
            yield f"{protocol} to {name}", eth6(data, protocol, target=address)
            yield f"{protocol} from {name}", eth6(data, protocol, source=address)
        yield f"{protocol} from where it goes to", eth4(data, protocol, source=TARGET4)
        yield f"{protocol} over IPv6 from where it goes to", eth6(data, protocol, source=TARGET6)
        for at, name in ((0, "to"), (6, "from")):
            frame = bytearray(eth4(data, protocol))
            frame[at] |= 1
            yield f"{protocol} {name} a group of the link", bytes(frame)
        yield f"{protocol}, a later fragment", eth4(data, protocol, fragment=5)
        yield f"{protocol}, longer than the frame", eth4(data, protocol, length=1000)
    for words in range(5):
        data = bytearray(tcp(SYN, payload=bytes(40)))
        data[12] = words << 4
        yield f"a header of {words} words", eth4(bytes(data))
    for flags in range(256):
        if flags & RST:
            yield f"a reset, flags {flags}", eth4(tcp(flags))
    yield "a reset over IPv6", eth6(tcp(RST | ACK))
    yield "a header that is not whole", eth4(tcp(SYN)[:19])
    yield "options that are not whole", eth4(tcp(SYN, options=bytes(8))[:24])
    yield "a first fragment of 8 bytes", eth4(tcp(SYN)[:8], fragment=0x2000)
    for kind in {*range(256)} - {0, 8, *range(13, 19)}:
        yield f"ICMP {kind}", eth4(bytes([kind]) + bytes(63), 1)
    for kind in {*range(256)} - {128, 129}:
        yield f"ICMPv6 {kind}", eth6(bytes([kind]) + bytes(63), 58)
    yield from hidden()
    yield "ICMPv6 behind options", ethernet(chain(b"\x80" + bytes(63), (0,), 58), ETHERTYPE["ipv6"])
