#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_lands): an interface on which one user land has loaded programs, and another
# comes with its tools. Port 22 is ours to block, 23 is xdp-filter's, 24 answers always.
#
# PB_MET is "SUITE SUITE ROOT ROOT"; their trees are build/lands/SUITE. Dispatchers of libxdp 1.6 and of those before
# it refuse each other: then who comes second says so, and nothing is changed.
# shellcheck disable=SC2317 # functions are called by t_ok and t_fail
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

world_enter "$@"
world_pair
read -ra words <<<"$PB_MET"
suites=("${words[@]:0:2}") roots=("${words[@]:2:2}")

# enter ROOT TREE: what a program there needs is there. What is written to the root goes to memory.
enter()
{
	local folder
	for folder in dev proc run sys; do
		mount --rbind "/$folder" "$1/$folder" || return
	done
	mkdir -p "$1$2" && mount --bind "$2" "$1$2"
}

# in_land N COMMAND...: in A, by the tools of that land
in_land()
{
	local root=${roots[$1]}
	shift
	in_a chroot "$root" "$@"
}

ours()   { in_land "$1" "$TOP/build/lands/${suites[$1]}/xdp-portblock/xdp-portblock" "${@:2}"; }
load_other()   { in_land "$1" xdp-filter load v0 -f tcp && in_land "$1" xdp-filter port 23 -m dst -p tcp; }
unload_other() { in_land "$1" xdp-filter unload v0; }
blocked()  { t_ok "$1: port $2 is silent" silent tcp "$A4" "$2"; }
answered() { t_ok "$1: port $2 answers" answers tcp "$A4" "$2"; }
state()    { in_a ip -details link show dev v0; pins | sort; }
library()  { chroot "${roots[$1]}" pkg-config --modversion libxdp; }

for n in 0 1; do
	t_ok "${suites[n]}: its root" enter "${roots[n]}" "$TOP/build/lands/${suites[n]}"
done
libraries=("$(library 0)" "$(library 1)")
echo "# libxdp: ${suites[0]} ${libraries[0]}, ${suites[1]} ${libraries[1]}"
# dispatcher VERSION: that of its dispatcher
dispatcher() { [ "$(printf '%s\n' "$1" 1.6 | sort -V | head -n 1)" = 1.6 ] && echo 3 || echo 2; }

# met A B: how B's libxdp takes what A's has attached: one of the same, an earlier or a later one
met()
{
	local a b
	a=$(dispatcher "${libraries[$1]}") b=$(dispatcher "${libraries[$2]}")
	if [ "$a" = "$b" ]; then echo same; elif [ "$a" -lt "$b" ]; then echo earlier; else echo later; fi
}

# It is read, and no program comes to it or goes from it while another stays.
earlier='the dispatcher that is attached was loaded by an earlier libxdp'
# It is not read.
later='the dispatcher that is attached .* was loaded by a later libxdp'

# same, earlier, later WHAT A B: what B's tool does where xdp-filter of A is loaded
beside_same()
{
	t_ok "$1: load beside it" ours "$3" load v0 --require-dispatcher
	t_ok "$1: rule add" ours "$3" rule add 22/tcp
	blocked "$1" 22
	blocked "$1" 23
	t_ok "$1: unload" ours "$3" unload v0
	answered "$1: unloaded" 22
}
beside_earlier()
{
	t_fail "$1: load" 1 "$earlier" ours "$3" load v0
	t_fail "$1: status" 1 'not loaded' ours "$3" status v0
	t_fail "$1: unload" 1 'another XDP program is' ours "$3" unload v0
	t_ok "$1: doctor" ours "$3" doctor v0
}
beside_later()
{
	t_fail "$1: load" 1 "$later" ours "$3" load v0
	t_fail "$1: status" 1 "$later" ours "$3" status v0
	t_fail "$1: unload" 1 "$later" ours "$3" unload v0
	t_fail "$1: doctor" 1 "problem .*$later" ours "$3" doctor v0
}

# beside A B: xdp-filter of A is loaded, and B's tool comes
beside()
{
	local what="${suites[$1]}'s xdp-filter, ${suites[$2]}'s tool" how before
	how=$(met "$1" "$2")
	t_ok "$what: load xdp-filter" load_other "$1"
	blocked "$what" 23
	before=$(state)
	"beside_$how" "$what" "$1" "$2"
	[ "$how" = same ] || t_is "$what: nothing has changed" "$before" "$(state)"
	blocked "$what, after it" 23
	answered "$what, after it" 24
	t_ok "$what: unload xdp-filter" unload_other "$1"
	t_ok "$what: no program is left" bare v0
}

# same, earlier, later WHAT A B: what B's tool does with what A has loaded, beside A's xdp-filter
foreign_same()
{
	t_ok "$1: status" ours "$3" status v0
	t_ok "$1: unload" ours "$3" unload v0
	answered "$1: unloaded" 22
	t_ok "$1: load" ours "$2" load v0
	t_ok "$1: rule" ours "$2" rule add 22/tcp
}
foreign_earlier()
{
	t_ok "$1: status" ours "$3" status v0
	t_ok "$1: load: it is there" ours "$3" load v0
	t_fail "$1: unload" 1 "$earlier" ours "$3" unload v0
}
foreign_later()
{
	t_fail "$1: status" 1 "$later" ours "$3" status v0
	t_fail "$1: load" 1 "$later" ours "$3" load v0
	t_fail "$1: unload" 1 "$later" ours "$3" unload v0
}

# foreign A B: A has loaded ours and xdp-filter, and B's tool comes
foreign()
{
	local what="${suites[$1]}'s filter, ${suites[$2]}'s tool" how before
	how=$(met "$1" "$2")
	t_ok "$what: load" ours "$1" load v0 --require-dispatcher
	t_ok "$what: rule add" ours "$1" rule add 22/tcp
	t_ok "$what: load xdp-filter" load_other "$1"
	before=$(state)
	"foreign_$how" "$what" "$1" "$2"
	[ "$how" = same ] || t_is "$what: nothing has changed" "$before" "$(state)"
	blocked "$what, after it" 22
	blocked "$what, after it" 23
	answered "$what, after it" 24
	t_ok "$what: a rule by the other needs no libxdp" ours "$2" rule add 24/tcp
	blocked "$what" 24
	t_ok "$what: nor does its end" ours "$2" rule del 24/tcp
	t_ok "$what: xdp-filter goes" unload_other "$1"
	t_ok "$what: the first unloads" ours "$1" unload v0
	t_ok "$what: no program is left" bare v0
	answered "$what, unloaded" 22
}

serve in_a --tcp 22,23,24
beside 0 1
beside 1 0
foreign 0 1
foreign 1 0
t_ok 'the kernel has not complained' no_complaints
t_done
