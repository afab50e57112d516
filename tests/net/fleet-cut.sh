#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A push that ends, or loses its connection, at each of its requests to etcd in turn, before etcd has seen it and after:
# what stands in etcd is of one revision or of the other, hosts have one or the other, and `fleet push --resume`, or
# another push, brings all of them to the new one.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
grep -q '^HAVE_FLEET := yes' "$TOP/config.mk" || t_skip_all "built without libcurl and libcrypto"
. "$TOP/tests/net/etcd-verbs.sh"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

KEYS=/xdp-portblock
HOSTS=(h1 h2 h3 h4)
printf '%s\n' 'endpoints = http://127.0.0.1:2379' 'host = other' >fleet.conf
printf '%s\n' 'endpoints = http://127.0.0.1:2400' 'host = pusher' >cut.conf
mkdir hosts proxy
touch hosts/log

f()
{
	in_a "$PB" fleet "$@" --config fleet.conf
}

status()
{
	f status -j 2>/dev/null
}

# web FILTER: what the status says of it
web()
{
	status | jq -r ".rulesets[] | select(.name == \"web\") | $1"
}

# all_have: all hosts have what is wanted, and that is good and at its end
all_have()
{
	status | jq -e '(.rulesets[] | select(.name == "web")) as $web
		| $web.revision == $web.good and $web.rollout.state == "done"
		and ([.hosts[].rulesets[] | select(.state == "in-force" and .in_force == $web.revision)] | length == 4)' >/dev/null
}

# nobody_carries: as if the ten seconds were over, after which etcd takes who has carried it for dead
nobody_carries()
{
	local lease
	# Too large a number for jq
	lease=$(in_a etcdctl get $KEYS/rollouts/web -w json | grep -o '"lease":[0-9]*' | cut -d : -f 2)
	[ -z "$lease" ] || in_a etcdctl lease revoke "$(printf %x "$lease")" >/dev/null
}

cut_or_gone()
{
	[ -e proxy/cut ] || gone "$1"
}

# record FOLDER KEY
record()
{
	in_a etcdctl get --print-value-only "$KEYS/$1/web" | jq -r ".$2 // empty"
}

etcd_start in_a main 127.0.0.1
t_ok 'etcd runs' wait_for 60 etcd_answers in_a
bg in_a "$PYTHON" "$TOP/tests/net/fleet_cut.py" 2400 2379 "$T_DIR/proxy"
t_ok 'the proxy runs' wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
bg in_a "$PYTHON" "$TOP/tests/net/fleet_hosts.py" http://127.0.0.1:2379 $KEYS/ web "$T_DIR/hosts" "${HOSTS[@]}"
seen()
{
	[ "$(status | jq '.hosts | length')" = 4 ]
}
t_ok 'hosts are seen' wait_for 60 seen
echo 'drop tcp dport 1' >rules
t_ok 'push: the first' f push rules web --stages 100%
t_ok 'push: all have it' wait_for 60 all_have

port=1

# broken N HOW: a push whose Nth request is broken so. It says what is wrong by then, or 0 requests left (1: it had none).
broken()
{
	local n=$1 how=$2 old new status now
	old=$(record rulesets id)
	port=$((port + 1))
	echo "drop tcp dport $port" >rules
	rm -f proxy/cut
	echo "$n $how" >proxy/.at && mv proxy/.at proxy/at
	bg in_a "$PB" fleet push rules web --stages 1,100% --wait 120s --config cut.conf
	wait_for 120 cut_or_gone "$BG_PID" || echo "request $n, $how: it hangs"
	[[ $how != *-hold ]] || [ ! -e proxy/cut ] || bg_stop "$BG_PID" KILL
	wait "$BG_PID"
	status=$?
	rm -f proxy/at
	new=$(record rulesets id)
	# Both keys are written in one step.
	[ "$new" = "$(record stages id)" ] || echo "request $n, $how: revision and stage are not of the same"
	now=$(record rulesets file)
	[ "$now" = "drop tcp dport $port" ] || [ "$new" = "$old" ] || echo "request $n, $how: wanted is '$now'"
	now=$(record good id)
	[ "$now" = "$new" ] || [ "$now" = "$old" ] || echo "request $n, $how: good is '$now'"
	[ -e proxy/cut ] || [ "$status" -eq 0 ] || echo "request $n, $how: there is none, and it failed: $(cat "$BG_OUT")"
	if [ "$status" -eq 0 ]; then
		[ "$new" != "$old" ] || echo "request $n, $how: exit status 0, and the old revision"
	elif [[ $how != *-hold ]]; then
		grep -q '^xdp-portblock: ' "$BG_OUT" || echo "request $n, $how: failed without a word"
	fi
	nobody_carries
	if [ "$new" = "$old" ]; then
		f push rules web --stages 100% --wait 120s >said 2>&1 || echo "request $n, $how: push: $(cat said)"
	elif [ "$(record stages state)" = running ]; then
		resumed=$((resumed + 1))
		f push --resume web >said 2>&1 || echo "request $n, $how: resume: $(cat said)"
	fi
	wait_for 60 all_have || echo "request $n, $how: not all have it: $(f status)"
	[ "$(record rulesets file)" = "drop tcp dport $port" ] || echo "request $n, $how: it is another revision"
}

for how in before-hold after-hold before after; do
	n=0 wrong='' resumed=0
	while [ "$n" -lt 200 ]; do
		n=$((n + 1))
		broken "$n" "$how" >found
		[ ! -s found ] || wrong+=$(cat found)$'\n'
		[ -e proxy/cut ] || break
	done
	t_is "$how: each of $((n - 1)) requests: the old one or the new one, and then the new one" '' "$wrong"
	t_ok "$how: there were requests" test "$n" -gt 8
	case $how in
	*-hold) t_ok "$how: some of them are resumed ($resumed)" test "$resumed" -gt 0 ;;
	esac
done
took=$(sort hosts/log | grep ' took ' | uniq -d)
t_is 'no host has taken a revision twice' '' "$took"
t_is 'none of them was stopped' '' "$(f history web -j | jq -r '.revisions[] | select(.state != "done") | .reason')"

t_done
