#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel is the judge: datagrams and TCP connections by chance, in fragments, extension
# headers, options and tags, to a blocked and an open port. None arrives at the blocked one;
# at the open one arrives what arrives without the filter. See delivered.c.
#
#	tests/net/delivered.sh [--seed N] [--datagrams N] [--connections N] [--only PATTERN]
#	tests/net/delivered.sh --replay FILE.pcap [--only PATTERN]
#
# Each run has another seed; a failure says how to have it again. --only names some of the
# devices, modes and rulesets, as in 'veth native drop' or 'tun*'. --replay sends a failure's
# frames without the filter and past each of them. PB_DELIVERED stands for --datagrams.
#
# Took 100 s on two cores shared with much other work; half a million takes longer.
# timeout: 3600
# shellcheck disable=SC2317 # functions are called by t_ok

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/delivered/world.sh"
world_enter "$@"

seed=$((RANDOM << 30 | RANDOM << 15 | RANDOM))
datagrams=${PB_DELIVERED:-60000}
connections=
only='*' replay=
while [ $# -gt 1 ]; do
	case $1 in
	--seed) seed=$2 ;;
	--datagrams) datagrams=$2 ;;
	--connections) connections=$2 ;;
	--only) only=$2 ;;
	--replay) replay=$(realpath "$2") ;;
	*) t_die "what is $1?" ;;
	esac
	shift 2
done
[ $# -eq 0 ] || t_die "what is $1?"
mapfile -t combinations < <(combinations_like "$only")
[ "${#combinations[@]}" -gt 0 ] || t_die "nothing is called '$only'"

# replay_past COMBINATION: what arrives of the frames without a filter, and past this one
replay_past()
{
	local status

	# shellcheck disable=SC2086 # words
	set -- "$1" $1
	world_of "$2" || return
	t_capture delivered replay --file "$replay"
	[ $? -le 1 ] || t_die "$1: $T_OUT"
	t_note "$1, without it: $T_OUT"
	# Pieces that were left over are not to be put together with others.
	world_of "$2"
	t_ok "$1: load" load_filter "$3" "$4"
	t_capture delivered replay --file "$replay"
	status=$?
	t_result $status "$1: nothing arrives at the blocked port"
	t_note "$T_OUT"
}

# check_itself: what no filter stops is seen, written, and arrives once more from the pcap
check_itself()
{
	local pcap ARTIFACTS=$T_DIR

	share=200 share_tcp=0 share_seed=$seed
	world_of veth
	t_ok 'no filter' delivered_share without
	# Others than those: what is left of them in the host would be put together with these.
	serial=$((serial + 2 * share))
	t_fail 'no filter: the blocked port is seen to be reached' 1 'datagram [0-9]+: [1-9]' \
		delivered_share with
	pcap=$(sed -nE '/^datagram [0-9]+: [1-9]/ { n; s/^pcap //p; q }' "$T_DIR/out")
	world_of veth
	t_fail 'no filter: so it is by the pcap' 1 'at the blocked port [1-9]' \
		delivered replay --file "$pcap"
}

if [ -n "$replay" ]; then
	for combination in "${combinations[@]}"; do
		replay_past "$combination"
	done
else
	check_itself
	judge_all "$seed" "$datagrams" "${connections:-$((datagrams / 25))}" "${combinations[@]}"
	# Of a few there are not all kinds.
	[ "$datagrams" -lt 10000 ] || check_generator
	print_figures
fi
t_done
