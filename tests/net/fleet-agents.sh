#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A push to three hosts with their agents, by the real etcd: all have it and traffic proves it; the mistake that cuts the
# first host off is back there by itself, with the agent alive or killed, and the others never saw it; a pusher that is
# killed; a host that was changed by hand; signatures.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/fleet-verbs.sh"
world_enter "$@"
fleet_world
cd "$T_DIR" || exit 1

printf '%s\n' 'endpoints = http://127.0.0.1:2379' 'host = pusher' >fleet.conf
# shellcheck disable=SC2016 # for jq to expand
WEB='def web: .rulesets[] | select(.name == "web");
def having($n): [.hosts[].rulesets[] | select(.state == "in-force" and .in_force == $n)] | length;'

f()
{
	in_e "$PB" fleet "$@" --config "$T_DIR/fleet.conf"
}

fleet_is()
{
	f status -j 2>/dev/null | jq -e "$WEB $1"
}

web()
{
	f status -j 2>/dev/null | jq -r "$WEB web | $1"
}

# text N: its rules, but for the policy
text()
{
	in_host "$1" "$PB" save | tail -n +2
}

# hosts_have FILE: all three
hosts_have()
{
	local n
	for n in 1 2 3; do
		[ "$(text "$n")" = "$(cat "$1")" ] || return 1
	done
}

# pushing FILE: in the background, once it has begun
pushing()
{
	local before
	before=$(web .revision)
	bg nsenter --net="/run/netns/$NS_E" "$PB" fleet push --config "$T_DIR/fleet.conf" "$@" web
	PUSH_PID=$BG_PID PUSH_OUT=$BG_OUT
	wait_for 60 is_past "$before"
}


is_past()
{
	[ "$(web .revision)" != "$1" ] && fleet_is 'web.rollout.carrier_pid != null'
}

# first: the number of the host that has the first place in the order of the revision that is wanted
first()
{
	local n id
	id=$(web .id)
	for n in 1 2 3; do
		echo "$(printf 'h%s\n%s' $n "$id" | sha256sum | cut -d ' ' -f 1) $n"
	done | LC_ALL=C sort | head -n 1 | cut -d ' ' -f 2
}

for port in 22 23 24; do
	echo "drop tcp dport $port" >$port.rules
done
# What comes from etcd does not arrive.
printf '%s\n' 'drop tcp sport 2379' 'drop tcp dport 80' >mistake.rules

etcd_start "$NS_E" main 0.0.0.0 --advertise-client-urls http://127.0.0.1:2379 \
	--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster main=http://127.0.0.1:2380
wait_for 60 etcd_answers in_e || t_die 'no etcd'
for n in 1 2 3; do
	fleet_host $n
	t_ok "h$n: load" in_host $n "$PB" load v0
	agent $n 'confirm = 6s'
done
t_ok 'all three are seen' wait_for 60 fleet_is '.hosts | length == 3'

# --- to all ---------------------------------------------------------------------------------

t_ok 'push: to all' f push 22.rules web
t_ok 'push: it says so' grep -q 'is in force on all 3 hosts' <<<"$T_OUT"
good=$(web .revision)
for n in 1 2 3; do
	t_ok "push: h$n: 22 is silent" is_silent $n 22
	t_ok "push: h$n: 23 answers" is_open $n 23
done
t_ok 'diff: on a host, the same' in_host 1 "$PB" fleet diff web --config "$T_DIR/h1/fleet.conf"

# --- the mistake ----------------------------------------------------------------------------

t_fail 'mistake: stopped' 1 "was stopped at stage 1 of 3: h[123]: .*etcd was not reached" f push mistake.rules web
t_ok 'mistake: the hosts are back' grep -q "all hosts that were heard of are back at revision $good" <<<"$T_OUT"
bad=$(web .revision) n=$(first)
t_ok 'mistake: status names the host and why' grep -qE "^h$n .*revision $bad failed: .*etcd was not reached" <(f status)
t_ok 'mistake: all have the rules from before' hosts_have 22.rules
for other in 1 2 3; do
	t_ok "mistake: h$other: 22 is silent, as before" is_silent $other 22
	[ "$other" = "$n" ] ||
		t_is "mistake: h$other never saw it" '' "$(grep "revision $bad" "${HOST_OUT[$other]}")"
done

# With the agent dead the kernel's clock is all that there is. It is killed while it tries to reach etcd, for which it
# takes half of the time to confirm.
for n in 1 2 3; do
	bg_stop "${HOST_AGENT[$n]}" TERM
	agent $n 'confirm = 40s'
done
t_ok 'killed: agents are back' wait_for 60 fleet_is "having($good) == 3"
applied()
{
	[ "$(text "$n")" = "$(cat mistake.rules)" ]
}
pushing mistake.rules --wait 60s
n=$(first)
t_ok 'killed: the first host has applied the mistake' wait_for 60 applied
agent_kill "$n"
t_ok 'killed: it is back with no process of ours' wait_for 60 hosts_have 22.rules
wait "$PUSH_PID"
t_is 'killed: the push is stopped' 1 $?
t_ok 'killed: and says who' grep -qE "was stopped at stage 1 of 3: 1 of 1 hosts have it not in force after 60 seconds: h$n " "$PUSH_OUT"
t_ok 'killed: 22 is silent' is_silent "$n" 22
agent "$n" 'confirm = 40s'
t_ok 'killed: its agent is back, too, at the good one' wait_for 60 fleet_is "having($good) == 3"
t_ok 'killed: all have the rules from before' hosts_have 22.rules

# --- the pusher dies -----------------------------------------------------------------------------

for n in 1 2 3; do
	kill -STOP "${HOST_AGENT[$n]}"
done
pushing 23.rules
bg_stop "$PUSH_PID" KILL
for n in 1 2 3; do
	kill -CONT "${HOST_AGENT[$n]}"
done
n=$(first)
t_ok 'pusher: the first host goes on' wait_for 60 has "$n" "$(web .revision)"
t_ok 'pusher: etcd notices' wait_for 60 fleet_is 'web.rollout.carrier_pid == null'
for other in 1 2 3; do
	[ "$other" = "$n" ] || t_is "pusher: h$other waits" 'drop tcp dport 22' "$(text $other)"
done
t_ok 'pusher: another goes on' f push --resume web
t_ok 'pusher: all have it' hosts_have 23.rules
t_ok 'rollback: to what was good before' f rollback web --stages 100%
t_ok 'rollback: all have it' hosts_have 22.rules

# --- changed by hand ------------------------------------------------------------------------------

in_host 2 "$PB" rule add 99/tcp >/dev/null
t_ok 'drift: status shows it' wait_for 60 fleet_is \
	'.hosts[] | select(.host == "h2").rulesets[0].state == "drifted"'
t_fail 'drift: the host says how' 1 '^-drop +tcp +dport 99$' in_host 2 "$PB" fleet diff web --config "$T_DIR/h2/fleet.conf"
t_fail 'drift: a push does not replace it, and says what to do' 1 \
	'h2: drifted: .*there .fleet diff web. shows how, and .apply /.* -r default. undoes it' f push 23.rules web --wait 120s
# shellcheck disable=SC2016 # quotes of the message
undo=$(sed -n 's/.*`\(apply [^`]* -r default\)`.*/\1/p' <<<"$T_OUT" | head -n 1)
t_ok 'drift: it is there still' grep -q 'dport 99' <(text 2)
# shellcheck disable=SC2086 # words of a command
t_ok 'drift: what it says undoes it' in_host 2 "$PB" $undo
t_ok 'drift: and gone' wait_for 60 fleet_is "having(web.good) == 3"

# --- signatures -----------------------------------------------------------------------------------

openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null
openssl pkey -in key.pem -pubout -out public.pem
openssl genpkey -algorithm ed25519 -out other.pem 2>/dev/null
good=$(web .good)
for n in 1 2 3; do
	bg_stop "${HOST_AGENT[$n]}" TERM
	agent $n 'confirm = 6s' "trust = $T_DIR/public.pem"
done
t_ok 'sign: agents are back' wait_for 60 fleet_is '.hosts | length == 3'
t_fail 'sign: without one it is stopped' 1 'was stopped at stage 1 of 3: h[123]: .*not signed' f push 24.rules web
t_fail 'sign: so it is with another' 1 'was stopped at stage 1 of 3: h[123]: .*not signed by a key' \
	f push 24.rules web --sign other.pem
t_ok 'sign: nobody had it' hosts_have 22.rules
t_ok 'sign: with the right one it comes to all' f push 24.rules web --sign key.pem
signed=$(web .revision)
t_ok 'sign: all have it' hosts_have 24.rules
t_ok 'sign: another, too' f push 23.rules web --sign key.pem
t_fail 'sign: a rollback is signed, too' 1 'is to be signed, too: --sign KEYFILE' f rollback web "$signed"
t_ok 'sign: and then it is taken' f rollback web "$signed" --sign key.pem
t_ok 'sign: all have it again' hosts_have 24.rules
for n in 1 2 3; do
	t_ok "sign: h$n: 24 is dropped, 22 answers" is_open $n 22
done

t_done
