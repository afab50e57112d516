#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Captures of all kinds, and what `explain` must say of each of their packets.

    captures.py rules                     the text of the ruleset that the answers are about
    captures.py names                     the captures of the table below
    captures.py make NAME FILE            one of them as a file
    captures.py check NAME [OPTION...]    what `explain` says of it, as text and as JSON
    captures.py scapy KIND FILE           packets to port 80, by scapy: CookedLinux,
        CookedLinuxV2, Loopback, Ether, IP
    captures.py links COUNT bare|ethernet [OPTION...]
        generated packets, on an interface of that kind, in a capture of each link type: as the
        program in tests/prog has it for the packet alone
    captures.py cut COUNT [OPTION...]
        generated packets, each cut by the capture somewhere: what is not said to be truncated is as
        the program in tests/prog has it for the whole packet

OPTIONs are for explain. Exit status 1, and what differs, where something does. Link-layer headers
are written after https://www.tcpdump.org/linktypes.html.
"""

import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from struct import pack

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "prog"))

import generate
from packets import EXTENSION, ETHERTYPE, chain, ethernet, extension, fragment6, ipv4, ipv6, pppoe
from packets import transport
from runner import Runner

RULES = """fragments drop
drop tcp dport 80
allow tcp dport 81
drop udp dport 53
"""
IP, IPV6, ARP, VLAN = (ETHERTYPE[name] for name in ("ipv4", "ipv6", "arp", "vlan"))
TCP80, TCP81 = transport("tcp"), transport("tcp", dport=81)
DROP, ALLOW = "drop drop-rule 1 40000 80", "pass pass 2 40000 81"
NOPORT, MALFORMED, FRAGMENT = "pass noport", "pass malformed", "drop fragment"


def sll(protocol, payload, arphrd=1, kind=0):
    return pack("!HHH8sH", kind, arphrd, 6, bytes(8), protocol) + payload


def sll2(protocol, payload, arphrd=1, kind=0):
    return pack("!HHIHBB8s", protocol, 0, 2, arphrd, kind, 6, bytes(8)) + payload


def null(family, payload, order="<"):
    return pack(order + "I", family) + payload


def is_cut(packet, captured, answer):
    """A packet of which the capture has less, where that decides."""
    return packet, captured, answer + " truncated"


def tags(payload, kind, *tcis):
    """What stands behind a type of 0x8100."""
    return b"".join(pack("!HH", tci, VLAN) for tci in tcis[:-1]) + pack("!HH", tcis[-1], kind) + payload


BIG = 80000
LONG6 = chain(TCP80 + bytes(60000), [EXTENSION["destination"]] * 8, units=255)
OPTIONS = ipv4(bytes(80), protocol=1, ihl=15)
LATER = ipv4(bytes(80), ihl=15, fragment=10)
FIRST6 = ipv6(fragment6(extension(TCP80 + bytes(20), 60), protocol=60, more=1), 44)
TYPED = [(IP, ipv4(TCP80), DROP), (IP, ipv4(TCP81), ALLOW), (IPV6, ipv6(TCP80), DROP),
         (IPV6, chain(TCP80, [60, 43]), DROP), (ARP, bytes(28), NOPORT),
         (VLAN, tags(ipv4(TCP80), IP, 5), DROP), (VLAN, tags(ipv6(TCP80), IPV6, 5, 6), DROP),
         (VLAN, tags(bytes(28), ARP, 5), NOPORT), (0x8864, pppoe(ipv4(TCP80)), DROP),
         (4, bytes(30), NOPORT), (0, bytes(30), NOPORT), (IP, b"", MALFORMED),
         (IP, ipv4(TCP80)[:15], MALFORMED)]
NETLINK = "not run: .*ARPHRD type 824"
FEW = "not run: %d bytes are too few"

# name: (link type, packets); a packet is its bytes, how many of them are captured, and the answer
CAPTURES = {
    "ethernet": (1, [(ethernet(payload, kind), None, said) for kind, payload, said in TYPED] + [
        (b"", None, MALFORMED), (bytes(6), None, MALFORMED), (bytes(13), None, MALFORMED),
        (bytes(14), None, NOPORT)]),
    "sll": (113, [(sll(kind, payload), None, said) for kind, payload, said in TYPED] + [
        (sll(IP, ipv4(TCP80), kind=4), None, DROP), (sll(IP, ipv4(TCP80), arphrd=65534), None, DROP),
        (sll(IP, ipv4(TCP80), arphrd=824), None, NETLINK), (sll(IP, b"")[:15], None, FEW % 15),
        (sll(IP, ipv4(TCP81)), None, ALLOW)]),
    "sll2": (276, [(sll2(kind, payload), None, said) for kind, payload, said in TYPED] + [
        (sll2(IP, ipv4(TCP80), kind=4), None, DROP), (sll2(IP, ipv4(TCP80), arphrd=772), None, DROP),
        (sll2(IP, ipv4(TCP80), arphrd=824), None, NETLINK), (sll2(IP, b"")[:19], None, FEW % 19),
        (sll2(IP, ipv4(TCP81)), None, ALLOW)]),
    "null": (0, [(null(2, ipv4(TCP80), order), None, DROP) for order in "<>"] + [
        (null(family, ipv6(TCP80), order), None, DROP)
        for family in (10, 23, 24, 28, 30) for order in "<>"] + [
        (null(7, bytes(40)), None, "not run: it is of address family 7, which is not IP"),
        (null(2, b""), None, MALFORMED), (null(2, b"")[:3], None, FEW % 3),
        (null(30, ipv4(TCP80)), None, MALFORMED), (null(2, ipv4(TCP81)), None, ALLOW)]),
    "loop": (108, [(null(2, ipv4(TCP80), ">"), None, DROP), (null(24, ipv6(TCP81), ">"), None, ALLOW),
                   (null(2, ipv4(TCP80), "<"), None, DROP)]),
    # Shorter than what the kernel tries, too; and what is neither version
    "raw": (101, [(ipv4(TCP80), None, DROP), (ipv6(TCP80), None, DROP)] + [
        (ipv4(TCP80)[:length], None, MALFORMED) for length in range(20)] + [
        (ipv6(TCP80)[:length], None, MALFORMED) for length in (1, 13, 14, 39)] + [
        (ipv4(TCP80, version=5), None, MALFORMED), (ipv4(TCP81), None, ALLOW)]),
    "raw12": (12, [(ipv4(TCP80), None, DROP), (ipv6(TCP81), None, ALLOW)]),
    "raw14": (14, [(ipv4(TCP80), None, DROP), (ipv6(TCP81), None, ALLOW)]),
    "ipv4": (228, [(ipv4(TCP80), None, DROP), (ipv4(TCP80)[:9], None, MALFORMED)]),
    "ipv6": (229, [(ipv6(TCP80), None, DROP), (ipv6(TCP81)[:30], None, MALFORMED)]),
    # GRO, TSO, BIG TCP: more than the kernel tries, and lengths that say less
    "big": (1, [
        (ethernet(ipv4(TCP80 + bytes(BIG))), None, DROP),
        (ethernet(ipv4(TCP80 + bytes(BIG), length=0)), None, DROP),
        (ethernet(ipv6(TCP81 + bytes(200000), length=0), IPV6), None, ALLOW),
        (ethernet(LONG6, IPV6), None, DROP),
        (ethernet(ipv4(TCP81 + bytes(32700))), None, ALLOW),
        (ethernet(ipv4(TCP80 + bytes(BIG))), 60000, DROP),
        (ethernet(ipv4(TCP80 + bytes(BIG))), 54, DROP),
        is_cut(ethernet(LONG6, IPV6), 16000, MALFORMED),
        (ethernet(ipv6(extension(b"", 60, 59, 1)[:8] + bytes(BIG), 60), IPV6), None, NOPORT)]),
    "bigraw": (101, [(ipv4(TCP80 + bytes(BIG)), None, DROP), (LONG6, None, DROP)]),
    # tcpdump -s: what lies behind decides, or it does not
    "cut": (1, [
        (ethernet(ipv4(TCP80 + bytes(1000))), 64, DROP), (ethernet(ipv4(TCP81)), 48, ALLOW),
        (ethernet(ipv4(TCP80)), 38, DROP),  # TCP's flags are read only where a connection decides
        is_cut(ethernet(ipv4(TCP80)), 37, MALFORMED), is_cut(ethernet(ipv4(TCP80)), 14, MALFORMED),
        is_cut(ethernet(ipv4(TCP80)), 10, MALFORMED), is_cut(ethernet(ipv4(TCP80)), 0, MALFORMED),
        (ethernet(OPTIONS), 34, NOPORT), (ethernet(LATER), 34, FRAGMENT),
        is_cut(ethernet(LATER), 33, MALFORMED),
        # It ends too early on the wire as well: there is nothing that could change that.
        (ethernet(ipv4(TCP80)[:23]), 36, MALFORMED), (ethernet(OPTIONS[:50]), 34, MALFORMED),
        (ethernet(ipv4(TCP80, version=5)), 34, MALFORMED),
        is_cut(ethernet(FIRST6, IPV6), 68, "drop unparsable"),
        (ethernet(FIRST6, IPV6), 74, "drop drop-rule 1 40000 80"),
        is_cut(ethernet(ipv6(TCP80), IPV6, [VLAN] * 4), 29, MALFORMED),
        is_cut(ethernet(ipv6(TCP80), IPV6, [VLAN] * 4), 69, MALFORMED),
        (ethernet(ipv6(TCP80), IPV6, [VLAN] * 4), 74, DROP)]),
    "cutsll": (113, [(sll(IP, ipv4(TCP80 + bytes(100))), 64, DROP),
                     is_cut(sll(IP, ipv4(TCP80 + bytes(100))), 36, MALFORMED)]),
}

# On an interface without link-layer header nothing but IP comes in, and without tags; of which version
# it is says its first byte, as on a real one.
NO_IP = "not run: it is of EtherType 0x%04x, and no IP"
BARE_TYPED = [NO_IP % kind if kind not in (IP, IPV6) else said for kind, _, said in TYPED]
BARE_CHANGES = {
    "ethernet": {14: FEW % 0, 15: FEW % 6, 16: FEW % 13, 17: NO_IP % 0},
    "null": {16: DROP},
    "cut": {6: FEW % 10, 7: FEW % 0, 13: MALFORMED + " truncated",
            16: NO_IP % VLAN, 17: NO_IP % VLAN, 18: NO_IP % VLAN},
}


# Before 5.18 the kernel tries frames of one buffer only, and these have more than that of headers.
OLD = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) < (5, 18)


def wanted_of(name, bare):
    wanted = [said if not OLD or LONG6 not in packet else "not run: its headers are longer"
              for packet, _, said in CAPTURES[name][1]]
    if bare and name in ("ethernet", "sll", "sll2"):
        wanted[:len(BARE_TYPED)] = BARE_TYPED
    for number, said in BARE_CHANGES.get(name, {}).items() if bare else ():
        wanted[number - 1] = said
    return wanted


def write_pcap(path, link, packets):
    """`packets`: [(bytes, how many of them are captured, None for all)]"""
    with open(path, "wb") as file:
        file.write(pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link))
        for packet, captured in packets:
            part = packet[:captured]
            file.write(pack("<IIII", 0, 0, len(part), len(packet)) + part)


def explain(path, *options):
    done = subprocess.run([os.environ["PB"], "explain", *options, path], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    return done.returncode, done.stdout.splitlines(), done.stderr


def answer_of(said, packet, captured):
    """An answer in JSON, as the table has it."""
    if "error" in said:
        return "not run: " + said["error"]
    words = [said["verdict"], said["outcome"]]
    words += [str(said[key]) for key in ("rule", "sport", "dport") if said[key] is not None]
    if said["truncated"]:
        words.append("truncated")
        there = len(packet) if captured is None else captured
        if f"only {there} of its {len(packet)} bytes were captured" not in said["why"]:
            words.append(f"({said['why']})")
    return " ".join(words)


def line_of(number, said):
    """The line that is to stand for an answer in JSON."""
    if "error" in said:
        return f"{number}: not run: {said['error']}"
    rule = f" rule {said['rule']}" if said["rule"] else ""
    flow = "" if said["sport"] is None else f" {PROTO[said['protocol']]} {said['sport']} > {said['dport']}"
    return f"{number}: {said['verdict']} ({said['outcome']}){rule}{flow}: {said['why']}"


PROTO = {6: "tcp", 17: "udp"}


def tell(problems, count):
    print(f"{count} packets, {len(problems)} differences", *problems[:10], sep="\n")
    return 1 if problems else 0


def check(name, *options):
    link, packets = CAPTURES[name]
    wanted = wanted_of(name, "-i" in options)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, name)
        write_pcap(path, link, [packet[:2] for packet in packets])
        status, lines, errors = explain(path, "-j", *options)
        text_status, text, _ = explain(path, *options)
    answers = [json.loads(line) for line in lines]
    problems = [errors] if errors else []
    if [said.get("packet") for said in answers] != list(range(1, len(packets) + 1)):
        problems.append(f"{len(answers)} answers to {len(packets)} packets, or other numbers")
    for number, (packet, said, right) in enumerate(zip(packets, answers, wanted), 1):
        got = answer_of(said, *packet[:2])
        if got != right and not (right.startswith("not run") and re.match(right, got)):
            problems.append(f"packet {number}: {got}, not {right}")
    if text != [line_of(number, said) for number, said in enumerate(answers, 1)]:
        problems += ["the text is not as JSON:", *text]
    failed = any("not run" in said for said in wanted)
    if (status, text_status) != (failed, failed):
        problems.append(f"exit statuses {status}, {text_status}, not {int(failed)}")
    return tell(problems, len(packets))


def verdicts_of(path, *options):
    return [(said["verdict"], said["outcome"], said["rule"] or 0, said["truncated"])
            for said in map(json.loads, explain(path, "-j", *options)[1])]


def generated(count, bare):
    """Packets that the kernel tries as they are, and the program's own answers to them."""
    seed = int(os.environ.get("PB_SEED") or time.time_ns() % (1 << 32))
    print(f"PB_SEED={seed}")
    frames = [frame for frame, _ in generate.Generator(seed, not bare).frames(int(count))]
    random.seed(seed)
    runner = Runner(RULES, not bare)
    frames = [frame for frame in frames if 14 <= len(frame) and (runner.frags or len(frame) < 3000)]
    answers = runner.run([(frame, 0) for frame in frames])
    runner.close()
    verdicts = {1: "drop", 2: "pass"}
    return frames, [(verdicts[verdict], outcome, rule, False) for verdict, outcome, rule in answers]


def compare(what, frames, got, wanted):
    if len(got) != len(wanted):
        return [f"{what}: {len(got)} answers to {len(wanted)} packets"]
    return [f"{what}: {frame.hex()}: {a}, not {b}"
            for frame, a, b in zip(frames, got, wanted) if a != b]


def check_links(count, kind, *options):
    bare = kind == "bare"
    frames, answers = generated(count, bare)
    if bare:
        # What has no version has no family either.
        chosen = [i for i, frame in enumerate(frames) if frame[0] >> 4 in (4, 6)]
        frames, answers = [frames[i] for i in chosen], [answers[i] for i in chosen]
        typed = [(IP if frame[0] >> 4 == 4 else IPV6, frame) for frame in frames]
        forms = {113: sll, 276: sll2, 101: lambda kind, payload: payload,
                 0: lambda kind, payload: null(2 if kind == IP else 30, payload),
                 108: lambda kind, payload: null(2 if kind == IP else 24, payload, ">"),
                 1: lambda kind, payload: ethernet(payload, kind)}
    else:
        typed = [(int.from_bytes(frame[12:14], "big"), frame[14:]) for frame in frames]
        forms = {113: sll, 276: sll2}
    problems = []
    for link, form in forms.items():
        with tempfile.NamedTemporaryFile() as file:
            write_pcap(file.name, link, [(form(*packet), None) for packet in typed])
            problems += compare(f"link type {link}", frames, verdicts_of(file.name, *options), answers)
    return tell(problems, len(frames) * len(forms))


def check_cut(count, *options):
    frames, answers = generated(count, False)
    cuts = [random.randrange(min(len(frame), 120)) for frame in frames]
    with tempfile.NamedTemporaryFile() as file:
        write_pcap(file.name, 1, zip(frames, cuts))
        said = verdicts_of(file.name, *options)
    known = [answer if not answer[3] else None for answer in said]
    cut = sum(answer is None for answer in known)
    print(f"{cut} of {len(frames)} are truncated")
    if not 0 < cut < len(frames):
        return 1
    return tell(compare("cut", frames, known,
                        [None if answer is None else right for answer, right in zip(known, answers)]),
                len(frames))


def make_by_scapy(kind, path):
    import logging
    logging.getLogger("scapy").setLevel(logging.ERROR)
    from scapy import all as scapy
    ports = scapy.TCP(sport=40000, dport=80)
    packets = [scapy.IP() / ports, scapy.IP(dst="192.0.2.9") / ports]
    if kind != "IP":
        packets.append(scapy.IPv6() / ports)
        if kind != "Loopback":
            packets.append(scapy.Dot1Q(vlan=5) / scapy.IP() / ports)
        packets = [getattr(scapy, kind)() / packet for packet in packets]
    scapy.wrpcap(path, packets)
    return 0


def main(command, *arguments):
    if command == "rules":
        print(RULES, end="")
    elif command == "names":
        print(*CAPTURES)
    elif command == "make":
        link, packets = CAPTURES[arguments[0]]
        write_pcap(arguments[1], link, [packet[:2] for packet in packets])
    else:
        return {"check": check, "scapy": make_by_scapy, "links": check_links, "cut": check_cut}[command](*arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
