#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A ruleset is unloaded and loaded anew while a command waits for it: the change is made in the
# one that is there, or the command says that there is none. Never in one that nobody sees.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3
cd "$T_DIR" || exit 1
WITNESS=$TOP/build/tests/net/witness

printf '%s\n' '22/tcp' '23/tcp' >old.rules
printf '%s\n' '22/tcp' '24/tcp' >new.rules
printf '%s\n' '25/tcp' >file.rules

# --- one command, stopped at the lock -------------------------------------------------------

# waits PID: for a lock
waits()
{
	gone "$1" || grep -q -- "-> FLOCK .* $1 " /proc/locks
}

# Two rulesets with one name: `default` of v0 is pinned as `old` by the time that the command, which
# had opened it, gets its lock, and v2 has a new one.
# exchange KIND COMMAND...: KIND of lock (-s: the command has opened the pins, and waits to change
# them; -x: it waits to open them); with NEW= there is no new one. Leaves STATUS and the file `said`.
exchange()
{
	local pid
	in_a "$PB" unload --all >/dev/null
	in_a "$PB" load v0 --rules old.rules >/dev/null || t_die 'no load'
	[ -z "${PENDING:-}" ] || "$PB" apply --confirm 1h "$PENDING" >/dev/null || t_die 'no apply'
	exec 8<"$PINS/default"
	flock "$1" 8
	shift
	"$PB" "$@" >said 2>&1 8<&- &
	pid=$!
	wait_for 60 waits "$pid" || t_die "$*: does not wait"
	mv "$PINS/default" "$PINS/old"
	[ -z "$NEW" ] || in_a "$PB" load v2 --rules "$NEW" >/dev/null 8<&- || t_die 'no second load'
	flock -u 8
	exec 8<&-
	wait "$pid"
	STATUS=$?
}

# ports RULESET: of its rules
ports()
{
	"$PB" rule list -j -r "$1" | json "' '.join(sorted(p for r in d['rules'] for p in r['ports']))"
}

# changes NAME NEW-PORTS COMMAND...: in the new one alone
changes()
{
	local name=$1 expected=$2
	shift 2
	exchange -s "$@"
	t_is "$name: succeeds" 0 "$STATUS"
	t_is "$name: is made in the ruleset that is there" "$expected" "$(ports default)"
	t_is "$name: is not made in the one that was unloaded" '22 23' "$(ports old)"
	NEW='' exchange -s "$@"
	t_is "$name, and there is none: fails" 1 "$STATUS"
	t_ok "$name, and there is none: says so" grep -Eq "'default' was unloaded.*load" said
	t_is "$name, and there is none: changes nothing" '22 23' "$(ports old)"
}

NEW=new.rules
changes 'rule add' '22 24 30' rule add 30/tcp
changes 'rule del' '24' rule del 22/tcp
changes 'rule flush' '' rule flush
changes 'apply' '25' apply file.rules
changes 'policy' '22 24 546 68' policy deny

exchange -s policy deny
t_is 'policy: the new one has it' deny "$("$PB" policy)"
t_is 'policy: the old one has not' allow "$("$PB" policy -r old)"
exchange -s fragments drop
t_is 'a setting: the new one has it' drop "$("$PB" fragments)"
t_is 'a setting: the old one has not' pass "$("$PB" fragments -r old)"
exchange -s rule reset
t_is 'rule reset' 0 "$STATUS"

for command in confirm rollback; do
	PENDING=file.rules exchange -s "$command"
	t_is "$command: nothing is pending in the new one" 1 "$STATUS"
	t_ok "$command: says so" grep -q 'no change .* waits' said
	t_ok "$command: leaves what is pending in the old one" "$PB" confirm -r old
done

exchange -x rule list
t_is 'rule list' 0 "$STATUS"
t_is 'rule list: shows the one that is there' '22 24' \
	"$(grep -o 'dport [0-9]*' said | cut -d ' ' -f 2 | xargs)"
in_a "$PB" unload --all >/dev/null
t_is 'nothing is left' '' "$(our_pins)"

# --- many, all the time ---------------------------------------------------------------------

# A round: workers add rules, while the ruleset is unloaded, looked at by a witness who holds it
# open, and loaded anew; until the new one has got some, too. Each rule whose addition was acknowledged is in the new
# ruleset, or it was in the old one when that was unloaded.
ROUNDS=20 WORKERS=4 PORTS=700
[ -x "$WITNESS" ] || t_die "no $WITNESS: make prog-tests"

# adds ROUND WORKER
adds()
{
	local i port
	for ((i = 0; ; i++)); do
		[ ! -e enough ] || return 0
		port=$((1000 + ($1 * WORKERS + $2) * PORTS + i % PORTS))
		! "$PB" rule add "$port/tcp" >>"said.$2" 2>&1 || echo "$port" >>"added.$2"
	done
}

new_has_some()
{
	[ -n "$(ports default)" ]
}

has_seen()
{
	[ "$(wc -l <seen)" -ge 2 ]
}

lost='' added=0 exchanged=0
mkfifo ask
in_a "$PB" load v0 >/dev/null || t_die 'no load'
for ((round = 0; round < ROUNDS; round++)); do
	rm -f added.* said.* enough
	"$WITNESS" default <ask >seen &
	witness=$!
	exec 7>ask
	wait_for 60 grep -q open seen || t_die 'no witness'
	pids=()
	for ((i = 0; i < WORKERS; i++)); do
		adds "$round" "$i" 7>&- &
		pids+=($!)
	done
	wait_for 60 test -s added.0
	in_a "$PB" unload v0 >/dev/null 7>&- || t_die 'no unload'
	echo >&7
	wait_for 60 has_seen || t_die 'the witness says nothing'
	in_a "$PB" load v0 >/dev/null 7>&- || t_die 'no load'
	wait_for 60 new_has_some 7>&-
	touch enough
	exec 7>&-
	wait "${pids[@]}" "$witness"
	there=" $(tail -n 1 seen) $(ports default) "
	[ "$(ports default)" = '' ] || exchanged=$((exchanged + 1))
	while read -r port; do
		added=$((added + 1))
		[[ $there = *" $port "* ]] || lost+=" $port"
	done < <(cat added.*)
done
t_note "$added rules added in $ROUNDS rounds; in $exchanged of them the new ruleset got some"
t_ok 'rules were added to both' test "$exchanged" = "$ROUNDS"
t_is 'no rule is lost whose addition was acknowledged' '' "$lost"
t_ok 'unload' in_a "$PB" unload v0
t_is 'nothing is left in the end' '' "$(our_pins)"
t_done
