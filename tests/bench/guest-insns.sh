#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/bench/insns): measures where a nanosecond is an instruction.
#
#	guest-insns.sh BUILD CASES [DISPATCHED-CASES [PART-CASES CHAINED-PROGRAM[:RULES]...]]
#
# PART-CASES may be empty, for none.
set -eu

packets=$1/bench_packets
# Ten thousand runs take less time than lies between two ticks of the clock, so that the best of
# five rounds has none in it.
rounds=(--rounds 5 --repeat 10000)

[ -z "${PB_NATIVE_MODULE:-}" ] || insmod "$PB_NATIVE_MODULE"
echo "kernel $(uname -r)"
"$packets" "${rounds[@]}" "$2"
[ $# -gt 2 ] || exit 0
# Under libxdp's dispatcher it is that which is run: the kernel has no test run for what it calls.
mount -t bpf bpf /sys/fs/bpf
ip link add v0 type veth peer name v1
echo dispatched
"$packets" "${rounds[@]}" --dispatcher v0 "$3"
[ $# -gt 3 ] || exit 0
if [ -n "$4" ]; then
	echo parts
	"$packets" "${rounds[@]}" "$4"
fi
echo chained
"$1/bench_chain" "${rounds[@]}" v0 "${@:5}"
