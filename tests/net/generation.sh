#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A confirm that runs out by the clock, with nobody to say so: whoever runs on (stats, top,
# monitor) shows the rules that are in force from then on.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

# Both are the same rule, with the same id.
echo 'drop udp dport 1001 comment "before"' >"$T_DIR/before.rules"
echo 'audit udp dport 1001 comment "meanwhile"' >"$T_DIR/meanwhile.rules"
echo 'audit udp dport 1001 comment "anew"' >"$T_DIR/anew.rules"
t_ok 'load' in_a "$PB" load v0 --rules "$T_DIR/before.rules"

# --- the watchers ---------------------------------------------------------------------------

bg in_a "$PB" stats -i 1 -j
stats=$BG_OUT
bg in_a "$PB" monitor -j
monitor=$BG_OUT

mux()
{
	tmux -L "pb-$T_NAME-$$" -f /dev/null "$@"
}
trap 'mux kill-server 2>/dev/null; t_clean_up' EXIT
if command -v tmux >/dev/null; then
	LC_ALL=C.UTF-8 mux -u new-session -d -x 120 -y 24 \
		"nsenter --net=/run/netns/$NS_A '$PB' top" || t_die 'no tmux session'
fi

# stats_show COMMENT: in the last reading
stats_show()
{
	tail -n 1 "$stats" | json 'd["rules"][0]["rule"]' | grep -q "comment \"$1\""
}

# monitor_shows COMMENT OUTCOME: of a packet that is sent now
monitor_shows()
{
	in_b "$PYTHON" "$PEER" send udp "$A4" 1001
	tail -n 1 "$monitor" |
		json 'd["outcome"], d["rule_text"]' | grep -q "\"$2\".*comment.*$1"
}

top_shows()
{
	mux capture-pane -p | grep -q "udp dport 1001 .*$1"
}

# all_show WHEN COMMENT OUTCOME
all_show()
{
	t_ok "$1: stats" wait_for 60 stats_show "$2"
	t_ok "$1: monitor" wait_for 60 monitor_shows "$2" "$3"
	if command -v tmux >/dev/null; then
		t_ok "$1: top" wait_for 60 top_shows "$2"
	else
		t_skip "$1: top" 'no tmux here'
	fi
}

settled()
{
	[ "$(status_is v0 confirm_in)" = null ]
}

all_show 'before' before drop-rule
t_ok 'apply --confirm' in_a "$PB" apply --confirm 20s "$T_DIR/meanwhile.rules"
all_show 'meanwhile' meanwhile audit
t_ok 'it runs out' wait_for 60 settled
all_show 'then' before drop-rule

# The slot and the number after it are used again: it is another generation all the same.
t_ok 'another change' in_a "$PB" apply --confirm 1h "$T_DIR/anew.rules"
all_show 'anew' anew audit
t_ok 'rollback' "$PB" rollback
all_show 'after rollback' before drop-rule
t_done
