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
	in_a "$PB" load v0 v2 -m native "$@" >/dev/null &&
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

TIME=10 offer '1/s, of 2/s' 'over 1/s burst 2' 1 2 0 2 v1 plain
offer '50/s, of 100/s' 'over 50/s burst 50' 50 50 0 100 v1 plain
offer '3000/m, of 200/s' 'over 3000/m burst 50' 50 50 0 200 v1 plain
offer '4,000/s, of 10,000/s' 'over 4000/s' 4000 4000 0 10000 v1 plain
offer 'the same, and another rule changes' 'over 4000/s' 4000 4000 0 10000 v1 plain "$change"
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
fi
t_done
