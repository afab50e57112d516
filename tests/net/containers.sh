#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A container: a network namespace and a bpffs of its own, beside a host that filters, too. And one in a user namespace,
# which the kernel refuses.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
C4=10.9.1.1

# container: one that stays; CONTAINER is its first process. Its name of bpffs is the host's.
container()
{
	# shellcheck disable=SC2016 # for the inner shell
	bg unshare --net --mount --propagation private sh -c \
		'mount -t bpf -o mode=0700 bpf /sys/fs/bpf && ip link set lo up && echo ready && exec sleep infinity'
	CONTAINER=$BG_PID
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	grep -q '^ready$' "$BG_OUT"
}

in_c()
{
	nsenter --net="/proc/$CONTAINER/ns/net" --mount="/proc/$CONTAINER/ns/mnt" "$@"
}

# limited CAPABILITIES COMMAND...: in the container, with those, as a runtime leaves them
limited()
{
	local caps=$1
	shift
	in_c setpriv --bounding-set="-all,$caps" --inh-caps=-all --no-new-privs "$@"
}

container || t_skip_all "no container here: $(tail -n 1 "$BG_OUT")"
{
	ip link add eth0 netns "/proc/$CONTAINER/ns/net" type veth peer name c1 netns "$NS_B" 2>/dev/null ||
		ip link add c1 netns "$NS_B" type veth peer name eth0 netns "$CONTAINER"
} || t_die 'no wire to the container'
{
	in_c ip addr add "$C4/24" dev eth0 && in_c ip link set eth0 up &&
		in_b ip addr add 10.9.1.2/24 dev c1 && in_b ip link set c1 up
} || t_die 'no address in the container'
serve in_a --tcp 22,23
serve in_c --tcp 22,23

t_ok 'the host loads' in_a "$PB" load v0
t_ok 'with a rule' in_a "$PB" rule add 22/tcp
t_is 'the container has none of it' 'No interface is loaded.' "$(in_c "$PB" status)"
t_fail 'nor its ruleset' 1 'nothing is loaded' in_c "$PB" rule list
t_fail 'without CAP_SYS_ADMIN' 1 'CAP_SYS_ADMIN' limited +net_admin,+bpf "$PB" load eth0
t_fail 'without CAP_NET_ADMIN' 1 'not permitted|CAP_NET_ADMIN' limited +sys_admin,+bpf "$PB" load eth0
t_is 'nothing was made' '' "$(in_c find /sys/fs/bpf/xdp-portblock -type f 2>/dev/null)"
t_ok 'with both' limited +net_admin,+sys_admin "$PB" load eth0
t_ok 'the same ruleset, another rule' limited +net_admin,+sys_admin "$PB" rule add 23/tcp
t_is 'the host has its own' '1 drop tcp dport 22' "$(rules)"
t_is 'the container, too' 'drop tcp dport 23' "$(in_c "$PB" save | grep dport)"
t_ok 'host: port 22 is silent' silent tcp "$A4" 22
t_ok 'host: port 23 answers' answers tcp "$A4" 23
t_ok 'container: port 22 answers' answers tcp "$C4" 22
t_ok 'container: port 23 is silent' silent tcp "$C4" 23
t_is 'the container sees its interface alone' eth0 \
	"$(in_c "$PB" status -j | json '" ".join(i["name"] for i in d["interfaces"])')"
t_ok 'doctor, in the container' in_c "$PB" doctor
t_ok 'the container unloads all of its own' in_c "$PB" unload --all
t_ok 'container: port 23 answers' answers tcp "$C4" 23
t_ok 'host: port 22 is silent yet' silent tcp "$A4" 22

t_ok 'loaded once more' in_c "$PB" load eth0
program=$(in_c "$PB" status -j | json 'd["interfaces"][0]["program_id"]')
t_ok 'its program is there' bpftool prog show id "$program"
# All that is in its network goes: its server, and its first process.
for process in /proc/[0-9]*; do
	[ "$process/ns/net" -ef "/proc/$CONTAINER/ns/net" ] && [ "${process#/proc/}" != "$CONTAINER" ] &&
		kill -KILL "${process#/proc/}"
done
bg_stop "$CONTAINER" KILL
gone_program()
{
	! bpftool prog show id "$program"
}
t_ok 'the container ends, and its program goes' wait_for 60 gone_program
t_ok 'host: port 22 is silent as before' silent tcp "$A4" 22

# --- a user namespace -----------------------------------------------------------------------------

# in_user COMMAND...: as root of a user namespace, with a network of its own, and the host's bpffs or, with --mount, none
in_user()
{
	unshare --user --map-root-user --net "$@"
}

if in_user true 2>/dev/null; then
	echo "# bpffs in a user namespace: $(in_user --mount --propagation private mount -t bpf bpf /sys/fs/bpf 2>&1 |
		head -n 1 | grep . || echo 'it can be mounted')"
	t_fail 'a user namespace: load is refused, and why' 1 'those of a user namespace' in_user "$PB" load lo -m skb
	t_fail 'doctor says it, too' 1 'problem  rights: .*those of a user namespace' in_user "$PB" doctor
	t_ok 'check needs nothing' in_user "$PB" check /dev/null
else
	t_skip 'a user namespace' 'none can be made here'
fi
t_done
