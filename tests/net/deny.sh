#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# policy deny, as one can live with it: nothing answers from outside, and from inside all
# goes on: downloads, names, ping, neighbours, path MTU, and the host's own address.

# shellcheck disable=SC2317 # t_ok calls functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

serve in_a --tcp 22,443,8443 --udp 53,443
serve in_b --udp 5300

# --- what there is in B, and beyond it ----------------------------------------------------

mkdir "$T_DIR/www"
head -c 4000000 /dev/urandom >"$T_DIR/www/file"
bg in_b "$PYTHON" -m http.server --bind :: --directory "$T_DIR/www" 80

# Names: every question for an address is answered, by one that says which family was asked for
cat >"$T_DIR/names.py" <<'END'
import os, selectors, socket, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/net")
import peer

def answer(_, sock):
    query, client = sock.recvfrom(4096)
    end = query.index(b"\0", 12) + 5
    question, kind = query[12:end], query[end - 4:end - 2]
    answer = {b"\0\1": b"\xc0\x00\x02\x07",
              b"\0\x1c": socket.inet_pton(socket.AF_INET6, "2001:db8::7")}.get(kind, b"")
    record = b"\xc0\x0c" + kind + b"\0\1\0\0\0\x3c" + len(answer).to_bytes(2, "big") + answer
    sock.sendto(query[:2] + b"\x81\x80\0\1\0" + bytes([bool(answer)]) + b"\0\0\0\0"
                + question + (record if answer else b""), client)

selector = selectors.DefaultSelector()
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((address, 53))
    selector.register(sock, selectors.EVENT_READ, answer)
peer.run(selector)
END
bg in_b "$PYTHON" "$T_DIR/names.py"
names=$BG_OUT

# A question by a socket that is connected, as the C library's are, or by one that is not
cat >"$T_DIR/ask.py" <<'END'
import os, socket, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/net")
import peer
server, connected = sys.argv[1], sys.argv[2] == "connected"
peer.enter()
family = socket.AF_INET6 if ":" in server else socket.AF_INET
query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\3www\7example\0\0\1\0\1"
with socket.socket(family, socket.SOCK_DGRAM) as sock:
    if connected:
        sock.connect((server, 53))
        sock.send(query)
    else:
        sock.sendto(query, (server, 53))
    peer.settled(server)
    sock.setblocking(False)
    try:
        sys.exit(not sock.recv(512).endswith(b"\0\4\xc0\0\2\7"))
    except BlockingIOError:
        sys.exit(2)
END

asks()
{
	in_a "$PYTHON" "$T_DIR/ask.py" "$1" "$2"
}

asks_in_vain()
{
	asks "$@"
	[ $? -eq 2 ]
}

# resolves SERVER: by the C library, which reads /etc/resolv.conf in a mount namespace of
# its own
resolves()
{
	echo "nameserver $1" >"$T_DIR/resolv.conf"
	# shellcheck disable=SC2016 # for that shell to expand
	in_a unshare -m sh -c 'mount --bind "$1" /etc/resolv.conf && getent ahosts www.example' sh \
		"$T_DIR/resolv.conf" >"$T_DIR/resolved" &&
		grep -q '^192\.0\.2\.7 ' "$T_DIR/resolved" && grep -q '^2001:db8::7 ' "$T_DIR/resolved"
}

# fetches ADDR: the whole file, over HTTP
fetches()
{
	rm -f "$T_DIR/fetched"
	in_a "$PYTHON" -c '
import shutil, sys, urllib.request
with urllib.request.urlopen(sys.argv[1], timeout=120) as page:
    shutil.copyfileobj(page, open(sys.argv[2], "wb"))' \
		"http://$1/file" "$T_DIR/fetched" && cmp "$T_DIR/www/file" "$T_DIR/fetched"
}

pings()
{
	in_a ping -q -c 2 -i 0.2 -W 60 "$1"
}

wait_for 60 grep -q '^ready$' "$names" || t_die 'no name server'
wait_for 60 in_b "$PYTHON" -c 'import socket; socket.create_connection(("::1", 80))' ||
	t_die 'no web server'

# --- all inbound is denied --------------------------------------------------------------

nothing_answers()
{
	local addr
	for addr in "$A4" "$A6"; do
		t_ok "$1: tcp 22 of $addr, which listens, is silent" silent tcp "$addr" 22
		t_ok "$1: tcp 443 of $addr, too" silent tcp "$addr" 443
		t_ok "$1: tcp 24 of $addr, which is closed, does not even refuse" silent tcp "$addr" 24
		t_ok "$1: udp 53 of $addr is silent" silent udp "$addr" 53
		t_ok "$1: udp 55 of $addr, which is closed, too" silent udp "$addr" 55
	done
}

all_goes_on()
{
	local addr
	for addr in "$B4" "[$B6]"; do
		t_ok "$1: a download from $addr" fetches "$addr"
	done
	for addr in "$B4" "$B6"; do
		t_ok "$1: a question to the name server $addr" asks "$addr" connected
		if in_a unshare -m true; then
			t_ok "$1: names by the C library from $addr" resolves "$addr"
		else
			t_skip "$1: names by the C library from $addr" 'no mount namespace in this one'
		fi
		t_ok "$1: ping $addr" pings "$addr"
	done
	CLIENT=in_a t_ok "$1: a UDP exchange" answers udp "$B4" 5300
	CLIENT=in_a t_ok "$1: a UDP exchange over IPv6" answers udp "$B6" 5300
}

all_goes_on 'before'
t_ok 'load --policy deny' in_a "$PB" load v0 --policy deny
t_ok 'says so' grep -q 'policy deny' <<<"$T_OUT"
t_is 'failsafe rules are there, visible and ordinary' \
	$'1 allow udp dport 68 comment "failsafe"\n2 allow udp dport 546 comment "failsafe"' "$(rules)"
nothing_answers 'deny'
t_ok 'deny: what was not answered was counted' test "$(outcome v0 drop-policy)" -ge 10
all_goes_on 'deny'
t_ok 'deny: from outside, ping passes' in_b ping -q -c 1 -W 60 "$A4"
t_ok 'deny: and in IPv6' in_b ping -q -c 1 -W 60 "$A6"

# Closed here first, and there a while later: both ends are to learn of it.
cat >"$T_DIR/later.py" <<'END'
import socket
with socket.create_server(("0.0.0.0", 91)) as server:
    print("ready", flush=True)
    connection, _ = server.accept()
    while connection.recv(100):
        pass
    print("closed by the peer", flush=True)
    input()
END
mkfifo "$T_DIR/later"
exec {later}<>"$T_DIR/later"
# shellcheck disable=SC2016 # for that shell to expand
bg in_b sh -c 'exec "$1" "$2" <"$3"' sh "$PYTHON" "$T_DIR/later.py" "$T_DIR/later"
wait_for 60 grep -q '^ready$' "$BG_OUT" || t_die 'no server'
in_a "$PYTHON" -c 'import socket, sys; socket.create_connection((sys.argv[1], 91)).close()' "$B4"
half_closed()
{
	in_a ss -tHn state fin-wait-2 dst "$B4:91" | grep -q .
}
no_end_open()
{
	! half_closed && ! in_b ss -tHn state connected src "$B4:91" | grep -q .
}
t_ok 'deny: a connection closed here, not there' wait_for 60 half_closed
before=$(outcome v0 drop-policy)
echo >&"$later"
t_ok 'deny: ends when it is closed there' wait_for 60 no_end_open
t_is 'deny: nothing of it was dropped' "$before" "$(outcome v0 drop-policy)"

for side in in_a in_b; do
	$side ip neigh flush all
	$side ip -6 neigh flush all
done
# cold ADDR: A knows nothing of who has it
cold()
{
	! in_a ip neigh show "$1" dev v0 | grep -q lladdr
}
warm()
{
	! cold "$1"
}
t_ok 'from cold: no neighbour in IPv4' cold "$B4"
t_ok 'from cold: no neighbour in IPv6' cold "$B6"
t_ok 'neighbour discovery: the first ping in IPv6' in_a ping -q -c 1 -W 60 "$B6"
t_ok 'ARP: the first ping in IPv4' in_a ping -q -c 1 -W 60 "$B4"
t_ok 'neighbour discovery: it is known' warm "$B6"
t_ok 'ARP: it is known' warm "$B4"
in_b ip -6 neigh flush all
t_ok 'neighbour discovery from outside' in_b ping -q -c 1 -W 60 "$A6"

# --- path MTU: a third host C, behind a narrow wire of B's --------------------------------

NS_C=pbC-$T_NAME-$$
in_c()
{
	in_ns "$NS_C" "$@"
}
ip netns add "$NS_C" || t_die 'no third namespace'
ip link add w1 netns "$NS_B" type veth peer name w2 netns "$NS_C" || t_die 'no wire to C'
in_b sh -c 'echo 0 >/proc/sys/net/ipv6/conf/w1/accept_dad; echo 1 >/proc/sys/net/ipv4/ip_forward
	echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
in_c sh -c 'echo 0 >/proc/sys/net/ipv6/conf/w2/accept_dad'
{
	in_b ip addr add 10.8.0.1/24 dev w1 && in_b ip addr add fd08::1/64 dev w1 nodad &&
		in_c ip addr add 10.8.0.2/24 dev w2 && in_c ip addr add fd08::2/64 dev w2 nodad &&
		in_c ip link set lo up && in_b ip link set w1 mtu 1300 up && in_c ip link set w2 up &&
		in_c ip route add default via 10.8.0.1 && in_c ip -6 route add default via fd08::1 &&
		in_a ip route add 10.8.0.0/24 via "$B4" && in_a ip -6 route add fd08::/64 via "$B6"
} || t_die 'no way to C'

# C takes all that comes and says how much it was; A sends a megabyte.
cat >"$T_DIR/sink.py" <<'END'
import socket
with socket.create_server(("::", 90), family=socket.AF_INET6, dualstack_ipv6=True) as server:
    print("ready", flush=True)
    while True:
        connection, _ = server.accept()
        size = 0
        while data := connection.recv(65536):
            size += len(data)
        connection.sendall(b"%d" % size)
        connection.close()
END
cat >"$T_DIR/pour.py" <<'END'
import socket, sys
with socket.create_connection((sys.argv[1], 90), timeout=120) as sock:
    sock.sendall(bytes(1000000))
    sock.shutdown(socket.SHUT_WR)
    sys.exit(sock.recv(99) != b"1000000")
END
bg in_c "$PYTHON" "$T_DIR/sink.py"
wait_for 60 grep -q '^ready$' "$BG_OUT" || t_die 'no server in C'
path_mtu_is()
{
	in_a ip route get "$1" | grep -qw "mtu $2"
}
for addr in 10.8.0.2 fd08::2; do
	t_is "path MTU to $addr is not known" '' "$(in_a ip route get "$addr" | grep -w mtu)"
	t_ok "path MTU: a megabyte arrives at $addr" in_a "$PYTHON" "$T_DIR/pour.py" "$addr"
	t_ok "path MTU: the message of the one between came through" path_mtu_is "$addr" 1300
done

# --- DHCP -------------------------------------------------------------------------------

# The client's script writes down the lease, and leaves the device as it is.
cat >"$T_DIR/lease.sh" <<END
#!/bin/sh
echo "\$1 \$ip" >>"$T_DIR/leases"
END
chmod +x "$T_DIR/lease.sh"
cat >"$T_DIR/udhcpd.conf" <<END
start 10.9.0.100
end 10.9.0.120
interface v1
pidfile $T_DIR/udhcpd.pid
lease_file $T_DIR/udhcpd.leases
option subnet 255.255.255.0
option lease 60
END

# dhcp OPTIONS...: a client on v0
dhcp()
{
	in_a busybox udhcpc -f -i v0 -s "$T_DIR/lease.sh" -p "$T_DIR/udhcpc.pid" "$@"
}

# leased WHAT: the client's script was told so
leased()
{
	grep -Eq "^$1 10\.9\.0\.1[0-2][0-9]$" "$T_DIR/leases"
}

# dropped_since BEFORE N: so many more by the policy
dropped_since()
{
	[ "$(outcome v0 drop-policy)" -ge $(($1 + $2)) ]
}

check_dhcp()
{
	local before

	: >"$T_DIR/leases"
	touch "$T_DIR/udhcpd.leases"
	bg in_b busybox udhcpd -f -I "$B4" -a 100 "$T_DIR/udhcpd.conf"
	t_ok 'DHCP: a lease under deny' dhcp -n -q -t 100 -T 1
	t_ok 'DHCP: it is an address of the server' leased bound
	t_ok 'DHCP: the failsafe rule let it in' test "$(rule_is 1 packets)" -ge 2

	: >"$T_DIR/leases"
	bg in_a busybox udhcpc -f -i v0 -s "$T_DIR/lease.sh" -t 100 -T 1
	t_ok 'DHCP: a client that stays has a lease' wait_for 60 leased bound
	kill -USR1 "$BG_PID"
	t_ok 'DHCP: it renews its lease' wait_for 60 leased renew
	bg_stop "$BG_PID"

	t_ok 'DHCP: the failsafe rule can be deleted' "$PB" rule del 1
	: >"$T_DIR/leases"
	before=$(outcome v0 drop-policy)
	bg in_a busybox udhcpc -f -i v0 -s "$T_DIR/lease.sh" -t 1000 -T 1
	t_ok 'DHCP: and then its offers are dropped' wait_for 60 dropped_since "$before" 2
	bg_stop "$BG_PID"
	t_fail 'DHCP: and there is no lease' 1 '' leased bound
	t_ok 'DHCP: it is added like any rule' "$PB" rule add 'allow udp dport 68 comment "failsafe"'
	t_ok 'DHCP: a lease again' dhcp -n -q -t 100 -T 1
}

if busybox udhcpd --help >/dev/null 2>&1 && busybox udhcpc --help >/dev/null 2>&1; then
	check_dhcp
else
	t_skip 'DHCP' 'no busybox with udhcpd and udhcpc'
fi
# Of DHCPv6 the packet: to port 546, from no connection
"$PB" rule reset >/dev/null
in_b "$PYTHON" "$PEER" send udp "$A6" 546 --sport 547
in_b "$PYTHON" "$PEER" send udp "$A6" 547 --sport 546
t_ok 'DHCPv6: a packet to 546 passes by its rule' wait_for 60 counted 2 1
t_is 'DHCPv6: the other one does not' 1 "$(outcome v0 drop-policy)"

# --- an opening, replies, and back --------------------------------------------------------

t_ok 'rule add --action allow 443/tcp' "$PB" rule add --action allow 443/tcp
for addr in "$A4" "$A6"; do
	t_ok "443 of $addr is open" answers tcp "$addr" 443
	t_ok "22 of $addr is not" silent tcp "$addr" 22
	t_ok "nor 8443 of $addr" silent tcp "$addr" 8443
	t_ok "nor udp 443 of $addr" silent udp "$addr" 443
done
t_ok '443 is closed again' "$PB" rule del 443/tcp
t_ok 'and silent' silent tcp "$A4" 443

for addr in "$B4" "$B6"; do
	t_ok "an unconnected socket has no answer from $addr" asks_in_vain "$addr" unconnected
done
t_ok 'allow udp sport 53,123' "$PB" rule add allow udp sport 53,123
for addr in "$B4" "$B6"; do
	t_ok "then it has one from $addr" asks "$addr" unconnected
done
t_ok 'and the port of ours stays closed' silent udp "$A4" 53
t_ok 'del' "$PB" rule del allow udp sport 53,123

t_is 'replies are on' on "$("$PB" replies)"
t_ok 'replies off' "$PB" replies off
t_is 'are off' off "$("$PB" replies)"
CLIENT=in_a t_ok 'off: no download: the connection does not open' silent tcp "$B4" 80
CLIENT=in_a t_ok 'off: nor in IPv6' silent tcp "$B6" 80
t_ok 'off: no name' asks_in_vain "$B4" connected
t_ok 'off: ping works' pings "$B4"
t_ok 'off: in IPv6, too' pings "$B6"
t_ok 'off: rules hold: allow tcp sport 80' "$PB" rule add allow tcp sport 80
t_ok 'off: the download is there by that' fetches "$B4"
t_ok 'off: del' "$PB" rule del allow tcp sport 80
t_ok 'replies on' "$PB" replies on
all_goes_on 'on again'
nothing_answers 'on again'

t_ok 'policy allow' "$PB" policy allow
for addr in "$A4" "$A6"; do
	t_ok "allow: 22 of $addr answers" answers tcp "$addr" 22
	t_ok "allow: udp 53 of $addr, too" answers udp "$addr" 53
done
t_is 'the failsafe rules stay' 2 "$(rules | grep -c failsafe)"
t_ok 'until they are deleted' "$PB" rule flush
t_ok 'skb mode: unload' in_a "$PB" unload v0
t_ok 'skb mode: load --policy deny' in_a "$PB" load -m skb v0 --policy deny
all_goes_on 'skb'
nothing_answers 'skb'
t_done
