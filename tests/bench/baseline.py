# SPDX-License-Identifier: GPL-2.0-only
"""Figures that are exact, as they were: NAME.baseline, which a test compares with what is measured."""

import os

import bench

LIMIT = 1.03


def read(lines):
    """What stands in such a file: "kernel", "compiler", and its figures."""
    result = {"kernel": None, "compiler": None, "figures": {}}
    for line in lines:
        words = line.split(maxsplit=2)
        if not line.startswith("#"):
            name, value = line.split()
            result["figures"][name] = int(value)
        elif words[1:2] == ["kernel"]:
            result["kernel"] = words[2].strip()
        elif words[1:2] in (["clang"], ["rustc"]):
            result["compiler"] = words[2].strip()
    return result


class Baseline:
    def __init__(self, name):
        self.name = name
        self.path = os.path.join(bench.HERE, name + ".baseline")

    def check(self, figures, compiler):
        """A line a case, `ok` or `over`; returns whether all are well. What is not in the file is not well either:
        a case that nobody watches."""
        with open(self.path, encoding="ascii") as file:
            was = read(file)
        if was["compiler"] != compiler:
            print(f"skip the baseline is of {was['compiler']}, this is {compiler}")
            return True
        good = True
        for name in [*was["figures"], *(name for name in figures if name not in was["figures"])]:
            before, now = was["figures"].get(name), figures.get(name)
            well = None not in (before, now) and now <= before * LIMIT
            good = good and well
            print(f"{'ok' if well else 'over'} {name} {before} {now}")
        return good

    def write(self, figures, kernel, compiler):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("# SPDX-License-Identifier: GPL-2.0-only\n"
                       f"# Instructions a packet beyond bare XDP_DROP; written by tests/bench/{self.name} --update.\n"
                       f"# kernel {kernel}\n# {'rustc' if compiler.startswith('rustc') else 'clang'} {compiler}\n")
            file.writelines(f"{name}\t{value}\n" for name, value in figures.items())
