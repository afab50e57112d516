#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""What `explain` says, against the program's own verdict and against what the wire shows.

    explain.py rules NAME                   the text of a ruleset, of those below
    explain.py shapes NAME ethernet|bare [OPTION...]
        each shape of the conformance table, and its verdict in that table
    explain.py why SHAPE [OPTION...]        why, in words
    explain.py random NAME ethernet|bare COUNT [OPTION...]
        generated packets, and the answer of the program in tests/prog
    explain.py send DEVICE                  the shapes with Ethernet, out of a device
    explain.py live FILE [OPTION...]        the same in FILE, as `monitor -j` has shown them

OPTIONs are for explain. Exit status 1, and what differs, where something does.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from struct import pack

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "prog"))

import generate
import shapes
from runner import NOT_SHOWN, Runner

RULESETS = dict(shapes.RULESETS)
RULESETS["wide"] = """policy deny
allow tcp,udp dport 1-1024
drop tcp,udp dport 20-100
audit tcp dport 80
drop udp sport 53,123
allow sctp,dccp,udplite sport 1024-65535
allow tcp dport 22 new
drop tcp dport 443 from 10.0.0.0/8,2001:db8::/32
allow tcp,udp dport 443 from 10.1.0.0/16,2001:db8:1::/48
drop tcp dport 79-81 except 192.0.2.0/24,2001:db8::/32
"""
RULESETS["settings"] = """fragments drop
unparsable pass
drop tcp,udp,sctp,dccp,udplite dport 1-65535 from 10.0.0.0/8,fe80::/10
audit udp dport 53 from 192.0.2.64/26
drop tcp sport 80
"""
VERDICTS = {1: "drop", 2: "pass"}


def write_pcap(file, frames, ethernet):
    file.write(pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, 1 if ethernet else 101))
    for frame in frames:
        file.write(pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
    file.flush()


def explain(frames, ethernet, options):
    """-> [(verdict, outcome, rule id)]"""
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        write_pcap(file, frames, ethernet)
        done = subprocess.run([os.environ["PB"], "explain", "-j", *options, file.name],
                              stdout=subprocess.PIPE, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines()]
    return [(d["verdict"], d["outcome"], d["rule"] or 0) for d in said]


def tell(names, got, wanted):
    if len(got) != len(wanted):
        sys.exit(f"{len(got)} answers to {len(wanted)} packets")
    wrong = [f"{name}: {a}, not {b}" for name, a, b in zip(names, got, wanted) if a != b]
    print(f"{len(got)} packets, {len(wrong)} differences", *wrong[:10], sep="\n")
    return 1 if wrong else 0


def of_kind(ethernet):
    return [shape for shape in shapes.SHAPES if shape.ethernet == ethernet]


def check_shapes(name, kind, *options):
    chosen = of_kind(kind == "ethernet")
    column = list(shapes.RULESETS).index(name)
    wanted = []
    for shape in chosen:
        dropped, outcome, rule = shape.verdicts[column] == "D", shape.outcome, 0
        if outcome == "ports":
            outcome = ("drop-rule" if column == 0 else "drop-policy") if dropped else "pass"
            # The only rule drops under policy allow, and allows under policy deny.
            rule = int(shape.verdicts[column] == ("D", "P", None)[column])
        wanted.append(("drop" if dropped else "pass", outcome, rule))
    return tell([shape.name for shape in chosen],
                explain([shape.frame for shape in chosen], kind == "ethernet", options), wanted)


def show_why(name, *options):
    shape, = [shape for shape in shapes.SHAPES if shape.name == name]
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        write_pcap(file, [shape.frame], shape.ethernet)
        return subprocess.run([os.environ["PB"], "explain", *options, file.name]).returncode


def check_random(name, kind, count, *options):
    ethernet = kind == "ethernet"
    seed = int(os.environ.get("PB_SEED") or time.time_ns() % (1 << 32))
    runner = Runner(RULESETS[name], ethernet)
    frames = [frame for frame, _ in generate.Generator(seed, ethernet).frames(int(count))]
    if not runner.frags:
        frames = [frame for frame in frames if len(frame) <= 3000]
    answers = runner.run([(frame, 0) for frame in frames])
    runner.close()
    if NOT_SHOWN in answers:
        sys.exit("the kernel refused a packet")
    print(f"PB_SEED={seed}, outcomes: {sorted({answer[1] for answer in answers})}")
    return tell([frame.hex() for frame in frames], explain(frames, ethernet, options),
                [(VERDICTS[verdict], outcome, rule) for verdict, outcome, rule in answers])


def send(device):
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((device, 0))
        for shape in of_kind(True):
            sock.send(shape.frame)
    return 0


def check_live(path, *options):
    chosen = of_kind(True)
    with open(path, encoding="utf-8") as file:
        seen = [json.loads(line) for line in file]
    lengths = [d["length"] for d in seen]
    if lengths != [len(shape.frame) for shape in chosen]:
        sys.exit(f"not what was sent came: {lengths}")
    said = explain([shape.frame for shape in chosen], True, options)
    return tell([shape.name for shape in chosen], [answer[1:] for answer in said],
                [(d["outcome"], d["rule"] or 0) for d in seen])


def main(command, *arguments):
    if command == "rules":
        print(RULESETS[arguments[0]], end="")
        return 0
    return {"shapes": check_shapes, "why": show_why, "random": check_random, "send": send,
            "live": check_live}[command](*arguments)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
