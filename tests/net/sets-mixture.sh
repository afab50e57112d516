#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No packet sees half of a set: `set load` changes to and fro between two lists that hold the same addresses by other
# prefixes, and are of different sizes, so that the tables have now more segments and now fewer. Other sets
# are exchanged and flushed meanwhile. A program asks all the while.

. "$(dirname "$0")/../lib.sh"
LOOK=$TOP/build/tests/net/look_sets
[ -x "$LOOK" ] || t_die "no $LOOK: make prog-tests comes first"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

flips=${PB_FLIPS:-120}
{ printf '%s\n' 203.0.113.7 198.51.100.0/24 2001:db8::7 2001:db8:1::/48; seq -f '172.16.%.0f.1' 0 255; } >a.list
{
	printf '%s\n' 203.0.113.0/24 198.51.100.7 2001:db8::/64 2001:db8:1::7
	seq 0 39999 | awk '{ print "172." 16 + int($1 / 65536) "." int($1 / 256) % 256 "." $1 % 256 }'
	seq -f '2001:db8:2::%.0f' 0 9999
} >b.list
in_a "$PB" load v0 >/dev/null
for name in list other; do in_a "$PB" set create $name --max 100000 >/dev/null; done
in_a "$PB" set add other 192.0.2.1 >/dev/null
in_a "$PB" rule add drop from @list >/dev/null
t_ok 'a list' in_a "$PB" set load list a.list

t_fifo()
{
	mkfifo said
	nsenter --net="/run/netns/$NS_A" "$LOOK" default 203.0.113.7 198.51.100.7 2001:db8::7 2001:db8:1::7 >said &
	looker=$!
	exec 7<said
	read -r first <&7
}
t_fifo
t_is 'somebody looks' ready "$first"
failed=0
for ((i = 0; i < flips; i++)); do
	if ((i % 2)); then list=a; else list=b; fi
	in_a "$PB" set load list $list.list >/dev/null || failed=$((failed + 1))
	((i % 10)) || in_a "$PB" set load other b.list >/dev/null || failed=$((failed + 1))
	((i % 10 != 5)) || in_a "$PB" set flush other >/dev/null || failed=$((failed + 1))
done
t_is "$flips changes" 0 $failed
kill -TERM "$looker"
wait "$looker"
t_is 'the program has seen one list or the other' 0 $?
read -r said <&7
t_note "$said"
t_ok 'often' test "$(cut -d ' ' -f 2 <<<"$said")" -gt "$flips"
t_ok 'unload' in_a "$PB" unload v0
t_done
