#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_drivers): the filter on a network card of the driver PB_DRIVER, with the
# program in the driver itself. Card 0 is A's v0, card 1 (e1000e, whose driver has no XDP) is B's v1; where there is
# a card 2, it is of the driver, too, and refuses native mode.
# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

[ -x "$PB" ] || t_die "no $PB: make comes first"

driver=$PB_DRIVER
modes='native --require-dispatcher'
case $(uname -r) in 5.10.*) modes=native ;; esac # guest-kernels.sh says why

# What the driver does while it has a program, as it was found: does `ethtool -L` work, what is the largest MTU in
# native mode (-: any), may the MTU be larger than that while the program is there, and is it forgotten when the
# link goes down and up? And does what qemu emulates take large frames, without the filter?
keeps='' # what it says where it does not let go of the program, while the MTU is larger
case $driver in
virtio_net) channels=refused largest=- raised=no forgets=no jumbo=yes ;;
igb) channels=taken largest=3046 raised=no forgets=no jumbo=yes ;;
vmxnet3) channels=refused largest=3494 raised=yes forgets=yes jumbo=no ;;
*) t_die "what does $driver do?" ;;
esac
case $driver/$(uname -r) in
virtio_net/6.1.*) largest=3494 raised=yes keeps='MTU too large to enable XDP' ;;
esac

# --- cards ------------------------------------------------------------------------------

# card N: its name in the machine's own namespace, where drivers put it
card()
{
	grep -lx "52:54:00:00:00:0$1" /sys/class/net/*/address | sed 's,.*/net/\([^/]*\)/.*,\1,' | grep .
}

# plug N NS NAME [ADDRESS...]: the card N is there, in NS, by that name, and up
plug()
{
	local n=$1 ns=$2 name=$3 address
	shift 3
	wait_for 60 card "$n" || t_die "no card $n"
	ip link set "$(card "$n")" netns "$ns" name "$name" || t_die "card $n does not move"
	for address; do
		in_ns "$ns" ip addr add "$address" dev "$name"
	done
	in_ns "$ns" ip link set "$name" up
}

plug_ours()
{
	modprobe "$driver" || t_die "no driver $driver"
	plug 0 "$NS_A" v0 "$A4/24" "$A6/64"
	[ -z "${PB_REFUSES:-}" ] || plug_refusing
}

# plug_refusing: the card that refuses; it would answer for the addresses of v0, and what comes by it is not filtered.
plug_refusing()
{
	wait_for 60 card 2 || t_die 'no card 2'
	ip link set "$(card 2)" arp off || t_die 'no card without ARP'
	plug 2 "$NS_A" v2
}

# reach: the wire is whole; a card needs some seconds after it was reset
reach()
{
	wait_for 60 in_b ping -c 1 -W 1 "$A4" && wait_for 60 in_b ping -c 1 -W 1 "$A6"
}

# The machine's own monitor: set_link cardN on|off. It has greeted by now, and an echo of that ends with the line.
stty -F /dev/ttyS2 raw -echo
exec 7<>/dev/ttyS2
echo >&7
monitor()
{
	echo "$*" >&7
}

carrier()
{
	[ "$(in_a ip -o link show dev v0 up | grep -c LOWER_UP)" = "$1" ]
}

# --- what is asked of a filter ----------------------------------------------------------

packets()
{
	in_a "$PB" rule list -j | json 'sum(r["packets"] for r in d["rules"])'
}

more_packets()
{
	[ "$(packets)" -gt "$1" ]
}

# filters NAME: what is blocked is silent and counted, and the rest answers; in both families where there is time
filters()
{
	local before
	t_ok "$1: reachable" reach
	before=$(packets)
	t_ok "$1: port 22 is silent" silent tcp "$A4" 22
	t_ok "$1: which is counted" wait_for 60 more_packets "$before"
	t_ok "$1: port 23 answers" answers tcp "$A4" 23
	[ -n "${PB_ALL-}" ] || [ "$1" = loaded ] || return 0
	t_ok "$1: port 22 is silent, IPv6" silent tcp "$A6" 22
	t_ok "$1: port 23 answers, IPv6" answers tcp "$A6" 23
}

# t_not COMMAND...: it fails
t_not()
{
	! "$@"
}

# anew: native mode once more, where it was forgotten
anew()
{
	[ "$forgets" = no ] || { in_a "$PB" unload -k v0 && in_a "$PB" load v0 -m native; }
}

mode_is()
{
	status_of v0 'i["mode"]'
}

# warns DEV REGEX: doctor warns of that
warns()
{
	in_a "$PB" doctor "$1" | grep -Eq "^warning +$1: $2"
}

no_native='(MTU .* is too large for native mode|.* refuses? native mode)'

# agree NAME DEV REASON HELP: what doctor says of native mode is what load does; where it is refused, that is by the
# driver's own REASON, with what helps, and without -m there is skb mode
agree()
{
	local refuses=0 why="since its driver refuses native mode: \"$driver: $3\": to have that, $4\\)"
	warns "$2" "$no_native" || refuses=1
	if [ $refuses = 1 ]; then
		t_ok "$1: doctor sees nothing against native mode, and it loads" in_a "$PB" load "$2" -m native
		return
	fi
	t_fail "$1: doctor warns, and load quotes the driver" 1 \
		"$2: its driver refuses native mode: \"$driver: $3\": $4, or use .-m skb.\$" in_a "$PB" load "$2" -m native
	[ "$forgets" = no ] || why='in native mode the driver .* forgets the program'
	[ -z "$keeps" ] || [ "$2" != v0 ] || why='in native mode the driver .* drops frames that are larger'
	t_fail "$1: without -m it is skb mode, and why is said" 0 "loaded in skb mode.*$why" in_a "$PB" load "$2"
}

# --- the cards take the place of world_pair's wire ---------------------------------------

in_a ip link del v0
modprobe e1000e
plug 1 "$NS_B" v1 "$B4/24" "$B6/64"
plug_ours
serve in_a --tcp 22,23 --udp 22,23
t_is 'it is the driver that is meant' "$driver" "$(in_a ethtool -i v0 | sed -n 's/^driver: //p')"
t_ok 'reachable' reach

# --- native, under the dispatcher --------------------------------------------------------

agree 'MTU 1500' v0 none none
t_ok 'unload' in_a "$PB" unload v0
t_ok 'reachable' reach
# shellcheck disable=SC2086 # words
t_ok 'load' in_a "$PB" load v0 -m $modes
t_is 'native mode' native "$(mode_is)"
t_ok 'rule add' in_a "$PB" rule add 22/tcp,udp
filters 'loaded'

in_a ip link set v0 down
t_ok 'link down: it stays' test "$(mode_is)" = native
in_a ip link set v0 up
in_a ip addr add "$A6/64" dev v0 nodad # gone with the link
if [ "$forgets" = yes ]; then
	t_ok 'link down and up: reachable' reach
	t_ok 'link down and up: it is forgotten' answers tcp "$A4" 22
	t_fail 'link down and up: as doctor says' 1 \
		"^problem +v0: its driver, $driver, forgets the program in native mode" in_a "$PB" doctor v0
	t_ok 'unload -k, as it says' in_a "$PB" unload -k v0
	t_fail 'without -m it is skb mode, and why is said' 0 \
		"loaded in skb mode.*in native mode the driver $driver forgets the program" in_a "$PB" load v0
	in_a ip link set v0 down
	in_a ip link set v0 up
	in_a ip addr add "$A6/64" dev v0 nodad
	filters 'skb mode, link down and up'
	t_ok 'doctor is content' in_a "$PB" doctor v0
	t_ok 'native mode again' anew
else
	filters 'link down and up'
fi

monitor set_link card0 off
t_ok 'no carrier' wait_for 60 carrier 0
t_is 'no carrier: it stays' native "$(mode_is)"
monitor set_link card0 on
t_ok 'carrier again' wait_for 60 carrier 1
filters 'carrier lost and back'

# change_channels: to each number of queues that a card with some has
change_channels()
{
	in_a ethtool -L v0 combined 1 && in_a ethtool -L v0 combined 2
}
if [ "$channels" = taken ]; then
	t_ok 'ethtool -L: the driver takes it while loaded' change_channels
else
	t_fail 'ethtool -L: the driver refuses it while loaded' 1 'Invalid argument|not supported|unmodified' change_channels
fi
t_is 'ethtool -L: it stays' native "$(mode_is)"
filters 'ethtool -L'

# tagged: bytes of a datagram in VLAN 5, as the rule has counted them
tagged()
{
	in_a "$PB" rule reset >/dev/null
	in_b "$PYTHON" "$PEER" send udp 10.9.5.1 22 --size 100
	wait_for 60 more_packets 0
	in_a "$PB" rule list -j | json 'sum(r["bytes"] for r in d["rules"])'
}
in_a ip link add link v0 name v0.5 type vlan id 5
in_b ip link add link v1 name v1.5 type vlan id 5
in_a ip addr add 10.9.5.1/24 dev v0.5
in_b ip addr add 10.9.5.2/24 dev v1.5
in_a ip link set v0.5 up
in_b ip link set v1.5 up
t_ok 'VLAN: port 23 answers' answers udp 10.9.5.1 23
t_ok 'VLAN: port 22 is silent' silent udp 10.9.5.1 22
if warns v0 'VLAN tags are stripped before XDP'; then
	t_is 'VLAN: doctor says that tags are stripped, and they are' $((14 + 20 + 8 + 100)) "$(tagged)"
	t_ok 'VLAN: ethtool -K, as it says' in_a ethtool -K v0 rxvlan off
	t_ok 'VLAN: it is there' anew
	t_ok 'VLAN: reachable' reach
	t_ok 'VLAN: doctor has no more to say' t_not warns v0 'VLAN'
fi
t_is 'VLAN: doctor does not say that tags are stripped, and they are not' $((14 + 4 + 20 + 8 + 100)) "$(tagged)"
in_a ip link del v0.5
in_b ip link del v1.5

# --- the driver goes and comes back -------------------------------------------------------

# virtio_net with several queues and a program waits for itself for ever ("unregister_netdevice: waiting for eth1 to
# become free"). It is the kernel's fault, or the emulated card's: so it did on 6.1, 6.12 and 7.2 with `return XDP_PASS`
# alone, by `ip link set dev eth1 xdp`, after 300 pings; with `xdp off` before, or no program at all, it did not. So
# unload comes first, as xdp-portblock(8) says.
if [ "$driver" = virtio_net ]; then
	t_ok 'unload -k, for the driver goes' in_a "$PB" unload -k v0
fi
# kept_for_nobody: the pins of libxdp that doctor names
kept_for_nobody()
{
	in_a "$PB" doctor | sed -n 's/^warning \+\([^ ]*\): libxdp keeps .*/\1/p'
}
kept=$(compgen -G '/sys/fs/bpf/xdp/dispatch-*')
t_ok 'modprobe -r' modprobe -r "$driver"
t_is 'status: it is gone' none "$(status_of v0 'i["mode"]')"
t_ok 'the rule is there' grep -q 'dport 22' <("$PB" rule list)
# libxdp's pins, dispatch-*, keep the old program, by which the ruleset is in use.
t_is 'doctor names what libxdp keeps' "$kept" "$(kept_for_nobody)"
if [ -n "$kept" ]; then
	t_ok 'rm -r, as it says' rm -r "$kept"
	t_is 'doctor has no more to say of it' '' "$(kept_for_nobody)"
	t_ok 'the rule is there still' grep -q 'dport 22' <("$PB" rule list)
fi
plug_ours
t_is 'the driver is back, with no program' none "$(status_of v0 'i["mode"]')"
t_ok 'it loads again' in_a "$PB" load v0 -m native
filters 'the driver was reloaded: the rule is in force'

# --- jumbo frames ---------------------------------------------------------------------------

# large COMMAND...: with a datagram of 8000 bytes
large()
{
	"$@" --size 8000
}

in_b ip link set v1 mtu 9000
if [ $raised = yes ] || [ $largest = - ]; then
	t_ok 'MTU 9000 while loaded' in_a ip link set v0 mtu 9000
else
	t_fail 'MTU 9000 while loaded: the driver refuses' 2 '' in_a ip link set v0 mtu 9000
fi
if [ "$forgets" = no ]; then
	filters 'MTU 9000 while loaded'
	t_ok 'MTU 9000 while loaded: a large datagram is blocked, too' large silent udp "$A4" 22
fi
[ $raised = no ] || t_ok 'MTU 9000 while loaded: doctor warns' warns v0 'MTU 9000 is too large for native mode'
if [ -n "$keeps" ]; then
	t_fail 'MTU 9000 while loaded: unload quotes the driver' 1 \
		"v0: its driver does not let go of the program: \"$driver: $keeps\": make the MTU smaller \(.ip link set dev v0 mtu 1500.\)\$" \
		in_a "$PB" unload v0
	in_a ip link set v0 mtu 1500
fi
t_ok 'unload' in_a "$PB" unload v0
in_a ip link set v0 mtu 9000
t_ok 'MTU 9000: reachable' reach
[ "$jumbo" = no ] || t_ok 'MTU 9000, unloaded: a large datagram is answered' large answers udp "$A4" 22
agree 'MTU 9000' v0 '.*(MTU|frame size).*' 'make the MTU smaller \(.ip link set dev v0 mtu 1500.\)'
t_ok 'MTU 9000: rule add' in_a "$PB" rule add 22/tcp,udp
filters 'MTU 9000'
[ "$jumbo" = no ] || t_ok 'MTU 9000: a large datagram is answered' large answers udp "$A4" 23
t_ok 'MTU 9000: a large datagram is blocked' large silent udp "$A4" 22
t_ok 'unload' in_a "$PB" unload v0
if [ $largest != - ] && [ -n "${PB_ALL-}" ]; then
	for mtu in $largest $((largest + 1)); do
		in_a ip link set v0 mtu "$mtu"
		if [ -n "$keeps" ] && [ "$mtu" -gt "$largest" ]; then
			# It would take the program, and not the frames.
			t_ok "MTU $mtu: doctor warns" warns v0 "$no_native"
			t_fail "MTU $mtu: without -m it is skb mode, and why is said" 0 \
				'loaded in skb mode.*in native mode the driver .* drops' in_a "$PB" load v0
		else
			agree "MTU $mtu" v0 '.*(MTU|frame size).*' 'make the MTU smaller \(.ip link set dev v0 mtu 1500.\)'
		fi
		if [ -n "$keeps" ]; then
			t_ok "MTU $mtu: reachable" reach
			t_ok "MTU $mtu: the largest datagram is answered" answers udp "$A4" 23 --size $((mtu - 28))
		fi
		t_ok "MTU $mtu: unload" in_a "$PB" unload v0
	done
fi

# --- a card that refuses ----------------------------------------------------------------------

t_ok 'the kernel has not complained' no_complaints
# Of skb mode on a card whose GRO_HW cannot be switched off it does, whoever asks for it: "failed to disable GRO_HW".
[ -z "${PB_REFUSES:-}" ] || agree 'refused' v2 "$PB_REFUSES" "$PB_HELP"
t_done
