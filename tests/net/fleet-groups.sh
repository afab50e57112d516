#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Groups of hosts, with the real etcd, agents and traffic: a change of a group brings its hosts from one ruleset to
# another; fleet.conf comes first; groups that contradict each other; what is not followed any more; `trust`; a host
# with two interfaces, and a ruleset on each.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/fleet-verbs.sh"
world_enter "$@"
fleet_world
cd "$T_DIR" || exit 1

printf '%s\n' 'endpoints = http://127.0.0.1:2379' 'host = pusher' >fleet.conf
f()
{
	in_e "$PB" fleet "$@" --config "$T_DIR/fleet.conf"
}

# pushed FILE RULESET [OPTION...]: to all who follow it
pushed()
{
	f push "$@" --stages 100% --wait 120s
}

# follows N: the rulesets of its record, with state
follows()
{
	put host "h$1" 2>/dev/null | jq -r '.rulesets // {} | to_entries | map("\(.value.local // .key)=\(.key) \(.value.state)") | sort | join(", ")'
}

follows_is()
{
	[ "$(follows "$1")" = "$2" ]
}

# reason N RULESET
reason()
{
	put host "h$1" | jq -r ".rulesets[\"$2\"].reason"
}

reason_is()
{
	[[ $(reason "$1" "$2") == *"$3"* ]]
}

said()
{
	grep -qF -e "$2" "${HOST_OUT[$1]}"
}

# text N [RULESET]: its rules, but for the policy
text()
{
	in_host "$1" "$PB" save -r "${2:-default}" | tail -n +2
}

etcd_start "$NS_E" main 0.0.0.0 --advertise-client-urls http://127.0.0.1:2379 \
	--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster main=http://127.0.0.1:2380
t_ok 'etcd runs' wait_for 60 etcd_answers in_e
for n in 1 2 3; do
	fleet_host $n
	t_ok "h$n: load" in_host $n "$PB" load v0
done
# h3 has another interface, which etcd is not behind.
{
	ip link add v1 netns "pbH3-$T_NAME-$$" type veth peer name f3 netns "$NS_E" &&
		in_h3 ip addr add 10.11.3.2/24 dev v1 && in_e ip addr add 10.11.3.1/24 dev f3 &&
		in_h3 ip link set v1 up && in_e ip link set f3 up
} || t_die 'no second wire to h3'
t_ok 'h3: load its other interface' in_h3 "$PB" load v1 -r inner
inner()
{
	CLIENT=in_e "$1" tcp 10.11.3.2 "$2"
}
for port in 22 23 80; do
	echo "drop tcp dport $port" >$port.rules
done

# --- words ----------------------------------------------------------------------------------

t_ok 'list: there are none' f group list
t_is 'list: it says so' 'No groups.' "$T_OUT"
t_fail 'del: of none' 1 "the fleet has no group 'edge'" f group del edge
t_fail 'set: which?' 2 'which GROUP\?' f group set
t_fail 'set: what?' 2 'what do its hosts follow\?' f group set edge
t_fail 'set: a name' 2 "'no/name' is no name of a group" f group set no/name web
t_fail 'set: a local name' 2 "'no/name'" f group set edge no/name=web
t_fail 'set: a name of the fleet' 2 "'\.\.'" f group set edge default=..
t_fail 'set: nothing between' 2 'nothing stands between two commas' f group set edge default=web,,
t_fail 'set: one here twice' 2 "'default' is named twice" f group set edge default=web,default=db
t_fail 'set: one of the fleet twice' 2 "'web' is named twice" f group set edge default=web,inner=web
t_fail 'set: too many words' 2 "'inner=db' is one word too many" f group set edge default=web inner=db
t_fail 'set: no such key' 1 'none.pem: No such file' f group set edge default=web --sign none.pem
t_fail 'del: too many words' 2 "'web' is one word too many" f group del edge web
t_fail 'list: too many words' 2 "'edge' is not wanted here" f group list edge
t_is 'nothing has come of all that' '' "$(in_e etcdctl get --prefix --keys-only /xdp-portblock/groups/)"

# --- two interfaces, by fleet.conf ----------------------------------------------------------------

member 3 'rulesets = default=web, inner=db' 'confirm = 20s'
t_ok 'h3: follows two' wait_for 60 follows_is 3 'default=web waiting, inner=db waiting'
t_ok 'push: web' pushed 22.rules web
t_ok 'push: db' pushed 23.rules db
t_ok 'h3: has both' follows_is 3 'default=web in-force, inner=db in-force'
t_ok 'h3: v0: 22 is silent' is_silent 3 22
t_ok 'h3: v0: 23 answers' is_open 3 23
t_ok 'h3: v1: 23 is silent' inner silent 23
t_ok 'h3: v1: 22 answers' inner answers 22
t_is 'h3: says which is where' '[["v0", ["default"]], ["v1", ["inner"]]]' \
	"$(put host h3 | json '[(i["name"], i["rulesets"]) for i in d["interfaces"]]')"
t_ok 'h3: diff goes by its names' in_h3 "$PB" fleet diff db --config "$T_DIR/h3/fleet.conf"
agent_kill 3
is_gone()
{
	[ -z "$(in_e etcdctl get --keys-only "/xdp-portblock/hosts/h$1")" ]
}
t_ok 'h3: is away, and forgotten' wait_for 90 is_gone 3

# --- a group --------------------------------------------------------------------------------

member 1 'groups = edge' 'confirm = 20s'
member 2 'rulesets = default=db' 'groups = edge' 'confirm = 20s'
t_ok 'h1: its group is not there' wait_for 60 said 1 'group edge: the fleet has no such group'
t_ok 'h1: follows nothing' wait_for 60 follows_is 1 ''
t_ok 'h1: status says so' grep -qE '^h1 +follows no ruleset$' <(f status)
t_ok 'h2: follows what its fleet.conf says' wait_for 60 follows_is 2 'default=db in-force'
t_ok 'set: web' f group set edge default=web
t_is 'set: it says so' 'The hosts of group edge follow 1 ruleset by it now.' "$T_OUT"
t_ok 'h1: follows it at once' wait_for 60 follows_is 1 'default=web in-force'
t_ok 'h1: 22 is silent' is_silent 1 22
t_ok 'h1: 23 answers' is_open 1 23
t_ok 'h2: fleet.conf comes first' said 2 'group edge: as '
t_is 'h2: so it has what it had' 'default=db in-force' "$(follows 2)"
t_ok 'h2: 23 is silent' is_silent 2 23
t_ok 'h2: 22 answers' is_open 2 22
t_ok 'list' f group list
t_ok 'list: it is there' grep -qE '^edge +default=web +20..-..-..T..:..:..Z  .*@pusher$' <<<"$T_OUT"
t_is 'list: JSON' '{"group":"edge","rulesets":[{"name":"web","local":"default"}],"signed":false}' \
	"$(f group list -j | jq -c '.groups[] | {group, rulesets, signed}')"
t_is 'list: its id is as doc/fleet.md says' "$(f group list -j | jq -r '.groups[].id')" \
	"$(in_e etcdctl get --print-value-only /xdp-portblock/groups/edge |
		jq -j '.group, "\n", .time, "\n", .author, "\n", (.rulesets | to_entries | map("\(.key)=\(.value)\n") | sort[])' |
		sha256sum | cut -d ' ' -f 1)"

t_ok 'set: db instead' f group set edge default=db
t_ok 'h1: goes from one to the other' wait_for 60 follows_is 1 'default=db in-force'
t_ok 'h1: 23 is silent' is_silent 1 23
t_ok 'h1: 22 answers' is_open 1 22
t_is 'h1: and says which revision' "$(f status -j | jq '.rulesets[] | select(.name == "db").revision')" \
	"$(put host h1 | jq '.rulesets.db.in_force')"
t_ok 'push: to both who follow db' pushed 80.rules db
t_ok 'push: it says so' grep -q 'on all 2 hosts' <<<"$T_OUT"
t_ok 'h1: 80 is silent' is_silent 1 80
t_ok 'h2: 80 is silent' is_silent 2 80

# --- what is not followed any more ------------------------------------------------------------

t_ok 'del' f group del edge
t_ok 'h1: follows nothing' wait_for 60 follows_is 1 ''
t_ok 'push: to h2 alone' pushed 23.rules db
t_ok 'push: it says so' grep -q 'is in force on all 1 host' <<<"$T_OUT"
t_ok 'h1: what it had stays in force' is_silent 1 80
t_is 'h1: its rules' 'drop tcp dport 80' "$(text 1)"
t_ok 'h2: has the new ones' is_silent 2 23
t_ok 'set: again' f group set edge default=db
t_ok 'h1: follows it again' wait_for 60 follows_is 1 'default=db in-force'
t_ok 'h1: and has what was pushed meanwhile' is_silent 1 23
t_ok 'h1: 80 answers' is_open 1 80

# --- two interfaces, by two groups ------------------------------------------------------------------

t_ok 'set: another group' f group set core inner=web
member 3 'groups = edge, core' 'confirm = 20s'
t_ok 'h3: follows one by each' wait_for 60 follows_is 3 'default=db in-force, inner=web in-force'
t_ok 'h3: v0: 23 is silent' is_silent 3 23
t_ok 'h3: v1: 22 is silent' inner silent 22
t_ok 'h3: v1: 23 answers' inner answers 23
t_ok 'h3: diff goes by the names of groups' in_h3 "$PB" fleet diff web --config "$T_DIR/h3/fleet.conf"
echo 'include /etc/hostname' >evil.rules
t_ok 'etcd has a revision that names a file' put push evil evil.rules all
t_fail 'diff: no file of the host is read' 2 "line 1: '/etc/hostname' is a file of the host" \
	in_h3 "$PB" fleet diff evil --config "$T_DIR/h3/fleet.conf"

# --- groups that contradict each other -----------------------------------------------------------------

conflict="groups edge and core have different rulesets for 'default': 'db' and 'web'"
t_ok 'conflict: one name for two' f group set core default=web
t_ok 'conflict: h3: follows neither' wait_for 60 follows_is 3 'default=db failed, default=web failed'
t_is 'conflict: h3: why' "$conflict" "$(reason 3 web)"
t_is 'conflict: h3: of the other, too' "$conflict" "$(reason 3 db)"
t_ok 'conflict: h3: its log, too' said 3 "$conflict: neither of the two is followed"
t_ok 'conflict: status shows it' grep -qE "^h3 +web +failed +.*$conflict" <(f status)
t_is 'conflict: h3: what is in force stays' 'drop tcp dport 23' "$(text 3)"
t_is 'conflict: h3: also on its other interface' 'drop tcp dport 22' "$(text 3 inner)"
t_fail 'conflict: a push is stopped by it' 1 "stopped at stage 1 of 1: h3: groups edge and core" \
	f push 80.rules web --stages 100% --wait 120s
t_is 'conflict: h3: and has none of it' 'drop tcp dport 23' "$(text 3)"
t_is 'conflict: those of one group are not in it' 'default=db in-force' "$(follows 1)"
t_ok 'conflict: two names for one' f group set core inner=db
t_ok 'conflict: h3: follows it by neither' wait_for 60 follows_is 3 'default=db failed'
t_is 'conflict: h3: why' "groups edge and core have two names for the ruleset 'db': 'default' and 'inner'" "$(reason 3 db)"
t_fail 'conflict: --once, too' 1 'groups edge and core' \
	in_h3 "$PB" fleet follow --once --config "$T_DIR/h3/fleet.conf"
t_ok 'conflict: one of them is taken away' f group del core
t_ok 'conflict: h3: goes on' wait_for 60 follows_is 3 'default=db in-force'

# --- trust --------------------------------------------------------------------------------------

openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null
openssl pkey -in key.pem -pubout -out public.pem
openssl genpkey -algorithm ed25519 -out other.pem 2>/dev/null
in_e etcdctl get --print-value-only /xdp-portblock/groups/edge >unsigned
t_ok 'trust: revisions are signed' pushed 22.rules web --sign key.pem
agent_kill 3
rm -r h3/state
member 3 'groups = edge' 'confirm = 20s' "trust = $T_DIR/public.pem"
t_ok 'trust: h3: takes no group that is not signed' wait_for 60 said 3 'group edge: the group is not signed'
t_is 'trust: h3: keeps its rules' 'drop tcp dport 23' "$(text 3)"
t_ok 'trust: a stranger' f group set edge default=db --sign other.pem
t_ok 'trust: h3: nor that' wait_for 60 said 3 'group edge: the group is not signed by a key that'
t_ok 'trust: h3: follows nothing by it' wait_for 60 follows_is 3 ''
t_ok 'trust: one that is signed' f group set edge default=web --sign key.pem
t_ok 'trust: list says so' grep -qE ', signed$' <(f group list)
t_ok 'trust: h3: takes it' wait_for 60 follows_is 3 'default=web in-force'
t_ok 'trust: h3: 22 is silent' is_silent 3 22
in_e etcdctl get --print-value-only /xdp-portblock/groups/edge >first
t_ok 'trust: another' f group set edge default=web,other=else --sign key.pem
t_ok 'trust: h3: takes that, too' wait_for 60 follows_is 3 'default=web in-force, other=else waiting'
t_ok 'trust: it is later, if in the same second' test "$(jq -r .time first)" \< "$(f group list -j | jq -r '.groups[].time')"

# not_taken WHAT REASON FILE: it is put there as it is, h3 says why it does not take it, and stays
not_taken()
{
	in_e etcdctl put /xdp-portblock/groups/edge <"$3" >/dev/null
	t_ok "trust: $1: h3 says so" wait_for 60 reason_is 3 web "$2"
	t_is "trust: $1: and follows what it did" 'default=web in-force, other=else waiting' "$(follows 3)"
}
not_taken 'one from before' 'group edge: it is of ' first
agent_kill 3
member 3 'groups = edge' 'confirm = 20s' "trust = $T_DIR/public.pem"
t_ok 'trust: one from before: another agent' wait_for 60 said 3 'group edge: it is of '
not_taken 'not signed' 'the group is not signed' unsigned
echo garbage >garbage
not_taken 'garbage' 'groups/edge is no JSON object' garbage
t_fail 'list: says what is garbage' 0 'groups/edge is no JSON object' f group list
jq -c '.rulesets.default = "db"' first >changed
not_taken 'changed' 'it was changed by something else than' changed
# A signature of a revision with the same id: whoever may sign revisions has not signed it.
jq -c --arg signature "$(in_e etcdctl get --print-value-only /xdp-portblock/good/web | jq -r .signature)" \
	'.signature = $signature' first >mixed
not_taken 'the signature of a revision' 'not signed by a key that' mixed
t_ok 'trust: 22 is silent all the time' is_silent 3 22
t_fail 'trust: --once, too' 1 'group edge: ' in_h3 "$PB" fleet follow --once --config "$T_DIR/h3/fleet.conf"
# What stands there is of an earlier time than what h3 has, so the clock alone makes the next one later than that.
is_later()
{
	[[ $(date -u +%FT%TZ) > $(jq -r .time h3/state/edge.group) ]]
}
t_ok 'trust: the second is over' wait_for 60 is_later
t_ok 'trust: it is set again' f group set edge default=web --sign key.pem
t_ok 'trust: h3: takes it' wait_for 60 follows_is 3 'default=web in-force'
t_ok 'trust: h3: nothing is wrong any more' reason_is 3 web null
t_ok 'h1: has it, too' wait_for 60 follows_is 1 'default=web in-force'
t_ok 'h1: 22 is silent' is_silent 1 22

# --- etcd is away -------------------------------------------------------------------------------

bg_stop "$ETCD_PID" KILL
t_ok 'no etcd: h1 says so' wait_for 60 said 1 'the rules in force stay'
t_ok 'no etcd: 22 is silent' is_silent 1 22

t_done
