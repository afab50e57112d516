#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# monitor, top and `stats -i` under their filter of system calls: it is on, they do all they should, and what somebody
# asks for who has taken them over is refused. tests/preload/forbidden.c asks.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
grep -q '^HAVE_SECCOMP := yes' "$TOP/config.mk" || t_skip_all 'built without libseccomp'
world_enter "$@"
world_pair
FORBIDDEN=$TOP/build/tests/preload/forbidden.so
[ -e "$FORBIDDEN" ] || t_die "no $FORBIDDEN: make prog-tests comes first"
TRIED=$T_DIR/tried

t_ok 'load' in_a "$PB" load v0
t_ok 'rule' "$PB" rule add 9/udp
export PEER
# shellcheck disable=SC2016 # for that shell
bg in_b bash -c 'while :; do "$PYTHON" "$PEER" send udp "$A4" 9; done'

# confined COMMAND...: as it is taken over
confined()
{
	rm -f "$TRIED"
	in_a env PB_TRIED="$TRIED" LD_PRELOAD="$FORBIDDEN" "$PB" "$@"
}

# terminal COMMAND...: the same in a terminal, until it has waited and been told; then the key q
terminal()
{
	: >"$TRIED"
	# shellcheck disable=SC2016 # Python
	in_a env TERM=xterm PB_TRIED="$TRIED" PRELOAD="$FORBIDDEN" "$PYTHON" -c '
import os, pty, select, sys
child, terminal = pty.fork()
if not child:
    os.environ["LD_PRELOAD"] = os.environ.pop("PRELOAD")
    os.execvp(sys.argv[1], sys.argv[1:])
asked = False
while True:
    if select.select([terminal], [], [], 0.1)[0]:
        try:
            shown = os.read(terminal, 65536)
        except OSError:
            break
        sys.stdout.buffer.write(shown)
    with open(os.environ["PB_TRIED"]) as file:
        if not asked and "waiting:" in file.read():
            asked = os.write(terminal, b"vsq")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))' "$PB" "$@"
}

# told NAME: what it was told, before the filter and with it
told()
{
	t_is "$1: before it is confined, the kernel answers" \
		'before: execve=ENOENT clone=done ptrace=ESRCH connect=EBADF kill=done kill itself=done mkdir=EEXIST' "$(grep '^before:' "$TRIED")"
	t_is "$1: a filter is on" 2 "$(awk '/^Seccomp:/ { print $2 }' "$TRIED")"
	t_is "$1: and refuses all of it" \
		'waiting: execve=EPERM clone=EPERM ptrace=EPERM connect=EPERM kill=EPERM kill itself=done mkdir=EPERM' \
		"$(grep '^waiting:' "$TRIED")"
}

t_ok 'monitor' confined monitor -c 10
t_is 'monitor: has shown ten packets' 10 "$(grep -c drop-rule <<<"$T_OUT")"
t_ok 'monitor: and counted them' grep -q '10 packets shown' <<<"$T_OUT"
told monitor
t_ok 'monitor -j' confined monitor -c 10 -j
told 'monitor -j'
t_ok 'monitor -w' confined monitor -c 10 -w "$T_DIR/pcap"
t_is 'monitor -w: ten packets are in it' 10 "$(tcpdump -r "$T_DIR/pcap" 2>/dev/null | wc -l)"
told 'monitor -w'

t_ok 'stats -i' confined stats -i 1 -c 3
t_is 'stats -i: three readings' 3 "$(grep -c '^RULE' <<<"$T_OUT")"
t_is 'stats -i: with the interface' 3 "$(grep -c '^v0$' <<<"$T_OUT")"
told 'stats -i'
t_ok 'stats -i --prometheus -o' confined stats -i 1 -c 3 --prometheus -o "$T_DIR/metrics"
t_ok 'it has written' grep -q '^xdp_portblock_rule_packets_total' "$T_DIR/metrics"
told 'stats --prometheus'
# The access list of a file is set on the one that takes its place.
acl=0200000001000600ffffffff02000400feff000004000000ffffffff10000400ffffffff20000000ffffffff
if "$PYTHON" -c 'import os, sys
os.setxattr(sys.argv[1], "system.posix_acl_access", bytes.fromhex(sys.argv[2]))' "$T_DIR/metrics" $acl 2>/dev/null; then
	t_ok 'over a file with an access list' confined stats -i 1 -c 3 --prometheus -o "$T_DIR/metrics"
	t_is 'which keeps it' $acl "$("$PYTHON" -c 'import os, sys
print(os.getxattr(sys.argv[1], "system.posix_acl_access").hex())' "$T_DIR/metrics")"
else
	t_skip 'over a file with an access list' 'this file system has none'
fi

t_ok 'top' terminal top
t_ok 'top: has drawn its table' grep -q 'drop udp dport 9' <<<"$T_OUT"
told top

# What does not wait is not confined, and need not be.
t_ok 'one reading of stats' confined stats
t_is 'is not confined' 'end Seccomp: 0' "$(grep '^end' "$TRIED" | tr '\t' ' ')"
t_done
