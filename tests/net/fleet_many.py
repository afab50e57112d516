# SPDX-License-Identifier: GPL-2.0-only
"""For tests of a fleet of many hosts, hN at 10.10.N.2: fleet_many.py COMMAND ...

ask PORTS HOST...	which of the TCP ports are silent there, a line for each answer: "22,23 h1,h2"; "all" where all
			hosts say the same, and "none" for no port
guard PORT HOST...	asks a port that no rules leave open, again and again, and prints "ready", a line for each host
			that answered, and for each signal USR1 "asked N", so many times until now
stage URL K COMMAND...	runs the command when stage K of ruleset web begins; prints "ready", and "done" then
points URL SEED NR MS HOST=PID...
			with the next revision of web, kills NR of these processes, each at a time that is drawn from 0
			to MS after it was written. Prints "ready", a line "killed HOST MS", and when all others have
			it in force "took MS", the time that they took (median)
"""
import base64
import json
import os
import queue
import random
import selectors
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time
import urllib.request

import peer

PREFIX = '/xdp-portblock/'
AGAIN = 0.1  # seconds, after which the guard asks anew


def say(*words):
    print(*words, flush=True)


# ---- Traffic ---------------------------------------------------------------------------------------------------------

def address(host):
    return f'10.10.{host[1:]}.2'


def knock(host, port):
    """A connection that is asked for, and not waited for. It ends by a reset."""
    sock = peer.new_socket('tcp', address(host))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.setblocking(False)
    try:
        sock.connect((address(host), port))
    except BlockingIOError:
        pass
    return sock


def all_settled(hosts):
    """As peer.settled(), for many."""
    for host in hosts:
        peer.ping(address(host))
    peer.wait_until_idle()
    for host in hosts:
        peer.ping(address(host))


def ask(ports, *hosts):
    peer.enter()
    asked = [(host, port, knock(host, int(port))) for host in hosts for port in ports.split(',')]
    all_settled(hosts)
    silent = {host: [] for host in hosts}
    for host, port, sock in asked:
        if peer.heard(sock) == peer.SILENT:
            silent[host].append(port)
        sock.close()
    answers = {}
    for host in hosts:
        answers.setdefault(','.join(silent[host]) or 'none', []).append(host)
    for answer, those in answers.items():
        say(answer, 'all' if len(those) == len(hosts) else ','.join(those))


def guard(port, *hosts):
    """A host that cannot be asked has not answered; a refusal is an answer of its stack."""
    asked = 0
    signal.signal(signal.SIGUSR1, lambda *_: say('asked', asked))
    say('ready')
    while True:
        end = time.monotonic() + AGAIN
        selector = selectors.DefaultSelector()
        for host in hosts:
            try:
                selector.register(knock(host, int(port)), selectors.EVENT_WRITE, host)
            except OSError:
                pass
        while (left := end - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                try:
                    answered = peer.heard(key.fileobj) != peer.SILENT
                except OSError:  # no way to it
                    answered = False
                if answered:
                    say(key.data, 'answered')
                selector.unregister(key.fileobj)
                key.fileobj.close()
        asked += len(selector.get_map())
        for key in list(selector.get_map().values()):
            key.fileobj.close()
        selector.close()


# ---- What is in etcd -------------------------------------------------------------------------------------------------

def b64(text):
    return base64.b64encode(text.encode()).decode()


def watch(url):
    """A queue of what is written from now on: (time, key, record)."""
    create = {'key': b64(PREFIX), 'range_end': b64(PREFIX[:-1] + '0')}
    request = urllib.request.Request(url + '/v3/watch', json.dumps({'create_request': create}).encode())
    stream = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request)
    stream.readline()  # that it watches
    written = queue.Queue()

    def read():
        for line in stream:
            now = time.monotonic()
            for event in json.loads(line).get('result', {}).get('events', []):
                key = base64.b64decode(event['kv']['key']).decode()[len(PREFIX):]
                if event['kv'].get('value') and key.startswith(('stages/web', 'hosts/')):
                    written.put((now, key, json.loads(base64.b64decode(event['kv']['value']))))

    threading.Thread(target=read, daemon=True).start()
    say('ready')
    return written


def begins(written, number):
    """The time and the id of a stage of web, when it begins."""
    while True:
        now, key, record = written.get()
        if key == 'stages/web' and record['state'] == 'running' and record['stage'] == number:
            return now, record['id']


def stage(url, number, *command):
    begins(watch(url), int(number))
    subprocess.run(command, check=True)
    say('done')


def has(record, identity):
    web = record['rulesets']['web']
    return web['id'] == identity and web['state'] == 'in-force'


def points(url, seed, nr, span, *processes):
    pids = dict(word.split('=') for word in processes)
    draw = random.Random(int(seed))
    due = sorted((draw.uniform(0, float(span)) / 1000, host) for host in draw.sample(sorted(pids), int(nr)))
    waiting = set(pids) - {host for _, host in due}
    took = []
    written = watch(url)
    began, identity = begins(written, 1)
    while due or waiting:
        left = began + due[0][0] - time.monotonic() if due else None
        if left is not None and left <= 0:
            host = due.pop(0)[1]
            os.kill(int(pids[host]), signal.SIGKILL)
            say('killed', host, round((time.monotonic() - began) * 1000))
            continue
        try:
            now, key, record = written.get(timeout=left)
        except queue.Empty:
            continue
        host = key.partition('/')[2]
        if host in waiting and key.startswith('hosts/') and has(record, identity):
            waiting.remove(host)
            took.append(now - began)
    say('took', round(statistics.median(took) * 1000))


COMMANDS = {'ask': ask, 'guard': guard, 'stage': stage, 'points': points}
COMMANDS[sys.argv[1]](*sys.argv[2:])
