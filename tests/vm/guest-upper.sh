#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_guard): interfaces that stand on the loaded one, and which replies to
# connections above it pass `policy deny`. The kernel looks sockets up for the interface where the program runs.
# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

[ -x "$PB" ] || t_die "no $PB: make comes first"

U4=10.9.9.2 U6=fe80::bb
CLIENT=in_a
serve in_b --tcp 23 --udp 23

# above DEV-A DEV-B: addresses on both
above()
{
	in_a ip addr add 10.9.9.1/24 dev "$1"
	in_a ip addr add fe80::aa/64 dev "$1" nodad
	in_a ip link set "$1" up
	in_b ip addr add $U4/24 dev "$2"
	in_b ip addr add $U6/64 dev "$2" nodad
	in_b ip link set "$2" up
	t_ok "$1: reachable" wait_for 60 in_a ping -c 1 -W 1 $U4
	t_ok "$1: reachable, link-local" wait_for 60 in_a ping -c 1 -W 1 "$U6%$1"
}

# doctor_says HEALTH REGEX
doctor_says()
{
	in_a "$PB" doctor v0 | grep -Eq "^$1 +v0: $2"
}

# bound_lost NAME UPPER PEER-OPTIONS...: no reply to a socket that is bound to it comes through, and doctor names
# it while it is there
bound_lost()
{
	local name=$1 upper=$2
	shift 2
	bg in_a "$PYTHON" "$PEER" ask "$@"
	t_ok "$name: doctor names it" wait_for 60 \
		doctor_says warning "1 connection is bound to $upper, which stands on it \(tcp port [0-9]+\)"
	bg_stop "$BG_PID" KILL
	t_ok "$name: its replies do not pass" silent "$@"
}

# replies UPPER: what passes on its way up, under policy deny
replies()
{
	local upper=$1
	t_ok "$upper: load v0" in_a "$PB" load v0 --policy deny
	t_ok "$upper: replies to a connection pass" answers tcp $U4 23
	t_ok "$upper: and to a UDP socket" answers udp $U4 23
	t_ok "$upper: doctor: none is bound" doctor_says ok "no connection is bound to $upper, which stands on it"
	bound_lost "$upper: bound" "$upper" tcp $U4 23 --device "$upper"
	bound_lost "$upper: link-local" "$upper" tcp "$U6%$upper" 23
	t_ok "$upper: a rule" in_a "$PB" rule add allow tcp,udp sport 23
	t_ok "$upper: lets them in" answers tcp $U4 23 --device "$upper"
	t_ok "$upper: unload v0" in_a "$PB" unload v0
	t_ok "$upper: load it instead" in_a "$PB" load "$upper" -m skb --policy deny
	t_ok "$upper: replies to a connection pass" answers tcp $U4 23
	t_ok "$upper: to one that is bound, too" answers tcp $U4 23 --device "$upper"
	t_ok "$upper: and to a link-local one" answers tcp "$U6%$upper" 23
	t_ok "$upper: and to a UDP socket that is" answers udp $U4 23 --device "$upper"
	CLIENT=in_b
	t_ok "$upper: what is new does not" silent tcp 10.9.9.1 23
	CLIENT=in_a
	t_ok "$upper: unload" in_a "$PB" unload "$upper"
}

# Two kinds of devices, others in each run, and what is asked of none and of a VRF
drawn=$(some_of 2 br0 v0.5 m0 bond0)
[ -n "$drawn" ] || t_die "nothing was drawn"
is_drawn()
{
	grep -qxF "$1" <<<"$drawn" && return
	t_skip "$1" 'this run drew others; tests/run --all has them all'
	return 1
}

bridge()
{
	in_a ip link add br0 type bridge
	in_a ip link set v0 master br0
	in_a ip link set br0 up
	above br0 v1
	replies br0
	in_a ip link del br0
}
! is_drawn br0 || bridge

t_ok 'no connection is of interest where no rule asks for them' in_a "$PB" load v0
in_a ip link add link v0 name v0.5 type vlan id 5
t_ok 'and doctor says nothing' test -z "$(in_a "$PB" doctor v0 | grep 'stands on it')"
t_ok 'a rule that does' in_a "$PB" rule add 22/tcp new
t_ok 'and it says' doctor_says ok 'no connection is bound to v0\.5, which stands on it'
t_ok 'unload' in_a "$PB" unload v0
in_b ip link add link v1 name v1.5 type vlan id 5
in_b ip addr flush dev v1
vlan()
{
	above v0.5 v1.5
	replies v0.5
}
! is_drawn v0.5 || vlan
in_a ip link del v0.5
in_b ip link del v1.5

macvlan()
{
	in_a ip link add link v0 name m0 type macvlan mode bridge
	above m0 v1
	replies m0
	in_a ip link del m0
	in_b ip addr flush dev v1
}
! is_drawn m0 || macvlan

# A VRF: v0 keeps its own address. Whoever is bound to v0 is found, and to the VRF not. The peer has an address that it
# has not had before: what connections from above are still sending to an end that is gone would be dropped, and counted.
V4=10.9.9.3
in_a ip link add vrf0 type vrf table 10
in_a ip link set vrf0 up
in_a ip link set v0 master vrf0
in_a ip addr add 10.9.9.1/24 dev v0
in_b ip addr add $V4/24 dev v1
t_ok 'vrf0: load v0' in_a "$PB" load v0 --policy deny
t_ok 'vrf0: doctor: none is bound' doctor_says ok 'no connection is bound to vrf0, which stands on it'
# hold DEV: a connection that is bound to it, and stays
hold()
{
	bg in_a "$PYTHON" "$PEER" hold $V4 23 --device "$1"
}
dropped()
{
	[ "$(outcome v0 drop-policy)" -gt 0 ]
}
hold v0
t_ok 'vrf0: replies to a connection that is bound to v0 pass' wait_for 60 grep -q '^ready$' "$BG_OUT"
t_is 'vrf0: and none was dropped' 0 "$(outcome v0 drop-policy)"
bg_stop "$BG_PID"
hold vrf0
t_ok 'vrf0: to one that is bound to the VRF they are dropped' wait_for 60 dropped
t_ok 'vrf0: doctor names it' doctor_says warning '1 connection is bound to vrf0, which stands on it'
bg_stop "$BG_PID" KILL
t_ok 'vrf0: unload' in_a "$PB" unload v0
in_a ip link set v0 nomaster
in_a ip link del vrf0
in_a ip addr flush dev v0
in_b ip addr flush dev v1

bond()
{
	in_a ip link add bond0 type bond mode active-backup miimon 10
	in_a ip link set v0 down
	in_a ip link set v0 master bond0
	in_a ip link set bond0 up
	above bond0 v1
	replies bond0
}
! is_drawn bond0 || bond

t_ok 'the kernel has not complained' no_complaints
t_done
