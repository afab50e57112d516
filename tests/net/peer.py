#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""The two ends of test traffic: echo servers, and a client that asks one of them.

    peer.py serve --tcp 22,23 --udp 53 [--sctp 5000] [--udplite 7] [--bind ADDR] [--v6]
        prints "ready" when all sockets listen, then echoes until it is ended
    peer.py ask PROTO ADDR PORT [--now] [--sport N] [--from ADDR] [--size N] [--unconnected]
        exit status: 0 answered, 1 refused, 2 silence, 3 could not even ask
    peer.py send PROTO ADDR PORT [--count N] [--size BYTES] [--sport N]
        N datagrams, to nobody's ears; of a protocol that the kernel lacks, its ports
        with zeros behind them, which is all that a filter of ports looks at
    peer.py hold ADDR PORT [--sport N] [--from ADDR]
        keeps a connection to an echo server until it is ended, and prints "ready" when
        it has its first answer; sends a byte at each SIGUSR1, and prints a dot for each
        that comes back
    peer.py speaks PROTO
        exit status: 0 if the kernel has the protocol, else 3

Silence is not shown by waiting. `ask --now` sends once, and then a ping, which no filter of
ports stops (settled()). What has not been heard when the ping is back, will not be.
"""

import argparse
import errno
import os
import selectors
import signal
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

# Seconds after which something hangs; no measure of anything.
HANGS = 120
# A folder with a Unix socket of each server
SERVERS = os.environ.get("PB_SERVERS")


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


def accept(selector, sock):
    connection, _ = sock.accept()
    connection.setblocking(False)
    selector.register(connection, selectors.EVENT_READ, echo_stream)


def echo_stream(selector, sock):
    """A peer that went away is no reason to stop."""
    try:
        data = sock.recv(65536)
        if not data:
            raise ConnectionResetError
        sock.sendall(data)
    except OSError:
        selector.unregister(sock)
        sock.close()


def echo_datagram(_, sock):
    data, sender = sock.recvfrom(65536)
    sock.sendto(data, sender)


def handle(selector, events):
    for key, _ in events:
        try:
            key.data(selector, key.fileobj)
        except OSError:
            pass # of a socket that listens: the next one may be better off


def enter():
    """For those who ask and those who answer: one CPU, the same for all. Packets that it sends
    keep their order, on the way and in the answers, for they are handled there, too."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if SERVERS:
        os.chdir(SERVERS) # a path may be longer than an address has room for


def run(selector):
    """Serves the sockets of selector, whose data are functions of selector and socket."""
    waiting = []
    enter()
    if SERVERS:
        name = str(os.getpid())
        if os.path.exists(name):
            os.unlink(name) # of a process that had this number before
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sock.bind(name)
        sock.listen(64)
        selector.register(sock, selectors.EVENT_READ, lambda _, sock: waiting.append(sock.accept()[0]))
    print("ready", flush=True)
    while True:
        events = selector.select(0 if waiting else None)
        handle(selector, events)
        if not events:
            # Nothing is left to answer: those who have asked are told so.
            for connection in waiting:
                connection.close()
            waiting.clear()


def serve(args):
    addresses = args.bind or (["0.0.0.0", "::"] if args.v6 else ["0.0.0.0"])
    selector = selectors.DefaultSelector()
    for proto in PROTOCOLS:
        for port in getattr(args, proto):
            for address in addresses:
                sock = listen(proto, address, port)
                selector.register(sock, selectors.EVENT_READ,
                                  accept if sock.type == socket.SOCK_STREAM else echo_datagram)
    run(selector)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(address, source=""):
    """Returns when a ping is back that is sent now."""
    v6 = ":" in address
    family, protocol = (socket.AF_INET6, socket.IPPROTO_ICMPV6) if v6 else (
        socket.AF_INET, socket.IPPROTO_ICMP)
    token = os.urandom(16)
    request = struct.pack("!BBHHH", 128 if v6 else 8, 0, 0, 0, 0) + token
    if not v6:
        request = request[:2] + struct.pack("!H", checksum(request)) + request[4:]
    deadline = time.monotonic() + HANGS
    with socket.socket(family, socket.SOCK_RAW, protocol) as sock:
        if source:
            sock.bind((source, 0))
        # One that is lost on the way proves nothing, and the next one will do.
        sock.settimeout(1)
        while time.monotonic() < deadline:
            try:
                sock.sendto(request, socket_address(address, 0))
                while True:
                    reply = sock.recv(65536)
                    reply = reply if v6 else reply[(reply[0] & 15) * 4:]
                    if reply[0] == (129 if v6 else 0) and reply[8:] == token:
                        return
            except TimeoutError:
                pass
    raise OSError(errno.ETIME, f"no ping to {address} came back")


def wait_until_idle():
    """Returns when the servers that run have answered all that has reached them."""
    for name in os.listdir(SERVERS) if SERVERS else []:
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
            sock.settimeout(HANGS)
            try:
                sock.connect(name)
                sock.recv(1)
            except (ConnectionRefusedError, ConnectionResetError):
                pass # has ended


def socket_address(host, port):
    """Which may name an interface: fe80::1%v0."""
    return socket.getaddrinfo(host, port)[0][4] if "%" in host else (host, port)


def settled(address, source=""):
    """Returns when all has come to its end that this process has sent to address: it has
    arrived there or nowhere, and so has what was answered."""
    ping(address, source)
    wait_until_idle()
    ping(address, source)


def word_of(args):
    """What is sent: so many bytes, and never the same."""
    word = b"xdp-portblock %d " % time.monotonic_ns()
    return word + bytes(i * 7 % 256 for i in range(args.size - len(word)))


def start(sock, args, word):
    """Connects and sends, and waits for nothing."""
    sock.setblocking(False)
    target = socket_address(args.address, args.port)
    if args.unconnected:
        sock.sendto(word, target)
        return
    try:
        sock.connect(target)
    except BlockingIOError:
        return
    sock.send(word)


def heard(sock):
    """Has anything come back by now?"""
    try:
        if sock.type == socket.SOCK_STREAM:
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, os.strerror(error))
            sock.getpeername()
        else:
            sock.recv(65536)
        return ANSWERED
    except (ConnectionRefusedError, ConnectionResetError):
        return REFUSED
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.ENOTCONN):
            return SILENT
        raise


def exchange(sock, args, word):
    """Sends the word, waits for the same word."""
    sock.settimeout(HANGS)
    if args.unconnected:
        sock.sendto(word, socket_address(args.address, args.port))
    else:
        sock.connect(socket_address(args.address, args.port))
        sock.sendall(word)
    received = b""
    while len(received) < len(word):
        data = sock.recv(65536)
        if not data:
            raise ConnectionResetError
        received += data
    if received != word:
        raise OSError(errno.EBADMSG, "another word came back")


def bind_to_device(sock, device):
    if device:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())


def ask_by(sock, args):
    bind_to_device(sock, args.device)
    if args.sport or args.source:
        sock.bind((args.source or "", args.sport))
    if args.sport and args.proto == "tcp":
        # End by reset: the port is free for the next call at once.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if args.now:
        start(sock, args, word_of(args))
        settled(args.address, args.source)
        return heard(sock)
    exchange(sock, args, word_of(args))
    return ANSWERED


def ask(args):
    enter()
    try:
        with new_socket(args.proto, args.address) as sock:
            status = ask_by(sock, args)
        if status == ANSWERED:
            settled(args.address, args.source) # the end of the connection, too
        return status
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


def hold(args):
    with new_socket("tcp", args.address) as sock:
        bind_to_device(sock, args.device)
        sock.bind((args.source or "", args.sport))
        # End by reset: the port is free for the next one at once.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.connect(socket_address(args.address, args.port))
        signal.signal(signal.SIGUSR1, lambda *_: sock.send(b"."))
        sock.send(b".")
        heard = sock.recv(1)
        print("ready", flush=True)
        while heard:
            heard = sock.recv(1)
            print(heard.decode(), flush=True)
    return CANNOT  # the server went away


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
    client.add_argument("--now", action="store_true",
                        help="what is there by the time that an answer must be")
    client.add_argument("--sport", type=int, default=0, metavar="PORT")
    client.add_argument("--from", dest="source", default="", metavar="ADDR")
    client.add_argument("--size", type=int, default=0, metavar="BYTES", help="of the word, at least")
    client.add_argument("--device", metavar="DEV", help="that the socket is bound to")
    client.add_argument("--unconnected", action="store_true", help="by a socket without a peer")

    sender = commands.add_parser("send", help="datagrams, without waiting for an answer")
    sender.add_argument("proto", choices=["udp", *BARE])
    sender.add_argument("address")
    sender.add_argument("port", type=int)
    sender.add_argument("--count", type=int, default=1, metavar="N")
    sender.add_argument("--size", type=int, default=16, metavar="BYTES")
    sender.add_argument("--sport", type=int, default=0, metavar="PORT")

    holder = commands.add_parser("hold", help="keep a TCP connection")
    holder.add_argument("address")
    holder.add_argument("port", type=int)
    holder.add_argument("--sport", type=int, default=0, metavar="PORT")
    holder.add_argument("--from", dest="source", metavar="ADDR")
    holder.add_argument("--device", metavar="DEV", help="that the socket is bound to")

    probe = commands.add_parser("speaks", help="does the kernel have this protocol?")
    probe.add_argument("proto", choices=PROTOCOLS)
    return parser.parse_args()


def main():
    args = parse_args()
    if args.command == "ask":
        return ask(args)
    if args.command == "send":
        return send(args)
    if args.command == "hold":
        return hold(args)
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
