#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The action audit: what it matches passes, and is counted as if it had been dropped.

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

serve in_a --tcp 22,23 --udp 53,54
in_b ip addr add 10.1.2.3/32 dev v1
in_a ip route add 10.1.2.3 dev v0
t_ok 'load' in_a "$PB" load v0

send()
{
	in_b "$PYTHON" "$PEER" send "$@"
}

# outcomes NAME PACKETS BYTES: of the audit outcome, in status -j
audited()
{
	wait_for 60 is_audited "$2"
	t_is "$1" "{\"bytes\": $3, \"packets\": $2}" \
		"$(in_a "$PB" status -j v0 | json "d['interfaces'][0]['outcomes']['audit']")"
}

is_audited()
{
	[ "$(outcome v0 audit)" = "$1" ]
}

t_ok 'audit 53/udp' "$PB" rule add --action audit 53/udp
id=$(rules | cut -d' ' -f1)
t_is 'rule list marks it' "$id audit udp dport 53" "$(rules)"
t_is 'in JSON, too' audit "$(rule_is "$id" action)"
send udp "$A4" 53 --count 10 --size 58
send udp "$A6" 53 --count 5 --size 58
send udp "$A4" 54 --count 7
wait_for 60 counted "$id" 15
t_is 'each packet is counted' 15 "$(rule_is "$id" packets)"
t_is 'with its bytes' $((10 * (14 + 20 + 8 + 58) + 5 * (14 + 40 + 8 + 58))) "$(rule_is "$id" bytes)"
audited 'the outcome is audit' 15 $((10 * 100 + 5 * 120))
t_is 'none is dropped' 0 "$(outcome v0 drop-rule)"
t_ok 'status prints it' grep -Eq 'audit +15' <(in_a "$PB" status v0)
for addr in "$A4" "$A6"; do
	t_ok "udp 53 of $addr answers" answers udp "$addr" 53
	t_ok "udp 54 of $addr, too" answers udp "$addr" 54
done
wait_for 60 counted "$id" 17
t_is 'and those were counted, not these' 17 "$(rule_is "$id" packets)"

t_ok 'audit 22/tcp' "$PB" rule add audit 22/tcp
for addr in "$A4" "$A6"; do
	t_ok "tcp 22 of $addr answers" answers tcp "$addr" 22
done
t_ok 'and is counted' test "$(rule_is $((id + 1)) packets)" -ge 4

# In the place of the action that it tries out
t_ok 'the same rule with drop' "$PB" rule add -j 53/udp
t_is 'is the same rule' "{\"id\": $id, \"result\": \"changed\"}" "$(json d <<<"$T_OUT")"
t_is 'rule list no longer marks it' "$id drop udp dport 53" "$(rules | grep "^$id ")"
t_is 'its counters stay' 17 "$(rule_is "$id" packets)"
t_ok 'udp 53 is silent' silent udp "$A4" 53
t_is 'which is counted there' 18 "$(rule_is "$id" packets)"
t_is 'and not as audit' 1 "$(outcome v0 drop-rule)"
t_ok 'audit again' "$PB" rule add audit 53/udp
t_ok 'udp 53 answers again' answers udp "$A4" 53

# --- among others -------------------------------------------------------------------------

t_ok 'flush' "$PB" rule flush
t_ok 'drop and audit of one port: drop' "$PB" rule add 22/tcp,udp
t_ok 'audit' "$PB" rule add audit 22/tcp
t_ok 'drop wins' silent tcp "$A4" 22
t_ok 'del of drop' "$PB" rule del 22/tcp,udp
t_ok 'audit passes' answers tcp "$A4" 22
t_ok 'allow of the same port' "$PB" rule add allow 22/tcp,udp
t_ok 'reset' "$PB" rule reset
t_ok '22 answers' answers tcp "$A4" 22
t_ok 'audit wins over allow' test "$(outcome v0 audit)" -ge 3
t_is 'allow decides nothing' 0 "$("$PB" rule list -j |
	json '[r["packets"] for r in d["rules"] if r["action"] == "allow"][0]')"

t_ok 'flush' "$PB" rule flush
t_ok 'a wide drop' "$PB" rule add 1-1024/tcp
t_ok 'a narrow audit in it' "$PB" rule add audit 22/tcp
t_ok 'the narrow one passes' answers tcp "$A4" 22
t_ok 'the wide one drops' silent tcp "$A4" 23
t_ok 'audit of one source' "$PB" rule add audit 1-1024/tcp from 10.1.2.3
t_ok 'passes that source' answers tcp "$A4" 23 --from 10.1.2.3
t_ok 'and no other' silent tcp "$A4" 23

t_ok 'flush' "$PB" rule flush
t_ok 'with new and an end' "$PB" rule add audit 23/tcp new expires 1h
t_ok 'is listed' grep -Eq '^[0-9]+ audit tcp dport 23 new expires (1h|[1-5]?[0-9]m[0-9s]*)$' <(rules)
id=$(rules | cut -d' ' -f1)
t_ok 'it passes what is new' answers tcp "$A4" 23
t_is 'and counts that alone: one packet a connection' 1 "$(rule_is "$id" packets)"

t_ok 'flush' "$PB" rule flush
t_ok 'policy deny' "$PB" policy deny
t_ok 'deny: 22 is silent' silent tcp "$A4" 22
t_ok 'deny: audit 22' "$PB" rule add audit 22/tcp
t_ok 'deny: what is audited passes' answers tcp "$A4" 22
t_ok 'deny: 23 does not' silent tcp "$A4" 23
t_done
