# SPDX-License-Identifier: GPL-2.0-only
"""Lists of elements at random, the same ones each time: files of a prefix a line."""

import os
import random
import socket

# Of a mixture, how many in ten are hosts and how many networks of the usual length; the others are of
# any length between those given.
HOSTS, USUAL = 7, 2
USUAL_LEN = {4: 24, 6: 64}
OTHERS = {4: (16, 31), 6: (32, 127)}
FULL = {4: 32, 6: 128}
# No element of the lists but those of all lengths holds these: for what commands add.
FREE4, FREE4_LEN = 198 << 24 | 18 << 16, 15


def free4(number):
    """An address that is in no list."""
    value = FREE4 + number
    return f"{value >> 24}.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"


def random_address(chance, family):
    """Of what is given out: 1.0.0.0 to 223.255.255.255, 2000::/3."""
    if family == 6:
        return 1 << 125 | chance.getrandbits(125)
    while True:
        value = chance.randrange(1 << 24, 224 << 24)
        if (value ^ FREE4) >> (32 - FREE4_LEN):
            return value


def length_of_mixture(chance, family):
    kind = chance.randrange(10)
    if kind < HOSTS:
        return FULL[family]
    return USUAL_LEN[family] if kind < HOSTS + USUAL else chance.randint(*OTHERS[family])


LENGTHS = {
    "hosts": lambda chance, family: FULL[family],
    "mixture": length_of_mixture,
    "all": lambda chance, family: chance.randint(0, FULL[family]),
}


def draw(kind, family, number):
    """So many different prefixes, as (address, length)."""
    chance = random.Random(f"{kind} {family} {number}")
    length_of, full = LENGTHS[kind], FULL[family]
    found = {(0, 0): None} if kind == "all" else {}
    while len(found) < number:
        length = length_of(chance, family)
        host_bits = full - length
        found[random_address(chance, family) >> host_bits << host_bits, length] = None
    return list(found)


def text(family, prefix):
    address, length = prefix
    kind, size = (socket.AF_INET, 4) if family == 4 else (socket.AF_INET6, 16)
    return f"{socket.inet_ntop(kind, address.to_bytes(size, 'big'))}/{length}"


def outer(family, prefixes):
    """Those that lie in no other: nft refuses intervals that overlap."""
    end = -1
    for address, length in sorted(prefixes):
        if address > end:
            end = address + (1 << FULL[family] - length) - 1
            yield address, length


class Lists:
    """Files in a folder, made when they are asked for."""

    def __init__(self, folder):
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, lines):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.writelines(lines)
        return self.path(name)

    def plain(self, kind, family, number):
        name = f"{kind}{family}-{number}"
        if os.path.exists(self.path(name)):
            return self.path(name)
        return self.write(name, (f"{text(family, p)}\n" for p in draw(kind, family, number)))

    def nft(self, table, kind, number, chain=""):
        """A table `netdev TABLE` with the set `blocked`: a hash of hosts, or intervals."""
        prefixes = draw(kind, 4, number)
        if kind != "hosts":
            prefixes = outer(4, prefixes)
        flags = "" if kind == "hosts" else " flags interval;"
        elements = ", ".join(text(4, p).removesuffix("/32") for p in prefixes)
        return self.write(f"nft-{table}", [
            f"table netdev {table} {{\n set blocked {{ type ipv4_addr;{flags} "
            f"elements = {{ {elements} }}; }}\n{chain}}}\n"])

    def ipset(self, name, kind, number):
        lines = [f"create {name} hash:net maxelem 2097152\n"]
        lines += [f"add {name} {text(4, p)}\n" for p in draw(kind, 4, number)]
        return self.write(f"ipset-{name}", lines)
