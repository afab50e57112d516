#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# monitor: packets as they come, as text, JSON and files that tcpdump opens; which ones;
# how it ends, and that it leaves nothing on. (What it costs is in tests/bench/pps.)

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

FLOOD=$TOP/build/tests/net/flood
CONFIG=$PINS/default/pb_config

# in_config FIELD: of the map
in_config()
{
	bpftool -j map dump pinned "$CONFIG" | json "d[0]['formatted']['value']['$1']"
}

# listening: does the program report?
listening()
{
	in_config listening
}

is_listening()
{
	[ "$(listening)" -gt 0 ]
}

is_quiet()
{
	[ "$(listening)" -eq 0 ]
}

# watch OPTIONS...: a monitor in the background that listens; MONITOR, OUT, ERR
watch()
{
	wait_for 60 is_quiet || t_die 'something else listens'
	ERR=$T_DIR/err
	: >"$ERR"
	# shellcheck disable=SC2016 # for that bash to expand
	bg in_a bash -c 'exec "$PB" monitor "$@" 2>"$0"' "$ERR" "$@"
	MONITOR=$BG_PID OUT=$BG_OUT
	wait_for 60 is_listening || t_note "monitor $*: $(cat "$ERR")"
}

# ended NAME STATUS [SIGNAL]: the monitor does
ended()
{
	[ $# -lt 3 ] || kill "-$3" "$MONITOR"
	wait "$MONITOR"
	t_is "$1" "$2" $?
}

shown()
{
	[ "$(wc -l <"$OUT")" -ge "$1" ]
}

send()
{
	in_b "$PYTHON" "$PEER" send "$@"
}

# all EXPRESSION: with the objects of OUT as d
all()
{
	sed 's/$/,/; 1s/^/[/; $s/,$/]/' "$OUT" | json "$1"
}

refused 'no ruleset' 1 'load' in_a "$PB" monitor
t_ok 'load' in_a "$PB" load v0
t_ok 'rule 1' "$PB" rule add drop udp dport 7
t_ok 'rule 2' "$PB" rule add audit udp dport 8
t_ok 'rule 3' "$PB" rule add drop udp dport 9 from 10.9.0.0/24
t_ok 'rule 4' "$PB" rule add allow udp dport 10
t_is 'nobody listens' 0 "$(listening)"

# --- text and JSON ------------------------------------------------------------------------

watch
send udp "$A4" 7 --sport 40001 --size 58
send udp "$A6" 8 --sport 40002 --size 58
send udp "$A4" 10
t_ok 'they are shown' wait_for 60 shown 2
ended 'SIGINT ends it well' 0 INT
time='[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z'
t_ok 'a dropped one' grep -Eqx "$time v0 drop-rule rule 1 udp 10.9.0.2.40001 > 10.9.0.1.7 length 100: drop udp dport 7" "$OUT"
t_ok 'an audited one, IPv6' grep -Eqx "$time v0 audit rule 2 udp fd09::2.40002 > fd09::1.8 length 120: audit udp dport 8" "$OUT"
t_is 'what passes is not shown' 2 "$(wc -l <"$OUT")"
t_is 'at the end it says how many' 'xdp-portblock: 2 packets shown, 0 suppressed by --rate, 0 lost' \
	"$(cat "$ERR")"
t_is 'and stops listening' 0 "$(listening)"

watch -j -c 2
before=$(date -u +%FT%T)
send udp "$A4" 7 --sport 40001 --size 58 --count 5
ended 'JSON, -c 2: ends' 0
t_is 'with two objects' 2 "$(wc -l <"$OUT")"
t_is 'the keys' 'destination dport element interface length outcome protocol rule rule_text set source sport time' \
	"$(all "' '.join(sorted(d[0]))")"
t_is 'the values' '["v0", "drop-rule", 1, "drop udp dport 7", "udp", "10.9.0.2", "10.9.0.1", 40001, 7, 100]' \
	"$(all "[d[1][k] for k in ('interface', 'outcome', 'rule', 'rule_text', 'protocol', 'source',
		'destination', 'sport', 'dport', 'length')]")"
t_is 'the time is now' true "$(all "'$before' <= d[0]['time'] <= '$(date -u -d '+1 second' +%FT%T)'")"
# Three more were reported: they are not for the next one who listens.
watch -j -c 1
send udp "$A4" 7 --sport 40003
ended 'the next one: ends' 0
t_is 'the next one sees what came since it began' 40003 "$(all "d[0]['sport']")"
t_is '-c 1 says 1' 'xdp-portblock: 1 packet shown, 0 suppressed by --rate, 0 lost' "$(cat "$ERR")"

# --- which --------------------------------------------------------------------------------

# chooses NAME EXPECTED OPTIONS...: of the same packets, those ports are shown
chooses()
{
	local name=$1 expected=$2
	shift 2
	watch -j "$@"
	# All of it twice: when the second one is shown, there is nothing to come of the first.
	in_b "$PYTHON" -c '
import socket, sys
for port in (7, 8, 9, 10, 11) * 2:
    for address in sys.argv[1:]:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.bind(("", 50000 + port))
            sock.sendto(bytes(16), (address, port))' "$A4" "$A6"
	wait_for 60 shown $((2 * $(wc -w <<<"$expected")))
	ended "$name: ends" 0 TERM
	t_is "$name" "$expected" "$(all "' '.join(sorted({
		('6' if ':' in (p['source'] or '') else '4') + ':' +
		str(p['dport'] if p['dport'] else p['outcome']) for p in d}, key=lambda x: (len(x), x)))")"
}

# In the order that sorted() above has
chooses 'by default: dropped and audited' '4:7 4:8 4:9 6:7 6:8'
chooses '--rule 1' '4:7 6:7' --rule 1
chooses '--rule 4 and an outcome that it has' '4:10 6:10' --rule 4 --outcome pass
chooses '--port, destination' '4:8 6:8' --port 8
chooses '--port, source' '4:9' --port 50009
chooses '--from' '6:7 6:8' --from fd09::/64
chooses '--from, two' '4:7 4:8 4:9 6:7 6:8' --from 10.9.0.2,fd09::2
chooses '--from and --rule' '4:7' --from 10.0.0.0/8 --rule 1
chooses '--outcome audit' '4:8 6:8' --outcome audit
chooses '--outcome audit,pass' '4:8 6:8 6:9 4:10 4:11 6:10 6:11' --outcome audit,pass
chooses '--outcome pass: what no rule decides' '4:11 6:11' --outcome pass --port 11
watch -j --outcome all
in_b ping -q -c 1 "$A4" >/dev/null
send udp "$A4" 7
wait_for 60 grep -q drop-rule "$OUT"
ended '--outcome all: ends' 0 TERM
t_is '--outcome all has packets without ports' '[null, null, null, "10.9.0.2"]' \
	"$(all "[[p[k] for k in ('rule', 'sport', 'protocol', 'source')] for p in d
		if p['outcome'] == 'noport' and p['source'] == '10.9.0.2'][0]")"
for word in '' drop pass,drop all,x; do
	refused "--outcome '$word'" 2 "--outcome: .* is no outcome: there are pass" \
		in_a "$PB" monitor --outcome "$word"
done
for option in --rule --port --rate --snaplen -c; do
	for word in 0 -1 x '' 99999999999; do
		refused "$option '$word'" 2 "'$word'" in_a "$PB" monitor $option "$word"
	done
done
refused '--from no prefix' 2 '10.0.0.0/33' in_a "$PB" monitor --from 10.0.0.0/33
refused 'a rule that is not there' 1 'no rule 77.*rule list' in_a "$PB" monitor --rule 77
refused '-j and -w' 2 'exclude' in_a "$PB" monitor -j -w "$T_DIR/x.pcap"
t_ok 'which made no file' test ! -e "$T_DIR/x.pcap"
refused 'a word' 2 "'v0'" in_a "$PB" monitor v0
refused 'a ruleset that is not there' 1 'none' in_a "$PB" monitor -r none
refused 'without rights' 1 'CAP_' nobody "$PB" monitor
t_is 'none of these listens' 0 "$(listening)"

# A rule that is added while it runs is shown by its text, too.
watch -j
"$PB" rule add drop udp dport 12 >/dev/null
id=$(rules | sed -n 's/ drop udp dport 12$//p')
# The rules are read again twice a second.
# shellcheck disable=SC2016
wait_for 60 bash -c 'in_b() { nsenter --net="/run/netns/$NS_B" "$@"; }
	in_b "$PYTHON" "$0" send udp "$A4" 12; grep -q "drop udp dport 12" "$1"' "$PEER" "$OUT"
ended 'a rule is added: ends' 0 TERM
t_is 'a new rule has its text' "[$id, \"drop udp dport 12\"]" "$(all "[d[-1]['rule'], d[-1]['rule_text']]")"

# --- files --------------------------------------------------------------------------------

if command -v tcpdump >/dev/null; then
	watch -w "$T_DIR/a.pcap" -c 3
	send udp "$A4" 7 --sport 40001 --size 258 --count 2
	send udp "$A6" 8 --sport 40002 --size 58
	ended '-w FILE: ends' 0
	t_ok 'tcpdump opens it' tcpdump -nr "$T_DIR/a.pcap"
	dump=$T_OUT
	t_is 'it has the packets' 3 "$(grep -c 'UDP, length' <<<"$dump")"
	t_ok 'the first one' grep -q 'IP 10.9.0.2.40001 > 10.9.0.1.7: UDP, length 258' <<<"$dump"
	t_ok 'and IPv6' grep -q 'IP6 fd09::2.40002 > fd09::1.8: UDP, length 58' <<<"$dump"
	t_is 'nothing is printed' '' "$(cat "$OUT")"
	# od: lengths on the wire and in the file, of the first packet
	t_is 'cut at 128 bytes, with the length it had' '128 300' \
		"$(od -An -tu4 -j32 -N8 "$T_DIR/a.pcap" | xargs)"
	t_is 'with nanoseconds' a1b23c4d "$(od -An -tx4 -N4 "$T_DIR/a.pcap" | xargs)"
	for snaplen in 1 42 2048; do
		watch -w "$T_DIR/b.pcap" -c 1 -s "$snaplen"
		send udp "$A4" 7 --size 258
		ended "--snaplen $snaplen: ends" 0
		t_is "--snaplen $snaplen" "$((snaplen < 300 ? snaplen : 300)) 300" \
			"$(od -An -tu4 -j32 -N8 "$T_DIR/b.pcap" | xargs)"
	done
	watch -w - -c 2
	send udp "$A4" 7 --sport 40001 --count 2
	ended '-w -: ends' 0
	t_ok '-w - is a file for tcpdump, too' tcpdump -nr "$OUT"
	t_is 'with its packets' 2 "$(grep -c '10.9.0.2.40001 > 10.9.0.1.7' <<<"$T_OUT")"
else
	t_skip '-w FILE' 'no tcpdump here'
fi
if command -v tshark >/dev/null; then
	# shellcheck disable=SC2016
	bg in_a bash -c '"$PB" monitor -w - -c 2 | tshark -l -r - -T fields -e udp.dstport'
	wait_for 60 is_listening
	send udp "$A4" 7 --count 2
	t_ok '-w - | tshark: ends' wait "$BG_PID"
	t_is '-w - | tshark' '7 7' "$(grep '^7$' "$BG_OUT" | xargs)"
else
	t_skip '-w - | tshark' 'no tshark here'
fi
refused '-w in a folder that is not there' 1 '/nowhere/x.pcap' in_a "$PB" monitor -w /nowhere/x.pcap
t_is '-w fails: nobody listens' 0 "$(listening)"
watch -w /dev/full -c 100
send udp "$A4" 7 --count 100
ended 'a full disk is a failure' 1
t_ok 'and is said' grep -q 'No space left' "$ERR"
t_is 'and ends listening' 0 "$(listening)"

# A device without a link-layer header: an Ethernet header is put in front.
if in_a ip tuntap add dev t0 mode tun 2>/dev/null; then
	cat >"$T_DIR/tun.py" <<'TUN'
import fcntl, struct, sys, os
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454ca, struct.pack("16sH22x", b"t0", 0x1001))
print("ready", flush=True)
sys.stdin.readline()
os.write(tun, bytes.fromhex("45000030000000004011000" "0c0000201c0000202" "9c400007001c0000") + bytes(20))
sys.stdin.readline()
TUN
	mkfifo "$T_DIR/go"
	# shellcheck disable=SC2016
	bg in_a bash -c 'exec "$PYTHON" "$0" <"$1"' "$T_DIR/tun.py" "$T_DIR/go"
	tun_out=$BG_OUT
	exec 7>"$T_DIR/go"
	wait_for 60 grep -q ready "$tun_out"
	in_a ip link set t0 up
	t_ok 'tun: load' in_a "$PB" load t0
	watch -w "$T_DIR/tun.pcap" -c 1
	echo >&7
	ended 'tun: ends' 0
	t_ok 'tun: tcpdump sees the packet' grep -q 'IP 192.0.2.1.40000 > 192.0.2.2.7: UDP' \
		<(tcpdump -nr "$T_DIR/tun.pcap" 2>/dev/null)
	t_ok 'tun: unload' in_a "$PB" unload t0
	exec 7>&-
else
	t_skip 'a device without a link-layer header' 'no tun here'
fi

# --- who listens --------------------------------------------------------------------------

watch
refused 'a second monitor' 1 'another monitor listens.*default.*end that one first' in_a "$PB" monitor
echo old >"$T_DIR/kept.pcap"
refused 'a second monitor that writes' 1 'another monitor listens' in_a "$PB" monitor -w "$T_DIR/kept.pcap"
t_is 'leaves the file as it was' old "$(cat "$T_DIR/kept.pcap")"
t_ok 'the first one goes on' kill -0 "$MONITOR"
t_ok 'of another ruleset: load' in_b "$PB" load v1 -r other
bg in_b "$PB" monitor -r other -c 1 --outcome all
in_a ping -q -c 2 -i 0.2 "$B4" >/dev/null
t_ok 'of another ruleset it may' wait "$BG_PID"
in_b "$PB" unload v1 >/dev/null
send udp "$A4" 7
t_ok 'and it still shows' wait_for 60 shown 1
ended 'SIGTERM ends it well' 0 TERM
t_is 'and stops listening, too' 0 "$(listening)"

watch
kill -KILL "$MONITOR"
wait "$MONITOR" 2>/dev/null
t_ok 'a killed one has left it on' is_listening
# past: nobody has said for longer than the program waits that he listens
past()
{
	[ "$(awk '{ printf "%d", $1 * 1000 }' /proc/uptime)" -gt $(($(in_config listen_until) / 1000000)) ]
}
wait_for 60 past
send udp "$A4" 7
t_ok 'packets turn it off' wait_for 60 is_quiet
watch --rule 2
kill -KILL "$MONITOR"
wait "$MONITOR" 2>/dev/null
wait_for 60 past
for _ in {1..20}; do
	send udp "$A4" 10 --count 1000
	! is_quiet || break
done
t_ok 'so do packets that it did not ask for' wait_for 60 is_quiet
watch
ended 'and another one can listen' 0 INT
t_is 'which leaves it off' 0 "$(listening)"

# shellcheck disable=SC2016
bg in_a bash -c '"$PB" monitor 2>"$0" | head -n 1' "$T_DIR/err"
wait_for 60 is_listening
piped=$BG_PID
# shellcheck disable=SC2016
t_ok 'a broken pipe ends it' wait_for 60 bash -c 'nsenter --net="/run/netns/$NS_B" "$PYTHON" "$0" \
	send udp "$A4" 7; ! kill -0 "$1" 2>/dev/null || grep -q "State:.*Z" "/proc/$1/status"' "$PEER" "$piped"
t_is 'quietly' '' "$(grep -v 'packets\? shown' "$T_DIR/err")"
t_is 'and ends listening' 0 "$(listening)"

watch
t_ok 'unload' in_a "$PB" unload v0
ended 'the ruleset is unloaded: it ends' 1
t_ok 'and says so' grep -q "the ruleset 'default' was unloaded" "$ERR"

# --- under a flood ------------------------------------------------------------------------

if [ ! -x "$FLOOD" ]; then
	t_skip 'a flood' "no $FLOOD: make prog-tests"
	t_done
fi

# What v1 could not hand over, since v0 had no room: the sum of its queues.
refused_by_v0()
{
	in_b ethtool -S v1 | awk '/xdp_xmit_errors:/ { n += $2 } END { print n + 0 }'
}

# flood COUNT: SENT is how many of them have come to v0, SPEED how many a second were sent. On a busy
# machine v0's queue may be full.
flood()
{
	local before
	before=$(refused_by_v0)
	SPEED=$(in_b "$FLOOD" "$FLOOD.bpf.o" v1 "$1" 7 2>&1) || return
	SENT=$(($1 - $(refused_by_v0) + before))
}

t_ok 'load again' in_a "$PB" load v0
t_ok 'rule' "$PB" rule add 7/udp
if ! flood 1000; then
	t_skip 'a flood' "no live frames here: $SPEED"
	t_done
fi
"$PB" rule reset
cpus=$(getconf _NPROCESSORS_CONF)
# seconds_since START: of the clock, the first and the last one counted as whole ones: in so many
# the rate may have been used
seconds_since()
{
	echo $((($(clock) - $1) / 100 + 2))
}
count=5000000
watch -w "$T_DIR/flood.pcap" --rate 500
start=$(clock)
flood $count
seconds=$(seconds_since "$start")
t_note "flood: $SPEED packets/s, $SENT came"
ended 'flood: ends' 0 INT
t_is 'flood: all of them are counted' "$SENT" "$(rule_is 1 packets)"
read -r _ written _ _ suppressed _ _ _ lost _ <"$ERR"
t_is 'flood: shown, suppressed and lost are all' "$SENT" $((written + suppressed + lost))
t_ok "flood: $written in $seconds s keep to the rate" test "$written" -le $((500 * cpus * seconds))
t_ok 'flood: and are not much less' test "$written" -ge 500
# The packets are numbered: what is in the file was sent, each once, in order.
cat >"$T_DIR/numbers.py" <<'NUMBERS'
import struct, sys
data, at, last, number = open(sys.argv[1], "rb").read(), 24, -1, 0
head = bytes.fromhex("020000000002020000000001080045000032000000004011" "0000c00002010a0900019c400007001e0000")
while at < len(data):
    size, length = struct.unpack_from("<II", data, at + 8)
    frame = data[at + 16:at + 16 + size]
    (n,) = struct.unpack_from("!Q", frame, 42)
    if (size, length, frame[:42]) != (64, 64, head) or not last < n < int(sys.argv[2]):
        sys.exit(f"packet {number}: {n} after {last}: {frame.hex()}")
    last, at, number = n, at + 16 + size, number + 1
print(number)
NUMBERS
t_is 'flood: the file holds packets that were sent' "$written" \
	"$("$PYTHON" "$T_DIR/numbers.py" "$T_DIR/flood.pcap" $count 2>&1)"
if command -v tcpdump >/dev/null; then
	t_is 'flood: tcpdump reads all' "$written" "$(tcpdump -nr "$T_DIR/flood.pcap" 2>/dev/null | wc -l)"
fi

# A listener that does not read fills the ring; what is lost then is no more than the rate.
# (Where a flood takes longer than a listener that is gone is waited for, a smaller one does.)
for count in 1000000 300000 100000; do
	"$PB" rule reset
	watch -w /dev/null --rate 10000
	kill -STOP "$MONITOR"
	start=$(clock)
	flood $count
	seconds=$(seconds_since "$start")
	given_up=$(past && echo yes)
	kill -CONT "$MONITOR"
	ended "flood of $count: a listener that had stopped ends" 0 INT
	[ -n "$given_up" ] || break
done
read -r _ shown _ _ suppressed _ _ _ lost _ <"$ERR"
t_ok 'flood: the ring was full' test "$lost" -gt 0
t_ok "flood: $shown shown and $lost lost in $seconds s keep to the rate" \
	test $((shown + lost)) -le $((10000 * cpus * seconds))
t_is 'flood: shown, suppressed and lost are all' "$SENT" $((shown + suppressed + lost))
t_done
