#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The agent, on three hosts, with the real etcd: what the fleet wants is applied and traffic proves it; a mistake that
# cuts a host off from etcd comes back by itself, with the agent dead or alive; etcd is away; history is compacted while a
# host is away; a value is garbage; signatures, the check-command, drift.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/fleet-verbs.sh"
world_enter "$@"
fleet_world
cd "$T_DIR" || exit 1

start_etcd()
{
	etcd_start "$NS_E" main 0.0.0.0 --advertise-client-urls http://127.0.0.1:2379 \
		--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster main=http://127.0.0.1:2380
	wait_for 60 etcd_answers in_e
}

# said N REGEX: its agent did
said()
{
	grep -qE -e "$2" "${HOST_OUT[$1]}"
}

# pending N: a change waits to be confirmed there
pending()
{
	[ "$(in_host "$1" "$PB" status -j v0 | json "d['interfaces'][0]['confirm_in']")" != null ]
}

not_pending()
{
	! pending "$1"
}

# text N: its rules, but for the policy
text()
{
	in_host "$1" "$PB" save | tail -n +2
}

# text_is N TEXT
text_is()
{
	[ "$(text "$1")" = "$2" ]
}

t_ok 'etcd runs' start_etcd
for n in 1 2 3; do
	fleet_host $n
	t_ok "h$n: load" in_host $n "$PB" load v0
done
for port in 22 23 2379; do
	echo "drop tcp dport $port" >$port.rules
done
# What comes from etcd does not arrive: the agent is cut off, and so is nobody else.
printf '%s\n' 'drop tcp sport 2379' 'drop tcp dport 80' >mistake.rules

# --- a revision -----------------------------------------------------------------------------

agent 1 'confirm = 20s'
t_ok 'h1: nothing is there for it' wait_for 60 host_is 1 state waiting
t_is 'h1: and why' 'no revision is there for this host yet' "$(host 1 reason)"
agent 2 'confirm = 20s'
agent 3 'confirm = 20s'

# One that is stopped before any was good: h1 had a rule of its own, h2 has none, and the agent of h3 is killed meanwhile
in_h1 "$PB" rule add 80/tcp >/dev/null
push 23.rules h1/h1,h2,h3
t_ok 'h1: has the very first' wait_for 60 has 1 "$number"
t_is 'h1: and not its own rule' 'drop tcp dport 23' "$(text 1)"
push 2379.rules all
for n in 1 2 3; do
	t_ok "h$n: has the next, and none was good yet" wait_for 60 has $n "$number"
done
agent_kill 3
put stage web stopped
t_ok 'h1: goes back to its own rule' wait_for 60 text_is 1 'drop tcp dport 80'
t_ok 'h1: and says so' wait_for 60 host_is 1 reason 'no revision is there for this host yet'
t_is 'h1: has no revision' null "$(put host h1 | json "d['rulesets']['web'].get('in_force')")"
t_is 'h1: its own rule is what the boot unit has' 'drop tcp dport 80' "$(tail -n +2 h1/state/default.rules)"
t_ok 'h2: goes back to none' wait_for 60 text_is 2 ''
agent 3 'confirm = 20s'
t_ok 'h3: its next agent goes back, too' wait_for 60 text_is 3 ''
t_ok 'h3: and nothing waits' wait_for 60 not_pending 3
push 23.rules h1/h1,h2,h3
t_ok 'h1: has another' wait_for 60 has 1 "$number"
put stage web stopped
t_ok 'h1: and goes back again' wait_for 60 text_is 1 'drop tcp dport 80'
in_h1 "$PB" rule flush >/dev/null

push 22.rules all
first=$number
for n in 1 2 3; do
	t_ok "h$n: the first revision is in force" wait_for 60 has $n "$first"
	t_ok "h$n: 22 is silent" is_silent $n 22
	t_ok "h$n: 23 answers" is_open $n 23
	t_ok "h$n: nothing waits to be confirmed" not_pending $n
done
put stage web "done"
before_is_gone()
{
	[ ! -e h1/state/default.before ]
}
t_ok 'h1: what was before is forgotten' wait_for 60 before_is_gone
t_is 'h1: is it the one that was pushed' "$id" "$(host 1 id)"
t_is 'h1: its rules' 1 "$(host 1 rules)"
t_is 'h1: its interface' '[["v0", ["default"], "bpf"]]' \
	"$(put host h1 | json '[(i["name"], i["rulesets"], i["engine"]) for i in d["interfaces"]]')"
t_is 'h1: the revision is on the disk, for the boot unit' 'drop tcp dport 22' "$(cat h1/state/default.rules)"
t_is 'h1: for root alone' 700/600 "$(stat -c %a h1/state)/$(stat -c %a h1/state/default.rules)"

push 22.rules all
first=$number
for n in 1 2 3; do
	t_ok "h$n: the same revision again has another number" wait_for 60 has $n "$first"
done
put stage web "done"

# --- a stage --------------------------------------------------------------------------------

push 23.rules h2/h1,h2,h3
t_ok 'h2 takes part' wait_for 60 has 2 "$number"
t_ok 'h2: 23 is silent' is_silent 2 23
t_ok 'h2: 22 answers' is_open 2 22
put stage web stopped
t_ok 'h2: goes back when it is stopped' wait_for 60 has 2 "$first"
t_ok 'h2: 22 is silent again' is_silent 2 22
t_is 'h1 and h3 never had it' "$first $first" "$(host 1 in_force) $(host 3 in_force)"
t_ok 'nor did their rules' is_silent 1 22
t_ok 'h3 neither' is_silent 3 22

# --- the mistake, with the agent alive --------------------------------------------------------

began=$(date +%s%3N)
push mistake.rules h1/h1,h2,h3
t_ok 'the mistake: h1 says that it failed' wait_for 60 host_is 1 state failed
ended=$(date +%s%3N)
t_is 'the mistake: which revision' "$number" "$(host 1 failed)"
why=$(host 1 reason)
t_ok 'the mistake: and why' grep -qE \
	'under these rules etcd was not reached in [0-9]+\.[0-9] s: etcd at http://10.10.1.1:2379: ' <<<"$why"
# Of all attempts: the last one, whose time libcurl tells, had what the others left it. Tenths of a second are cut off.
tried=$(sed -nE 's/.* not reached in ([0-9]+)\.([0-9]) s: .*/\1\200/p' <<<"$why")
last=$(sed -nE 's/.* after ([0-9]+) (milliseconds|ms).*/\1/p' <<<"$why")
t_note "tried for $tried ms, the last time for ${last:-?} of them; $((ended - began)) ms by the clock"
t_ok 'the mistake: it was tried for no less than the last time' test $((tried + 100)) -gt "${last:-0}"
t_ok 'the mistake: and not for longer than it took' test "$tried" -le $((ended - began))
t_is 'the mistake: what is in force' "$first" "$(host 1 in_force)"
t_ok 'the mistake: 22 is silent, as before' is_silent 1 22
t_ok 'the mistake: 80 answers' is_open 1 80
t_ok 'the mistake: nothing waits' not_pending 1
tries()
{
	grep -c "revision $number failed" "${HOST_OUT[1]}"
}
t_is 'the mistake: it is tried once' 1 "$(tries)"
agent_kill 1
agent 1 'confirm = 20s'
t_ok 'the mistake: another agent knows of it' wait_for 60 host_is 1 state failed
t_is 'the mistake: and does not try it again' 0 "$(tries)"
for n in 2 3; do
	t_is "the mistake: h$n never saw it" "drop tcp dport 22" "$(text $n)"
	t_is "the mistake: h$n has no word of it" '' "$(grep "revision $number" "${HOST_OUT[$n]}")"
done
put stage web stopped
in_force()
{
	[ "$(put host h1 | json "d['rulesets']['web']['state'], d['rulesets']['web'].get('failed')")" = "[\"in-force\", $number]" ]
}
t_ok 'stopped: h1 has the good one in force, and says still what failed' wait_for 60 in_force

# --- the mistake, with the agent dead ---------------------------------------------------------

agent_kill 2
for confirm in 5 20 80; do
	agent 2 "confirm = ${confirm}s"
	push mistake.rules h2/h1,h2,h3
	wait_for 60 pending 2
	agent_kill 2
	! pending 2 || break
	put stage web stopped
	not_pending 2 || wait_for 100 not_pending 2
done
t_ok 'h2: its agent is killed while the mistake waits' gone "${HOST_AGENT[2]}"
t_is 'h2: no process of ours is there' '' "$(ours_on 2)"
t_ok 'h2: the rules come back by themselves' wait_for 200 not_pending 2
t_is 'h2: they are those from before' 'drop tcp dport 22' "$(text 2)"
t_ok 'h2: 22 is silent' is_silent 2 22
t_ok 'h2: 80 answers' is_open 2 80
agent 2 'confirm = 5s'
t_ok 'h2: the next agent tries it, and says that it failed' wait_for 60 host_is 2 failed "$number"
t_ok 'h2: and has the rules from before' wait_for 60 not_pending 2
t_is 'h2: as they were' 'drop tcp dport 22' "$(text 2)"
put stage web stopped
t_ok 'h2: goes on with the good one' wait_for 60 has 2 "$first"

# --- a killed agent, and a change that is right ------------------------------------------------

for n in 1 2 3; do
	agent_kill $n
done
t_ok 'all agents are killed: 22 is silent' is_silent 1 22
push 23.rules all
second=$number
for n in 1 2 3; do
	agent $n 'confirm = 30s'
done
for n in 1 2 3; do
	t_ok "h$n: its next agent has what was pushed meanwhile" wait_for 60 has $n "$second"
	t_ok "h$n: 23 is silent" is_silent $n 23
done
put stage web "done"

# --- no etcd ----------------------------------------------------------------------------------

bg_stop "$ETCD_PID" KILL
t_ok 'no etcd: h1 says so' wait_for 60 said 1 'the rules in force stay'
t_ok 'no etcd: 23 is silent' is_silent 1 23
t_ok 'no etcd: 22 answers' is_open 1 22
agent_kill 3
t_fail 'no etcd: --once fails' 1 'etcd at http://10.10.3.1:2379: ' in_h3 "$PB" fleet follow --once --config "$T_DIR/h3/fleet.conf"
agent 3
t_ok 'no etcd: an agent that begins waits for it' wait_for 60 said 3 'the rules in force stay'
t_ok 'etcd is back' start_etcd
push 22.rules all
third=$number
for n in 1 2 3; do
	t_ok "h$n: follows again" wait_for 180 has $n "$third"
done
put stage web "done"

# --- a host that is away, and a history that is gone -------------------------------------------

in_e ip link set e3 down
for port in 23 2379 23; do
	push $port.rules all
	put stage web "done"
done
bg_stop "$ETCD_PID" KILL
t_ok 'etcd is stopped and started' start_etcd
push 2379.rules all
fourth=$number
put stage web "done"
t_ok 'the history is compacted' in_e etcdctl compaction "$fourth"
t_ok 'h1: has the last one' wait_for 180 has 1 "$fourth"
in_e ip link set e3 up
t_ok 'h3: has it, too, when it is back' wait_for 180 has 3 "$fourth"
t_is 'h3: its rules' 'drop tcp dport 2379' "$(text 3)"

# --- garbage ----------------------------------------------------------------------------------

# garbage TEXT REGEX: as a revision; h1 says why it is none, and keeps its rules
garbage()
{
	in_e etcdctl put /xdp-portblock/rulesets/web -- "$1" >/dev/null
	t_ok "garbage: '$1'" wait_for 60 reason_is 1 "$2"
	t_is 'h1: keeps its rules' 'drop tcp dport 2379' "$(text 1)"
}
reason_is()
{
	host "$1" reason | grep -qE -e "$2"
}
garbage 'no JSON' 'rulesets/web'
garbage '{"format":2}' 'format'
garbage '{"format":1,"ruleset":"web","id":"x"}' 'id'
# One whose text was changed by somebody who has not made a new id.
in_e etcdctl get --print-value-only /xdp-portblock/good/web | sed 's/2379/22/' >changed
garbage "$(cat changed)" '"id" is'
for line in 'include "/etc/shadow"' 'drop tcp dport 1 from @/etc/shadow' 'drop from @no/file' 'nonsense' 'set x file /etc/shadow'; do
	echo "$line" >wrong.rules
	push wrong.rules all
	t_ok "h1: refuses '$line'" wait_for 60 host_is 1 failed "$number"
	t_ok 'h1: and says why' reason_is 1 '^line 1: '
	t_is 'h1: keeps its rules' 'drop tcp dport 2379' "$(text 1)"
done
push 22.rules all
put stage web "done"
t_ok 'h1: goes on' wait_for 60 has 1 "$number"

# --- drift --------------------------------------------------------------------------------------

t_ok 'h1: a rule by hand' in_h1 "$PB" rule add 80/tcp
t_ok 'h1: says so' wait_for 60 host_is 1 state drifted
t_ok 'h1: the rule stays' is_silent 1 80
push 23.rules all
put stage web "done"
t_ok 'h2: has the next' wait_for 60 has 2 "$number"
t_ok 'h1: keeps what is its own' wait_for 60 host_is 1 wanted "$number"
t_is 'h1: says it still' drifted "$(host 1 state)"
agent_kill 1
agent 1 'confirm = 30s' 'drift = heal'
t_ok 'h1: is healed' wait_for 60 has 1 "$number"
t_ok 'h1: 80 answers' is_open 1 80
t_ok 'h1: another rule by hand' in_h1 "$PB" rule add 80/tcp
healed()
{
	[ "$(text 1)" = 'drop tcp dport 23' ]
}
t_ok 'h1: is healed again' wait_for 60 healed

# --- a proof that lasts ---------------------------------------------------------------------------

# ttl: so many seconds the lease of h2's record has left; it may have gone
ttl()
{
	local lease
	lease=$(in_e etcdctl get -w json /xdp-portblock/hosts/h2 | json '"%x" % d["kvs"][0]["lease"]') &&
		in_e etcdctl lease timetolive -w json "$lease" | json 'd["ttl"]'
}

# renewed: it has more left than when it was looked at before
renewed()
{
	local before=$left
	left=$(ttl) && [ "$left" -gt "$before" ]
}

agent_kill 2
agent 2 'confirm = 10m' "check-command = $T_DIR/slow"
printf '%s\n' '#!/bin/sh' "touch '$T_DIR/waiting'; until [ -e '$T_DIR/enough' ]; do sleep 0.1; done" >slow
chmod +x slow
echo 'drop tcp dport 25' >25.rules
push 25.rules all
t_ok 'long: its check-command runs' wait_for 60 test -e waiting
t_ok 'long: the fleet sees that it confirms' wait_for 60 host_is 2 state confirming
left=1000
for time in first second third; do
	t_ok "long: its lease is renewed, the $time time" wait_for 60 renewed
done
t_ok 'long: it waits still' pending 2
t_ok 'long: somebody confirms it at the host' in_host 2 "$PB" confirm
touch enough
t_ok 'long: it is in force, and not taken back' wait_for 60 has 2 "$number"
t_is 'long: which was not needed' '' "$(grep "revision $number is taken back" "${HOST_OUT[2]}")"
put stage web "done"
push 23.rules all
put stage web "done"
t_ok 'long: and what was before, again' wait_for 60 has 2 "$number"

# --- signatures, and the check-command ------------------------------------------------------------

openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null
openssl pkey -in key.pem -pubout -out trusted.pem
openssl genpkey -algorithm ed25519 -out other.pem 2>/dev/null
agent_kill 2
agent 2 "trust = $T_DIR/trusted.pem" "check-command = $T_DIR/check \"two words\""
printf '%s\n' '#!/bin/sh' "[ \"\$*\" = 'two words' ] && test ! -e '$T_DIR/unwell' || exit 3" >check
chmod +x check
push 22.rules all
t_ok 'h2: takes no revision that is not signed' wait_for 60 host_is 2 state no-signature
t_is 'h2: keeps its rules' 'drop tcp dport 23' "$(text 2)"
push 22.rules all other.pem
t_ok 'h2: nor of a stranger' wait_for 60 reason_is 2 'not signed by a key that .trust. names'
push 22.rules all key.pem
t_ok 'h2: but one that is' wait_for 60 has 2 "$number"
put stage web "done"
touch unwell
push 23.rules all key.pem
t_ok 'h2: the check-command fails' wait_for 60 host_is 2 failed "$number"
t_ok 'h2: says so' reason_is 2 "check-command $T_DIR/check ended with status 3"
t_is 'h2: keeps its rules' 'drop tcp dport 22' "$(text 2)"

# --- old ones ------------------------------------------------------------------------------------

rm unwell
push 23.rules all key.pem 2026-02-01T00:00:00.5Z
t_ok 'h2: has one of February' wait_for 60 has 2 "$number"
t_ok 'h2: which is stopped' put stage web stopped
t_ok 'h2: and goes back to the older one that is good' wait_for 60 text_is 2 'drop tcp dport 22'
push 2379.rules all key.pem 2026-02-02T00:00:00.5Z
t_ok 'h2: has the next' wait_for 60 has 2 "$number"
put stage web "done"
settled=$number
# Whoever owns etcd puts the one that was signed on the first of the month where it may stand
push 23.rules all key.pem 2026-02-01T00:00:00.5Z
t_ok 'h2: takes no old one, though it is signed' wait_for 60 reason_is 2 "older than revision $settled, which this host had"
t_is 'h2: which has failed' failed "$(host 2 state)"
t_is 'h2: keeps its rules' 'drop tcp dport 2379' "$(text 2)"
put stage web "done"
t_ok 'h2: nor as the good one' wait_for 60 reason_is 2 "it was signed at 2026-02-01T00:00:00.5Z, and that one at 2026-02-02T00:00:00.5Z"
agent_kill 2
agent 2 "trust = $T_DIR/trusted.pem" "check-command = $T_DIR/check \"two words\""
t_ok 'h2: nor does its next agent' wait_for 60 said 2 "older than revision $settled"
t_is 'h2: keeps its rules' 'drop tcp dport 2379' "$(text 2)"
push 23.rules all key.pem 2026-02-02T00:00:00.500001Z
t_ok 'h2: but one that was signed since' wait_for 60 has 2 "$number"
put stage web "done"
touch unwell
push 22.rules all key.pem 2026-02-03T00:00:00Z
t_ok 'h2: the check-command fails' wait_for 60 host_is 2 failed "$number"

# --- once ---------------------------------------------------------------------------------------

for n in 1 2 3; do
	agent_kill $n
done
rm unwell
t_fail 'once: what failed has failed' 1 'ruleset default: failed: check-command' in_h2 "$PB" fleet follow --once --config "$T_DIR/h2/fleet.conf"
push 2379.rules all key.pem 2026-02-04T00:00:00Z
t_ok 'once: applies' in_h2 "$PB" fleet follow --once --config "$T_DIR/h2/fleet.conf"
t_is 'once: the rules' 'drop tcp dport 2379' "$(text 2)"
t_ok 'once: says so to the fleet' has 2 "$number"
t_ok 'once: again' in_h2 "$PB" fleet follow --once --config "$T_DIR/h2/fleet.conf"
t_fail 'a word too many' 2 "'web' is not wanted" in_h2 "$PB" fleet follow web --config "$T_DIR/h2/fleet.conf"
sed "s,^state = .*,state = $T_DIR/check/none/state," h2/fleet.conf >h2/nowhere.conf
t_fail 'once: a state folder that cannot be made' 1 "ruleset default: cannot make the folder $T_DIR/check/none: Not a directory" \
	in_h2 "$PB" fleet follow --once --config "$T_DIR/h2/nowhere.conf"
t_is 'once: it says so to the fleet' waiting "$(host 2 state)"
sed "s,^state = .*,state = $T_DIR/new/above/state," h2/fleet.conf >h2/deep.conf
t_ok 'once: one whose folders are not there' in_h2 "$PB" fleet follow --once --config "$T_DIR/h2/deep.conf"
t_fail 'no fleet.conf' 1 'cannot read .*none.conf: No such file' "$PB" fleet follow --config none.conf
agent_conf 1
sed -i '/^rulesets/d' h1/fleet.conf
t_fail 'no rulesets' 1 'names no .rulesets.' "$PB" fleet follow --config "$T_DIR/h1/fleet.conf"

# --- rights -------------------------------------------------------------------------------------

# As the manual has it, for h1; etcdctl would ask for a password.
awk '/^\.Sh RIGHTS/ { here = 1 } /^\.Sh FILES/ { here = 0 } /^\.Bd/ { on = here; next } /^\.Ed/ { on = 0 } on' \
	"$TOP/man/xdp-portblock-fleet.conf.5" | sed 's/web1/h1/g; s/user add .*/&:secret/' >rights
t_ok 'the manual has rights' test "$(wc -l <rights)" -gt 10
t_ok 'as if all leases had ended' in_e etcdctl del --prefix /xdp-portblock/hosts/
printf '%s\n' 'endpoints = http://127.0.0.1:2379' 'host = pusher' >pusher.conf
gone()
{
	in_e "$PB" fleet status -j --config "$T_DIR/pusher.conf" | json '[(h["host"], h["rulesets"][0]["in_force"]) for h in d["gone"]]'
}
t_is 'gone: all three, with what they had' 3/true "$(gone | "$PYTHON" -c '
import json, sys
gone = json.load(sys.stdin)
print(len(gone), json.dumps([host for host, number in gone] == ["h1", "h2", "h3"] and all(n > 0 for _, n in gone)), sep="/")')"
t_is 'gone: h2 with the last one' "$number" "$(gone | json 'd[1][1]')"
for n in 1 2 3; do
	t_ok "h$n is forgotten" in_e "$PB" fleet forget "h$n" --config "$T_DIR/pusher.conf"
done
t_is 'gone: none' '[]' "$(gone)"
t_ok 'its commands work' in_e sh -e rights
(umask 077 && echo secret >password)
agent 1 'user = h1' "password-file = $T_DIR/password"
printf '%s\n' 'endpoints = http://127.0.0.1:2379' 'host = pusher' 'user = admin' "password-file = $T_DIR/password" >admin.conf
is_seen()
{
	in_e etcdctl --user root:secret get --keys-only /xdp-portblock/hosts/h1 | grep -q h1
}
t_ok 'h1: is seen' wait_for 60 is_seen
was_seen()
{
	in_e etcdctl --user root:secret get --print-value-only /xdp-portblock/seen/h1 | grep -q '"host":"h1"'
}
t_ok 'h1: says what stays, too' wait_for 60 was_seen
t_ok 'who pushes may' in_e "$PB" fleet push --stages 100% --wait 120s --config "$T_DIR/admin.conf" 23.rules web
t_is 'h1: has it' 'drop tcp dport 23' "$(text 1)"
sed 's/user = admin/user = h1/' admin.conf >h1.conf
t_fail 'a host may not push' 1 'permission denied' in_e "$PB" fleet push --config "$T_DIR/h1.conf" 22.rules web
for key in rulesets/web stages/web good/web groups/edge hosts/h2 seen/h2; do
	t_fail "a host may not write $key" 1 'permission denied' \
		in_e etcdctl --user h1:secret put /xdp-portblock/$key garbage
done

t_done
