#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# top: in a real terminal (tmux), where keys are sent and the screen is read back; and
# as text where there is no terminal.

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

refused 'no ruleset' 1 'load' in_a "$PB" top
t_ok 'load' in_a "$PB" load v0
t_ok 'rule 1' "$PB" rule add drop udp dport 7
t_ok 'rule 2' "$PB" rule add drop udp dport 8
t_ok 'rule 3' "$PB" rule add audit udp dport 9
send()
{
	in_b "$PYTHON" "$PEER" send udp "$A4" "$@"
}
send 7 --count 10
send 8 --count 30
send 9 --count 20
wait_for 60 counted 3 20

# --- no terminal --------------------------------------------------------------------------

t_ok 'in a pipe: text, once' in_a "$PB" top
t_is 'as stats has it' "$(in_a "$PB" stats | grep -v noport)" "$(grep -v noport <<<"$T_OUT")"
for what in 0 3601 x ''; do
	refused "-i '$what'" 2 "--interval.*'$what'" in_a "$PB" top -i "$what"
done
refused '-j is not for top' 2 'no option -j' in_a "$PB" top -j
refused 'without rights' 1 'CAP_' nobody "$PB" top
# shellcheck disable=SC2016 # for that bash to expand
t_fail 'a full stdout is a failure' 1 'stdout' in_a bash -c '"$PB" top >/dev/full'

# --- a terminal ---------------------------------------------------------------------------

if ! command -v tmux >/dev/null; then
	t_skip 'in a terminal' 'no tmux here'
	t_done
fi

# Each terminal has a server of its own: the one before may be ending still.
terminal=0
mux()
{
	tmux -L "pb-top-$$-$terminal" -f /dev/null "$@"
}

# open COLUMNS ROWS OPTIONS...: a terminal with top in it; STATUS gets its exit status
STATUS=$T_DIR/status
open()
{
	local columns=$1 rows=$2
	shift 2
	rm -f "$STATUS"
	terminal=$((terminal + 1))
	LC_ALL=C.UTF-8 mux -u new-session -d -x "$columns" -y "$rows" \
		"nsenter --net=/run/netns/$NS_A '$PB' top $* 2>'$T_DIR/err'; echo \$? >'$STATUS.new'; \
		mv '$STATUS.new' '$STATUS'; read -r _" || t_die 'no tmux session'
}

close()
{
	mux kill-server 2>/dev/null
}
trap 'close; t_clean_up' EXIT

screen()
{
	mux capture-pane -p
}

line()
{
	screen | sed -n "$1p"
}

# shows REGEX: on the screen; for wait_for
shows()
{
	screen | grep -Eq -e "$1"
}

shows_no()
{
	! shows "$1"
}

# on_screen NAME REGEX: it comes
on_screen()
{
	if wait_for 60 shows "$2"; then
		t_result 0 "$1"
	else
		t_result 1 "$1"
		t_note "no '$2' in:
$(screen)"
	fi
}

# ids: of the rules, from top to bottom
ids()
{
	screen | sed -nE 's/^ *[^ ]+ +[^ ]+ +[^ ]+ +[^ ]+ +([0-9]+)  (drop|audit|allow) .*/\1/p' | xargs
}

in_order()
{
	[ "$(ids)" = "$1" ]
}

# order NAME IDS
order()
{
	if wait_for 60 in_order "$2"; then
		t_result 0 "$1" # it may be another one by the next reading
	else
		t_is "$1" "$2" "$(ids)"
	fi
}

key()
{
	mux send-keys "$1"
}

open 100 24
on_screen 'the head' '^ruleset default, policy allow, 3 rules, 1 interfaces?$'
on_screen 'the columns' '^ +PKT/S +B/S +PACKETS +BYTES +ID  RULE$'
on_screen 'a rule' ' 30 +[0-9.]+k? +2  drop udp dport 8$'
on_screen 'the keys' '^q quit  v view  s sort: packets/s  p pause  up/down scroll$'

# Sorting
order 'no rate: by packets' '2 3 1'
key s
on_screen 's: by packets' 'sort: packets  '
order 'by packets' '2 3 1'
key s
on_screen 's: by id' 'sort: id  '
order 'by id' '1 2 3'
key s
on_screen 's: by rate again' 'sort: packets/s  '
# Packets for rule 1 alone, until its rate is the highest
sending=$T_DIR/sending
touch "$sending"
# shellcheck disable=SC2016 # for that bash to expand
bg in_b bash -c 'while [ -e "$0" ]; do "$PYTHON" "$1" send udp "$A4" 7 --count 5; done' "$sending" "$PEER"
order 'by rate' '1 2 3'
on_screen 'the rate is shown' '^ +[1-9][0-9.]*k? +[1-9][0-9.k]* +[0-9.k]+ +[0-9.k]+ +1  drop udp dport 7'
on_screen 'with a sparkline' '^ *[0-9.k]+/s .*[▁▂▃▄▅▆▇█]'

# Pausing
key p
on_screen 'p: paused' 'PAUSED'
paused=$(screen)
count=$(rule_is 1 packets)
more()
{
	[ "$(rule_is 1 packets)" -gt $((count + 20)) ]
}
wait_for 60 more
# It wakes up for each reading that it would show, and sleeps again.
sleeps()
{
	sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' "/proc/$(ours)/status"
}
slept=$(sleeps)
two_readings_later()
{
	[ "$(sleeps)" -ge $((slept + 3)) ]
}
t_ok 'paused: it runs on' wait_for 60 two_readings_later
t_is 'paused: nothing moves' "$paused" "$(screen)"
key s
on_screen 'paused: keys work' 'sort: packets  .*'
key p
wait_for 60 shows_no PAUSED
t_ok 'p: it goes on' shows_no PAUSED
rm "$sending"
wait "$BG_PID"

# The other view
key v
on_screen 'v: interfaces' '^ +PKT/S +B/S +PACKETS +BYTES  INTERFACE, OUTCOME$'
on_screen 'v: an outcome' ' 20 +[0-9.]+k?  v0, audit$'
t_is 'v: all outcomes' 9 "$(screen | grep -c ' v0, ')"
key Down
on_screen 'down: the first line is another' '^ .*v0, drop-rule$'
wait_for 60 shows_no 'v0, pass$'
t_ok 'down: the first one has gone' shows_no 'v0, pass$'
key Up
on_screen 'up: it is back' 'v0, pass$'
for _ in {1..30}; do
	key Down
done
for _ in {1..10}; do
	key Up
done
on_screen 'not below the last line' 'v0, pass$'
key Tab
on_screen 'tab: rules again' 'ID  RULE$'

# Size
mux resize-window -x 60 -y 10
on_screen 'smaller: the keys are in the last line' '^q quit'
last_is_keys()
{
	[[ $(line "$1") == 'q quit'* ]]
}
t_ok 'smaller: it fits' wait_for 60 last_is_keys 10
mux resize-window -x 39 -y 10
on_screen 'too small' '^too small: 40x6$'
mux resize-window -x 80 -y 5
on_screen 'too low' '^too small: 40x6$'
mux resize-window -x 40 -y 6
on_screen 'just large enough' '^ruleset default'
mux resize-window -x 100 -y 24
on_screen 'large again' 'drop udp dport 8$'
t_ok 'in full' wait_for 60 last_is_keys 24

# A rule more, a rule less, while it runs
t_ok 'rule 4' "$PB" rule add drop tcp dport 22
on_screen 'a new rule appears' ' 4  drop tcp dport 22$'
t_ok 'del 4' "$PB" rule del 4
wait_for 60 shows_no 'dport 22$'
t_ok 'a deleted one goes' shows_no 'dport 22$'
t_ok 'flush' "$PB" rule flush
on_screen 'no rules' '^No rules\.$'

ended()
{
	[ -e "$STATUS" ]
}
key q
t_ok 'q ends it' wait_for 60 ended
t_is 'well' 0 "$(cat "$STATUS")"
t_ok 'the terminal is as it was' shows_no 'q quit'
t_is 'and nothing was said' '' "$(cat "$T_DIR/err")"
close

open 100 24 -i 3600
on_screen '-i 3600: the first reading is shown at once' 'No rules'
key q
t_ok '-i 3600: a key is obeyed at once' wait_for 60 ended
close

open 100 24
on_screen 'once more' '^ruleset default'
key C-c
t_ok 'Ctrl-C ends it' wait_for 60 ended
t_is 'well, too' 0 "$(cat "$STATUS")"
close

open 100 24
on_screen 'and once more' '^ruleset default'
t_ok 'unload' in_a "$PB" unload v0
t_ok 'the ruleset is unloaded: it ends' wait_for 60 ended
t_is 'with a failure' 1 "$(cat "$STATUS")"
t_is 'and says so' "xdp-portblock: the ruleset 'default' was unloaded" "$(cat "$T_DIR/err")"
close

t_ok 'load again' in_a "$PB" load v0
export TERM=nosuchterminal
bg script -qec "nsenter --net=/run/netns/$NS_A '$PB' top" /dev/null
wait "$BG_PID"
t_is 'a terminal that is not known: a failure' 1 $?
t_ok 'and says what would do' grep -q 'nosuchterminal.*stats -i 1' "$BG_OUT"
t_done
