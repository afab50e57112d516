#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What each command prints in JSON is what xdp-portblock-json(5) says: each key is in the page, with
# that type, and each key of the page is there.

# shellcheck disable=SC2317 # called by wait_for and documented
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"

PAGE=$TOP/man/xdp-portblock-json.5

# documented NAME SECTION COMMAND...: what it prints is what that section says
documented()
{
	local name=$1 section=$2
	shift 2
	"$@" >"$T_DIR/json" 2>"$T_DIR/stderr"
	t_ok "$name: prints JSON" test -s "$T_DIR/json"
	t_is "$name: as documented" '' "$(documents "$PAGE" "$section" <"$T_DIR/json" 2>&1)"
}

documents() { "$PYTHON" "$TOP/tests/net/documented.py" "$@"; }

# listens: a monitor does; it has ended
listens() { in_b ping -q -c 1 "$A4" >/dev/null && [ -s "$BG_OUT" ]; }
ended() { in_b ping -q -c 1 "$A4" >/dev/null; ! kill -0 "$BG_PID" 2>/dev/null; }

world_pair
documented 'no interface' status in_a "$PB" status -j
in_a "$PB" load v0 >/dev/null || t_die 'load'
documented 'rule add' 'rule add' "$PB" rule add -j 22,80-90/tcp from 192.0.2.0/24 comment x expires 1h
documented 'rule add, again' 'rule add' "$PB" rule add -j 22,80-90/tcp from 192.0.2.0/24
"$PB" rule add drop udp sport 53 except 2001:db8::/32 >/dev/null
"$PB" rule add drop tcp dport 24 over 6/m >/dev/null
"$PB" rule add drop tcp dport 24-25 over 6/m each source total 100/s >/dev/null
documented 'rule list' 'rule list' "$PB" rule list -j
"$PB" set create bans --timeout 1h --max 10 >/dev/null
"$PB" set create list >/dev/null
"$PB" set add bans 192.0.2.7,2001:db8::/32 >/dev/null
"$PB" set add bans 192.0.2.8 --timeout 0 >/dev/null
documented 'set list' 'set list' "$PB" set list -j
documented 'set list, one of them' 'set list' "$PB" set list -j bans
documented 'set test' 'set test' "$PB" set test -j bans 192.0.2.7
documented 'set test, not in it' 'set test' "$PB" set test -j bans 192.0.2.9
documented save save "$PB" save -j
for setting in policy replies fragments unparsable answers; do
	documented $setting $setting "$PB" $setting -j
	t_ok "$setting: names its setting" grep -q "\"$setting\":" "$T_DIR/json"
done
documented 'stats, twice' stats in_a "$PB" stats -j -c 2
documented 'explain, dropped' explain in_a "$PB" explain -j --port 22 --from 192.0.2.7
documented 'explain, passed' explain in_a "$PB" explain -j --port 23
documented 'explain, rates' explain in_a "$PB" explain -j --port 24
"$PYTHON" - "$T_DIR/frames.pcap" <<'END'
import struct, sys
frames = [bytes(12) + b"\x08\x00" + bytes.fromhex("45000028000040004006000001020304050607080016001600000000")
          + bytes(16)[:n] for n in (16, 12)]
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))
    for frame in frames:
        file.write(struct.pack("<IIII", 0, 0, len(frame), len(frame)) + frame)
END
documented 'explain, a capture' explain in_a "$PB" explain -j "$T_DIR/frames.pcap"
t_ok 'explain, a capture: numbers them' grep -q '"packet":2' "$T_DIR/json"
documented doctor doctor in_a "$PB" doctor -j v0
documented 'status' status in_a "$PB" status -j
"$PB" policy deny --confirm 1h >/dev/null
documented 'status, a change to be confirmed' status in_a "$PB" status -j
"$PB" rollback >/dev/null

bg in_a "$PB" monitor -j -c 3 --outcome all
t_ok 'monitor: shows packets' wait_for 60 listens
in_b "$PYTHON" "$TOP/tests/net/peer.py" ask udp "$A4" 7 --now >/dev/null 2>&1
t_ok 'monitor: ends' wait_for 60 ended
documented monitor monitor grep '^{' "$BG_OUT"

# A difference is one.
"$PB" rule list -j >"$T_DIR/rules"
for change in 's/"replies"/"reply"/' 's/"id":\([0-9]*\)/"id":"\1"/' 's/"new":false/"new":null/'; do
	t_is "changed by $change, it is noticed" yes \
		"$(sed "$change" "$T_DIR/rules" | documents "$PAGE" 'rule list' | grep -q . && echo yes)"
done
t_done
