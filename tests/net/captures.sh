#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# explain FILE: each packet of whatever capture is at hand has its line, and the verdict that the
# program would give it.

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

explain()
{
	in_a "$PB" explain "$@"
}

# captures WORDS...: by captures.py
captures()
{
	in_a "$PYTHON" "$TOP/tests/net/captures.py" "$@"
}

captures rules >"$T_DIR/rules"
t_ok 'load' in_a "$PB" load v0 --rules "$T_DIR/rules"
tun=
if in_a ip tuntap add dev t0 mode tun 2>/dev/null && in_a ip link set t0 up; then
	t_ok 'load on a device without link layer' in_a "$PB" load t0
	tun=1
fi

# --- link types, lengths, and what cannot be run --------------------------------------------

for name in $(captures names); do
	t_ok "$name" captures check "$name"
	if [ -n "$tun" ]; then
		t_ok "$name, without link layer" captures check "$name" -i t0
	else
		t_skip "$name, without link layer" 'no tun here'
	fi
done
t_ok 'cooked, 5,000 packets' captures links 5000 ethernet
t_ok 'cut anywhere, 5,000 packets' captures cut 5000
if [ -n "$tun" ]; then
	t_ok 'all link types, 2,000 packets without link layer' captures links 2000 bare -i t0
else
	t_skip 'all link types, without link layer' 'no tun here'
fi

# --- files that others make ------------------------------------------------------------------

# numbers_agree FILE: a line a packet, numbered as tcpdump numbers them
numbers_agree()
{
	diff <(explain "$1" | sed 's/:.*//') <(tcpdump -nr "$1" --number 2>/dev/null |
		sed -n 's/^ *\([0-9][0-9]*\) .*/\1/p')
}

for kind in CookedLinux CookedLinuxV2 Loopback Ether IP; do
	captures scapy $kind "$T_DIR/scapy.pcap" || t_die "scapy $kind"
	t_ok "scapy's $kind" explain "$T_DIR/scapy.pcap"
	t_is "scapy's $kind: all are dropped" '' "$(grep -v '^[1-4]: drop (drop-rule) rule 1 tcp 40000 > 80: ' <<<"$T_OUT")"
	t_ok "scapy's $kind: none is missing" [ "$(wc -l <<<"$T_OUT")" -ge 2 ]
done
captures make sll "$T_DIR/sll.pcap"
captures make ethernet "$T_DIR/ethernet.pcap"
explain "$T_DIR/sll.pcap" >"$T_DIR/wanted"
if command -v tcpdump >/dev/null; then
	t_ok 'numbers are those of tcpdump' numbers_agree "$T_DIR/sll.pcap"
else
	t_skip 'numbers are those of tcpdump' 'no tcpdump here'
fi
if command -v editcap >/dev/null; then
	editcap -F pcapng "$T_DIR/sll.pcap" "$T_DIR/sll.pcapng"
	t_is 'pcapng' "$(cat "$T_DIR/wanted")" "$(explain "$T_DIR/sll.pcapng")"
	mergecap -F pcapng -w "$T_DIR/mixed.pcapng" "$T_DIR/ethernet.pcap" "$T_DIR/sll.pcap"
	t_fail 'pcapng of two link types' 1 "mixed.pcapng'.*an interface has a type 113 different from" \
		explain "$T_DIR/mixed.pcapng"
	editcap -s 60 "$T_DIR/ethernet.pcap" "$T_DIR/cut.pcap"
	t_ok 'cut by editcap' explain "$T_DIR/cut.pcap"
	# Two tags and IPv6 are 66 bytes to the port, PPPoE in IPv4 46.
	t_is 'what was cut off counts where it decides' 'pass pass drop' \
		"$(sed -n 's/^\(4\|7\|9\): \([a-z]*\) .*/\2/p' <<<"$T_OUT" | xargs)"
else
	t_skip 'pcapng' 'no editcap here'
fi

# --- tcpdump -i any, while it runs ------------------------------------------------------------

# From the client, whose packets are those that come in here
send_two()
{
	in_b "$PYTHON" -c '
import socket, sys
for kind, address in (socket.AF_INET, sys.argv[1]), (socket.AF_INET6, sys.argv[2]):
    with socket.socket(kind, socket.SOCK_DGRAM) as s:
        s.bind(("", 5000))
        s.sendto(b"x", (address, int(sys.argv[3])))' "$A4" "$A6" "$1"
}

# explained N: so many lines have come
explained()
{
	[ "$(grep -c '^[0-9]' "$T_DIR/live")" -eq "$1" ]
}

if command -v tcpdump >/dev/null; then
	in_b ping -qc 1 "$A4" >/dev/null
	in_b ping -qc 1 "$A6" >/dev/null
	for kind in LINUX_SLL LINUX_SLL2; do
		mkfifo "$T_DIR/$kind"
		bg in_b tcpdump -Z root -U -c 4 -i any -y $kind -w "$T_DIR/$kind" 'udp src port 5000'
		dump=$BG_PID dump_out=$BG_OUT
		in_a "$PB" explain - <"$T_DIR/$kind" >"$T_DIR/live" 2>&1 &
		reader=$!
		bg_pids+=("$reader")
		wait_for 60 grep -q 'listening on' "$dump_out" || t_die "tcpdump: $(cat "$dump_out")"
		send_two 53
		t_ok "$kind: lines come as packets do" wait_for 60 explained 2
		send_two 54
		wait_for 60 gone "$dump"
		t_ok "$kind: ends with its input" wait "$reader"
		t_is "$kind: what goes out is explained as if it came in" \
			'1: drop (drop-rule) rule 3 udp 5000 > 53: no other rule matches
2: drop (drop-rule) rule 3 udp 5000 > 53: no other rule matches
3: pass (pass) udp 5000 > 54: no rule matches, and policy is allow
4: pass (pass) udp 5000 > 54: no rule matches, and policy is allow' "$(cat "$T_DIR/live")"
	done
else
	t_skip 'tcpdump -i any' 'no tcpdump here'
fi

# --- what is none, and output that fails -------------------------------------------------------

# with IN OUT OPTIONS...: explain between these
with()
{
	local in=$1 out=$2
	shift 2
	explain "$@" <"$in" >"$out"
}

t_fail 'a directory' 1 "cannot read '$T_DIR': .*directory" explain "$T_DIR"
t_fail 'nothing on standard input' 1 "cannot read '-'" with /dev/null /dev/stdout -
t_fail 'text on standard input' 1 "cannot read '/dev/stdin'" with "$T_DIR/rules" /dev/stdout /dev/stdin
t_is 'a pipe' "$(cat "$T_DIR/wanted")" "$(tail -c +1 "$T_DIR/sll.pcap" | explain /dev/stdin)"
t_is '-' "$(cat "$T_DIR/wanted")" "$(tail -c +1 "$T_DIR/sll.pcap" | explain -)"
for options in '' -j; do
	# shellcheck disable=SC2086 # none is no word
	t_fail "explain $options >/dev/full" 1 'cannot write to stdout: No space left' \
		with /dev/null /dev/full $options "$T_DIR/scapy.pcap"
done
t_done
