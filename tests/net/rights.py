#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Which capabilities each command needs: tries them all, and compares with doc/rights.md.

  rights.py check DOC      the column of this kernel in DOC is what was found; 77: DOC has none
  rights.py write DOC      makes that column anew
  rights.py print          prints what was found
PB_RIGHTS says of which rows: a regular expression, or a number, for so many, others each time.

For rights.sh, in the network namespace A of tests/lib.sh's world, with a bpffs of its own. Needed is the least: of the
sets with which a command does what it does with all rights (the same status, the same output but for its numbers) those
of which no part is enough. Then the same as a user who is not root and has these, and what he needs to get at root's pins.
"""
import glob
import itertools
import os
import pty
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

PB = os.environ["PB"]
TOP = os.environ["TOP"]
CAPABILITIES = ("bpf", "net_admin", "perfmon", "sys_admin")
READING = ((), ("dac_read_search",), ("dac_override",), ("dac_override", "chown"))
USER = "65534"

# command | before, each time | after a success; {d} is a folder with the files that are named. `base`
# loads v0 as it is between two rows, `none` unloads, `settle` rolls back.
ROWS = """
load v0 | none |
load v0 --require-dispatcher | none |
load v0 --mode skb | none |
load v0 --rules {d}/rules --elements {d}/elements | none |
load v0 --ruleset other | base |
unload v0 | base |
unload v0 --keep | base |
unload --all | base |
upgrade v0 | base |
status | |
status v0 --json | |
rule add 23/tcp | | rule del 23/tcp
rule add 23/tcp --confirm 1h | | rollback
rule del 22/tcp | | rule add 22/tcp
rule list | |
rule flush | | apply {d}/rules
rule reset | |
set create more | | set destroy more
set add bans 198.51.100.1 | | set del bans 198.51.100.1
set del bans 192.0.2.1 | | set add bans 192.0.2.1
set test bans 192.0.2.1 | |
set list | |
set list bans | |
set flush bans | | set add bans 192.0.2.1
set load bans {d}/list | |
set restore {d}/elements | |
set destroy spare | | set create spare
set swap bans spare | | set swap bans spare
policy | |
policy deny --force | | apply {d}/rules
replies off | | replies on
fragments drop | | fragments pass
unparsable pass | | unparsable drop
answers 10/s | | answers 1000/s
save | |
save --elements {d}/saved | |
check {d}/rules | |
diff {d}/rules | |
apply {d}/rules | |
confirm | settle; rule add 23/tcp --confirm 1h | rule del 23/tcp
rollback | settle; rule add 23/tcp --confirm 1h |
stats | |
stats --prometheus --output {d}/metrics | |
stats --interval 1 --count 1 | |
top | |
monitor --count 1 | |
monitor --count 1 --write {d}/pcap | |
explain --port 22 --proto tcp --from 192.0.2.9 | |
explain --port 22 --proto tcp --from 192.0.2.9 --interface v0 | |
doctor v0 | |
doctor --fix | |
help load | |
"""
# With an etcd, of whose ruleset `web` this host's is made, and the set `shared`; --config is added. Nobody follows `other`.
FLEET_ROWS = """
fleet push {d}/rules other --stages 100% | |
fleet follow --once | rule add 24/tcp |
fleet status | |
fleet history web | |
fleet diff web | |
fleet rollback other --stages 100% | fleet push {d}/list.rules other; fleet push {d}/rules other |
fleet group set servers more=other | |
fleet group list | |
fleet group del servers | fleet group set servers more=other |
fleet set add shared 192.0.2.5 | |
fleet set load shared {d}/list | fleet set flush shared |
fleet set list shared | |
fleet set del shared 192.0.2.5 | fleet set add shared 192.0.2.5 |
fleet set flush shared | |
"""


def run(argv):
    return subprocess.run([PB, *argv], stdin=subprocess.DEVNULL, capture_output=True, text=True)


def must(argv):
    done = run(argv)
    if done.returncode:
        sys.exit(f"rights.py: {' '.join(argv)}: {done.stderr}")


def with_rights(capabilities, user):
    """The words before a command that leave it those, as root or as the user."""
    some = "".join(f",+{name}" for name in capabilities)
    words = ["setpriv", "--no-new-privs", f"--bounding-set=-all{some}"]
    if not user:
        return [*words, "--inh-caps=-all", "--"]
    return [*words, f"--reuid={USER}", f"--regid={USER}", "--clear-groups", f"--inh-caps=-all{some}",
            f"--ambient-caps=-all{some}", "--"]


def in_terminal(argv):
    """A command that is ended by a key, and what it showed until then."""
    child, terminal = pty.fork()
    if not child:
        os.execvpe(argv[0], argv, {**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"})
    shown, asked = b"", False
    while True:
        try:
            read = os.read(terminal, 65536)
        except OSError:
            break
        if not read:
            break
        shown += read
        if not asked and b"drop" in shown:
            os.write(terminal, b"q")
            asked = True
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), "drop" if b"drop" in shown else ""


class Traffic:
    """Packets to a blocked port from the other end of the wire, for as long as it is open."""

    def __enter__(self):
        peer = f"while :; do '{os.environ['PYTHON']}' '{TOP}/tests/net/peer.py' send udp 10.9.0.1 9; done"
        self.process = subprocess.Popen(["nsenter", f"--net=/run/netns/{os.environ['NS_B']}", "sh", "-c", peer],
                                        stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def attempt(argv, capabilities, user):
    """The status of a command, and what it said without its numbers."""
    words = [*with_rights(capabilities, user), PB, *argv]
    if argv == ["top"]:
        return in_terminal(words)
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    said = re.sub(r"\([0-9a-f]{12}\)|\d[\d.]*[kMGsmh]*|(?<=\s)-(?=\s)", "", done.stdout + done.stderr)
    return done.returncode, " ".join(said.split())


def words_of(command, directory):
    config = f" --config {directory}/fleet.conf" if command.startswith("fleet ") else ""
    return shlex.split(command.format(d=directory) + config)


def do(commands, directory, base):
    for command in filter(None, (part.strip() for part in commands.split(";"))):
        if command == "base":
            base()
        elif command == "none":
            run(["unload", "--all"])
        elif command == "settle":
            run(["rollback"])
        else:
            must(words_of(command, directory))


class Row:
    def __init__(self, line, directory, base):
        self.command, self.before, self.after = (part.strip() for part in line.split("|"))
        self.argv = words_of(self.command, directory)
        self.directory, self.base = directory, base
        self.wanted = self.once(CAPABILITIES, False)

    def once(self, capabilities, user):
        clean(self.directory)
        do(self.before, self.directory, self.base)
        got = attempt(self.argv, capabilities, user)
        if got[0] == 0:
            do(self.after, self.directory, self.base)
        return got

    def enough(self, capabilities, user=False):
        return self.once(capabilities, user) == self.wanted

    def least(self):
        """All sets of which no part is enough: a subset before those that hold it."""
        found = []
        for number in range(len(CAPABILITIES) + 1):
            for chosen in itertools.combinations(CAPABILITIES, number):
                if not any(set(one) <= set(chosen) for one in found) and self.enough(chosen):
                    found.append(chosen)
        return found

    def to_read(self, chosen):
        """What a user who is not root needs beside them; None: it is not enough. A failure may have done a part."""
        for more in READING:
            if self.enough(chosen + more, True):
                return more
        return None

    def cell(self):
        if self.wanted[0]:
            print(f"# {self.wanted[1]}")
            return "refused"
        least = self.least()
        if not least:
            return "not the same twice"
        text = " or ".join(" ".join(chosen) or "none" for chosen in least)
        more = self.to_read(least[0])
        if self.before:
            self.base()
        return text + ("; no user" if more is None else "; +" + " ".join(more) if more else "")


def make_base(directory):
    files = {
        "rules": "set bans\nset spare\ndrop tcp dport 22\ndrop udp dport 9\ndrop from @bans\n",
        "list": "192.0.2.1\n",
        "fleet.conf": "endpoints = http://127.0.0.1:2379\nhost = h1\nrulesets = default=web\n"
                      f"sets = bans=shared\nstate = {directory}/state\ndrift = heal\n",
        "list.rules": "drop tcp dport 80\n",
    }
    os.chmod(directory, 0o777)
    for name, text in files.items():
        with open(f"{directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    def is_roots():
        """A user who may not give libxdp's pins away has kept them, in whose way root without all rights is."""
        return all(os.stat(path).st_uid == 0 for path in glob.glob("/sys/fs/bpf/xdp/dispatch-*"))

    def is_there():
        status = run(["status", "v0"]).stdout
        return "ruleset default" in status and not run(["set", "test", "bans", "192.0.2.1"]).returncode

    def base():
        if is_there() and is_roots():
            return
        run(["unload", "--all"])
        must(["load", "v0", "--rules", f"{directory}/rules"])
        must(["set", "add", "bans", "192.0.2.1"])
    base()
    must(["save", "--elements", f"{directory}/elements"])
    os.chmod(f"{directory}/elements", 0o644)
    if os.environ.get("PB_ETCD"):
        must(words_of("fleet push {d}/rules web --stages 100%", directory))
    return base


def clean(directory):
    """Files that a command has written as one user are in the way of another."""
    for name in ("saved", "metrics", "pcap"):
        if os.path.exists(f"{directory}/{name}"):
            os.remove(f"{directory}/{name}")
    shutil.rmtree(f"{directory}/state", ignore_errors=True)


def measure(lines, directory, base):
    cells = {}
    for line in lines:
        row = Row(line, directory, base)
        name = row.command.replace("{d}/", "").replace("pcap", "FILE")
        cells[name] = row.cell()
        print(f"# {name}: {cells[name]}", flush=True)
    return cells


def kernel():
    """The column: a kernel's series, and who may call bpf(2)."""
    series = ".".join(os.uname().release.split(".")[:2])
    with open("/proc/sys/kernel/unprivileged_bpf_disabled", encoding="utf-8") as file:
        return f"{series}, {file.read().strip()}"


def read_table(path):
    """The table as columns of rows, with what stands before and behind it."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    at = [i for i, line in enumerate(lines) if line.startswith("|")]
    if not at:
        return lines, {}, []
    rows = [[cell.strip() for cell in lines[i].strip("|").split("|")] for i in at]
    columns = {name: {row[0].strip("`"): row[j + 1] for row in rows[2:]} for j, name in enumerate(rows[0][1:])}
    return lines[:at[0]], columns, lines[at[-1] + 1:]


def write_table(path, column, cells):
    before, columns, behind = read_table(path)
    columns[column] = cells
    names = sorted(columns, key=lambda name: [int(part) for part in re.findall(r"\d+", name)])
    commands = list(dict.fromkeys(command for name in names for command in columns[name]))
    order = {line.split("|")[0].strip().replace("{d}/", "").replace("pcap", "FILE"): i
             for i, line in enumerate((ROWS + FLEET_ROWS).strip().splitlines())}
    commands.sort(key=lambda command: order.get(command, len(order)))
    table = ["| command | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    for command in commands:
        cells = " | ".join(columns[name].get(command, "not tried") for name in names)
        table.append(f"| `{command}` | {cells} |")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([*before, *table, *behind]) + "\n")


def compare(path, column, cells):
    """What differs, one a line; None: this kernel is not in there."""
    columns = read_table(path)[1]
    if column not in columns:
        return None
    said = {command: cell for command, cell in columns[column].items() if command in cells}
    return [f"{command}: {said.get(command, 'no row')} is said, {cells[command]} was found" for command in cells
            if said.get(command) != cells[command]]


def wanted_rows(wanted):
    """Those that match; a number: so many of them, others each time."""
    rows = (ROWS + (FLEET_ROWS if os.environ.get("PB_ETCD") else "")).strip().splitlines()
    rows = [row for row in rows if row]
    if wanted.isdigit():
        return random.sample(rows, int(wanted))
    return [row for row in rows if re.match(wanted, row.split("|")[0].strip())]


def main():
    what, path = sys.argv[1], (sys.argv[2:] or [None])[0]
    if what == "check" and kernel() not in read_table(path)[1]:
        sys.exit(77)
    lines = wanted_rows(os.environ.get("PB_RIGHTS", ""))
    with tempfile.TemporaryDirectory() as directory, Traffic():
        base = make_base(directory)
        cells = measure(lines, directory, base)
    if what == "write":
        write_table(path, kernel(), cells)
    if what == "check":
        wrong = compare(path, kernel(), cells)
        print("\n".join(wrong))
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
