#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_delivered): what this kernel's stack delivers past our
# program, under the dispatcher where it can be. With what the host may lack: VLAN devices,
# security associations for AH.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"
. "$TOP/tests/net/delivered/world.sh"
world_enter "$@"

# What Debian's kernels have, all of them
POSSIBLE='sctp|AH|1 to 4 tags|5 tags'
# 5.10 takes the program alone only: see guest-kernels.sh.
case $(uname -r) in
5.10.*) ;;
*) LOAD_OPTIONS=--require-dispatcher ;;
esac
# See test_native.
if [ "${PB_ENGINE:-bpf}" != bpf ]; then
	with_native || exit
	LOAD_OPTIONS+=" --engine $PB_ENGINE"
fi
# Folders of the machine end with it, but for the one that is shared.
[ -z "${PB_ARTIFACTS:-}" ] || ARTIFACTS=$PB_VM_SHARE
RUN="tests/vm/boot -k ${PB_VM_NAME:-$(uname -r)} --modules '${PB_VM_MODULES:-veth}' -- $RUN"

judge_all "${PB_SEED:-$((RANDOM << 30 | RANDOM << 15 | RANDOM))}" "${PB_DELIVERED_VM:-3000}" 120 \
	'veth native drop' 'veth native deny' 'veth skb new' 'tun skb sources'
check_generator
print_figures
t_ok 'the kernel has not complained' no_complaints
t_done
