#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The demo runs to its end and leaves nothing behind; neither does one that is stopped.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"

# The demo's own session tells its processes from all others.
demo()
{
	bg env --default-signal=INT,TERM setsid "$TOP/tests/demo"
}

# shellcheck disable=SC2317 # called by wait_for
session_ended()
{
	! pgrep -s "$1" >/dev/null
}

# Mounts, pins, network namespaces and interfaces, as this test's world has them
world()
{
	cut -d' ' -f5 /proc/self/mountinfo | sort
	pins
	ls /run/netns
	ip -o link show | cut -d: -f2
}

before=$(world)
demo
wait "$BG_PID"
t_is 'the demo succeeds' 0 $?
log=$(cat "$BG_OUT")
[ "$t_failed" -eq 0 ] || t_note "$log"
t_ok 'all was as it should be' grep -q '^# All as it should be' <<<"$log"
t_is 'nothing was not' 0 "$(grep -c -e NOT -e 'should have' <<<"$log")"
t_ok 'services answered' grep -q 'tcp port 22: it answers' <<<"$log"
t_ok 'tcp was blocked' grep -q 'tcp port 22: silence' <<<"$log"
t_ok 'udp was blocked' grep -q 'udp port 53: silence' <<<"$log"
t_ok 'another port was not' grep -q 'udp port 123: it answers' <<<"$log"
t_ok 'rule list was shown' grep -Eq '^ +1 +[1-9].* drop tcp dport 22$' <<<"$log"
t_ok 'status was shown' grep -Eq '^v0 \(index [0-9]+\): ' <<<"$log"
t_is 'nothing is left' "$before" "$(world)"
t_ok 'no process is left' wait_for 60 session_ended "$BG_PID"

for signal in INT TERM; do
	expected=$((128 + $(kill -l $signal)))
	demo
	t_ok "SIG$signal: it has begun" wait_for 120 grep -q 'port 53: silence' "$BG_OUT"
	kill "-$signal" -- "-$BG_PID"
	wait "$BG_PID"
	t_is "SIG$signal: it says that it was stopped" $expected $?
	t_is "SIG$signal: nothing is left" "$before" "$(world)"
	t_ok "SIG$signal: no process is left" wait_for 60 session_ended "$BG_PID"
done

t_fail 'without root it says so' 1 'sudo tests/demo' setpriv --reuid=65534 --regid=65534 \
	--clear-groups --inh-caps=-all "$BASH" "$TOP/tests/demo"
t_done
