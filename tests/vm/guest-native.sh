#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_native): the native engine under the dispatcher and alone,
# with its module and without. PB_NATIVE_MODULE is the module's file, PB_NATIVE_OTHER that of another
# version, PB_NATIVE_MOVES (10) and PB_NATIVE_RELOADS (20) say how often.
# shellcheck disable=SC2317 # functions are called by t_ok and t_fail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

ROUNDS=$TOP/build/tests/net/rounds
module=portblock_native
native=(--engine native)

remove() { rmmod "$module"; }
listening() { [ "$(bpftool -j map dump pinned "$PINS/default/pb_config" 2>/dev/null | json 'd[0]["formatted"]["value"]["listening"]')" -gt 0 ]; }
# MiB of the kernel's own objects
in_use() { awk '/^kmalloc|^bpf/ { n += $2 * $4 } END { print int(n / 1048576) }' /proc/slabinfo; }

serve in_a --tcp 22,23 --udp 9

# --- without the module: nothing is loaded, and it says what to do ---------------------------

before=$(state)
refused 'no module' 1 'kernel module is not there.*make native.*this is [67].*modprobe' \
	in_a "$PB" load v0 "${native[@]}"
t_is 'no module: nothing has changed' "$before" "$(state)"
t_ok 'no module: the other engine loads' in_a "$PB" load v0 --require-dispatcher
before=$(state)
refused 'no module: a loaded interface is not moved' 1 'kernel module is not there' \
	in_a "$PB" load v0 "${native[@]}"
t_is 'no module: it stays as it was' "$before" "$(state)"
t_ok 'no module: doctor says so' in_a "$PB" doctor
t_ok 'no module: and that is no fault' grep -q '^ok  *native engine: .*not loaded' <<<"$T_OUT"
t_ok 'unload' in_a "$PB" unload v0
refused 'no such engine' 2 '"rust" is not an engine.*bpf, native' in_a "$PB" load v0 --engine rust

# --- with it -------------------------------------------------------------------------------

t_ok 'the module loads' insmod "$PB_NATIVE_MODULE"
t_ok 'doctor knows it' in_a "$PB" doctor
t_ok 'doctor: its version' grep -q "^ok  *native engine: $module .* is loaded" <<<"$T_OUT"

# --- whoever calls it ------------------------------------------------------------------------

NULLS=$TOP/build/tests/vm
head -c 64 /dev/zero >"$T_DIR/frame"
for function in entry find; do
	case $(uname -r) in
	6.1.*)
		t_ok "$function: a null pointer" bpftool prog load "$NULLS/null_$function.bpf.o" "${PINS%/*}/null"
		t_ok "$function: the module looks itself" \
			bpftool prog run pinned "${PINS%/*}/null" data_in "$T_DIR/frame" repeat 1
		t_ok "$function: and takes it for no frame" grep -q 'Return value: 2' <<<"$T_OUT"
		rm "${PINS%/*}/null"
		;;
	*)
		t_fail "$function: a null pointer is refused" 255 'NULL pointer passed to trusted' \
			bpftool prog load "$NULLS/null_$function.bpf.o" "${PINS%/*}/null"
		;;
	esac
done

filters()	# NAME LOAD-OPTIONS...
{
	local name=$1
	shift

	t_ok "$name: load" in_a "$PB" load v0 "${native[@]}" "$@"
	t_ok "$name: it says so" grep -q 'engine native' <<<"$T_OUT"
	t_ok "$name: status" in_a "$PB" status
	t_ok "$name: status says so" grep -q "engine native (module $module [0-9.]*)" <<<"$T_OUT"
	t_is "$name: status -j" 'native' "$(status_is v0 engine)"
	t_ok "$name: no rule, port 22 answers" answers tcp "$A4" 22
	t_ok "$name: rule add" in_a "$PB" rule add --port 22 --proto tcp
	t_ok "$name: port 22 is silent" silent tcp "$A4" 22
	t_ok "$name: port 22 is silent, IPv6" silent tcp "$A6" 22
	t_ok "$name: port 23 answers" answers tcp "$A4" 23
	t_ok "$name: port 23 answers, IPv6" answers tcp "$A6" 23
	t_ok "$name: the rule has counted" test "$(rule_is 1 packets)" -gt 0
	t_fail "$name: rmmod is refused" 1 'in use' remove
	t_ok "$name: explain" in_a "$PB" explain -i v0 --port 22
	t_ok "$name: explain says drop" grep -qi 'drop' <<<"$T_OUT"
	t_ok "$name: upgrade" in_a "$PB" upgrade v0
	t_is "$name: upgrade keeps the engine" native "$(status_is v0 engine)"
	t_ok "$name: load again" in_a "$PB" load v0
	t_ok "$name: it is so already" grep -q 'already loaded' <<<"$T_OUT"
	t_is "$name: and is still native" native "$(status_is v0 engine)"
	t_ok "$name: unload" in_a "$PB" unload v0
	t_ok "$name: port 22 answers" answers tcp "$A4" 22
}

filters 'dispatcher' --require-dispatcher
filters 'skb' --require-dispatcher -m skb

# show WHAT COMMAND...: that it works, the command and what it prints
show()
{
	local what=$1
	shift

	t_ok "$what" in_a "$@"
	t_note "\$ ${*/#"$PB"/xdp-portblock}"
	t_note "$T_OUT"
}
show 'on lo: load' "$PB" load lo "${native[@]}"
show 'on lo: rule add' "$PB" rule add --port 22 --proto tcp
CLIENT=in_a t_ok 'on lo: a connection to port 22 gets no answer' silent tcp 127.0.0.1 22
CLIENT=in_a t_ok 'on lo: one to port 23 does' answers tcp 127.0.0.1 23
show 'on lo: status' "$PB" status
t_ok 'on lo: status names the engine' grep -q '^lo .*engine native' <<<"$T_OUT"
t_ok 'on lo: unload' in_a "$PB" unload lo

# --- what the other engine's code does, behind this one ---------------------------------------

t_ok 'rules of all kinds: load' in_a "$PB" load v0 "${native[@]}" --rules - <<'RULES'
policy deny
allow tcp dport 22 from 10.9.0.0/24,fd09::/64
allow tcp dport 23 expires 1h
drop tcp dport 23 from 10.9.0.2 new
audit udp dport 7
drop udp sport 40001
RULES
t_ok 'a source decides' answers tcp "$A4" 22
t_ok 'a source decides, IPv6' answers tcp "$A6" 22
t_ok 'a socket decides: new ones are dropped' silent tcp "$A4" 23
t_ok 'IPv6 has no such rule' answers tcp "$A6" 23
bg in_a "$PB" monitor -j -c 2
t_ok 'somebody listens' wait_for 60 listening
in_b "$PYTHON" "$PEER" send udp "$A4" 7 --sport 40000
in_b "$PYTHON" "$PEER" send udp "$A4" 9 --sport 40001
wait "$BG_PID"
t_is 'monitor: ends' 0 $?
t_is 'monitor: an audited and a dropped one' '7 audit 9 drop-rule ' \
	"$(grep '^{' "$BG_OUT" | "$PYTHON" -c 'import json,sys
for line in sys.stdin:
	p = json.loads(line)
	print(p["dport"], p["outcome"], end=" ")')"
t_ok 'a change to be confirmed' in_a "$PB" policy allow --confirm 1h
t_ok 'it is in force' answers udp "$A4" 9
t_ok 'and taken back' in_a "$PB" rollback
t_ok 'deny is back' silent udp "$A4" 9

# --- moves between the engines: no packet passes unjudged --------------------------------------

t_ok 'moves: rules' in_a "$PB" apply - <<<$'1000/udp\n3000/udp\n'
t_ok 'moves: a ping first' in_b ping -q -c 1 -W 60 "$A4"
cat >"$T_DIR/to-and-fro" <<'MOVES'
for ((i = 0; i < $1; i++)); do
	"$PB" load v0 --engine bpf && "$PB" load v0 --engine native || exit 1
done
MOVES
before=$(outcome v0 pass)
moves=${PB_NATIVE_MOVES:-10}
t_ok "moves: $moves there and back, under traffic" "$ROUNDS" "$NS_A" "$NS_B" "$A4" 1000-1000 2000-2000 3000-3001 \
	"$BASH" "$T_DIR/to-and-fro" "$moves"
figures=$(grep ^rounds <<<"$T_OUT")
t_note "$figures"
t_is 'moves: each was one' $((2 * moves)) "$(grep -c '^v0: moved' <<<"$T_OUT")"
t_is 'moves: nothing came in that is dropped' 0 "$(sed -nE 's/.*stray ([0-9]+).*/\1/p' <<<"$figures")"
t_is 'moves: nothing was lost that is passed' 0 "$(sed -nE 's/.*lost ([0-9]+).*/\1/p' <<<"$figures")"
t_is 'moves: no packet saw other rules' 0 "$(sed -nE 's/.*torn ([0-9]+).*/\1/p' <<<"$figures")"
t_ok 'moves: counters go on' test "$(outcome v0 pass)" -gt "$before"
t_is 'moves: the ruleset is one' default "$(find "$PINS" -mindepth 1 -maxdepth 1 -printf '%f')"

# A move that fails leaves the engine as it was.
# (What is moved back has a new program.)
id=$(status_is v0 program_id)
before=$(state | sed 's/ id [0-9]* / /')
t_fail 'a move with another that fails' 1 'lo: .*native' in_a "$PB" load v0 lo -m native --engine bpf
t_is 'a move with another that fails: all is as it was' "$before" "$(state | sed 's/ id [0-9]* / /')"
t_is 'is still native' native "$(status_is v0 engine)"
t_fail 'it was moved, and back: the program is another' 1 '' test "$id" = "$(status_is v0 program_id)"
t_ok 'unload' in_a "$PB" unload --all

# --- the module comes and goes, under traffic ---------------------------------------------------

bg in_b "$PYTHON" -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
while True:
    try:
        s.sendto(b"x", (sys.argv[1], 9))
    except OSError:
        pass' "$A4"
# The kernel frees what was unloaded after a while, and the module is in use until then.
removed() { wait_for 60 remove; }
# reload: says at which step it ended, if it was not the last one
reload()
{
	removed || { echo 'rmmod'; return 1; }
	insmod "$PB_NATIVE_MODULE" || { echo 'insmod'; return 1; }
	in_a "$PB" load v0 "${native[@]}" || { echo 'load'; return 1; }
	! remove 2>&1 || { echo 'rmmod while in use'; return 1; }
	in_a "$PB" unload v0 || { echo 'unload'; return 1; }
}
t_ok 'reload: once' reload
objects() { bpftool prog list | grep -c '^[0-9]'; bpftool map list | grep -c '^[0-9]'; }
before=$(objects) memory=$(in_use) failed=0 reloads=${PB_NATIVE_RELOADS:-20}
for ((i = 0; i < reloads; i++)); do
	t_capture reload || { failed=$((failed + 1)); t_note "reload $i: $T_OUT"; }
done
t_is "reload: $reloads times under traffic, failed" 0 $failed
t_is 'reload: programs and maps are as many as before' "$before" "$(objects)"
t_note "memory of the kernel: $memory MiB before, $(in_use) after"
# A table of ports alone has 1.5 MiB.
t_ok 'reload: the kernel has not grown' test $(($(in_use) - memory)) -lt $((reloads / 2 + 2))
bg_stop "$BG_PID"

# --- a module of another version -----------------------------------------------------------------

if [ -n "${PB_NATIVE_OTHER:-}" ]; then
	t_ok 'another version: it is there instead' removed
	t_ok 'another version: it loads' insmod "$PB_NATIVE_OTHER"
	refused 'another version' 1 'of version 9.9.9, and this is' in_a "$PB" load v0 "${native[@]}"
	t_ok 'another version: doctor' in_a "$PB" doctor
	t_ok 'another version: doctor says so' grep -q '^warning  native engine: .*9.9.9' <<<"$T_OUT"
fi
t_ok 'the module is gone' removed
t_ok 'the kernel has not complained' no_complaints
t_done
