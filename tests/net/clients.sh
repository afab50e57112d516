#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# clients: curl, socat and dig say "connection refused" of what is rejected, over IPv4 and IPv6: by veth natively
# and in skb mode, and by tun, which has no link layer and no native mode. How long it takes: tests/bench/reject.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
. "$TOP/tests/net/told.sh"
world_enter "$@"
world_pair
b_takes

tun=
if [ -c /dev/net/tun ] && in_a ip tuntap add dev t0 mode tun && in_b ip tuntap add dev t1 mode tun; then
	bg "$PYTHON" "$TOP/tests/net/tunnel.py" "$NS_A:t0" "$NS_B:t1"
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	{
		in_a ip addr add 10.10.0.1/24 dev t0 && in_a ip addr add fd10::1/64 dev t0 nodad &&
			in_a ip link set t0 up && in_b ip addr add 10.10.0.2/24 dev t1 &&
			in_b ip addr add fd10::2/64 dev t1 nodad && in_b ip link set t1 up
	} || t_die 'no tunnel'
	tun=1
fi

serve in_a --tcp 22,113 --udp 53
for mode in native skb; do
	t_ok "$mode: veth: load" in_a "$PB" load -m $mode v0
	t_ok "$mode: veth: rule add" "$PB" rule add 'reject tcp,udp dport 53,113'
	told_clients "$mode: veth" "$A4" "$A6"
	t_is "$mode: veth: each is counted" 8 "$(outcome v0 reject)"
	t_ok "$mode: veth: unload" in_a "$PB" unload v0
done

if [ -n "$tun" ]; then
	t_ok 'tun: load' in_a "$PB" load -m skb t0
	t_ok 'tun: rule add' "$PB" rule add 'reject tcp,udp dport 53,113'
	told_clients 'tun' 10.10.0.1 fd10::1
	t_is 'tun: each is counted' 8 "$(outcome t0 reject)"
	t_ok 'tun: unload' in_a "$PB" unload t0
else
	t_skip 'tun' 'no tun here'
fi
t_done
