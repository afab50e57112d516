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

pairs=${PB_PAIRS:-10000} seed=${PB_SEED:-$RANDOM$RANDOM}
t_note "PB_SEED=$seed"
sets() { for set in a b c d e rest; do echo "set $set max 200000"; done; }

# judged NAME WORD...: changes and packets, of a ruleset that is loaded
judged()
{
	local name=$1 dropped
	shift
	t_ok "$name: $pairs changes and packets" in_a "$JUDGE" default "$pairs" "$seed" "$@"
	t_note "$T_OUT"
	dropped=$(sed -n 's/.* dropped \([0-9]*\) .*/\1/p' <<<"$T_OUT")
	t_ok "$name: none is judged otherwise" grep -q "^pairs $pairs wrong 0 " <<<"$T_OUT"
	t_ok "$name: a tenth and more are dropped" test "$dropped" -gt $((pairs / 10))
	t_ok "$name: but not nine in ten" test "$dropped" -lt $((pairs * 9 / 10))
}

# What judge_sets.c knows, the one that wins first: sets count as a single host, so they are before prefixes.
{
	sets
	echo 'drop tcp dport 1 from @a'
	echo 'allow tcp dport 1 from @e'
	echo 'drop tcp dport 2 from @b except @c'
	echo 'drop from @d except @e'
	echo 'drop tcp dport 2 from 10.1.0.0/16 except @c'
	echo 'allow tcp dport 2 from 10.0.0.0/8'
	echo 'drop tcp dport 2 from 0.0.0.0/0'
} >"$T_DIR/sets.rules"
t_ok 'load' in_a "$PB" load v0 --rules "$T_DIR/sets.rules"
judged 'many rules'
t_ok 'unload' in_a "$PB" unload v0

# A port with one rule and nothing else goes the quick way (lib/bpf/plain-sets.h), which asks tables of one segment
# otherwise than larger ones.
{
	sets
	echo 'drop tcp dport 1 from @a except @e'
	echo 'drop tcp dport 2 from @b,@d'
} >"$T_DIR/plain.rules"
"$PYTHON" - >"$T_DIR/rest" <<'END'
for i in range(60000):
    print(f"172.{16 + (i >> 14)}.{i >> 6 & 255}.{i & 63}\nfd00::{i:x}")
END
t_ok 'load, a rule a port' in_a "$PB" load v0 --rules "$T_DIR/plain.rules"
judged 'one segment' plain
t_ok 'unload' in_a "$PB" unload v0
t_ok 'load once more' in_a "$PB" load v0 --rules "$T_DIR/plain.rules"
t_ok 'many more elements' in_a "$PB" set load rest "$T_DIR/rest"
judged 'many segments' plain
t_ok 'unload' in_a "$PB" unload v0
t_done
