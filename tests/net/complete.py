#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Types into a real shell, in a terminal: complete.py SHELL FOLDER TEXT...

SHELL (bash, zsh or fish) is started in FOLDER, whose bin/ holds an `xdp-portblock` that tells
of its arguments by writing "ran" to the terminal when it has put them into FOLDER/arguments.
Each TEXT is typed with \\t for the key Tab and so on, then Enter; behind each, the arguments
are printed as Python has them. A line that runs nothing of ours is waited for in vain."""

import ast
import os
import pty
import select
import sys
import time

PATIENCE = 60  # seconds; only for what hangs

STARTS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "source '{top}/completion/xdp-portblock.bash'"),
    "zsh": (["zsh", "-f", "-i"], "fpath=('{folder}/zsh' $fpath); autoload -U compinit; compinit -u -D"),
    "fish": (["fish", "--no-config", "-i"], "source '{top}/completion/xdp-portblock.fish'"),
}


class Terminal:
    def __init__(self, argv, folder):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.environ.update(TERM="xterm", HOME=folder, PATH=f"{folder}/bin:" + os.environ["PATH"])
            os.environ.pop("LC_ALL", None)
            os.environ["LANG"] = "C.UTF-8"
            os.execvp(argv[0], argv)

    def type(self, text):
        os.write(self.fd, text)

    def wait_for(self, text):
        """Until the shell has written that; what came before it is forgotten."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            if not select.select([self.fd], [], [], end - time.monotonic())[0]:
                sys.exit(f"no {text!r} in: {self.seen!r}")
            self.seen += os.read(self.fd, 65536)
        self.seen = self.seen[self.seen.index(text) + len(text):]


def main():
    shell, folder, texts = sys.argv[1], sys.argv[2], sys.argv[3:]
    argv, start = STARTS[shell]
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    terminal = Terminal(argv, folder)
    # In two parts, so that the echo of what is typed is no answer.
    terminal.type(start.format(top=top, folder=folder).encode() + b"; echo rea''dy\r")
    terminal.wait_for(b"ready")
    for text in texts:
        terminal.type(ast.literal_eval(f"b'{text}'") + b"\r")
        terminal.wait_for(b"ran\r\n")
        with open(f"{folder}/arguments", "rb") as file:
            print(file.read().split(b"\0")[:-1])
    os.close(terminal.fd)


if __name__ == "__main__":
    main()
