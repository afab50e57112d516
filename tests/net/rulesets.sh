#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Several rulesets, and one ruleset in several network namespaces.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3 10.9.1.1/24 fd0a::1/64 10.9.1.2/24 fd0a::2/64
serve in_a --tcp 22,23
serve in_b --tcp 22,23

t_ok 'load with the ruleset office' in_a "$PB" load v0 -r office
t_ok 'load with the ruleset lab' in_a "$PB" load v2 --ruleset lab --policy deny
t_is 'status says which' '[["v0", "office", "allow"], ["v2", "lab", "deny"]]' \
	"$(in_a "$PB" status -j | json '[[i["name"], i["ruleset"], i["policy"]]
		for i in d["interfaces"]]')"
t_fail 'there is none called default' 1 "'default'.*xdp-portblock load" "$PB" rule add 22/tcp
t_ok 'rule add -r office' "$PB" rule add -r office 22/tcp
t_ok 'rule add -r lab' "$PB" rule add -r lab allow 22/tcp
t_is 'office has its own' '1 drop tcp dport 22' "$(rules_of office)"
t_is 'lab has its own' 'allow tcp dport 22' \
	"$(rules_of lab | grep -v failsafe | cut -d' ' -f2-)"
t_ok 'office: 22 is silent' silent tcp "$A4" 22
t_ok 'office: 23 answers' answers tcp "$A4" 23
t_ok 'lab: 22 answers' answers tcp 10.9.1.1 22
t_ok 'lab: 23 is silent' silent tcp 10.9.1.1 23
t_ok 'policy -r lab' "$PB" policy -r lab allow
t_ok 'lab: 23 answers' answers tcp 10.9.1.1 23
t_is 'office keeps its policy' allow "$("$PB" policy -r office)"
t_ok 'rule flush -r lab' "$PB" rule flush -r lab
t_is 'leaves those of office' '1 drop tcp dport 22' "$(rules_of office)"
t_ok 'rule reset -r lab' "$PB" rule reset -r lab
t_ok 'leaves the counters of office' test "$("$PB" rule list -r office -j |
	json 'd["rules"][0]["packets"]')" -gt 0
t_ok 'unload v2' in_a "$PB" unload v2
t_is 'removes lab alone' office "$(cd "$PINS" && echo ./* | sed 's:\./::g')"
t_ok 'unload v0' in_a "$PB" unload v0
t_is 'removes office' '' "$(our_pins)"

# One ruleset, both ends of the wire: two network namespaces share the pins.
t_ok 'load in A' in_a "$PB" load v0
t_ok 'rule add' "$PB" rule add 22/tcp
t_ok 'load in B' in_b "$PB" load v1
t_is 'status in A has that of A' '["v0"]' \
	"$(in_a "$PB" status -j | json '[i["name"] for i in d["interfaces"]]')"
t_is 'status in B has that of B' '["v1"]' \
	"$(in_b "$PB" status -j | json '[i["name"] for i in d["interfaces"]]')"
t_ok 'A: 22 is silent' silent tcp "$A4" 22
CLIENT=in_a t_ok 'B: 22 is silent' silent tcp "$B4" 22
CLIENT=in_a t_ok 'B: 23 answers' answers tcp "$B4" 23
t_ok 'unload in A' in_a "$PB" unload v0
t_is 'the rules stay for B' '1 drop tcp dport 22' "$(rules)"
t_ok 'A: 22 answers' answers tcp "$A4" 22
CLIENT=in_a t_ok 'B: 22 is silent without A' silent tcp "$B4" 22
t_ok 'load in A again' in_a "$PB" load v0
t_ok 'unload --all in A' in_a "$PB" unload --all
t_is 'leaves B loaded' '["v1"]' \
	"$(in_b "$PB" status -j | json '[i["name"] for i in d["interfaces"]]')"
t_is 'and its rules' '1 drop tcp dport 22' "$(rules)"
CLIENT=in_a t_ok 'B: 22 is silent still' silent tcp "$B4" 22
t_ok 'unload in B' in_b "$PB" unload v1
t_is 'no pin is left' '' "$(our_pins)"
t_done
