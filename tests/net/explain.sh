#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# explain: it says what the loaded program does, of each packet, and why; and changes
# nothing, not even a counter.

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

EXPLAIN=$TOP/tests/net/explain.py

explain()
{
	in_a "$PB" explain "$@"
}

# says EXPRESSION OPTIONS...: of its JSON
says()
{
	local expression=$1
	shift
	explain -j "$@" | json "$expression"
}

# check WORDS...: by explain.py
check()
{
	in_a "$PYTHON" "$EXPLAIN" "$@"
}

refused 'no ruleset' 1 'load' explain --port 22
t_ok 'load' in_a "$PB" load v0
for rule in 'drop tcp dport 1-1024' 'allow tcp dport 80' 'drop tcp dport 22,2222 except 10.0.0.0/8' \
	'allow tcp dport 22 from 10.0.0.0/8' 'audit udp dport 53' 'drop udp sport 123' \
	'drop tcp dport 3000-3010 from 2001:db8::/32' 'drop tcp dport 4000 new'; do
	"$PB" rule add "$rule" >/dev/null || t_die "rule add $rule"
done

# --- one packet, by options ---------------------------------------------------------------

# is NAME EXPECTED OPTIONS...: verdict, outcome, rule, and the rules that are beaten
is()
{
	local name=$1 expected=$2
	shift 2
	refused "$name: explained" 0 '^(drop|pass) \(' explain "$@"
	t_is "$name" "$expected" "$(says '" ".join(str(d[k]) for k in ("verdict", "outcome", "rule", "beaten"))' "$@")"
}

is 'a port in a range' 'drop drop-rule 1 []' --port 79
is 'proto is tcp by default' 'drop drop-rule 1 []' --port 79 --proto tcp
is 'a narrower rule' 'pass pass 2 [1]' --port 80
is 'the exception' 'drop drop-rule 3 [1]' --port 22
is 'a source' 'pass pass 4 [1]' --port 22 --from 10.1.2.3
is 'IPv6' 'drop drop-rule 3 [1]' --port 22 --from 2001:db8::9
is 'audit' 'pass audit 5 []' --port 53 --proto udp
is 'a source port' 'drop drop-rule 6 []' --sport 123 --proto udp
is 'both sides: drop first' 'drop drop-rule 6 [5]' --sport 123 --port 53 --proto udp --from 192.0.2.9 --to 192.0.2.10
is 'no rule' 'pass pass None []' --port 5000
is 'no rule for that protocol' 'pass pass None []' --port 22 --proto sctp
is 'a source of IPv6' 'drop drop-rule 7 []' --port 3000 --from 2001:db8::1 --to 2001:db8::2
is 'and one that is not' 'pass pass None []' --port 3000 --from 2001:db9::1
is 'by destination alone, IPv6' 'drop drop-rule 7 []' --port 3000 --to 2001:db8::2
is 'port 0' 'pass pass None []' --port 0
is 'port 65535' 'pass pass None []' --port 65535
is 'of no connection' 'drop drop-rule 8 []' --port 4000

t_ok 'text' explain --port 22 --from 10.1.2.3
t_is 'is all of it' "pass (pass)
  by rule 4: allow tcp dport 22 from 10.0.0.0/8
  why:   its source prefix, of /8, is the longest that holds the source
  found: 0 tags, IPv4 at byte 14, tcp source port 40000, destination port 22
  beaten: rule 1: drop tcp dport 1-1024" "$T_OUT"
t_is 'why: the port' 'it names this very port' "$(says 'd["why"]' --port 80)"
t_is 'why: the action' 'of rules that are equally specific, drop goes before audit' \
	"$(says 'd["why"]' --sport 123 --port 53 --proto udp)"
for why in 'ipv6-9-headers=more than 4 tags or 8 extension headers' \
	'ipv6-first-no-ports=a first fragment that ends before its ports, which the next would bring' \
	'ipv4-ah-first-cut=a first fragment that ends before its ports, which the next would bring' \
	'ipv6-first-none=it has no ports that a rule could match'; do
	t_is "why: ${why%%=*}" "1: ${why#*=}" "$(check why "${why%%=*}" | sed 's/ (.*): /: /; s/: [a-z]*: /: /')"
done
"$PB" rule add drop udp sport 124 >/dev/null
"$PB" rule add drop udp dport 124 >/dev/null
t_is 'why: the id' 'of rules that are equally specific, it has the lowest id' \
	"$(says 'd["why"]' --sport 124 --port 124 --proto udp)"
t_is 'why: a source of IPv6' 'its source prefix, of /48, is the longest that holds the source' \
	"$("$PB" rule add allow tcp dport 3000 from 2001:db8:1::/48 >/dev/null
		says 'd["why"]' --port 3000 --from 2001:db8:1::1)"
t_is 'why: alone' 'no other rule matches' "$(says 'd["why"]' --port 79)"
t_is 'why: none' 'no rule matches, and policy is allow' "$(says 'd["why"]' --port 5000)"
"$PB" rule add allow tcp dport 100-200 >/dev/null
t_is 'why: the range' 'its range of 101 ports is the narrowest that holds the port' \
	"$(says 'd["why"]' --port 150)"
t_is 'JSON: the keys' 'beaten connected dport element extensions family first_fragment outcome over protocol rule rule_text set sport tags told verdict why' \
	"$(says '" ".join(sorted(d))' --port 22)"
t_is 'JSON: how it was found' '[0, 0, 4, 17, 123, 53, false]' \
	"$(says '[d[k] for k in ("tags", "extensions", "family", "protocol", "sport", "dport", "first_fragment")]' \
		--proto udp --sport 123 --port 53)"
t_ok '--hex' explain --hex --port 22 --from 10.1.2.3 --to 10.1.2.4
bytes=$(sed -n 's/^  \([0-9a-f][0-9a-f] [0-9a-f ]*\)$/\1/p' <<<"$T_OUT" | xargs)
t_ok '--hex prints ports' grep -q '9c 40 00 16' <<<"$bytes"
t_is '--hex prints the whole packet' 54 "$(wc -w <<<"$bytes")"
t_is '--hex leaves JSON alone' 'pass' "$(says 'd["verdict"]' --hex --port 22 --from 10.1.2.3)"

# --- the policy, connections, a ruleset of its own ----------------------------------------

t_ok 'policy deny' "$PB" policy deny
t_is 'deny: no rule' 'drop drop-policy no rule matches, and policy is deny' \
	"$(says '"{verdict} {outcome} {why}".format(**d)' --port 5000)"
serve in_b --tcp 6000
bg in_a "$PYTHON" -c '
import socket, sys
s = socket.create_connection((sys.argv[1], 6000), source_address=("", 40001))
print("ready", flush=True)
s.recv(1)' "$B4"
wait_for 60 grep -q ready "$BG_OUT"
reply=(--sport 6000 --port 40001 --from "$B4" --to "$A4")
t_is 'deny: a reply' 'pass pass True no rule matches, and it belongs to a connection of this host' \
	"$(says '"{verdict} {outcome} {connected} {why}".format(**d)' "${reply[@]}")"
t_is 'deny: to another port' 'drop False' \
	"$(says '"{verdict} {connected}".format(**d)' --sport 6000 --port 40002 --from "$B4" --to "$A4")"
t_is 'sockets are those of the namespace' drop \
	"$(in_b "$PB" explain -j "${reply[@]}" | json 'd["verdict"]')"
t_ok 'policy allow' "$PB" policy allow

t_ok 'a second ruleset' in_b "$PB" load v1 -r other
t_ok 'with its rule' "$PB" rule add -r other drop tcp dport 5000
t_is '-r' 'drop' "$(says 'd["verdict"]' -r other --port 5000)"
t_is '-r default' 'pass' "$(says 'd["verdict"]' -r default --port 5000)"
t_is '-i: the ruleset of the interface' 'drop' \
	"$(in_b "$PB" explain -j -i v1 --port 5000 | json 'd["verdict"]')"
t_is '-i: of another' 'pass' "$(says 'd["verdict"]' -i v0 --port 5000)"
refused '-i and -r' 2 'leave --ruleset out' explain -i v0 -r default --port 22
refused '-i on what is not loaded' 1 'lo: xdp-portblock is not loaded' explain -i lo --port 22
refused '-i on what is not there' 1 'nowhere0' explain -i nowhere0 --port 22
refused '-r on what is not there' 1 'none' explain -r none --port 22
in_b "$PB" unload v1 >/dev/null

# --- what is wrong ------------------------------------------------------------------------

refused 'no packet' 2 'which packet' explain
refused 'no port' 2 'which packet' explain --proto udp
refused 'two files' 2 "'b' is one word too many" explain a b
refused 'a file and options' 2 'not both' explain --port 22 x.pcap
refused 'a protocol' 2 "'icmp' is not one of" explain --proto icmp --port 22
refused 'two protocols' 2 "'tcp,udp' is not one of" explain --proto tcp,udp --port 22
refused 'an address' 2 "'10.0.0.0/8' is not an address" explain --port 22 --from 10.0.0.0/8
refused 'an address to' 2 "'x' is not an address" explain --port 22 --to x
refused 'two families' 2 'different families' explain --port 22 --from 10.0.0.1 --to ::1
for option in --port --sport; do
	for word in -1 65536 ssh 1-2 ''; do
		refused "$option '$word'" 2 "'$word'" explain $option "$word"
	done
done
refused 'without rights' 1 'CAP_' nobody "$PB" explain --port 22
refused 'a file that is not there' 1 'nowhere.pcap' explain nowhere.pcap
printf 'this is no capture at all, only text' >"$T_DIR/text"
refused 'a file that is none' 1 "cannot read '$T_DIR/text'" explain "$T_DIR/text"

# pcap LINK-TYPE HEX...: a pcap file
pcap()
{
	"$PYTHON" -c '
import struct, sys
out = sys.stdout.buffer
out.write(struct.pack("<IHHIIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, int(sys.argv[1])))
for frame in map(bytes.fromhex, sys.argv[2:]):
    out.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)' "$@"
}

ip=450000280000000040060000c0000201c0000202
tcp=9c400050000000010000000050020000
frame=0200000000020200000000010800$ip${tcp}00000000
pcap 1 "$frame" "$frame" >"$T_DIR/two.pcap"
pcap 101 "$ip${tcp}00000000" >"$T_DIR/raw.pcap"
refused 'a pcap' 0 '' explain "$T_DIR/two.pcap"
t_is 'has a line a packet' '1: pass (pass) rule 2 tcp 40000 > 80: it names this very port
2: pass (pass) rule 2 tcp 40000 > 80: it names this very port' "$T_OUT"
t_is 'in JSON, too' 2 "$(explain -j "$T_DIR/two.pcap" | wc -l)"
# shellcheck disable=SC2016 # for that bash to expand
refused 'from standard input' 0 '^2: pass' in_a bash -c '"$PB" explain - <"$0"' "$T_DIR/two.pcap"
refused 'raw IP' 0 '^1: pass .*tcp 40000 > 80' explain "$T_DIR/raw.pcap"

# --- sets, and sources alone ------------------------------------------------------------------

"$PB" set create bans >/dev/null
"$PB" rule add drop tcp dport 5001 from @bans >/dev/null
"$PB" rule add allow tcp dport 5001-5002 from 192.0.2.0/24 >/dev/null
"$PB" rule add drop from @bans >/dev/null
t_is 'a set that does not hold the source' 'pass no other rule matches' \
	"$(says 'd["verdict"] + " " + d["why"]' --port 5001 --from 192.0.2.1)"
"$PB" set add bans 192.0.0.0/16 >/dev/null
t_is 'one that does' 'drop its source is in a set, which counts as a single host' \
	"$(says 'd["verdict"] + " " + d["why"]' --port 5002 --from 192.0.2.1)"
t_is 'the set, and its element' 'bans 192.0.0.0/16' \
	"$(says 'd["set"] + " " + d["element"]' --port 5002 --from 192.0.2.1)"
t_is 'wider than any range' 'drop it names this very port' \
	"$(says 'd["verdict"] + " " + d["why"]' --port 5001 --from 192.0.2.1)"
# ICMP, and a fragment after the first, from 192.0.2.1 and from 198.51.100.1
icmp=450000240000000040010000 fragment=450000240000000540110000
to=0a090001 rest=08000000000100016162636465666768
pcap 101 "$icmp"c0000201$to$rest "$fragment"c0000201$to$rest "$icmp"c6336401$to$rest >"$T_DIR/none.pcap"
t_is 'packets without ports' 'drop drop pass' \
	"$(explain -j "$T_DIR/none.pcap" | sed 's/.*"verdict":"\([a-z]*\)".*/\1/' | xargs)"
t_is 'why' 'no other rule matches' "$(explain -j "$T_DIR/none.pcap" | head -n 1 | json 'd["why"]')"
"$PB" rule del drop from @bans >/dev/null
"$PB" rule del 5001/tcp from @bans >/dev/null
"$PB" rule del tcp dport 5001-5002 from 192.0.2.0/24 >/dev/null
"$PB" set destroy bans >/dev/null
head -c 150 "$T_DIR/two.pcap" >"$T_DIR/cut.pcap"
refused 'a file cut short' 1 "cut.pcap', after packet 1: .*truncated" explain "$T_DIR/cut.pcap"
t_ok 'tells of the packets before' grep -q '^1: pass' <<<"$T_OUT"
head -c 10 "$T_DIR/two.pcap" >"$T_DIR/cut.pcap"
refused 'a file of half a head' 1 "cannot read '$T_DIR/cut.pcap'" explain "$T_DIR/cut.pcap"
: >"$T_DIR/empty"
refused 'an empty file' 1 "cannot read '$T_DIR/empty'" explain "$T_DIR/empty"
pcap 1 >"$T_DIR/none.pcap"
refused 'a file without packets' 0 '' explain "$T_DIR/none.pcap"
pcap 105 "$frame" >"$T_DIR/wlan.pcap"
refused 'another link type' 1 'link type IEEE802_11 \(105\): Ethernet, raw IP, ' explain "$T_DIR/wlan.pcap"
# A cooked header that is cut short
pcap 113 "0000000100060200000000020000""0800$ip${tcp}00000000" 0000 \
	"0000000100060200000000020000""0800$ip${tcp}00000000" >"$T_DIR/short.pcap"
refused 'a packet that cannot be run' 1 '^2: not run: 2 bytes are too few' explain "$T_DIR/short.pcap"
t_is 'the others are told' '1: pass 2: not 3: pass' "$(grep -o '^.: [a-z]*' <<<"$T_OUT" | xargs)"
refused 'in JSON, too' 1 '^{"packet":2,"error":"2 bytes are too few' explain -j "$T_DIR/short.pcap"
t_is 'with their numbers' '1 2 3' "$(grep -o '^{"packet":[0-9]*,' <<<"$T_OUT" | tr -dc '0-9\n' | xargs)"
t_is 'JSON of a file: the keys' 'beaten connected dport element extensions family first_fragment outcome over packet protocol rule rule_text set sport tags told truncated verdict why' \
	"$(explain -j "$T_DIR/raw.pcap" | json '" ".join(sorted(d))')"
# shellcheck disable=SC2016 # for that bash to expand
t_ok 'a broken pipe' in_a bash -c '"$PB" explain "$0" | head -n 1' "$T_DIR/two.pcap"
t_is 'is quiet' 1 "$(wc -l <<<"$T_OUT")"

# --- what it runs is no filter of an interface ----------------------------------------------

# reads_file PID FILE: it has come to its packets, and so has the program
reads_file()
{
	readlink "/proc/$1"/fd/* | grep -q "$2\$"
}
mkfifo "$T_DIR/fifo.pcap"
exec {fifo}<>"$T_DIR/fifo.pcap"
bg in_a "$PB" explain "$T_DIR/fifo.pcap"
wait_for 60 reads_file "$BG_PID" fifo.pcap
t_ok 'unload while it runs' in_a "$PB" unload v0
t_is 'takes the pins away' '' "$(our_pins)"
bg_stop "$BG_PID"
exec {fifo}>&-
t_ok 'load again' in_a "$PB" load v0

# --- each shape, and packets by the thousand ----------------------------------------------

# Nothing but the shapes on the wire: no neighbour discovery, and no ARP for what is known since before
for where in in_a in_b; do
	echo 1 | $where tee /proc/sys/net/ipv6/conf/all/disable_ipv6 >/dev/null
done
in_a ip link set v0 arp off
in_b ip link set v1 arp off
in_a ip link set v0 mtu 9000
in_b ip link set v1 mtu 9000
t_ok 'unload' in_a "$PB" unload v0
tun=
if in_a ip tuntap add dev t0 mode tun 2>/dev/null && in_a ip link set t0 up; then
	tun=1
fi

listens()
{
	[ "$(bpftool -j map dump pinned "$PINS/default/pb_config" |
		json 'd[0]["formatted"]["value"]["listening"]')" -gt 0 ]
}

all_come()
{
	[ "$(wc -l <"$BG_OUT")" -ge "$number" ]
}

number=$(cd "$TOP/tests/prog" && "$PYTHON" -B -c '
import shapes
print(sum(shape.ethernet for shape in shapes.SHAPES))')
for name in drop allow deny wide settings; do
	"$PYTHON" "$EXPLAIN" rules "$name" >"$T_DIR/$name.rules"
	t_ok "$name: load" in_a "$PB" load v0 --rules "$T_DIR/$name.rules"
	before=$(state; in_a "$PB" status -j v0)
	case $name in
	drop | allow | deny)
		t_ok "$name: all shapes" check shapes "$name" ethernet
		t_note "$T_OUT"
		;;
	esac
	t_ok "$name: 10,000 packets, as the program has it" check random "$name" ethernet 10000
	t_note "$(head -n 2 <<<"$T_OUT")"
	t_is "$name: no counter has moved" "$before" "$(state; in_a "$PB" status -j v0)"
	if [ -n "$tun" ]; then
		t_ok "$name: load on a device without link layer" in_a "$PB" load t0
		before=$(state; in_a "$PB" status -j t0)
		case $name in
		drop | allow | deny)
			t_ok "$name: all shapes without link layer" check shapes "$name" bare -i t0
			;;
		esac
		t_ok "$name: 3,000 packets without link layer" check random "$name" bare 3000 -i t0
		t_is "$name: no counter has moved there" "$before" "$(state; in_a "$PB" status -j t0)"
		in_a "$PB" unload t0 >/dev/null
	else
		t_skip "$name: without link layer" 'no tun here'
	fi

	bg in_a "$PB" monitor -j --outcome all --rate 1000000 -c "$number"
	wait_for 60 listens
	in_b "$PYTHON" "$EXPLAIN" send v1
	if wait_for 60 all_come; then
		grep '^{' "$BG_OUT" >"$T_DIR/seen"
		t_ok "$name: each shape, as the wire has it" check live "$T_DIR/seen"
	else
		t_result 1 "$name: each shape, as the wire has it"
		t_note "only $(wc -l <"$BG_OUT") of $number came"
	fi
	bg_stop "$BG_PID"
	t_ok "$name: unload" in_a "$PB" unload v0
done
# --- a kernel that does not take the program as it is asked first --------------------------------------

# refusing TIMES: explain, where the kernel refuses the program so many times; libbpf asks twice each time
refusing()
{
	local first
	in_a strace -qq -f -o "$T_DIR/trace" -e trace=bpf "$PB" explain --port 22 >/dev/null || return
	first=$(grep -n 'BPF_PROG_LOAD.*xdp_portblock' "$T_DIR/trace" | head -n 1 | cut -d: -f1)
	in_a strace -qq -f -o "$T_DIR/trace" -e trace=bpf -e "inject=bpf:error=524:when=$first..$((first + $1 - 1))" \
		"$PB" explain --port 22
}
t_ok 'load once more' in_a "$PB" load v0
if command -v strace >/dev/null; then
	t_ok 'the kernel refuses the program, and takes another' refusing 2
	t_ok 'that was so' grep -q 'INJECTED' "$T_DIR/trace"
	t_fail 'the kernel refuses all of them' 1 'cannot .*: Unknown error 524' refusing 60
else
	t_skip 'the kernel refuses the program' 'no strace here'
fi
t_ok 'unload' in_a "$PB" unload v0

t_done
