#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# An ordinary user, on a bpffs that is open to all (mode 1777, what `mount -t bpf bpf DIR` makes):
# he may be there first, and stands in nobody's way for longer than it takes to say what to do.
# And who may listen: one monitor a ring, wherever it runs.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
command -v flock >/dev/null || t_skip_all 'needs flock'
world_enter "$@"
world_pair
mount -t bpf -o mode=1777 bpf /sys/fs/bpf || t_die 'no bpffs'
BPFFS=/sys/fs/bpf

# user COMMAND...: an ordinary one
user()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
}

# Whoever waits for a lock, or goes round in a loop, never says it.
PATIENCE=(timeout -s KILL 120)
COMMANDS=('load v0' 'load v0 --rules /dev/null' 'unload v0' 'unload --all' 'upgrade v0'
	'doctor --fix' 'rule list' 'rule add 23/tcp' 'rule del 1' 'rule flush' 'rule reset' 'policy deny'
	'save' 'apply /dev/null' 'confirm' 'rollback' 'stats' 'monitor' 'top')

# refuse NAME REGEX: all of them
refuse()
{
	local command
	for command in "${COMMANDS[@]}"; do
		# shellcheck disable=SC2086 # words
		t_fail "$1: $command" 1 "$2" in_a "${PATIENCE[@]}" "$PB" $command
	done
}

# holds PATH: the user takes its lock until `release`
holds()
{
	# shellcheck disable=SC2016
	bg setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all bash -c \
		'exec 9<"$0" && flock 9 && exec sleep infinity' "$1"
	HOLDER=$BG_PID
	wait_for 60 locked "$1"
}
locked()
{
	! flock -n "$1" true
}
release()
{
	bg_stop "$HOLDER"
}

# works NAME: what load and the others do, once the advice was followed
works()
{
	t_ok "$1: load" in_a "${PATIENCE[@]}" "$PB" load v0
	t_ok "$1: rule add" "${PATIENCE[@]}" "$PB" rule add 22/tcp
	t_ok "$1: unload" in_a "${PATIENCE[@]}" "$PB" unload v0
	t_is "$1: nothing is left" '' "$(our_pins)"
}

works 'undisturbed'

# --- he was there first ---------------------------------------------------------------------------

user mkdir "$PINS" || t_die 'no folder'
t_ok 'the user has the lock' holds "$PINS"
refuse 'his folder' "$PINS belongs to user 65534.*rm -r $PINS.*chmod 0700 $BPFFS"
t_fail 'his folder: doctor says it' 1 "problem .*$PINS belongs to user 65534" in_a "${PATIENCE[@]}" "$PB" doctor
release
rm -r "$PINS"
works 'his folder: removed'

for target in /nowhere "$PINS" "$T_DIR" "$BPFFS"; do
	user ln -s "$target" "$PINS" || t_die 'no link'
	refuse "his link to $target" "$PINS is no folder.*rm $PINS.*chmod 0700 $BPFFS"
	rm "$PINS"
done
works 'his link: removed'

# --- libxdp's folder ------------------------------------------------------------------------------

t_ok 'load' in_a "$PB" load v0
rm -r "$BPFFS/xdp"
user mkdir "$BPFFS/xdp" || t_die 'no folder'
t_ok "the user has libxdp's lock" holds "$BPFFS/xdp"
for command in 'load v0' 'unload v0' 'unload --all' 'status v0' 'upgrade v0' 'doctor --fix'; do
	# shellcheck disable=SC2086 # words
	t_fail "libxdp's folder is his: $command" 1 "$BPFFS/xdp belongs to user 65534.*rm -r $BPFFS/xdp" \
		in_a "${PATIENCE[@]}" "$PB" $command
done
release
rm -r "$BPFFS/xdp"
t_ok "libxdp's folder is removed: unload" in_a "${PATIENCE[@]}" "$PB" unload v0
works "libxdp's folder is removed"
t_is "libxdp's folder is closed to others" '700 0' "$(stat -c '%a %u' "$BPFFS/xdp")"

# --- root's own folder ----------------------------------------------------------------------------

t_ok 'load' in_a "$PB" load v0
t_is 'our folders are closed to others' $'700\n700\n700' \
	"$(stat -c %a "$PINS" "$PINS/default" "$PINS/default/listener")"
t_fail 'the user does not get in' 2 'Permission denied' user ls "$PINS"
t_fail 'nor at the lock' 66 'Permission denied' user flock -n "$PINS" true
t_fail 'nor does he move it' 1 'not permitted' user mv "$PINS" "$BPFFS/mine"
chmod 0755 "$PINS"
t_ok 'opened to others: the user has the lock' holds "$PINS"
refuse 'opened to others' "$PINS has mode 0755.*chmod 0700 $PINS"
release
chmod 0700 "$PINS"
t_ok 'closed again' "$PB" rule add 22/tcp

# Without the sticky bit, he may move what is root's.
chmod 0777 "$BPFFS"
refuse 'bpffs is everybody'\''s' "$BPFFS, .* mode 0777.*chmod 0700 $BPFFS"
user mv "$PINS" "$BPFFS/mine" || t_die 'it can not be moved'
refuse 'bpffs is everybody'\''s, and the folder is gone' "$BPFFS, .* mode 0777.*chmod 0700 $BPFFS"
mv "$BPFFS/mine" "$PINS"
chmod 1777 "$BPFFS"
chown 65534 "$BPFFS"
refuse 'bpffs is his' "$BPFFS, .* belongs to user 65534.*chown root $BPFFS"
chown 0 "$BPFFS"
t_fail 'open, but sticky: doctor warns' 0 'warning .*open to others' in_a "$PB" doctor
t_ok 'and says what to do' grep -q "mend it by: chmod 0700 $BPFFS" <<<"$T_OUT"
chmod 0700 "$BPFFS"
t_ok 'closed: doctor' in_a "$PB" doctor
t_is 'closed: does not warn' '' "$(grep 'open to others' <<<"$T_OUT")"
t_ok 'closed: rule list' "$PB" rule list
t_is 'with the rule' '1 drop tcp dport 22' "$(rules)"

# --- pins that one may not read are not gone ------------------------------------------------------

# able COMMAND...: with what load and unload need, but not root, and no master of root's files
able()
{
	local caps=+net_admin,+sys_admin,+bpf
	in_a setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,"$caps" \
		--ambient-caps=-all,"$caps" --bounding-set=-all,"$caps" "$@"
}
if able true 2>/dev/null; then
	t_fail 'may not read the pins: status' 0 'can.t be seen' able "$PB" status v0
	t_is 'does not say that they are gone' '' "$(grep gone <<<"$T_OUT")"
	t_fail 'may not read the pins: rule list' 1 'CAP_DAC_OVERRIDE' able "$PB" rule list
	t_fail 'may not read the pins: load' 1 'CAP_DAC_OVERRIDE' able "$PB" load v0
	t_is 'does not say that they are gone, either' '' "$(grep gone <<<"$T_OUT")"
	t_fail 'may not read the pins: unload --all' 1 'CAP_DAC_OVERRIDE' able "$PB" unload --all
	t_is 'has removed none' '1 drop tcp dport 22' "$(rules)"
else
	t_skip 'may not read the pins' 'no ambient capabilities here'
fi

# --- who listens ----------------------------------------------------------------------------------

# listening: does the program report?
listening()
{
	bpftool -j map dump pinned "$PINS/default/pb_config" |
		json 'd[0]["formatted"]["value"]["listening"]'
}
is_listening()
{
	[ "$(listening)" -gt 0 ]
}

# An abstract socket was the lock once: any user could bind it first, and two network namespaces
# had one each, of one ring.
id=$(bpftool -j map show pinned "$PINS/default/pb_config" | json 'd["id"]')
bg in_a setpriv --reuid=65534 --regid=65534 --clear-groups "$PYTHON" -c '
import socket, sys, time
lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
lock.bind("\0xdp-portblock-monitor-" + sys.argv[1])
print("ready", flush=True)
time.sleep(1000000)' "$id"
wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
bg in_a "$PB" monitor
first=$BG_PID first_out=$BG_OUT
t_ok 'a user who has the name of the old lock is not in the way' wait_for 60 is_listening
t_fail 'a second monitor' 1 'another monitor listens' in_a "${PATIENCE[@]}" "$PB" monitor
t_fail 'in another network namespace' 1 'another monitor listens' in_b "${PATIENCE[@]}" "$PB" monitor
t_fail 'in another mount namespace' 1 'another monitor listens' \
	in_a unshare -m "${PATIENCE[@]}" "$PB" monitor
t_ok 'changes do not wait for it' "${PATIENCE[@]}" "$PB" rule add 7/udp
in_b "$PYTHON" "$PEER" send udp "$A4" 7
t_ok 'the first one shows a packet' wait_for 60 grep -q drop-rule "$first_out"
kill -KILL "$first"
wait "$first" 2>/dev/null
bg in_b "$PB" monitor -c 1
in_b "$PYTHON" "$PEER" send udp "$A4" 7
# shellcheck disable=SC2016
t_ok 'it is killed: the next one listens, in the other namespace' wait_for 60 \
	bash -c 'nsenter --net="/run/netns/$NS_B" "$PYTHON" "$PEER" send udp "$A4" 7
		grep -q drop-rule "$0"' "$BG_OUT"
t_ok 'and ends' wait "$BG_PID"
bg in_a "$PB" monitor
wait_for 60 is_listening
listener=$BG_PID
t_ok 'unload does not wait for it' in_a "${PATIENCE[@]}" "$PB" unload v0
wait "$listener"
t_is 'and it ends by that' 1 $?
t_is 'nothing is left' '' "$(our_pins)"

# --- LIBXDP_BPFFS, however long -------------------------------------------------------------------

long=$T_DIR
for ((i = 0; i < 12; i++)); do
	long+=/a-folder-with-a-long-name
done
mkdir -p "$long"
mount -t bpf -o mode=0700 bpf "$long" || t_die 'no second bpffs'
export LIBXDP_BPFFS=$long
t_ok "a path of ${#long} bytes: load" in_a "$PB" load v0
t_ok 'rule add' "$PB" rule add 22/tcp
t_is 'rule list' '1 drop tcp dport 22' "$(rules)"
t_is 'status' true "$(status_is v0 pinned)"
t_ok 'the pins are there' test -e "$long/xdp-portblock/default/pb_rules"
t_ok 'unload' in_a "$PB" unload v0
t_is 'nothing is left there' '' "$(find "$long/xdp-portblock" 2>/dev/null)"
umount "$long"
t_fail 'not mounted: says how, with the whole path' 1 "mount -t bpf -o mode=0700 bpf $long\`" \
	in_a "$PB" load v0
LIBXDP_BPFFS=/$(printf 'x%.0s' {1..4090})
for command in 'load v0' 'rule list' 'rule add 22/tcp' 'unload --all'; do
	# shellcheck disable=SC2086 # words
	t_fail "too long for the kernel: $command" 1 'LIBXDP_BPFFS.*4091 bytes' in_a "$PB" $command
done
unset LIBXDP_BPFFS
t_done
