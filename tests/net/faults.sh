#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What fails inside a command: each allocation, bpf(), open(), mmap(), each question and answer of
# netlink, each thread, one at a time, and a full disk behind stdout. Whatever fails, the old or the
# new is there, as the exit status says, and there is a message: see faults.py.
#
# PB_FAULT_POINTS says how many calls of a kind fail in each command, others each time, or "all";
# PB_FAULT_COMMANDS is a pattern for their names, as in 'rule add*', PB_FAULT_KINDS some of memory,
# bpf, open, mmap, netlink and thread.
#
# timeout: 7200
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3
export T_DIR NS_A NS_B PB PB_FAULT_POINTS="${PB_FAULT_POINTS:-$(amount 4 1)}"
cd "$T_DIR" || exit 1

"$PYTHON" "$TOP/tests/net/captures.py" make ethernet packets.pcap
take_results 'the sweep' "$PYTHON" "$TOP/tests/net/faults.py"
t_done
