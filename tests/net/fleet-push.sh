#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A revision to all hosts, stage by stage, by the real etcd and hosts that have no filter (fleet_hosts.py): in order; to
# a stop, and back; by one process at a time, which may die; and what can be seen of it.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
grep -q '^HAVE_FLEET := yes' "$TOP/config.mk" || t_skip_all "built without libcurl and libcrypto"
. "$TOP/tests/net/etcd-verbs.sh"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

URL=http://127.0.0.1:2379
KEYS=/xdp-portblock
# shellcheck disable=SC2016 # for jq to expand
WEB='def web: .rulesets[] | select(.name == "web");
def having($n): [.hosts[].rulesets[] | select(.state == "in-force" and .in_force == $n)] | length;'
HOSTS=()
for i in {1..20}; do
	HOSTS+=("h$i")
done

printf '%s\n' "endpoints = $URL" 'host = pusher' >fleet.conf
mkdir hosts
touch hosts/log

f()
{
	in_a "$PB" fleet "$@" --config fleet.conf
}

ctl()
{
	in_a etcdctl "$@"
}

# hosts_start HOST...: those of the fleet
hosts_start()
{
	bg in_a "$PYTHON" "$TOP/tests/net/fleet_hosts.py" $URL $KEYS/ web "$T_DIR/hosts" "$@"
	HOSTS_PID=$BG_PID
}

# tell HOST ORDERS...: from now on; none: it does as it should
tell()
{
	local host=$1
	shift
	if [ $# -gt 0 ]; then
		echo "$*" >"hosts/.$host"
		mv "hosts/.$host" "hosts/$host"
	else
		rm -f "hosts/$host"
	fi
}

status()
{
	f status -j 2>/dev/null
}

# fleet_is FILTER: so jq says of the status; `web` is that ruleset there
fleet_is()
{
	status | jq -e "$WEB $1"
}

# web FILTER: what the status says of it
web()
{
	status | jq -r "$WEB web | $1"
}

# The number of the revision that is wanted
wanted()
{
	web .revision
}

# in_order ID: hosts as they take part in it
in_order()
{
	local host
	for host in "${HOSTS[@]}"; do
		echo "$(printf '%s\n%s' "$host" "$1" | sha256sum | cut -d ' ' -f 1) $host"
	done | LC_ALL=C sort | cut -d ' ' -f 2
}

# id_of: of the revision that is wanted
id_of()
{
	web .id
}

# rules PORT...: a file that drops them
rules()
{
	local port
	for port; do
		echo "drop tcp dport $port"
	done >rules
}

# pushing OPTION...: in the background, once its first stage has begun
pushing()
{
	local before
	before=$(wanted)
	bg in_a "$PB" fleet push rules web --config fleet.conf "$@"
	PUSH_PID=$BG_PID PUSH_OUT=$BG_OUT
	wait_for 60 is_past "$before"
}

is_past()
{
	[ "$(wanted)" != "$1" ] && fleet_is 'web.rollout.carrier_pid != null'
}

# stage N: the rollout is there
at_stage()
{
	fleet_is "web.rollout | .stage == $1 and .state == \"running\""
}

# hold_all: no host says anything; who is to, of a push that has begun, is told when its order is known
hold_all()
{
	local host
	for host in "${HOSTS[@]}"; do
		tell "$host" silent
	done
}

# free_all [HOST...]: those, or all of them
free_all()
{
	local host
	for host in "${@:-${HOSTS[@]}}"; do
		tell "$host"
	done
}

# documented NAME SECTION <JSON: it is as xdp-portblock-json(5) has it
documented()
{
	t_is "$1: as documented" '' "$("$PYTHON" "$TOP/tests/net/documented.py" "$TOP/man/xdp-portblock-json.5" "$2" 2>&1)"
}

etcd_start in_a main 127.0.0.1
t_ok 'etcd runs' wait_for 60 etcd_answers in_a

# --- before anything was pushed -----------------------------------------------------------

t_is 'status: nothing' 'No rulesets.

No hosts.' "$(f status)"
t_is 'status: nothing, JSON' '{"rulesets":[],"hosts":[],"gone":[],"problems":[]}' "$(f status -j)"
t_is 'history: nothing' 'Ruleset web
No revisions.' "$(f history web)"
t_fail 'diff: nothing' 2 "nothing was ever pushed for ruleset 'web'" f diff web
t_fail 'rollback: nothing' 1 "nothing was ever pushed for ruleset 'web'" f rollback web
t_fail 'resume: nothing' 1 "nothing was ever pushed for ruleset 'web'" f push --resume web

# --- words ---------------------------------------------------------------------------------

rules 22
t_fail 'push: no words' 2 'push which FILE' f push
t_fail 'push: one word' 2 "push 'rules' as which RULESET" f push rules
t_fail 'push: three words' 2 "'more' is one word too many" f push rules web more
t_fail 'push: no such name' 2 "'w/b'" f push rules w/b
t_fail 'push: a wrong stage' 2 "--stages: 'ten' is no stage" f push rules web --stages ten,100%
t_fail 'push: not to all' 2 "the last stage is '10%'" f push rules web --stages 1,10%
t_fail 'push: a wrong time' 2 '--wait: "soon" is not a duration' f push rules web --wait soon
t_fail 'push: a wrong note' 2 '--note: ' f push rules web --note $'a\nb'
t_fail 'push: no such key' 1 'none.pem: No such file' f push rules web --sign none.pem
t_fail 'push: no key' 1 'rules is no private key of ed25519' f push rules web --sign rules
t_fail 'push: no such file' 1 'none' f push none web
t_fail 'resume: with a file' 2 "no 'web'" f push --resume rules web
t_fail 'resume: with stages' 2 'no --stages' f push --resume web --stages 100%
t_fail 'status: a word' 2 "'x' is not wanted here" f status x
t_fail 'status: two forms' 2 'exclude each other' f status -j --prometheus
t_fail 'history: no word' 2 'which RULESET' f history
t_fail 'diff: no word' 2 'which RULESET' f diff
t_fail 'rollback: no word' 2 'which RULESET' f rollback
t_fail 'rollback: no number' 2 "'0' is no number of a revision" f rollback web 0
t_fail 'rollback: a name' 2 "'last' is no number of a revision" f rollback web last
t_fail 'no conf' 1 'none.conf' in_a "$PB" fleet status --config none.conf

echo 'drop tcp dport 22222222' >wrong
t_fail 'push: a file that is wrong' 1 'wrong:1: "22222222" is not a port' f push wrong web
echo '192.0.2.0/24' >list
echo 'drop tcp dport 22 from @./list' >names
t_fail 'push: a file that names another' 1 "names: line 1: '@./list' is a file of the host" f push names web
head -c 1100000 /dev/zero | tr '\0' '#' >large
t_fail 'push: a file too large' 1 'large has more than the 1048576 bytes' f push large web
t_is 'nothing was written by all that' '' "$(ctl get --prefix --keys-only /)"

# --- no hosts, and then 20 -------------------------------------------------------------------

t_ok 'push: to nobody' f push rules web --note 'the first'
out=$T_OUT
t_ok 'it says so' grep -q 'no host that follows it is seen' <<<"$out"
t_ok 'and not that it is in force' grep -q '^web: revision [0-9]* is wanted, and in force nowhere yet$' <<<"$out"
t_ok 'it is at its end' fleet_is 'web.rollout | .state == "done" and .carrier_pid == null'
first=$(wanted)

hosts_start "${HOSTS[@]}"
t_ok 'hosts that come later take it' wait_for 60 fleet_is \
	'[.hosts[].rulesets[] | select(.state == "in-force")] | length == 20'

# --- stages ---------------------------------------------------------------------------------

rules 22 23
: >hosts/log
t_ok 'push: to 20' f push rules web --note 'the "second"'
second=$(wanted) id=$(id_of)
t_is 'push: what it says' "web: revision $second (${id:0:12}), stage 1 of 3 (1): 1 host
web: revision $second (${id:0:12}), stage 2 of 3 (10%): 2 hosts
web: revision $second (${id:0:12}), stage 3 of 3 (100%): 20 hosts
web: revision $second is in force on all 20 hosts" "$T_OUT"
mapfile -t order < <(in_order "$id")
t_is 'the first two of the order are the first two' "${order[0]} ${order[1]}" \
	"$(head -n 2 hosts/log | cut -d ' ' -f 1 | xargs)"
t_is 'each has taken it once' 20 "$(grep -c "took $second" hosts/log)"
t_is 'good: it, too' "$second" "$(web .good)"
t_is 'the file is as it was' "$(cat rules)" "$(f history web -j | jq -r '.revisions[0].file')"
t_is 'the note' 'the "second"' "$(f history web -j | jq -r '.revisions[0].note')"
t_is 'history: numbers' "$second $first" "$(f history web -j | jq -r '.revisions[].revision' | xargs)"
t_ok 'history: text' grep -qE "^ +$first  .{12}  done     .*root@pusher +the first" <(f history web)

rules 22 24
documented 'status' 'fleet status' < <(f status -j)
documented 'history' 'fleet history' < <(f history web -j)
f push rules web --stages 50%,100% -j >pushed
documented 'push' 'fleet push' <pushed
t_is 'push: JSON' "$(echo '{"of":2,"stage":2,"state":"done","hosts":20,"in_force":20,"reason":null}' | jq -S .)" \
	"$(jq -S '{of,stage,state,hosts,in_force,reason}' pushed)"
for i in 1 2 3; do
	f push rules web --stages 100% >/dev/null
done
t_is 'push: no two of the same file are the same, however soon they come' 4 \
	"$(f history web -j | jq -r '.revisions[:4][].id' | sort -u | wc -l)"
t_is 'push: of standard input' 0 "$(echo 'drop tcp dport 22 comment "by hand"' | f push - web >/dev/null; echo $?)"
t_is 'it has its text form' 'drop tcp dport 22 comment "by hand"' \
	"$(f history web -j | jq -r '.revisions[0].file' | grep -v '^policy' | tr -s ' ')"

# On a terminal: a line that is written over, and a bar
rules 22 25
in_a script -qec "stty cols 60; $PB fleet push rules web --config fleet.conf" /dev/null </dev/null >typescript
t_ok 'push: a bar on a terminal' grep -q $'\rstage 3 of 3 \[####################\] 20/20' typescript
t_ok 'push: and its end' grep -q 'is in force on all 20 hosts' typescript
t_is 'push: no line is wider than the terminal' '' \
	"$(tr '\r' '\n' <typescript | sed 's/\x1b\[K//' | grep '^stage' | grep -E '.{61}')"

# --- who is gone ----------------------------------------------------------------------------------

seen()
{
	ctl put "$KEYS/seen/$1" '{"format":1,"host":"'"$1"'","time":"2026-11-29T09:12:03Z","rulesets":{"web":{"in_force":'"$first"'},"db":{}}}' >/dev/null
}
seen h1
t_is 'gone: not one that is there' '[]' "$(f status -j | jq -c .gone)"
t_fail 'forget: nor is that forgotten' 1 "host 'h1' is there: its agent is to be stopped first" f forget h1
seen h99
t_is 'gone: one that is not' "h99 web gone - $first - - seen at 2026-11-29T09:12:03Z, and maybe later
h99 db gone - - - - seen at 2026-11-29T09:12:03Z, and maybe later" "$(f status | grep '^h99' | tr -s ' ')"
t_is 'gone: JSON' '[{"host":"h99","time":"2026-11-29T09:12:03Z","rulesets":[{"name":"web","in_force":'"$first"'},{"name":"db","in_force":null}]}]' \
	"$(f status -j | jq -c .gone)"
documented 'gone: status' 'fleet status' < <(f status -j)
t_ok 'gone: metrics' grep -qxF 'xdp_portblock_fleet_hosts_gone{ruleset="web"} 1' <(f status --prometheus)
t_fail 'forget: no word' 2 'forget which HOST' f forget
t_fail 'forget: two words' 2 "'h1' is one word too many" f forget h99 h1
t_fail 'forget: no name' 2 "'../x' is no name of a host" f forget ../x
t_fail 'forget: none' 1 "no host 'h98' is gone" f forget h98
t_ok 'forget' f forget h99
t_is 'forget: it is' '[]' "$(f status -j | jq -c .gone)"
t_fail 'forget: once' 1 "no host 'h99' is gone" f forget h99

# --- a failure stops it ------------------------------------------------------------------------

good=$(wanted)
rules 26
: >hosts/log
hold_all
pushing
third=$(wanted)
mapfile -t order < <(in_order "$(id_of)")
tell "${order[1]}" fail no way to etcd
free_all "${order[0]}"
wait "$PUSH_PID"
t_is 'failure: exit status' 1 $?
t_ok 'failure: who and why' grep -q "revision $third was stopped at stage 2 of 3: ${order[1]}: no way to etcd" "$PUSH_OUT"
free_all
t_is 'failure: status names it, too' "${order[1]}: no way to etcd" \
	"$(web '.rollout | select(.state == "stopped").reason')"
t_ok 'failure: status as text' grep -qE "^${order[1]} .*revision $third failed: no way to etcd" <(f status)
t_ok 'failure: all are back' wait_for 60 fleet_is "having($good) == 20"
t_is 'failure: nobody else saw it' "${order[0]} took $third
${order[1]} failed $third" "$(grep " $third\$" hosts/log)"
t_is 'failure: and the first is back' "${order[0]} back $good" "$(grep " back " hosts/log)"
t_is 'failure: good is what was good' "$good" "$(web .good)"
t_ok 'failure: history tells it' grep -q "${order[1]}: no way to etcd" <(f history web)
t_fail 'rollback: not to that' 1 "revision $third was stopped: ${order[1]}: no way to etcd" f rollback web "$third"
t_fail 'resume: nothing goes on' 1 "was stopped: ${order[1]}: no way to etcd" f push --resume web

# --- silence stops it ---------------------------------------------------------------------------

rules 27
hold_all
pushing --wait 2s
wait "$PUSH_PID"
t_is 'silence: exit status' 1 $?
# (The one that is wanted is that from before by now.)
mapfile -t order < <(in_order "$(f history web -j | jq -r '.revisions[0].id')")
t_ok 'silence: who' grep -qF "1 of 1 hosts have it not in force after 2 seconds: ${order[0]} (not begun)" "$PUSH_OUT"
free_all

documented 'status of one that was stopped' 'fleet status' < <(f status -j)
documented 'history of one that was stopped' 'fleet history' < <(f history web -j)

rules 28
hold_all
pushing --wait 10s -j
mapfile -t order < <(in_order "$(id_of)")
tell "${order[0]}" gone
t_ok 'a host goes away' wait_for 60 fleet_is '.hosts | length == 19'
wait "$PUSH_PID"
t_ok 'silence: who is gone is waited for' grep -qF "${order[0]} (not seen)" "$PUSH_OUT"
documented 'a push that was stopped' 'fleet push' < <(grep '^{' "$PUSH_OUT")
free_all
t_ok 'all are back' wait_for 60 fleet_is "having($good) == 20"

# --- two at once ----------------------------------------------------------------------------------

rules 29
hold_all
pushing
t_fail 'two: the second is refused' 1 \
	"pusher is rolling out revision $(id_of | cut -c 1-12) of it \(process $PUSH_PID\)" f push rules web
t_fail 'two: so is who goes on' 1 "process $PUSH_PID" f push --resume web
t_fail 'two: and who rolls back' 1 "process $PUSH_PID" f rollback web
rules 30
bg in_a "$PB" fleet push rules db --config fleet.conf
t_ok 'two: another ruleset is another matter' wait_for 60 fleet_is \
	'.rulesets[] | select(.name == "db").rollout.state == "done"'
free_all
wait "$PUSH_PID"
t_is 'two: the first goes on' 0 $?

# Of ten at the same time each pushes, or is refused: and what is wanted in the end is what one of them said
rules 31
for i in {1..10}; do
	bg in_a "$PB" fleet push rules web --note "$i" -j --config fleet.conf
	pushers[i]=$BG_PID outs[i]=$BG_OUT
done
statuses='' wrong=0
for i in {1..10}; do
	wait "${pushers[i]}"
	status=$?
	statuses="$statuses$status"
	case $status in
	0) jq -e '.state == "done" and .in_force == 20' "${outs[i]}" >/dev/null || wrong=1 ;;
	*) grep -qE 'is rolling out revision|until now: try again' "${outs[i]}" || wrong=1 ;;
	esac
done
t_ok 'ten: one pushed at least' grep -q 0 <<<"$statuses"
t_is 'ten: each pushed or was refused' 0 "$wrong"
t_ok 'ten: all hosts have what is wanted' fleet_is 'having(web.revision) == 20'

# --- the pusher dies ---------------------------------------------------------------------------

rules 32
: >hosts/log
hold_all
pushing --stages 1,3,100%
mapfile -t order < <(in_order "$(id_of)")
free_all "${order[0]}"
t_ok 'death: it is at stage 2' wait_for 60 at_stage 2
bg_stop "$PUSH_PID" KILL
fifth=$(wanted)
t_fail 'death: for a while nobody knows' 1 "process $PUSH_PID.*takes it for so after 10 seconds" f push --resume web
t_ok 'death: etcd notices' wait_for 60 fleet_is 'web.rollout.carrier_pid == null'
t_ok 'death: status says what to do' grep -q 'carried by nobody: .xdp-portblock fleet push --resume web. ' <(f status)
t_is 'death: no host beyond the stage has it' "${order[0]} took $fifth" "$(cat hosts/log)"
free_all
t_ok 'death: another goes on' f push --resume web
out=$T_OUT
t_ok 'death: where it was' grep -q "^web: revision $fifth (.*), stage 2 of 3 (3): 3 hosts" <<<"$out"
t_ok 'death: and to its end' grep -q "revision $fifth is in force on all 20 hosts" <<<"$out"
t_is 'death: each has taken it once' 20 "$(grep -c "took $fifth" hosts/log)"

# Killed wherever it is: hosts have one revision or the other, and the next push ends it
rules 33
for i in {1..6}; do
	bg in_a "$PB" fleet push rules web --config fleet.conf
	sleep "0.0$i"
	bg_stop "$BG_PID" KILL
	t_ok "killed, $i: etcd notices" wait_for 60 fleet_is \
		'[.rulesets[] | select(.rollout.carrier_pid != null)] | length == 0'
	if fleet_is 'web.rollout.state == "running"' >/dev/null; then
		t_ok "killed, $i: another goes on" f push --resume web
	fi
	t_ok "killed, $i: all hosts have what is wanted, which is good" wait_for 60 fleet_is \
		'web.revision == web.good and having(web.revision) == 20'
done

# Whoever interrupts it lets go at once
rules 34
hold_all
pushing
bg_stop "$PUSH_PID" INT
t_is 'interrupted: exit status' 1 $?
t_ok 'interrupted: says how to go on' grep -q 'interrupted at stage 1 of 3.*fleet push --resume web' "$PUSH_OUT"
free_all
t_ok 'interrupted: it goes on at once' f push --resume web

# One that slept while another brought it to its end
rules 341
hold_all
pushing
kill -STOP "$PUSH_PID"
t_ok 'asleep: etcd notices' wait_for 60 fleet_is 'web.rollout.carrier_pid == null'
free_all
t_ok 'asleep: another goes on' f push --resume web
kill -CONT "$PUSH_PID"
wait "$PUSH_PID"
t_is 'asleep: when it wakes, it ends' 1 $?
t_ok 'asleep: and says why' grep -q 'the rollout of web was taken over' "$PUSH_OUT"
t_ok 'asleep: done is done' fleet_is 'web.rollout.state == "done" and web.revision == web.good'

# What nobody carries any more may be left for another revision, or the last good one
before=$(wanted)
rules 342
hold_all
pushing
bg_stop "$PUSH_PID" INT
free_all
rules 343
t_ok 'left: another revision is pushed' f push rules web
t_is 'left: what is good by it' "$before" "$(f history web -j | jq '.revisions[0].previous')"
t_is 'left: the other is not in the history' "$before" "$(f history web -j | jq '.revisions[1].revision')"
good=$(wanted)
rules 344
hold_all
pushing
bg_stop "$PUSH_PID" INT
free_all
t_ok 'left: or the good one' f rollback web
t_ok 'left: that is the last one' grep -q "^web: back to revision $good of " <<<"$T_OUT"
rules 345
hold_all
pushing
tell "$(in_order "$(id_of)" | head -n 1)" fail all of it
wait "$PUSH_PID"
free_all
t_ok 'stopped: rollback' f rollback web
t_ok 'stopped: is to the one before the good one' grep -q "^web: back to revision $before of " <<<"$T_OUT"

# --- etcd is away ---------------------------------------------------------------------------------

rules 35
hold_all
pushing
bg_stop "$ETCD_PID" KILL
away()
{
	grep -q 'trying again' "$PUSH_OUT"
}
t_ok 'away: it is said' wait_for 60 away
etcd_start in_a main 127.0.0.1
t_ok 'away: and is back' wait_for 60 etcd_answers in_a
free_all
wait "$PUSH_PID"
t_is 'away: the push goes on' 0 $?
t_ok 'away: to its end' grep -q 'is in force on all 20 hosts' "$PUSH_OUT"

# --- back -----------------------------------------------------------------------------------------

now=$(wanted)
rules 36
openssl genpkey -algorithm ed25519 -out key.pem 2>/dev/null
t_ok 'sign: pushed' f push rules web --sign key.pem
signed=$(wanted)
t_is 'sign: it is' true "$(web .signed)"
t_ok 'rollback: to what was before' f rollback web
t_ok 'rollback: says to which' grep -q "^web: back to revision $now of " <<<"$T_OUT"
t_is 'rollback: its file' 'drop tcp dport 35' "$(f history web -j | jq -r '.revisions[0].file')"
t_is 'rollback: whose it is' "root@pusher rollback to revision $now" \
	"$(f history web -j | jq -r '.revisions[0] | .author + " " + .note')"
t_is 'rollback: it is a new one' true "$(f history web -j | jq --argjson n "$now" '.revisions as $r |
	[$r[] | select(.revision == $n)][0] as $old | $r[0].id != $old.id and $r[0].time > $old.time')"
t_fail 'rollback: to one that was signed' 1 "revision $signed is signed.*--sign KEYFILE" f rollback web "$signed"
t_ok 'rollback: to a number' f rollback web "$signed" --stages 100% --sign key.pem
t_is 'rollback: it is signed' true "$(web .signed)"
t_fail 'rollback: what nobody has signed is not signed' 1 "revision $now was signed by nobody who is trusted here" \
	f rollback web "$now" --sign key.pem
t_fail 'rollback: to none' 1 'there is no revision 1 in its history' f rollback web 1

# --- diff -----------------------------------------------------------------------------------------

t_fail 'diff: nothing is loaded' 2 'load' f diff web
in_a "$PB" load v0 -r web
rules 36
t_ok 'diff: apply the same' in_a "$PB" apply rules -r web
t_is 'diff: the same' 0 "$(f diff web; echo $?)"
in_a "$PB" rule add 99/tcp -r web >/dev/null
t_fail 'diff: differs' 1 '^-drop +tcp +dport 99$' f diff web
t_ok 'diff: says with what' grep -qE "^\+\+\+ web revision $(wanted) \(.{12}\)$" <<<"$T_OUT"
echo 'rulesets = web=other' >>fleet.conf
rules 36
in_a "$PB" fleet push rules other --config fleet.conf >/dev/null 2>&1
t_fail 'diff: by its name here' 1 '^--- web$' f diff other

# --- metrics --------------------------------------------------------------------------------------

f status --prometheus >metrics
t_ok 'metrics: hosts' grep -qxF 'xdp_portblock_fleet_hosts{ruleset="web",state="in-force"} 20' metrics
t_ok 'metrics: revision' grep -qxF "xdp_portblock_fleet_revision_wanted{ruleset=\"web\"} $(wanted)" metrics
t_ok 'metrics: to a file' f status --prometheus -o metrics.prom
t_is 'metrics: the same' "$(cat metrics)" "$(cat metrics.prom)"
if PROMTOOL=$("$TOP/tests/net/promtool" 2>/dev/null); then
	t_is 'metrics: promtool finds no fault' '' "$("$PROMTOOL" check metrics <metrics.prom 2>&1)"
else
	t_skip 'metrics: promtool finds no fault' 'no promtool here'
fi

# --- as large as it may be ------------------------------------------------------------------------

bg_stop "$HOSTS_PID"
{
	echo 'drop tcp dport 22'
	yes "# $(printf '%0100d' 0)" | head -n 9700
} >large
t_ok 'large: a file of nearly 1 MiB' f push large big
t_is 'large: it is there as it was' "$(sha256sum <large)" \
	"$(f history big -j | jq -j '.revisions[0].file' | sha256sum)"
t_ok 'large: and what is good' fleet_is '.rulesets[] | select(.name == "big") | .good == .revision'
yes '# """""""""""""""""""""""""""""""""""""""""""""' | head -c 1000000 >quotes
t_fail 'large: what has more than that in JSON' 1 'the revision has [0-9]* bytes, and may have 1048576' f push quotes big

# --- a long history -------------------------------------------------------------------------------

# As if so many had been pushed long ago; of these, the one that is good is revision 3
long()
{
	local one
	one=$(ctl get --print-value-only "$KEYS/good/other" | jq -c 'del(.revision)') || return
	for i in {1..120}; do
		echo "put $KEYS/history/other/$(printf '%020d' "$i") $(jq -R . <<<"${one%\}},\"revision\":$i,\"state\":\"done\"}")"
	done >puts
	printf '\n%s\n\n\n' "$(cat puts)" | ctl txn || return
	ctl put "$KEYS/good/other" "${one%\}},\"revision\":3}"
}

nr_kept()
{
	ctl get --prefix --keys-only "$KEYS/history/other/" | grep -c .
}

sed -i '/^rulesets/d' fleet.conf
rules 37
t_ok 'history: 120 and one' long
t_is 'history: the newest 100 are read' "100 $(f history other -j | jq '.revisions[0].revision')" \
	"$(f history other -j | jq -r '.revisions | "\(length) \(.[0].revision)"')"
t_ok 'history: push' f push rules other
t_is 'history: 100 are kept, and the one that was good' 101 "$(nr_kept)"
t_is 'history: which is 3' 3 "$(ctl get --prefix --keys-only "$KEYS/history/other/" | sed -n '1s/.*\/0*//p')"
t_ok 'history: push' f push rules other
t_is 'history: it goes when it is no longer good' 100 "$(nr_kept)"

# --- what others write ----------------------------------------------------------------------------

ctl put $KEYS/hosts/evil '{"format":1,"host":"good"}' >/dev/null
ctl put $KEYS/seen/odd '{"format":1,"host":"even","time":"2026-01-01T00:00:00Z"}' >/dev/null
ctl put $KEYS/hosts/worse $'\x1b[2J' >/dev/null
ctl put $KEYS/hosts/../x '{}' >/dev/null
ctl put $KEYS/rulesets/odd '{"format":2}' >/dev/null
ctl put $KEYS/stages/odd 'null' >/dev/null
ctl put $KEYS/good/web "$(ctl get --print-value-only $KEYS/good/web | sed 's/dport 36/dport 37/')" >/dev/null
t_ok 'corrupt: status goes on' f status
out=$T_OUT
for problem in 'hosts/evil: "version" is missing' 'hosts/worse is no JSON object' "'../x' is no name of a host" \
	'seen/odd: "host" is "even"' 'rulesets/odd: "format" is 2' 'stages/odd is no JSON object' 'good/web: "id" is '; do
	t_ok "corrupt: $problem" grep -qF "$problem" <<<"$out"
done
t_is 'corrupt: JSON has them, too' 7 "$(f status -j 2>/dev/null | jq '.problems | length')"
t_ok 'corrupt: no byte of it reaches the terminal' test -z "$(f status 2>&1 | tr -d '\n\t -~')"
t_fail 'corrupt: a good one that was changed is seen' 1 'good/web: "id" is .*changed by something else' f push rules web

t_done
