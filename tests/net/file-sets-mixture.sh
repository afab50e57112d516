#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# No packet is judged by the rules of one generation with the elements of another: a ruleset changes to and fro
# between two files whose set of one name has other elements, under traffic. Either file's rules with the other's list
# say the opposite of both. Other sets are loaded meanwhile, so that tables are made anew all the while.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
BUILD=$TOP/build/tests/net
for helper in flip rounds; do
	[ -x "$BUILD/$helper" ] || t_die "no $BUILD/$helper: make prog-tests comes first"
done
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

flips=${PB_FLIPS:-200}
# The client is in the list of one, by itself or by a wide prefix, and not in that of the other.
{ echo "$B4/24"; seq -f '172.16.%.0f.1' 0 255; } >a.list
seq 0 39999 | awk '{ print "172." 16 + int($1 / 65536) "." int($1 / 256) % 256 "." $1 % 256 }' >b.list

# What each says of the ports, and of the one pair of them what:
#	1000-1199	drop
#	2000-2199	pass
#	3000-3199	drop the even ones, pass the odd ones; and the other way round
cat >a.rules <<'END'
set list file a.list
drop udp dport 1000-1199 from @list
drop udp dport 2000-2199 except @list
END
seq -f 'drop udp dport %.0f from @list' 3000 2 3038 >>a.rules
cat >b.rules <<'END'
set list file b.list
drop udp dport 1000-1199 except @list
drop udp dport 2000-2199 from @list
END
seq -f 'drop udp dport %.0f except @list' 3001 2 3039 >>b.rules

# figure NAME: of what rounds printed
figure()
{
	sed -nE "s/.*$1 ([0-9]+).*/\1/p" <<<"$figures"
}

t_ok 'load' in_a "$PB" load v0 --rules a.rules
"$PB" set create own --max 100000 >/dev/null
t_ok 'ping' in_b ping -q -c 1 -W 60 "$A4"
while :; do
	"$PB" set load own b.list >/dev/null && echo loaded
	"$PB" set add own 192.0.2.1 >/dev/null && echo added
	"$PB" set flush own >/dev/null && echo flushed
done >others 2>&1 &
others=$!
bg_pids+=("$others")
t_ok "$flips changes under traffic" "$BUILD/rounds" "$NS_A" "$NS_B" "$A4" \
	1000-1199 2000-2199 3000-3039 "$BUILD/flip" default b.rules a.rules "$flips"
figures=$T_OUT
kill -TERM "$others"
wait "$others" 2>/dev/null
t_note "$figures, and $(wc -l <others) changes of another set"
t_ok 'with some traffic' test "$(figure rounds)" -gt "$flips"
t_is 'nothing got through that both drop' 0 "$(figure stray)"
t_is 'nothing was dropped that both pass' 0 "$(figure lost)"
t_ok 'pairs see one generation, but for those sent across a change' test "$(figure torn)" -le "$flips"
t_is 'no change of the other set has failed' '' "$(grep -vxE 'loaded|added|flushed' others)"

# Back by rollback and by the clock, under the same traffic: no change has a moment in between, either.
cat >there-and-back <<'END'
for ((i = 0; i < $1; i++)); do
	"$PB" apply --confirm 1h b.rules >/dev/null && "$PB" rollback >/dev/null || exit 1
	((i % 10)) && continue
	"$PB" apply --confirm 1s b.rules >/dev/null && end=$((SECONDS + 60)) || exit 1
	until "$PB" save | grep -q a.list; do ((SECONDS < end)) || exit 1; done
done
END
t_ok 'changes that are taken back, under traffic' "$BUILD/rounds" "$NS_A" "$NS_B" "$A4" \
	1000-1199 2000-2199 3000-3039 bash there-and-back 30
figures=$T_OUT
t_note "$figures"
t_is 'nothing got through that both drop' 0 "$(figure stray)"
t_is 'nothing was dropped that both pass' 0 "$(figure lost)"
t_ok 'pairs see one generation, but for those sent across a change' test "$(figure torn)" -le 66
t_ok 'unload' in_a "$PB" unload v0
t_done
