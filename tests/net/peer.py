#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The two ends of test traffic: echo servers, and a client that asks one of them.

    peer.py serve --tcp 22,23 --udp 53 [--sctp 5000] [--udplite 7] [--bind ADDR] [--v6]
        prints "ready" when all sockets listen, then echoes until it is ended
    peer.py ask PROTO ADDR PORT [--timeout 1.0] [--sport N] [--from ADDR]
        exit status: 0 answered, 1 refused, 2 silence, 3 could not even ask
    peer.py send PROTO ADDR PORT [--count N] [--size BYTES] [--sport N]
        N datagrams, to nobody's ears; of a protocol that the kernel lacks, its ports
        with zeros behind them, which is all that a filter of ports looks at
    peer.py speaks PROTO
        exit status: 0 if the kernel has the protocol, else 3
"""

import argparse
import selectors
import socket
import struct
import sys
import time

IPPROTO_DCCP = 33
IPPROTO_SCTP = 132
IPPROTO_UDPLITE = 136

# protocol: (socket type, IP protocol)
PROTOCOLS = {
    "tcp": (socket.SOCK_STREAM, socket.IPPROTO_TCP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
    "sctp": (socket.SOCK_STREAM, IPPROTO_SCTP),
    "udplite": (socket.SOCK_DGRAM, IPPROTO_UDPLITE),
}

# What send makes by a raw socket
BARE = {"sctp": IPPROTO_SCTP, "dccp": IPPROTO_DCCP, "udplite": IPPROTO_UDPLITE}

ANSWERED, REFUSED, SILENT, CANNOT = 0, 1, 2, 3


def new_socket(proto, address):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    kind, number = PROTOCOLS[proto]
    sock = socket.socket(family, kind, number)
    if kind == socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return sock


def port_list(text):
    return [int(word) for word in text.split(",")]


def listen(proto, address, port):
    sock = new_socket(proto, address)
    sock.bind((address, port))
    if sock.type == socket.SOCK_STREAM:
        sock.listen(64)
    sock.setblocking(False)
    return sock


def echo(selector, sock, is_listener):
    """Serve one event. A peer that went away is no reason to stop."""
    try:
        if is_listener and sock.type == socket.SOCK_STREAM:
            connection, _ = sock.accept()
            connection.setblocking(False)
            selector.register(connection, selectors.EVENT_READ, False)
        elif is_listener:
            data, sender = sock.recvfrom(65536)
            sock.sendto(data, sender)
        else:
            data = sock.recv(65536)
            if not data:
                raise ConnectionResetError
            sock.sendall(data)
    except OSError:
        if not is_listener:
            selector.unregister(sock)
            sock.close()


def serve(args):
    addresses = args.bind or (["0.0.0.0", "::"] if args.v6 else ["0.0.0.0"])
    selector = selectors.DefaultSelector()
    for proto in PROTOCOLS:
        for port in getattr(args, proto):
            for address in addresses:
                sock = listen(proto, address, port)
                selector.register(sock, selectors.EVENT_READ, True)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            echo(selector, key.fileobj, key.data)


def exchange(sock, args):
    """Send a word, wait for the same word."""
    word = b"xdp-portblock %d" % time.monotonic_ns()
    deadline = time.monotonic() + args.timeout
    sock.settimeout(args.timeout)
    sock.connect((args.address, args.port))
    sock.send(word)
    received = b""
    while received != word:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)
        data = sock.recv(65536)
        if not data:
            raise ConnectionResetError
        received += data


def ask(args):
    try:
        with new_socket(args.proto, args.address) as sock:
            if args.sport or args.source:
                sock.bind((args.source or "", args.sport))
            if args.sport and args.proto == "tcp":
                # End by reset: the port is free for the next call at once.
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            exchange(sock, args)
        return ANSWERED
    except (ConnectionRefusedError, ConnectionResetError):
        return REFUSED
    except TimeoutError:
        return SILENT
    except OSError as error:
        print(f"peer.py: {args.proto} {args.address} {args.port}: {error}", file=sys.stderr)
        return CANNOT


def send(args):
    """Datagrams one way. A refusal that comes back is no reason to stop."""
    family = socket.AF_INET6 if ":" in args.address else socket.AF_INET
    payload = bytes(args.size)
    try:
        if args.proto == "udp":
            sock = new_socket("udp", args.address)
            sock.bind(("", args.sport))
            target = (args.address, args.port)
        else:
            sock = socket.socket(family, socket.SOCK_RAW, BARE[args.proto])
            payload = struct.pack("!HH", args.sport, args.port) + payload
            target = (args.address, 0)
        with sock:
            for _ in range(args.count):
                sock.sendto(payload, target)
        return ANSWERED
    except OSError as error:
        print(f"peer.py: send {args.proto} {args.address} {args.port}: {error}", file=sys.stderr)
        return CANNOT


def speaks(args):
    try:
        new_socket(args.proto, "0.0.0.0").close()
        return ANSWERED
    except OSError:
        return CANNOT


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    server = commands.add_parser("serve", help="echo on ports until ended")
    for proto in PROTOCOLS:
        server.add_argument(f"--{proto}", type=port_list, default=[], metavar="PORT,...")
    server.add_argument("--bind", action="append", metavar="ADDR")
    server.add_argument("--v6", action="store_true", help="IPv6 too")

    client = commands.add_parser("ask", help="connect, send a word, wait for its echo")
    client.add_argument("proto", choices=PROTOCOLS)
    client.add_argument("address")
    client.add_argument("port", type=int)
    client.add_argument("--timeout", type=float, default=1.0, metavar="SECONDS")
    client.add_argument("--sport", type=int, default=0, metavar="PORT")
    client.add_argument("--from", dest="source", metavar="ADDR")

    sender = commands.add_parser("send", help="datagrams, without waiting for an answer")
    sender.add_argument("proto", choices=["udp", *BARE])
    sender.add_argument("address")
    sender.add_argument("port", type=int)
    sender.add_argument("--count", type=int, default=1, metavar="N")
    sender.add_argument("--size", type=int, default=16, metavar="BYTES")
    sender.add_argument("--sport", type=int, default=0, metavar="PORT")

    probe = commands.add_parser("speaks", help="does the kernel have this protocol?")
    probe.add_argument("proto", choices=PROTOCOLS)
    return parser.parse_args()


def main():
    args = parse_args()
    if args.command == "ask":
        return ask(args)
    if args.command == "send":
        return send(args)
    if args.command == "speaks":
        return speaks(args)
    try:
        serve(args)
    except OSError as error:
        print(f"peer.py: serve: {error}", file=sys.stderr)
        return CANNOT
    except KeyboardInterrupt:
        return ANSWERED


if __name__ == "__main__":
    sys.exit(main())
