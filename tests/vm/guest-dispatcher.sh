#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_dispatcher): our program beside xdp-filter
# and others on one interface. Port 22 is ours to block, 23 is xdp-filter's, and 24
# answers always.
# shellcheck disable=SC2317 # functions are called by t_ok and t_fail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
world_enter "$@"
world_pair

for objects in /usr/lib/bpf /usr/lib64/bpf /usr/lib/*/bpf; do
	[ ! -e "$objects/xdpfilt_alw_all.o" ] || break
done
[ -e "$objects/xdpfilt_alw_all.o" ] || t_die "no xdpfilt_*.o: is xdp-tools installed?"
[ -x "$PB" ] || t_die "no $PB: make comes first"

# Policy and features decide which of its objects xdp-filter loads; alw is "allow what
# no entry names", dny the contrary.
other=xdpfilt_alw_tcp
ours=xdp_portblock

load_ours()   { in_a "$PB" load v0 "$@" && in_a "$PB" rule add 22/tcp; }
unload_ours() { in_a "$PB" unload v0; }
load_other()   { in_a xdp-filter load v0 -f tcp "$@" && in_a xdp-filter port 23 -m dst -p tcp; }
unload_other() { in_a xdp-filter unload v0; }
load_object()  { in_a xdp-loader load v0 "$@"; }
clear_v0()     { in_a xdp-loader unload -a v0; }

blocked()  { t_ok "$1: port $2 is silent" silent tcp "$A4" "$2"; }
answered() { t_ok "$1: port $2 answers" answers tcp "$A4" "$2"; }

serve in_a --tcp 22,23,24
for port in 22 23 24; do
	answered 'nothing loaded' $port
done

# What the doctor tries, libxdp's folder being there or not, leaves nothing but that folder; and all
# that the library does as a guest works after it.
works='dispatcher works'
for name in 'the doctor, first' 'the doctor, again'; do
	t_ok "$name" in_a "$PB" doctor
	t_is "$name: it works" 1 "$(grep -c "$works" <<<"$T_OUT")"
	t_is "$name: leaves libxdp's folder" /sys/fs/bpf/xdp "$(pins)"
done
t_ok 'a guest' in_a "$TOP/build/tests/net/guest" v0
t_is 'a guest: it works, before libxdp was used and after' 2 "$(grep -c "$works" <<<"$T_OUT")"

passed_since()
{
	[ "$(status_of v0 'i["outcomes"]["pass"]["packets"]')" -ge $(($1 + $2)) ]
}

# ends_behind_ours NAME PORT: ours passes what is asked for, and B asks again, in vain. (For a program
# that denies ping and ARP, too: by a ping `silent` knows that there is nothing to wait for.)
ends_behind_ours()
{
	local before
	before=$(status_of v0 'i["outcomes"]["pass"]["packets"]')
	in_b ip neigh replace "$A4" dev v1 nud permanent \
		lladdr "$(in_a ip -o link show dev v0 | sed -n 's:.* link/ether \([^ ]*\) .*:\1:p')"
	bg in_b "$PYTHON" "$PEER" ask tcp "$A4" "$2"
	t_ok "$1: port $2 was asked for three times" wait_for 120 passed_since "$before" 3
	t_ok "$1: port $2 is silent" grep -q . <(in_b ss -tHn state syn-sent "dst $A4 dport = :$2")
	bg_stop "$BG_PID"
	in_b ip neigh del "$A4" dev v1
}

# --- two filters, either first, either unloaded first -----------------------------------

two_filters()	# FIRST SECOND UNLOADED-FIRST
{
	local what="$1 then $2" stays

	t_ok "$what: load $1" "load_$1"
	t_ok "$what: load $2" "load_$2"
	t_is "$what: ours runs first by its priority, says xdp-loader" "$ours $other" "$(chain v0)"
	t_is "$what: status -j shows the same chain" "$ours $other" "$(status_chain v0)"
	t_is "$what: status -j says dispatcher" dispatcher "$(status_of v0 'i["attach"]')"
	blocked "$what" 22
	blocked "$what" 23
	answered "$what" 24

	what="$what, $3 unloaded"
	t_ok "$what" "unload_$3"
	case $3 in
	ours)
		stays=other
		t_is "$what: the other is alone in the chain" "$other" "$(chain v0)"
		t_is "$what: status -j lists ours no more" none "$(status_of v0 1)"
		answered "$what" 22
		blocked "$what" 23
		;;
	other)
		stays=ours
		t_is "$what: ours is alone in the chain" "$ours" "$(chain v0)"
		blocked "$what" 22
		answered "$what" 23
		;;
	esac
	answered "$what" 24
	t_ok "$what, then $stays" "unload_$stays"
	t_ok "$what, then $stays: no program is left" bare v0
	answered "$what, then $stays" 22
	answered "$what, then $stays" 23
}

two_filters ours other ours
two_filters ours other other
two_filters other ours ours
two_filters other ours other

# --- rates and reject ---------------------------------------------------------------------

# What ours sends back, veth's peer takes only where it has a program itself.
t_ok 'a program on the other end' bpftool prog load "$TOP/build/tests/net/pass.bpf.o" /sys/fs/bpf/pass
t_ok 'is there' in_b ip link set v1 xdpdrv pinned /sys/fs/bpf/pass
rm /sys/fs/bpf/pass

# counts ID...: packets of these rules
counts()
{
	"$PB" rule list -j | "$PYTHON" -c '
import json, sys
rules = {str(r["id"]): r["packets"] for r in json.load(sys.stdin)["rules"]}
print(*[rules.get(i) for i in sys.argv[1:]])' "$@"
}
counts_are() { [ "$(counts 2 3)" = "$1" ]; }
is_told()
{
	in_b "$PYTHON" "$PEER" ask "$@"
	[ $? -eq 1 ]
}

# A program under the dispatcher may have a frame grow: where the dispatcher does so itself, as that of libxdp 1.6.3, and
# on Linux 6.1, which does not ask.
frames_may_grow()
{
	[[ $(uname -r) == 6.1.* ]] || bpftool prog dump xlated name xdp_dispatcher | grep -q 'call bpf_xdp_adjust_tail'
}

# rated NAME: rules of a rate, and of who is told, in our program; what it lets go the other one judges
rated()
{
	local addr told
	t_ok "$1: a rate" in_a "$PB" rule add drop udp dport 7 over 1/h burst 3 each source total 5/h
	t_ok "$1: and what it lets go" in_a "$PB" rule add allow udp dport 7
	in_b "$PYTHON" "$TOP/tests/net/datagrams.py" v1 10.64.0.1 "$A4" 7 5
	t_ok "$1: of five datagrams three go" wait_for 60 counts_are '2 3'
	in_b "$PYTHON" "$TOP/tests/net/datagrams.py" v1 10.64.0.2 "$A4" 7 1
	t_ok "$1: another source has a bucket, too" wait_for 60 counts_are '2 4'
	in_b "$PYTHON" "$TOP/tests/net/datagrams.py" v1 10.64.0.3+9 "$A4" 7 9
	t_ok "$1: and all of them one" wait_for 60 total_holds
	t_ok "$1: a rate that holds no one back" in_a "$PB" rule add drop tcp dport 23-24 over 1000000/h
	blocked "$1: within it, xdp-filter judges" 23
	answered "$1: within it" 24
	t_ok "$1: reject" in_a "$PB" rule add reject tcp dport 25
	t_ok "$1: reject udp" in_a "$PB" rule add reject udp dport 53
	for addr in "$A4" "$A6"; do
		t_ok "$1: $addr: by a reset" is_told tcp "$addr" 25
		t_ok "$1: $addr: by ICMP" is_told udp "$addr" 53 --size 120
	done
	told=4
	if frames_may_grow; then
		for addr in "$A4" "$A6"; do
			t_ok "$1: $addr: by ICMP, of a short one" is_told udp "$addr" 53
		done
		told=6
	else
		for addr in "$A4" "$A6"; do
			t_ok "$1: $addr: not of a short one" silent udp "$addr" 53
		done
	fi
	t_is "$1: so many have been told" "$told 0" \
		"$(in_a "$PB" stats -j | "$PYTHON" -c 'import json, sys
r = json.load(sys.stdin)["rates"]; print(r["answered"], r["held_back"])')"
}

# Five an hour: one comes back in twelve minutes, which an emulated machine may take.
total_holds()
{
	local over passed
	read -r over passed <<<"$(counts 2 3)"
	[ $((over + passed)) -eq 15 ] && [ "$passed" -ge 5 ] && [ "$passed" -le 6 ]
}

# Somebody listens there, so a refusal is ours.
serve in_a --tcp 25 --udp 53
for mode in native skb; do
	t_ok "rates, $mode: load ours" load_ours -m $mode
	t_ok "rates, $mode: load xdp-filter" load_other -m $mode
	t_is "rates, $mode: the chain" "$ours $other" "$(chain v0)"
	t_is "rates, $mode: by the dispatcher" dispatcher "$(status_of v0 'i["attach"]')"
	rated "rates, $mode"
	t_ok "rates, $mode: unload ours" unload_ours
	t_ok "rates, $mode: unload xdp-filter" unload_other
done
in_b ip link set v1 xdpdrv off

# --- priority, --require-dispatcher -------------------------------------------------------

t_ok 'priority 20: load xdp-filter' load_other
t_ok 'priority 20: load ours' load_ours --priority 20
t_is 'priority 20: xdp-filter runs first, says xdp-loader' "$other $ours" "$(chain v0)"
t_is 'priority 20: status -j shows the same chain' "$other $ours" "$(status_chain v0)"
t_is 'priority 20: status -j shows the priority' 20 "$(status_of v0 'i["priority"]')"
blocked 'priority 20' 22
blocked 'priority 20' 23
answered 'priority 20' 24
t_ok 'priority 20: unload ours' unload_ours
t_ok 'priority 20: unload xdp-filter' unload_other

t_ok '--require-dispatcher: load' load_ours --require-dispatcher
t_is '--require-dispatcher: status -j says dispatcher' dispatcher "$(status_of v0 'i["attach"]')"
t_is '--require-dispatcher: the default priority is 9' 9 "$(status_of v0 'i["priority"]')"
blocked '--require-dispatcher' 22

# --- xdp-filter's objects, by xdp-loader --------------------------------------------------

for object in "$objects"/xdpfilt_*.o; do
	name=$(basename "$object" .o)
	t_ok "$name: xdp-loader loads it beside ours" load_object "$object"
	t_is "$name: runs behind ours" "$ours $name" "$(chain v0)"
	t_is "$name: status -j shows the same chain" "$ours $name" "$(status_chain v0)"
	case $name in
	xdpfilt_alw_tcp | xdpfilt_alw_all)
		blocked "$name" 22
		answered "$name" 24
		;;
	xdpfilt_dny_tcp | xdpfilt_dny_all)
		# What ours passes ends there.
		ends_behind_ours "$name" 24
		;;
	esac
	t_ok "$name: unload it" in_a xdp-loader unload -i "$(program_id v0 "$name")" v0
	t_is "$name: ours stays" "$ours" "$(chain v0)"
done
# Some of them denied ARP, too, and B has given up on A's address.
in_b ip neigh flush all
blocked 'the objects are gone' 22
answered 'the objects are gone' 24

# --- ten programs --------------------------------------------------------------------------

pass=$objects/xdpfilt_alw_ip.o
length() { chain v0 | wc -w; }
files()  { local i; for ((i = 0; i < $1; i++)); do echo "$pass"; done; }
# For tools whose exit status is an errno
refused() { ! "$@"; }
# pins: ours, by name
pins()   { find /sys/fs/bpf/xdp-portblock -mindepth 1 2>/dev/null | sort; }

mapfile -t nine < <(files 9)
t_ok 'ten: nine more beside ours' load_object "${nine[@]}"
t_is 'ten: the chain has ten' 10 "$(length)"
t_is 'ten: status -j lists ten' 10 "$(status_of v0 'len(i["chain"])')"
blocked 'ten' 22
answered 'ten' 24
before=$(in_a xdp-loader status v0)
t_ok 'eleventh: xdp-loader cannot add it to our chain' refused load_object "$pass"
t_is 'eleventh: the chain is as it was' "$before" "$(in_a xdp-loader status v0)"
blocked 'eleventh' 22
answered 'eleventh' 24
t_ok 'ten: unload ours' unload_ours
t_is 'ten: the other nine stay' 9 "$(length)"
t_ok 'ten: a tenth that is not ours' load_object "$pass"
before=$(in_a xdp-loader status v0) before_pins=$(pins)
t_fail 'ours as the eleventh: refused, with the limit' 1 'ten|\b10\b' in_a "$PB" load v0
t_is 'ours as the eleventh: the chain is as it was' "$before" "$(in_a xdp-loader status v0)"
t_is 'ours as the eleventh: no pin is left behind' "$before_pins" "$(pins)"
t_is 'ours as the eleventh: status -j does not list it' none "$(status_of v0 1)"
t_ok 'ten: all unloaded' clear_v0

# --- unloaded by another tool ---------------------------------------------------------------

t_ok 'xdp-loader unload -a: load ours' load_ours
t_ok 'xdp-loader unload -a: load xdp-filter' load_other
t_ok 'xdp-loader unload -a' clear_v0
t_ok 'xdp-loader unload -a: no program is left' bare v0
t_ok 'xdp-loader unload -a: status works' in_a "$PB" status
t_is 'xdp-loader unload -a: status -j does not list the interface' none "$(status_of v0 1)"
answered 'xdp-loader unload -a' 22
t_ok 'xdp-loader unload -a: load again' load_ours
t_is 'load again: ours is in the chain' "$ours" "$(chain v0)"
blocked 'load again' 22
answered 'load again' 24
t_ok 'load again: unload' unload_ours
t_ok 'load again: no program is left' bare v0
in_a xdp-filter unload v0 >/dev/null 2>&1	# its pins, if they survived

t_ok 'xdp-filter unload --all: load ours' load_ours
t_ok 'xdp-filter unload --all: load xdp-filter' load_other
t_ok 'xdp-filter unload --all' in_a xdp-filter unload --all
if [ -n "$(chain v0)" ]; then expected=$(chain v0); else expected=none; fi
t_is 'xdp-filter unload --all: status -j says what the kernel says' "$expected" "$(status_chain v0)"
t_ok 'xdp-filter unload --all: load works' load_ours
blocked 'xdp-filter unload --all, load' 22
t_ok 'xdp-filter unload --all, load: unload' unload_ours
t_ok 'xdp-filter unload --all, load: no program is left' bare v0

# --- the skb mode -----------------------------------------------------------------------------

t_ok 'skb: load ours' load_ours -m skb
t_ok 'skb: load xdp-filter' load_other -m skb
t_is 'skb: status -j says skb' skb "$(status_of v0 'i["mode"]')"
t_is 'skb: the chain' "$ours $other" "$(chain v0)"
blocked 'skb' 22
blocked 'skb' 23
answered 'skb' 24
t_ok 'skb: unload ours' unload_ours
t_fail 'skb: ours in native mode into an skb chain is refused, with the mode' 1 skb in_a "$PB" load v0 -m native
t_is 'skb: the other stays' "$other" "$(chain v0)"
answered 'skb, ours unloaded' 22
blocked 'skb, ours unloaded' 23
t_ok 'skb: unload xdp-filter' unload_other
t_ok 'native: load xdp-filter' load_other
t_fail 'native: ours in skb mode into a native chain is refused, with the mode' 1 native in_a "$PB" load v0 -m skb
t_is 'native: the other stays' "$other" "$(chain v0)"
t_ok 'native: unload xdp-filter' unload_other
t_ok 'the end: no program is left' bare v0

# --- a user who loads first ---------------------------------------------------------------------

# able COMMAND...: a user who may do all that loading needs; unit COMMAND...: root, as a unit leaves it
able()
{
	local caps=+net_admin,+sys_admin,+bpf,+perfmon,+chown,+dac_override
	in_a setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,$caps --ambient-caps=-all,$caps \
		--bounding-set=-all,$caps "$@"
}
unit()
{
	in_a setpriv --bounding-set=-all,+net_admin,+bpf,+sys_admin "$@"
}
if able true 2>/dev/null; then
	t_ok 'a user: load' able "$PB" load v0
	t_is "a user: libxdp's pins are root's, too" '' "$(find /sys/fs/bpf/xdp/dispatch-* ! -user 0)"
	for command in status 'rule add 22/tcp' 'load v0 --ruleset other' 'upgrade v0' 'unload v0'; do
		# shellcheck disable=SC2086 # words
		t_ok "a user: root, with no right to others' files: $command" unit "$PB" $command
	done
	t_ok 'a user: load again' able "$PB" load v0
	t_ok 'a user: load xdp-filter' load_other
	t_ok 'a user: unload one of two' able "$PB" unload v0
	t_is "a user: libxdp's pins are root's still" '' "$(find /sys/fs/bpf/xdp/dispatch-* ! -user 0)"
	t_ok 'a user: unload xdp-filter' unload_other
	t_ok 'a user: no program is left' bare v0
else
	t_skip 'a user who loads first' 'no ambient capabilities here'
fi

t_ok 'the kernel has not complained' no_complaints
t_done
