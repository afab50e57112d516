# SPDX-License-Identifier: GPL-2.0-only
"""The loaded XDP program as a function of packets, and TAP."""

import os
import subprocess
import tempfile
# Numbers are this machine's: the runner is a program of it.
from struct import iter_unpack, pack, unpack

from dissect import OUTCOMES

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
RUNNER = os.path.join(TOP, os.environ.get("PB_BUILD", "build"), "tests", "prog", "runner")
COUNTED = dict(enumerate(OUTCOMES))
NOT_SHOWN = None  # what the kernel does not take: below 14 bytes, or too long for one buffer
MIN_FRAME = 14
# Answers of so many packets fit a pipe, so neither side waits for the other.
CHUNK = 8192


class Runner:
    """One program with one ruleset, given as text."""

    def __init__(self, rules, ethernet=True, options=()):
        with tempfile.NamedTemporaryFile("w", suffix=".rules") as file:
            file.write(rules)
            file.flush()
            options = [*options, *([] if ethernet else ["--no-ethernet"])]
            self.process = subprocess.Popen([RUNNER, *options, file.name],
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            features, self.instructions = unpack("=II", self.read(8))
        self.frags, self.split = bool(features & 1), bool(features & 2)

    def read(self, size):
        data = self.process.stdout.read(size)
        if len(data) < size:
            raise RuntimeError(f"the runner ended: exit status {self.process.wait()}")
        return data

    def send(self, blob):
        self.process.stdin.write(blob)
        self.process.stdin.flush()

    def receive(self, count):
        """-> [(verdict, outcome, rule id)], NOT_SHOWN for what the kernel refused"""
        return [NOT_SHOWN if verdict == 255 else (verdict, COUNTED.get(outcome, "miscounted"), rule)
                for verdict, outcome, rule in iter_unpack("=BBH", self.read(4 * count))]

    def run(self, frames):
        """`frames`: [(bytes, length of the first buffer, 0 for all)]"""
        answers = []
        for start in range(0, len(frames), CHUNK):
            part = frames[start:start + CHUNK]
            self.send(to_blob(part))
            answers += self.receive(len(part))
        return answers

    def send_back(self, frame, linear=0):
        """With --sent. -> (answer, the frame that is sent back, b"": none)"""
        self.send(to_blob([(frame, linear)]))
        answer = self.receive(1)[0]
        return answer, self.read(unpack("=I", self.read(4))[0])

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait()


def to_blob(frames):
    return b"".join([pack("=II", len(frame), linear) + frame for frame, linear in frames])


class Tap:
    def __init__(self):
        self.number, self.failed = 0, 0

    def ok(self, good, name, *notes):
        self.number += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.number} - {name}", flush=True)
        if not good:
            for note in notes:
                print("#", note)

    def skip(self, name, why):
        self.number += 1
        print(f"ok {self.number} - {name} # SKIP {why}")

    def note(self, text):
        print("#", text, flush=True)

    def end(self):
        """Prints the plan; returns the exit status."""
        print(f"1..{self.number}")
        return 1 if self.failed else 0


def cannot_run():
    """Why the program cannot be run here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    if not os.path.exists(RUNNER):
        return "not built: make prog-tests"
    return None
