#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Frames of several buffers: an MTU of 9000, and datagrams that need it.
# shellcheck disable=SC2317 # functions are called by t_ok

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
in_a ip link set v0 mtu 9000
in_b ip link set v1 mtu 9000
serve in_a --tcp 22,23 --udp 53,54
SIZE=8000

# large PROTO ADDR PORT: so many bytes go from B to A and back
large()
{
	answers "$@" --size "$SIZE"
}

# lost PROTO ADDR PORT: nothing comes back
lost()
{
	silent "$@" --size "$SIZE"
}

# A header beyond the first buffer, which is a page at most: IPv6, 4096 bytes of routing
# headers, TCP to port 80
far_ports()
{
	in_b "$PYTHON" -B -c '
import os, socket, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/prog")
from shapes import SHAPES
frame = [shape.frame for shape in SHAPES if shape.name == "ipv6-beyond-buffer"][0]
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock:
    sock.bind(("v1", 0))
    sock.send(frame)'
}
FAR=$((14 + 40 + 2 * 2048 + 20))

# with_filter NAME: what must hold however the filter is loaded
with_filter()
{
	local name=$1 addr head

	for addr in "$A4" "$A6"; do
		head=$((14 + 20 + 8))
		[ "$addr" = "$A4" ] || head=$((14 + 40 + 8))
		"$PB" rule flush >/dev/null
		t_ok "$name: no rule: $SIZE bytes to $addr by udp" large udp "$addr" 53
		t_ok "$name: no rule: $SIZE bytes to $addr by tcp" large tcp "$addr" 22
		t_ok "$name: block" "$PB" rule add 53/udp
		t_ok "$name: $addr: $SIZE bytes to the blocked port are lost" lost udp "$addr" 53
		t_is "$name: $addr: counted" 1 "$(rule_field packets)"
		t_is "$name: $addr: with all bytes" $((head + SIZE)) "$(rule_field bytes)"
		t_ok "$name: $addr: $SIZE bytes to another port" large udp "$addr" 54
		t_ok "$name: $addr: and by tcp" large tcp "$addr" 22
		t_is "$name: $addr: none of that was blocked" 1 "$(rule_field packets)"
		"$PB" rule flush >/dev/null
		t_ok "$name: allow the other port only" "$PB" policy deny
		t_ok "$name: allow it" "$PB" rule add allow 54/udp
		t_ok "$name: $addr: deny: $SIZE bytes to 53 are lost" lost udp "$addr" 53
		t_ok "$name: $addr: deny: $SIZE bytes to 54" large udp "$addr" 54
		t_ok "$name: policy allow" "$PB" policy allow
	done

	"$PB" rule flush >/dev/null
	t_ok "$name: block port 80" "$PB" rule add 80/tcp
	t_ok "$name: ports behind 4096 bytes of headers" far_ports
	t_ok "$name: are found" wait_for 60 is_blocked
	t_is "$name: with all bytes" $FAR "$(rule_field bytes)"
}

# rule_field KEY: of the only rule
rule_field()
{
	"$PB" rule list -j | json "d['rules'][0]['$1']"
}

is_blocked()
{
	[ "$(rule_field packets)" = 1 ]
}

t_ok 'nothing loaded: large datagrams arrive' large udp "$A4" 53
if t_capture in_a "$PB" load -m native v0; then
	t_is 'native: status says that frames may have several buffers' true "$(status_is v0 frags)"
	t_is 'native: is native' native "$(status_is v0 mode)"
	with_filter native
	# A smaller MTU and back, under the filter
	in_a ip link set v0 mtu 1500
	t_ok 'native: the MTU grows under the filter' in_a ip link set v0 mtu 9000
	"$PB" rule flush >/dev/null
	t_ok 'native: and large datagrams arrive' large udp "$A4" 54
	t_ok 'native: unload' in_a "$PB" unload v0
else
	# Before 5.18
	t_skip 'native' "the kernel refuses: $(head -n 1 <<<"$T_OUT")"
	refused 'native is refused, and says what would do' 1 \
		'v0: .*MTU.*native.*use .-m skb' in_a "$PB" load -m native v0
	t_ok 'auto loads all the same' in_a "$PB" load v0
	t_is 'in skb mode' skb "$(status_is v0 mode)"
	t_ok 'and unloads' in_a "$PB" unload v0
fi

t_ok 'skb: load' in_a "$PB" load -m skb v0
with_filter skb
t_ok 'skb: unload' in_a "$PB" unload v0
t_done
