#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# load and unload: by name and index, one and several, again and otherwise, all or none.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3

# --- one interface, by name and by index -----------------------------------------------

t_ok 'load by name' in_a "$PB" load v0
t_is 'one line says what it did' 1 "$(wc -l <<<"$T_OUT")"
t_is 'with interface, mode, ruleset and policy' \
	'v0: loaded in native mode ruleset default, policy allow' \
	"$(sed -E 's/, (under the|as a single) [a-z]+, / /; s/ \(.*\)$//' <<<"$T_OUT")"
dispatcher=$(in_a "$PB" status -j v0 | json 'd["interfaces"][0]["attach"] == "dispatcher"')
if [ "$dispatcher" = false ]; then
	t_is 'single program: says so, and why' 1 \
		"$(grep -c 'as a single program.*dispatcher' <<<"$T_OUT")"
fi
t_ok 'the kernel has a program on it' test -n "$(xdp_on v0)"
t_is 'the chain holds this program' "$(status_is v0 program_id)" \
	"$(in_a "$PB" status -j v0 | json 'd["interfaces"][0]["chain"][0]["id"]')"
t_is 'default priority' 9 "$(status_is v0 priority)"
t_ok 'the ruleset is pinned' test -e "$PINS/default/pb_rules"
t_ok 'unload by name' in_a "$PB" unload v0
t_is 'no program is left' '' "$(xdp_on v0)"
t_is 'bpftool net knows of none' '' "$(in_a bpftool net | grep -E '^v0')"
t_is 'no pin is left' '' "$(our_pins)"

index=$(in_a ip -o link show dev v0 | cut -d: -f1)
t_ok 'load by index' in_a "$PB" load "$index"
t_is 'it is named' v0 "$(status_is "$index" name)"
t_is 'status has the index' "$index" "$(status_is v0 index)"
t_ok 'unload by index' in_a "$PB" unload "$index"
t_is 'no program is left after that' '' "$(xdp_on v0)"
t_is 'no pin is left after that' '' "$(our_pins)"

# --- several ---------------------------------------------------------------------------

t_ok 'load several' in_a "$PB" load v0 lo v2
t_is 'a line each' 3 "$(grep -c ': loaded in' <<<"$T_OUT")"
t_is 'status lists all' '["lo", "v0", "v2"]' \
	"$(in_a "$PB" status -j | json 'sorted(i["name"] for i in d["interfaces"])')"
t_is 'status of some lists those' '["v0", "v2"]' \
	"$(in_a "$PB" status -j v0 v2 | json '[i["name"] for i in d["interfaces"]]')"
t_ok 'rule add' "$PB" rule add 22/tcp
t_is 'it counts for all' '[1, 1, 1]' \
	"$(in_a "$PB" status -j | json '[i["rules"] for i in d["interfaces"]]')"
t_ok 'unload two of three' in_a "$PB" unload v0 lo
t_is 'the third stays loaded' '["v2"]' \
	"$(in_a "$PB" status -j | json '[i["name"] for i in d["interfaces"]]')"
t_is 'its rules stay' '1 drop tcp dport 22' "$(rules)"
refused 'unload of one that is not loaded' 1 'v0: .*not loaded' in_a "$PB" unload v2 v0
t_ok 'unload the last' in_a "$PB" unload v2
t_is 'the pins are gone with the last' '' "$(our_pins)"
refused 'unload with nothing loaded' 1 'v0: .*not loaded' in_a "$PB" unload v0
refused 'status of one that is not loaded' 1 'v0: .*not loaded' in_a "$PB" status v0

t_ok 'load two for --all' in_a "$PB" load v0 lo
t_ok 'unload --all' in_a "$PB" unload --all
t_is 'no program is left on v0' '' "$(xdp_on v0)"
t_is 'no program is left on lo' '' "$(xdp_on lo)"
t_is 'no pin is left after --all' '' "$(our_pins)"
t_ok 'unload --all of nothing' in_a "$PB" unload -a
t_is 'says so' 'No interface is loaded.' "$T_OUT"

# --- --keep ----------------------------------------------------------------------------

t_ok 'load with policy' in_a "$PB" load v0 --policy deny
t_ok 'rule add before --keep' "$PB" rule add --action allow 443/tcp
kept=$("$PB" rule list -j)
t_ok 'unload --keep' in_a "$PB" unload --keep v0
t_is 'the program is gone' '' "$(xdp_on v0)"
t_is 'the rules are there' "$kept" "$("$PB" rule list -j)"
t_fail 'a load that fails' 1 'lo: .*native' in_a "$PB" load -m native v0 lo
t_ok 'leaves them kept' in_a "$PB" doctor --fix
t_is 'rules and ids' "$kept" "$("$PB" rule list -j)"
t_ok 'load again' in_a "$PB" load v0
t_is 'with the same rules, ids and policy' "$kept" "$("$PB" rule list -j)"
t_ok 'unload -k --all' in_a "$PB" unload -k --all
t_is 'the rules are there after --all, too' "$kept" "$("$PB" rule list -j)"
t_ok 'unload --all of kept ones' in_a "$PB" unload --all
t_is 'the kept pins are gone' '' "$(our_pins)"

# --- all or none -----------------------------------------------------------------------

refused 'lo cannot do native' 1 'lo: .*native mode.*-m skb' in_a "$PB" load -m native v0 v2 lo
refused 'a missing one among several' 1 "no interface 'nosuch'" in_a "$PB" load v0 nosuch v2
refused 'a missing index' 1 "no interface '4711'" in_a "$PB" load v0 4711
refused 'the same one twice' 2 "'v0' and '$index'" in_a "$PB" load v0 "$index"
t_ok 'load one' in_a "$PB" load v0
t_ok 'rule add to it' "$PB" rule add 22/tcp
refused 'a failed load takes its policy back' 1 'lo: .*native' \
	in_a "$PB" load -p deny -m native v2 lo
refused 'a loaded one among several that fail' 1 'lo: .*native' in_a "$PB" load -m native v0 v2 lo
t_ok 'a loaded one among several' in_a "$PB" load v2 v0
t_is 'is said to be loaded already' 1 "$(grep -c '^v0: already loaded' <<<"$T_OUT")"
t_is 'and the other one is loaded' 1 "$(grep -c '^v2: loaded' <<<"$T_OUT")"
t_ok 'unload both' in_a "$PB" unload v0 v2
t_done
