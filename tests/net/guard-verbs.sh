# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of the guard, on top of verbs.sh: connections that stay, and commands that
# are given through one of them. SSH is what sshd would say of it, HELD its name.

declare -A held_pid held_out held_port
held_next=50000
SSH='' HELD=''
would_cut='would cut the SSH connection it is given through .*'
# What a command says at the end
FORCE='; --force does it$'
CONFIRM='; --confirm 60s tries it and comes back by itself, --force does it$'
export FORCE CONFIRM

# hold NAME ADDRESS PORT [AS-ADDRESS [AS-PORT]]: a connection from B that stays, and is the
# one meant from here on; sshd sees it come to the address and port that are said last
hold()
{
	held_next=$((held_next + 1))
	bg in_b "$PYTHON" "$PEER" hold "$2" "$3" --sport "$held_next"
	held_pid[$1]=$BG_PID held_out[$1]=$BG_OUT held_port[$1]=$held_next
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	grep -q '^ready$' "$BG_OUT" || t_die "hold $*: $(tail -n 1 "$BG_OUT")"
	HELD=$1
}

# meant NAME CLIENT SERVER [PORT]: commands are given through that connection
meant()
{
	HELD=$1 SSH="$2 ${held_port[$1]} $3 ${4:-22}"
}

# link_local DEV [WHERE]: its link-local address
link_local()
{
	"${2:-in_a}" ip -6 -o addr show dev "$1" scope link |
		sed -n 's/.*inet6 \(fe80[^/]*\).*/\1/p' | head -n 1
}

# by_ssh CONNECTION COMMAND...: in A, with the connection in the environment
by_ssh()
{
	local connection=$1
	shift
	in_a env SSH_CONNECTION="$connection" "$@"
}

# by_sudo CONNECTION COMMAND...: the same, as the child of a process without it, whose
# parent has it
by_sudo()
{
	local connection=$1
	shift
	# shellcheck disable=SC2016 # for the shells to expand
	by_ssh "$connection" bash -c \
		'env -u SSH_CONNECTION bash -c "\"\$@\"; exit \$?" sudo "$@"; exit $?' ssh "$@"
}

# Without what changes by itself: packets of the connections are counted, rules end.
eval "$(declare -f state | sed '1s/state/whole_state/')"
state()
{
	whole_state | sed -E 's/"(packets|bytes|expires_in)":[^,}]*//g'
}

heard()
{
	grep -c '^\.$' "${held_out[$HELD]}"
}

say_word()
{
	kill -USR1 "${held_pid[$HELD]}"
}

more_heard()
{
	[ "$(heard)" -gt "$1" ]
}

# alive NAME: a word comes back
alive()
{
	local before
	before=$(heard)
	say_word
	t_ok "$1" wait_for 60 more_heard "$before"
}

# Packets of A that were dropped, on all interfaces
dropped()
{
	in_a "$PB" status -j | json "sum(i['outcomes'][o]['packets'] for i in d['interfaces']
		for o in ('drop-rule', 'drop-policy'))"
}

more_dropped()
{
	[ "$(dropped)" -gt "$1" ]
}

# calm: all rulesets are empty, whatever was; what was dropped is sent again by TCP
calm()
{
	local set
	for set in "$PINS"/*/; do
		[ -d "$set" ] || continue
		"$PB" confirm -f -r "$(basename "$set")" >/dev/null 2>&1
		"$PB" apply -f -r "$(basename "$set")" - </dev/null >/dev/null || t_die 'no calm'
	done
}

# cut_off NAME: a word does not arrive; then, with all rules gone, it does
cut_off()
{
	local drops words
	drops=$(dropped) words=$(heard)
	say_word
	t_ok "$1: it is dropped" wait_for 60 more_dropped "$drops"
	calm
	t_ok "$1: and arrives when it is not" wait_for 60 more_heard "$words"
}

# refuse NAME REGEX COMMAND...: refused, in such words
refuse()
{
	local name=$1 regex=$2
	shift 2
	refused "$name" 1 "$would_cut$regex" by_ssh "$SSH" "$PB" "$@"
}

# cut NAME REGEX COMMAND...: refused, and rightly so
cut()
{
	local name=$1
	refuse "$@"
	shift 2
	t_ok "$name: --force" by_ssh "$SSH" "$PB" "$@" --force
	cut_off "$name"
}

# fine NAME COMMAND...: not refused, and rightly so
fine()
{
	local name=$1
	shift
	t_ok "$name" by_ssh "$SSH" "$PB" "$@"
	alive "$name: the connection is well"
}
