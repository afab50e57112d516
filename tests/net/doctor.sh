#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# doctor: it finds each of the faults that are planted here, says how to mend it, and
# changes nothing itself, but for what --fix is asked to remove.

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
chmod 0700 /sys/fs/bpf # as it should be: one that is open is a warning (net:others)
world_pair

doctor()
{
	in_a "$PB" doctor "$@"
}

# findings HEALTH [WORDS...]: their texts, a line each
findings()
{
	local health=$1
	shift
	doctor -j "$@" | json "'\n'.join(f['text'] for f in d['findings'] if f['health'] == '$health')"
}

# mends REGEX [WORDS...]: what mends the finding whose text matches
mends()
{
	local text=$1
	shift
	doctor -j "$@" | json "[f['mend'] for f in d['findings'] if __import__('re').search(r'''$text''', f['text'])][0]"
}

# finds NAME STATUS HEALTH REGEX MEND WORDS...: the fault is found, in text and JSON
finds()
{
	local name=$1 status=$2 health=$3 text=$4 mend=$5
	shift 5
	refused "$name" "$status" "^$health +$text" doctor "$@"
	t_ok "$name: in JSON" grep -Eq "^$text" <<<"$(findings "$health" "$@")"
	t_is "$name: what mends it" "$mend" "$(mends "$text" "$@")"
}

# --- all is well --------------------------------------------------------------------------

# Nobody strips tags; veth devices do, or say so, unless told otherwise.
in_a ethtool -K v0 rxvlan off >/dev/null 2>&1
refused 'nothing loaded: no problem' 0 '^ok +kernel' doctor
refused 'of an interface' 0 '^ok +v0: frames begin with an Ethernet header' doctor v0
t_ok 'load' in_a "$PB" load v0
refused 'loaded: no problem' 0 "^ok +ruleset 'default': in use" doctor v0
t_ok 'and none of ours is a warning' test "$(findings warning v0 | grep -vc dispatcher)" -eq 0
t_is 'no problem in JSON' '' "$(findings problem v0)"
t_is 'JSON: keys' 'health mend text' "$(doctor -j v0 | json '" ".join(sorted(d["findings"][0]))')"
all=$(findings ok v0; findings warning v0)
for what in 'kernel ' 'rights: ' 'bpffs is mounted' 'limit of locked memory' \
	'frames in several buffers' 'socket lookup from XDP' 'BTF of the kernel' "libxdp's dispatcher"; do
	t_ok "it looks at: $what" grep -q "^$what" <<<"$all"
done
index=$(in_a ip -j link show dev v0 | json 'd[0]["ifindex"]')
refused 'an interface by its index' 0 '^ok +v0: ' doctor "$index"
t_ok 'native mode: this driver has it' grep -q '^v0: its driver has native mode' <<<"$(findings ok v0)"
t_ok 'native mode: this one has not' grep -q '^lo: its driver has no native mode' <<<"$(findings ok lo)"
t_is 'and an MTU that native mode could not have is no fault of it' '' \
	"$(findings warning lo | grep MTU)"
refused 'an interface that is not there' 1 'nowhere0' doctor nowhere0
refused 'two interfaces' 2 "'v0' is one word too many" doctor lo v0

# --- planted faults -----------------------------------------------------------------------

# 1: whether the kernel refuses the dispatcher can't be planted; what it does is known by load.
if [ "$(status_is v0 attach)" = dispatcher ]; then
	t_ok '1: the dispatcher works, and it says so' grep -q "^libxdp's dispatcher works" <<<"$(findings ok)"
else
	t_ok '1: the dispatcher is refused' grep -q "^libxdp's dispatcher does not work" <<<"$(findings warning)"
fi

# 2
t_ok '2: skb mode: unload' in_a "$PB" unload v0
t_ok '2: skb mode: load' in_a "$PB" load v0 -m skb
finds '2: skb mode' 0 warning 'v0: skb mode, though its driver has native mode' \
	'xdp-portblock unload -k v0; xdp-portblock load v0 -m native' v0
# shellcheck disable=SC2016 # for that bash to expand
t_ok '2: what mends it' in_a bash -c 'xdp-portblock() { "$PB" "$@"; }; eval "$0"' \
	"$(mends 'v0: skb mode' v0)"
t_is '2: mends it' native "$(status_is v0 mode)"
in_a "$PB" unload v0 >/dev/null

# 3
if in_a ethtool -K v0 rxvlan on >/dev/null 2>&1 &&
	in_a ethtool -k v0 | grep -q '^rx-vlan-offload: on'; then
	finds '3: VLAN stripping' 0 warning 'v0: VLAN tags are stripped' 'ethtool -K v0 rxvlan off' v0
	t_ok '3: what mends it' in_a ethtool -K v0 rxvlan off
	t_is '3: mends it' '' "$(findings warning v0 | grep VLAN)"
else
	t_skip '3: VLAN stripping' 'this device can not do that'
fi

# 4
bpftool prog load "$PASS_OBJECT" /sys/fs/bpf/pass type xdp || t_die 'no other program'
in_a bpftool net attach xdpdrv pinned /sys/fs/bpf/pass dev v0
id=$(xdp_on v0)
finds '4: a foreign program' 1 problem "v0: the XDP program 'somebody_elses' \(id $id\) holds it" \
	'ip link set dev v0 xdp off' v0
t_ok '4: of another interface it is none' doctor lo
t_ok '4: what mends it' in_a ip link set dev v0 xdp off
t_ok '4: mends it' doctor v0

# 5: its interface has gone, and nobody took the pins away; first as libxdp leaves them
t_ok '5: load' in_a "$PB" load v0
id=$(status_is v0 program_id)
gone=/sys/fs/bpf/xdp/dispatch-999999-$id
mkdir -p "$gone"
refused '5: an empty folder of libxdp is nobody'\''s' 0 '^ok +kernel' doctor
t_is '5: and no finding' '' "$(findings warning | grep 999999)"
bpftool prog pin id "$id" "$gone/prog0-prog" || t_die 'no pin'
finds '5: pins of libxdp' 0 warning "$gone: libxdp keeps a program of ours" \
	"unless the interface is in another network namespace, rm -r $gone"
t_ok '5: what mends it' rm -r "$gone"
t_is '5: mends it' '' "$(findings warning | grep 999999)"
t_ok '5: unload' in_a "$PB" unload v0
in_a ip link add v5 type veth peer name v6
t_ok '5: load' in_a "$PB" load v5 -r gone
in_a ip link del v5
left()
{
	findings warning | grep -q "^ruleset 'gone': left over"
}
wait_for 60 left
finds '5: leftovers' 0 warning "ruleset 'gone': left over, no interface uses it" 'xdp-portblock doctor --fix'
t_ok '5: another ruleset: load' in_a "$PB" load v0 -r kept
t_ok '5: unload --keep' in_a "$PB" unload -k v0
t_ok '5: what is kept is no leftover' grep -q "^ruleset 'kept': kept for a later load" <<<"$(findings ok)"
t_ok '5: load a third one' in_a "$PB" load v0
before=$(our_pins | grep -v /gone)
t_ok '5: --fix' doctor --fix
t_ok '5: says what it did' grep -q 'removed the pins of 1 ruleset' <<<"$T_OUT"
t_is '5: the leftovers are gone, and nothing else' "$before" "$(our_pins)"
t_is '5: the third one is still loaded' true "$(status_is v0 pinned)"
refused '5: --fix with nothing to do' 0 '^ok +kernel' doctor --fix
refused '5: --fix -j is JSON' 0 '^\{"findings"' doctor --fix -j
in_a "$PB" unload --all >/dev/null

# 6
t_ok '6: load' in_a "$PB" load v0
"$PB" rule add 22/tcp >/dev/null
version=$(bpftool -j map dump pinned "$PINS/default/pb_config" |
	json 'd[0]["formatted"]["value"]["abi_version"]')
config_version()
{
	local value
	value=$(bpftool -j map lookup pinned "$PINS/default/pb_config" key 0 0 0 0 |
		json "' '.join(str(int(x, 16)) for x in [hex($1)] + d['value'][1:])")
	# shellcheck disable=SC2086 # words
	bpftool map update pinned "$PINS/default/pb_config" key 0 0 0 0 value $value
}
config_version 99
finds '6: maps of another version' 1 problem '.*another version of xdp-portblock' \
	'xdp-portblock unload --all'
finds '6: of the interface, too' 1 problem "v0: loaded, but its ruleset 'default' can't be reached" \
	'xdp-portblock unload, then load' v0
config_version "$version"
t_ok '6: it is well again' doctor v0
config_version 99
refused '6: --fix leaves alone what is in use' 1 'another version' doctor --fix
in_a "$PB" unload --all >/dev/null
t_ok '6: load again' in_a "$PB" load v0

# 7
rm "$PINS/default/pb_ports"
finds '7: a pin is gone' 1 problem '.*missing' 'xdp-portblock unload --all'
rm -r "$PINS"
finds '7: the pins are gone' 1 problem "v0: loaded, but its ruleset 'default' can't be reached" \
	'xdp-portblock unload, then load' v0
in_a "$PB" unload v0 >/dev/null

# 8
# Below the one of this test there may be the host's.
mount -t tmpfs tmpfs /sys/fs/bpf || t_die 'no tmpfs'
refused '8: no bpffs' 1 '^problem +bpffs is not mounted on /sys/fs/bpf' doctor
mend=$(mends 'bpffs is not mounted')
t_is '8: what mends it' 'mount -t bpf -o mode=0700 bpf /sys/fs/bpf' "$mend"
# shellcheck disable=SC2086 # words
t_ok '8: mends it' $mend
t_ok '8: it does' doctor
umount /sys/fs/bpf
umount /sys/fs/bpf

# 9
refused '9: no rights' 1 '^problem +rights: .*CAP_' nobody "$PB" doctor
t_ok '9: what mends it' grep -q 'mend it by: sudo xdp-portblock doctor' <<<"$T_OUT"

# 10: a device that carries neither Ethernet frames nor IP packets
odd=
if in_a ip link add odd0 type vcan 2>/dev/null || in_a ip link add odd0 type nlmon 2>/dev/null; then
	odd=odd0
elif in_a ip tuntap add dev odd0 mode tun 2>/dev/null; then
	# A tun device has the type that it is told to have: here ARPHRD_INFINIBAND.
	cat >"$T_DIR/odd.py" <<'ODD'
import fcntl, os, struct, sys
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"odd0", 0x1001))
fcntl.ioctl(tun, 0x400454cd, 32)
ODD
	in_a "$PYTHON" "$T_DIR/odd.py" && odd=odd0
fi
if [ -n "$odd" ]; then
	finds '10: an unknown type of device' 1 problem "odd0: .*ARPHRD [0-9]+" null odd0
else
	t_skip '10: an unknown type of device' 'none can be made here'
fi

# 11
in_a ip link set v0 mtu 9000
if [ "$(findings ok | grep -c '^frames in several buffers')" -eq 1 ]; then
	t_ok '11: MTU 9000 is no fault where frames may have several buffers' \
		grep -q '^v0: MTU 9000$' <<<"$(findings ok v0)"
else
	finds '11: MTU 9000' 0 warning 'v0: MTU 9000 is too large' \
		'load it with -m skb, or lower the MTU' v0
fi

# 12
if [ "$(uname -r | awk -F '[.-]' '{ print ($1 < 5 || $1 == 5 && $2 < 11) }')" -eq 1 ]; then
	t_fail '12: little memory may be locked' 0 '^warning +limit of locked memory' \
		in_a prlimit --memlock=65536 "$PB" doctor
else
	t_skip '12: little memory may be locked' 'it counts before Linux 5.11 only'
fi

# 13: a tunnel ends on this host
in_a "$PB" unload --all >/dev/null
t_ok '13: load' in_a "$PB" load v0
t_is '13: no tunnel, no word of it' '' "$(doctor v0 | grep 'what comes out of')"
if in_a ip link add x0 type vxlan id 7 dstport 4789 dev v0 2>/dev/null; then
	t_is '13: nor of one that is down' '' "$(doctor v0 | grep 'what comes out of')"
	in_a ip link set x0 up
	finds '13: a tunnel' 0 warning 'v0: what comes out of x0 \(vxlan\) is not judged' \
		'xdp-portblock load x0' v0
	t_is '13: where nothing is loaded, no word of it' '' "$(doctor lo | grep 'what comes out of')"
	# shellcheck disable=SC2016 # for that bash to expand
	t_ok '13: what mends it' in_a bash -c 'xdp-portblock() { "$PB" "$@"; }; eval "$0"' \
		"$(mends 'what comes out of x0' v0)"
	finds '13: mends it' 0 ok 'v0: what comes out of x0 \(vxlan\) is judged there' null v0
	t_is '13: of itself it does not speak' '' "$(doctor x0 | grep 'what comes out of')"
	in_a ip link del x0
else
	t_skip '13: a tunnel' 'no vxlan device can be made here'
fi
# A tun device is the end of a tunnel of some program's, a tap device is none.
t_ok '13: tun and tap devices' in_a ip tuntap add dev n0 mode tun
in_a ip tuntap add dev n1 mode tap
in_a ip link set n0 up
in_a ip link set n1 up
finds '13: tun' 0 warning 'v0: what comes out of n0 \(tun\) is not judged' 'xdp-portblock load n0' v0
t_is '13: tap' '' "$(doctor v0 | grep 'what comes out of n1')"
in_a ip link del n0
in_a ip link del n1

# 14: MPLS; the setting is a file, there without the module for this test alone
t_is '14: no MPLS, no word of it' '' "$(doctor v0 | grep MPLS)"
mount -t tmpfs tmpfs /proc/sys/net || t_die 'no tmpfs'
mkdir -p /proc/sys/net/mpls/conf/v0
echo 1 >/proc/sys/net/mpls/conf/v0/input
finds '14: MPLS' 0 warning 'v0: this host takes MPLS labels off' \
	'sysctl -w net/mpls/conf/v0/input=0' v0
echo 0 >/proc/sys/net/mpls/conf/v0/input
t_is '14: mends it' '' "$(doctor v0 | grep MPLS)"
umount /proc/sys/net

# 15: routes that end here: a port that is dropped is reached by them, in either mode; so it says.
cat >"$T_DIR/wrapped.py" <<'END'
import logging, socket, sys
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import Ether, IPv6, Raw, UDP, sendp
kind, source, address, mac, ports = sys.argv[1:]
# RFC 8754 section 2, RFC 6554 section 3: no segment left, and IPv6 behind it
route = bytes([41, 2, {"seg6": 4, "rpl_seg": 3}[kind], 0, 0, 0, 0, 0]) + \
    socket.inet_pton(socket.AF_INET6, address)
for port in ports.split(","):
    sendp(Ether(dst=mac) / IPv6(src=source, dst=address, nh=43) / Raw(route)
          / IPv6(src=source, dst=address) / UDP(sport=5555, dport=int(port)) / Raw(b"x"),
          iface="v1", verbose=False)
END
heard()
{
	# shellcheck disable=SC2016 # for awk to expand
	in_a awk '$1 == "Udp6InDatagrams" { print $2 }' /proc/net/snmp6
}
hears()
{
	[ "$(heard)" -ge "$1" ]
}
mac=$(in_a ip -br link show dev v0 | awk '{ print $3 }')
serve in_a --udp 22,23
t_ok '15: rule' "$PB" rule add 22/udp
for kind in seg6 rpl_seg; do
	set_route()
	{
		in_a sysctl -qw "net.ipv6.conf.all.${kind}_enabled=$1" \
			"net.ipv6.conf.v0.${kind}_enabled=$2"
	}
	if ! in_a test -e "/proc/sys/net/ipv6/conf/v0/${kind}_enabled"; then
		t_skip "15: $kind" 'the kernel does not have it'
		continue
	fi
	says="v0: this host ends (segment routes|RPL source routes)"
	t_ok "15: $kind: for v0 alone" set_route 0 1
	t_is "15: $kind: no word of that" '' "$(doctor v0 | grep -E "$says")"
	t_ok "15: $kind: for all alone" set_route 1 0
	t_is "15: $kind: no word of that either" '' "$(doctor v0 | grep -E "$says")"
	t_ok "15: $kind: for both" set_route 1 1
	before=$(heard)
	t_ok "15: $kind: sent to a port that is dropped and one that is not" \
		in_b "$PYTHON" "$T_DIR/wrapped.py" "$kind" "$B6" "$A6" "$mac" 22,23
	t_ok "15: $kind: both arrive" wait_for 60 hears $((before + 2))
	finds "15: $kind: it says so" 0 warning "$says" "sysctl -w net/ipv6/conf/v0/${kind}_enabled=0" v0
	t_ok "15: $kind: what mends it" in_a sysctl -qw "net/ipv6/conf/v0/${kind}_enabled=0"
	t_is "15: $kind: mends it" '' "$(doctor v0 | grep -E "$says")"
	set_route 0 0
done
"$PB" rule flush >/dev/null

# 16: connections that are bound to what stands on the interface; more: tests/vm/guest-upper.sh
if in_a ip link add br0 type bridge 2>/dev/null; then
	in_a ip link set v0 master br0
	in_a ip link set br0 up
	in_a ip addr add 10.9.9.1/24 dev br0
	in_b ip addr add 10.9.9.2/24 dev v1
	serve in_b --tcp 24
	bg in_a "$PYTHON" "$PEER" hold 10.9.9.2 24 --device br0 --sport 4242
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	t_is '16: no rule asks for connections: no word of that' '' "$(doctor v0 | grep 'stands on it')"
	t_ok '16: policy deny' in_a "$PB" policy deny
	finds '16: one is bound above' 0 warning 'v0: 1 connection is bound to br0, which stands on it \(tcp port 4242\)' \
		'allow these packets by a rule, or xdp-portblock unload -k v0; xdp-portblock load br0 -m skb' v0
	t_ok '16: replies that are dropped, too' in_a "$PB" replies off
	t_is '16: no word of that either' '' "$(doctor v0 | grep 'stands on it')"
	t_ok '16: but a rule about new ones asks for it' in_a "$PB" rule add 22/tcp new
	t_ok '16: it says so' grep -q '^v0: 1 connection is bound to br0' <<<"$(findings warning v0)"
	bg_stop "$BG_PID"
	t_ok '16: none is bound' grep -q '^v0: no connection is bound to br0' <<<"$(findings ok v0)"
	in_a "$PB" rule flush >/dev/null
	in_a "$PB" replies on >/dev/null
	in_a "$PB" policy allow >/dev/null
	in_a ip link del br0
else
	t_skip '16: connections that are bound above' 'the kernel has no bridge'
fi

# --- how it ends --------------------------------------------------------------------------

# shellcheck disable=SC2016 # for that bash to expand
t_fail 'a full stdout is a failure' 1 'stdout' in_a bash -c '"$PB" doctor >/dev/full'
t_done
