#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Answers of the kernel that are lost: it has done what it was asked, and the command hears that it
# has not. Whatever the command then says is so. PB_LOST says how many of a command's answers are lost,
# one at a time, or "all".

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3
cd "$T_DIR" || exit 1

FAULT=$TOP/build/tests/preload/fault.so

# lose N COMMAND...: the Nth answer of the kernel by netlink, to whichever thread, is lost to it
lose()
{
	local n=$1
	shift
	in_a env LD_PRELOAD="$FAULT" PB_FAULT="netlink:$n" "$PB" "$@" >said 2>&1
}

# answers_of COMMAND...: which of them to lose; runs it once to know how many there are
answers_of()
{
	rm -f counts
	in_a env LD_PRELOAD="$FAULT" PB_FAULT_COUNT="$PWD/counts" "$PB" "$@" >said 2>&1
	draw 1 "$(awk '$1 == "netlink" { print $2 }' counts)" "${PB_LOST:-3}"
}

# on DEV: its ruleset, as status has it; "none"
on()
{
	in_a "$PB" status -j 2>&1 |
		json "[i['ruleset'] for i in d['interfaces'] if i['name'] == '$1'] or 'none'"
}

# sweep WHAT UNDO BEFORE AFTER COMMAND...: after a failure `look` prints BEFORE, else AFTER
sweep()
{
	local what=$1 undo=$2 before=$3 after=$4 n want status wrong=
	shift 4
	answers_of "$@" >answers
	$undo
	while read -r n; do
		lose "$n" "$@" </dev/null
		status=$?
		want=$before
		[ $status -ne 0 ] || want=$after
		[ $status -le 1 ] && [ "$(look)" = "$want" ] && { [ $status -eq 0 ] || [ -s said ]; } ||
			wrong="$wrong
answer $n, exit status $status: $(look), $(cat said)"
		$undo || wrong="$wrong
answer $n: cannot go back: $(cat said)"
	done <answers
	t_is "$what: each is what the exit status says" '' "$wrong"
	t_ok "$what: there were answers to lose" test -s answers
}

# --- load -------------------------------------------------------------------------------------

look() { echo "$(on v0) $(on v2) $(xdp_on v0 | wc -l) $(our_pins | wc -l)"; }
clear() { in_a "$PB" unload --all >said 2>&1; }
nothing=$(look)
t_ok 'load' in_a "$PB" load v0
loaded=$(look)
t_ok 'unload' clear
for mode in native skb auto; do
	sweep "$mode: load" clear "$nothing" "$loaded" load v0 -m $mode
done
# The same where libxdp is refused the program.
tool=$PB
# shellcheck disable=SC2016 # for that shell to expand
printf '#!/bin/sh\nLD_PRELOAD="$LD_PRELOAD %s" exec %s "$@"\n' "$TOP/build/tests/preload/alone.so" "$tool" >alone
chmod +x alone
PB=$T_DIR/alone
t_ok 'alone: load' in_a "$PB" load v0
t_ok 'alone: unload' clear
sweep 'alone: load' clear "$nothing" "$loaded" load v0
PB=$tool
t_ok 'load two' in_a "$PB" load v0 v2
loaded=$(look)
t_ok 'unload them' clear
sweep 'load of two' clear "$nothing" "$loaded" load v0 v2

# --- upgrade, and a move ----------------------------------------------------------------------

look() { echo "$(on v0) $(xdp_on v0 | wc -l) $(outcome v0 drop-rule)"; }
t_ok 'load for an upgrade' in_a "$PB" load v0 v2 -r one
t_ok 'a rule' "$PB" rule add -r one 1000/udp
in_b "$PYTHON" "$PEER" send udp "$A4" 1000 --count 3
counted_three() { [ "$(outcome v0 drop-rule)" = 3 ]; }
t_ok 'which counts' wait_for 60 counted_three
here=$(look)
sweep 'upgrade' true "$here" "$here" upgrade v0
t_is 'its counters are as before' "$here" "$(look)"

# What is moved back goes on counting.
back() { :; }
sweep 'upgrade of two' back "$here" "$here" upgrade v0 v2

look() { echo "$(on v0) $(on v2) $(xdp_on v0 | wc -l) $("$PB" rule list -r one -j | json 'd["rules"][0]["packets"]')"; }
here=$(look)
t_ok 'a third keeps the ruleset' in_a "$PB" load lo -r one
here=$(look)
t_ok 'a move' in_a "$PB" load v0 v2 -r two
there=$(look)
back() { in_a "$PB" load v0 v2 -r one >said 2>&1; }
t_ok 'back' back
sweep 'move of two' back "$here" "$there" load v0 v2 -r two

# --- unload ---------------------------------------------------------------------------------------

look() { echo "$(on v0) $(xdp_on v0 | wc -l)"; }
here=$(look)
again() { in_a "$PB" load v0 -r one >said 2>&1; }
t_ok 'unload one' in_a "$PB" unload v0
gone=$(look)
t_ok 'load it again' again
sweep 'unload' again "$here" "$gone" unload v0
t_ok 'unload all' clear
t_is 'no pin is left' '' "$(our_pins)"
t_is 'no program is left' '' "$(xdp_on v0)$(xdp_on v2)"
t_done
