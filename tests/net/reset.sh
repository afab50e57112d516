#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# rule reset: exact, while packets are counted as fast as can be; what it can't reach, it says.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

ROUNDS=200
reset="$TOP/build/tests/net/reset"

t_ok 'load' in_a "$PB" load v0
t_ok 'a rule' "$PB" rule add drop udp dport 1001
t_ok "$ROUNDS resets under packets on all CPUs" in_a "$reset" v0 default 1 1001 "$ROUNDS"
t_is 'none was lost, none was torn' "wrong 0" "${T_OUT##*[0-9] }"
t_note "$T_OUT"

# --- what is shown, and what bpftool sees ----------------------------------------------------

# packets_of WHERE: rule 1's, in what the command prints as JSON
packets_of()
{
	in_a "$PB" "$@" -j | json '[r for r in d["rules"] if r["id"] == 1][0]["packets"]'
}

# raw FILTER: rule 1's rows of pb_counts, those of the CPUs or of the baselines
raw()
{
	local row cpus
	row=$(bpftool -j map dump pinned "$PINS/default/pb_config" | json 'd[0]["formatted"]["value"]["max_rules"] // 4 * 4 + 4')
	cpus=$(bpftool -j map dump pinned "$PINS/default/pb_config" | json 'd[0]["formatted"]["value"]["cpus"]')
	bpftool -j map dump pinned "$PINS/default/pb_counts" | json "sum(r['formatted']['value']['packets']
		for r in d if r['formatted']['key'] % $row == 1 and r['formatted']['key'] // $row $1 $cpus)"
}

t_ok 'reset' "$PB" rule reset
total=$(raw '<')
t_ok 'the program has counted all there was' test "$total" -gt "$ROUNDS"
in_b "$PYTHON" "$PEER" send udp "$A4" 1001 --count 7
t_ok 'seven packets are counted' wait_for 60 counted 1 7
t_is 'by stats, too' 7 "$(packets_of stats)"
t_is 'by status, too' 7 "$(outcome v0 drop-rule)"
t_is 'in pb_counts, with those from before' $((total + 7)) "$(raw '<')"
t_ok 'rule reset' "$PB" rule reset
t_is 'says what it did' 'Counters are at 0.' "$T_OUT"
t_is 'none is shown' '0 0 0' "$(rule_is 1 packets) $(rule_is 1 bytes) $(outcome v0 drop-rule)"
t_is 'and pb_counts is as it was' $((total + 7)) "$(raw '<')"

# An id that comes back has a counter of its own.
in_b "$PYTHON" "$PEER" send udp "$A4" 1001 --count 5
t_ok 'five packets are counted' wait_for 60 counted 1 5
t_ok 'upgrade' in_a "$PB" upgrade v0
t_is 'keeps what was counted' '5 5' "$(rule_is 1 packets) $(outcome v0 drop-rule)"
t_ok 'the rule goes' "$PB" rule del 1
t_ok 'unload, keep' in_a "$PB" unload -k v0
t_ok 'load' in_a "$PB" load v0
for port in $(seq 2000 6094); do
	echo "drop udp dport $port"
done >"$T_DIR/all.rules"
t_ok 'as many others as there is room for but one' "$PB" apply "$T_DIR/all.rules"
t_ok 'and one with its id' "$PB" rule add drop udp dport 1001
t_is 'which has counted nothing yet' '[]' \
	"$("$PB" rule list -j | json '[r["id"] for r in d["rules"] if r["packets"] or r["bytes"]]')"
t_is 'though its counter is none of a new one' $((total + 12)) "$(raw '<')"
t_ok 'and back to one rule' "$PB" apply - <<<'drop udp dport 1001'

# --- without the right -----------------------------------------------------------------------

in_b "$PYTHON" "$PEER" send udp "$A4" 1001 --count 3
counted_by_outcome()
{
	[ "$(outcome v0 drop-rule)" = 3 ]
}
t_ok 'three packets' wait_for 60 counted_by_outcome
id=$("$PB" rule list -j | json 'd["rules"][0]["id"]')

# limited COMMAND...: who may change a ruleset, but can't look programs up
limited()
{
	in_a setpriv --bounding-set=-sys_admin "$@"
}

# unmapped COMMAND...: who can't map the counters of an interface
unmapped()
{
	in_a "$TOP/build/tests/net/uncounted" "$@"
}

for who in limited unmapped; do
	refused "$who: reset" 1 'no counter was reset' $who "$PB" rule reset
	t_is "$who: reset: the rule has its counts" 3 "$(rule_is "$id" packets)"
	t_is "$who: reset: the interface, too" 3 "$(outcome v0 drop-rule)"
	t_ok "$who: rule list" $who "$PB" rule list
done
t_fail 'limited: status' 1 'CAP_SYS_ADMIN' limited "$PB" status
t_fail 'limited: stats' 1 'CAP_SYS_ADMIN' limited "$PB" stats

t_ok 'unmapped: status' unmapped "$PB" status
t_ok 'says so' grep -qx '  counters: not readable (Operation not permitted)' <<<"$T_OUT"
t_ok 'and shows no number' test "$(grep -c drop-rule <<<"$T_OUT")" -eq 0
t_is 'in JSON it is null' null "$(unmapped "$PB" status -j | json 'd["interfaces"][0]["outcomes"]')"
t_ok 'unmapped: stats' unmapped "$PB" stats
t_ok 'says so, too' grep -qx 'counters: not readable (Operation not permitted)' <<<"$T_OUT"
t_is 'stats: in JSON it is null' null \
	"$(unmapped "$PB" stats -j | json 'd["interfaces"][0]["outcomes"]')"
t_is 'and the rules are there' 3 "$(unmapped "$PB" stats -j | json 'd["rules"][0]["packets"]')"
t_is 'a metric that is not known is left out' '0 1' "$(unmapped "$PB" stats --prometheus >"$T_DIR/m"
	grep -c '^xdp_portblock_interface' "$T_DIR/m") $(grep -c '^xdp_portblock_rule_packets' "$T_DIR/m")"
t_done
