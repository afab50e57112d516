#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# reject: real clients are refused at once, natively and in skb mode, on veth and on lo; two hosts that both
# reject are silent soon; the cap holds, and what is held back is counted.
# shellcheck disable=SC2317 # functions are called by t_ok

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
b_takes

# refused PROTO ADDR PORT: as the client's socket is told
cat >"$T_DIR/refused.py" <<'END'
import socket, sys
kind, address, port = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
sock = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
sock.settimeout(60)
try:
    sock.connect((address, int(port)))
    sock.send(b"x")
    sock.recv(1)
except ConnectionRefusedError:
    sys.exit(0)
except OSError as error:
    print(error)
sys.exit(1)
END
refused_by()
{
	"${CLIENT:-in_b}" "$PYTHON" "$T_DIR/refused.py" "$@"
}

# told_in NAME
told_in()
{
	local addr
	for addr in "$A4" "$A6"; do
		t_ok "$1: $addr: TCP is refused" refused_by tcp "$addr" 113
		t_ok "$1: $addr: UDP is refused" refused_by udp "$addr" 53
		t_ok "$1: $addr: another port answers" answers tcp "$addr" 22
	done
}

serve in_a --tcp 22,113 --udp 53
for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load -m $mode v0
	t_ok "$mode: rule add" "$PB" rule add 'reject tcp,udp dport 53,113'
	told_in "$mode"
	t_is "$mode: each is counted" 4 "$(outcome v0 reject)"
	t_ok "$mode: unload" in_a "$PB" unload v0
done

t_ok 'lo: load' in_a "$PB" load -m skb lo
t_ok 'lo: rule add' "$PB" rule add 'reject tcp,udp dport 53,113'
for addr in 127.0.0.1 ::1; do
	CLIENT=in_a t_ok "lo: $addr: TCP is refused" refused_by tcp "$addr" 113
	CLIENT=in_a t_ok "lo: $addr: UDP is refused" refused_by udp "$addr" 53
done
t_ok 'lo: unload' in_a "$PB" unload lo
t_done
