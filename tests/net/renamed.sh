#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What happens to an interface behind the tool's back: renamed, deleted, its program
# taken off by others, made anew.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3
serve in_a --tcp 22,23

# --- renamed ---------------------------------------------------------------------------

t_ok 'load' in_a "$PB" load v0
t_ok 'rule add' "$PB" rule add 22/tcp
program=$(xdp_on v0)
t_ok 'rename' in_a ip link set dev v0 name w0
t_ok '22 is silent' silent tcp "$A4" 22
t_ok '23 answers' answers tcp "$A4" 23
t_is 'status has the new name' '["w0"]' \
	"$(in_a "$PB" status -j | json '[i["name"] for i in d["interfaces"]]')"
t_ok 'load by the new name: already loaded' in_a "$PB" load w0
t_is 'says so' 1 "$(grep -c '^w0: already loaded' <<<"$T_OUT")"
t_is 'the program is the same' "$program" "$(xdp_on w0)"
refused 'the old name is none' 1 "no interface 'v0'" in_a "$PB" unload v0
t_ok 'another interface takes the old name' in_a ip link set dev v2 name v0
refused 'which is not loaded' 1 'v0: .*not loaded' in_a "$PB" unload v0
t_ok 'unload by the new name' in_a "$PB" unload w0
t_is 'no program is left' '' "$(xdp_on w0)"
t_is 'no pin is left' '' "$(our_pins)"
t_ok '22 answers' answers tcp "$A4" 22
in_a ip link set dev v0 name v2
in_a ip link set dev w0 name v0

# --- the program taken off by others ---------------------------------------------------

t_ok 'load v0 and v2' in_a "$PB" load v0 v2
t_ok 'rule add again' "$PB" rule add 22/tcp
t_ok 'ip link set dev v0 xdp off' in_a ip link set dev v0 xdp off
t_is 'status does not claim it' '["v2"]' \
	"$(in_a "$PB" status -j | json '[i["name"] for i in d["interfaces"]]')"
t_ok '22 answers without it' answers tcp "$A4" 22
refused 'unload says that it is not loaded' 1 'v0: .*not loaded' in_a "$PB" unload v0
t_ok 'load brings it back' in_a "$PB" load v0
t_is 'as loaded, not as already loaded' 1 "$(grep -c '^v0: loaded' <<<"$T_OUT")"
t_is 'with the rules' '1 drop tcp dport 22' "$(rules)"
t_ok '22 is silent with it' silent tcp "$A4" 22
in_a ip link set dev v0 xdp off
in_a ip link set dev v2 xdp off
t_is 'off on all: status knows' '[]' "$(in_a "$PB" status -j | json 'd["interfaces"]')"
t_is 'off on all: the rules are there' '1 drop tcp dport 22' "$(rules)"
t_ok 'off on all: rule add works' "$PB" rule add 25/tcp
t_ok 'off on all: load' in_a "$PB" load v0
t_is 'off on all: finds the rules' $'1 drop tcp dport 22\n2 drop tcp dport 25' "$(rules)"
t_ok 'off on all: 22 is silent' silent tcp "$A4" 22
in_a ip link set dev v0 xdp off
t_ok 'off on all: unload --all' in_a "$PB" unload --all
t_is 'off on all: removes the pins' '' "$(our_pins)"

# --- deleted ---------------------------------------------------------------------------

t_ok 'load both' in_a "$PB" load v0 v2
t_ok 'rule add for both' "$PB" rule add 22/tcp
t_ok 'one is deleted' in_a ip link del v2
t_is 'status has the other' '["v0"]' \
	"$(in_a "$PB" status -j | json '[i["name"] for i in d["interfaces"]]')"
t_ok '22 is silent on it' silent tcp "$A4" 22
refused 'unload of the deleted one' 1 "no interface 'v2'" in_a "$PB" unload v2 v0
world_wire v2 v3
t_ok 'the new one of that name can be loaded' in_a "$PB" load v2
t_is 'it is no old acquaintance' 1 "$(grep -c '^v2: loaded' <<<"$T_OUT")"
t_ok 'both are deleted' in_a ip link del v2
t_ok 'both are deleted, really' in_a ip link del v0
t_is 'status has none' '[]' "$(in_a "$PB" status -j | json 'd["interfaces"]')"
world_wire v0 v1 "$A4/24" "$A6/64" "$B4/24" "$B6/64"
t_ok 'load on a new v0' in_a "$PB" load v0
t_is 'finds the rules that were left' '1 drop tcp dport 22' "$(rules)"
t_ok '22 is silent on the new v0' silent tcp "$A4" 22
t_ok 'unload' in_a "$PB" unload v0
t_is 'no pin is left of all this' '' "$(our_pins)"
t_ok '22 answers on the new v0' answers tcp "$A4" 22

t_ok 'load, a last time' in_a "$PB" load v0
in_a ip link del v0
t_ok 'unload --all after the last one is deleted' in_a "$PB" unload --all
t_is 'removes the pins' '' "$(our_pins)"
t_done
