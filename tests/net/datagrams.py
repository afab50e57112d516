#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Datagrams of UDP as they are on the wire, from whomever: the sockets of this host do not matter.

    datagrams.py DEVICE SOURCE[+N] DESTINATION PORT COUNT [SIZE]

Out of DEVICE go COUNT frames of SIZE bytes (64 unless said), Ethernet header and all, from port 40000
of SOURCE, or, with +N, of N addresses from SOURCE on in turn. They are for nobody's Ethernet address.
Each has been handed to the device when this ends.
"""

import errno
import ipaddress
import socket
import struct
import sys

SPORT = 40000
HEADS = {4: (b"\x08\x00", 20), 6: (b"\x86\xdd", 40)}


def checksum(head):
    total = sum(struct.unpack("!10H", head))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return struct.pack("!H", ~total & 0xffff)


def network(source, destination, length):
    """The IP header before `length` bytes of UDP."""
    if source.version == 6:
        return struct.pack("!IHBB", 6 << 28, length, 17, 64) + source.packed + destination.packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + length, 0, 0, 64, 17, 0)
    head += source.packed + destination.packed
    return head[:10] + checksum(head) + head[12:]


def frame(mac, source, destination, port, size):
    ethertype, head = HEADS[source.version]
    length = size - 14 - head
    udp = struct.pack("!HHHH", SPORT, port, length, 0) + bytes(length - 8)
    return bytes.fromhex("020000000002") + mac + ethertype + network(source, destination, length) + udp


def send(sock, data):
    """Again where the device has no room: it is the filter that is to drop."""
    while True:
        try:
            return sock.send(data)
        except OSError as error:
            if error.errno not in (errno.ENOBUFS, errno.EAGAIN):
                raise


def main(device, source, destination, port, count, size="64"):
    first, _, nr = source.partition("+")
    first, destination = ipaddress.ip_address(first), ipaddress.ip_address(destination)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
        sock.bind((device, 0))
        mac = sock.getsockname()[4]
        for i in range(int(count)):
            send(sock, frame(mac, first + i % int(nr or 1), destination, int(port), int(size)))


if __name__ == "__main__":
    main(*sys.argv[1:])
