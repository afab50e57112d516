#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rates by the clock: what `over` lets go of 1 to 1,000,000 packets a second, on one CPU and on two at once, is the rate
# and the burst, whatever else of the ruleset changes meanwhile. tests/net/offer.c sends and judges; PB_RATE_SECONDS=10
# has it do so for ten seconds each.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3

OFFER=$TOP/build/tests/net/offer
LIVE=$TOP/build/tests/net/flood.bpf.o
TIME=${PB_RATE_SECONDS:-4}
[ -x "$OFFER" ] || t_skip_all 'not built: make prog-tests'

# Nothing but what is sent is on the wire.
for where in in_a in_b; do
	echo 1 | $where tee /proc/sys/net/ipv6/conf/all/disable_ipv6 >/dev/null
done
for device in v0 v2; do in_a ip link set $device arp off; done
for device in v1 v3; do in_b ip link set $device arp off; done

# begin RULE [OPTIONS]: the rule, as number 1, alone in a ruleset with what counts
begin()
{
	local rule=$1
	shift
	in_a "$PB" unload --all >/dev/null 2>&1
	in_a "$PB" load v0 v2 -m "${MODE:-native}" "$@" >/dev/null &&
		"$PB" rule add "drop udp dport 7 $rule" >/dev/null &&
		"$PB" rule add allow udp dport 1-8 >/dev/null &&
		"$PB" rule add allow udp dport 9 >/dev/null &&
		"$PB" rule add allow udp dport 10 >/dev/null
}

# offer NAME RULE RATE BURST SOURCES OFFERED DEVICES WITH [COMMAND]
offer()
{
	local name=$1 rule=$2 object=-
	shift 2
	[ "$6" != live ] || object=$LIVE
	# shellcheck disable=SC2086 # options
	begin "$rule" ${LOAD:-} || t_die "cannot load for $rule"
	t_ok "$name" in_b "$OFFER" default "$1" "$2" "$3" "$4" "$TIME" "$object" "$5" ${7:+"$7"}
	t_note "$T_OUT"
}

# What goes meanwhile: another rule comes and goes
change="'$PB' rule add drop tcp dport 22 over 1/s >/dev/null && '$PB' rule del drop tcp dport 22 over 1/s >/dev/null"

# --- one CPU --------------------------------------------------------------------------------

TIME=10 offer '30/m, of 1/s' 'over 30/m burst 2' 0.5 2 0 1 v1 plain
offer '50/s, of 100/s' 'over 50/s burst 50' 50 50 0 100 v1 plain
offer '3000/m, of 200/s' 'over 3000/m burst 50' 50 50 0 200 v1 plain
offer '4,000/s, of 10,000/s' 'over 4000/s' 4000 4000 0 10000 v1 plain
offer 'the same, and another rule changes' 'over 4000/s' 4000 4000 0 10000 v1 plain "$change"
MODE=skb offer 'skb mode: 4,000/s, of 10,000/s' 'over 4000/s' 4000 4000 0 10000 v1 plain
offer 'bits: 8 Mbit/s of 64 bytes each' 'over 8mbit/s burst 8mbit' 15625 15625 0 40000 v1 plain
if ! in_b "$TOP/build/tests/net/flood" "$LIVE" v1 100 7 >/dev/null 2>&1; then
	t_skip 'floods' 'no live frames here'
	live=
else
	live=1
	offer '40,000/s, of 100,000/s' 'over 40000/s' 40000 40000 0 100000 v1 live
	offer '200,000/s, of 1,000,000/s' 'over 200000/s' 200000 200000 0 1000000 v1 live
	offer '1,000/s, of 1,000,000/s' 'over 1000/s' 1000 1000 0 1000000 v1 live
fi

# --- two CPUs at once ---------------------------------------------------------------------------

if [ "$(nproc)" -lt 2 ]; then
	t_skip 'two CPUs' 'there is one'
else
	offer 'two CPUs: 4,000/s, of 10,000/s' 'over 4000/s' 4000 4000 0 10000 v1,v3 plain
	if [ -n "$live" ]; then
		offer 'two CPUs: 100,000/s, of 1,000,000/s' 'over 100000/s' \
			100000 100000 0 1000000 v1,v3 live
		offer 'two CPUs: and another rule changes' 'over 100000/s' \
			100000 100000 0 1000000 v1,v3 live "$change"
	fi
fi

# --- each source --------------------------------------------------------------------------------

offer 'each of 50 sources: 20/s, of 100/s' 'over 20/s each source' 20 20 50 5000 v1 plain
offer 'two CPUs: likewise, and another rule changes' 'over 20/s each source' \
	20 20 50 5000 v1,v3 plain "$change"

# More sources than there are buckets, each of which is new mostly: the total is what holds.
rates() { "$PB" stats -j | json "d['rates']['$1']"; }
if [ -n "$live" ]; then
	LOAD='--max-buckets 64' offer 'a flood of 50,000 sources, and 64 buckets: the total' \
		'over 10/s each source total 2000/s' 2000 2000 0/50000 200000 v1 live
	evicted=$(rates evicted)
	t_ok "buckets were evicted: $evicted" test "$evicted" -gt 0
	t_is 'of so many' 64 "$(rates max_buckets)"
	t_is 'status has it' "$evicted" "$(status_is v0 rates | json 'd["evicted"]')"
	t_ok 'in text' in_a "$PB" status v0
	t_ok 'too' grep -q "rates: 64 buckets of sources, $evicted evicted" <<<"$T_OUT"
	t_ok 'Prometheus' grep -qx "xdp_portblock_buckets_evicted_total{ruleset=\"default\"} $evicted" \
		<("$PB" stats --prometheus)
	t_fail 'doctor says what to do' 0 'larger --max-buckets than 64.*total' in_a "$PB" doctor
	t_ok 'and how many' grep -q "warning *ruleset 'default': $evicted buckets of sources went" <<<"$T_OUT"
fi

# --- what is seen, and changes nothing -------------------------------------------------------------

# one SOURCE N: so many datagrams to port 7, which are judged when it returns
one()
{
	in_b "$PYTHON" -c '
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("v1", 0))
def frame(port):
    return bytes.fromhex("020000000002020000000001080045000032000000004011" "0000") + socket.inet_aton(sys.argv[1]) + \
        bytes.fromhex("0a0900019c40") + port.to_bytes(2, "big") + bytes.fromhex("001e0000") + bytes(22)
for i in range(int(sys.argv[2])):
    s.send(frame(7))
s.send(frame(9))' "$1" "$2"
	sent=$((sent + 1))
	wait_for 60 counted 3 $sent
}

# bucket EXPRESSION: of the state of rule 1's `over`
bucket() { rule_is 1 over | json "d['state']$1"; }

# over SOURCE KEY: of what explain says of rule 1 and a packet from there
over() { in_a "$PB" explain -j --port 7 --proto udp --from "$1" --to "$A4" | json "d['over'][0]$2"; }

begin 'over 6/h' && sent=0
t_is 'a new rule has a full bucket' '6 6 0.0' "$(bucket '["bucket"]["left"]') $(bucket '["bucket"]["burst"]') $(bucket '["bucket"]["full_in"]')"
t_is 'and no total' null "$(bucket '["total"]')"
one 10.64.0.1 2
t_is 'two packets take two' 4 "$(bucket '["bucket"]["left"]')"
t_is 'explain sees them, too' '4 false' "$(over 10.64.0.1 '["bucket"]["left"]') $(over 10.64.0.1 '["over"]')"
t_fail 'in text' 0 'rate:  rule 1: 4 of 6 packets left, full in (19|20)m.*; the packet is not over it' \
	in_a "$PB" explain --port 7 --proto udp --from 10.64.0.1 --to "$A4"
t_is 'which passes, by the next rule' 'pass 2' \
	"$(in_a "$PB" explain -j --port 7 --proto udp --to "$A4" | json 'd["verdict"] + " " + str(d["rule"])')"
t_is 'looking has taken none' 4 "$(bucket '["bucket"]["left"]')"
one 10.64.0.2 7
t_is 'four go, from whomever' '3 6' "$(rule_is 1 packets) $(rule_is 2 packets)"
t_is 'none is left' 0 "$(bucket '["bucket"]["left"]')"
t_is 'explain: it is over' 'drop 1 true' \
	"$(in_a "$PB" explain -j --port 7 --proto udp --to "$A4" | json '" ".join(str(x) for x in (d["verdict"], d["rule"], d["over"][0]["over"])).replace("T", "t")')"
t_ok 'another rule' "$PB" rule add drop tcp dport 22 over 1/s
t_is 'refills nothing' 0 "$(bucket '["bucket"]["left"]')"
t_ok 'rule reset' "$PB" rule reset
t_is 'does' '6 0.0' "$(bucket '["bucket"]["left"]') $(bucket '["bucket"]["full_in"]')"
sent=0
one 10.64.0.1 9
t_is 'and as many go again' '3 6' "$(rule_is 1 packets) $(rule_is 2 packets)"

begin 'over 3/h each source/24 total 5/h' && sent=0
one 10.64.0.1 4
t_is 'each source: a packet of the first was over' '1 3' "$(rule_is 1 packets) $(rule_is 2 packets)"
t_is 'of its bucket none is left, as of that of its neighbour' '0 0 true' \
	"$(over 10.64.0.1 '["bucket"]["left"]') $(over 10.64.0.9 '["bucket"]["left"]') $(over 10.64.0.9 '["over"]')"
t_is 'that of another one is full' '3 false' "$(over 10.64.1.1 '["bucket"]["left"]') $(over 10.64.1.1 '["over"]')"
t_is 'the total has given three' '2 null' "$(bucket '["total"]["left"]') $(bucket '["bucket"]')"
t_is 'one bucket is in use' '1 0' "$(rates buckets) $(rates evicted)"
one 10.64.1.1 3
t_is 'the total holds for the next' '2 5' "$(rule_is 1 packets) $(rule_is 2 packets)"
t_is 'which has one left, and is over' '0 true' "$(over 10.64.2.1 '["total"]["left"]') $(over 10.64.2.1 '["over"]')"

begin 'over 8kbit/s burst 80kbit' && sent=0
t_is 'bits' '80000 80000' "$(bucket '["bucket"]["left"]') $(bucket '["bucket"]["burst"]')"

# In a time namespace, whose clock is another
if unshare -T --monotonic 7200 true 2>/dev/null; then
	begin 'over 6/h' && sent=0
	one 10.64.0.1 3
	t_is 'in a time namespace it is as full' 3 "$(in_a unshare -T --monotonic 7200 --fork "$PB" rule list -j |
		json '[r for r in d["rules"] if r["id"] == 1][0]["over"]["state"]["bucket"]["left"]')"
else
	t_skip 'in a time namespace' 'there is none'
fi
t_done
