#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What fails inside of the commands of a fleet on a host: calls of each kind, one at a time, as in net:faults, which has
# no etcd. Whatever fails, the rules of before are in force, or those of the revision, whole; there is a message; and
# the next time it works. What only shows something shows what it shows otherwise, or says why not.
#
# PB_FAULT_POINTS says how many calls of a kind fail in each command, others each time, or "all"; PB_FAULT_SEED has those
# of a failure again.
#
# timeout: 3600

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/fleet-verbs.sh"
world_enter "$@"
fleet_world
cd "$T_DIR" || exit 1
FAULT=$TOP/build/tests/preload/fault.so
POINTS=${PB_FAULT_POINTS:-5}
SEED=${PB_FAULT_SEED:-$RANDOM}
RANDOM=$SEED
t_note "PB_FAULT_SEED=$SEED"

# As in faults.py: these read through null pointers where memory is lacking, which is then as if somebody had killed us.
ELSEWHERE='PB_FAULT: crashed in .*/lib(bpf|xdp|json-c|elf|curl|crypto|ssl|nghttp2)[^/]*\.so'

etcd_start "$NS_E" main 0.0.0.0 --advertise-client-urls http://127.0.0.1:2379 \
	--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster main=http://127.0.0.1:2380
t_ok 'etcd runs' wait_for 60 etcd_answers in_e
fleet_host 1
t_ok 'load' in_host 1 "$PB" load v0
agent_conf 1 'confirm = 1h' 'groups = edge'
sed -i '/^rulesets/d' h1/fleet.conf

# h1 [VARIABLE=VALUE...] -- COMMAND...: `fleet COMMAND` there, with a fault or without
h1()
{
	local variables=()
	while [ "$1" != -- ]; do
		variables+=("$1")
		shift
	done
	shift
	in_host 1 env ${variables[@]+LD_PRELOAD="$FAULT"} "${variables[@]}" "$PB" fleet "$@" --config "$T_DIR/h1/fleet.conf" </dev/null
}

text()
{
	in_host 1 "$PB" save | tail -n +2 | paste -sd ,
}

# points NUMBER: which of so many calls fail, the first of all among them
points()
{
	if [ "$POINTS" = all ] || [ "$1" -le "$POINTS" ]; then
		seq "$1"
		return
	fi
	echo 1
	for ((p = 1; p < POINTS; p++)); do
		# RANDOM in a subshell would be the same each time.
		echo $(((RANDOM * 32768 + RANDOM) % $1 + 1))
	done
}

# counts COMMAND...: "KIND CALLS" of it, as it goes well
counts()
{
	rm -f count
	h1 PB_FAULT_COUNT="$T_DIR/count" -- "$@" >whole 2>&1
	t_is "$*: goes well" "${expected:-0}" $?
}

# judge_end STATUS: of a command that said what is in `out`; says what is wrong by that
judge_end()
{
	if [ "$1" -ge 128 ] && ! grep -qE "$ELSEWHERE" out; then
		echo "killed: $1: $(cat out)"
	elif [ "$1" -gt 2 ] && [ "$1" -lt 128 ]; then
		echo "exit status $1: $(cat out)"
	elif [ "$1" -gt 0 ] && [ ! -s out ]; then
		echo "exit status $1 without a word"
	fi
}

# --- what changes rules ---------------------------------------------------------------------

printf '%s\n' 'drop tcp dport 22' 'drop tcp dport 1000-1999' 'allow tcp dport 1500' >even.rules
printf '%s\n' 'drop tcp dport 22' 'drop tcp dport 2000-2999' 'allow tcp dport 2500' >odd.rules
turn=0
# next: another revision, which is to become `new` where there is `old`; each has an id of its own
next()
{
	turn=$((turn + 1))
	local file=even.rules
	[ $((turn % 2)) -eq 0 ] || file=odd.rules
	old=$(text) new=$(paste -sd , $file)
	cat $file - <<<"# $turn" >turn.rules
	push turn.rules all
}

t_ok 'group' in_e "$PB" fleet group set edge default=web --config <(printf '%s\n' 'endpoints = http://127.0.0.1:2379' 'host = e')
next
t_ok 'follow: the first revision' h1 -- follow --once
put stage web "done"
next
counts follow --once
t_is 'follow: has it' "$new" "$(text)"
put stage web "done"

# broken_follow KIND:POINT
broken_follow()
{
	local status now
	next
	h1 PB_FAULT="$1" -- follow --once >out 2>&1
	status=$?
	judge_end "$status"
	now=$(text)
	[ "$now" = "$old" ] || [ "$now" = "$new" ] || echo "neither old nor new: $now"
	[ "$status" -ne 0 ] || [ "$now" = "$new" ] || echo "exit status 0, and the old rules: $(cat out)"
	# The way to etcd was not found under the new rules: they have gone back, for good.
	if grep -q "revision $number failed: under these rules" out; then
		[ "$now" = "$old" ] || echo "gone back, and yet there: $(cat out)"
		put stage web stopped
		return
	fi
	h1 -- follow --once >again 2>&1 || echo "the next time: $(cat again); after: $(cat out)"
	[ "$(text)" = "$new" ] || echo "the next time: the rules are $(text)"
	has 1 "$number" || echo "the fleet does not know"
	put stage web "done"
}

while read -r kind calls; do
	wrong=''
	mapfile -t at < <(points "$calls")
	RANDOM=$((SEED + turn))
	for point in "${at[@]}"; do
		broken_follow "$kind:$point" >found
		# broken_follow's own next() has been in this shell: `>found` makes no other.
		[ ! -s found ] || wrong+="$kind:$point: $(cat found)"$'\n'
	done
	t_is "follow: $kind, $calls calls" '' "$wrong"
done <count
t_ok 'follow: 22 is silent' is_silent 1 22
t_is 'follow: nothing is left lying about' 'default.json,default.rules,default.trying,edge.group' \
	"$(find h1/state -type f -printf '%f\n' | sort | paste -sd ,)"

# --- what shows something ---------------------------------------------------------------------

# Times and rates are others each time; and what libcurl brings with it has a word of its own, where it begins.
alike()
{
	sed -E '/^Error in GnuTLS initialization/d; s/[0-9]{4}-[0-9-]+T[0-9:]+Z//g; s/"drops_per_second":[0-9.]+//g; s/ +[0-9.]+( |$)/ /g' "$1"
}

# shows STATUS COMMAND...: where all is well, it ends with that
shows()
{
	local expected=$1 wrong status kind calls before
	shift
	before=$(text)
	counts "$@"
	while read -r kind calls; do
		wrong=''
		mapfile -t at < <(points "$calls")
		for point in "${at[@]}"; do
			h1 PB_FAULT="$kind:$point" -- "$@" >out 2>&1
			status=$?
			judge_end "$status" >found
			# Where it fails otherwise, too, it may fail for another reason.
			if [ ! -s found ] && [ "$1" != follow ] && [ "$status" -eq "$expected" ] && ! cmp -s <(alike whole) <(alike out); then
				grep -qE 'out of memory|Cannot allocate memory|Too many open files' out || echo "printed: $(cat out)" >found
			fi
			[ ! -s found ] || wrong+="$kind:$point: $(cat found)"$'\n'
		done
		t_is "$*: $kind, $calls calls" '' "$wrong"
	done <count
	t_is "$*: the rules are as they were" "$before" "$(text)"
}

shows 0 status
shows 0 status -j
shows 0 history web
shows 0 group list
shows 0 group list -j
shows 0 diff web
in_host 1 "$PB" rule add 99/tcp >/dev/null
shows 1 diff web
shows 1 follow --once # it has drifted

t_done
