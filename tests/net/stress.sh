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
"$PYTHON" "$TOP/tests/net/stress.py" >"$T_DIR/tap"
status=$?
grep -v '^ok\|^not ok' "$T_DIR/tap"
while read -r line; do
	case $line in
	'ok '*) t_result 0 "${line#* - }" ;;
	'not ok '*) t_result 1 "${line#* - }" ;;
	esac
done <"$T_DIR/tap"
t_is 'the stress came to its end' 0 "$status"
t_ok 'unload' in_a "$PB" unload --all
t_is 'nothing is left' '' "$(left)"
t_done
