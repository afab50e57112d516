#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sources in rules against a naive reader of the rules: random rules, changed again and again, and after each change
# packets that the loaded program judges. PB_PAIRS says how many packets, PB_SEED from where on.

. "$(dirname "$0")/../lib.sh"
JUDGE=$TOP/build/tests/net/judge_sources
[ -x "$JUDGE" ] || t_die "no $JUDGE: make prog-tests comes first"
world_enter "$@"
world_pair

changes=120 pairs=${PB_PAIRS:-60000} seed=${PB_SEED:-$RANDOM$RANDOM}
t_note "PB_SEED=$seed"
t_ok 'load' in_a "$PB" load v0 --max-sources 100000
t_ok "$changes changes, $pairs packets" in_a "$JUDGE" default $changes $((pairs / changes)) "$seed"
t_note "$T_OUT"
dropped=$(sed -n 's/.* dropped \([0-9]*\)$/\1/p' <<<"$T_OUT")
t_ok 'none is judged otherwise' grep -q '^packets [0-9]* wrong 0 ' <<<"$T_OUT"
t_ok 'a tenth and more are dropped' test "$dropped" -gt $((pairs / 10))
t_ok 'but not nine in ten' test "$dropped" -lt $((pairs * 9 / 10))
t_ok 'unload' in_a "$PB" unload v0
t_done
