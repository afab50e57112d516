# SPDX-License-Identifier: GPL-2.0-only
"""Compares JSON with what xdp-portblock-json(5) says of it: documented.py PAGE COMMAND <JSON

COMMAND is the name of a section there; the objects are one a line, or one in all. Prints each key that
is not in the page, each that is missing, and each whose value is of another type. Where the value is
null, what is below it may be missing.
"""

import json
import re
import sys

TYPES = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null",
         dict: "object"}


def documented(page, command):
    """The types of each path, and whether it is only in some objects."""
    section = re.split(r"^\.S[hs] ", page.split("\n.Sh OUTPUT\n")[1], flags=re.M)
    text = next(part for part in section if command in part.split("\n")[0].split(", "))
    paths = {}
    for names, types in re.findall(r"^\.It Li (.*) Pq (.*)$", text, re.M):
        for path in names.split(" , "):
            paths[path] = (types.replace(", in some", "").split(" or "), types.endswith(", in some"))
    for path, other in re.findall(r"^\.It Li (\S+) .*\nAs of\n\.Cm (.*) \.$", text, re.M):
        below = documented(page, other)
        paths |= {inner: below[inner] for inner in below if inner.startswith(f"{path}[].")}
    return paths


def type_of(value):
    if not isinstance(value, list):
        return TYPES[type(value)]
    kinds = {TYPES[type(element)] for element in value}
    return "array of " + "/".join(f"{kind}s" for kind in kinds) if kinds else "array"


def walk(value, path, found):
    """The types of each path in a value; the outcomes are all one."""
    for key, inner in value.items():
        name = "OUTCOME" if path.endswith("outcomes.") else key
        found.setdefault(path + name, set()).add(type_of(inner))
        if isinstance(inner, dict):
            walk(inner, path + name + ".", found)
        elif isinstance(inner, list):
            for element in inner:
                if isinstance(element, dict):
                    walk(element, path + name + "[].", found)


def has_no_place(path, found, paths):
    """Is something that it is part of null, an empty array, or only in some objects, and not in this one?"""
    while "." in path:
        path = path.rpartition(".")[0].removesuffix("[]")
        if found.get(path, {"object"}) <= {"null", "array"}:
            return True
        if path not in found and paths.get(path, ((), False))[1]:
            return True
    return False


def faults(paths, found):
    for path, types in found.items():
        wanted = paths.get(path, ((), False))[0]
        for kind in types:
            if not any(kind == one or kind == "array" and one.startswith("array") for one in wanted):
                yield f"{path} is {kind}, documented as {' or '.join(wanted) or 'nothing'}"
    for path, (_, in_some) in paths.items():
        if path not in found and not in_some and not has_no_place(path, found, paths):
            yield f"{path} is documented, and not there"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        paths = documented(file.read(), sys.argv[2])
    text = sys.stdin.read()
    try:
        objects = [json.loads(text)]
    except ValueError:
        objects = [json.loads(line) for line in text.splitlines()]
    for one in objects:
        found = {}
        walk(one, "", found)
        wrong = list(faults(paths, found))
        print("".join(f"{line}\n" for line in wrong), end="")


if __name__ == "__main__":
    main()
