# SPDX-License-Identifier: GPL-2.0-only
"""What the measuring scripts share: the build, running things, results as JSON and as text."""

import datetime
import json
import os
import platform
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
TOOLS = os.path.join(TOP, "build/tests/bench")
RESULTS = os.path.join(TOP, "build/bench")
# Debian's root has it, but not everyone who calls sudo.
os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"


def die(text):
    sys.exit(f"{os.path.basename(sys.argv[0])}: {text}")


def say(text):
    print(text, file=sys.stderr, flush=True)


def run(*command, **options):
    """Runs a command to its end; returns its output."""
    options = {"check": False, "text": True, "stdout": subprocess.PIPE, **options}
    done = subprocess.run(command, **options)
    if done.returncode:
        say("\n".join((done.stdout or "").splitlines()[-10:]))
        die(f"{' '.join(map(str, command))[:200]}: exit status {done.returncode}")
    return done.stdout


def timed(*command, **options):
    """Runs a command; returns seconds and peak memory in bytes. Dies where it fails."""
    done = subprocess.run([f"{TOOLS}/bench_time", *command], text=True, capture_output=True,
                          check=False, **options)
    if done.returncode:
        die(f"{' '.join(command)[:200]}: {done.stderr[-500:]}")
    wall, _, _, memory = map(int, done.stdout.split())
    return wall / 1e9, memory


def go_first():
    """Others on this machine disturb what is measured from here on less."""
    try:
        os.nice(-20)
    except PermissionError:
        pass


def processor():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def version_of(*command):
    try:
        out = subprocess.run(command, text=True, capture_output=True, check=False).stdout
    except FileNotFoundError:
        return None
    return out.splitlines()[0].strip() if out else None


def commit():
    """Of what is measured, with a plus where the tree is not what was committed; None where there is no git."""
    return version_of("git", "-c", f"safe.directory={TOP}", "-C", TOP, "describe", "--always", "--match=-", "--dirty=+",
                      "--abbrev=7")


# As it was in the beginning: somebody may edit what is not measured while a benchmark runs.
COMMIT = commit()


def world():
    """What a result depends on."""
    return {
        "commit": COMMIT,
        "date": datetime.date.today().isoformat(),
        "kernel": platform.release(),
        "processor": processor(),
        "cpus": os.cpu_count(),
        "clang": version_of("clang", "--version"),
    }


def save(name, result):
    os.makedirs(RESULTS, exist_ok=True)
    path = os.path.join(RESULTS, name + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    say(f"{os.path.relpath(path)} written")


def load(name):
    """A result that was saved, or None."""
    try:
        with open(os.path.join(RESULTS, name + ".json"), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def spread(values):
    """Least, median, most and the middle half of what was measured round by round."""
    values = sorted(values)
    quarters = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return {
        "least": values[0],
        "median": statistics.median(values),
        "low": quarters[0],
        "high": quarters[2],
        "most": values[-1],
        "rounds": len(values),
    }


def table(rows, titles, out=sys.stdout):
    """Columns, the first to the left and the others to the right."""
    rows = [titles] + [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(titles))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip(), file=out)
