# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For tests in shell: verbs that report in TAP, and a world of one's own to test
# in. A test of real traffic looks like this:
#
#	#!/bin/bash
#	. "$(dirname "$0")/../lib.sh"
#	world_enter "$@"
#	world_pair
#	serve in_a --tcp 22,23 --udp 53
#	t_ok 'load' in_a "$PB" load v0
#	t_ok 'rule add' "$PB" rule add 22/tcp
#	t_ok '22 is silent' silent tcp 10.9.0.1 22
#	t_ok '23 answers' answers tcp 10.9.0.1 23
#	t_done
#
# A script that ends before t_done has printed no plan, and counts as failed.
#
# A test bounds no time, for the machine may be busy: it waits for what must happen
# (wait_for), and shows that something does not by what comes behind it (silent, settled).

set -u

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# The tool under test: say PB=build-asan/xdp-portblock for the sanitized one.
PB=$(realpath -m "${PB:-$TOP/xdp-portblock/xdp-portblock}")
# The distribution's python, which has the distribution's modules (scapy).
PYTHON=${PYTHON:-/usr/bin/python3}
export TOP PB PYTHON PYTHONDONTWRITEBYTECODE=1
# Nobody's SSH connection is cut by what happens in namespaces of the test's own: none is
# guarded, that of whoever runs the tests neither.
export SSH_CONNECTION=
# What a test makes, and other users are to read, does not depend on who runs it.
umask 022

# The name of the test: part of the names of all that it makes.
T_NAME=$(basename "$0" .sh)
T_NAME=${T_NAME#test_}
T_DIR=$(mktemp -d "${TMPDIR:-/tmp}/pb-$T_NAME.XXXXXX") || exit 1
# Output of the last command of t_ok or t_fail, for a closer look
T_OUT=

t_count=0
t_failed=0
bg_pids=()

# amount ALL SOME: how many of what is drawn anew in each run. ALL by `tests/run --all`, which takes hours
amount()
{
	if [ -n "${PB_ALL-}" ]; then
		echo "$1"
	else
		echo "$2"
	fi
}

# --- reporting -----------------------------------------------------------------------

# t_result STATUS NAME: one line of TAP; what there is to say follows by t_note
t_result()
{
	t_count=$((t_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $t_count - $2"
	else
		t_failed=$((t_failed + 1))
		echo "not ok $t_count - $2"
	fi
}

# t_note TEXT: lines for the reader
t_note()
{
	printf '%s\n' "$1" | sed 's/^/#   /'
}

# The command runs in this shell, not in $(...): it may be a function that sets
# variables or starts something by bg.
t_capture()
{
	local status
	"$@" >"$T_DIR/out" 2>&1
	status=$?
	T_OUT=$(cat "$T_DIR/out")
	return "$status"
}

# t_ok NAME COMMAND...: it succeeds
t_ok()
{
	local name=$1 status
	shift
	t_capture "$@"
	status=$?
	t_result "$status" "$name"
	[ "$status" -eq 0 ] || t_note "exit status $status of: $*
$T_OUT"
}

# t_fail NAME STATUS REGEX COMMAND...: it exits with STATUS, and its output (both
# streams) matches the extended REGEX; an empty one asks for nothing
t_fail()
{
	local name=$1 status=$2 regex=$3 got
	shift 3
	t_capture "$@"
	got=$?
	if [ "$got" -ne "$status" ]; then
		t_result 1 "$name"
		t_note "exit status $got instead of $status of: $*
$T_OUT"
	elif [ -n "$regex" ] && ! grep -Eq -e "$regex" "$T_DIR/out"; then
		t_result 1 "$name"
		t_note "no '$regex' in the output of: $*
$T_OUT"
	else
		t_result 0 "$name"
	fi
}

# t_is NAME EXPECTED ACTUAL
t_is()
{
	if [ "$2" = "$3" ]; then
		t_result 0 "$1"
	else
		t_result 1 "$1"
		t_note "expected: $2
actual:   $3"
	fi
}

# t_skip NAME WHY
t_skip()
{
	t_count=$((t_count + 1))
	echo "ok $t_count - $1 # SKIP $2"
}

# t_skip_all WHY: this test file can't run here
t_skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# t_die WHY: go no further
t_die()
{
	echo "Bail out! $1"
	exit 1
}

t_done()
{
	echo "1..$t_count"
	[ "$t_failed" -eq 0 ]
	exit
}

# --- waiting, and things in the background -------------------------------------------

# wait_for SECONDS COMMAND...: until it succeeds. The time is for what hangs, not for what is
# slow: a minute at least.
wait_for()
{
	local end=$((SECONDS + ($1 < 60 ? 60 : $1)))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -le "$end" ] || return 1
		sleep 0.02
	done
}

# gone PID: the process has ended; a zombie that nobody has reaped yet has, too
gone()
{
	! kill -0 "$1" 2>/dev/null || grep -qs '^State:.*Z' "/proc/$1/status"
}

# bg COMMAND...: run it until the test ends; BG_PID and BG_OUT are its process and
# the file with its output. in_a and in_b are replaced by what they stand for, so
# that BG_PID is the program and not a shell that waits for it.
bg()
{
	case $1 in
	in_a)
		shift
		set -- nsenter --net="/run/netns/$NS_A" "$@"
		;;
	in_b)
		shift
		set -- nsenter --net="/run/netns/$NS_B" "$@"
		;;
	esac
	BG_OUT=$T_DIR/bg.${#bg_pids[@]}
	"$@" </dev/null >"$BG_OUT" 2>&1 &
	BG_PID=$!
	bg_pids+=("$BG_PID")
}

# bg_stop PID [SIGNAL]: end it and wait; the status is its own
bg_stop()
{
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

t_clean_up()
{
	local pid
	trap - EXIT INT TERM HUP
	for pid in "${bg_pids[@]}"; do
		kill -TERM "$pid" 2>/dev/null
	done
	for pid in "${bg_pids[@]}"; do
		wait "$pid" 2>/dev/null
	done
	world_leave
	rm -rf "$T_DIR"
}

trap t_clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- the world -----------------------------------------------------------------------

# world_enter "$@": the rest of the test runs in a mount namespace of its own, with a
# bpffs and a /run/netns that nobody else sees: the host's pins and namespaces are out
# of reach, and everything goes when the last process of the test does.
world_enter()
{
	local propagation=private

	# unshare keeps the process id: the variable is ours, not that of a test around us.
	if [ "${PB_WORLD:-}" != $$ ]; then
		[ "$(id -u)" -eq 0 ] || t_skip_all "needs root"
		# In a chroot "/" is no mount point and can't be made private; then the
		# mounts below are undone by hand (world_leave).
		unshare -m --propagation private true 2>/dev/null || propagation=unchanged
		rm -rf "$T_DIR"
		PB_WORLD=$$ exec unshare -m --propagation "$propagation" -- "$BASH" "$0" "$@"
	fi

	[ -d /sys/fs/bpf ] || mount -t sysfs sysfs /sys || t_die "no sysfs"
	mount -t bpf bpf /sys/fs/bpf || t_die "no bpffs"
	mkdir -p /run/netns
	mount -t tmpfs tmpfs /run/netns || t_die "no tmpfs on /run/netns"
	world_entered=1
}

world_leave()
{
	[ -n "${world_entered:-}" ] || return 0
	# By name: ip has made mounts in there, one a namespace.
	world_drop
	umount -l /run/netns /sys/fs/bpf 2>/dev/null
}

# pins: what is pinned in the world's bpffs; not the iterators that some kernels put
# into each new one (maps.debug, progs.debug)
pins()
{
	find /sys/fs/bpf -mindepth 1 ! -path '/sys/fs/bpf/*.debug'
}

# world_pair: two network namespaces and a wire.
#
#	A, the protected host              B, the client
#	v0  10.9.0.1/24  fd09::1/64  ----  v1  10.9.0.2/24  fd09::2/64
world_pair()
{
	local ns

	[ -n "${world_entered:-}" ] || t_die "world_pair needs world_enter"
	NS_A=pbA-$T_NAME-$$ NS_B=pbB-$T_NAME-$$
	A4=10.9.0.1 A6=fd09::1 B4=10.9.0.2 B6=fd09::2
	export NS_A NS_B A4 A6 B4 B6
	mkdir -p "$PB_SERVERS"

	for ns in "$NS_A" "$NS_B"; do
		ip netns add "$ns" || t_die "no network namespace $ns"
		# Addresses are to be usable at once, link-local ones included. (Where there
		# is no IPv6, the addresses below say so.)
		echo 0 | in_ns "$ns" tee /proc/sys/net/ipv6/conf/all/accept_dad \
			/proc/sys/net/ipv6/conf/default/accept_dad >/dev/null 2>&1
		# Refusals are to come at once, and all of them.
		echo 0 | in_ns "$ns" tee /proc/sys/net/ipv4/icmp_ratelimit \
			/proc/sys/net/ipv6/icmp/ratelimit >/dev/null 2>&1
		in_ns "$ns" ip link set lo up || t_die "no lo in $ns"
	done
	world_wire v0 v1 "$A4/24" "$A6/64" "$B4/24" "$B6/64"
}

# world_wire DEV-A DEV-B [A4 A6 B4 B6]: a veth pair between A and B, up, with addresses
world_wire()
{
	local dev_a=$1 dev_b=$2
	shift 2

	ip link add "$dev_a" netns "$NS_A" type veth peer name "$dev_b" netns "$NS_B" ||
		t_die "no veth pair $dev_a $dev_b"
	if [ $# -eq 4 ]; then
		{
			in_ns "$NS_A" ip addr add "$1" dev "$dev_a" &&
				in_ns "$NS_A" ip addr add "$2" dev "$dev_a" nodad &&
				in_ns "$NS_B" ip addr add "$3" dev "$dev_b" &&
				in_ns "$NS_B" ip addr add "$4" dev "$dev_b" nodad
		} || t_die "no addresses on $dev_a $dev_b"
	fi
	in_ns "$NS_A" ip link set "$dev_a" up || t_die "$dev_a does not come up"
	in_ns "$NS_B" ip link set "$dev_b" up || t_die "$dev_b does not come up"
}

world_drop()
{
	local ns
	for ns in /run/netns/*; do
		[ ! -e "$ns" ] || ip netns del "${ns##*/}" 2>/dev/null
	done
}

# Not by `ip netns exec`: that mounts a new /sys, which hides bpffs. Nor by `ip -n`, which
# does the same behind the scenes and fails in a chroot.
in_ns()
{
	local ns=$1
	shift
	nsenter --net="/run/netns/$ns" "$@"
}

in_a()
{
	in_ns "$NS_A" "$@"
}

in_b()
{
	in_ns "$NS_B" "$@"
}

# --- traffic -------------------------------------------------------------------------

PEER=$TOP/tests/net/peer.py
# A socket of each server, by which it says that it has answered all
PB_SERVERS=$T_DIR/servers
export PB_SERVERS

# serve WHERE PEER-OPTIONS...: echo servers in WHERE (in_a, in_b) until the test ends,
# for IPv4 and IPv6; returns when they listen. `serve in_a --tcp 22,23 --udp 53`
serve()
{
	local where=$1
	shift
	bg "$where" "$PYTHON" "$PEER" serve --v6 "$@"
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT" # an emulated machine takes its time
	grep -q '^ready$' "$BG_OUT" || t_die "serve $*: $(tail -n 1 "$BG_OUT")"
}

# speaks PROTO: the kernel has it (SCTP may be a module that is not there, UDP-Lite is
# gone from new kernels)
speaks()
{
	"$PYTHON" "$PEER" speaks "$1"
}

ready_or_gone()
{
	gone "$1" || grep -q '^ready$' "$2"
}

# answers PROTO ADDR PORT [PEER-OPTIONS...]: B, or who CLIENT names (in_a), gets an
# answer; and the exchange is over, with all its packets
answers()
{
	"${CLIENT:-in_b}" "$PYTHON" "$PEER" ask "$@"
}

# silent PROTO ADDR PORT [PEER-OPTIONS...]: B hears nothing at all; a refusal is an
# answer of the host's stack, and so no silence. A ping goes behind the question, on the
# same way: when it is back, there is nothing to wait for.
silent()
{
	local status
	"${CLIENT:-in_b}" "$PYTHON" "$PEER" ask "$@" --now
	status=$?
	[ "$status" -eq 2 ]
}
