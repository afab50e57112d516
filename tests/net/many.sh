#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many interfaces: more than 256 in one command, and lists of them while others come and go.
#
# Took 3 to 7 minutes on two cores shared with much other work.
# timeout: 1500

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

# Pairs of devices, both ends in A: m0 to m259.
for ((i = 0; i < 260; i += 2)); do
	echo "link add m$i type veth peer name m$((i + 1))"
done >pairs
in_a ip -batch pairs || t_die 'no 260 devices'
mapfile -t names < <(for ((i = 0; i < 260; i++)); do echo "m$i"; done)

# listed: how many interfaces status lists, and how many names they have
listed()
{
	in_a "$PB" status -j | json '[len(d["interfaces"]), len(set(i["name"] for i in d["interfaces"]))]'
}

# carrying: how many devices carry a program, as the kernel says
carrying()
{
	in_a ip link show | grep -c prog/xdp
}

t_ok 'load 260 interfaces' in_a "$PB" load "${names[@]}"
t_is 'a line each' 260 "$(grep -c ': loaded in' <<<"$T_OUT")"
t_is 'the kernel has a program on each' 260 "$(carrying)"
t_is 'status lists each once' '[260, 260]' "$(listed)"
t_is 'status of all by name' 260 "$(in_a "$PB" status -j "${names[@]}" | json 'len(d["interfaces"])')"
# The kernel verifies a program for each, which takes most of a minute: an upgrade of all is drawn.
if [ "$(amount 1 $((RANDOM % 2)))" = 1 ]; then
	before=$(in_a "$PB" status -j | json '[i["program_id"] for i in d["interfaces"]]')
	t_ok 'upgrade --all' in_a "$PB" upgrade --all
	t_is 'a line each, again' 260 "$(grep -c ': upgraded' <<<"$T_OUT")"
	t_is 'each has a new program' 260 "$(in_a "$PB" status -j |
		json "len(set(i['program_id'] for i in d['interfaces']) - set($before))")"
else
	t_skip 'upgrade --all' 'every other run has it, and tests/run --all'
fi
refused 'one twice' 2 "'m7' and 'm7' are the same" in_a "$PB" unload "${names[@]}" m7
t_ok 'unload --all' in_a "$PB" unload --all
t_is 'a line for each' 260 "$(grep -c ': unloaded' <<<"$T_OUT")"
t_is 'no program is left' 0 "$(carrying)"
t_is 'no pin is left' '' "$(our_pins)"

# --- while others come and go ----------------------------------------------------------------

# As if the device VANISH had gone after its name was read.
cat >vanish.c <<'SOURCE'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

char *if_indextoname(unsigned int index, char *name)
{
	char *(*real)(unsigned int, char *) = dlsym(RTLD_NEXT, "if_indextoname");

	if (!real(index, name))
		return NULL;
	if (strcmp(name, getenv("VANISH")))
		return name;
	errno = ENXIO;
	return NULL;
}
SOURCE
t_ok 'make a device vanish' "${CC:-cc}" -shared -fPIC -o vanish.so vanish.c
t_ok 'load three' in_a "$PB" load m0 m4 m8
# Of the index that follows that of a loaded one, and of a loaded one.
in_a ip -o link show | sed -nE 's/^[0-9]+: (m[0-9]+)@.*/\1/p' >order
after=$(grep -A 1 -x m4 order | tail -n 1)
t_is "$after vanishes: nothing is told twice" '["m0", "m4", "m8"]' \
	"$(VANISH=$after LD_PRELOAD=$PWD/vanish.so in_a "$PB" status -j |
		json 'sorted(i["name"] for i in d["interfaces"])')"
t_is 'm4 vanishes: the others are told' '["m0", "m8"]' \
	"$(VANISH=m4 LD_PRELOAD=$PWD/vanish.so in_a "$PB" status -j |
		json 'sorted(i["name"] for i in d["interfaces"])')"

cat >comes-and-goes <<'SCRIPT'
while :; do
	for ((i = 20; i < 260; i += 20)); do
		ip link del "m$i"
		ip link add "m$i" type veth peer name "m$((i + 1))"
	done
done
SCRIPT
bg in_a "$BASH" ./comes-and-goes
for ((i = 0; i < 30; i++)); do
	in_a "$PB" status -j | json '" ".join(sorted(i["name"] for i in d["interfaces"]))'
done 2>&1 | sort | uniq -c | sed 's/^ *//' >seen
t_ok 'they came and went all the time' kill -0 "$BG_PID"
bg_stop "$BG_PID"
t_is 'of 30 lists each had the three, once' '30 m0 m4 m8' "$(cat seen)"

bg in_a "$BASH" ./comes-and-goes
t_ok 'unload --all meanwhile' in_a "$PB" unload --all
bg_stop "$BG_PID"
t_is 'took off those three' 3 "$(grep -c ': unloaded' <<<"$T_OUT")"
t_is 'no program is left in the end' 0 "$(carrying)"
t_is 'no pin is left in the end' '' "$(our_pins)"
t_done
