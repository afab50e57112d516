#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_clients): curl, socat and dig say "connection refused" of what is rejected
# on a VLAN, and on a VLAN in a VLAN of a provider: natively, and in skb mode, where tags are beside the frame.
# More: tests/net/clients.sh.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
. "$TOP/tests/net/told.sh"
world_enter "$@"
world_pair
b_takes

# vlan BELOW NAME ID PROTOCOL NET: on both sides, BELOW being what follows v0 and v1
vlan()
{
	local side
	for side in 0 1; do
		local where=in_a number=1
		[ $side = 0 ] || where=in_b number=2
		{
			$where ip link add link "v$side$1" name "v$side$2" type vlan protocol "$4" id "$3" &&
				$where ip addr add "10.$5.0.$number/24" dev "v$side$2" &&
				$where ip addr add "fd$5::$number/64" dev "v$side$2" nodad &&
				$where ip link set "v$side$2" up
		} || t_die "no VLAN $2"
	done
}

vlan '' .7 7 802.1q 11
vlan '' .8 8 802.1ad 12
vlan .8 .8.9 9 802.1q 13

serve in_a --tcp 22,113 --udp 53
for mode in native skb; do
	for tags in inline beside; do
		# What tags are not in the frame, the driver is told beside it; natively that is lost.
		[ $mode.$tags != native.beside ] || continue
		on=$([ $tags = inline ] && echo off || echo on)
		in_a ethtool -K v0 txvlan "$on" tx-vlan-stag-hw-insert "$on" >/dev/null
		in_b ethtool -K v1 txvlan "$on" tx-vlan-stag-hw-insert "$on" >/dev/null
		name="$mode, tags $tags"
		t_ok "$name: load" in_a "$PB" load -m $mode v0
		t_ok "$name: rule add" "$PB" rule add 'reject tcp,udp dport 53,113'
		told_clients "$name: no VLAN" "$A4" "$A6"
		told_clients "$name: VLAN" 10.11.0.1 fd11::1
		told_clients "$name: VLAN of a provider" 10.12.0.1 fd12::1
		told_clients "$name: VLAN in that" 10.13.0.1 fd13::1
		t_is "$name: each is counted" 32 "$(outcome v0 reject)"
		t_ok "$name: unload" in_a "$PB" unload v0
	done
done
t_done
