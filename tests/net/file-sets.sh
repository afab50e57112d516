#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sets whose elements a file has: part of a generation, in force with the rules that came with them, and taken back
# with them; and not for `set add`.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

# sets: each set, its elements and its file without the folder, on one line
sets()
{
	"$PB" set list -j | json '" ".join("%s:%d:%s" % (s["name"], s["nr"], s["file"] and
		s["file"].replace("'"$T_DIR"'/", "")) for s in d["sets"])'
}

in_a "$PB" load v0 >/dev/null || t_die 'load'
mkdir lists
printf '%s\n' "$B4" '2001:db8::/32 # a note' >lists/hostile.txt
printf '%s\n' 'set hostile file lists/hostile.txt' 'drop tcp dport 22 from @hostile' >f.rules

# --- apply --------------------------------------------------------------------------------------

t_ok 'check' "$PB" check f.rules
t_ok 'it is not there before' answers tcp "$A4" 22
t_ok 'apply' "$PB" apply f.rules
t_is 'makes the set, with the elements of the file' 'hostile:2:lists/hostile.txt' "$(sets)"
t_ok 'which are in force' silent tcp "$A4" 22
t_ok 'for that rule alone' answers tcp "$A4" 23
t_is 'save names the file' "policy allow
set hostile file $T_DIR/lists/hostile.txt
drop tcp dport 22 from @hostile" "$("$PB" save)"
t_ok 'save to a file' "$PB" save elsewhere.rules
t_ok 'which is no difference' "$PB" diff elsewhere.rules
t_ok 'and can be applied' "$PB" apply elsewhere.rules
t_is 'to the same' 'hostile:2:lists/hostile.txt' "$(sets)"
"$PB" save -j >saved.json
t_is 'JSON has it' "[{\"name\":\"hostile\",\"timeout\":null,\"max\":4194304,\"file\":\"$T_DIR/lists/hostile.txt\"}]" \
	"$(json 'json.dumps(d["sets"], separators=(",", ":"))' <saved.json)"
t_ok 'and is a file' "$PB" apply saved.json
t_is 'of the same' 'hostile:2:lists/hostile.txt' "$(sets)"
t_ok 'in force' silent tcp "$A4" 22

# --- said ---------------------------------------------------------------------------------------

t_fail 'set list says of which file' 0 "^hostile +2 +4194304 +-  of $T_DIR/lists/hostile.txt$" "$PB" set list
t_fail 'of the one, too' 0 "^Set hostile of $T_DIR/lists/hostile.txt, elements 2 of at most 4194304, timeout -$" \
	"$PB" set list hostile
t_fail 'set test: in it' 0 "is in hostile of $T_DIR/lists/hostile.txt, by 2001:db8::/32, which" \
	"$PB" set test hostile 2001:db8::1
t_fail 'set test: not in it' 1 "is not in hostile of $T_DIR/lists/hostile.txt\." "$PB" set test hostile 192.0.2.1
t_is 'set test in JSON' "$T_DIR/lists/hostile.txt" "$("$PB" set test -j hostile 192.0.2.1 | json 'd["file"]')"
t_fail 'rule list' 0 'from @hostile' "$PB" rule list
t_fail 'explain' 0 'hostile' in_a "$PB" explain --port 22 --from "$B4"

# --- not for others -----------------------------------------------------------------------------

"$PB" set create own >/dev/null
refused()
{
	local name="set $1 is refused"
	shift
	t_fail "$name" 1 "the set 'hostile' has the elements of the file \"$T_DIR/lists/hostile.txt\": change that, and apply" \
		"$PB" set "$@"
}
refused add add hostile 192.0.2.1
refused 'add from standard input' add hostile -
refused del del hostile "$B4"
refused flush flush hostile
refused load load hostile lists/hostile.txt
refused swap swap hostile own
refused 'swap with it' swap own hostile
refused destroy destroy hostile
refused create create hostile
t_is 'and nothing has changed' 'hostile:2:lists/hostile.txt own:0:None' "$(sets)"

# --- other changes of rules leave it alone ----------------------------------------------------------

t_ok 'rule add' "$PB" rule add drop tcp dport 23 from @hostile
t_ok 'names it' silent tcp "$A4" 23
echo 192.0.2.77 >lists/hostile.txt
t_ok 'rule del' "$PB" rule del drop tcp dport 23 from @hostile
t_ok 'policy' "$PB" policy allow
t_ok 'set load of another set' "$PB" set load own lists/hostile.txt
t_ok 'set swap of others' "$PB" set swap own own
t_is 'the file was not read again' 'hostile:2:lists/hostile.txt own:1:None' "$(sets)"
t_ok 'the elements are in force still' silent tcp "$A4" 22
t_fail 'diff tells that they differ' 1 "^-set hostile file $T_DIR/lists/hostile.txt # elements less: 2$" "$PB" diff f.rules
t_fail 'and how' 1 "^\+set hostile file $T_DIR/lists/hostile.txt # elements more: 1$" "$PB" diff f.rules
t_ok 'apply' "$PB" apply f.rules
t_is 'reads it' 'hostile:1:lists/hostile.txt own:1:None' "$(sets)"
t_ok 'and takes what is not there any more out' answers tcp "$A4" 22
t_ok 'there is no difference then' "$PB" diff f.rules

# --- back ---------------------------------------------------------------------------------------

echo "$B4" >lists/hostile.txt
t_ok 'apply --confirm' "$PB" apply f.rules --confirm 1h
t_ok 'is in force' silent tcp "$A4" 22
t_ok 'rollback' "$PB" rollback
t_ok 'the old elements are back' answers tcp "$A4" 22
t_ok 'in words, too' "$PB" set test hostile 192.0.2.77
t_is 'alone' 'hostile:1:lists/hostile.txt own:1:None' "$(sets)"
t_ok 'once more' "$PB" apply f.rules --confirm 1h
t_ok 'confirm' "$PB" confirm
t_ok 'keeps it' silent tcp "$A4" 22
echo 192.0.2.77 >lists/hostile.txt
t_ok 'apply --confirm that nobody confirms' "$PB" apply f.rules --confirm 1s
t_ok 'is over' wait_for 60 silent tcp "$A4" 22
t_ok 'the old elements are back' "$PB" set test hostile "$B4"
t_ok 'also for the next change' "$PB" rule add 4711/tcp
t_ok 'in force' silent tcp "$A4" 22

t_done
