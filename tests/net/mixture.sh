#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No packet is judged by a mixture of two generations, or by none: a ruleset changes to and
# fro, thousands of times, between two that say something else of each port, under traffic.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
BUILD=$TOP/build/tests/net
for helper in flip rounds; do
	[ -x "$BUILD/$helper" ] || t_die "no $BUILD/$helper: make prog-tests comes first"
done
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

declare -A flips=([native]=${PB_FLIPS:-3000} [skb]=${PB_FLIPS:-1000})

# What each says of the ports:	A			B
#	1000-1199		drop, by a rule each	drop, by the policy
#	1200-1209		drop, by source		drop: allow is for other sources
#	2000-2199		pass, by the policy	pass, by a rule each
#	2200-2209		pass, by the policy	pass, by source
#	3000-3199, even		drop, by a rule each	pass, by a rule each
#	3000-3199, odd		pass, by the policy	drop, by the policy
{
	echo policy allow
	seq -f 'drop udp dport %.0f' 1000 1199
	seq -f "drop udp dport %.0f from 10.9.0.0/16" 1200 1209
	seq -f 'drop udp dport %.0f' 3000 2 3198
} >a.rules
{
	echo policy deny
	seq -f 'allow udp dport %.0f from 192.0.2.0/24' 1200 1209
	seq -f 'allow udp dport %.0f' 2000 2199
	seq -f "allow udp dport %.0f from 10.0.0.0/8 except 10.10.0.0/16" 2200 2209
	seq -f 'allow udp dport %.0f' 3000 2 3198
} >b.rules

# figure NAME: of what rounds printed
figure()
{
	sed -nE "s/.*$1 ([0-9]+).*/\1/p" <<<"$figures"
}

# sum: of all packets that had ports
sum()
{
	in_a "$PB" status -j v0 | json 'sum(d["interfaces"][0]["outcomes"][o]["packets"]
		for o in ("pass", "drop-rule", "drop-policy"))'
}

for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load v0 -m $mode --rules a.rules
	# A first exchange settles the neighbours.
	t_ok "$mode: ping" in_b ping -q -c 1 -W 60 "$A4"
	"$PB" rule reset >/dev/null
	t_ok "$mode: ${flips[$mode]} changes under traffic" "$BUILD/rounds" "$NS_A" "$NS_B" "$A4" \
		1000-1209 2000-2209 3000-3199 "$BUILD/flip" default b.rules a.rules "${flips[$mode]}"
	figures=$T_OUT
	t_note "$figures"
	t_ok "$mode: with some traffic" test "$(figure rounds)" -gt "${flips[$mode]}"
	t_is "$mode: nothing got through that both drop" 0 "$(figure stray)"
	t_is "$mode: nothing was dropped that both pass" 0 "$(figure lost)"
	t_ok "$mode: pairs see one ruleset, but for those sent across a change" \
		test "$(figure torn)" -le "${flips[$mode]}"
	t_is "$mode: each packet was judged" $((4 * $(figure rounds))) "$(sum)"
	t_ok "$mode: unload" in_a "$PB" unload v0
done
t_done
