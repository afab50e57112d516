#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Several at work at once: no change is lost, loads of different interfaces do not meet, of
# the same one one wins.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3
cd "$T_DIR" || exit 1

WORKERS=8 RULES=1000
PER_WORKER=$((RULES / WORKERS))

# all COMMAND N...: started at once by N processes with the numbers 0 to N-1; their output is in
# said.N, and their statuses, a line each, on standard output
all()
{
	local i pids=()
	for ((i = 0; i < $2; i++)); do
		"$1" "$i" >"said.$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i"
		echo $?
	done
}

# ports_of WORKER: those that are its own
ports_of()
{
	seq $((1 + $1 * PER_WORKER)) $((($1 + 1) * PER_WORKER))
}

adds()
{
	local port
	for port in $(ports_of "$1"); do
		"$PB" rule add "$port/tcp" --comment "worker $1" || return 1
	done
}

# Deletes the odd ones, and adds other ones.
changes()
{
	local port
	for port in $(ports_of "$1"); do
		if [ $((port % 2)) -eq 1 ]; then
			"$PB" rule del "$port/tcp" || return 1
		else
			"$PB" rule add allow "$port/udp" || return 1
		fi
	done
}

ok=$(printf '0\n%.0s' $(seq $WORKERS))

t_ok 'load' in_a "$PB" load v0
t_is "$WORKERS processes add $RULES rules" "$ok" "$(all adds $WORKERS)"
t_is 'all are there' "$(seq -f 'drop tcp dport %.0f' 1 $RULES)" \
	"$("$PB" save | sed -n 's/ comment.*//p' | sort -k 4n)"
t_is 'with the comments of those who added them' \
	"$(for ((i = 0; i < WORKERS; i++)); do echo "$PER_WORKER worker $i"; done)" \
	"$("$PB" save | grep -o 'worker [0-9]' | sort | uniq -c | sed 's/^ *//')"
t_is 'with an id each' $RULES "$(rules | cut -d ' ' -f 1 | sort -u | wc -l)"
t_is 'each told its id to the one who added it' \
	"$(rules | sed 's/ comment.*//')" \
	"$(sed -n 's/^Rule \([0-9]*\) added: \(.*\) comment.*/\1 \2/p' said.* | sort -n)"
t_is "$WORKERS processes add and delete" "$ok" "$(all changes $WORKERS)"
t_is 'what is left is what it should be' "$({
	echo 'policy allow'
	seq -f 'drop tcp dport %.0f' 2 2 $RULES
	seq -f 'allow udp dport %.0f' 2 2 $RULES
} | sort)" "$("$PB" save | sed 's/ comment.*//' | sort)"

# --- changes while others look -------------------------------------------------------------

# Rules come and go in tens: whoever looks sees all ten, or none.
tens()
{
	local i
	if [ "$1" -eq 0 ]; then
		for ((i = 0; i < 100; i++)); do
			"$PB" apply ten.rules && "$PB" apply none.rules || return 1
		done
		: >ended
	else
		until [ -e ended ]; do
			"$PB" rule list -j | json 'len(d["rules"])' || return 1
		done
	fi
}
seq -f '%.0f/tcp' 1 10 >ten.rules
: >none.rules
"$PB" apply none.rules >/dev/null
t_is 'one applies, three look' $'0\n0\n0\n0' "$(all tens 4)"
t_is 'all that they saw was whole' $'0\n10' "$(cat said.1 said.2 said.3 | sort -nu)"
t_ok 'unload' in_a "$PB" unload v0

# --- load and unload -------------------------------------------------------------------------

loads()
{
	local dev=v0 ruleset=r$1 i
	[ "$1" -eq 0 ] || dev=v2
	for ((i = 0; i < 25; i++)); do
		in_a "$PB" load "$dev" -r "$ruleset" && "$PB" rule add -r "$ruleset" "$((i + 1))/tcp" &&
			in_a "$PB" unload "$dev" || return 1
	done
}

# The same ruleset: it goes with the last interface, and is made anew by the next one.
loads_shared()
{
	local dev=v0 i
	[ "$1" -eq 0 ] || dev=v2
	for ((i = 0; i < 25; i++)); do
		in_a "$PB" load "$dev" && in_a "$PB" unload "$dev" || return 1
	done
}

t_is 'two interfaces, two rulesets, 25 times each' $'0\n0' "$(all loads 2)"
t_is 'nothing is left' '' "$(our_pins)$(xdp_on v0)$(xdp_on v2)"
t_is 'two interfaces, one ruleset, 25 times each' $'0\n0' "$(all loads_shared 2)"
t_is 'nothing is left of these' '' "$(our_pins)$(xdp_on v0)$(xdp_on v2)"

# loaded_by: how many of the workers say that they have loaded it
load_same()
{
	in_a "$PB" load v0
}
load_other()
{
	in_a "$PB" load v0 -p "$([ $(($1 % 2)) -eq 0 ] && echo allow || echo deny)"
}
unload_same()
{
	in_a "$PB" unload v0
}
won=0 told=0 unloaded=0 refused=0
for ((round = 0; round < 10; round++)); do
	statuses=$(all load_same 4 | sort | uniq -c | sed 's/^ *//')
	[ "$statuses" != '4 0' ] || [ "$(cat said.? | grep -c '^v0: loaded in')" -ne 1 ] || won=$((won + 1))
	[ "$(cat said.[0-3] | grep -c '^v0: already loaded')" -ne 3 ] || told=$((told + 1))
	statuses=$(all unload_same 4 | sort | uniq -c | sed 's/^ *//' | paste -sd,)
	[ "$statuses" != '1 0,3 1' ] || unloaded=$((unloaded + 1))
	[ "$(cat said.[0-3] | grep -c 'v0: xdp-portblock is not loaded on it')" -ne 3 ] || refused=$((refused + 1))
done
t_is 'the same interface by four: one loads it' 10 "$won"
t_is 'the others say that it is loaded' 10 "$told"
t_is 'unload by four: one does it' 10 "$unloaded"
t_is 'the others say that it is not loaded' 10 "$refused"
t_is 'one program at most, and none in the end' '' "$(our_pins)$(xdp_on v0)"

agreed=0
for ((round = 0; round < 10; round++)); do
	statuses=$(all load_other 2 | sort | paste -sd,)
	policy=$("$PB" policy)
	[ "$statuses" != 0,1 ] || ! grep -q "^v0: loaded.*policy $policy" said.[01] ||
		! grep -q "already loaded, but with policy $policy" said.[01] || agreed=$((agreed + 1))
	in_a "$PB" unload v0 >/dev/null
done
t_is 'the same interface, otherwise: one wins, the other says so' 10 "$agreed"
t_is 'nothing is left in the end' '' "$(our_pins)$(xdp_on v0)$(xdp_on v2)"
t_done
