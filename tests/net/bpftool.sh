#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What others see: the pinned maps with the names of their fields, by bpftool.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

# dump MAP: the entries, as JSON by BTF
dump()
{
	bpftool -j map dump pinned "$PINS/default/$1"
}

# The fields of the record of rule 1; of the two slots, the one in force.
record()
{
	local active
	active=$(dump pb_config | json 'd[0]["formatted"]["value"]["active"]')
	dump pb_rules | json "[r['formatted']['value'] for r in d
		if r['formatted']['key'] == 2 * $1 + $active][0]$2"
}

t_ok 'load' in_a "$PB" load v0
t_ok 'rule add' "$PB" rule add 'drop tcp,udp dport 22,80-90 comment "seen by bpftool"'
t_ok 'rule add' "$PB" rule add allow udp sport 53

t_ok 'map dump pinned' bpftool map dump pinned "$PINS/default/pb_rules"
shown=$T_OUT
for field in id action side protocols nr_ports ports first last comment expires; do
	t_ok "has the field $field" grep -q "\"$field\":" <<<"$shown"
done
t_is 'the id' 1 "$(record 1 '["id"]')"
t_is 'the ports' '[[22, 22], [80, 90]]' "$(record 1 '["ports"][:2]' |
	json '[[p["first"], p["last"]] for p in d]')"
t_is 'the comment' 'seen by bpftool' "$(record 1 '["comment"]')"
# bpftool prints an enum by its name, or, an old one, by its number.
t_ok 'the action' grep -Eq 'PB_ACTION_ALLOW|^2$' <<<"$(record 2 '["action"]')"
t_ok 'the side' grep -Eq 'PB_SIDE_SPORT|^1$' <<<"$(record 2 '["side"]')"
t_is 'one record a rule' 2 "$(dump pb_rules | json 'len(set(r["formatted"]["value"]["id"]
	for r in d if r["formatted"]["value"]["id"]))')"

t_is 'pb_config has the version of the layout' \
	"$(sed -n 's/^#define PB_ABI_VERSION //p' "$TOP/headers/portblock/abi.h")" \
	"$(dump pb_config | json 'd[0]["formatted"]["value"]["abi_version"]')"
t_is 'and the name of the ruleset' default \
	"$(dump pb_config | json 'd[0]["formatted"]["value"]["ruleset"]')"
in_b "$PYTHON" "$PEER" send udp "$A4" 85 --count 7
t_ok 'seven packets are counted' wait_for 60 counted 1 7
t_is 'pb_counts has them, by rule id' 7 "$(dump pb_counts |
	json 'sum(r["formatted"]["value"]["packets"] for r in d)')"

# counted_by_maps ID: packets of a rule, as xdp-portblock.maps(5) says how to read them
counted_by_maps()
{
	dump pb_config | json 'd[0]["formatted"]["value"]' >"$T_DIR/config"
	dump pb_counts | json "(lambda c, width, counts: sum(counts[cpu * width + $1]
		for cpu in range(c['cpus'])) - counts[(c['cpus'] + c['resets'] % 2) * width + $1]
		)(json.load(open('$T_DIR/config')), (json.load(open('$T_DIR/config'))['max_rules'] + 4) // 4 * 4,
			[r['formatted']['value']['packets'] for r in d])"
}

t_is 'what a rule has counted' 7 "$(counted_by_maps 1)"
t_ok 'rule reset' "$PB" rule reset
t_is 'after a reset' 0 "$(counted_by_maps 1)"
in_b "$PYTHON" "$PEER" send udp "$A4" 85 --count 3
t_ok 'three packets are counted' wait_for 60 counted 1 3
t_is 'and since' 3 "$(counted_by_maps 1)"
t_ok 'under the shared lock' flock -s "$PINS/default" bpftool map dump pinned "$PINS/default/pb_rules"
t_is 'pb_config.maps names the pins, in the order of the page' \
	"$(sed -n 's/^\.It \(pb_[a-z0-9_]*\) Ta [a-z_]* Ta .*/\1/p' "$TOP/man/xdp-portblock.maps.5")" \
	"$(dump pb_config | json '"\n".join(map(str, filter(None, d[0]["formatted"]["value"]["maps"])))' |
		while read -r id; do bpftool -j map show id "$id" | json 'd["name"]'; done)"

t_is 'each pin is a map of its name' "$(cd "$PINS/default" && printf '%s\n' pb_*)" \
	"$(for pin in "$PINS"/default/pb_*; do
		bpftool -j map show pinned "$pin" | json 'd["name"]'
	done)"
t_is 'the program has its name' xdp_portblock \
	"$(bpftool -j prog show id "$(status_is v0 program_id)" | json 'd["name"]')"
t_ok 'bpftool net shows it on the interface' grep -q '^v0(' <<<"$(in_a bpftool net)"
t_ok 'rule del' "$PB" rule del 1
t_is 'bpftool sees that, too' '[0]' "$(record 1 '["id"]' | json '[d]')"
t_done
