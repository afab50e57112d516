#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the README promises: the demo runs to its end and leaves nothing behind, and neither does
# one that is stopped; each command of its tour, and of doc/tour.md, prints what stands there.

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
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

# Others may not be able to enter the folder of this one.
mkdir -p "$T_DIR/clone/tests"
install -m 755 "$TOP/tests/demo" "$T_DIR/clone/tests/"
chmod 755 "$T_DIR"
t_fail 'without root it says so' 1 'sudo tests/demo' setpriv --reuid=65534 --regid=65534 \
	--clear-groups --inh-caps=-all "$BASH" "$T_DIR/clone/tests/demo"

# --- the tours ----------------------------------------------------------------------------

# commands_of FILE FOLDER: its commands and what they print, in order: NN.command and NN.output
commands_of()
{
	"$PYTHON" - "$@" <<'END'
import sys
with open(sys.argv[1], encoding="utf-8") as file:
    tour = ("\n" + file.read()).split("# A tour\n")[1].split("\n## ")[0]
number, output = 0, None
for line in tour.splitlines():
    if line.startswith("    # "):
        number, output = number + 1, []
        with open(f"{sys.argv[2]}/{number:02}.command", "w", encoding="utf-8") as file:
            file.write(line[6:] + "\n")
    elif output is not None and line.startswith("    "):
        output.append(line[4:])
    else:
        output = None
    if output is not None:
        with open(f"{sys.argv[2]}/{number:02}.output", "w", encoding="utf-8") as file:
            file.writelines(text + "\n" for text in output)
END
}

# stable: without what is another on each machine and at each time, counters and ids of the kernel
# (of a rule's counters it stays whether they are 0); and without the dispatcher, which some kernels
# refuse
stable()
{
	sed -E 's/, under the dispatcher, priority [0-9]+/, HOW/; s/, single program/, HOW/
		s/, (under the dispatcher|as a single program)(, .*policy [a-z]+).*/, HOW\2/
		/^ +chain: /d
		s/(index|program|id) [0-9]+/\1 N/g
		s/^( *[0-9]+) +[1-9][0-9.]*k? +[1-9][0-9.]*k?  (drop|allow|audit)/\1 N N \2/
		s/^( +[a-z-]+) +[0-9.]+k? +[0-9.]+k?$/\1 N N/
		s/60s/60m/'
}

# What comes with `confirm` in doc/tour.md is shown with rules of its own: those of tests/pictures.
load_pictures()
{
	in_a "$PB" unload eth0 >/dev/null
	in_a "$PB" load eth0 >/dev/null
	sed -n "/^done <<'RULES'\$/,/^RULES\$/p" "$TOP/tests/pictures" | sed '1d;$d' >"$T_DIR/rules"
	while read -r rule; do
		"$PB" rule add "$rule" >/dev/null || t_die "rule add $rule"
	done <"$T_DIR/rules"
}

# By what there is in between: the traffic of the tours
meanwhile()
{
	case $1 in
	*'rule add --port 22 '*) t_ok "$1: 22 waits in vain" silent tcp "$A4" 22 ;;
	*'rule add --action allow 80/tcp')
		t_ok "$1: 79 is silent" silent tcp "$A4" 79
		t_ok "$1: 80 answers" answers tcp "$A4" 80
		t_ok "$1: 81 is silent" silent tcp "$A4" 81
		;;
	*'rule add allow 22/tcp from 192.0.2.0/24')
		t_ok "$1: 443 answers" answers tcp "$A4" 443
		t_ok "$1: 79 is silent" silent tcp "$A4" 79
		t_ok "$1: 22 is silent for others" silent tcp "$A4" 22
		;;
	*'rule del 80/tcp') t_ok "$1: 80 is blocked again" silent tcp "$A4" 80 ;;
	*'policy deny') t_ok "$1: ping goes on" in_b ping -q -c 1 -W 60 "$A4" ;;
	*'rule add allow 443/tcp')
		t_ok "$1: 443 answers" answers tcp "$A4" 443
		t_ok "$1: 80 does not" silent tcp "$A4" 80
		CLIENT=in_a t_ok "$1: outgoing connections go on" answers tcp "$B4" 80
		;;
	*'xdp-portblock confirm') load_pictures ;;
	*'unload eth0') t_ok "$1: 22 answers" answers tcp "$A4" 22 ;;
	esac
}

# tour FILE N: each of its commands, of which there are N or more
tour()
{
	local folder file command status
	local -a commands
	folder=$T_DIR/$(basename "$1")
	mkdir "$folder"
	commands_of "$TOP/$1" "$folder" || t_die "no tour in $1"
	commands=("$folder"/*.command)
	t_ok "$1: its tour has its commands" test ${#commands[@]} -ge "$2"
	for file in "${commands[@]}"; do
		command=$(stable <"$file")
		status=0
		[[ $command != *' diff '* ]] || status=1
		t_fail "$1: $command" $status '' in_a bash -c "$command"
		t_is "$1: $command: prints" "$(stable <"${file%.command}.output")" "$(stable <<<"$T_OUT")"
		meanwhile "$command"
	done
	t_is "$1: nothing is left of the tour" '' "$(our_pins)"
}

unset SSH_CONNECTION SSH_CLIENT
world_pair
in_a ip link set dev v0 name eth0
serve in_a --tcp 22,79,80,81,443
serve in_b --tcp 80
mkdir "$T_DIR/bin"
ln -s "$PB" "$T_DIR/bin/xdp-portblock"
PATH=$T_DIR/bin:$PATH
cd "$T_DIR" || exit 1
tour README.md 8
tour doc/tour.md 20
t_done
