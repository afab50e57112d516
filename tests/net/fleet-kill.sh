#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The agent is killed at points all over its way from the first to the last system call: the host has the old rules or
# the new ones, whole, and the next agent brings the new ones. PB_KILL_POINTS=N kills it at so many points.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
command -v strace >/dev/null || t_skip_all "needs strace"
. "$TOP/tests/net/fleet-verbs.sh"
world_enter "$@"
fleet_world
cd "$T_DIR" || exit 1
POINTS=${PB_KILL_POINTS:-$(amount 50 20)}

etcd_start "$NS_E" main 0.0.0.0 --advertise-client-urls http://127.0.0.1:2379 \
	--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster main=http://127.0.0.1:2380
t_ok 'etcd runs' wait_for 60 etcd_answers in_e
fleet_host 1
t_ok 'load' in_host 1 "$PB" load v0
agent_conf 1 'confirm = 1h'

once()
{
	in_host 1 "$@" "$PB" fleet follow --once --config "$T_DIR/h1/fleet.conf"
}

text()
{
	in_host 1 "$PB" save | tail -n +2 | paste -sd ,
}

# Both block 22.
printf '%s\n' 'drop tcp dport 22' 'drop tcp dport 1000-1999' 'allow tcp dport 1500' >even.rules
printf '%s\n' 'drop tcp dport 22' 'drop tcp dport 2000-2999' 'allow tcp dport 2500' >odd.rules
push even.rules all
t_ok 'the first revision' once
put stage web "done"
push odd.rules all
t_ok 'the second one, traced' once strace -f -qq -o "$T_DIR/trace"
put stage web "done"
# The lines of system calls: process, name
sed -nE 's/^[0-9]+ +([a-z_0-9]+)\(.*/\1/p' trace >calls
total=$(wc -l <calls)
# What it is about to try is on the disk with the first fsync(), and what it has kept with the second.
read -r tried kept < <(grep -nx fsync calls | sed -n '1,2s/:.*//p' | paste -sd ' ')
t_ok 'its system calls are known' test "${kept:-0}" -gt "${tried:-0}"

# pending: what it has published waits to be confirmed
pending()
{
	[ "$(in_host 1 "$PB" status -j v0 | json "d['interfaces'][0]['confirm_in']")" != null ]
}

old=$(paste -sd , odd.rules) killed=0 published=0
wrong=''
for ((i = 1; i <= POINTS; i++)); do
	file=$([ $((i % 2)) -eq 0 ] && echo odd || echo even).rules
	new=$(paste -sd , "$file")
	# The first half of them anywhere, the others where the change is made and waits.
	if [ $((i * 2)) -le "$POINTS" ]; then
		at=$((total * i * 2 / (POINTS + 1) + 1))
	else
		at=$((tried + (kept - tried) * (i * 2 - POINTS) / (POINTS + 1) + 1))
	fi
	call=$(sed -n "${at}p" calls)
	nth=$(head -n "$at" calls | grep -cx "$call")
	push "$file" all
	once strace -f -qq -o "$T_DIR/killed" -e "inject=$call:signal=KILL:when=$nth" >said 2>&1 || killed=$((killed + 1))
	now=$(text)
	! pending || published=$((published + 1))
	[ "$now" = "$old" ] || [ "$now" = "$new" ] || wrong+="at call $at ($call, $nth): $now"$'\n'
	is_silent 1 22 || wrong+="at call $at ($call, $nth): 22 is not silent"$'\n'
	once >said 2>&1 || wrong+="after call $at ($call, $nth): $(cat said)"$'\n'
	[ "$(text)" = "$new" ] || wrong+="after call $at ($call, $nth): $(text)"$'\n'
	! pending || wrong+="after call $at ($call, $nth): it waits to be confirmed"$'\n'
	has 1 "$number" || wrong+="after call $at ($call, $nth): the fleet does not know"$'\n'
	put stage web "done"
	old=$new
done
t_is "killed at $POINTS of $total system calls: old or new, and then new" '' "$wrong"
t_ok "it was killed $killed times" test "$killed" -gt $((POINTS / 2))
t_ok "with a change that waited $published times" test "$published" -gt 0
t_is 'nothing is left lying about' 'default.json,default.rules,default.trying' \
	"$(find h1/state -type f -printf '%f\n' | sort | paste -sd ,)"

t_done
