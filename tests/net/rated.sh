#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Rates together with all else that a rule may have, to the packet: of what is let go an hour nothing comes back while
# this runs, or it is known when. What a rate is by the clock is net:rates.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3

# Nothing but what is sent is on the wire.
for where in in_a in_b; do
	echo 1 | $where tee /proc/sys/net/ipv6/conf/all/disable_ipv6 >/dev/null
done
for device in v0 v2; do in_a ip link set $device arp off; done
for device in v1 v3; do in_b ip link set $device arp off; done

MANY=fd00:64: # of which sources of IPv6 are
total=0

# begin [OPTIONS]: a ruleset with what counts, behind the rules to come
begin()
{
	in_a "$PB" unload --all >/dev/null 2>&1
	in_a "$PB" load v0 v2 -m "${MODE:-native}" "$@" >/dev/null || t_die 'cannot load'
	total=0
}

# rule TEXT...: makes it
rule()
{
	t_ok "$*" "$PB" rule add "$*"
}

all_counted()
{
	[ "$("$PB" rule list -j | json 'sum(r["packets"] for r in d["rules"])')" = "$total" ]
}

# send DEVICE SOURCE COUNT [SIZE]: when it returns they have been judged, each by a rule
send()
{
	local to=$A4
	case $2 in *:*) to=$A6 ;; esac
	in_b "$PYTHON" "$TOP/tests/net/datagrams.py" "$1" "$2" "$to" 7 "$3" ${4:+"$4"} || t_die 'cannot send'
	total=$((total + $3))
	wait_for 60 all_counted || t_die "not all of $total were counted: $("$PB" rule list)"
}

# counts ID...: of these rules
counts()
{
	local id
	for id in "$@"; do rule_is "$id" packets; done | xargs
}

rates() { "$PB" stats -j | json "d['rates']['$1']"; }

# --- beside prefixes and sets ------------------------------------------------------------------------

beside()
{
	begin
	t_ok "$1: a set" "$PB" set create bans
	t_ok "$1: two elements" "$PB" set add bans 10.64.0.1,10.64.0.2
	rule drop udp dport 7 from @bans over 1/h burst 3
	rule allow udp dport 7
	send v1 10.64.0.9 5
	t_is "$1: a set: who is not in it takes nothing" '0 5' "$(counts 1 2)"
	send v1 10.64.0.1 2
	send v1 10.64.0.2 3
	t_is "$1: who is shares the bucket" '2 8' "$(counts 1 2)"
	t_ok "$1: an element comes" "$PB" set add bans 10.64.0.9
	send v1 10.64.0.9 1
	t_is "$1: and finds it empty" '3 8' "$(counts 1 2)"
	t_ok "$1: an element goes" "$PB" set del bans 10.64.0.1
	send v1 10.64.0.1 1
	t_is "$1: and is free" '3 9' "$(counts 1 2)"

	begin
	"$PB" set create bans >/dev/null
	"$PB" set add bans 10.64.0.1,10.64.1.1 >/dev/null
	rule drop udp dport 7 from @bans,10.64.1.0/24,10.64.2.0/24 except 10.64.2.7 over 1/h burst 4
	rule allow udp dport 7
	send v1 10.64.0.1 1
	send v1 10.64.1.9 1
	send v1 10.64.1.1 1
	t_is "$1: prefixes beside a set" '0 3' "$(counts 1 2)"
	send v1 10.64.2.7 5
	t_is "$1: what is taken out takes nothing" '0 8' "$(counts 1 2)"
	send v1 10.64.2.1 3
	t_is "$1: they have one bucket" '2 9' "$(counts 1 2)"
	send v1 10.64.0.1 1
	send v1 10.64.1.1 1
	send v1 10.64.3.1 2
	t_is "$1: all of them, and nobody else" '4 11' "$(counts 1 2)"

	begin
	"$PB" set create bans >/dev/null
	"$PB" set add bans 10.64.0.1,10.64.1.1 >/dev/null
	rule drop udp dport 7 from @bans,10.64.1.0/24 over 1/h burst 2 each source
	rule allow udp dport 7
	send v1 10.64.0.1 3
	send v1 10.64.1.1 1
	"$PB" set del bans 10.64.1.1 >/dev/null
	send v1 10.64.1.1 3
	send v1 10.64.1.9 3
	t_is "$1: each has one, by whichever of both it is in" '4 6' "$(counts 1 2)"
}

for MODE in native skb; do
	beside "$MODE"
done
MODE=native

# --- sources alone, and each source by its prefix ---------------------------------------------------

begin
rule drop from 10.64.0.0/16 over 1/h burst 3
rule allow udp dport 7
send v1 10.64.0.1+5 5
t_is 'sources alone' '2 3' "$(counts 1 2)"

# prefixes LENGTHS SOURCES...: so many of four go, one of each, where there is one an hour
prefixes()
{
	local lengths=$1 wanted=$2 source
	shift 2
	begin
	rule "drop udp dport 7 over 1/h burst 1 each source$lengths"
	rule allow udp dport 7
	for source in "$@"; do
		send v1 "$source" 1
	done
	t_is "each source$lengths: of $* go $wanted" "$(($# - wanted)) $wanted" "$(counts 1 2)"
}
prefixes '' 2 "${MANY}1:1::1" "${MANY}1:1::2" "${MANY}1:1:8000::" "${MANY}1:2::1"
prefixes /32,128 4 "${MANY}1:1::1" "${MANY}1:1::2" "${MANY}1:1::3" "${MANY}1:2::1"
prefixes /32,127 3 "${MANY}1:1::1" "${MANY}1:1::2" "${MANY}1:1::3" "${MANY}1:2::1"
prefixes /32,65 3 "${MANY}1:1::1" "${MANY}1:1::2" "${MANY}1:1:8000::" "${MANY}1:2::1"
prefixes /32,48 2 "${MANY}1:1::1" "${MANY}1:2::1" "${MANY}1:ffff:ffff::1" "${MANY}2:1::1"
prefixes /32,1 2 "${MANY}1:1::1" ::1 7fff::1 1::1
prefixes /24 2 10.64.0.1 10.64.0.255 10.64.1.0 10.64.1.1
prefixes /25,64 3 10.64.0.1 10.64.0.255 10.64.1.0 10.64.1.1
# No prefix of one family is one of the other
prefixes /32,32 2 10.64.0.1 "a40:1::" a40:1:1:: 10.64.0.1
prefixes '' 4 160.1.13.184 2001:db8:: 32.1.13.184 a001:db8::

# --- connections, and an end -------------------------------------------------------------------------

begin
rule drop udp dport 7 new over 1/h burst 3
rule allow udp dport 7
bg in_a "$PYTHON" -c '
import signal, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 7))
s.connect((sys.argv[2], 40000))
print("ready", flush=True)
signal.pause()' "$A4" "$B4"
wait_for 60 grep -q ready "$BG_OUT"
send v1 "$B4" 9
t_is 'new: what belongs to a connection takes nothing' '0 9' "$(counts 1 2)"
send v1 10.64.0.1 5
t_is 'new: of others three go' '2 12' "$(counts 1 2)"
send v1 "$B4" 4
t_is 'new: the connection goes on' '2 16' "$(counts 1 2)"
bg_stop "$BG_PID"
send v1 "$B4" 2
t_is 'new: until it has ended' '4 16' "$(counts 1 2)"

begin
rule allow udp dport 7
rule drop udp dport 7 over 1/h burst 3 expires 1h
send v1 10.64.0.1 5
t_is 'expires: the rate holds' '3 2' "$(counts 1 2)"
rule drop udp dport 7 over 1/h burst 3 expires 2h
send v1 10.64.0.1 1
t_is 'expires: another end refills nothing' '3 3' "$(counts 1 2)"
rule drop udp dport 7 over 1/h burst 3 expires 1s
has_ended()
{
	! rules | grep -q '^2 '
}
t_ok 'expires: it has ended' wait_for 60 has_ended
total=3
send v1 10.64.0.1 4
t_is 'expires: all go then' 7 "$(counts 1)"

# --- several rules, both sides, several interfaces ------------------------------------------------------

begin
rule drop udp dport 7 over 1/h burst 4
rule drop udp sport 40000 over 1/h burst 2
rule allow udp dport 7
send v1 10.64.0.1 9
t_is 'both sides: what the first lets go the second judges' '5 2 2' "$(counts 1 2 3)"

begin
rule audit udp dport 7 over 1/h burst 2
rule drop udp dport 7 over 1/h burst 5
rule allow udp dport 1-9
send v1 10.64.0.1 9
t_is 'one port: drop goes before audit, and the bucket of each is its own' '3 4 2' "$(counts 1 2 3)"

begin
rule drop udp dport 7 over 1/h burst 5
rule drop udp dport 7 over 1/h burst 2 from 10.64.0.1
rule allow udp dport 7
send v1 10.64.0.2 1
send v1 10.64.0.1 9
t_is 'the longer prefix first: only what it lets go takes of the other' '0 7 3' "$(counts 1 2 3)"
send v1 10.64.0.2 3
t_is 'whose bucket has two left' '1 7 5' "$(counts 1 2 3)"

begin
rule drop udp dport 7 over 1/h burst 5
rule allow udp dport 7
send v1 10.64.0.1 3
send v3 10.64.0.1 3
send v1 10.64.0.1 1
t_is 'two interfaces have one bucket' '2 5' "$(counts 1 2)"
in_a "$PB" unload -k v2 >/dev/null
send v1 10.64.0.1 1
t_is 'and one of them has it still' '3 5' "$(counts 1 2)"
t_ok 'upgrade' in_a "$PB" upgrade v0
send v1 10.64.0.1 1
t_is 'and another program' '4 5' "$(counts 1 2)"

begin
rule drop udp dport 7 over 1/h burst 2 each source
rule allow udp dport 7
send v1 10.64.0.1 1
send v3 10.64.0.1 2
send v3 10.64.0.2 1
t_is 'and so they have of each source' '1 3' "$(counts 1 2)"

# --- a table that is full ------------------------------------------------------------------------------

# The bucket of all gets one more each 72 seconds.
began=$(clock)
begin --max-buckets 64
rule drop udp dport 7 over 1/h burst 2 each source total 50/h
rule allow udp dport 7
send v1 10.65.0.1 9
t_is 'one source takes two of the total, however much it sends' '7 2' "$(counts 1 2)"
send v1 10.64.0.0+400 400
in_total()
{
	local passed
	passed=$(counts 2)
	[ "$passed" -ge 50 ] && [ "$passed" -le $((50 + ($(clock) - began) / 7200 + 1)) ]
}
t_ok "of 400 made-up sources all of the total go, and no more: $(counts 2)" in_total
t_is 'none of their buckets was full: each is there, or went for another one' 401 \
	$(($(rates buckets) + $(rates evicted)))
# There are twice as many places as buckets, so that few rows of them are full before.
t_ok "so many went at least: $(rates evicted)" test "$(rates evicted)" -ge $((401 - 2 * 64))
send v1 10.64.0.0+400 400
t_ok "and of the same again: $(counts 2)" in_total

# --- rule reset --------------------------------------------------------------------------------------

evicted=$(rates evicted)
bucket() { rule_is 1 over | json "d['state']['$1']['$2']"; }
t_ok 'rule reset' "$PB" rule reset
began=$(clock) total=0
t_is 'the counters of rules are at 0' '0 0 0 0' "$(counts 1 2) $(rule_is 1 bytes) $(rule_is 2 bytes)"
t_is 'and of the interfaces' '0 0 0' "$(outcome v0 pass) $(outcome v0 drop-rule) $(outcome v2 pass)"
t_is 'the total is full' '50 0.0' "$(bucket total left) $(bucket total full_in)"
t_is 'no bucket of a source is in use' 0 "$(rates buckets)"
t_is 'what went before is counted still' "$evicted" "$(rates evicted)"
send v1 10.65.0.1 3
t_is 'a source has what it had when it was new' '1 2' "$(counts 1 2)"
send v1 10.64.0.0+400 400
t_ok "and so have all of them: $(counts 2)" in_total
t_ok 'other rules change' "$PB" rule add drop tcp dport 22
evicted=$(rates evicted)
in_a "$PB" unload -k v0 v2 >/dev/null && in_a "$PB" load v0 v2 >/dev/null
t_is 'unload --keep, and load: counted still' "$evicted" "$(rates evicted)"
t_ok 'upgrade' in_a "$PB" upgrade v0 v2
t_is 'upgrade: counted still' "$evicted" "$(rates evicted)"
begin
t_is 'a ruleset that is made anew counts from 0 on' 0 "$(rates evicted)"

# --- frames of several buffers -----------------------------------------------------------------------

in_a ip link set v0 mtu 9000
in_b ip link set v1 mtu 9000
jumbo()
{
	if [ "$1" = native ] && ! in_a "$PB" load -m native v0 >/dev/null 2>&1; then
		t_skip 'frames of several buffers' 'the kernel refuses them'
		return
	fi
	MODE=$1 begin
	[ "$1" = skb ] || t_is 'native: with frames of several buffers' true "$(status_is v0 frags)"
	rule drop udp dport 7 over 1/h burst 5
	rule allow udp dport 7
	send v1 10.64.0.1 9 8042
	t_is "$1: of large frames as many go" '4 5' "$(counts 1 2)"
	t_is "$1: and all of their bytes are counted" "$((4 * 8042)) $((5 * 8042))" \
		"$(rule_is 1 bytes) $(rule_is 2 bytes)"

	# Three of 8042 bytes, one of 1518, and 100 bits: the next such comes back in three hours.
	MODE=$1 begin
	rule "drop udp dport 7 over 1bit/s burst $((8 * (3 * 8042 + 1518) + 100))bit"
	rule allow udp dport 7
	send v1 10.64.0.1 5 8042
	t_is "$1: bits: of large frames all count" '2 3' "$(counts 1 2)"
	send v1 10.64.0.2 2 1518
	t_is "$1: bits: of what is left a smaller one goes" '3 4' "$(counts 1 2)"

	MODE=$1 begin
	rule "drop udp dport 7 over 1bit/s burst 64335bit"
	rule allow udp dport 7
	send v1 10.64.0.1 2 8042
	t_is "$1: bits: what no bucket can hold is always over" '2 0' "$(counts 1 2)"

	MODE=$1 begin
	rule "drop udp dport 7 over 1/h burst 1 each source/32,128"
	rule allow udp dport 7
	send v1 "${MANY}:1" 2 8042
	send v1 "${MANY}:2" 1 8042
	t_is "$1: each source, by large frames of IPv6" '1 2' "$(counts 1 2)"
}
jumbo native
jumbo skb
t_done
