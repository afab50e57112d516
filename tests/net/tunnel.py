#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""A tunnel between two hosts: what one writes to its tun device, the other has from its own.

    tunnel.py NAMESPACE:DEVICE NAMESPACE:DEVICE
        until it is ended; prints "ready" when both devices have a carrier
"""

import ctypes
import fcntl
import os
import selectors
import sys
from struct import pack

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def open_device(where):
    namespace, name = where.split(":")
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{namespace}", encoding="ascii") as file:
        if libc.setns(file.fileno(), 0):
            sys.exit(os.strerror(ctypes.get_errno()))
    device = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(device, TUNSETIFF, pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return device


def main():
    one, other = (open_device(where) for where in sys.argv[1:])
    selector = selectors.DefaultSelector()
    selector.register(one, selectors.EVENT_READ, other)
    selector.register(other, selectors.EVENT_READ, one)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            try:
                os.write(key.data, os.read(key.fd, 65536))
            except OSError:
                pass  # the other device is down: lost


if __name__ == "__main__":
    main()
