#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sets against a naive list: random changes (elements added, renewed, deleted, expired; sets replaced and
# exchanged; tables that grow), and after each a packet that the loaded program judges. PB_PAIRS says how
# many of these pairs, PB_SEED from where on.

. "$(dirname "$0")/../lib.sh"
JUDGE=$TOP/build/tests/net/judge_sets
[ -x "$JUDGE" ] || t_die "no $JUDGE: make prog-tests comes first"
world_enter "$@"
world_pair

pairs=${PB_PAIRS:-30000} seed=${PB_SEED:-$RANDOM$RANDOM}
t_note "PB_SEED=$seed"
# What judge_sets.c knows, the one that wins first: sets count as a single host, so they are before prefixes.
{
	for set in a b c d e; do echo "set $set max 200000"; done
	echo 'drop tcp dport 1 from @a'
	echo 'allow tcp dport 1 from @e'
	echo 'drop tcp dport 2 from @b except @c'
	echo 'drop from @d except @e'
	echo 'drop tcp dport 2 from 10.1.0.0/16 except @c'
	echo 'allow tcp dport 2 from 10.0.0.0/8'
	echo 'drop tcp dport 2 from 0.0.0.0/0'
} >"$T_DIR/sets.rules"
t_ok 'load' in_a "$PB" load v0 --rules "$T_DIR/sets.rules"
t_ok "$pairs changes and packets" in_a "$JUDGE" default "$pairs" "$seed"
t_note "$T_OUT"
dropped=$(sed -n 's/.* dropped \([0-9]*\) .*/\1/p' <<<"$T_OUT")
t_ok 'none is judged otherwise' grep -q "^pairs $pairs wrong 0 " <<<"$T_OUT"
t_ok 'a tenth and more are dropped' test "$dropped" -gt $((pairs / 10))
t_ok 'but not nine in ten' test "$dropped" -lt $((pairs * 9 / 10))
t_ok 'unload' in_a "$PB" unload v0
t_done
