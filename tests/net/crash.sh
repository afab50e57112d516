#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Whatever dies or fails in the middle of a change: the ruleset is the old one or the new
# one, whole; the next command works; nothing is left behind. strace kills the tool, or lets a
# system call fail, at one call after the other.
#
# PB_CRASH_POINTS says at how many calls of a kind at most (0: all of them), PB_CRASH_COMMANDS
# with which of the commands: add alone apply lists load unload one.

# shellcheck disable=SC2317,SC2034 # functions and arrays are used by their names

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
command -v strace >/dev/null || t_skip_all 'needs strace'
world_enter "$@"
world_pair
world_wire v2 v3
cd "$T_DIR" || exit 1

POINTS=${PB_CRASH_POINTS:-$(amount 4 1)}
CALLS='bpf openat mkdir rename flock mmap munmap sendto recvmsg ioctl clone3 sched_setaffinity membarrier unlink rmdir dup close'
ERRORS=(EIO ENOMEM EPERM)

printf '%s\n' 'policy allow' 'drop tcp dport 22' 'drop udp dport 1000 from 10.0.0.0/8' >old.rules
{
	echo 'policy deny'
	seq -f 'allow tcp dport %.0f' 100 150
	echo 'allow udp dport 53 from 192.0.2.0/24,2001:db8::/32'
	echo 'drop tcp dport 22'
} >new.rules
{ cat old.rules; echo 'drop tcp dport 23 except 10.0.0.0/8'; } >added.rules

# has FILE: the ruleset is that of the file, whatever its ids
has()
{
	[ "$(timeout 120 "$PB" save 2>&1 | sort)" = "$(sort "$1")" ]
}

# works COMMAND...: it ends, so there is no lock in its way
works()
{
	in_a timeout 120 "$PB" "$@" >"$T_DIR/next" 2>&1 || {
		echo "then '$*' failed: $(head -n 1 "$T_DIR/next")"
		return 1
	}
}

# whole DEV: loaded, and its rules are pinned
whole()
{
	[ "$(status_is "$1" pinned)" = true ]
}

loaded()
{
	[ -n "$(xdp_on "$1")" ]
}

# nothing_left: after unload; an empty directory is nothing
nothing_left()
{
	local pins
	pins=$(our_pins | grep -vx "$PINS")
	[ -z "$(xdp_on v0)$(xdp_on v2)" ] || { echo "a program is left"; return 1; }
	[ -z "$pins" ] || { echo "pins are left: $(head -n 3 <<<"$pins" | tr '\n' ' ')"; return 1; }
}

# For each command: prepare_NAME makes the world that it meets; judge_NAME STATUS says what
# is wrong after it, nothing if all is well. A status of 137: it was killed.

# judge_change STATUS NEW: the ruleset of old.rules, or that of NEW
judge_change()
{
	case $1 in
	0) has "$2" || { echo "it says done, but the rules are not the new ones"; return; } ;;
	137) has old.rules || has "$2" || { echo "the rules are neither the old nor the new ones"; return; } ;;
	*) has old.rules || { echo "it failed, but the rules are not the old ones"; return; } ;;
	esac
	whole v0 || { echo "the pins of v0's ruleset are gone"; return; }
	works rule add 24/tcp || return
	works rule del 24/tcp || return
	works apply old.rules
}

prepare_add()
{
	loaded v0 || works load v0 --rules old.rules
}
run_add=(rule add drop tcp dport 23 except 10.0.0.0/8)
judge_add()
{
	judge_change "$1" added.rules
}

# Into the slot in force, by several entries.
{ cat old.rules; echo 'drop tcp,udp dport 23'; } >alone.rules
prepare_alone()
{
	prepare_add
}
run_alone=(rule add '23/tcp,udp')
judge_alone()
{
	judge_change "$1" alone.rules
}

prepare_apply()
{
	prepare_add
}
run_apply=(apply new.rules)
judge_apply()
{
	judge_change "$1" new.rules
}

# Rules that bring the elements of a set with them: these and those go together.
mkdir lists
seq -f '192.0.2.%.0f' 1 100 >lists/old
seq -f '2001:db8::%.0f' 1 70 >lists/new
for which in old new; do
	printf '%s\n' 'policy allow' "set hostile file $T_DIR/lists/$which" 'set own' \
		"drop tcp dport 22 comment \"$which\"" 'drop from @hostile' >lists-$which.rules
done

# lists_are WHICH: rules and elements
lists_are()
{
	has "lists-$1.rules" && [ "$("$PB" set list -j hostile | json '" ".join(sorted(e["prefix"].split("/")[0] for e in d["sets"][0]["elements"]))')" = \
		"$(sort "lists/$1" | tr '\n' ' ' | sed 's/ $//')" ]
}
prepare_lists()
{
	{ loaded v0 || works load v0 --rules lists-old.rules; } && { lists_are old || works apply lists-old.rules; } &&
		works set add own 192.0.2.1
}
run_lists=(apply lists-new.rules)
judge_lists()
{
	case $1 in
	0) lists_are new || { echo "it says done, but the rules and elements are not the new ones"; return; } ;;
	137) lists_are old || lists_are new || { echo "neither the old rules and elements nor the new ones"; return; } ;;
	*) lists_are old || { echo "it failed, but the rules or elements are not the old ones"; return; } ;;
	esac
	whole v0 || { echo "the pins of v0's ruleset are gone"; return; }
	works set test own 192.0.2.1 || return
	works set load own lists/old || return
	works rule add 24/tcp || return
	works rule del 24/tcp || return
	works apply lists-new.rules || return
	lists_are new || { echo "the next apply has not brought rules and elements"; return; }
	works apply lists-old.rules
}

prepare_load()
{
	! loaded v0 || works unload --all
}
run_load=(load v0 --rules new.rules)
judge_load()
{
	case $1 in
	0) loaded v0 || { echo "it says done, but v0 is not loaded"; return; } ;;
	137) ;;
	*) nothing_left || return ;;
	esac
	if loaded v0; then
		whole v0 || { echo "v0 is loaded, but its pins are not there"; return; }
		has new.rules || { echo "v0 is loaded, but not with the rules of the file"; return; }
	fi
	works load v0 --rules new.rules || return
	has new.rules || { echo "the next load has not brought the rules"; return; }
	works unload --all || return
	nothing_left
}

prepare_unload()
{
	loaded v0 || works load v0 --rules old.rules
}
run_unload=(unload v0)
judge_unload()
{
	case $1 in
	0) nothing_left || return ;;
	esac
	# Off is off: what fails after that leaves pins, which the next load or unload cleans up.
	if loaded v0; then
		whole v0 || { echo "v0 is loaded, but the pins are gone"; return; }
		has old.rules || { echo "v0 is loaded, but the rules are not as before"; return; }
	fi
	works load v0 --rules old.rules || return
	has old.rules || { echo "the next load has not brought the rules"; return; }
	works unload --all || return
	nothing_left
}

# One of two interfaces of a ruleset: the other keeps it.
prepare_one()
{
	loaded v0 || works load v0 || return
	loaded v2 || works load v2 || return
	has old.rules || works apply old.rules
}
run_one=(unload v0)
judge_one()
{
	whole v2 || { echo "the pins of v2's ruleset are gone"; works unload --all; return; }
	has old.rules || { echo "v2's rules are not as before"; return; }
	case $1 in
	0) ! loaded v0 || { echo "it says done, but v0 is loaded"; return; } ;;
	esac
	works rule add 24/tcp || return
	works rule del 24/tcp || return
	! loaded v0 || works unload v0
}

# points COUNT MAX: numbers from 1 to COUNT, at most MAX of them, the first and the last included
points()
{
	awk -v n="$1" -v max="$2" 'BEGIN {
		if (!max || n <= max)
			max = n
		for (i = 0; i < max; i++)
			print (max > 1 ? 1 + int(i * (n - 1) / (max - 1)) : 1)
	}'
}

total=0

# at NAME CALL FAULT WHEN: one point; prints what is wrong
at()
{
	local -n command=run_$1
	local status problem
	"prepare_$1" || { echo "$2 $3 $4: no start: $(cat "$T_DIR/next")"; return; }
	in_a timeout -s KILL 300 strace -qq -o /dev/null -e "trace=$2" \
		-e "inject=$2:$3:when=$4" "$PB" "${command[@]}" </dev/null >"$T_DIR/said" 2>&1
	status=$?
	problem=$("judge_$1" "$status")
	[ -z "$problem" ] || echo "$2 $3, call $4 (status $status): $problem [$(head -n 1 "$T_DIR/said")]"
}

# sweep NAME CALL COUNT KIND: kill or let fail at each of the points
sweep()
{
	local when fault wrong='' points max=$POINTS
	[ "$2" != bpf ] || max=$((POINTS * 6))
	points=$(points "$3" "$max")
	for when in $points; do
		fault=signal=KILL
		[ "$4" = kill ] || fault=error=${ERRORS[when % 3]}
		wrong+=$(at "$1" "$2" "$fault" "$when" | sed 's/$/\\n/')
		total=$((total + 1))
	done
	t_is "$1: $4 at $(wc -w <<<"$points") of $3 calls of $2" '' "$(printf '%b' "$wrong")"
}

for name in ${PB_CRASH_COMMANDS:-add alone apply lists load unload one}; do
	declare -n command=run_$name
	t_ok "$name: the world before" "prepare_$name"
	t_ok "$name: undisturbed" in_a strace -qq -o trace -e "trace=${CALLS// /,}" "$PB" "${command[@]}"
	t_is "$name: undisturbed: all is well" '' "$("judge_$name" 0)"
	for call in $CALLS; do
		count=$(grep -c "^$call(" trace)
		[ "$count" -gt 0 ] || continue
		sweep "$name" "$call" "$count" kill
		sweep "$name" "$call" "$count" fail
	done
	works unload --all >/dev/null
done
t_note "$total points"
t_ok 'unload' in_a "$PB" unload --all
t_is 'nothing is left' '' "$(nothing_left)"
t_done
