# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of this layer, on top of ../lib.sh: what the tool says, what the
# kernel says, and commands that must leave everything as it was.

PINS=/sys/fs/bpf/xdp-portblock
PASS_OBJECT=$TOP/build/tests/net/pass.bpf.o
export PINS PASS_OBJECT

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

# nobody COMMAND...: in A, without root and without a capability
nobody()
{
	in_a setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
}
