#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The world around: no root, no bpffs, pins of another version or gone, and several at
# work at once.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

# --- no root ---------------------------------------------------------------------------

lacks='needs root.*CAP_NET_ADMIN.*CAP_BPF'
refused 'load without root' 1 "$lacks" nobody "$PB" load v0
t_ok 'load' in_a "$PB" load v0
t_ok 'rule add' "$PB" rule add 22/tcp
for command in 'load v0' 'load lo' 'unload v0' 'unload --all' 'status' 'status v0' \
	'rule add 23/tcp' 'rule del 1' 'rule list' 'rule flush' 'rule reset' 'policy deny'; do
	# shellcheck disable=SC2086 # words
	refused "$command without root" 1 "$lacks" nobody "$PB" $command
done
refused 'help without root' 0 '^Usage' nobody "$PB" load --help
refused 'a wrong word without root' 2 '"22abc"' nobody "$PB" rule add 22abc/tcp

# --- pins of another version -----------------------------------------------------------

# config_version N: writes it to the head of the pinned pb_config
config_version()
{
	local value
	value=$(bpftool -j map lookup pinned "$PINS/default/pb_config" key 0 0 0 0 |
		json "' '.join(str(int(x, 16)) for x in [hex($1)] + d['value'][1:])")
	# shellcheck disable=SC2086 # words
	bpftool map update pinned "$PINS/default/pb_config" key 0 0 0 0 value $value
}

other='another version of xdp-portblock.*99.*unload'
t_ok 'the maps become those of version 99' config_version 99
for command in 'rule add 23/tcp' 'rule del 1' 'rule list' 'rule flush' 'rule reset' 'policy' \
	'policy deny' 'load lo' 'load v0'; do
	# shellcheck disable=SC2086 # words
	refused "version 99: $command" 1 "$other" in_a "$PB" $command
done
refused 'version 99: status works' 0 '^v0 ' in_a "$PB" status
t_is 'version 99: status does not say that they are gone' '' "$(grep 'pins are gone' <<<"$T_OUT")"
t_ok 'the version is ours again' config_version \
	"$(sed -n 's/^#define PB_ABI_VERSION //p' "$TOP/headers/portblock/abi.h")"
t_is 'and so are the rules' '1 drop tcp dport 22' "$(rules)"
config_version 99
t_ok 'version 99: unload --all' in_a "$PB" unload --all
t_is 'version 99: takes the program off' '' "$(xdp_on v0)"
t_is 'version 99: and the pins' '' "$(our_pins)"

# --- pins that are gone ----------------------------------------------------------------

t_ok 'load once more' in_a "$PB" load v0
rm "$PINS/default/pb_ports"
refused 'a pin is gone: rule list' 1 'missing.*unload --all' "$PB" rule list
refused 'a pin is gone: load of another interface' 1 'missing.*unload --all' in_a "$PB" load lo
refused 'a pin is gone: load' 1 'v0|missing' in_a "$PB" load v0
rm -r "$PINS"
refused 'the pins are gone: status says so' 0 'pins are gone' in_a "$PB" status v0
refused 'the pins are gone: so does load' 1 'v0: already loaded, but .*pins' in_a "$PB" load v0
refused 'the pins are gone: load of two' 1 'v0: already loaded, but .*pins' in_a "$PB" load lo v0
t_ok 'the pins are gone: unload' in_a "$PB" unload v0
t_is 'takes the program off' '' "$(xdp_on v0)"
t_ok 'load works again' in_a "$PB" load v0
t_ok 'and rule add' "$PB" rule add 22/tcp

# --- no bpffs --------------------------------------------------------------------------

mount='bpffs.*mount -t bpf'
# Something else in its place, since there may be one of the host's below ours.
mount -t tmpfs tmpfs /sys/fs/bpf || t_die 'no tmpfs'
for command in 'rule list' 'rule add 23/tcp' 'rule flush' 'policy deny' 'load v0' 'load lo' \
	'unload v0' 'unload --all'; do
	# shellcheck disable=SC2086 # words
	refused "no bpffs: $command" 1 "$mount" in_a "$PB" $command
done
t_fail 'no bpffs: status does not hide the filter' 0 '^v0 |bpffs' in_a "$PB" status
t_ok 'no bpffs: the program works on' test -n "$(xdp_on v0)"
mount -t bpf bpf /sys/fs/bpf
in_a ip link set dev v0 xdp off
in_a ip link set dev lo xdp off

# --- several at once -------------------------------------------------------------------

t_ok 'load for several' in_a "$PB" load v0
# shellcheck disable=SC2317 # called by bg
add_many()
{
	local port
	for port in $(seq "$1" "$2"); do
		"$PB" rule add "$port/tcp" || return
	done
}
bg add_many 1001 1030
one=$BG_PID
bg add_many 2001 2030
two=$BG_PID
t_ok 'one adds' wait "$one"
t_ok 'another one adds' wait "$two"
t_is 'no rule is lost' 60 "$("$PB" rule list -j | json 'len({r["ports"][0] for r in d["rules"]})')"
t_is 'no id is given twice' 60 "$("$PB" rule list -j | json 'len({r["id"] for r in d["rules"]})')"
in_a "$PB" unload v0 >/dev/null

bg in_a "$PB" load v0
one=$BG_PID
bg in_b "$PB" load v1
two=$BG_PID
bg in_a "$PB" load lo
three=$BG_PID
t_ok 'three load at once' wait "$one"
t_ok 'three load at once: the second' wait "$two"
t_ok 'three load at once: the third' wait "$three"
t_ok 'a rule for all three' "$PB" rule add 22/tcp
for where in in_a in_b; do
	t_is "$where: they use one ruleset, which is pinned" '[[1, true]]' \
		"$($where "$PB" status -j | json '[list(x) for x in
			{(i["rules"], i["pinned"]) for i in d["interfaces"]}]')"
done
t_done
