#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_exchange): under the dispatcher an upgrade, and a move to
# another ruleset, put the new program beside the old one and then take that off. At every instant
# each packet is judged and counted by exactly one of the two; and whatever was killed is mended by
# the next command, whichever that is.
# shellcheck disable=SC2317,SC2086 # functions are called by t_ok and t_fail; commands are words
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
. "$(dirname "$0")/lib.sh"
ROUNDS=$TOP/build/tests/net/rounds
SECOND=$TOP/build/tests/vm/second
for program in "$ROUNDS" "$SECOND"; do
	[ -x "$program" ] || t_die "no $program: make prog-tests comes first"
done
world_enter "$@"
world_pair
world_wire v2 v3
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1
ours=xdp_portblock

# Both rulesets drop 1000 and pass 2000, and count them; of 3000 and 3001 each drops another.
printf '%s\n' 1000/udp 3000/udp 22/tcp 'audit udp dport 2000' >a.rules
printf '%s\n' 1000/udp 3001/udp 22/tcp 'audit udp dport 2000' >b.rules

# figure NAME: of what rounds printed
figure()
{
	sed -nE "s/.*$1 ([0-9]+).*/\1/p" <<<"$figures"
}

# by_rules RULESET...: packets that the rules for 1000 and for 2000 have counted, in all of them
by_rules()
{
	local name
	for name; do
		"$PB" rule list -j -r "$name"
	done | "$PYTHON" -c '
import json, sys
rules = [r for line in sys.stdin for r in json.loads(line)["rules"]]
print(*(sum(r["packets"] for r in rules if r["ports"] == [port]) for port in ("1000", "2000")))'
}

# --- under traffic ---------------------------------------------------------------------------

cat >upgrades <<'SCRIPT'
for ((i = 0; i < $1; i++)); do
	"$PB" upgrade v0 || exit 1
done
SCRIPT
cat >moves <<'SCRIPT'
for ((i = 0; i < $1; i++)); do
	"$PB" load v0 -r b && "$PB" load v0 -r a || exit 1
done
SCRIPT

# exact WHAT CHANGES RULESETS COMMAND...: under traffic
exact()
{
	local what=$1 changes=$2 rulesets=$3 was
	shift 3
	was=$(by_rules $rulesets)
	t_ok "$what" "$ROUNDS" "$NS_A" "$NS_B" "$A4" 1000-1000 2000-2000 3000-3001 "$@"
	figures=$(grep ^rounds <<<"$T_OUT")
	t_note "$figures"
	t_is "$what: nothing came in that both drop, nothing was lost that both pass" \
		'stray 0 lost 0' "stray $(figure stray) lost $(figure lost)"
	t_ok "$what: pairs see one ruleset, but for those sent across a change" \
		test "$(figure torn)" -le "$changes"
	t_ok "$what: with some traffic" test "$(figure rounds)" -gt 100
	t_is "$what: each packet was counted, and once" "$(figure rounds) $(figure rounds)" \
		"$(by_rules $rulesets | "$PYTHON" -c '
import sys
print(*(int(now) - int(was) for now, was in zip(input().split(), sys.argv[1:])))' $was)"
	t_is "$what: one program is left" "$ours" "$(chain v0)"
	t_is "$what: and its pins alone" 1 \
		"$(find /sys/fs/bpf/xdp -mindepth 1 -maxdepth 1 -name "dispatch-$index-*" | wc -l)"
}

index=$(in_a cat /sys/class/net/v0/ifindex 2>/dev/null || in_a ip -o link show v0 | cut -d: -f1)
t_ok 'a ping first' in_b ping -q -c 1 -W 30 "$A4"
upgrades=3 moves=2 swaps='5 20'
for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load v0 -m $mode -r a --rules a.rules --require-dispatcher
	exact "$mode: $upgrades upgrades" 0 a "$BASH" ./upgrades $upgrades
	# The new one before the old one, and behind it.
	exact "$mode: exchanges, in either order" 0 a "$SECOND" swap v0 $swaps
	t_ok "$mode: others keep the rulesets" in_a "$PB" load v2 -r a
	t_ok "$mode: both of them" in_a "$PB" load lo -r b --rules b.rules
	exact "$mode: moves" $((2 * moves)) 'a b' "$BASH" ./moves $moves
	t_fail "$mode: a move to another priority is refused" 1 "with priority" \
		in_a "$PB" load v0 -r b --priority 5
	t_ok "$mode: off" in_a "$PB" unload v0
	t_ok "$mode: load with a priority" in_a "$PB" load v0 -m $mode -r a --priority 20
	t_ok "$mode: a move and back" in_a "$BASH" ./moves 1
	t_is "$mode: it has kept its priority" 20 "$(status_of v0 'i["priority"]')"
	t_ok "$mode: unload" in_a "$PB" unload --all
	t_is "$mode: nothing is left of ours" '' "$(our_pins; bpftool prog show name $ours)"
	upgrades=1 moves=1
done
# --- doubled, by whatever did it -----------------------------------------------------------------

for unload in 'unload v0' 'unload --all'; do
	t_ok "doubled: load" in_a "$PB" load v0 -r a
	t_ok "doubled: a second one" in_a "$SECOND" beside v0
	t_is "doubled: two in the chain" "$ours $ours" "$(chain v0)"
	t_is "doubled: status shows both" 2 "$(status_of v0 'sum(p["ours"] for p in i["chain"])')"
	t_is "doubled: as no exchange" False "$(status_of v0 'i["exchange"]')"
	t_fail "doubled: status says what to do" 0 'xdp-portblock unload v0' in_a "$PB" status
	t_fail "doubled: doctor finds it" 1 '2 programs of xdp-portblock are on it' in_a "$PB" doctor v0
	t_fail "doubled: upgrade is refused" 1 '2 programs of xdp-portblock' in_a "$PB" upgrade v0
	t_fail "doubled: load, too" 1 '2 programs of xdp-portblock' in_a "$PB" load v0 -r a
	t_ok "doubled: $unload" in_a "$PB" $unload
	t_is "doubled: $unload: takes both" '' "$(chain v0)$(our_pins; bpftool prog show name $ours)"
done

# --- killed -------------------------------------------------------------------------------------

# What comes next; of each kind. (Each that is no unload leaves the interface loaded.)
nexts=('status' 'rule list -r a' 'upgrade v0' 'stats -r b --count 1' 'rule add -r a 5555/tcp'
	'unload v0' 'save -r a' 'doctor v0' 'load v0 -r a' 'policy -r b' 'explain -r a --to 22/tcp'
	'rule del -r b 5555/tcp' 'unload --all')

# all_loaded: v0 with a, v2 and lo so that both rulesets stay
all_loaded()
{
	in_a "$PB" load v0 -m native -r a && in_a "$PB" load v2 -r a && in_a "$PB" load lo -r b
}

# What is done to a call, in strace's words
declare -A faults=([killed]='signal=KILL:when=%d' [failing]='error=EIO:when=%d'
	[failing from]='error=EIO:when=%d+')

# disturbed FAULT CALL N COMMAND...: that is done to it at the Nth such call
disturbed()
{
	local fault call=$2
	# shellcheck disable=SC2059 # the formats are above
	printf -v fault "${faults[$1]}" "$3"
	shift 3
	in_a strace -f -o "$T_DIR/strace" -e "trace=$call" -e "inject=$call:$fault" \
		"$PB" "$@" >"$T_DIR/said" 2>&1
}

# spoke STATUS FAULT: a command that was not killed ends well, or fails and says why
spoke()
{
	[ "$2" = killed ] || [ "$1" -eq 0 ] || { [ "$1" -eq 1 ] && [ -s "$T_DIR/said" ]; }
}

# counted ONCE: by the rules for 1000 and 2000, for wait_for
counted_by_rules()
{
	[ "$(by_rules a b)" = "$1" ]
}

# calls COMMAND...: runs it to its end, for calls_of
calls()
{
	in_a strace -f -o "$T_DIR/calls" -e trace=membarrier,unlink,sendto,bpf "$PB" "$@"
}

# count CALL: such calls in what strace wrote
count()
{
	grep -cE "^[0-9]+ +$1\\("
}

# points_of CALL HOW-MANY: some of those since the exchange began
points_of()
{
	local before nr
	before=$(sed '/ membarrier(/,$d' "$T_DIR/calls" | count "$1")
	nr=$(count "$1" <"$T_DIR/calls")
	draw $((before + 1)) "$nr" "$2"
}

disturbances=0 which=0 want=0
# sweep FAULT CALL HOW-MANY COMMAND...: at some of these calls, and looks at what the next command
# finds
sweep()
{
	local fault=$1 call=$2 n next what status
	for n in $(points_of "$call" "$3"); do
		next=${nexts[which++ % ${#nexts[@]}]}
		what="$4, $fault at $call $n"
		disturbed "$fault" "$call" "$n" "${@:4}"
		status=$?
		disturbances=$((disturbances + 1))
		t_ok "$what: exit status $status, and says why" spoke $status "$fault"
		# A packet is judged by one of the two while nobody does anything about it.
		in_b "$PYTHON" "$PEER" send udp "$A4" 1000 --count 3
		in_b "$PYTHON" "$PEER" send udp "$A4" 2000 --count 3
		want=$((want + 3))
		in_a "$PB" $next >"$T_DIR/next" 2>&1
		case $next in
		unload*)
			t_is "$what: $next takes all of ours off" '' "$(chain v0)"
			t_is "$what: $next: nothing of v0 is left" '' \
				"$(find /sys/fs/bpf/xdp -name "dispatch-$index-*")"
			;;
		*)
			t_is "$what: $next: one is left" "$ours" "$(chain v0)"
			t_is "$what: $next: and its pins" 1 \
				"$(find /sys/fs/bpf/xdp -name "dispatch-$index-*" | wc -l)"
			t_is "$what: $next: no exchange is under way" False \
				"$(status_of v0 'i["exchange"]')"
			t_is "$what: $next: one program an interface" 3 \
				"$(bpftool prog show name $ours | grep -c "^[0-9]")"
			;;
		esac
		t_ok "$what: load" all_loaded
		if [ "$next" = 'unload --all' ]; then
			t_ok "$what: rules again" load_rules
			want=0
		else
			t_ok "$what: each packet was counted, and once" \
				wait_for 60 counted_by_rules "$want $want"
		fi
	done
}

load_rules()
{
	"$PB" apply -r a a.rules && "$PB" apply -r b b.rules
}

t_ok 'load' all_loaded
t_ok 'rules' load_rules
# Some of the places where the two take turns, and of the many other calls: of each kind by `tests/run --all`, else of
# half of the kinds. PB_DISTURB says how many of each, or "all".
most=${PB_DISTURB:-$(amount 2 1)} few=${PB_DISTURB:-1}
for command in 'upgrade v0' 'load v0 -r b'; do
	t_ok "$command: to its end" calls $command
	t_ok "$command: and back" all_loaded
	sweep killed membarrier "$most" $command
	for kind in 'killed unlink' 'killed sendto' 'killed bpf' 'failing sendto' 'failing from sendto'; do
		[ -n "${PB_ALL-}${PB_DISTURB-}" ] || ((RANDOM % 2)) || continue
		sweep "${kind% *}" "${kind##* }" "$few" $command
	done
done
t_note "disturbed $disturbances times"
t_ok 'unload' in_a "$PB" unload --all
t_is 'nothing is left of ours' '' "$(our_pins; bpftool prog show name $ours)"
t_ok 'the kernel has not complained' no_complaints
t_done
