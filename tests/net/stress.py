#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Eight at work at once on everything, each of them killed now and then: see stress.sh.

Every worker owns some ports and knows what must have become of them: a change that was acknowledged
is in force, one that failed is not, of one that was killed nobody knows. At the end the list of rules
must agree, the program's verdicts must agree with the list, and nothing may be left.
"""

import json
import logging
import os
import random
import subprocess
import sys
import threading
import time

TOOL, NS, PCAP = os.environ["PB"], os.environ["NS_A"], os.path.join(os.environ["T_DIR"], "all.pcap")
SECONDS = int(os.environ.get("PB_STRESS_SECONDS", "20"))
SEED = int(os.environ.get("PB_STRESS_SEED", str(random.randrange(1 << 32))))
IN_A = ["nsenter", "--net=/run/netns/" + NS]
PORTS = 40  # a worker
wrong, lock = [], threading.Lock()
tally = {"acknowledged": 0, "refused": 0, "killed": 0}


def complain(text):
    with lock:
        wrong.append(text)


class Worker(threading.Thread):
    def __init__(self, number, job):
        super().__init__(daemon=True)
        self.number, self.job = number, job
        self.random = random.Random(SEED * 100 + number)
        self.ports = range(1000 + number * PORTS, 1000 + (number + 1) * PORTS)
        self.known = {port: None for port in self.ports}  # port: its action; "?": nobody knows
        self.end = self.usual = 0

    def tool(self, *arguments, may_kill=True, always_kill=False):
        """(exit status or None if it was killed, stdout, stderr)"""
        process = subprocess.Popen(IN_A + [TOOL, *arguments], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        patience, kill = 300, always_kill or (may_kill and self.random.random() < 0.3)
        if kill:
            patience = self.random.random() * self.usual
        try:
            out, err = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            if not kill:
                complain("%s hangs" % " ".join(arguments))
            with lock:
                tally["killed"] += 1
            return None, out.decode(), err.decode()
        status = process.returncode
        if status not in (0, 1):
            complain("%s: exit status %d: %s" % (" ".join(arguments), status, err.decode()))
        # doctor fails by what it finds, which it says where it is asked for.
        if status == 1 and not err and not (arguments[0] == "doctor" and out):
            complain("%s: failed without a word" % " ".join(arguments))
        with lock:
            tally["refused" if status else "acknowledged"] += 1
        return status, out.decode(), err.decode()

    def change(self, port, action, *arguments):
        """A change of one port's rule; action: what is there once it is done."""
        status, _, _ = self.tool(*arguments)
        if status is None:
            self.known[port] = "?" if self.known[port] != action else action
        elif status == 0:
            self.known[port] = action
        return status

    def run(self):
        try:
            # On a busy machine for longer: until there was each end of a command.
            while time.monotonic() < self.end or not min(tally.values()):
                self.job(self)
        except Exception as error:  # a thread's own would be lost
            complain("worker %d: %r" % (self.number, error))


# ---- Jobs: one step each -----------------------------------------------------------------------

def rules(worker):
    port = worker.random.choice(worker.ports)
    action = worker.random.choice(("drop", "allow", None))
    if action:
        worker.change(port, action, "rule", "add", action, "tcp", "dport", str(port))
    elif worker.known[port] not in (None, "?"):
        worker.change(port, None, "rule", "del", "tcp", "dport", str(port))


def confirms(worker):
    """With one of three ends, and the clock goes on without us. Nobody else can change rules until
    then: so most of the time this one changes rules like the others."""
    if worker.random.random() < 0.9:
        rules(worker)
        return
    port = worker.random.choice(worker.ports)
    before, action = worker.known[port], worker.random.choice(("drop", "allow"))
    status, _, _ = worker.tool("rule", "add", action, "tcp", "dport", str(port), "--confirm", "1s")
    if status == 1:
        return
    worker.known[port] = "?" if before != action else action
    if status is None:
        return
    end = worker.random.choice(("confirm", "rollback", "clock"))
    if end == "clock":
        while pending(worker):
            pass
        if before != "?":
            worker.known[port] = before
        return
    status, _, _ = worker.tool(end, may_kill=False)
    # Too late is an answer: then it is as it was before.
    if status == 0 and end == "confirm":
        worker.known[port] = action
    elif before != "?":
        worker.known[port] = before


def pending(worker):
    status, out, _ = worker.tool("status", "-j", may_kill=False)
    return status == 0 and any(i["confirm_in"] is not None for i in json.loads(out)["interfaces"])


def interfaces(worker):
    device = worker.random.choice(("v2", "v4"))
    worker.tool(*worker.random.choice((
        ("load", device), ("load", device, "-r", "default"), ("load", device, "-r", "other"),
        ("load", "v2", "v4", "-r", "other"), ("unload", device), ("unload", device, "--keep"),
        ("rule", "add", "-r", "other", "9/tcp"), ("unload", "v2", "v4"))))


def upgrades(worker):
    worker.tool("upgrade", worker.random.choice(("v0", "--all")))


def readers(worker):
    arguments = worker.random.choice((
        ("status", "-j"), ("rule", "list", "-j"), ("stats", "-j"), ("save", "-j"),
        ("explain", "--port", "1000", "--proto", "tcp", "-j"), ("doctor", "v0", "-j")))
    status, out, err = worker.tool(*arguments)
    if status is not None and (status == 0 or out):  # one that was killed may have said a part
        try:
            json.loads(out)
        except ValueError:
            complain("%s: exit status %d, no JSON: %s" % (" ".join(arguments), status, out[:200]))
    if arguments[0] == "status" and status == 0 and \
            not any(i["name"] == "v0" for i in json.loads(out)["interfaces"]):
        complain("status does not show v0")
    if status == 1 and arguments[0] in ("status", "rule", "save"):
        complain("%s: %s" % (" ".join(arguments), err))


def settings(worker):
    worker.tool(*worker.random.choice((
        ("fragments", "drop"), ("fragments", "pass"), ("replies", "on"), ("rule", "reset"),
        ("unparsable", "drop"))))
    worker.tool("monitor", always_kill=True)


JOBS = (rules, rules, rules, confirms, interfaces, upgrades, readers, settings)


# ---- The end -----------------------------------------------------------------------------------

def listed():
    """port: action, as the list of rules has it."""
    done = subprocess.run(IN_A + [TOOL, "rule", "list", "-j"], capture_output=True, check=True)
    return {int(rule["ports"][0]): rule["action"] for rule in json.loads(done.stdout)["rules"]}


def verdicts(ports):
    """port: what the program says of a packet to it."""
    logging.getLogger("scapy").setLevel(logging.ERROR)
    from scapy.all import IP, TCP, Ether, wrpcap
    wrpcap(PCAP, [Ether() / IP(src="10.9.0.2", dst="10.9.0.1") / TCP(dport=port) for port in ports])
    done = subprocess.run(IN_A + [TOOL, "explain", "-j", PCAP], capture_output=True, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return dict(zip(ports, (answer["verdict"] for answer in answers)))


def tap(number, name, problems):
    print("%s %d - %s" % ("not ok" if problems else "ok", number, name))
    for problem in problems[:20]:
        print("#   " + str(problem).replace("\n", " "))
    sys.stdout.flush()


def main():
    print("# seed %d (PB_STRESS_SEED), %d s (PB_STRESS_SECONDS)" % (SEED, SECONDS))
    workers = [Worker(number, job) for number, job in enumerate(JOBS)]
    # Kills are spread over what a command takes here, alone and with seven others.
    start = time.monotonic()
    workers[0].tool("upgrade", "v0", may_kill=False)
    usual = 4 * (time.monotonic() - start)
    end = time.monotonic() + SECONDS
    for worker in workers:
        worker.end, worker.usual = end, usual
        worker.start()
    for worker in workers:
        worker.join()
    tap(1, "%d at work for %d s: %s" % (len(workers), SECONDS, tally), wrong)
    # A confirm that nobody gave, its clock still running, ends by itself.
    while pending(workers[0]):
        pass
    rules_now = listed()
    lost = ["port %d: %s was acknowledged, the list says %s" % (port, action, rules_now.get(port))
            for worker in workers for port, action in worker.known.items()
            if action != "?" and rules_now.get(port) != action]
    tap(2, "each acknowledged change is in force", lost)
    ports = [port for worker in workers for port in worker.ports]
    seen = verdicts(ports)
    tap(3, "the program's verdicts agree with the list",
        ["port %d: listed %s, judged %s" % (port, rules_now.get(port), seen.get(port))
         for port in ports
         if seen.get(port) != ("drop" if rules_now.get(port) == "drop" else "pass")])
    tap(4, "something was tried at all", [] if min(tally.values()) else [tally])


main()
