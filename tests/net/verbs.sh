# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of this layer, on top of ../lib.sh: what the tool says, what the
# kernel says, and commands that must leave everything as it was.

PINS=/sys/fs/bpf/xdp-portblock
PASS_OBJECT=$TOP/build/tests/net/pass.bpf.o
export PINS PASS_OBJECT

# b_takes: what a native program on A's v0 sends back, for veth's peer takes that only where it has a program itself
b_takes()
{
	in_b ip link set v1 xdpdrv obj "$PASS_OBJECT" sec xdp || t_die 'no program on v1'
	rm -rf /sys/fs/bpf/xdp # of ip
}

# json EXPRESSION: of the JSON document `d` on stdin, in Python; a string as it is, all
# else as JSON. It fails where that is no JSON, or has no such part.
json()
{
	"$PYTHON" -c '
import json, sys
d = json.load(sys.stdin)
v = eval(sys.argv[1])
print(v if isinstance(v, str) else json.dumps(v, sort_keys=True))' "$1"
}

# rules, rules_of RULESET: "ID RULE", a line each
rules()
{
	rules_of default
}

rules_of()
{
	"$PB" rule list -r "$1" | sed -nE 's/^ *([0-9]+) +[^ ]+ +[^ ]+  /\1 /p'
}

# rule_is ID KEY: a field of a rule, as `rule list -j` has it
rule_is()
{
	"$PB" rule list -j | json "[r for r in d['rules'] if r['id'] == $1][0]['$2']"
}

# counted ID N: so many packets, for wait_for
counted()
{
	[ "$(rule_is "$1" packets)" = "$2" ]
}

# status_is DEV KEY: a field of an interface of A, as `status -j` has it
status_is()
{
	in_a "$PB" status -j "$1" | json "d['interfaces'][0]['$2']"
}

# outcome DEV NAME: packets of A's interface that came to that end
outcome()
{
	in_a "$PB" status -j "$1" | json "d['interfaces'][0]['outcomes']['$2']['packets']"
}

# segments RULESET FAMILY: how many maps of elements its map of maps has. As text, bpftool 7.5 says it otherwise than 7.1.
segments()
{
	bpftool -j map dump pinned "$PINS/$1/pb_elements$2" |
		json 'len({json.dumps(e["value"]) for e in d if isinstance(e.get("value"), list) and any(int(b, 16) for b in e["value"])})'
}

# take_results NAME COMMAND...: a program whose results, in TAP, are ours; it comes to its end
take_results()
{
	local name=$1 line status
	shift
	"$@" >"$T_DIR/tap"
	status=$?
	while IFS= read -r line; do
		case $line in
		'ok '*) t_result 0 "${line#* - }" ;;
		'not ok '*) t_result 1 "${line#* - }" ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$T_DIR/tap"
	t_is "$name came to its end" 0 "$status"
}

# xdp_on DEV [WHERE]: the ids of the XDP programs that the kernel names, of whomever
xdp_on()
{
	"${2:-in_a}" ip link show dev "$1" | sed -nE 's/.*prog\/xdp[a-z]* id ([0-9]+).*/\1/p'
}

# our_pins: what of ours is pinned; libxdp has a directory of its own, which stays
our_pins()
{
	pins | grep "^$PINS" | sort
}

# state: rules with counters, settings, pins, and the programs on A's interfaces
state()
{
	local set
	for set in "$PINS"/*/; do
		[ ! -d "$set" ] || "$PB" rule list -j -r "$(basename "$set")" 2>&1
	done
	our_pins
	in_a ip link show | sed -nE 's/^([0-9]+: [^:@]+).*/\1/p; s/.*(prog\/xdp.*)/\1/p'
}

# refused NAME STATUS REGEX COMMAND...: t_fail, and everything is as it was
refused()
{
	local before
	before=$(state)
	t_fail "$@"
	t_is "$1: nothing changed" "$before" "$(state)"
}

# ours: processes of the tool in this world
ours()
{
	local process
	for process in /proc/[0-9]*; do
		if [ "$process/exe" -ef "$PB" ] && [ "$process/ns/mnt" -ef /proc/self/ns/mnt ]; then
			echo "${process#/proc/}"
		fi
	done
}

# --- what ends by the clock --------------------------------------------------------------
# How long a command takes is unknown, so what it set off ends somewhere between two readings of
# the clock. Before the first, all is as if it never ended, and after the second, it has.

# clock: hundredths of a second, by the clock that rules end by
clock()
{
	local up
	read -r up _ </proc/uptime
	echo "${up/./}"
}

# is_left LEFT SECONDS BEGAN: of SECONDS that began after BEGAN, so many may be left
is_left()
{
	local left=${1%.*}
	[ "$left" -le "$2" ] && [ "$left" -ge $(($2 - ($(clock) - $3) / 100 - 2)) ]
}

# watch_end SECONDS BEGAN ENDED BEFORE AFTER QUESTION...: ask again and again (peer.py) until
# SECONDS are over that began between BEGAN and ENDED. BEFORE and AFTER are the exit statuses that
# must be; `early` counts the questions that were answered before, `wrong` says what was not right.
watch_end()
{
	local span=$(($1 * 100)) began=$2 ended=$3 before=$4 after=$5 asked got
	shift 5
	early=0 wrong=''
	while :; do
		asked=$(clock)
		"${CLIENT:-in_b}" "$PYTHON" "$PEER" ask "$@" --now
		got=$?
		if [ $(($(clock) + 1)) -le $((began + span)) ]; then
			early=$((early + 1))
			[ $got -eq "$before" ] || wrong+="$got after $((asked - began)), too early; "
		elif [ "$asked" -ge $((ended + 1 + span)) ]; then
			[ $got -eq "$after" ] || wrong+="$got after $((asked - ended)), too late; "
			return
		fi
		sleep 0.05
	done
}

# ends NAME BEFORE AFTER QUESTION COMMAND...: with `--expires Ns` the command does something that
# ends then, and not before or later; watch_end says what the others are
ends()
{
	local name=$1 before=$2 after=$3 question=$4 seconds began
	shift 4
	# A machine may be too busy to ask in time: then longer.
	for seconds in 3 10 30 100; do
		began=$(clock)
		t_capture "$@" --expires "${seconds}s" || break
		# shellcheck disable=SC2086 # words
		watch_end $seconds "$began" "$(clock)" "$before" "$after" $question
		[ "$early" -eq 0 ] || break
	done
	t_is "$name: not too early, not late" '' "$wrong"
	t_ok "$name: was asked $early times in its $seconds s" test "$early" -gt 0
}

# nobody COMMAND...: in A, without root and without a capability
nobody()
{
	in_a setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
}

# draw FIRST LAST HOW-MANY: some of the numbers from FIRST to LAST, or "all"; others each time
draw()
{
	if [ "$3" = all ]; then
		seq "$1" "$2"
	else
		shuf -i "$1-$2" -n "$3"
	fi
}
