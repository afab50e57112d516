# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of fleets: the real etcd, in a namespace of the test's own.

ETCD_PATH=$("$TOP/tests/net/etcd" 2>/dev/null) || t_skip_all "no etcd here: tests/net/etcd fetches Debian's"
PATH=$PATH:$ETCD_PATH
export ETCD_PID='' ETCDCTL_API=3 ETCD_LOG_LEVEL=error ETCD_LOGGER=zap

# etcd_start WHERE NAME ADDRESS [OPTION...]: one member, with its data in T_DIR; ETCD_PID is its process. WHERE is in_a,
# in_b or a network namespace.
etcd_start()
{
	local place=("$1") name=$2 address=$3
	case $1 in
	in_a | in_b) ;;
	*) place=(nsenter --net="/run/netns/$1") ;;
	esac
	shift 3
	bg "${place[@]}" etcd --name "$name" --data-dir "$T_DIR/etcd.$name" \
		--listen-client-urls "http://$address:2379" --advertise-client-urls "http://$address:2379" \
		--listen-peer-urls "http://$address:2380" --initial-advertise-peer-urls "http://$address:2380" \
		--initial-cluster "$name=http://$address:2380" --unsafe-no-fsync "$@"
	ETCD_PID=$BG_PID
}

# etcd_answers WHERE [OPTION...]: its health, by etcdctl's options
etcd_answers()
{
	local where=$1
	shift
	"$where" etcdctl "$@" endpoint health --command-timeout=2s
}
