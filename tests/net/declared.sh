#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sets that a file of rules declares: made when it is applied, and left alone with their elements by all
# other changes; what a failed change made is gone again.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

# sets: each set, its timeout and its size, on one line
sets()
{
	"$PB" set list -j |
		json '" ".join("%s:%s:%s" % (s["name"], s["timeout"], s["max"]) for s in d["sets"])'
}

cat >f.rules <<'END'
set bans timeout 1d
set friends max 10
22/tcp from 192.0.2.1,@bans except @friends
drop from @friends
END

in_a "$PB" load v0 >/dev/null || t_die 'load'

# --- apply --------------------------------------------------------------------------------------

t_ok 'check' "$PB" check f.rules
t_ok 'apply' "$PB" apply f.rules
t_is 'makes the sets' 'bans:86400:65536 friends:None:10' "$(sets)"
t_ok 'once more' "$PB" apply f.rules
t_ok 'save' "$PB" save saved.rules
t_is 'writes what can be applied' 'policy allow
set bans timeout 1d
set friends max 10
drop tcp dport 22 from 192.0.2.1,@bans except @friends
drop from @friends' "$(cat saved.rules)"
t_ok 'diff finds no difference' "$PB" diff saved.rules
t_is 'JSON has them' '[{"name":"bans","timeout":86400,"max":65536,"file":null},{"name":"friends","timeout":null,"max":10,"file":null}]' \
	"$("$PB" rule list -j | json 'json.dumps(d["sets"], separators=(",", ":"))')"
"$PB" rule list -j >saved.json
t_ok 'and is a file' "$PB" apply saved.json

# --- elements stay ------------------------------------------------------------------------------

t_ok 'an empty set holds nobody' answers tcp "$A4" 22
"$PB" set add bans "$B4" >/dev/null || t_die 'set add'
t_ok 'an element is in force' silent tcp "$A4" 22
t_ok 'apply' "$PB" apply f.rules
t_ok 'leaves it' "$PB" set test bans "$B4"
t_ok 'in force' silent tcp "$A4" 22
printf '%s\n' 'set bans timeout 2h' 'set more' '22/tcp from @bans' >other.rules
t_ok 'apply of another file' "$PB" apply other.rules
t_is 'takes its options over, and leaves sets that it does not name' \
	'bans:7200:65536 friends:None:10 more:None:65536' "$(sets)"
t_ok 'and the element' "$PB" set test bans "$B4"
t_ok 'in force' silent tcp "$A4" 22

# --- what fails leaves none ---------------------------------------------------------------------

before=$(sets)
printf '%s\n' 'set new' 'set bans timeout 5h' 'drop from @new' 'drop from @nosuch' >wrong.rules
t_fail 'a set that is not there' 1 "no set 'nosuch' in the ruleset 'default'.*set create nosuch" \
	"$PB" apply wrong.rules
t_is 'makes no other, and changes none' "$before" "$(sets)"
for i in {1..9}; do
	printf 'set s%d\ndrop from @s%d\n' "$i" "$i"
done >long.rules
t_fail 'rules that do not fit' 1 'from @a,@b' "$PB" apply long.rules
t_is 'make none, either' "$before" "$(sets)"
for i in {1..62}; do
	printf 'set s%d\n' "$i"
done >many.rules
t_fail 'more sets than there can be' 1 'one too many' "$PB" apply many.rules
t_is 'leave all as it is' "$before" "$(sets)"

# --- load ---------------------------------------------------------------------------------------

in_a "$PB" unload v0 >/dev/null
t_ok 'load --rules' in_a "$PB" load v0 --rules f.rules
t_is 'makes the sets' 'bans:86400:65536 friends:None:10' "$(sets)"

t_done
