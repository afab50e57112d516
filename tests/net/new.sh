#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --new: no connection opens from outside, while those that are there and those from
# inside go on; in native and in skb mode, in both families.

# shellcheck disable=SC2317 # t_ok calls functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

serve in_a --tcp 22,23 --udp 53,54
serve in_b --tcp 2300 --udp 53,5300

# A connection that stays: says "ready", then answers each line of a FIFO by "WORD ok" or
# "WORD lost"; an answer to a word that begins with "cut" is there by the time that it must be, or
# not at all. Where the target is written as IPv4 in IPv6, the socket is one of IPv6.
cat >"$T_DIR/talk.py" <<'END'
import os, socket, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/net")
import peer
proto, address, port, sport, lines = sys.argv[1:]
peer.enter()
family = socket.AF_INET6 if ":" in address else socket.AF_INET
kind = socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM
with socket.socket(family, kind) as sock:
    sock.settimeout(peer.HANGS)
    if int(sport):
        sock.bind(("", int(sport)))
    sock.connect((address, int(port)))
    print("ready", flush=True)
    for line in open(lines):
        word = line.strip().encode()
        sock.settimeout(peer.HANGS)
        try:
            sock.send(word)
            if word.startswith(b"cut"):
                peer.settled(address)
                sock.setblocking(False)
            print(line.strip(), "ok" if sock.recv(99) == word else "wrong", flush=True)
        except OSError as error:
            print(line.strip(), "lost", error, flush=True)
END

# talk NAME WHERE PROTO ADDR PORT [SPORT]: a connection NAME, open until hang_up
declare -A lines outs talkers
talk()
{
	local name=$1 where=$2
	shift 2
	mkfifo "$T_DIR/$name"
	bg "$where" "$PYTHON" "$T_DIR/talk.py" "$1" "$2" "$3" "${4:-0}" "$T_DIR/$name"
	outs[$name]=$BG_OUT talkers[$name]=$BG_PID
	exec {fd}<>"$T_DIR/$name"
	lines[$name]=$fd
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	grep -q '^ready$' "$BG_OUT" || t_die "talk $*: $(tail -n 1 "$BG_OUT")"
}

# goes_on NAME: what is said over the connection comes back
said=0
goes_on()
{
	said=$((said + 1))
	echo "word$said" >&"${lines[$1]}"
	wait_for 60 grep -q "^word$said " "${outs[$1]}"
	grep -q "^word$said ok$" "${outs[$1]}"
}

# is_cut NAME: it does not
is_cut()
{
	said=$((said + 1))
	echo "cut$said" >&"${lines[$1]}"
	wait_for 60 grep -q "^cut$said " "${outs[$1]}"
	grep -q "^cut$said lost" "${outs[$1]}"
}

hang_up()
{
	local name fd
	for name in "${!lines[@]}"; do
		fd=${lines[$name]}
		bg_stop "${talkers[$name]}"
		exec {fd}>&-
		rm "$T_DIR/$name"
	done
	lines=()
}

sendto_answers()
{
	CLIENT=in_a answers udp "$1" "$2" --unconnected
}

sendto_silent()
{
	CLIENT=in_a silent udp "$1" "$2" --unconnected
}

# only RULE...: and nothing else; `id` is its own
only()
{
	"$PB" rule flush >/dev/null && "$PB" rule add "$@" >/dev/null && id=$(rules | cut -d' ' -f1)
}

check_tcp()
{
	local name=$1 family addr peer

	talk in4 in_b tcp "$A4" 22
	talk in6 in_b tcp "$A6" 22
	talk out4 in_a tcp "$B4" 2300
	talk out6 in_a tcp "$B6" 2300
	talk mapped in_a tcp "::ffff:$B4" 2300
	t_ok "$name: tcp --new" only 1-65535/tcp --new
	t_is "$name: is listed" 'drop tcp dport 1-65535 new' "$(rules | cut -d' ' -f2-)"
	for family in 4 6; do
		addr=A$family peer=B$family
		addr=${!addr} peer=${!peer}
		t_ok "$name v$family: 22, which listens, does not open" silent tcp "$addr" 22
		t_ok "$name v$family: nor does 23" silent tcp "$addr" 23
		t_ok "$name v$family: 24, which is closed, does not even refuse" silent tcp "$addr" 24
		t_ok "$name v$family: nor does the highest port" silent tcp "$addr" 65535
		t_ok "$name v$family: the inbound connection goes on" goes_on in$family
		t_ok "$name v$family: so does the outgoing one" goes_on out$family
		CLIENT=in_a t_ok "$name v$family: a new outgoing one opens" answers tcp "$peer" 2300
		t_ok "$name v$family: udp is not meant" answers udp "$addr" 53
	done
	t_ok "$name: the outgoing one by an IPv6 socket goes on" goes_on mapped
	CLIENT=in_a t_ok "$name: a refusal from outside comes through" refuses tcp "$B4" 2301
	t_ok "$name: what did not open was counted" test "$(rule_is "$id" packets)" -ge 8
	t_is "$name: as dropped by a rule" "$(rule_is "$id" packets)" "$(outcome v0 drop-rule)"

	# In a narrower place the same, and one that is not new.
	t_ok "$name: new for 22 only" only 22/tcp --new
	t_ok "$name: 22 does not open" silent tcp "$A4" 22
	t_ok "$name: 23 does" answers tcp "$A4" 23
	t_ok "$name: its connections go on" goes_on in4
	t_ok "$name: without new" only 22/tcp
	t_ok "$name: they do not" is_cut in6
	t_ok "$name: with new again" only 22/tcp --new
	t_ok "$name: the other one has not noticed" goes_on in4

	# The rule behind: allow new ones from nowhere, and drop the old ones
	t_ok "$name: a rule that new ones are allowed by" only 'allow tcp dport 22 new'
	"$PB" rule add 22-23/tcp >/dev/null
	t_ok "$name: connections meet the wider one" is_cut in4
	hang_up
	t_ok "$name: flush" "$PB" rule flush
	t_ok "$name: 22 opens again" answers tcp "$A4" 22
}

refuses()
{
	"${CLIENT:-in_b}" "$PYTHON" "$PEER" ask "$@"
	[ $? -eq 1 ]
}

check_udp()
{
	local name=$1 family addr peer before

	talk udp4 in_a udp "$B4" 5300 7004
	talk udp6 in_a udp "$B6" 5300 7006
	talk mapped in_a udp "::ffff:$B4" 5300
	t_ok "$name: udp --new" only 1-65535/udp --new
	for family in 4 6; do
		addr=A$family peer=B$family
		addr=${!addr} peer=${!peer}
		t_ok "$name v$family: udp 53 is silent" silent udp "$addr" 53
		t_ok "$name v$family: udp 55, which is closed, too" silent udp "$addr" 55
		t_ok "$name v$family: tcp is not meant" answers tcp "$addr" 22
		t_ok "$name v$family: a connected socket goes on" goes_on udp$family
		CLIENT=in_a t_ok "$name v$family: a new one is answered" answers udp "$peer" 5300
		before=$(rule_is "$id" packets)
		in_b "$PYTHON" "$PEER" send udp "$addr" 700$family --sport 5301
		t_ok "$name v$family: its peer's other ports are dropped" \
			wait_for 60 counted "$id" $((before + 1))
		t_ok "$name v$family: an unconnected socket hears nothing" sendto_silent "$peer" 5300
		t_ok "$name v$family: nor from 53" sendto_silent "$peer" 53
	done
	t_ok "$name: a connected IPv6 socket of an IPv4 peer goes on" goes_on mapped
	t_ok "$name: allow udp sport 53" "$PB" rule add allow udp sport 53
	for peer in "$B4" "$B6"; do
		t_ok "$name: unconnected: $peer answers from 53" sendto_answers "$peer" 53
		t_ok "$name: unconnected: not from 5300" sendto_silent "$peer" 5300
	done
	t_ok "$name: udp 53 of ours is still silent" silent udp "$A4" 53
	t_ok "$name: del" "$PB" rule del allow udp sport 53
	t_ok "$name: unconnected: 53 is silent again" sendto_silent "$B4" 53
	hang_up
	"$PB" rule flush >/dev/null
	t_ok "$name: udp 53 answers again" answers udp "$A4" 53
}

for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load -m $mode v0
	check_tcp "$mode tcp"
	check_udp "$mode udp"
	t_ok "$mode: unload" in_a "$PB" unload v0
done

# What still comes of a connection that A has closed belongs to it; a SYN does not, in whatever way
# it is cut: RFC 9293 lets it open a new one.
cat >"$T_DIR/closed.py" <<'END'
import os, socket, sys
sys.path.insert(0, os.environ["TOP"] + "/tests/net")
import peer
address, port, sport = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sock = socket.create_connection((address, port), peer.HANGS, ("", sport))
sock.send(b"x")
assert sock.recv(1) == b"x"
sock.shutdown(socket.SHUT_WR)
assert sock.recv(1) == b""
END
cat >"$T_DIR/late.py" <<'END'
import logging, sys
logging.getLogger("scapy").setLevel(logging.ERROR)
from scapy.all import Ether, IP, IPv6, IPv6ExtHdrFragment, Raw, TCP, raw, wrpcap
source, address, sport, dport, path = sys.argv[1:]
v6 = ":" in address
ip = IPv6 if v6 else IP
def segment(flags):
    return TCP(sport=int(sport), dport=int(dport), flags=flags)
# Eight bytes of the segment, and behind the packet's end a padding that says ACK
data = raw(ip(src=source, dst=address) / segment("S"))[40 if v6 else 20:][:8]
cut = IPv6(src=source, dst=address) / IPv6ExtHdrFragment(m=1, nh=6) if v6 else \
    IP(src=source, dst=address, flags="MF", proto=6)
padded = raw(Ether(dst="02:00:00:00:00:01") / cut / Raw(data)) + b"\x10" * 40
wrpcap(path, [Ether() / ip(src=source, dst=address) / segment(flags) for flags in ("A", "FA", "SA", "S")]
       + [Ether(padded)])
END

# late SOURCE ADDR SPORT DPORT: the verdicts of ACK, FIN, SYN with ACK, SYN, a SYN of two fragments
late()
{
	"$PYTHON" "$T_DIR/late.py" "$@" "$T_DIR/late.pcap" || return
	in_a "$PB" explain -j "$T_DIR/late.pcap" | "$PYTHON" -c '
import json, sys
print(*(json.loads(line)["verdict"] for line in sys.stdin))'
}

t_ok 'TIME_WAIT: load' in_a "$PB" load v0
t_ok 'TIME_WAIT: new' only 1-65535/tcp --new
for ends in "$A4 $B4 7104" "$A6 $B6 7106"; do
	read -r addr peer sport <<<"$ends"
	t_ok "TIME_WAIT: $addr closes" in_a "$PYTHON" "$T_DIR/closed.py" "$peer" 2300 "$sport"
	# shellcheck disable=SC2016 # for that shell to expand
	t_ok "TIME_WAIT: $addr has one" wait_for 60 \
		in_a sh -c 'ss -Htan state time-wait "sport = $1" | grep -q .' - "$sport"
	t_is "TIME_WAIT: $peer ends it, and opens none" 'pass pass pass drop drop' \
		"$(late "$peer" "$addr" 2300 "$sport")"
	t_is "TIME_WAIT: from another port" 'drop drop drop drop drop' \
		"$(late "$peer" "$addr" 2301 "$sport")"
done
t_ok 'TIME_WAIT: flush' "$PB" rule flush
t_ok 'TIME_WAIT: unload' in_a "$PB" unload v0

# Another namespace's sockets are none of ours: B's are on the other end of the wire.
t_ok 'load in B, too' in_b "$PB" load -r other v1
t_ok 'new in B' "$PB" rule add -r other 1-65535/tcp --new
CLIENT=in_a t_ok 'B opens nothing' silent tcp "$B4" 2300
t_ok 'and connects to A' answers tcp "$A4" 22
t_ok 'in IPv6, too' answers tcp "$A6" 22
t_ok 'unload in B' in_b "$PB" unload v1
t_done
