#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The verbs by which tests say that something answers, or does not: they are right however slow
# the other side is.

# shellcheck disable=SC2317 # t_ok calls functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22 --udp 53
server=$BG_PID

# ask PROTO ADDR PORT [OPTIONS]: by its status
ask()
{
	in_b "$PYTHON" "$PEER" ask "$@"
	echo $?
}

for addr in "$A4" "$A6"; do
	t_ok "$addr: tcp answers" answers tcp "$addr" 22
	t_ok "$addr: udp answers" answers udp "$addr" 53
	t_ok "$addr: 4000 bytes answer" answers udp "$addr" 53 --size 4000
	t_ok "$addr: a socket without a peer hears the answer" answers udp "$addr" 53 --unconnected
	t_is "$addr: tcp: now" 0 "$(ask tcp "$addr" 22 --now)"
	t_is "$addr: udp: now" 0 "$(ask udp "$addr" 53 --now)"
	t_is "$addr: now, 4000 bytes" 0 "$(ask udp "$addr" 53 --now --size 4000)"
	t_is "$addr: now, without a peer" 0 "$(ask udp "$addr" 53 --now --unconnected)"
	for _ in {1..8}; do
		ask udp "$addr" 54 --now
		ask tcp "$addr" 24 --now
	done >"$T_DIR/refused"
	t_is "$addr: a refusal is no silence, and none is held back" '16 1' \
		"$(sort "$T_DIR/refused" | uniq -c | xargs)"
	t_is "$addr: a refusal is told from an answer" 1 "$(ask tcp "$addr" 24)"

	# A server that does nothing for a while: who asks waits for it.
	kill -STOP "$server"
	bg in_b "$PYTHON" "$PEER" ask udp "$addr" 53 --now
	asked=$BG_PID
	# shellcheck disable=SC2016 # for the shell to expand
	t_ok "$addr: a slow server has the question" wait_for 60 bash -c \
		'nsenter --net="/run/netns/$NS_A" ss -Hunl "sport = :53" | awk "{ n += \$2 } END { exit !n }"'
	kill -CONT "$server"
	wait "$asked"
	t_is "$addr: its answer is no silence" 0 $?
done

# What is dropped on the way in, on the way back, and by whom there is no server
t_ok 'load' in_a "$PB" load v0
t_ok 'drop 22, 53' "$PB" rule add 22,53/tcp,udp
for addr in "$A4" "$A6"; do
	t_ok "$addr: tcp is silent" silent tcp "$addr" 22
	t_ok "$addr: udp is silent" silent udp "$addr" 53
	t_ok "$addr: so it is without a peer" silent udp "$addr" 53 --unconnected
	t_is "$addr: a closed port refuses still" 1 "$(ask tcp "$addr" 24 --now)"
done
t_ok 'unload' in_a "$PB" unload v0
t_ok 'load at the other end' in_b "$PB" load v1
t_ok 'drop what comes from 22, 53' "$PB" rule add --sport 22,53
for addr in "$A4" "$A6"; do
	t_ok "$addr: the answer of the kernel is dropped: silence" silent tcp "$addr" 22
	t_ok "$addr: the answer of the server is dropped: silence" silent udp "$addr" 53
done
t_ok 'each was sent, and met it' test 4 -le "$("$PB" rule list -j | json 'd["rules"][0]["packets"]')"
t_ok 'unload there' in_b "$PB" unload v1
bg_stop "$server"
t_is 'a server that has ended is not waited for' 1 "$(ask udp "$A4" 53 --now)"
t_done
