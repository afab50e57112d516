#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The wire between two hosts that both reject: what goes over it is counted.

    refusers.py wire NS-A NS-M NS-B NAME
        the wire: what comes in at m0 goes out at m1, and the other way round, until it is ended; prints "ready"
    refusers.py count NS-A NS-M NS-B NAME
        the same, and sends from B what rejected.py has, of which A is to answer what it says and B nothing. TAP

What has been sent has had all its consequences when other frames, which no filter is asked about, have gone there and
back some times behind it: each time, an answer that is answered would be on the wire once more.
"""

import ctypes
import os
import selectors
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "prog"))

from rejected import answered, silent, with_checksum
from runner import Tap

ALL, OUTGOING, HANGS = 3, 4, 120
ROUNDS = 4
END = b"\x02" * 12 + b"\x88\xb5"


def socket_in(namespace, device):
    """For whole frames."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", encoding="ascii") as file:
        if libc.setns(file.fileno(), 0):
            sys.exit(os.strerror(ctypes.get_errno()))
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((device, ALL))
    sock.settimeout(HANGS)
    return sock


def is_told(frame):
    """It is TCP, or what an answer to anything else is. What was sent is never seen here on the way it came."""
    kind, packet = frame[12:14], frame[14:]
    if kind == b"\x08\x00":
        return packet[9] == 6 or packet[9] == 1 and packet[20] == 3
    return kind == b"\x86\xdd" and (packet[6] == 6 or packet[6] == 58 and packet[40] == 1)


class Wire:
    def __init__(self, middle):
        self.left, self.right = socket_in(middle, "m0"), socket_in(middle, "m1")
        self.seen = {self.left: [], self.right: []}
        self.sent, self.lock = None, threading.Lock()

    def run(self):
        selector = selectors.DefaultSelector()
        for sock in self.seen:
            selector.register(sock, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                frame, (_, _, kind, *_) = key.fileobj.recvfrom(65536)
                if kind != OUTGOING:
                    self.forward(key.fileobj, frame)

    def forward(self, sock, frame):
        with self.lock:
            self.seen[sock].append(frame)
        (self.right if sock is self.left else self.left).send(frame)

    def take(self):
        """-> (what A has sent, what B has), since the last time"""
        with self.lock:
            seen = [self.seen[self.left], self.seen[self.right]]
            self.seen = {self.left: [], self.right: []}
        return seen


def wait_for(sock, frame):
    while sock.recv(65536) != frame:
        pass


def settle(here, there):
    """There and back, so that all is over that has been sent before."""
    settle.number += 1
    for number in range(ROUNDS):
        frame = END + f"{settle.number} {number}".encode().ljust(50, b".")
        here.send(frame)
        wait_for(there, frame)
        frame = frame[:14] + frame[14:].upper()[::-1]
        there.send(frame)
        wait_for(here, frame)


settle.number = 0


def packets():
    for name, frame in answered():
        yield name, with_checksum(frame), not name.startswith("on lo")
    for name, frame in silent():
        yield name, with_checksum(frame), False


def count(mode, there, wire, here):
    tap = Tap()
    settle(here, there)
    wire.take()
    for name, frame, is_to_tell in packets():
        here.send(frame)
        settle(here, there)
        ours, theirs = wire.take()
        told = [sent for sent in ours if is_told(sent)]
        others = [sent for sent in theirs if is_told(sent) and sent != frame]
        tap.ok(frame in theirs and len(told) == is_to_tell and not others,
               f"{mode}: {name}: {'one answer' if is_to_tell else 'none'}, and none to that",
               *[f"sent: {sent.hex()}" for sent in told + others])
    return 1 if tap.failed else 0  # the plan is the shell's


def main():
    what, ns_a, ns_m, ns_b, mode = sys.argv[1:]
    there, here, wire = socket_in(ns_a, "v0"), socket_in(ns_b, "v1"), Wire(ns_m)
    thread = threading.Thread(target=wire.run, daemon=True)
    thread.start()
    if what == "count":
        return count(mode, there, wire, here)
    print("ready", flush=True)
    thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main())
