#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Nothing that others have named or written acts on the terminal of who reads it: no control
# character, nothing that turns the direction of writing, no half character comes out.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

# Escape and "clear the screen"; C1 as a byte and as a character; right to left; DEL
bad=$'e\e[2J' c1=$'\x9b2J' c1_8=$'\xc2\x9b2J' bidi=$'\xe2\x80\xaex' del=$'d\x7f'

# harmless: of standard input
harmless()
{
	"$PYTHON" -c '
import re, sys
text = sys.stdin.buffer.read().decode()
sys.exit(bool(re.search("[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]", text)))' 2>&1
}

# tame NAME STATUS REGEX COMMAND...: as t_fail, and what it says is harmless
tame()
{
	t_fail "$@"
	t_ok "$1: harmless" harmless <"$T_DIR/out"
}

# What it finds is the machine's: that is no failure here.
examine()
{
	in_a "$PB" doctor "$1" || [ $? -eq 1 ]
}

for name in "$bad" "$c1" "$c1_8" "$bidi" "$del"; do
	in_a ip link add name "$name" type veth || t_die 'no interface'
	shown=$(printf %s "$name" | "$PYTHON" -c '
import sys
text = sys.stdin.buffer.read()
print("".join(chr(b) if 32 <= b < 127 else "\\\\x%02x" % b for b in text))')
	shown=${shown//[/\\[}
	tame "$shown: load" 0 "^$shown: loaded" in_a "$PB" load -m skb "$name"
	tame "$shown: status" 0 "^$shown \(index" in_a "$PB" status
	tame "$shown: status -j" 0 '"name"' in_a "$PB" status -j
	case $name in
	"$c1") ;; # is no UTF-8, and so no JSON
	*) t_is "$shown: in JSON" "$name" "$(in_a "$PB" status -j | json 'd["interfaces"][0]["name"]')" ;;
	esac
	tame "$shown: stats" 0 "^$shown\$" in_a "$PB" stats
	tame "$shown: stats -j" 0 . in_a "$PB" stats -j
	tame "$shown: metrics" 0 'interface="' in_a "$PB" stats --prometheus
	tame "$shown: top" 0 "^$shown\$" in_a "$PB" top
	tame "$shown: doctor" 0 . examine "$name"
	tame "$shown: explain" 0 . in_a "$PB" explain -i "$name" --port 22
	tame "$shown: upgrade" 0 "^$shown: upgraded" in_a "$PB" upgrade "$name"
	tame "$shown: unload" 0 "^$shown: unloaded" in_a "$PB" unload "$name"
	tame "$shown: is not loaded" 1 "$shown" in_a "$PB" unload "$name"
	in_a ip link del dev "$name"
	tame "$shown: is not there" 1 "$shown" in_a "$PB" load "$name"
	tame "$shown: no command" 2 "there is no command '$shown'" "$PB" "$name"
	tame "$shown: no option" 2 . "$PB" load "--$name"
	tame "$shown: no option, short" 2 . "$PB" load "-$name"
	tame "$shown: no ruleset" 1 . in_a "$PB" rule list -r "$name"
	tame "$shown: no rule" 2 . "$PB" rule add "$name"
	tame "$shown: no mode" 2 . "$PB" load -m "$name" lo
	tame "$shown: no number" 2 . "$PB" load --max-rules "$name" lo
	tame "$shown: no comment" 2 'the comment' "$PB" rule add 22/tcp comment "x $name"
	tame "$shown: no file" 1 . "$PB" check "$name"

	t_ok "$shown: load v0" in_a "$PB" load v0
	tame "$shown: save" 0 '' "$PB" save "$name"
	tame "$shown: check" 0 "^$shown: 0 rules" "$PB" check "$name"
	tame "$shown: apply" 0 "from $shown\$" "$PB" apply "$name"
	echo 22/tcp >"$name"
	tame "$shown: diff" 1 "^\+\+\+ $shown\$" "$PB" diff "$name"
	printf '22x\ninclude %s\nfrob%s\n' "$name" "$name" >"$name"
	tame "$shown: faults" 1 "$shown:1: " "$PB" check "$name"
	printf '{"%s":1}' "$name" >"$name.json"
	tame "$shown: faults of JSON" 1 "$shown.json:" "$PB" check "$name.json"
	printf '{"rules":[{"ports":["1"],"comment":"%s"}]}' "$name" >"$name.json"
	tame "$shown: a comment in JSON" 1 . "$PB" check "$name.json"
	t_ok "$shown: unload v0" in_a "$PB" unload v0
done

# --- from a map that somebody else wrote -----------------------------------------------------

t_ok 'load' in_a "$PB" load v0
t_ok 'a rule' "$PB" rule add 22/tcp comment ABCDEFGHIJ
"$PYTHON" - "$PINS/default/pb_rules" <<'POKE' || t_die 'the map is not as it should be'
import json, subprocess, sys
pinned = ["pinned", sys.argv[1]]
tool = ["bpftool", "-j", "map"]
found = 0
for entry in json.loads(subprocess.check_output(tool + ["dump"] + pinned)):
    value = bytes(int(byte, 16) for byte in entry["value"])
    if b"ABCDEFGHIJ" in value:
        value = value.replace(b"ABCDEFGHIJ", b"\x1b[2J\x9b\xc2\x9bxy\x7f")
        subprocess.check_call(["bpftool", "map", "update"] + pinned +
                              ["key", "hex"] + [byte[2:] for byte in entry["key"]] +
                              ["value", "hex"] + ["%02x" % byte for byte in value])
        found += 1
sys.exit(not found)
POKE
tame 'a comment: list' 0 'x1b' "$PB" rule list
tame 'a comment: list -j' 0 'u001b' "$PB" rule list -j
tame 'a comment: save' 0 'x1b' "$PB" save
tame 'a comment: stats' 0 'x1b' in_a "$PB" stats
tame 'a comment: metrics' 0 'x1b' in_a "$PB" stats --prometheus
tame 'a comment: explain' 0 'x1b' in_a "$PB" explain --port 22
tame 'a comment: explain -j' 0 'u001b' in_a "$PB" explain -j --port 22
tame 'a comment: diff' 1 'x1b' "$PB" diff - </dev/null
t_done
