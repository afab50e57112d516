#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Lets every call fail in turn, in every command: see faults.sh.

A command that changes something leaves the old state behind if it fails, and the new one if it
does not. One that shows something shows what it shows otherwise, or says what it could not see.
Each says why it fails, by an exit status that is its own, and is never killed by a signal.
"""

import contextlib
import fnmatch
import glob
import json
import os
import pty
import random
import re
import subprocess
import sys

TOOL, NS = os.environ["PB"], os.environ["NS_A"]
PRELOAD = os.path.join(os.environ["TOP"], "build/tests/preload/fault.so")
PINS = "/sys/fs/bpf/xdp-portblock"
POINTS = os.environ["PB_FAULT_POINTS"]
PATTERN = os.environ.get("PB_FAULT_COMMANDS", "*")
SEED = int(os.environ.get("PB_FAULT_SEED", str(random.randrange(1 << 32))))
# What is shown of an interface where a part of it could not be seen.
UNSEEN = "can't be seen|not readable|could not be tried|\"(outcomes|pinned)\":null"
LACKS_MEMORY = "Cannot allocate memory|out of memory"
KINDS = {"memory": LACKS_MEMORY, "bpf": LACKS_MEMORY, "mmap": LACKS_MEMORY,
         "open": "Too many open files", "netlink": "No buffer space available",
         "thread": "Resource temporarily unavailable|cannot start a thread"}
WANTED_KINDS = os.environ.get("PB_FAULT_KINDS", " ".join(KINDS)).split()
IN_A = ["nsenter", "--net=/run/netns/" + NS]

BASE = """policy deny
drop tcp dport 22 comment "ssh"
allow tcp dport 80,443
drop udp sport 53 from 10.0.0.0/8,fd00::/8 except 10.9.0.0/24
audit tcp,udp dport 1000-2000 new
"""
OTHER = """policy allow
drop tcp dport 22
drop tcp,udp dport 137-139,445 from 192.0.2.0/24
"""
# Sets that have the elements of files: the next rules have others, and turn one into another set.
FILES = """policy allow
set hostile file other.list
set turned file other.list
drop from @hostile,@turned
"""
NEXT = """policy allow
set hostile file next.list
set turned
set more file other.list
drop from @hostile,@more except @turned
"""
LIST = """; a list
198.51.100.0/24 ; SBL1
2001:db8::/32
"""
ELEMENTS = """set bans
192.0.2.1
198.51.100.7 until 2100-01-01T00:00:00Z
set more timeout 1h max 10
2001:db8:7::/48 until 2100-01-01T00:00:00Z
"""


def run(*arguments):
    return subprocess.run(IN_A + [TOOL, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300)


def must(*arguments):
    done = run(*arguments)
    if done.returncode:
        raise RuntimeError("%s: exit status %d: %s" % (arguments, done.returncode, done.stderr))
    return done.stdout


# ---- What there is -------------------------------------------------------------------------------

def rules_of(ruleset):
    """Without what changes of itself: counters, and how long a rule still has."""
    rules = json.loads(must("rule", "list", "-j", "-r", ruleset))
    for rule in rules["rules"]:
        rule.pop("packets")
        rule.pop("bytes")
        rule["expires_in"] = rule["expires_in"] is not None
    return rules


def sets_of(ruleset):
    sets = json.loads(must("set", "list", "-j", "-r", ruleset))
    for element in [element for one in sets["sets"] for element in one["elements"]]:
        element["expires_in"] = element["expires_in"] is not None
    return sets


def interfaces():
    found = []
    for at in json.loads(must("status", "-j"))["interfaces"]:
        found.append([at[key] for key in ("name", "mode", "attach", "frags", "ruleset", "policy",
                                          "rules")]
                     # Of a single program it orders nothing, and libbpf may leave it out.
                     + [at["attach"] != "single" and at["priority"],
                        at.get("confirm_in") is not None, len(at["chain"])])
    return found


def content(name):
    with open(name, errors="replace") as file:
        return "" if name.endswith(".pcap") else shown(file.read())


def look():
    rulesets = sorted(os.path.basename(path) for path in glob.glob(PINS + "/*[!~]")
                      if os.path.isdir(path))
    # The folder of all rulesets goes with the last one where it can; empty it says nothing.
    pins = sorted(pin for pin in glob.glob("/sys/fs/bpf/xdp*/**", recursive=True)
                  if pin.rstrip("/") != PINS)
    links = subprocess.run(IN_A + ["ip", "-o", "link", "show"], stdout=subprocess.PIPE, check=True,
                           text=True).stdout
    return {"interfaces": interfaces(), "rules": [rules_of(name) for name in rulesets],
            "sets": [sets_of(name) for name in rulesets],
            "pins": [re.sub(r"\d+", "N", pin) for pin in pins],
            "programs": re.findall(r"(\w+)@.*prog/(\w+)", links),
            "files": {name: content(name) for name in os.listdir(".") if name.startswith("saved")}}


def reset():
    """As if nothing had ever happened, but for v0, which obeys BASE."""
    run("unload", "--all")
    for device in ("v0", "v2"):
        for mode in ("xdpdrv", "xdpgeneric"):
            subprocess.run(IN_A + ["ip", "link", "set", "dev", device, mode, "off"], check=False,
                           stderr=subprocess.DEVNULL)
    subprocess.run(["rm", "-rf", PINS] + glob.glob("saved*"), check=True)
    must("load", "v0", "--rules", "base.rules")


# ---- The commands --------------------------------------------------------------------------------

class Command:
    """A command line; `before` leads from the base to the state in which it is given."""

    def __init__(self, line, before=(), statuses=(0,), partly=None, terminal=False, ssh=False):
        self.line, self.before, self.statuses = line, before, statuses
        # What it says where it could do a part, on each interface all of it or nothing.
        self.partly = partly
        # It is given in a terminal; or through an SSH connection to port 80.
        self.terminal, self.ssh = terminal, ssh
        self.name = line + "".join(" (after %s)" % step for step in before)
        self.name += " (by SSH)" if ssh else ""

    def arguments(self):
        return self.line.split()


# What these find out is what they print, also where it is a failure.
TELL_ON_STDOUT = ("doctor", "explain")
# What they find out is their exit status, 0 or 1, so a failure is 2.
TELL_BY_1 = ("diff", "set test")
# Off is off, and there is no way back that could not fail as well.
PINS_STAY = "its pins stay|pins of a ruleset that no interface uses stay"
SET = ("set create bans", "set add bans 192.0.2.1,2001:db8::/32")
WITH_FILES = ("apply files.rules",)
COMMANDS = [
    Command("load v2"),
    Command("load v2 -m skb"),
    Command("load v2 -r other --rules other.rules"),
    Command("load v0 v2"),
    Command("load v0 -r other"),
    Command("load v0 v2 -r third", before=("load v2 -r other",)),
    Command("unload v0", partly=PINS_STAY),
    Command("unload v0 --keep"),
    Command("unload --all", before=("load v2 -r other",), partly=""), # whatever it can
    Command("upgrade v0"),
    Command("upgrade --all", before=("load v2 -r other",)),
    Command("status"), Command("status -j"), Command("status v0"),
    Command("rule add 23/tcp"),
    Command("rule add -j drop tcp dport 23 from 192.0.2.0/24 comment x"),
    Command("rule add 23/tcp --confirm 1h"),
    Command("rule add 80/tcp", statuses=(), ssh=True),
    Command("load v0 v2 --policy deny", ssh=True),
    Command("rule add 81/tcp", ssh=True), Command("rule flush", statuses=(), ssh=True),
    Command("rule del 1"), Command("rule flush"),
    Command("rule reset"),
    Command("rule list"), Command("rule list -j"),
    Command("set create bans --timeout 1h"), Command("set create bans", before=SET),
    Command("set add bans 192.0.2.2,2001:db8:2::/48", before=SET),
    Command("set add bans @./other.list --timeout 1h", before=SET),
    Command("set del bans 192.0.2.1", before=SET), Command("set flush bans", before=SET),
    Command("set restore some.elements"), Command("set restore some.elements", before=SET),
    Command("set load bans other.list", before=SET), Command("set destroy bans", before=SET),
    Command("set swap bans spare", before=SET + ("set create spare --max 10",)),
    Command("set list", before=SET), Command("set list bans", before=SET),
    Command("set list -j", before=SET),
    Command("set test bans 192.0.2.1", before=SET),
    Command("set test -j bans 192.0.2.7", before=SET, statuses=(1,)),
    Command("policy allow"), Command("policy"), Command("fragments drop"),
    Command("save --elements saved", before=SET), Command("save --elements -", before=SET),
    Command("load v2 -r other --rules other.rules --elements some.elements"),
    Command("load v2 --elements some.elements", before=SET),
    Command("apply other.rules --elements some.elements", before=SET),
    Command("save"), Command("save -j"), Command("save saved"), Command("save saved.json"),
    Command("check other.rules"), Command("check other.json"),
    Command("diff other.rules", statuses=(1,)), Command("diff base.rules"),
    Command("apply other.rules"), Command("apply other.json --confirm 1h"),
    Command("confirm", before=("apply other.rules --confirm 1h",)),
    Command("rollback", before=("apply other.rules --confirm 1h",)),
    Command("check files.rules"), Command("apply files.rules"),
    Command("load v0 --rules files.rules"), Command("load v2 -r other --rules files.rules"),
    Command("load v0 v2 --rules next.rules", before=WITH_FILES), # undone where v2 fails
    Command("apply next.rules --confirm 1h", before=WITH_FILES),
    Command("apply next.rules", before=WITH_FILES, ssh=True),
    Command("rollback", before=WITH_FILES + ("apply next.rules --confirm 1h",)),
    Command("rule add 23/tcp", before=WITH_FILES + ("apply next.rules",)), # it sweeps, if it can
    Command("set create bans", before=WITH_FILES),
    Command("diff next.rules", before=WITH_FILES, statuses=(1,)),
    Command("set list -j", before=WITH_FILES), Command("save", before=WITH_FILES),
    Command("set test hostile 192.0.2.1", before=WITH_FILES, statuses=(1,)),
    Command("stats"), Command("stats -j"), Command("stats --prometheus"),
    Command("stats --prometheus -o saved"),
    Command("top", terminal=True),
    Command("explain --port 22"), Command("explain -j --port 80"), Command("explain packets.pcap"),
    Command("explain -j packets.pcap"),
    Command("monitor -c 1"), Command("monitor -j -c 1"), Command("monitor -c 1 -w saved.pcap"),
    Command("doctor"), Command("doctor -j"), Command("doctor v0"),
    Command("doctor --fix", before=("load v2 -r other", "unload v2 --keep")),
    Command("help"), Command("help rule add"), Command("--version"),
]


def shown(text):
    """Output without what is another each time."""
    return re.sub(r"\d+(\.\d+)?[kMG]?|\s+", " ", re.sub(r'"time":"[^"]*"', "", text)).strip()


def crashed_elsewhere(err):
    """libbpf, libxdp and json-c (before 0.18) read through null pointers where memory is lacking:
    then it is as if the command had been killed."""
    where = re.search("PB_FAULT: crashed in (.*)", err)
    return where and re.search(r"/lib(bpf|xdp|json-c|elf|seccomp)\.so", where.group(1))


def untold(state):
    """What there is, without the pins of tables of elements."""
    return {**state, "pins": [pin for pin in state["pins"] if "/elements/" not in pin]}


class Sweep:
    def __init__(self, command):
        self.command = command
        self.wrong = []

    def start(self, fault, out=subprocess.PIPE):
        """(exit status, stdout, stderr) of the command with a fault in it"""
        words = ["env", "LD_PRELOAD=" + PRELOAD, *fault, TOOL] + self.command.arguments()
        if self.command.ssh:  # as behind sudo: the tool's own environment says nothing of it
            words = ["env", "SSH_CONNECTION=10.9.0.2 50000 10.9.0.1 80", "sh", "-c",
                     'env -u SSH_CONNECTION "$@"; exit $?', "sh"] + words
        if not self.command.terminal:
            done = subprocess.run(IN_A + words, stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.PIPE, text=True, errors="replace", timeout=300)
            status = done.returncode
            # A shell says of a signal that it was one of 128 and more.
            return 128 - status if status > 128 else status, done.stdout, done.stderr
        master, slave = pty.openpty()
        os.write(master, b"q")
        with os.fdopen(slave) as terminal:
            process = subprocess.Popen(IN_A + ["env", "TERM=xterm"] + words, stdin=terminal,
                                       stdout=terminal, stderr=subprocess.PIPE, text=True)
        said = process.communicate(timeout=300)[1]
        os.close(master)
        return process.returncode, "", said

    def prepare(self):
        for step in self.command.before:
            must(*step.split())

    def counts(self, base):
        """How many calls of each kind there are; and what there is before and after."""
        if look() != base:
            reset()
        self.prepare()
        self.old = look()
        if os.path.exists("count"):
            os.unlink("count")
        status, out, err = self.start(["PB_FAULT_COUNT=" + os.path.abspath("count")])
        if status not in (self.command.statuses or (1,)):
            raise RuntimeError("%s: exit status %d: %s" % (self.command.name, status, err))
        self.out, self.new = shown(out), look()
        with open("count") as file:
            return {kind: int(number) for kind, number in (line.split() for line in file)}

    def judge(self, what, status, out, err, told):
        now, command = look(), self.command
        want = self.new if status in command.statuses else self.old
        if command.partly is not None and status == 1 and re.search(command.partly, err) and \
                all(at in self.old["interfaces"] for at in now["interfaces"]):
            want = now
        if status == 0 and now != want and untold(now) == untold(want):
            # Pins of tables that are in force no more, and could not be swept, go with the next that are made.
            must("set", "create", "sweeper")
            must("set", "add", "sweeper", "192.0.2.99")
            must("set", "destroy", "sweeper")
            now["pins"] = look()["pins"]
        if status == 0 and re.search(told, err):  # a file, too, may lack what it says it lacks
            now["files"] = want["files"]
        if status < 0 and crashed_elsewhere(err) and \
                (now["interfaces"], now["programs"]) in [(was["interfaces"], was["programs"])
                                                         for was in (self.old, self.new)]:
            reset()
            self.prepare()
            return
        if status < 0 or status > 2 or (status == 2 and not command.line.startswith(TELL_BY_1)):
            self.complain(what, status, err, "is no exit status of such a command")
        elif status not in command.statuses and not err.strip() and \
                (not command.line.startswith(TELL_ON_STDOUT) or shown(out or "") == self.out):
            self.complain(what, status, err, "failed without a word")
        elif now != want:
            self.complain(what, status, err, "is now: %s" % difference(want, now))
        elif status in command.statuses and out is not None and shown(out) != self.out \
                and not re.search(told + "|" + UNSEEN, out + err):
            self.complain(what, status, err, "printed: %s" % out)
        if now != self.old:
            reset()
            self.prepare()

    def complain(self, what, status, err, why):
        self.wrong.append("%s: exit status %d: %s; it said: %s" % (what, status, why, err.strip()))

    def fail_at(self, kind, point):
        fault = "PB_FAULT=%s:%s" % (kind, point)
        try:
            status, out, err = self.start([fault])
        except subprocess.TimeoutExpired:
            self.wrong.append(fault + ": hangs")
            return
        self.judge(fault, status, out, err, KINDS[kind])

    def fill_disk(self):
        with open("/dev/full", "w") as full:
            status, _, err = self.start([], out=full)
        if self.out and status not in (1, 2):
            self.complain("stdout is full", status, err, "should have failed")
        if self.out and err.count("No space left") != 1:
            self.complain("stdout is full", status, err, "should have said so, once")
        if look() != self.old:
            reset()
            self.prepare()


def difference(want, now):
    return "; ".join("%s: %s instead of %s" % (key, now[key], want[key])
                     for key in want if want[key] != now[key])


def draw(number):
    """Which of so many calls fail, the first of all among them."""
    if POINTS == "all" or number <= int(POINTS):
        return range(1, number + 1)
    return sorted(random.sample(range(1, number + 1), int(POINTS)))


def sweep(command, base, report):
    at = Sweep(command)
    calls = at.counts(base)
    if at.new != at.old:
        reset()
        at.prepare()
    for kind, number in calls.items():
        if kind not in WANTED_KINDS:
            continue
        for point in draw(number):
            at.fail_at(kind, point)
            if len(at.wrong) == 5:
                break
        report(not at.wrong, "%s: %s, %d calls" % (command.name, kind, number), at.wrong)
        at.wrong = []
    if not command.before and command.terminal is False:
        at.fill_disk()
        report(not at.wrong, "%s: stdout is full" % command.name, at.wrong)


def write_inputs():
    """The files that the commands read, but for packets.pcap."""
    for name, text in (("base.rules", BASE), ("other.rules", OTHER), ("files.rules", FILES),
                       ("next.rules", NEXT), ("other.list", LIST), ("next.list", "192.0.2.1\n"),
                       ("some.elements", ELEMENTS)):
        with open(name, "w") as file:
            file.write(text)
    must("load", "v0", "--rules", "other.rules")
    must("save", "other.json")
    must("unload", "v0")


@contextlib.contextmanager
def traffic():
    """Something to be dropped, for monitor."""
    sender = """
import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 4000))
while True:
    try:
        s.sendto(b"x", ("%s", 9))
    except OSError:
        pass
    time.sleep(0.02)
""" % os.environ["A4"]
    process = subprocess.Popen(["nsenter", "--net=/run/netns/" + os.environ["NS_B"], sys.executable,
                                "-c", sender])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main():
    number = 0

    def report(good, name, wrong):
        nonlocal number
        number += 1
        print("%sok %d - %s" % ("" if good else "not ", number, name))
        for line in wrong:
            print("#   " + line.replace("\n", "\n#     ")[:2000])
        sys.stdout.flush()

    random.seed(SEED)
    print("# PB_FAULT_SEED=%d" % SEED)
    write_inputs()
    reset()
    base = look()
    with traffic():
        for command in COMMANDS:
            if fnmatch.fnmatch(command.name, PATTERN):
                sweep(command, base, report)


main()
