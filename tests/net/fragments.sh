#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Datagrams that the kernel cuts into fragments, and frames with more headers than are
# looked at: what becomes of them by the settings `fragments` and `unparsable`, and how
# they are counted.
# shellcheck disable=SC2317 # functions are called by t_ok

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 53 --udp 53,54

# whole ADDR PORT SIZE: a datagram of that size is sent by B and comes back whole
whole()
{
	answers udp "$1" "$2" --size "$3"
}

# lost ADDR PORT SIZE: nothing comes back
lost()
{
	silent udp "$1" "$2" --size "$3"
}

# count_of OUTCOME KEY: of v0
count_of()
{
	in_a "$PB" status -j v0 | json "d['interfaces'][0]['outcomes']['$1']['$2']"
}

# outcomes_are NAME OUTCOME PACKETS [BYTES]: since the last reset; the world is quiet, but
# for neighbour discovery, which has no ports
outcomes_are()
{
	t_is "$1: counted as $2" "$3" "$(count_of "$2" packets)"
	[ $# -lt 4 ] || t_is "$1: with all bytes" "$4" "$(count_of "$2" bytes)"
}

reset()
{
	"$PB" rule reset >/dev/null || t_die 'rule reset does not work'
}

# 4000 bytes over an MTU of 1500: three fragments. UDP's 8 bytes are in the first; the
# later ones carry what is left of 4008 after HEADS, and a header of HEAD bytes each.
check_fragments()
{
	local name=$1 addr=$2 head=$3 first=$4
	local later=$((2 * (14 + head) + 4008 - first))

	"$PB" rule flush >/dev/null
	t_ok "$name: fragments pass" "$PB" fragments pass
	reset
	t_ok "$name: pass: a large datagram comes back" whole "$addr" 53 4000
	outcomes_are "$name: pass: the first fragment" pass 1 $((14 + head + first))
	outcomes_are "$name: pass: the others" fragment 2 $later

	t_ok "$name: rule for the other port" "$PB" rule add 54/udp
	t_ok "$name: a large datagram to 53 comes back" whole "$addr" 53 4000
	t_ok "$name: a rule meets the first fragment" "$PB" rule add 53/udp
	reset
	t_ok "$name: a large datagram is lost" lost "$addr" 53 4000
	outcomes_are "$name: blocked: the first fragment" drop-rule 1 $((14 + head + first))
	outcomes_are "$name: blocked: the others" fragment 2 $later

	"$PB" rule flush >/dev/null
	t_ok "$name: fragments drop" "$PB" fragments drop
	reset
	t_ok "$name: drop: a large datagram is lost" lost "$addr" 53 4000
	outcomes_are "$name: drop: the first fragment" pass 1 $((14 + head + first))
	outcomes_are "$name: drop: the others" fragment 2 $later
	t_ok "$name: drop: a small one comes back" whole "$addr" 53 1000
	t_ok "$name: drop: tcp answers" answers tcp "$addr" 53
	outcomes_are "$name: drop: of those, none" fragment 2
	t_ok "$name: fragments pass again" "$PB" fragments pass
	t_ok "$name: and a large datagram comes back" whole "$addr" 53 4000
}

# frame SHAPE: send a frame of the conformance table from v1, and say whether it got past
# the filter of v0. Behind it comes another that always does: who waits for that has
# waited long enough.
frame()
{
	in_a "$PYTHON" -B -c '
import ctypes, os, socket, sys, time
sys.path.insert(0, os.environ["TOP"] + "/tests/prog")
from shapes import SHAPES

END = b"\x02" * 12 + b"\x88\xb5" + b"the end".ljust(50, b".")
frame = [shape.frame for shape in SHAPES if shape.name == sys.argv[1]][0]
everything = socket.htons(3)
there = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, everything)
there.bind(("v0", 3))
there.settimeout(120)
libc = ctypes.CDLL(None, use_errno=True)
with open("/run/netns/" + os.environ["NS_B"]) as namespace:
    if libc.setns(namespace.fileno(), 0):
        sys.exit(os.strerror(ctypes.get_errno()))
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as here:
    here.bind(("v1", 0))
    here.send(frame)
    here.send(END)
arrived = "lost"
while True:
    data = there.recv(65536)
    if data == END:
        break
    # The kernel takes a tag out before anybody sees the frame.
    if data.endswith(frame[18:]):
        arrived = "arrived"
print(arrived)' "$1"
}

check_unparsable()
{
	local name=$1 shape wanted

	for wanted in drop pass drop; do
		t_ok "$name: unparsable $wanted" "$PB" unparsable $wanted
		reset
		for shape in tags-5 ipv6-9-headers ipv6-9th-later; do
			t_is "$name: $wanted: $shape" "${wanted/#drop/lost}" \
				"$(frame $shape | sed 's/arrived/pass/')"
		done
		outcomes_are "$name: $wanted: all of them" unparsable 3
	done
	# One header less, and the ports are found.
	reset
	for shape in tags-4 ipv6-8-headers; do
		t_is "$name: $shape passes" arrived "$(frame $shape)"
	done
	outcomes_are "$name: one header less" unparsable 0
	t_ok "$name: rule for their port" "$PB" rule add 80/tcp
	for shape in tags-4 ipv6-8-headers; do
		t_is "$name: $shape is dropped by its port" lost "$(frame $shape)"
	done
	outcomes_are "$name: by their port" drop-rule 2
}

# MTU 1500, so a fragment holds 1480 bytes of IPv4, and 1448 of IPv6 and its header.
for mode in native skb; do
	t_ok "$mode: load" in_a "$PB" load -m $mode v0
	check_fragments "$mode v4" "$A4" 20 1480
	check_fragments "$mode v6" "$A6" 48 1448
	check_unparsable "$mode"
	t_ok "$mode: unload" in_a "$PB" unload v0
done
t_done
