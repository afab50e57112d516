#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_kernels): our program loads on this kernel,
# under the dispatcher and in skb mode, and blocks what it should.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
world_enter "$@"
world_pair

[ -x "$PB" ] || t_die "no $PB: make comes first"

limit=300000	# of a million; 195,000 of them before rates and reject, each function of which is looked at once

# insns MODE: the verifier's count for the program on v0
insns()
{
	local count

	count=$("$VM/insns" "$(status_of v0 'i["program_id"]')" 2>&1)
	if [ -z "$count" ]; then
		# Before 5.16 only the log of a load tells.
		count=$("$VM/insns" --load "$TOP/build/lib/bpf/portblock.bpf.o" 2>&1)
	fi
	case $count in
	'' | *[!0-9]*) t_skip "$1: the verifier's count" "this kernel does not tell: ${count:-no count}" ;;
	*)
		echo "# verifier $(uname -r) $1: $count insns"
		t_ok "$1: the verifier's count is below $limit" test "$count" -lt $limit
		;;
	esac
}

# sets MODE: elements come and go, one by one and as a whole, in a table that grows
sets()
{
	local list=$T_DIR/list

	seq 0 39999 | awk '{ print "172." 16 + int($1 / 65536) "." int($1 / 256) % 256 "." $1 % 256 }' >"$list"
	t_ok "$1: set create" in_a "$PB" set create bans
	t_ok "$1: a rule about sources alone" in_a "$PB" rule add drop from @bans
	t_ok "$1: an empty set, port 23 answers" answers tcp "$A4" 23
	t_ok "$1: set add" in_a "$PB" set add bans "$B4,$B6"
	t_fail "$1: no echo comes back" 1 '0 received' in_b ping -c 1 -W 1 "$A4"
	t_fail "$1: nor of IPv6" 1 '0 received' in_b ping -c 1 -W 1 "$A6"
	t_ok "$1: set load" in_a "$PB" set load bans "$list"
	t_ok "$1: port 23 answers again" answers tcp "$A4" 23
	t_ok "$1: and ICMP" in_b ping -c 1 -W 5 "$A4"
	t_ok "$1: add a network to many" in_a "$PB" set add bans "${B4%.*}.0/24"
	t_fail "$1: which holds the source" 1 '0 received' in_b ping -c 1 -W 1 "$A4"
	t_ok "$1: del" in_a "$PB" set del bans "${B4%.*}.0/24"
	t_ok "$1: which holds it no longer" answers tcp "$A4" 23
	t_ok "$1: an element that ends" in_a "$PB" set add bans "$B4" --timeout 1s
	t_ok "$1: by the kernel's clock" wait_for 60 answers tcp "$A4" 23
	t_ok "$1: the rule goes" in_a "$PB" rule del drop from @bans
	t_ok "$1: and the set" in_a "$PB" set destroy bans
}

filters()	# MODE LOAD-OPTIONS...
{
	local mode=$1
	shift

	t_ok "$mode: load" in_a "$PB" load v0 "$@"
	t_is "$mode: status -j says so" "$mode $attach" "$(status_of v0 'i["mode"] + " " + i["attach"]')"
	t_ok "$mode: no rule, port 22 answers" answers tcp "$A4" 22
	t_ok "$mode: rule add" in_a "$PB" rule add 22/tcp
	t_ok "$mode: port 22 is silent" silent tcp "$A4" 22
	t_ok "$mode: port 22 is silent, IPv6" silent tcp "$A6" 22
	t_ok "$mode: port 23 answers" answers tcp "$A4" 23
	t_ok "$mode: port 23 answers, IPv6" answers tcp "$A6" 23
	insns "$mode"
	sets "$mode"
	t_ok "$mode: unload" in_a "$PB" unload v0
	t_ok "$mode: no program is left" bare v0
	t_ok "$mode: unloaded, port 22 answers" answers tcp "$A4" 22
}

serve in_a --tcp 22,23
# 5.10 takes the program alone only: there, no function of a program under the dispatcher may
# hand its context to another.
case $(uname -r) in
5.10.*)
	attach=single
	t_fail 'no dispatcher' 1 'without --require-dispatcher' in_a "$PB" load v0 --require-dispatcher
	filters native
	filters skb -m skb
	;;
*)
	attach=dispatcher
	filters native --require-dispatcher
	filters skb --require-dispatcher -m skb
	;;
esac

# What the kernel takes for a test run has changed; see tests/net/captures.sh.
captures()
{
	in_a "$PYTHON" "$TOP/tests/net/captures.py" "$@"
}
captures rules >"$T_DIR/rules"
t_ok 'explain: load' in_a "$PB" load v0 --rules "$T_DIR/rules"
for name in ethernet raw big cut; do
	t_ok "explain: $name" captures check $name
done
t_ok 'the kernel has not complained' no_complaints
t_done
