#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Three members of the real etcd and twenty hosts with their agents: a push to all; the leader killed during one; hosts
# cut off during one, with the history compacted; all of etcd away; a value that is none; agents killed at random times;
# the mistake that cuts its first host off from all. No host is ever without rules, nor at half of a revision.
#
# PB_FLEET_POINTS says how many agents are killed at random times, PB_FLEET_SEED at which ones.
#
# timeout: 1800

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/fleet-verbs.sh"
world_enter "$@"
fleet_world
cd "$T_DIR" || exit 1

HOSTS=({1..20})
MEMBERS=(1 2 3)
POINTS=${PB_FLEET_POINTS:-$(amount 50 15)} SEED=${PB_FLEET_SEED:-$RANDOM$RANDOM}
ALL=("${HOSTS[@]/#/h}")
FLEET_PORTS=22,23,80,81
MANY=("$PYTHON" "$TOP/tests/net/fleet_many.py")
declare -A MEMBER_PID
# shellcheck disable=SC2016 # for jq to expand
WEB='def web: .rulesets[] | select(.name == "web");
def having($n): [.hosts[].rulesets[] | select(.state == "in-force" and .in_force == $n)] | length;'

# --- etcd -------------------------------------------------------------------------------------------

url()
{
	echo "http://10.20.0.$1:2379"
}

URLS=$(url 1),$(url 2),$(url 3)
export ETCDCTL_ENDPOINTS=$URLS
printf '%s\n' "endpoints = $URLS" 'host = pusher' >fleet.conf

# member K: begins, or begins again
member()
{
	etcd_start "$NS_E" "m$1" "10.20.0.$1" \
		--initial-cluster m1=http://10.20.0.1:2380,m2=http://10.20.0.2:2380,m3=http://10.20.0.3:2380
	MEMBER_PID[$1]=$ETCD_PID
}

members()
{
	local k
	for k in "${MEMBERS[@]}"; do
		member "$k"
	done
}

member_kill()
{
	bg_stop "${MEMBER_PID[$1]}" KILL
}

member_answers()
{
	ETCDCTL_ENDPOINTS=$(url "$1") in_e etcdctl endpoint health --command-timeout=2s
}

# leader K...: which one it is, as these say
leader()
{
	local k urls=''
	for k in "$@"; do
		urls+=,$(url "$k")
	done
	ETCDCTL_ENDPOINTS=${urls#,} in_e etcdctl endpoint status -w json |
		jq -r '.[] | select(.Status.leader == .Status.header.member_id).Endpoint' | sed 's/.*\.\([0-9]\):.*/\1/'
}

has_leader()
{
	[ -n "$(leader "$@" 2>/dev/null)" ]
}

# --- the fleet ----------------------------------------------------------------------------------------

# Over fleet_verbs.sh: hosts begin with another member each.
agent_conf()
{
	local n=$1 k
	shift
	k=$((n % 3))
	printf '%s\n' "endpoints = $(url $((k + 1))), $(url $(((k + 1) % 3 + 1))), $(url $(((k + 2) % 3 + 1)))" \
		"host = h$n" 'rulesets = default=web' "state = $T_DIR/h$n/state" "$@" >"$T_DIR/h$n/fleet.conf"
}

agents()
{
	local n
	for n in "${HOSTS[@]}"; do
		agent "$n" "$@"
	done
}

agents_stop()
{
	local n
	for n in "${HOSTS[@]}"; do
		kill -TERM "${HOST_AGENT[$n]}" 2>/dev/null
	done
	for n in "${HOSTS[@]}"; do
		ended "${HOST_AGENT[$n]}"
	done
}

# on_hosts COMMAND...: at the same time on all of them; it fails if one does
on_hosts()
{
	local n pid pids=() status=0
	for n in "${HOSTS[@]}"; do
		in_host "$n" "$@" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	return "$status"
}

f()
{
	in_e "$PB" fleet "$@" --config "$T_DIR/fleet.conf"
}

# bg_e COMMAND...: bg there
bg_e()
{
	bg nsenter --net="/run/netns/$NS_E" "$@"
}

# pushing FILE OPTION...: in the background
pushing()
{
	bg_e "$PB" fleet push --config "$T_DIR/fleet.conf" "$@" web
	PUSH_PID=$BG_PID PUSH_OUT=$BG_OUT
}

# pushed: the status of that push, when it has ended
pushed()
{
	ended "$PUSH_PID"
}

# ended PID: the status of what runs in the background, at its end; bash is not to tell of those that were killed
ended()
{
	wait "$1"
} 2>/dev/null

# at_stage K COMMAND...: it runs when stage K of the next push begins; WAITER is who waits
at_stage()
{
	bg_e "${MANY[@]}" stage "$(url 2)" "$@"
	WAITER=$BG_PID
	wait_for 60 grep -q ready "$BG_OUT" || t_die "no watch: $(cat "$BG_OUT")"
}

fleet_is()
{
	f status -j 2>/dev/null | jq -e "$WEB $1"
}

web()
{
	f status -j 2>/dev/null | jq -r "$WEB web | $1"
}

all_have()
{
	fleet_is "having($1) == ${#HOSTS[@]}"
}

# text N: its rules, sorted as the files are, since those that stay keep their places
text()
{
	in_host "$1" "$PB" save | tail -n +2 | sort
}

# traffic HOST...: which ports are silent, as packets find it; see fleet_many.py
traffic()
{
	in_e "${MANY[@]}" ask "$FLEET_PORTS" "$@"
}

# all_at FILE: packets find these rules on all hosts, and so does the tool
all_at()
{
	local n wrong=''
	[ "$(traffic "${ALL[@]}")" = "$(ports "$1") all" ] || wrong+="packets: $(traffic "${ALL[@]}")"$'\n'
	for n in "${HOSTS[@]}"; do
		[ "$(text "$n")" = "$(cat "$1")" ] || wrong+="h$n: $(text "$n")"$'\n'
	done
	printf %s "$wrong"
	[ -z "$wrong" ]
}

# ports FILE: those that are silent by it
ports()
{
	sed -n 's/^drop tcp dport //p' "$1" | grep -vx 7 | paste -sd ,
}

# Rules that belong together, and port 7, which is closed by all of them
printf 'drop tcp dport %s\n' 22 23 7 >even.rules
printf 'drop tcp dport %s\n' 7 80 81 >odd.rules
# Nothing comes from etcd, and nobody in by SSH.
printf '%s\n' 'drop tcp dport 22' 'drop tcp dport 7' 'drop tcp sport 2379' >mistake.rules

in_e ip addr add 10.20.0.1/32 dev lo
in_e ip addr add 10.20.0.2/32 dev lo
in_e ip addr add 10.20.0.3/32 dev lo
members
for n in "${HOSTS[@]}"; do
	fleet_host "$n"
	in_host "$n" ip route add default via "10.10.$n.1"
done
t_ok 'load on all hosts' on_hosts "$PB" load v0
t_ok 'etcd has a leader' wait_for 60 has_leader "${MEMBERS[@]}"
agents 'confirm = 60s'
t_ok 'all hosts are seen' wait_for 60 fleet_is ".hosts | length == ${#HOSTS[@]}"

# --- to all -------------------------------------------------------------------------------------------

t_ok 'push: to all' f push even.rules web --stages 1,10%,100%
t_ok 'push: it says so' grep -q "is in force on all ${#HOSTS[@]} hosts" <<<"$T_OUT"
t_ok 'push: packets find it everywhere' all_at even.rules

bg_e "${MANY[@]}" guard 7 "${ALL[@]}"
GUARD=$BG_PID GUARD_OUT=$BG_OUT
t_ok 'a guard asks all hosts for what is closed, from now on' wait_for 60 grep -q ready "$GUARD_OUT"

# --- the leader dies ------------------------------------------------------------------------------------

good=$(web .revision) k=$(leader "${MEMBERS[@]}")
at_stage 2 kill -KILL "${MEMBER_PID[$k]}"
pushing odd.rules --stages 1,10%,100%
ended "$WAITER"
t_is "leader: m$k is killed when stage 2 begins" 0 $?
t_ok 'leader: it is dead' gone "${MEMBER_PID[$k]}"
pushed
status=$?
bad=$(web .revision)
if [ $status -eq 0 ]; then
	t_ok 'leader: the push is done: all have it' wait_for 60 all_have "$bad"
	t_ok 'leader: packets, too' all_at odd.rules
else
	t_note "$(cat "$PUSH_OUT")"
	t_is 'leader: else the push is taken back' 'stopped' "$(web .rollout.state)"
	t_ok 'leader: all have the one before' wait_for 60 all_have "$good"
	t_ok 'leader: packets, too' wait_for 60 all_at even.rules
fi
t_ok 'leader: another was elected' has_leader $((k % 3 + 1)) $(((k + 1) % 3 + 1))
member "$k"
t_ok 'leader: it is back' wait_for 60 member_answers "$k"
t_ok 'leader: a push to all' f push even.rules web
t_ok 'leader: packets find it' all_at even.rules

# --- hosts are cut off ------------------------------------------------------------------------------------

CUT=(3 9 17)
# wires up|down: theirs, at etcd's end
wires()
{
	local n
	for n in "${CUT[@]}"; do
		in_e ip link set "e$n" "$1" || return 1
	done
}

# the_cut_have FILE: as the tool says there
the_cut_have()
{
	local n
	for n in "${CUT[@]}"; do
		[ "$(text "$n")" = "$(cat "$1")" ] || return 1
	done
}

t_ok 'cut off: three hosts' wires down
pushing odd.rules --stages 1,100% --wait 10m
t_ok 'cut off: etcd takes them for gone' wait_for 90 fleet_is ".hosts | length == $((${#HOSTS[@]} - ${#CUT[@]}))"
t_ok 'cut off: the push waits for them' fleet_is 'web.rollout.carrier_pid != null'
t_ok 'cut off: they have their rules' the_cut_have even.rules
t_ok 'cut off: the history is compacted' in_e etcdctl compaction \
	"$(in_e etcdctl endpoint status -w json | jq '[.[].Status.header.revision] | min')"
t_ok 'cut off: they are back' wires up
pushed
t_is 'cut off: the push comes to its end' 0 $?
t_ok 'cut off: on all hosts' all_at odd.rules

good=$(web .revision)
# Their agents sleep until they are cut off, for a push may be faster than that.
signal_the_cut()
{
	local n
	for n in "${CUT[@]}"; do
		kill "-$1" "${HOST_AGENT[$n]}"
	done
}
signal_the_cut STOP
at_stage 1 sh -ec "for n in ${CUT[*]}; do ip link set e\$n down; done"
pushing even.rules --wait 8s
ended "$WAITER"
t_is 'cut off for good: when the push has begun' 0 $?
signal_the_cut CONT
pushed
t_is 'cut off for good: the push is stopped' 1 $?
t_ok 'cut off for good: it says whom it misses' \
	grep -qE 'was stopped at stage [123] of 3: .*have it not in force.*h(3|9|17) ' "$PUSH_OUT"
t_ok 'cut off for good: they are back' wires up
# What they said last was of before: only themselves know.
t_ok 'cut off for good: all have the rules from before, as packets find it' wait_for 90 all_at odd.rules
t_ok 'cut off for good: and say so' wait_for 90 all_have "$good"

# --- no etcd ------------------------------------------------------------------------------------------------

for k in "${MEMBERS[@]}"; do
	member_kill "$k"
done
t_fail 'no etcd: a push fails, and says why' 1 'etcd at http://10\.20\.0\.[123]:2379: ' f push even.rules web
t_fail 'no etcd: so does status' 1 'etcd at http://10\.20\.0\.[123]:2379: ' f status
heard_of()
{
	local n
	for n in "${HOSTS[@]}"; do
		grep -q 'the rules in force stay' "${HOST_OUT[$n]}" || return 1
	done
}
t_ok 'no etcd: all agents say so' wait_for 90 heard_of
t_ok 'no etcd: the rules stay' all_at odd.rules
members
t_ok 'etcd is back' wait_for 60 has_leader "${MEMBERS[@]}"
t_ok 'back: a push comes to all' f push even.rules web --wait 3m
t_ok 'back: packets find it' all_at even.rules

# --- a value that is none -----------------------------------------------------------------------------------

good=$(web .revision)
# corrupt NAME VALUE REGEX: as the revision that is wanted
corrupt()
{
	in_e etcdctl put /xdp-portblock/rulesets/web -- "$2" >/dev/null
	t_ok "$1: all hosts say so" wait_for 60 fleet_is \
		"[.hosts[].rulesets[] | select(.state == \"failed\" and (.reason | test(\"$3\")))] | length == ${#HOSTS[@]}"
	t_ok "$1: status names it" grep -qE -e "rulesets/web.*$3" <(f status 2>&1)
	t_ok "$1: all hosts keep their rules" all_at even.rules
}
in_e etcdctl get --print-value-only /xdp-portblock/rulesets/web >right
corrupt garbage $'\x01\xff no JSON' 'no JSON'
corrupt 'a wrong format' "$(sed 's/"format": *1/"format":7/' right)" 'format'
corrupt 'a wrong id' "$(sed 's/dport 22/dport 24/' right)" 'id'
t_ok 'corrupt: a right push comes to all' f push odd.rules web
t_ok 'corrupt: packets find it' all_at odd.rules

# --- agents are killed ----------------------------------------------------------------------------------------

t_note "PB_FLEET_SEED=$SEED"
now=odd next=even span=0 killed=0 round=0 wrong=''
declare -A found=([old]=0 [pending]=0 [new]=0)

# points NR: kills so many during the push of $next; `victims` are they
points()
{
	local n words=()
	for n in "${HOSTS[@]}"; do
		words+=("h$n=${HOST_AGENT[$n]}")
	done
	bg_e "${MANY[@]}" points "$(url 2)" $((SEED + round)) "$1" "$span" "${words[@]}"
	POINTS_OUT=$BG_OUT WAITER=$BG_PID
	wait_for 60 grep -q ready "$POINTS_OUT" || t_die "no watch: $(cat "$POINTS_OUT")"
	pushing "$next.rules" --stages 100% --wait 5m
	ended "$WAITER" || t_die "$(cat "$POINTS_OUT")"
	span=$(sed -n 's/^took //p' "$POINTS_OUT")
	mapfile -t victims < <(sed -n 's/^killed h\([0-9]*\) .*/\1/p' "$POINTS_OUT")
}

is_pending()
{
	[ "$(in_host "$1" "$PB" status -j v0 | json "d['interfaces'][0]['confirm_in']")" != null ]
}

# silent_on N: of what traffic said, that of hN
silent_on()
{
	awk -v host="h$1" '$2 == "all" || ("," $2 ",") ~ ("," host ",") { print $1 }' <<<"$packets"
}

# judge N: its agent is dead: what is there, by the tool and by packets, is of one revision
judge()
{
	local has state=new by=$next
	has=$(text "$1")
	case $has in
	"$(cat "$now.rules")") state=old by=$now ;;
	"$(cat "$next.rules")") ! is_pending "$1" || state=pending ;;
	*) state=mixed ;;
	esac
	[ "$(silent_on "$1")" = "$(ports "$by.rules")" ] || state+=" but $(silent_on "$1")"
	[ -n "${found[$state]:-}" ] || wrong+="round $round, h$1: $state: $has"$'\n'
	found[$state]=$((${found[$state]:-0} + 1))
}

while [ "$killed" -lt "$POINTS" ]; do
	# The first time nobody, to see how long it takes.
	nr=$((POINTS - killed < 10 ? POINTS - killed : 10))
	points $((span ? nr : 0))
	for n in "${victims[@]}"; do
		ended "${HOST_AGENT[$n]}"
	done
	packets=$(traffic "${victims[@]/#/h}")
	for n in "${victims[@]}"; do
		judge "$n"
	done
	for n in "${victims[@]}"; do
		agent "$n" 'confirm = 60s'
	done
	pushed || wrong+="round $round: $(cat "$PUSH_OUT")"$'\n'
	[ "$(traffic "${ALL[@]}")" = "$(ports "$next.rules") all" ] || wrong+="round $round: $(traffic "${ALL[@]}")"$'\n'
	killed=$((killed + ${#victims[@]}))
	round=$((round + 1)) now=$next next=$([ "$next" = even ] && echo odd || echo even)
done
t_is "killed: $killed agents, in $((round - 1)) pushes: ${found[old]} with old rules, ${found[pending]} with new ones that waited, ${found[new]} with new ones" \
	'' "$wrong"
t_ok 'killed: the last revision is in force everywhere' all_at "$now.rules"

# --- the mistake ------------------------------------------------------------------------------------------------

# first: of the order of the revision that is wanted
first()
{
	local n id
	id=$(web .id)
	for n in "${HOSTS[@]}"; do
		echo "$(printf 'h%s\n%s' "$n" "$id" | sha256sum | cut -d ' ' -f 1) $n"
	done | LC_ALL=C sort | head -n 1 | cut -d ' ' -f 2
}

# kill_ours N: all processes of the tool there
kill_ours()
{
	ours_on "$1" | xargs -r kill -KILL
	ended "${HOST_AGENT[$1]}"
} 2>/dev/null

# memories N: what agents but hN's have on the disk, and since when: each change of the rules is written there first
memories()
{
	local n
	for n in "${HOSTS[@]}"; do
		[ "$n" = "$1" ] || stat -c '%n %i %y' "h$n/state/default.json" "h$n/state/default.trying"
	done
}

is_past()
{
	[ "$(web .revision)" != "$good" ]
}

applied()
{
	[ "$(text "$n")" = "$(cat mistake.rules)" ]
}

good=$(web .revision)
# A machine may be too busy for the agent to be killed in time: then longer.
for confirm in 8 30 100; do
	agents_stop
	agents "confirm = ${confirm}s"
	t_ok 'mistake: agents are there' wait_for 60 all_have "$good"
	before=$(memories none)
	pushing mistake.rules --stages 1,10%,100% --wait $((confirm + 2))s
	wait_for 60 is_past
	n=$(first)
	wait_for 60 applied
	ended=$(clock)
	kill_ours "$n"
	waits=1
	is_pending "$n" || waits=0
	[ $waits -eq 0 ] || break
	pushed
done
t_is "mistake: h$n has it, and it waits to be confirmed" 1 "$waits"
t_is "mistake: h$n: no process of ours lives there" '' "$(ours_on "$n")"
until [ "$(clock)" -gt $((ended + confirm * 100)) ]; do
	sleep 0.02
done
# Not waited for: it has to be so by now.
t_is "mistake: h$n is back by its kernel's clock: its rules" "$(cat "$now.rules")" "$(text "$n")"
t_is "mistake: h$n is back: packets find it" "$(ports "$now.rules") all" "$(traffic "h$n")"
t_is "mistake: h$n: still no process of ours" '' "$(ours_on "$n")"
pushed
t_is 'mistake: the push is stopped' 1 $?
t_ok 'mistake: it says whom it misses' grep -qE "was stopped at stage 1 of 3: 1 of 1 hosts have it not in force after .*: h$n " "$PUSH_OUT"
bad=$(web .revision)
t_ok 'mistake: status says so, too' grep -qE "h$n \(" <(web '.rollout | select(.state == "stopped").reason')
t_ok 'mistake: as text' grep -qE "stopped.*h$n " <(f status)
bg_stop "${HOST_AGENT[$n]}" KILL
t_is 'mistake: on the others nothing was ever applied' "$(grep -v "^h$n/" <<<"$before")" "$(memories "$n")"
for other in "${HOSTS[@]}"; do
	[ "$other" = "$n" ] || ! grep -q "revision $bad" "${HOST_OUT[$other]}" || echo "h$other"
done >saw
t_is 'mistake: nor said' '' "$(cat saw)"
agent "$n" 'confirm = 60s'
t_ok 'mistake: its agent is back: all have the good one' wait_for 60 all_have "$good"
t_ok 'mistake: packets find it' all_at "$now.rules"

# --- the guard ----------------------------------------------------------------------------------------------------

kill -USR1 "$GUARD"
t_ok 'guard: it was there until now' wait_for 60 grep -q '^asked [1-9]' "$GUARD_OUT"
t_note "guard: $(grep asked "$GUARD_OUT")"
t_is 'guard: no host ever was without rules' '' "$(grep -v '^ready$\|^asked ' "$GUARD_OUT" | sort | uniq -c)"

# Told to end, they would look for another leader first.
for k in "${MEMBERS[@]}"; do
	member_kill "$k"
done

t_done
