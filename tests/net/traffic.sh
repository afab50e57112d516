#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Real sockets through the filter: on a veth pair in native and in skb mode, and on lo.
# Each rule is tried by what it matches and by what it does not: the other port, the
# other protocol, the other side.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

extra=()
for proto in sctp udplite; do
	if speaks $proto; then
		extra+=("--$proto" '5000,5001')
	fi
done
serve in_a --tcp 22,23,53 --udp 22,53,54 "${extra[@]}"
serve in_b --tcp 2300 --udp 5300

# add RULE...: and nothing else
add()
{
	"$PB" rule flush >/dev/null && "$PB" rule add "$@" >/dev/null && id=$(rules | cut -d' ' -f1)
}

# count_is NAME N BYTES: so many packets of the rule, and not one more
count_is()
{
	wait_for 60 counted "$id" "$2"
	t_is "$1: packets" "$2" "$(rule_is "$id" packets)"
	t_is "$1: bytes" "$3" "$(rule_is "$id" bytes)"
}

# send PROTO ADDR PORT [OPTIONS]: datagrams by the client
send()
{
	"${CLIENT:-in_b}" "$PYTHON" "$PEER" send "$@"
}

# Connections and datagrams to ADDR, as NAME
check_sockets()
{
	local name=$1 addr=$2

	add 22/tcp
	t_ok "$name: tcp 22 is silent" silent tcp "$addr" 22
	t_ok "$name: and was counted" test "$(rule_is "$id" packets)" -ge 1
	t_ok "$name: tcp 23 answers" answers tcp "$addr" 23
	t_ok "$name: udp 22 answers" answers udp "$addr" 22
	t_ok "$name: del" "$PB" rule del --port 22 --proto tcp
	t_ok "$name: tcp 22 answers again" answers tcp "$addr" 22

	add 53/udp
	t_ok "$name: udp 53 is silent" silent udp "$addr" 53
	t_is "$name: and was counted once" 1 "$(rule_is "$id" packets)"
	t_ok "$name: udp 54 answers" answers udp "$addr" 54
	t_ok "$name: tcp 53 answers" answers tcp "$addr" 53

	for proto in tcp udp; do
		add --sport 4053 --proto $proto
		t_ok "$name: $proto from 4053 is silent" silent $proto "$addr" 53 --sport 4053
		t_ok "$name: $proto from 4054 answers" answers $proto "$addr" 53 --sport 4054
	done
	add --port 4053 --proto udp
	if [ "${CLIENT:-in_b}" = in_b ]; then
		t_ok "$name: dport is not sport" answers udp "$addr" 53 --sport 4053
	else
		# The answer goes to port 4053, and here it meets the filter, too.
		t_ok "$name: dport is that of the answer" silent udp "$addr" 53 --sport 4053
	fi

	for proto in sctp udplite; do
		if ! speaks $proto; then
			t_skip "$name: sockets of $proto" 'the kernel does not have it'
			continue
		fi
		add 5000/$proto
		t_ok "$name: $proto 5000 is silent" silent $proto "$addr" 5000
		t_ok "$name: $proto 5001 answers" answers $proto "$addr" 5001
	done
}

# Datagrams to ADDR, counted exactly; HEADER: bytes of the IP header
check_counters()
{
	local name=$1 addr=$2 header=$3 proto

	add 53/udp
	send udp "$addr" 54 --count 10
	send udp "$addr" 53 --count 100 --size 58
	count_is "$name: udp" 100 $((100 * (14 + header + 8 + 58)))
	# By their ports alone, whether the kernel has the protocol or not
	for proto in sctp dccp udplite; do
		add 5000/$proto
		send $proto "$addr" 5001 --count 10
		send $proto "$addr" 5000 --count 10 --size 16
		count_is "$name: $proto" 10 $((10 * (14 + header + 4 + 16)))
	done
}

# What rules and policies mean, over the filter on DEV with ADDR; PEER: the other host's
# address, or nothing
check_meaning()
{
	local name=$1 addr=$2 peer=$3 dev=$4 before

	add audit 53/udp
	before=$(outcome "$dev" audit)
	t_ok "$name: audit lets udp 53 answer" answers udp "$addr" 53
	t_ok "$name: audit counts it" test "$(rule_is "$id" packets)" -ge 1
	t_ok "$name: audit is an outcome" test "$(outcome "$dev" audit)" -gt "$before"

	add 1-1024/tcp
	t_ok "$name: 1-1024 blocks 22" silent tcp "$addr" 22
	t_ok "$name: allow 23 inside of it" "$PB" rule add --action allow 23/tcp
	t_ok "$name: 23 answers" answers tcp "$addr" 23
	t_ok "$name: 22 is silent" silent tcp "$addr" 22
	t_ok "$name: del of the narrow one" "$PB" rule del 23/tcp
	t_ok "$name: 23 is under the wide one again" silent tcp "$addr" 23

	"$PB" rule flush >/dev/null
	t_ok "$name: policy deny" "$PB" policy deny
	before=$(outcome "$dev" drop-policy)
	t_ok "$name: deny: tcp 23 is silent" silent tcp "$addr" 23
	t_ok "$name: deny: udp 54 is silent" silent udp "$addr" 54
	t_ok "$name: deny is an outcome" test "$(outcome "$dev" drop-policy)" -ge $((before + 2))
	t_ok "$name: deny: ping passes" "${CLIENT:-in_b}" ping -q -c 1 -W 60 "$addr"
	t_ok "$name: deny: allow 23" "$PB" rule add allow tcp dport 23
	t_ok "$name: deny: tcp 23 answers" answers tcp "$addr" 23
	if [ -n "$peer" ]; then
		CLIENT=in_a t_ok "$name: deny: own tcp connection" answers tcp "$peer" 2300
		CLIENT=in_a t_ok "$name: deny: own udp exchange" answers udp "$peer" 5300
	fi
	t_ok "$name: policy allow" "$PB" policy allow
	t_ok "$name: allow: udp 54 answers" answers udp "$addr" 54

	t_ok "$name: reset" "$PB" rule reset
	t_is "$name: reset: rules are at 0" '[0]' \
		"$("$PB" rule list -j | json 'sorted({r["packets"] + r["bytes"] for r in d["rules"]})')"
	t_is "$name: reset: outcomes are at 0" 0 "$(outcome "$dev" drop-policy)"
}

for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load -m $mode v0
	check_sockets "$mode v4" "$A4"
	check_sockets "$mode v6" "$A6"
	check_counters "$mode v4" "$A4" 20
	check_counters "$mode v6" "$A6" 40
	check_meaning "$mode" "$A4" "$B4" v0
	t_ok "$mode: unload" in_a "$PB" unload v0
	t_ok "$mode: all is as before" answers tcp "$A4" 22
done

CLIENT=in_a
t_ok 'lo: load' in_a "$PB" load lo
check_sockets 'lo v4' 127.0.0.1
check_sockets 'lo v6' ::1
check_counters 'lo v4' 127.0.0.1 20
check_counters 'lo v6' ::1 40
check_meaning 'lo' 127.0.0.1 '' lo
t_ok 'lo: unload' in_a "$PB" unload lo
t_ok 'lo: all is as before' answers tcp 127.0.0.1 22
t_done
