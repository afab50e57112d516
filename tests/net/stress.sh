#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Eight processes that do everything at once, killed at random: no acknowledged change is lost,
# lists agree with tables, nothing is left. For PB_STRESS_SECONDS (20 unless said); the virtual
# machine runs it under the dispatcher, too.
#
# timeout: 1800
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3
world_wire v4 v5
export T_DIR NS_A PB

# left: programs on A's interfaces, and pins of ours and of libxdp
left()
{
	xdp_on v0
	xdp_on v2
	xdp_on v4
	our_pins | grep -vx "$PINS"
	pins | grep /dispatch-
}

t_ok 'load' in_a "$PB" load v0
take_results 'the stress' "$PYTHON" "$TOP/tests/net/stress.py"
t_ok 'unload' in_a "$PB" unload --all
t_is 'nothing is left' '' "$(left)"
t_done
