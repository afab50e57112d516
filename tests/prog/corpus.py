# SPDX-License-Identifier: GPL-2.0-only
"""The conformance shapes as files, for the user-space tests of parse.h.

tests/fuzz/corpus/NAME.bin is one byte (1: begins with an Ethernet header, 0: does
not) and the frame. EXPECTED has a line for each: the file, then from which
prefix length on the frame has which outcome, `ports` with what they are:

    vlan.bin 0:malformed 42:ports/tcp/40000/80

`corpus.py` writes them anew; test_conformance compares.
"""

import os
import sys

from dissect import dissect
from shapes import SHAPES

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fuzz", "corpus")
NOTE = "# Written by tests/prog/corpus.py from the conformance table; not for editing.\n"


def outcome_text(found):
    if found.outcome != "ports":
        return found.outcome
    return f"ports/{found.protocol}/{found.sport}/{found.dport}"


def expectation(shape):
    """What becomes of each prefix, told where it changes."""
    words, last = [f"{shape.name}.bin"], None
    for length in range(len(shape.frame) + 1):
        outcome = outcome_text(dissect(shape.frame[:length], shape.ethernet))
        if outcome != last:
            words.append(f"{length}:{outcome}")
            last = outcome
    return " ".join(words) + "\n"


def files():
    """-> {file name: bytes}"""
    result = {f"{shape.name}.bin": bytes((shape.ethernet,)) + shape.frame for shape in SHAPES}
    result["EXPECTED"] = (NOTE + "".join(expectation(shape) for shape in SHAPES)).encode()
    return result


def differences():
    """Names of files that are not what the table says."""
    expected, wrong = files(), []
    for name in sorted(set(expected) | set(os.listdir(FOLDER))):
        path = os.path.join(FOLDER, name)
        if not os.path.exists(path) or name not in expected:
            wrong.append(name)
            continue
        with open(path, "rb") as file:
            if file.read() != expected[name]:
                wrong.append(name)
    return wrong


def write():
    os.makedirs(FOLDER, exist_ok=True)
    for name in os.listdir(FOLDER):
        os.remove(os.path.join(FOLDER, name))
    for name, data in files().items():
        with open(os.path.join(FOLDER, name), "wb") as file:
            file.write(data)


if __name__ == "__main__":
    sys.exit(write())
