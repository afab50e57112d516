#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Where in the kernel: modes, the dispatcher, large frames, and what differs from what
# is loaded.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

refused 'hw on a device without it' 1 'v0: .*hw mode.*use .-m skb' in_a "$PB" load -m hw v0
for mode in native skb; do
	t_ok "load -m $mode" in_a "$PB" load -m $mode v0
	t_is "$mode: status says so" $mode "$(status_is v0 mode)"
	t_ok "$mode: unload" in_a "$PB" unload v0
	t_is "$mode: no program is left" '' "$(xdp_on v0)"
done
t_ok 'load --mode auto' in_a "$PB" load --mode auto v0
t_is 'auto is native where the device can' native "$(status_is v0 mode)"
t_ok 'load lo' in_a "$PB" load lo
t_is 'auto is skb where it cannot' skb "$(status_is lo mode)"
t_is 'and says why' 1 "$(grep -c 'no native mode' <<<"$T_OUT")"
t_ok 'unload lo' in_a "$PB" unload lo
t_ok 'load -m skb lo' in_a "$PB" load -m skb lo
t_is 'asked for, it needs no excuse' 0 "$(grep -c 'no native mode' <<<"$T_OUT")"
t_ok 'unload lo again' in_a "$PB" unload lo
refused 'native on lo' 1 'lo: .*native mode.*use .-m skb' in_a "$PB" load -m native lo
refused 'hw on lo' 1 'lo: .*hw mode.*use .-m skb' in_a "$PB" load -m hw lo
refused 'a mode that is none' 2 '"fast" is not a mode' in_a "$PB" load -m fast lo

# --- the driver has native mode, and refuses it ------------------------------------------

ip link add q0 netns "$NS_A" numrxqueues 2 numtxqueues 2 type veth \
	peer name q1 netns "$NS_B" numrxqueues 2 numtxqueues 2 || t_die 'no veth pair with two queues'
in_a ip link set q0 up
in_b ip link set q1 up
in_a ethtool -L q0 rx 1
why='its driver refuses native mode: "veth: XDP expects number of rx queues not less than peer tx queues"'
help='use more of them \(.ethtool -L q0 rx N.\)'
refused 'refused: the driver is quoted, with what helps' 1 "q0: $why: $help, or use .-m skb.\$" \
	in_a "$PB" load -m native q0
t_fail 'without -m it is skb mode, and why is said' 0 "in skb mode.*skb mode, since $why: to have that, $help" \
	in_a "$PB" load q0
t_ok 'unload q0' in_a "$PB" unload q0
t_ok 'what it says' in_a ethtool -L q0 rx 2
t_ok 'helps' in_a "$PB" load -m native q0
t_ok 'unload q0 again' in_a "$PB" unload q0
in_a ip link del q0

# --- already loaded, but otherwise -----------------------------------------------------

t_ok 'rule add' "$PB" rule add 22/tcp
refused 'already so' 0 'v0: already loaded in native mode' in_a "$PB" load v0
refused 'already so, said in full' 0 'v0: already loaded in native mode' in_a "$PB" load v0 \
	-m native -p allow -r default --max-rules 4096
refused 'another mode' 1 'v0: already loaded, but in native mode' in_a "$PB" load v0 -m skb
refused 'another policy' 1 'v0: already loaded, but with policy allow' in_a "$PB" load v0 -p deny
refused 'another size' 1 "'default' is there already.*4096" in_a "$PB" load v0 --max-rules 7
refused 'another size for another interface' 1 "'default' is there already.*4096" \
	in_a "$PB" load lo --max-rules 7
if [ "$(status_is v0 attach)" = dispatcher ]; then
	refused 'another priority' 1 'v0: already loaded, but with priority 9' \
		in_a "$PB" load v0 --priority 20
	refused 'the dispatcher is there' 0 'already loaded' in_a "$PB" load v0 --require-dispatcher
	t_ok 'unload v0' in_a "$PB" unload v0
	t_ok 'load --priority' in_a "$PB" load v0 --priority 20 --require-dispatcher
	t_is 'status has the priority' 20 "$(status_is v0 priority)"
else
	t_skip 'another priority' 'the kernel refuses the dispatcher'
	refused 'the dispatcher is not there' 1 'v0: already loaded, but without the dispatcher' \
		in_a "$PB" load v0 --require-dispatcher
	refused 'nor can it be' 1 'lo: .*dispatcher' in_a "$PB" load lo --require-dispatcher
	t_ok 'unload v0' in_a "$PB" unload v0
	refused 'nor without anything loaded' 1 'v0: .*dispatcher' \
		in_a "$PB" load v0 --require-dispatcher
fi
t_ok 'unload --all' in_a "$PB" unload --all

# --- where libxdp is refused the program ------------------------------------------------

# shellcheck disable=SC2317 # called by t_ok
alone() { in_a env LD_PRELOAD="$TOP/build/tests/preload/alone.so" "$PB" "$@"; }
for mode in native skb; do
	t_ok "alone: load -m $mode" alone load -m $mode v0
	t_is "alone, $mode: status says so" "$mode single" "$(status_is v0 mode) $(status_is v0 attach)"
	t_ok "alone, $mode: upgrade" alone upgrade v0
	t_ok "alone, $mode: unload" alone unload v0
	t_is "alone, $mode: no program is left" '' "$(xdp_on v0)"
done
t_ok 'alone: load lo' alone load lo
t_is 'alone: skb, and why' 1 "$(grep -c 'no native mode.*refuses' <<<"$T_OUT")"
t_ok 'alone: unload lo' in_a "$PB" unload lo
refused 'alone: native on lo' 1 'lo: .*native mode.*use .-m skb' alone load -m native lo
refused 'alone: hw' 1 'v0: .*hw mode.*use .-m skb' alone load -m hw v0
refused 'alone: --require-dispatcher' 1 "v0: .*dispatcher can't be used" \
	alone load --require-dispatcher v0
t_is 'alone: no program is left' '' "$(xdp_on v0)$(xdp_on lo)$(our_pins)"

# --- somebody else's program -----------------------------------------------------------

t_ok 'a program that is not ours' bpftool prog load "$PASS_OBJECT" /sys/fs/bpf/pass type xdp
for kind in xdpgeneric xdpdrv; do
	t_ok "$kind: it takes v0" in_a bpftool net attach $kind pinned /sys/fs/bpf/pass dev v0
	id=$(xdp_on v0)
	refused "$kind: load names program and id" 1 "v0: .*'somebody_elses' \(id $id\)" \
		in_a "$PB" load v0
	refused "$kind: and loads none of several" 1 "v0: .*somebody_elses" in_a "$PB" load lo v0
	refused "$kind: unload leaves it alone" 1 'v0: .*not loaded' in_a "$PB" unload v0
	refused "$kind: unload --all leaves it alone" 0 '' in_a "$PB" unload --all
	t_is "$kind: status does not count it as ours" '[]' \
		"$(in_a "$PB" status -j | json 'd["interfaces"]')"
	t_ok "$kind: it goes" in_a bpftool net detach $kind dev v0
	t_ok "$kind: and load works" in_a "$PB" load v0
	t_ok "$kind: unload" in_a "$PB" unload v0
done

# --- frames larger than a page ---------------------------------------------------------

serve in_a --udp 53,54
in_a ip link set v0 mtu 9000
in_b ip link set v1 mtu 9000
if t_capture in_a "$PB" load -m native v0; then
	t_ok 'MTU 9000, native: takes frames in several buffers' \
		test "$(status_is v0 frags)" = true
	t_ok 'unload' in_a "$PB" unload v0
else
	refused 'MTU 9000, native: says why not, and what would do' 1 \
		'v0: .*MTU.*native.*use .-m skb' in_a "$PB" load -m native v0
fi
for mode in auto skb; do
	t_ok "MTU 9000: load -m $mode" in_a "$PB" load -m $mode v0
	t_ok "MTU 9000, $mode: block" "$PB" rule add 53/udp
	for address in "$A4" "$A6"; do
		in_b "$PYTHON" "$PEER" send udp "$address" 53 --size 8500 --count 10
		in_b "$PYTHON" "$PEER" send udp "$address" 54 --size 8500 --count 10
	done
	t_ok "MTU 9000, $mode: large frames are dropped" wait_for 60 counted 1 20
	t_is "MTU 9000, $mode: all of their bytes count" $((10 * (2 * (14 + 8 + 8500) + 20 + 40))) \
		"$(rule_is 1 bytes)"
	t_ok "MTU 9000, $mode: unload" in_a "$PB" unload v0
done
t_done
