#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --confirm, confirm and rollback: the rules from before come back by the kernel's clock,
# with no process of ours alive.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

# pending: how long a change of v0's ruleset still waits; null
pending()
{
	status_is v0 confirm_in
}

settled()
{
	[ "$(pending)" = null ]
}

# none_of_ours: no process runs our program. What was killed may take a while to be gone; one
# that outlives its session, to bring the rules back, would be there until they are: then nothing
# is blocked afterwards, at any of the lengths below.
none_of_ours()
{
	[ -z "$(ours)" ]
}

printf '%s\n' 'policy deny' 'drop tcp,udp,sctp,dccp,udplite dport 1-65535' >everything.rules
printf '%s\n' 'drop tcp dport 23 comment "before"' >before.rules

t_ok 'load' in_a "$PB" load v0 --rules before.rules
before=$("$PB" rule list -j | json 'd["rules"], d["policy"]')
t_is 'nothing is pending' null "$(pending)"
t_fail 'confirm of nothing' 1 'no change.*confirmed' "$PB" confirm
t_fail 'rollback of nothing' 1 'no change.*confirmed' "$PB" rollback

# --- it comes back, whoever is dead --------------------------------------------------------

# A session of its own, whose every process is killed while the change waits. Where the machine
# is too busy to kill it and to ask while it waits, it gets longer.
cat >session <<'SESSION'
echo $$ >"$1/pid"
"$PB" apply --confirm "$2s" "$1/everything.rules" >"$1/said"
echo applied >>"$1/said"
"$PB" status >"$1/said.status"
while :; do read -r -t 60; done <>"$1/fifo"
SESSION
mkfifo fifo
for seconds in 5 20 60 200; do
	began=$(clock)
	: >said
	bg in_a setsid -w "$BASH" session "$T_DIR" $seconds
	t_ok "apply --confirm ${seconds}s" wait_for 60 grep -qx applied said
	ended=$(clock)
	t_ok 'says what comes then' grep -q "confirm.*within \(${seconds}s\|[0-9]m\)" said
	kill -KILL -- "-$(cat pid)"
	bg_stop "$BG_PID" KILL
	t_ok 'all of it is killed' wait_for 60 gone "$(cat pid)"
	t_ok 'no process of ours is alive' wait_for 60 none_of_ours
	watch_end $seconds "$began" "$ended" 2 0 tcp "$A4" 22
	[ "$early" -eq 0 ] || break
done
t_ok "everything is blocked while it waits: asked $early times" test "$early" -gt 0
t_is 'then connections work again, not too early, not late' '' "$wrong"
t_ok '23 is blocked, as before' silent tcp "$A4" 23
t_is 'the rules from before are there, with their ids' '[1]' \
	"$("$PB" rule list -j | json '[r["id"] for r in d["rules"]]')"
t_is 'and what they say' 'drop tcp dport 23 comment "before"' "$("$PB" save | tail -n +2)"
t_is 'nothing is pending any more' null "$(pending)"
t_fail 'confirm is too late' 1 'too late' "$PB" confirm
t_fail 'and then there is nothing to confirm' 1 'no change.*confirmed' "$PB" confirm
t_ok 'another change works' "$PB" rule add 24/tcp
t_is 'and has the rules from before' 2 "$(rules | wc -l)"
t_ok 'and back' "$PB" rule del 24/tcp

# --- status, and a second change --------------------------------------------------------------

began=$(clock)
t_ok 'apply --confirm 1h' in_a "$PB" apply --confirm 1h everything.rules
t_ok 'status: JSON has the seconds left' is_left "$(pending)" 3600 "$began"
t_ok 'status: text says it' grep -q 'waits to be confirmed: \(1h\|[1-5]\?[0-9]m\)' <(in_a "$PB" status v0)
t_is 'the list is that of the change' 'deny 1' "$("$PB" policy) $(rules | wc -l)"
for command in 'rule add 99/tcp' 'rule del 1' 'rule flush' 'policy allow' 'fragments drop' \
	'apply before.rules' 'apply --confirm 5s before.rules' 'rule add --confirm 5s 99/tcp' \
	'policy --force allow'; do
	# shellcheck disable=SC2086 # words
	refused "$command, while a change waits" 1 'waits to be confirmed' "$PB" $command
done
refused 'load --rules, while a change waits' 1 'waits to be confirmed' \
	in_a "$PB" load lo --rules before.rules
t_ok 'save, diff and list work' "$PB" diff everything.rules

# --- rollback, confirm --------------------------------------------------------------------------

t_ok 'rollback' "$PB" rollback
t_ok 'is at once' answers tcp "$A4" 22
t_is 'nothing is pending after it' null "$(pending)"
t_is 'the rules are those from before' 'drop tcp dport 23 comment "before"' \
	"$("$PB" save | tail -n +2)"
t_fail 'rollback again' 1 'no change' "$PB" rollback

for seconds in 2 10 60; do
	t_ok "apply --confirm ${seconds}s to be confirmed" in_a "$PB" apply --confirm ${seconds}s - <<<'22/tcp'
	over=$(($(clock) + seconds * 100 + 1))
	! t_capture "$PB" confirm || break # it may come too late
done
t_is 'confirm' 'Ruleset default: the change is confirmed' "$T_OUT"
t_is 'nothing is pending after confirm' null "$(pending)"
t_fail 'confirm again' 1 'no change' "$PB" confirm
t_fail 'rollback after confirm' 1 'no change' "$PB" rollback
its_time_is_over()
{
	[ "$(clock)" -gt "$over" ]
}
t_ok 'its time goes by' wait_for 120 its_time_is_over
t_ok 'and it stays' silent tcp "$A4" 22
t_is 'the change is kept' 'drop tcp dport 22' "$("$PB" save | tail -n +2)"

# --- every command that changes ---------------------------------------------------------------

t_ok 'apply, for the rest' "$PB" apply before.rules
unchanged=$("$PB" save)
for command in 'rule add 22/tcp' 'rule add allow 23/tcp' 'rule del 23/tcp' 'rule flush' \
	'policy deny' 'replies off' 'fragments drop' 'unparsable pass'; do
	# shellcheck disable=SC2086 # words
	t_fail "$command --confirm" 0 'confirm.*within 1h' in_a "$PB" $command --confirm 1h
	t_ok "$command --confirm: is in force" test "$unchanged" != "$("$PB" save)"
	t_ok "$command --confirm: is pending" test "$(pending)" != null
	t_ok "$command --confirm: rollback" "$PB" rollback
	t_is "$command --confirm: is taken back" "$unchanged" "$("$PB" save)"
	# shellcheck disable=SC2086 # words
	"$PB" $command --confirm 1h >/dev/null
	t_ok "$command --confirm: confirm" "$PB" confirm
	t_ok "$command --confirm: is kept" test "$unchanged" != "$("$PB" save)"
	"$PB" apply before.rules >/dev/null
done
t_ok 'policy deny --confirm 1s' in_a "$PB" policy deny --confirm 1s
t_ok 'is over by itself' wait_for 60 settled
t_is 'and the policy is as before' allow "$("$PB" policy)"
t_is 'with the rules from before' "$unchanged" "$("$PB" save)"

for word in 0s x '' -5s 5; do
	refused "--confirm '$word'" 2 '--confirm' "$PB" rule add 22/tcp --confirm "$word"
done

# A change that changes nothing waits for nothing.
t_ok 'rule add --confirm of what is there' "$PB" rule add 23/tcp --comment before --confirm 1h
t_is 'leaves nothing pending' null "$(pending)"

# --- rulesets, unload ---------------------------------------------------------------------------

t_ok 'another ruleset' in_a "$PB" load lo -r other
t_fail 'a change of it' 0 'confirm -r other' "$PB" rule add -r other 22/tcp --confirm 1h
t_ok 'is no matter of the default one' "$PB" rule add 25/tcp
t_fail 'nor is its confirm' 1 'no change' "$PB" confirm
t_ok 'confirm -r' "$PB" confirm -r other
t_ok 'a change that waits' "$PB" rule add 26/tcp --confirm 1h
t_ok 'is no obstacle to unload' in_a "$PB" unload --all
t_is 'no pin is left' '' "$(our_pins)"
t_done
