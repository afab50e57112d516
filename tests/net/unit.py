#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Runs a command of a unit as systemd does: unit.py UNIT SETTING INSTANCE ETC STATE SBINDIR

The line is split into words first; then specifiers are replaced, and then variables of the
environment: $WORD as a word of its own by as many words as it holds, ${WORD} anywhere by one,
and $$ by a dollar. What is put in is not looked at again. (systemd.service(5), COMMAND LINES)"""

import os
import re
import shlex
import sys


def settings(unit, name):
    with open(unit, encoding="utf-8") as file:
        return [line.rstrip("\n").split("=", 1)[1] for line in file if line.startswith(name + "=")]


def specifiers(word, instance):
    known = {"I": instance, "n": f"xdp-portblock@{instance}.service", "%": "%"}
    return re.sub("%(.)", lambda match: known[match[1]], word)


def variables(word, environment):
    if re.fullmatch(r"\$[A-Za-z_]\w*", word):
        return environment.get(word[1:], "").split()
    return [re.sub(r"\$(\$|{(\w+)})",
                   lambda match: "$" if match[1] == "$" else environment.get(match[2], ""), word)]


def main():
    unit, setting, instance, etc, state, sbindir = map(os.fsdecode, map(os.fsencode, sys.argv[1:]))
    # What systemctl says is the test's to say.
    environment = {"PATH": sbindir + ":/usr/sbin:/usr/bin:/sbin:/bin"}
    for line in settings(unit, "Environment"):
        for word in shlex.split(line):
            name, value = specifiers(word, instance).split("=", 1)
            environment[name] = value
    for line in settings(unit, "EnvironmentFile"):
        path = specifiers(line, instance).lstrip("-").replace("/etc/xdp-portblock", etc)
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                environment.update(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    line, = settings(unit, setting)
    line = line.replace("@SBINDIR@", sbindir).replace("/etc/xdp-portblock", etc)
    words = shlex.split(line.replace("/var/lib/xdp-portblock", state))
    words = [part for word in words for part in variables(specifiers(word, instance), environment)]
    os.execve(words[0], words, environment)


if __name__ == "__main__":
    main()
