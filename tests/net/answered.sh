#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# How many of those who are rejected are told: what is counted as answered has come back on the wire; with what was held
# back it is all that was rejected; and it is what the rate of answers says, by the clock.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
b_takes

# come_back: ICMP that a port is not to be reached, as B has taken it: its checksum was right
come_back()
{
	in_b grep '^Icmp: [0-9]' /proc/net/snmp | cut -d ' ' -f 5
}

# begin MODE ANSWERS: a ruleset that has told nobody yet
begin()
{
	in_a "$PB" unload --all >/dev/null 2>&1
	in_a "$PB" load -m "$1" v0 >/dev/null || t_die "cannot load in $1 mode"
	t_ok "$1: answers $2" "$PB" answers "$2"
	t_ok "$1: reject" "$PB" rule add reject udp dport 7
	before=$(come_back) rejected=0
}

rates() { "$PB" stats -j | json "d['rates']['$1']"; }

# told_or_not N: so many have been told, or held back
told_or_not()
{
	[ $(($(rates answered) + $(rates held_back))) -ge "$1" ]
}

# send COUNT [PORT]: they all go by one processor, whose rate of answers it is
send()
{
	in_b taskset -c "$CPU" "$PYTHON" "$TOP/tests/net/datagrams.py" v1 "$B4" "$A4" "${2:-7}" "$1" ||
		t_die 'cannot send'
	rejected=$((rejected + $1))
	wait_for 60 told_or_not "$rejected"
}

has_come_back()
{
	[ $(($(come_back) - before)) = "$1" ]
}

# metric NAME: of the ruleset, as Prometheus gets it
metric()
{
	"$PB" stats --prometheus | sed -n "s/^xdp_portblock_answers$1{ruleset=\"default\"} //p"
}

# all_agree NAME ANSWERED HELD-BACK: each that shows it, and the wire
all_agree()
{
	t_is "$1: stats -j" "$2 $3" "$(rates answered) $(rates held_back)"
	t_is "$1: status -j" "$2 $3" \
		"$(status_is v0 rates | json 'd["answered"]') $(status_is v0 rates | json 'd["held_back"]')"
	t_is "$1: Prometheus" "$2 $3" "$(metric _total) $(metric _held_back_total)"
	t_ok "$1: stats, in text" grep -Eq "^rates: .* $2 answers? sent, $3 held back" <("$PB" stats)
	t_ok "$1: so many have come back" wait_for 60 has_come_back "$2"
}

CPU=$(taskset -cp $$ | sed 's/.*: \([0-9]*\).*/\1/')
ROUNDS=6 EACH=30 RATE=10

# Between two readings of the clock, which are before and behind what they are about: a round finds what the time since the
# last one has brought, and uses it up; and all rounds together get no more than a second's and that of the whole time.
by_the_clock()
{
	local round began='' first='' ended='' gap least=0 most

	for ((round = 0; round < ROUNDS; round++)); do
		began=$(clock)
		# The clock is read in hundredths: it may have been one less.
		gap=$((began - ${ended:-0} - 1))
		[ -n "$ended" ] && [ $gap -lt 100 ] || gap=100
		[ $gap -ge 0 ] || gap=0
		least=$((least + gap * RATE / 100))
		first=${first:-$began}
		send $EACH
		ended=$(clock)
	done
	most=$((RATE + (ended + 1 - first) * RATE / 100))
	told=$(rates answered) held=$(rates held_back)
	t_ok "$1: $RATE/s: at least $least are told: $told" test "$told" -ge $least
	t_ok "$1: $RATE/s: and at most $most" test "$told" -le $most
	t_is "$1: $RATE/s: the others are held back" $((ROUNDS * EACH)) $((told + held))
	t_is "$1: $RATE/s: they were rejected all the same" "$((ROUNDS * EACH)) $((ROUNDS * EACH))" \
		"$(rule_is 1 packets) $(outcome v0 reject)"
}

for mode in native skb; do
	begin $mode $RATE/s
	by_the_clock $mode
	all_agree "$mode: $RATE/s" "$told" "$held"
	t_ok "$mode: rule reset" "$PB" rule reset
	t_is "$mode: rule reset: the rule's" '0 0' "$(rule_is 1 packets) $(outcome v0 reject)"
	all_agree "$mode: rule reset leaves them" "$told" "$held"

	begin $mode off
	send 50
	all_agree "$mode: off: nobody is told" 0 50
	t_ok "$mode: on again" "$PB" answers 1000000/s
	send 200
	all_agree "$mode: on again: all are" 200 50
	t_ok "$mode: a rule that drops" "$PB" rule add drop udp dport 8
	in_b "$PYTHON" "$TOP/tests/net/datagrams.py" v1 "$B4" "$A4" 8 20
	t_ok "$mode: drops" wait_for 60 counted 2 20
	t_ok "$mode: policy reject" "$PB" policy reject
	send 20 9
	all_agree "$mode: policy reject: they are told, and none of the others" 220 50
	t_is "$mode: all that were rejected" "$rejected" "$(outcome v0 reject)"
done
in_a "$PB" unload --all >/dev/null
t_done
