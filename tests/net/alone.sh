#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One rule into the slot in force (lib/maps/adding.c): the tables are those that the long way makes; packets see it in one
# step; killed at any store, the rules that are listed are those by which packets are judged.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
BUILD=$TOP/build/tests/net
for helper in killed steps; do
	[ -x "$BUILD/$helper" ] || t_die "no $BUILD/$helper: make prog-tests comes first"
done
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

# slot: which is in force; alone COMMAND...: it is the same one after the command
slot()
{
	bpftool -j map dump pinned "$PINS/default/pb_config" |
		json 'd[0]["formatted"]["value"]["active"] & 1'
}
alone()
{
	local before
	before=$(slot)
	in_a "$PB" "$@" && [ "$(slot)" = "$before" ]
}
long()
{
	local before
	before=$(slot)
	in_a "$PB" "$@" && [ "$(slot)" != "$before" ]
}

# tables: what the slot in force says of each port, and of the whole
tables()
{
	"$PYTHON" - "$PINS/default" <<-'EOF'
		import json, subprocess, sys
		dump = lambda name: json.loads(subprocess.run(["bpftool", "-j", "map", "dump", "pinned", f"{sys.argv[1]}/{name}"],
		                                              check=True, stdout=subprocess.PIPE).stdout)
		config = dump("pb_config")[0]["formatted"]["value"]
		slot = config["active"] & 1
		header = config["slots"][slot]
		print({name: header[name] for name in ("flags", "rules", "prefixes", "ranges", "portless", "unmatched", "answers", "adding")})
		# An entry that does not say all leads to a class, whose number is nothing by itself.
		for proto in dump("pb_ports")[0]["formatted"]["value"]["entry"][slot]:
		    print([entry if entry & 3 else entry & 0xff for entry in proto])
	EOF
}

# --- which rules ----------------------------------------------------------------------------------

t_ok 'load' in_a "$PB" load v0
t_ok 'a port' alone rule add 22/tcp
t_ok 'a port of both' alone rule add 23/tcp,udp
t_ok 'ranges' alone rule add 1000-1100,2000,3000-60000/udp
t_ok 'six ranges' alone rule add 61001,61003,61005,61007,61009,61011/tcp
t_ok 'allow, with a comment' alone rule add allow tcp dport 24 comment '"one"'
t_ok 'audit' alone rule add audit udp dport 25
t_ok 'seven ranges' long rule add 62001,62003,62005,62007,62009,62011,62013/tcp
t_ok 'the same rule' in_a "$PB" rule add 22/tcp
t_is 'the same rule: unchanged' 'Rule 1 unchanged: drop tcp dport 22' "$T_OUT"
t_ok 'the same rule, another action' long rule add allow tcp dport 22
t_ok 'ports of which a rule covers one' long rule add 20-22/tcp
t_ok 'of one protocol' long rule add 25/tcp,udp
t_ok 'another protocol' long rule add 26/sctp
t_ok 'reject' long rule add reject tcp dport 27
t_ok 'new' long rule add 28/tcp --new
t_ok 'expires' long rule add 29/tcp expires 1h
t_ok 'a source' long rule add 30/tcp from 10.0.0.1
t_ok 'except' long rule add 31/tcp except 10.0.0.1
t_ok 'a rate' long rule add drop tcp dport 32 over 10/s
t_ok '--confirm' long rule add 33/tcp --confirm 1h
refused 'while that waits' 1 'waits to be confirmed' in_a "$PB" rule add 34/tcp
t_ok 'confirm' in_a "$PB" confirm
t_ok 'after it' alone rule add 34/tcp
t_ok 'a rule that ends' long rule add 35/tcp expires 1s
ended()
{
	[ "$(in_a "$PB" explain -j --port 35 | json 'd["outcome"]')" = pass ]
}
t_ok 'it has ended' wait_for 60 ended
t_ok 'and is in the way of one that does not' long rule add 35/tcp
t_ok 'a source port' long rule add drop udp sport 77
t_ok 'then no port says all' long rule add 36/tcp
t_ok 'without it' in_a "$PB" rule del drop udp sport 77
t_ok 'it does again' alone rule add 37/tcp
t_ok 'a source alone' long rule add drop from 10.9.9.9
t_ok 'covers each port' long rule add 38/tcp
t_ok 'without it' in_a "$PB" rule del drop from 10.9.9.9

for policy in deny reject allow; do
	t_ok "policy $policy" in_a "$PB" policy "$policy"
	before=$(tables)
	t_ok "policy $policy: a port" alone rule add allow tcp dport 39
	t_ok "policy $policy: ports" alone rule add 40-50/tcp,udp
	made=$(tables)
	t_ok "policy $policy: that is something" test "$made" != "$before"
	# A change of a comment writes the other slot.
	t_ok "policy $policy: the long way" long rule add allow tcp dport 39 comment '"another"'
	t_is "policy $policy: the tables are the same" "$(md5sum <<<"$made")" "$(tables | md5sum)"
	t_ok "policy $policy: del" in_a "$PB" rule del allow tcp dport 39
	t_ok "policy $policy: del ports" in_a "$PB" rule del 40-50/tcp,udp
	t_is "policy $policy: as before" "$(md5sum <<<"$before")" "$(tables | md5sum)"
done

# --- ids and counters -----------------------------------------------------------------------------

t_ok 'flush' in_a "$PB" rule flush
t_ok 'a rule' alone rule add 5000/udp
id=$("$PB" rule list -j | json 'd["rules"][0]["id"]')
in_b "$PYTHON" "$PEER" send udp "$A4" 5000
counted()
{
	[ "$("$PB" rule list -j | json 'd["rules"][0]["packets"]')" = "$1" ]
}
t_ok 'it counts' wait_for 60 counted 1
t_ok 'it goes' in_a "$PB" rule del "$id"
t_ok 'unload' in_a "$PB" unload v0
t_ok 'load with room for two' in_a "$PB" load v0 --max-rules 2
t_ok 'the first' alone rule add 5000/udp
in_b "$PYTHON" "$PEER" send udp "$A4" 5000
t_ok 'it counts' wait_for 60 counted 1
t_ok 'the second' alone rule add 5001/udp
refused 'no third' 1 'rule ids are taken' in_a "$PB" rule add 5002/udp
t_ok 'the first goes' in_a "$PB" rule del 1
t_ok 'its id is the next, and was in use a moment ago' alone rule add 5002/udp
t_is 'it has that id, and has counted nothing' '[[1, 0], [2, 0]]' "$("$PB" rule list -j | json '[[r["id"], r["packets"]] for r in d["rules"]]')"
t_ok 'unload' in_a "$PB" unload v0

# --- through SSH ----------------------------------------------------------------------------------

t_ok 'load' in_a "$PB" load v0
ssh_here()
{
	SSH_CONNECTION="$B4 40000 $A4 22" in_a "$PB" "$@"
}
long_ssh()
{
	local before
	before=$(slot)
	ssh_here "$@" && [ "$(slot)" != "$before" ]
}
refused 'a rule that would cut the connection' 1 'would cut the SSH connection' ssh_here rule add 22/tcp
refused 'a range that would' 1 'would cut the SSH connection' ssh_here rule add 20-30/tcp,udp
t_ok 'one that would not goes the long way' long_ssh rule add 23/tcp
t_ok 'by force none is asked' alone rule add 22/tcp --force
t_ok 'unload' in_a "$PB" unload v0

# --- in one step ----------------------------------------------------------------------------------

figure()
{
	sed -nE "s/.*$1 ([0-9]+).*/\1/p" <<<"$figures"
}
changes=$(amount 300 60)
cat >to-and-fro <<-EOF
	for i in \$(seq $changes); do
		"$PB" rule add 10000-60000/udp && "$PB" rule del 10000-60000/udp || exit 1
	done
EOF
for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load v0 -m $mode
	t_ok "$mode: ping" in_b ping -q -c 1 -W 60 "$A4"
	t_ok "$mode: the rule goes alone" alone rule add 10000-60000/udp
	t_ok "$mode: the rule goes" in_a "$PB" rule del 10000-60000/udp
	t_ok "$mode: a rule comes and goes $changes times, under traffic" "$BUILD/steps" "$NS_A" "$NS_B" "$A4" \
		10000-60000 5000 bash to-and-fro
	figures=$(tail -n 1 <<<"$T_OUT")
	t_note "$figures"
	t_ok "$mode: it was seen to come" test "$(figure came)" -gt 0
	t_ok "$mode: in no more steps than changes" test "$(figure came)" -le "$changes" -a "$(figure went)" -le "$changes"
	t_is "$mode: nothing was lost" 0 "$(figure lost)"
	t_ok "$mode: unload" in_a "$PB" unload v0
done

# --- killed ---------------------------------------------------------------------------------------

t_ok 'load' in_a "$PB" load v0
# killed NAME RULE: at each of its stores
killed()
{
	# shellcheck disable=SC2086 # a rule is words
	t_ok "$1: killed at each of its stores" in_a "$BUILD/killed" "$PINS/default" $2
	figures=$(tail -n 1 <<<"$T_OUT")
	t_note "$1: $figures"
	t_ok "$1: it was there, and was not" test "$(figure without)" -gt 0 -a "$(figure with)" -gt 0
}
killed 'a port' 'tcp dport 6000'
t_ok 'policy deny' in_a "$PB" policy deny
killed 'policy deny: two ports of both' 'tcp,udp dport 6000-6001'
t_ok 'unload' in_a "$PB" unload v0
t_done
