#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Named rulesets, and interfaces that are moved between them: no packet passes unjudged.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
ROUNDS=$TOP/build/tests/net/rounds
[ -x "$ROUNDS" ] || t_die "no $ROUNDS: make prog-tests comes first"
world_enter "$@"
world_pair
world_wire v2 v3 10.9.1.1/24 fd0a::1/64 10.9.1.2/24 fd0a::2/64
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

# figure NAME: of what rounds printed
figure()
{
	sed -nE "s/.*rounds.*$1 ([0-9]+).*/\1/p; s/^$1 ([0-9]+) stray.*/\1/p" <<<"$figures"
}

# rulesets: that are pinned
rulesets()
{
	find "$PINS" -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort | paste -sd' '
}

# --- independent -------------------------------------------------------------------------

t_ok 'load with one' in_a "$PB" load v0 -r one
t_ok 'load with two' in_a "$PB" load v2 -r two --policy deny
t_ok 'a rule of one' "$PB" rule add -r one 22/tcp
t_ok 'a rule of two' "$PB" rule add -r two allow 22/tcp
t_ok 'one: 22 is silent' silent tcp "$A4" 22
t_ok 'one: 23 answers' answers tcp "$A4" 23
t_ok 'two: 22 answers' answers tcp 10.9.1.1 22
t_ok 'two: 23 is silent' silent tcp 10.9.1.1 23
t_ok 'one has counted its own' test \
	"$("$PB" rule list -r one -j | json 'd["rules"][0]["packets"]')" -gt 0
t_is 'v0 has dropped nothing by policy' 0 "$(outcome v0 drop-policy)"
t_ok 'v2 has' test "$(outcome v2 drop-policy)" -gt 0

for name in .. . a/b /etc 'a b' '' "$(printf '%032d' 0)" 'é' 'a~' '*'; do
	for command in 'rule list' 'rule add 22/tcp' save 'apply /dev/null' 'diff /dev/null' confirm \
		rollback policy 'load v0'; do
		status=1
		[ "${command%% *}" != diff ] || status=2
		# shellcheck disable=SC2086 # words
		t_fail "$command -r '$name'" $status "is no name for a ruleset" \
			in_a "$PB" $command -r "$name"
	done
done
t_is 'those names have made nothing' 'one two' "$(rulesets)"

# --- a move, and what becomes of what was left ---------------------------------------------

refused 'load without -r moves nothing' 1 "with the ruleset 'one'.*-r default" in_a "$PB" load v0
refused 'nor does load --rules' 1 "with the ruleset 'one'" in_a "$PB" load v0 --rules /dev/null
t_ok 'load -r one says that it is so' in_a "$PB" load v0 -r one
t_ok 'in words' grep -q '^v0: already loaded' <<<"$T_OUT"
t_ok 'load -r two moves it' in_a "$PB" load v0 -r two
t_ok 'and says so' grep -q '^v0: moved.*ruleset two' <<<"$T_OUT"
t_is 'status says two' two "$(status_is v0 ruleset)"
t_ok '22 answers' answers tcp "$A4" 22
t_ok '23 is silent' silent tcp "$A4" 23
t_is 'one, which nobody uses, is gone' two "$(rulesets)"
t_is 'one program an interface' '1 1' "$(xdp_on v0 | wc -l) $(xdp_on v2 | wc -l)"
t_ok 'to a new ruleset, with rules' in_a "$PB" load v0 -r three --rules - <<<'23/tcp'
t_is 'two is used by v2 still' 'three two' "$(rulesets)"
t_ok 'three: 22 answers' answers tcp "$A4" 22
t_ok 'both at once' in_a "$PB" load v0 v2 -r four --policy deny
t_is 'are together' four "$(rulesets)"
t_ok 'four: 23 is silent' silent tcp "$A4" 23
refused 'a move to faulty rules' 1 '"x"' in_a "$PB" load v0 -r five --rules - <<<'x'
refused 'a move to more rules than fit' 1 '--max-rules' \
	in_a "$PB" load v0 -r five --max-rules 1 --rules - <<<$'1/tcp\n2/tcp'
refused 'a move in another mode' 1 'native mode' in_a "$PB" load v0 -r five -m skb
# What is moved back has a new program, that obeys the old rules and goes on counting.
before=$(state | sed 's/ id [0-9]* / /')
t_fail 'a move of one, and a failure of another' 1 'lo: .*native' \
	in_a "$PB" load v0 v2 lo -m native -r five --rules - <<<'1/tcp'
t_is 'leaves both where they were' "$before" "$(state | sed 's/ id [0-9]* / /')"
t_ok 'with what they had counted' test "$(outcome v0 drop-policy)" -gt 0
t_is 'all is as before' 'four four' "$(status_is v0 ruleset) $(status_is v2 ruleset)"
t_ok 'unload' in_a "$PB" unload --all
t_is 'no pin is left' '' "$(our_pins)"

# --- under traffic ---------------------------------------------------------------------------

# Both drop 1000 and pass 2000; of 3000 and 3001 each drops another.
printf '%s\n' 1000/udp 3000/udp >a.rules
printf '%s\n' 'policy deny' 'allow udp dport 2000,3000' >b.rules

# moves N: between rulesets, of which the one that is left goes and is made anew
cat >moves <<'MOVES'
for ((i = 0; i < $1; i++)); do
	"$PB" load v0 -r b --rules b.rules && "$PB" load v0 -r a --rules a.rules || exit 1
done
MOVES
# moves between those that stay, since v2 and lo use them
cat >to-and-fro <<'MOVES'
for ((i = 0; i < $1; i++)); do
	"$PB" load v0 -r b && "$PB" load v0 -r a || exit 1
done
MOVES

for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load v0 -m $mode -r a --rules a.rules
	t_ok "$mode: a ping first" in_b ping -q -c 1 -W 60 "$A4"
	for how in moves to-and-fro; do
		if [ $how = to-and-fro ]; then
			t_ok "$mode: others keep the rulesets" in_a "$PB" load v2 -r a
			t_ok "$mode: both of them" in_a "$PB" load lo -r b --rules b.rules
		fi
		t_ok "$mode: 50 moves under traffic: $how" "$ROUNDS" "$NS_A" "$NS_B" "$A4" \
			1000-1000 2000-2000 3000-3001 "$BASH" "./$how" 25
		figures=$(grep ^rounds <<<"$T_OUT")
		t_note "$figures"
		t_is "$mode: $how: each was a move" 50 "$(grep -c '^v0: moved' <<<"$T_OUT")"
		t_is "$mode: $how: nothing came in that both drop" 0 "$(figure stray)"
		t_is "$mode: $how: nothing was lost that both pass" 0 "$(figure lost)"
		t_ok "$mode: $how: with some traffic" test "$(figure rounds)" -gt 500
		t_ok "$mode: $how: pairs see one ruleset, but for those sent across a move" \
			test "$(figure torn)" -le 50
	done
	t_ok "$mode: unload" in_a "$PB" unload --all
done

# --- load, under traffic ------------------------------------------------------------------------

# Without the filter all comes in; from the first packet that it sees on, its rules hold: what
# passes by its count is what the rules pass.
cat >load-unload <<'LOADS'
for ((i = 0; i < 20; i++)); do
	"$PB" load v0 --rules b.rules >/dev/null || exit 1
	"$PB" status -j v0
	"$PB" unload v0 >/dev/null || exit 1
done
LOADS
"$ROUNDS" "$NS_A" "$NS_B" "$A4" 1000-1000 2000-2000 3000-3001 "$BASH" ./load-unload >seen
t_is 'load --rules, 20 times under traffic' 20 "$(grep -c outcomes seen)"
t_is 'no packet passed that its rules drop' 0 "$(grep outcomes seen | "$PYTHON" -c '
import json, sys
seen = [json.loads(line)["interfaces"][0]["outcomes"] for line in sys.stdin]
# Of the four of a round two are dropped; the first and the last round may be cut short.
print(sum(abs(o["pass"]["packets"] - o["drop-policy"]["packets"]) > 2 for o in seen))')"
t_done
