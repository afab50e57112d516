#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Times of whoever is in a time namespace: the program knows the host's clock alone, so what is
# given in there, and shown in there, must be by that one.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
[ -e /proc/self/timens_offsets ] || t_skip_all 'this kernel has no time namespaces'
unshare -T --boottime 1 true 2>/dev/null || t_skip_all 'no new time namespace here'
world_enter "$@"
world_pair
serve in_a --tcp 22,23

# Offsets that would make a second of two hours, or the other way round, as many as there are ways
# into a namespace: by a child, by a program that is started, and within another one.
ahead()
{
	in_a unshare -T --boottime 7200 --fork "$@"
}

behind()
{
	in_a unshare -T --boottime -300 --fork "$@"
}

started()
{
	in_a unshare -T --boottime 7200 "$@"
}

within()
{
	in_a unshare -T --boottime 7200 --fork unshare -T --boottime 9000 "$@"
}

# left EXPRESSION MIN: what is left of an hour, read in the same place and outside
left()
{
	json "all(3600 >= $1 > 3600 - 600 for _ in [0])"
}

is_over()
{
	[ "$(in_a "$PB" status -j v0 | json 'd["interfaces"][0]["confirm_in"]')" = null ]
}

is_open()
{
	answers tcp "$A4" "$1"
}

t_ok 'load' in_a "$PB" load v0
for way in ahead behind started within; do
	t_ok "$way: rule add --expires 1h" $way "$PB" rule add 22/tcp --expires 1h
	t_is "$way: outside an hour is left" true "$("$PB" rule list -j | left 'd["rules"][0]["expires_in"]')"
	t_is "$way: inside, too" true "$($way "$PB" rule list -j | left 'd["rules"][0]["expires_in"]')"
	t_ok "$way: it is in force" silent tcp "$A4" 22
	t_ok "$way: rule add --expires 1s" $way "$PB" rule add 22/tcp --expires 1s
	t_ok "$way: ends" wait_for 60 is_open 22
	t_is "$way: is listed no more" '0 0' "$("$PB" rule list -j | json 'len(d["rules"])') $(
		$way "$PB" rule list -j | json 'len(d["rules"])')"

	t_ok "$way: --confirm 1h" $way "$PB" rule add 23/tcp --confirm 1h
	t_is "$way: outside an hour is left to confirm" true \
		"$(in_a "$PB" status -j v0 | left 'd["interfaces"][0]["confirm_in"]')"
	t_is "$way: inside, too" true "$($way "$PB" status -j v0 | left 'd["interfaces"][0]["confirm_in"]')"
	t_ok "$way: rollback" $way "$PB" rollback
	t_ok "$way: --confirm 1s" $way "$PB" rule add 23/tcp --confirm 1s
	t_ok "$way: is over" wait_for 60 is_over
	t_ok "$way: by the program's judgement" wait_for 60 is_open 23
	t_is "$way: and the rules say so" 0 "$($way "$PB" rule list -j | json 'len(d["rules"])')"
done

# A packet's time is that of day, inside as outside.
bg ahead "$PB" monitor -j -c 1 --outcome all --port 9
monitor=$BG_PID out=$BG_OUT
has_shown()
{
	in_b "$PYTHON" "$PEER" send udp "$A4" 9
	[ -s "$out" ]
}
before=$(date +%s)
t_ok 'monitor shows a packet' wait_for 60 has_shown
after=$(date +%s)
wait "$monitor"
t_is 'with the time at which it came' true "$(json "$before <= int(__import__('datetime').datetime.strptime(
	d['time'], '%Y-%m-%dT%H:%M:%S.%f%z').timestamp()) <= $after" < <(head -n 1 "$out"))"
t_done
