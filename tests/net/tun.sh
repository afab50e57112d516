#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Devices that are not cards: tun (bare IP packets), tap (Ethernet frames), WireGuard.
# A process at the other end of tun and tap writes packets and reads the answers of
# A's own sockets.
# shellcheck disable=SC2317 # functions are called by t_ok

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

[ -c /dev/net/tun ] || t_skip_all 'no /dev/net/tun'
in_a ip tuntap add dev t0 mode tun || t_skip_all 'no tun devices'
in_a ip tuntap add dev t1 mode tap || t_skip_all 'no tap devices'
SIZE=32

# setup DEV NET: addresses NET.1 here, NET.2 over there, and the same in IPv6; A knows
# who is there without asking, since nobody would answer
setup()
{
	{
		in_a ip addr add "10.$2.0.1/24" dev "$1" &&
			in_a ip addr add "fd$2::1/64" dev "$1" nodad && in_a ip link set "$1" up
	} || t_die "no $1"
	wait_for 60 is_running "$1" || t_die "$1 has no carrier"
	[ "$1" = t1 ] || return 0
	{
		in_a ip neigh add "10.$2.0.2" lladdr 02:00:00:00:00:02 dev "$1" &&
			in_a ip neigh add "fd$2::2" lladdr 02:00:00:00:00:02 dev "$1"
	} || t_die "no neighbours on $1"
}

is_running()
{
	in_a ip -o link show dev "$1" | grep -q 'state UP'
}

# The other end of the devices, for as long as the test runs (without it they have no
# carrier). It takes one order a connection, and says whether there was an answer.
cat >"$T_DIR/other_end.py" <<'END'
import fcntl, ipaddress, os, select, socket, sys
from struct import pack
sys.path.insert(0, os.environ["TOP"] + "/tests/net")
import peer

TUNSETIFF, IFF_TUN, IFF_TAP, IFF_NO_PI, SIOCGIFHWADDR = 0x400454CA, 1, 2, 0x1000, 0x8927
PORT = 40000


def open_device(name, kind):
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, pack("16sH22x", name.encode(), kind | IFF_NO_PI))
    return device


def hardware_address(name):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        return fcntl.ioctl(sock, SIOCGIFHWADDR, pack("16s24x", name.encode()))[18:24]


def checksum(data):
    total = sum(int.from_bytes(data[i:i + 2].ljust(2, b"\0"), "big")
                for i in range(0, len(data), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def read(device):
    if not select.select([device], [], [], peer.HANGS)[0]:
        raise OSError("nothing comes any more, not even a ping")
    return os.read(device, 65536)


class Order:
    def __init__(self, text):
        self.device, self.what, address, port, size = text.split()
        self.data = bytes(range(int(size)))
        self.there = ipaddress.ip_address(address)
        self.here = self.there + 1
        self.port = int(port)
        self.v6 = self.there.version == 6
        self.protocol = (58 if self.v6 else 1) if self.what == "ping" else 17

    def segment(self):
        pseudo = self.here.packed + self.there.packed + pack("!II" if self.v6 else "!HH",
                                                             8 + len(self.data), self.protocol)
        if self.what == "ping":
            segment, at = pack("!BBHHH", 128 if self.v6 else 8, 0, 0, 7, 1) + self.data, 2
            pseudo = pseudo if self.v6 else b""
        else:
            segment, at = pack("!HHHH", PORT, self.port, 8 + len(self.data), 0) + self.data, 6
        value = checksum(pseudo + segment) or 0xFFFF
        return segment[:at] + pack("!H", value) + segment[at + 2:]

    def packet(self):
        segment, later = self.segment(), self.what == "later"
        version = 5 if self.what == "junk" else self.there.version
        addresses = self.here.packed + self.there.packed
        if self.v6:
            if later:
                segment = pack("!BBHI", 17, 0, 8 << 3, 7) + segment
            packet = pack("!IHBB", version << 28, len(segment), 44 if later else self.protocol,
                          64) + addresses + segment
            return packet[:30] if self.what == "cut" else packet
        head = pack("!BBHHHBBH", version << 4 | 5, 0, 20 + len(segment), 7, 8 * later, 64,
                    self.protocol, 0) + addresses
        packet = head[:10] + pack("!H", checksum(head)) + head[12:] + segment
        return packet[:12] if self.what == "cut" else packet

    def is_answer(self, data):
        source, start = (data[8:24], 40) if self.v6 else (data[12:16], 20)
        if data[:1] and data[0] >> 4 != self.there.version or source != self.there.packed or \
                data[6 if self.v6 else 9] != self.protocol:
            return False
        if self.what == "ping":
            return data[start] == (129 if self.v6 else 0) and data[start + 8:] == self.data
        return data[start:start + 4] == pack("!HH", self.port, PORT)

    def ping(self):
        """One that no other is like"""
        ping = Order(f"{self.device} ping {self.there} 0 0")
        ping.data = os.urandom(16)
        return ping

    def carry_out(self, device, mac):
        """`mac`: of the device, None for one without link layer. -> answered? A ping comes
        behind, and one more when the server has answered all: see peer.settled()."""
        while select.select([device], [], [], 0)[0]:
            os.read(device, 65536)  # what the host says unasked
        link = b"" if mac is None else mac + b"\x02\0\0\0\0\x02" + \
            (b"\x86\xdd" if self.v6 else b"\x08\x00")
        os.write(device, link + self.packet())
        answered = False
        for ping in self.ping(), self.ping():
            os.write(device, link + ping.packet())
            while not ping.is_answer(data := read(device)[len(link):]):
                answered = answered or self.is_answer(data)
            peer.wait_until_idle()
        return answered


peer.enter()
devices = {"t0": (open_device("t0", IFF_TUN), None),
           "t1": (open_device("t1", IFF_TAP), hardware_address("t1"))}
listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
listener.bind(sys.argv[1])
listener.listen(8)
print("ready", flush=True)
while True:
    with listener.accept()[0] as connection:
        order = Order(connection.recv(1024).decode())
        try:
            answered = order.carry_out(*devices[order.device])
            connection.send(b"answered" if answered else b"silence")
        except OSError as error:
            connection.send(str(error).encode())
END
bg in_a "$PYTHON" "$T_DIR/other_end.py" "$T_DIR/orders"
wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
grep -q '^ready$' "$BG_OUT" || t_die "the other end: $(tail -n 1 "$BG_OUT")"
setup t0 31
setup t1 32
serve in_a --udp 53,54

# wire DEV WHAT ADDR [PORT]: a packet from the other end of DEV to A. WHAT: udp, ping, later (a fragment that has no ports), cut (a packet cut off
# within its IP header), junk (IP version 5). Exit status 0: answered, 2: not.
wire()
{
	"$PYTHON" -c '
import socket, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
    sock.connect(sys.argv[1])
    sock.send(" ".join(sys.argv[2:]).encode())
    said = sock.recv(1024).decode()
print(said)
sys.exit({"answered": 0, "silence": 2}.get(said, 1))' "$T_DIR/orders" \
		"$1" "$2" "$3" "${4:-0}" "$SIZE"
}

# unheard DEV WHAT ADDR [PORT]
unheard()
{
	local status
	wire "$@"
	status=$?
	[ "$status" -eq 2 ]
}

# ethernet_of DEV: whether the program of DEV was told that there is a link layer
ethernet_of()
{
	local map

	for map in $(bpftool -j prog show id "$(status_is "$1" program_id)" |
		json '" ".join(map(str, d["map_ids"]))'); do
		bpftool -j map dump id "$map" 2>/dev/null | json \
			'[v for e in d for s in e.get("formatted", e)["value"].values()
			  for m in s for k, v in m.items() if k == "pb_frames"][0] in \
			 (0, 1, "PB_FRAMES_ETHERNET", "PB_FRAMES_ETHERNET_FRAGS")' 2>/dev/null
	done
}

rule_only()
{
	"$PB" rule flush >/dev/null && "$PB" rule add "$@" >/dev/null
}

# traffic NAME DEV NET LINK: LINK is the length of the link layer's header
traffic()
{
	local name=$1 dev=$2 net=$3 link=$4 addr head before

	for addr in "10.$net.0.1" "fd$net::1"; do
		head=$((link + 20))
		[ "$addr" != "fd$net::1" ] || head=$((link + 40))
		rule_only 53/udp
		t_ok "$name: $addr: port 53 is silent" unheard "$dev" udp "$addr" 53
		t_is "$name: $addr: counted" 1 "$("$PB" rule list -j | json 'd["rules"][0]["packets"]')"
		t_is "$name: $addr: with its bytes" $((head + 8 + SIZE)) \
			"$("$PB" rule list -j | json 'd["rules"][0]["bytes"]')"
		t_ok "$name: $addr: port 54 answers" wire "$dev" udp "$addr" 54
		rule_only --sport 40000 --proto udp
		t_ok "$name: $addr: by source port, 54 is silent" unheard "$dev" udp "$addr" 54
		"$PB" rule flush >/dev/null
		t_ok "$name: policy deny" "$PB" policy deny
		t_ok "$name: $addr: deny: 54 is silent" unheard "$dev" udp "$addr" 54
		t_ok "$name: $addr: deny: ping passes" wire "$dev" ping "$addr"
		t_ok "$name: allow 54" "$PB" rule add allow 54/udp
		t_ok "$name: $addr: deny: 54 answers" wire "$dev" udp "$addr" 54
		t_ok "$name: policy allow" "$PB" policy allow
		before=$(outcome "$dev" fragment)
		t_ok "$name: $addr: a later fragment" unheard "$dev" later "$addr" 53
		t_is "$name: $addr: is one" $((before + 1)) "$(outcome "$dev" fragment)"
	done
}

# malformed NAME DEV NET WHAT...: what is no whole IP packet
malformed()
{
	local name=$1 dev=$2 net=$3 what before
	shift 3
	for what; do
		before=$(outcome "$dev" malformed)
		t_ok "$name: $what" unheard "$dev" "$what" "10.$net.0.1" 53
		t_is "$name: $what is malformed" $((before + 1)) "$(outcome "$dev" malformed)"
	done
}

# --- tun: no link layer ------------------------------------------------------------------

t_ok 'nothing loaded: tun answers' wire t0 udp 10.31.0.1 53
t_ok 'nothing loaded: tun answers, IPv6' wire t0 udp fd31::1 53
if t_capture in_a "$PB" load -m native t0; then
	t_is 'tun, native: is native' native "$(status_is t0 mode)"
	traffic 'tun, native' t0 31 0
	t_ok 'tun, native: unload' in_a "$PB" unload t0
else
	refused 'tun has no native mode' 1 't0: .*native mode.*use .-m skb' \
		in_a "$PB" load -m native t0
fi
t_ok 'tun: load' in_a "$PB" load t0
t_ok 'tun: unload' in_a "$PB" unload t0
t_ok 'tun, skb: load' in_a "$PB" load -m skb t0
t_is 'tun, skb: is skb' skb "$(status_is t0 mode)"
t_is 'tun, skb: the program knows of no link layer' false "$(ethernet_of t0)"
traffic 'tun, skb' t0 31 0
# (Of IP version 5 the tun driver takes nothing.)
malformed 'tun, skb' t0 31 cut
t_ok 'tun, skb: unload' in_a "$PB" unload t0
t_ok 'tun, unloaded: port 53 answers' wire t0 udp 10.31.0.1 53

# --- tap: Ethernet, and native -------------------------------------------------------------

for mode in native skb; do
	t_ok "tap, $mode: load" in_a "$PB" load -m $mode t1
	t_is "tap, $mode: is $mode" $mode "$(status_is t1 mode)"
	t_is "tap, $mode: the program knows of the link layer" true "$(ethernet_of t1)"
	traffic "tap, $mode" t1 32 14
	malformed "tap, $mode" t1 32 cut junk
	t_ok "tap, $mode: unload" in_a "$PB" unload t1
done
t_ok 'both kinds at once, one ruleset: load' in_a "$PB" load -m skb t0 t1
rule_only 53/udp
t_ok 'both: tun is silent' unheard t0 udp 10.31.0.1 53
t_ok 'both: tap is silent' unheard t1 udp 10.32.0.1 53
t_ok 'both: tun answers' wire t0 udp 10.31.0.1 54
t_ok 'both: tap answers' wire t1 udp 10.32.0.1 54
t_ok 'both: unload' in_a "$PB" unload t0 t1

# --- WireGuard: no link layer either ---------------------------------------------------------

if in_a ip link add wg0 type wireguard 2>/dev/null; then
	in_a ip link set wg0 up
	refused 'wireguard has no native mode' 1 'wg0: .*native mode.*use .-m skb' \
		in_a "$PB" load -m native wg0
	t_ok 'wireguard: load' in_a "$PB" load wg0
	t_is 'wireguard: in skb mode' skb "$(status_is wg0 mode)"
	t_is 'wireguard: the program knows of no link layer' false "$(ethernet_of wg0)"
	t_ok 'wireguard: unload' in_a "$PB" unload wg0
else
	t_skip 'wireguard' 'the kernel does not have it'
fi
t_done
