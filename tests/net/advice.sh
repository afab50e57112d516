#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Commands in messages mean the ruleset that the message is about: they name it, unless it is the
# default one. Where it can be, what is advised is done.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

# advised NAME STATUS COMMAND...: prints the commands in backquotes of what it says
advised()
{
	local name=$1 status=$2
	shift 2
	t_fail "$name" "$status" '`xdp-portblock' "$@"
	# shellcheck disable=SC2016 # backquotes
	ADVICE=$(grep -o '`xdp-portblock [^`]*`' <<<"$T_OUT" | tr -d '`')
}

# for_ruleset NAME OPTION: the messages about it; OPTION is " -r NAME" or nothing
for_ruleset()
{
	local name=$1 option=$2

	advised "$name: nothing is loaded" 1 "$PB" rule list -r "$name"
	t_is "$name: load" "xdp-portblock load eth0$option" "$ADVICE"
	t_ok "$name: load it" in_a "$PB" load v0 -r "$name"
	advised "$name: --confirm" 0 in_a "$PB" rule add 22/tcp -r "$name" --confirm 1h
	t_is "$name: confirm" "xdp-portblock confirm$option" "$ADVICE"
	advised "$name: another change" 1 in_a "$PB" rule add 23/tcp -r "$name"
	t_is "$name: confirm, rollback" "xdp-portblock confirm$option
xdp-portblock rollback$option" "$ADVICE"
	# shellcheck disable=SC2046 # words
	t_ok "$name: what is advised works" "$PB" $(sed -n '1s/^xdp-portblock //p' <<<"$ADVICE")
	advised "$name: no such rule" 1 in_a "$PB" monitor --rule 9 -r "$name"
	t_is "$name: rule list" "xdp-portblock rule list$option" "$ADVICE"
	advised "$name: another policy" 1 in_a "$PB" load v0 -r "$name" -p deny
	t_is "$name: policy" "xdp-portblock policy$option deny" "$ADVICE"
	# shellcheck disable=SC2086 # words
	t_ok "$name: what is advised works, too" "$PB" ${ADVICE#xdp-portblock }
	t_is "$name: the policy" deny "$("$PB" policy -r "$name")"
	t_ok "$name: unload" in_a "$PB" unload v0
}

for_ruleset other ' -r other'
for_ruleset default ''
t_done
