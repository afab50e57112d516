#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# refusers: two hosts that both reject all there is, and between them a wire on which each frame is counted. Of what
# is to be answered there is one answer and nothing more, of all else none; and clients are refused at once.
# shellcheck disable=SC2317 # functions are called by t_ok
# timeout: 600

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

# middle DEV M-DEV NS A4 A6: a host's end of the wire and the middle's, which takes what is sent from XDP
middle()
{
	{
		ip link add "$1" netns "$3" type veth peer name "$2" netns "$NS_M" &&
			in_ns "$3" ip addr add "$4" dev "$1" &&
			in_ns "$3" ip addr add "$5" dev "$1" nodad &&
			in_ns "$3" ethtool -K "$1" tx off &&
			in_ns "$NS_M" ip link set "$2" xdpdrv pinned "$T_PASS" &&
			in_ns "$NS_M" ip link set "$2" up && in_ns "$3" ip link set "$1" up
	} >/dev/null || t_die "no wire to $1"
}

# client PROTO ADDR PORT: it is refused
client()
{
	answers "$@"
	[ $? -eq 1 ]
}

T_PASS=/sys/fs/bpf/pass
bpftool prog load "$PASS_OBJECT" "$T_PASS" || t_die 'no program for the middle'
NS_M=pbM-$T_NAME-$$
ip netns add "$NS_M" || t_die "no network namespace $NS_M"
in_a ip link del v0
echo 1 | in_ns "$NS_M" tee /proc/sys/net/ipv6/conf/all/disable_ipv6 >/dev/null
middle v0 m0 "$NS_A" "$A4/24" "$A6/64"
middle v1 m1 "$NS_B" "$B4/24" "$B6/64"
rm "$T_PASS"

serve in_a --tcp 113 --udp 53
for mode in native skb; do
	for where in a b; do
		dev=$([ $where = a ] && echo v0 || echo v1)
		t_ok "$mode: $where: load" in_$where "$PB" load -r $where -m $mode "$dev"
		t_ok "$mode: $where: policy reject" "$PB" policy -r $where reject
		t_ok "$mode: $where: as many answers as there are" "$PB" answers -r $where 1000000/s
		t_ok "$mode: $where: rule add" "$PB" rule add -r $where reject from 192.0.2.0/24,2001:db8::/32
	done
	take_results "$mode: the count" "$PYTHON" "$TOP/tests/net/refusers.py" count "$NS_A" "$NS_M" "$NS_B" "$mode"
	bg "$PYTHON" "$TOP/tests/net/refusers.py" wire "$NS_A" "$NS_M" "$NS_B" "$mode"
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	for addr in "$A4" "$A6"; do
		t_ok "$mode: $addr: TCP is refused" client tcp "$addr" 113
		t_ok "$mode: $addr: UDP is refused" client udp "$addr" 53
	done
	bg_stop "$BG_PID"
	t_ok "$mode: unload" in_a "$PB" unload v0
	t_ok "$mode: unload" in_b "$PB" unload v1
done
t_done
