#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# upgrade: this version's program takes the place of the one that is loaded, under traffic,
# with all rules and counters; and a version that does not fit says so.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
ROUNDS=$TOP/build/tests/net/rounds
[ -x "$ROUNDS" ] || t_die "no $ROUNDS: make prog-tests comes first"
world_enter "$@"
world_pair
world_wire v2 v3
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

refused 'upgrade with nothing loaded' 1 'v0: .*not loaded' in_a "$PB" upgrade v0
t_fail 'upgrade --all with nothing loaded' 0 '^No interface is loaded' in_a "$PB" upgrade --all
t_is 'makes nothing' '' "$(our_pins)"
refused 'upgrade of nothing' 2 'upgrade which' "$PB" upgrade
refused 'upgrade of all and one' 2 'upgrade which' "$PB" upgrade --all v0

cat >some.rules <<'RULES'
drop tcp dport 22 comment "ssh"
drop tcp dport 1000-2000 from 10.0.0.0/8 except 10.9.0.0/16
audit udp dport 53 expires 1h
RULES
for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load v0 -m $mode --rules some.rules
	t_ok "$mode: 22 is silent" silent tcp "$A4" 22
	t_ok "$mode: 23 answers" answers tcp "$A4" 23
	rules=$("$PB" rule list -j | sed 's/"expires_in":[0-9]*//g')
	dropped=$(outcome v0 drop-rule) passed=$(outcome v0 pass) program=$(status_is v0 program_id)
	t_ok "$mode: something was counted" test "$dropped" -gt 0 -a "$passed" -gt 0
	pins=$(our_pins)
	t_ok "$mode: upgrade" in_a "$PB" upgrade v0
	t_is "$mode: it says so" "v0: upgraded, now program $(status_is v0 program_id)" "$T_OUT"
	t_ok "$mode: it is another program" test "$program" != "$(status_is v0 program_id)"
	t_is "$mode: the only one" "$(status_is v0 program_id)" "$(xdp_on v0)"
	t_is "$mode: in the same mode" $mode "$(status_is v0 mode)"
	t_is "$mode: rules, ids and their counters are kept" "$rules" \
		"$("$PB" rule list -j | sed 's/"expires_in":[0-9]*//g')"
	t_is "$mode: the interface's counters are kept" "$dropped $passed" \
		"$(outcome v0 drop-rule) $(outcome v0 pass)"
	t_is "$mode: no pin is new or gone" "$pins" "$(our_pins)"
	t_ok "$mode: 22 is silent still" silent tcp "$A4" 22
	t_ok "$mode: and counted" test "$(outcome v0 drop-rule)" -gt "$dropped"
	t_ok "$mode: rule del works" "$PB" rule del 22/tcp
	t_ok "$mode: on the new program" answers tcp "$A4" 22
	t_ok "$mode: load says that it is loaded" in_a "$PB" load v0
	t_ok "$mode: in words" grep -q '^v0: already loaded' <<<"$T_OUT"

	# A change that waits to be confirmed goes on waiting.
	t_ok "$mode: a change that waits" in_a "$PB" rule add 23/tcp --confirm 1h
	t_ok "$mode: upgrade meanwhile" in_a "$PB" upgrade v0
	t_ok "$mode: it is in force" silent tcp "$A4" 23
	t_ok "$mode: rollback" "$PB" rollback
	t_ok "$mode: is obeyed" answers tcp "$A4" 23
	t_ok "$mode: unload" in_a "$PB" unload v0
	t_is "$mode: no pin is left" '' "$(our_pins)"
	t_is "$mode: no program is left" '' "$(xdp_on v0)"
done

# --- several, and under traffic ------------------------------------------------------------

printf '%s\n' 'policy deny' 'allow udp dport 2000,3000' >deny.rules
t_ok 'load several, two rulesets' in_a "$PB" load v0 lo --rules deny.rules
t_ok 'and another' in_a "$PB" load v2 -r other
before=$(in_a "$PB" status -j | json '[i["program_id"] for i in d["interfaces"]]')
t_ok 'upgrade --all' in_a "$PB" upgrade --all
t_is 'a line each' 3 "$(grep -c ': upgraded' <<<"$T_OUT")"
t_is 'each has a new program' 3 "$(in_a "$PB" status -j |
	json "len(set(i['program_id'] for i in d['interfaces']) - set($before))")"
t_is 'and its own ruleset' '["default", "default", "other"]' \
	"$(in_a "$PB" status -j | json 'sorted(i["ruleset"] for i in d["interfaces"])')"
t_ok 'unload those two' in_a "$PB" unload lo v2

cat >upgrades <<'UPGRADES'
for ((i = 0; i < 50; i++)); do
	"$PB" upgrade v0 || exit 1
done
UPGRADES
t_ok 'a ping first' in_b ping -q -c 1 -W 60 "$A4"
"$PB" rule reset >/dev/null
t_ok '50 upgrades under traffic' "$ROUNDS" "$NS_A" "$NS_B" "$A4" 1000-1000 2000-2000 3000-3001 \
	"$BASH" ./upgrades
figures=$(grep ^rounds <<<"$T_OUT")
t_note "$figures"
rounds=$(sed -n 's/^rounds \([0-9]*\) .*/\1/p' <<<"$figures")
t_is 'not one packet came in unjudged, or was lost' "rounds $rounds stray 0 lost 0 torn 0" "$figures"
t_ok 'of a good many' test "$rounds" -gt 500
t_is 'each was counted' $((2 * rounds)) "$(outcome v0 drop-policy)"

# --- another version -----------------------------------------------------------------------

# config_version N: as if the maps were of that version
config_version()
{
	local value
	value=$(bpftool -j map lookup pinned "$PINS/default/pb_config" key 0 0 0 0 |
		json "' '.join(str(int(x, 16)) for x in [hex($1)] + d['value'][1:])")
	# shellcheck disable=SC2086 # words
	bpftool map update pinned "$PINS/default/pb_config" key 0 0 0 0 value $value
}

own=$(bpftool -j map lookup pinned "$PINS/default/pb_config" key 0 0 0 0 |
	json 'int(d["value"][0], 16)')
for version in $((own + 1)) $((own + 99)) 0; do
	t_ok "version $version: the maps" config_version $version
	refused "version $version: upgrade says what to do" 1 \
		"another version of xdp-portblock.*layout $version, this one has $own.*unload" \
		in_a "$PB" upgrade v0
	refused "version $version: so does upgrade --all" 1 'another version' in_a "$PB" upgrade --all
	refused "version $version: and load" 1 'another version' in_a "$PB" load v0
done
t_ok 'its own version' config_version "$own"
t_ok 'is fine' in_a "$PB" upgrade v0
refused 'without root' 1 'needs root' nobody "$PB" upgrade v0
rm "$PINS/default/pb_rules"
refused 'a pin is gone' 1 'missing|pins' in_a "$PB" upgrade v0
t_ok 'unload' in_a "$PB" unload --all
t_is 'no pin is left in the end' '' "$(our_pins)"
t_done
