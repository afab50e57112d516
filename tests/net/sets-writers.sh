#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Eight write to the same sets, and are killed at any moment: what was acknowledged is there, what was taken out is not,
# the sets can be used, and no memory stays behind.

. "$(dirname "$0")/../lib.sh"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

rounds=${PB_ROUNDS:-12}
in_a "$PB" load v0 >/dev/null
for name in bans spare; do in_a "$PB" set create $name --max 4194304 >/dev/null; done
in_a "$PB" rule add drop from @bans >/dev/null
export PB T_DIR rounds

# A writer adds, and takes out every third; each is acknowledged before the next. What it was killed in is unknown.
cat >writer <<'EOF'
for ((i = 0; ; i++)); do
	a=10.$1.$((i / 256 % 256)).$((i % 256)); echo "try $a" >>said.$1
	"$PB" set add bans "$a" >/dev/null && echo "add $a" >>said.$1 || exit
	((i % 3)) || { "$PB" set del bans "$a" >/dev/null && echo "del $a" >>said.$1; } || exit
done
EOF
# Another streams: an element counts when it was read, so those of a list that is whole are all there.
cat >streamer <<'EOF'
for ((i = 1; ; i++)); do
	seq -f "2001:db8:$1:$i::%.0f" 1 20 | "$PB" set add bans - >/dev/null && echo "$i" >>streamed.$1 || exit
done
EOF
# And this one does what makes tables anew.
cat >maker <<'EOF'
"$PB" set destroy more >/dev/null 2>&1 # of one that was killed: after a swap it has the other's limits
seq 0 30000 | awk '{ print "172." 16 + int($1 / 65536) "." int($1 / 256) % 256 "." $1 % 256 }' >big.list
for ((i = 0; ; i++)); do
	"$PB" set load spare big.list >/dev/null && "$PB" set create more >/dev/null && "$PB" set add more 192.0.2.1 >/dev/null &&
		"$PB" set swap spare more >/dev/null && "$PB" set destroy more >/dev/null && "$PB" set flush spare >/dev/null || exit
	echo made >>made
done
EOF

# start SCRIPT NUMBER: in a session of its own, so that all of it can be killed
start()
{
	setsid nsenter --net="/run/netns/$NS_A" bash "$1" "$2" 2>>errors &
	pids[$2]=$!
	wait_for 60 kill -0 -- "-${pids[$2]}" # the session is its own
}
# What was tried and acknowledged, in all.
words() { cat said.* all.* 2>/dev/null | wc -l; }
# shellcheck disable=SC2317 # called by wait_for
grown() { [ "$(words)" -gt $((before + 20)) ]; }
pids=()
for n in 1 2 3 4 5; do start writer $n; done
for n in 6 7; do start streamer $n; done
start maker 8
wait_for 60 test -s said.5
for ((round = 0; round < rounds; round++)); do
	# The one that makes tables anew each third time.
	((round % 3)) && n=$((RANDOM % 7 + 1)) || n=8
	before=$(words)
	wait_for 60 grown
	kill -KILL -- "-${pids[n]}" 2>/dev/null
	wait "${pids[n]}" 2>/dev/null
	case $n in
	[1-5]) cat "said.$n" >>"all.$n" && : >"said.$n" ;;
	esac
	case $n in [1-5]) script=writer ;; [67]) script=streamer ;; *) script=maker ;; esac
	start $script "$n"
done
for pid in "${pids[@]}"; do kill -KILL -- "-$pid" 2>/dev/null; done
wait "${pids[@]}" 2>/dev/null
in_a "$PB" set destroy more >/dev/null 2>&1

t_ok 'the set can be used' in_a "$PB" set add bans 192.0.2.77
t_ok 'and is in force' in_a "$PB" set test bans 192.0.2.77
in_a "$PB" set list bans | awk 'NR > 2 { print $1 }' | sort >there
# The last word on each address, but for those that a writer was killed in.
"$PYTHON" - >verdict <<'EOF'
import collections, glob
there = set(open("there").read().split())
state = collections.OrderedDict()
for number in range(1, 6):
    lines = []
    for name in ("all.%d" % number, "said.%d" % number):
        try:
            lines += open(name).read().split("\n")
        except FileNotFoundError:
            pass
    words = [line.split() for line in lines if len(line.split()) == 2]
    for at, (word, address) in enumerate(words):
        if word == "try":
            state[address] = None
        else:
            state[address] = word
            # The third ones are deleted next: where that was not acknowledged it may be done or not.
            if word == "add" and int(address.rsplit(".", 2)[1]) * 256 + int(address.rsplit(".", 1)[1]) in range(0, 65536, 3):
                state[address] = None
lost = [a for a, word in state.items() if word == "add" and a not in there]
stays = [a for a, word in state.items() if word == "del" and a in there]
print(len(lost), len(stays), sum(word is not None for word in state.values()))
for address in (lost + stays)[:5]:
    print(address)
EOF
t_note "$(cat verdict)"
t_is 'acknowledged: none is lost, none has stayed' '0 0' "$(head -n 1 verdict | cut -d ' ' -f 1,2)"
t_ok 'of many' test "$(head -n 1 verdict | cut -d ' ' -f 3)" -gt "$rounds"
missing=0
for n in 6 7; do
	while read -r i; do
		[ "$(grep -c "^2001:db8:$n:$i:" there)" -eq 20 ] || missing=$((missing + 1))
	done < <(cat streamed.$n 2>/dev/null | sort -nu)
done
t_is 'streams that ended are there' 0 $missing
t_is 'list and test agree' "$(shuf -n 20 --random-source=there there | sort | wc -l)" \
	"$(shuf -n 20 --random-source=there there | while read -r a; do in_a "$PB" set test bans "${a%%/*}" >/dev/null && echo y; done | wc -l)"

# Whole sets: before or after each of what the last maker did to it, and nothing between.
spare=$(in_a "$PB" set list spare | awk 'NR > 2' | wc -l)
t_ok 'a set that was loaded, exchanged and flushed is one of these' grep -qx "$spare" <<<$'0\n1\n30001'
t_is 'no writer has failed but by a kill' '' "$(cat errors)"

# What the killed have left behind goes with the next tables: as many segments as elsewhere.
# Other tests may be at work: those of theirs end with them, and what comes now is not ours.
all_segments() { bpftool map list | sed -nE 's/^([0-9]+):.* name pb_segment[46].*/\1/p' | sort; }
# shellcheck disable=SC2317 # called by wait_for
few_stay() { [ "$(comm -12 was <(all_segments) | wc -l)" -le 6 ]; }
in_a "$PB" set flush bans >/dev/null
in_a "$PB" set flush spare >/dev/null
in_a "$PB" set add bans 192.0.2.1,2001:db8::1 >/dev/null
in_a "$PB" set flush spare >/dev/null
all_segments >was
t_ok 'there are segments' test -s was
t_ok 'no segments are left behind' wait_for 900 few_stay
t_ok 'unload' in_a "$PB" unload v0
t_done
