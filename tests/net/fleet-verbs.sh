# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of fleets: namespaces for etcd and for hosts. On top of ../lib.sh; it brings verbs.sh and
# etcd-verbs.sh, and skips the test where the tool has no fleet.
#
#	E, where etcd is and clients ask       host N, with a bpffs of its own
#	e1  10.10.1.1/24  -----------------  v0  10.10.1.2/24
#	e2  10.10.2.1/24  -----------------  v0  10.10.2.2/24

grep -q '^HAVE_FLEET := yes' "$TOP/config.mk" || t_skip_all "built without libcurl and libcrypto"
. "$TOP/tests/net/verbs.sh"
. "$TOP/tests/net/etcd-verbs.sh"

NS_E=pbE-$T_NAME-$$
declare -A HOST_PID HOST_AGENT HOST_OUT
id='' number=0
export HOST_OUT id number

fleet_world()
{
	ip netns add "$NS_E" || t_die "no network namespace $NS_E"
	in_e ip link set lo up || t_die "no lo in $NS_E"
	mkdir -p "$PB_SERVERS"
}

in_e()
{
	in_ns "$NS_E" "$@"
}

# in_host N COMMAND...: in its network and with its bpffs
in_host()
{
	local n=$1
	shift
	nsenter --net="/run/netns/pbH$n-$T_NAME-$$" --mount="/proc/${HOST_PID[$n]}/ns/mnt" "$@"
}

in_h1() { in_host 1 "$@"; }
in_h2() { in_host 2 "$@"; }
in_h3() { in_host 3 "$@"; }

# bg_host N COMMAND...: bg there; BG_PID is the program
bg_host()
{
	local n=$1
	shift
	bg nsenter --net="/run/netns/pbH$n-$T_NAME-$$" --mount="/proc/${HOST_PID[$n]}/ns/mnt" "$@"
}

# fleet_host N: host N, called hN, with the TCP ports FLEET_PORTS served (22, 23 and 80)
fleet_host()
{
	local n=$1 ns=pbH$1-$T_NAME-$$
	ip netns add "$ns" || t_die "no network namespace $ns"
	in_ns "$ns" ip link set lo up
	ip link add v0 netns "$ns" type veth peer name "e$n" netns "$NS_E" || t_die "no veth pair to h$n"
	{
		in_ns "$ns" ip addr add "10.10.$n.2/24" dev v0 && in_e ip addr add "10.10.$n.1/24" dev "e$n" &&
			in_ns "$ns" ip link set v0 up && in_e ip link set "e$n" up
	} || t_die "no wire to h$n"
	mkdir -p "$T_DIR/h$n"
	# shellcheck disable=SC2016 # for the inner shell
	bg unshare -m sh -c 'mount -t bpf bpf /sys/fs/bpf && echo ready && exec sleep infinity'
	HOST_PID[$n]=$BG_PID
	wait_for 60 grep -qs ready "$BG_OUT" || t_die "no bpffs of h$n"
	bg_host "$n" "$PYTHON" "$PEER" serve --tcp "${FLEET_PORTS:-22,23,80}"
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	grep -q '^ready$' "$BG_OUT" || t_die "h$n does not serve: $(tail -n 1 "$BG_OUT")"
}

# Those that its unit leaves it
AGENT_CAPABILITIES=$(sed -n 's/^CapabilityBoundingSet=//p' "$TOP/systemd/xdp-portblock-fleet.service" |
	tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/ /,/g')

# agent N [LINE...]: its agent begins, with the rights that its unit leaves it; lines of fleet.conf beside the usual ones
agent()
{
	local n=$1
	shift
	agent_conf "$n" "$@"
	agent_start "$n"
}

# member N LINE...: the same, of one that has no rulesets but those of LINEs, and of its groups
member()
{
	agent_conf "$@"
	sed -i '/^rulesets = default=web$/d' "$T_DIR/h$1/fleet.conf"
	agent_start "$1"
}

agent_start()
{
	local n=$1
	bg_host "$n" setpriv --no-new-privs --inh-caps=-all --bounding-set="-all,$AGENT_CAPABILITIES" \
		"$PB" fleet follow --config "$T_DIR/h$n/fleet.conf"
	HOST_AGENT[$n]=$BG_PID HOST_OUT[$n]=$BG_OUT
}

agent_conf()
{
	local n=$1
	shift
	printf '%s\n' "endpoints = http://10.10.$n.1:2379" "host = h$n" 'rulesets = default=web' \
		"state = $T_DIR/h$n/state" "$@" >"$T_DIR/h$n/fleet.conf"
}

agent_kill()
{
	bg_stop "${HOST_AGENT[$1]}" KILL
}

# ours_on N: processes of the tool there
ours_on()
{
	local process
	for process in /proc/[0-9]*; do
		[ "$process/exe" -ef "$PB" ] && [ "$process/ns/net" -ef "/run/netns/pbH$1-$T_NAME-$$" ] &&
			echo "${process#/proc/}"
	done
}

# put COMMAND...: fleet_put.py
put()
{
	in_e "$PYTHON" "$TOP/tests/net/fleet_put.py" http://127.0.0.1:2379 "$@"
}

# push FILE UPTO [KEYFILE]: of ruleset web; `id` and `number` are of the revision
push()
{
	read -r id number < <(put push web "$@")
}

# host N KEY: of what it says of its ruleset
host()
{
	put host "h$1" | json "d['rulesets']['web']['$2']"
}

# host_is N KEY VALUE
host_is()
{
	[ "$(host "$1" "$2" 2>/dev/null)" = "$3" ]
}

# has N NUMBER: it says that this revision is in force
has()
{
	[ "$(put host "h$1" | json "d['rulesets']['web'].get('in_force'), d['rulesets']['web']['state']" 2>/dev/null)" = "[$2, \"in-force\"]" ]
}

# is_silent N PORT, is_open N PORT: asked by E
is_silent()
{
	CLIENT=in_e silent tcp "10.10.$1.2" "$2"
}

is_open()
{
	CLIENT=in_e answers tcp "10.10.$1.2" "$2"
}
