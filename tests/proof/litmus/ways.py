#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""All ways in which an AArch64 machine may run a small litmus test; status 1 where one is what may not be.

    ways.py FILE

FILE is of herd7's form, so that herd7, where there is one, is asked the same. Here are the instructions alone
that the tests in this folder have. Memory is one for all CPUs (arm64 is multi-copy atomic), and a CPU does its
accesses in any order but where one of these stands between two of them: a register in an address or of what is
stored, a barrier, an acquire, a release, or the same place. No thread may load what it stores, which could come
to it sooner.
"""

import re
import sys


def read(path):
    """Memory, registers and instructions of each thread, and what may not be."""
    with open(path, encoding="ascii") as file:
        text = file.read()
    begin, program = re.search(r"\{(.*?)\}\n(.*?)~exists", text, re.S).groups()
    memory, registers = {}, {}
    for thread, name, value in re.findall(r"(?:(\d):)?(\w+)=(\w+);", begin):
        if thread:
            registers[int(thread), name] = int(value) if value.isdigit() else value
        else:
            memory[name] = int(value)
    lines = [line.rstrip("; ").split("|") for line in program.strip().splitlines()[1:]]
    threads = [[cell.strip() for cell in column if cell.strip()] for column in zip(*lines)]
    wrong = {(int(thread), name): int(value) for thread, name, value in
             re.findall(r"(\d):(X\d)=(\d+)", text[text.index("~exists"):])}
    return memory, registers, threads, wrong


def parts(instruction):
    """Its name, the register it sets, and those that it reads."""
    name, rest = instruction.split(" ", 1)
    used = re.findall(r"X\d", rest)
    if name in ("STR", "STLR"):
        return name, None, used
    return name, used[0] if used else None, used[1:]


LOADS, STORES = ("LDR", "LDAR"), ("STR", "STLR")


def must_follow(before, after):
    """Is the second instruction, later in the program, to wait for the first one, whatever lies between?"""
    (first, sets, _), (second, _, reads) = parts(before), parts(after)
    if sets and sets in reads:
        return True
    if first == "DMB" or first == "LDAR":
        return before != "DMB ISHLD" or second in LOADS + STORES
    if second == "DMB":
        return after == "DMB ISH" or first in LOADS
    if second == "STLR":
        return first in LOADS + STORES
    return False


def place(instruction, registers, thread):
    """The address of a load or store; None: it is neither."""
    found = re.search(r"\[(X\d)\]", instruction)
    return registers[thread, found[1]] if found else None


def step(state, thread, instruction):
    """What comes of an instruction: memory and registers."""
    memory, registers = dict(state[0]), dict(state[1])
    name, sets, reads = parts(instruction)
    if name in LOADS:
        registers[thread, sets] = memory[place(instruction, registers, thread)]
    elif name in STORES:
        memory[place(instruction, registers, thread)] = registers[thread, reads[0]]
    elif name == "AND":  # with 0
        registers[thread, sets] = 0
    elif name == "ADD":  # the first one is 0
        registers[thread, sets] = registers[thread, reads[1]]
    elif name != "DMB":
        sys.exit(f"ways.py: what is {instruction}?")
    return memory, registers


def orders(memory, registers, threads):
    """Of each instruction, those before it that it waits for. No address is another one by what is loaded."""
    waits = []
    for thread, code in enumerate(threads):
        state, places = (memory, registers), []
        for instruction in code:
            places.append(place(instruction, state[1], thread))
            state = step(state, thread, instruction)
        waits.append([{i for i in range(n) if must_follow(code[i], code[n]) or
                       (places[n] and places[i] == places[n])} for n in range(len(code))])
    return waits


def ways(state, left, threads, waits, ends):
    """Goes all of them; `ends`: the registers at the end of each."""
    if not any(left):
        ends.add(frozenset(state[1].items()))
    for thread, numbers in enumerate(left):
        for number in numbers:
            if not numbers & waits[thread][number]:
                rest = [one - {number} if one is numbers else one for one in left]
                ways(step(state, thread, threads[thread][number]), rest, threads, waits, ends)


def main():
    memory, registers, threads, wrong = read(sys.argv[1])
    ends = set()
    ways((memory, registers), [frozenset(range(len(code))) for code in threads], threads,
         orders(memory, registers, threads), ends)
    bad = [end for end in ends if all((key, value) in end for key, value in wrong.items())]
    seen = {tuple(value for key, value in sorted(end) if key in wrong) for end in ends}
    print(f"{sys.argv[1]}: {len(seen)} outcomes, {'wrong: one may not be' if bad else 'none that may not be'}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
