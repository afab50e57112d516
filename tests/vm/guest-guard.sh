#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_guard): the lock-out guard where the address is
# above the loaded interface, on devices that not every kernel has. More: tests/net/guard.sh.
# shellcheck disable=SC2317 # functions are called by t_ok and others
# shellcheck disable=SC2154 # FORCE, CONFIRM are those of guard-verbs.sh
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/verbs.sh"
. "$TOP/tests/net/guard-verbs.sh"
world_enter "$@"
world_pair
world_wire w0 w1

[ -x "$PB" ] || t_die "no $PB: make comes first"
by_22='by the rule .drop tcp dport 22.'
serve in_a --tcp 22

# above NAME DEV-A DEV-B: addresses on both, and a connection to each of A's
above()
{
	in_a ip addr add 10.9.9.1/24 dev "$2"
	in_a ip addr add fe80::aa/64 dev "$2" nodad
	in_a ip link set "$2" up
	in_b ip addr add 10.9.9.2/24 dev "$3"
	in_b ip addr add fe80::bb/64 dev "$3" nodad
	in_b ip link set "$3" up
	hold "$1" 10.9.9.1 22
	hold "$1-scope" "fe80::aa%$3" 22
}

# guards NAME BELOW DEV [OTHER]: connections to DEV are guarded on the loaded interface below;
# OTHER, with a ruleset of its own, is none of DEV's
guards()
{
	meant "$1" 10.9.9.2 10.9.9.1
	cut "$1" "on $2, $by_22$CONFIRM" rule add 22/tcp
	fine "$1: new connections" rule add 22/tcp new
	calm
	meant "$1-scope" "fe80::bb%$3" "fe80::aa%$3"
	cut "$1, link-local" "on $2, $by_22$CONFIRM" rule add 22/tcp
	[ $# -lt 4 ] || fine "$1, link-local: $4 is another" rule add -r other 22/tcp
	calm
}

# Two kinds of devices, others in each run
drawn=$(some_of 2 VLAN macvlan VRF bond)
[ -n "$drawn" ] || t_die "nothing was drawn"
is_drawn()
{
	grep -qx "$1" <<<"$drawn" && return
	t_skip "$1" 'this run drew others; tests/run --all has them all'
	return 1
}

# A VLAN, and one in it
vlans()
{
	in_a ip link add link v0 name v0.5 type vlan id 5
	in_b ip link add link v1 name v1.5 type vlan id 5
	above VLAN v0.5 v1.5
	guards VLAN v0 v0.5 w0
	in_a ip link add link v0.5 name q0 type vlan id 7
	in_b ip link add link v1.5 name q1 type vlan id 7
	in_a ip addr flush dev v0.5
	in_b ip addr flush dev v1.5
	above 'VLAN in VLAN' q0 q1
	guards 'VLAN in VLAN' v0 q0 w0
	in_a ip link del v0.5
	in_b ip link del v1.5
}

macvlan()
{
	in_a ip link add link v0 name m0 type macvlan mode bridge
	in_b ip link add link v1 name m1 type macvlan mode bridge
	above macvlan m0 m1
	guards macvlan v0 m0 w0
	in_a ip link del m0
	in_b ip link del m1
}

vrf()
{
	in_a ip link add vrf0 type vrf table 10
	in_a ip link set vrf0 up
	in_a ip link set v0 master vrf0
	echo 1 | in_a tee /proc/sys/net/ipv4/tcp_l3mdev_accept >/dev/null
	in_a ip addr add 10.9.9.1/24 dev v0
	in_b ip addr add 10.9.9.2/24 dev v1
	hold VRF 10.9.9.1 22
	meant VRF 10.9.9.2 10.9.9.1
	cut 'VRF' "on v0, $by_22" rule add 22/tcp
	in_a ip link set v0 nomaster
	in_a ip link del vrf0
	in_a ip addr del 10.9.9.1/24 dev v0
	in_b ip addr del 10.9.9.2/24 dev v1
}

carrier()
{
	[ "$(in_a ip -o link show dev bond0 up | grep -c LOWER_UP)" -eq 1 ]
}

# A bond's link is a member's when its carrier is seen: with miimon, after that time. It stays.
bond()
{
	in_a ip link add bond0 type bond mode active-backup miimon 10
	in_a ip link set v0 down
	in_a ip link set v0 master bond0
	in_a ip link set bond0 up
	t_ok 'bond: it has a carrier' wait_for 60 carrier
	above bond bond0 v1
	guards bond v0 bond0 w0
}

t_ok 'load' in_a "$PB" load v0
t_ok 'load another' in_a "$PB" load w0 -r other
! is_drawn VLAN || vlans
! is_drawn macvlan || macvlan
! is_drawn VRF || vrf
! is_drawn bond || bond
t_done
