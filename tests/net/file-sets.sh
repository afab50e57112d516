#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sets whose elements a file has: part of a generation, in force with the rules that came with them, and taken back
# with them; and not for `set add`.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

# sets: each set, its elements and its file without the folder, on one line
sets()
{
	"$PB" set list -j | json '" ".join("%s:%d:%s" % (s["name"], s["nr"], s["file"] and
		s["file"].replace("'"$T_DIR"'/", "")) for s in d["sets"])'
}

in_a "$PB" load v0 >/dev/null || t_die 'load'
mkdir lists
printf '%s\n' "$B4" '2001:db8::/32 # a note' >lists/hostile.txt
printf '%s\n' 'set hostile file lists/hostile.txt' 'drop tcp dport 22 from @hostile' >f.rules

# --- apply --------------------------------------------------------------------------------------

t_ok 'check' "$PB" check f.rules
t_ok 'it is not there before' answers tcp "$A4" 22
t_ok 'apply' "$PB" apply f.rules
t_is 'makes the set, with the elements of the file' 'hostile:2:lists/hostile.txt' "$(sets)"
t_ok 'which are in force' silent tcp "$A4" 22
t_ok 'for that rule alone' answers tcp "$A4" 23
t_is 'save names the file' "policy allow
set hostile file $T_DIR/lists/hostile.txt
drop tcp dport 22 from @hostile" "$("$PB" save)"
t_ok 'save to a file' "$PB" save elsewhere.rules
t_ok 'which is no difference' "$PB" diff elsewhere.rules
t_ok 'and can be applied' "$PB" apply elsewhere.rules
t_is 'to the same' 'hostile:2:lists/hostile.txt' "$(sets)"
"$PB" save -j >saved.json
t_is 'JSON has it' "[{\"name\":\"hostile\",\"timeout\":null,\"max\":4194304,\"file\":\"$T_DIR/lists/hostile.txt\"}]" \
	"$(json 'json.dumps(d["sets"], separators=(",", ":"))' <saved.json)"
t_ok 'and is a file' "$PB" apply saved.json
t_is 'of the same' 'hostile:2:lists/hostile.txt' "$(sets)"
t_ok 'in force' silent tcp "$A4" 22

# --- said ---------------------------------------------------------------------------------------

t_fail 'set list says of which file' 0 "^hostile +2 +4194304 +-  of $T_DIR/lists/hostile.txt$" "$PB" set list
t_fail 'of the one, too' 0 "^Set hostile of $T_DIR/lists/hostile.txt, elements 2 of at most 4194304, timeout -$" \
	"$PB" set list hostile
t_fail 'set test: in it' 0 "is in hostile of $T_DIR/lists/hostile.txt, by 2001:db8::/32, which" \
	"$PB" set test hostile 2001:db8::1
t_fail 'set test: not in it' 1 "is not in hostile of $T_DIR/lists/hostile.txt\." "$PB" set test hostile 192.0.2.1
t_is 'set test in JSON' "$T_DIR/lists/hostile.txt" "$("$PB" set test -j hostile 192.0.2.1 | json 'd["file"]')"
t_fail 'rule list' 0 'from @hostile' "$PB" rule list
t_fail 'explain' 0 'hostile' in_a "$PB" explain --port 22 --from "$B4"

# --- not for others -----------------------------------------------------------------------------

"$PB" set create own >/dev/null
refused()
{
	local name="set $1 is refused"
	shift
	t_fail "$name" 1 "the set 'hostile' has the elements of the file \"$T_DIR/lists/hostile.txt\": change that, and apply" \
		"$PB" set "$@"
}
refused add add hostile 192.0.2.1
refused 'add from standard input' add hostile -
refused del del hostile "$B4"
refused flush flush hostile
refused load load hostile lists/hostile.txt
refused swap swap hostile own
refused 'swap with it' swap own hostile
refused destroy destroy hostile
refused create create hostile
t_is 'and nothing has changed' 'hostile:2:lists/hostile.txt own:0:None' "$(sets)"

# --- other changes of rules leave it alone ----------------------------------------------------------

t_ok 'rule add' "$PB" rule add drop tcp dport 23 from @hostile
t_ok 'names it' silent tcp "$A4" 23
echo 192.0.2.77 >lists/hostile.txt
t_ok 'rule del' "$PB" rule del drop tcp dport 23 from @hostile
t_ok 'policy' "$PB" policy allow
t_ok 'set load of another set' "$PB" set load own lists/hostile.txt
t_ok 'set swap of others' "$PB" set swap own own
t_is 'the file was not read again' 'hostile:2:lists/hostile.txt own:1:None' "$(sets)"
t_ok 'the elements are in force still' silent tcp "$A4" 22
t_fail 'diff tells that they differ' 1 "^-set hostile file $T_DIR/lists/hostile.txt # elements less: 2$" "$PB" diff f.rules
t_fail 'and how' 1 "^\+set hostile file $T_DIR/lists/hostile.txt # elements more: 1$" "$PB" diff f.rules
t_ok 'apply' "$PB" apply f.rules
t_is 'reads it' 'hostile:1:lists/hostile.txt own:1:None' "$(sets)"
t_ok 'and takes what is not there any more out' answers tcp "$A4" 22
t_ok 'there is no difference then' "$PB" diff f.rules

# --- back ---------------------------------------------------------------------------------------

echo "$B4" >lists/hostile.txt
t_ok 'apply --confirm' "$PB" apply f.rules --confirm 1h
t_ok 'is in force' silent tcp "$A4" 22
t_ok 'rollback' "$PB" rollback
t_ok 'the old elements are back' answers tcp "$A4" 22
t_ok 'in words, too' "$PB" set test hostile 192.0.2.77
t_is 'alone' 'hostile:1:lists/hostile.txt own:1:None' "$(sets)"
t_ok 'once more' "$PB" apply f.rules --confirm 1h
t_ok 'confirm' "$PB" confirm
t_ok 'keeps it' silent tcp "$A4" 22
echo 192.0.2.77 >lists/hostile.txt
t_ok 'apply --confirm that nobody confirms' "$PB" apply f.rules --confirm 1s
t_ok 'is over' wait_for 60 silent tcp "$A4" 22
t_ok 'the old elements are back' "$PB" set test hostile "$B4"
t_ok 'also for the next change' "$PB" rule add 4711/tcp
t_ok 'in force' silent tcp "$A4" 22

# --- another kind of set --------------------------------------------------------------------------

"$PB" set add own "$B4" >/dev/null
printf '%s\n' 'set own file lists/hostile.txt' 'set hostile' 'drop tcp dport 22 from @own' >turned.rules
t_ok 'apply of the sets turned round' "$PB" apply turned.rules --confirm 1h
t_is 'one has become a file'\''s, the other begins empty' 'hostile:0:None own:1:lists/hostile.txt' "$(sets)"
t_ok 'in force' answers tcp "$A4" 22
t_ok 'rollback' "$PB" rollback
t_is 'takes both back, with what was in them' 'hostile:1:lists/hostile.txt own:2:None' "$(sets)"
t_ok 'in force' silent tcp "$A4" 22
t_ok 'for good' "$PB" apply turned.rules
t_ok 'and another change' "$PB" rule add 4712/tcp
t_ok 'and back' "$PB" apply f.rules
t_is 'the one of a file is gone, and the elements of long ago are not back' \
	'hostile:1:lists/hostile.txt' "$(sets)"
printf '%s\n' 'set own' 'set hostile file lists/hostile.txt' >both.rules
t_ok 'a set that is made anew' "$PB" apply both.rules
t_is 'is empty' 'hostile:1:lists/hostile.txt own:0:None' "$(sets)"
t_ok 'and can be filled' "$PB" set add own 192.0.2.1
echo 'drop tcp dport 22 from @own' >plain.rules
t_ok 'apply of a file without the set' "$PB" apply plain.rules
t_is 'takes it away' 'own:1:None' "$(sets)"
t_fail 'it is not there any more' 2 "no set 'hostile'.*there are own" "$PB" set test hostile "$B4"
t_ok 'its name is free' "$PB" set create hostile
t_ok 'and gone again' "$PB" set destroy hostile

# --- what fails changes nothing -------------------------------------------------------------------

"$PB" apply f.rules >/dev/null
before=$("$PB" save && "$PB" set list -j)
unchanged()
{
	local name=$1
	shift
	t_fail "$name" "$@"
	t_is "$name: nothing has changed" "$before" "$("$PB" save && "$PB" set list -j)"
}
echo 'set hostile file nosuch.txt' >wrong.rules
unchanged 'a file that is not there' 1 'wrong.rules:1: .*nosuch.txt' "$PB" apply wrong.rules
t_fail 'check says so' 1 'wrong.rules:1: .*nosuch.txt' "$PB" check wrong.rules
printf '%s\n' 192.0.2.1 192.0.2.300 >lists/wrong.txt
echo 'set hostile file lists/wrong.txt' >wrong.rules
unchanged 'a list with a fault' 1 'wrong.rules:1: lists/wrong.txt:2: "192.0.2.300"' "$PB" apply wrong.rules
t_fail 'check says so' 1 'lists/wrong.txt:2: "192.0.2.300"' "$PB" check wrong.rules
echo 192.0.2.99 >lists/other.txt
printf '%s\n' 'set hostile file lists/other.txt' 'set new file lists/other.txt' 'drop from @nosuch' >wrong.rules
unchanged 'a set that is not there' 1 "no set 'nosuch'" "$PB" apply wrong.rules
{
	printf '%s\n' 'set hostile file lists/other.txt'
	for i in {1..9}; do
		printf 'set s%d file lists/other.txt\ndrop from @s%d\n' "$i" "$i"
	done
} >wrong.rules
unchanged 'rules that do not fit' 1 'from @a,@b' "$PB" apply wrong.rules
t_ok 'an empty list is worth a note' sh -c ': >lists/empty.txt; echo "set hostile file lists/empty.txt" >empty.rules'
t_fail 'of check' 0 'empty.rules:1: "lists/empty.txt" holds no addresses' "$PB" check empty.rules

# --- as many as there can be ------------------------------------------------------------------------

for i in {1..31}; do
	echo "set s$i file lists/many$i.txt"
	echo "192.0.2.$i" >"lists/many$i.txt"
done >many.rules
t_ok 'half of the numbers' "$PB" apply many.rules
for round in 1 2 3; do
	for i in {1..31}; do echo "198.51.$round.$i" >"lists/many$i.txt"; done
	t_ok "each with other elements ($round)" "$PB" apply many.rules
done
t_is 'are there' 31 "$("$PB" set list -j | json 'len([s for s in d["sets"] if s["file"] and s["nr"] == 1])')"
t_ok 'with these elements' "$PB" set test s31 198.51.3.31
for i in {33..64}; do
	echo "set s$i file lists/many1.txt"
done >more.rules
echo 'include many.rules' >>more.rules
t_ok 'all of the numbers, where half stay as they are' "$PB" apply more.rules
before=$("$PB" save && "$PB" set list -j)
t_ok 'once more' "$PB" apply more.rules
t_is 'is the same' "$before" "$("$PB" save && "$PB" set list -j)"
echo "192.0.2.77" >lists/many2.txt
unchanged 'no number is left for one that changes' 1 'set s2 is one too many: .*counts twice' "$PB" apply more.rules
unchanged 'nor for another one' 1 'as many as can be' "$PB" set create another
echo 198.51.3.2 >lists/many2.txt
t_ok 'fewer' "$PB" apply many.rules
t_ok 'leave numbers for others, at once' "$PB" set create another
t_ok 'and many of them' "$PB" set create another2
t_ok 'which can be used' "$PB" set add another2 192.0.2.1
t_ok 'back' "$PB" apply f.rules
t_is 'to what it was, and these' 'another:0:None another2:1:None hostile:1:lists/hostile.txt own:1:None' "$(sets)"
"$PB" set destroy another >/dev/null
"$PB" set destroy another2 >/dev/null

# --- large ------------------------------------------------------------------------------------------

seq 0 99999 | awk '{ print "172." 16 + int($1 / 65536) "." int($1 / 256) % 256 "." $1 % 256 }' >lists/large.txt
printf '%s\n' 'set hostile file lists/hostile.txt' 'set large file lists/large.txt' \
	'drop tcp dport 22 from @hostile' 'drop from @large' >large.rules
t_ok 'a long list' "$PB" apply large.rules
t_is 'is there' 'hostile:1:lists/hostile.txt large:100000:lists/large.txt own:1:None' "$(sets)"
t_ok 'to its end' "$PB" set test large 172.17.134.159
generation() { bpftool -j map dump pinned "$PINS/default/pb_sets" | json 'd[0]["formatted"]["value"]["tables"] & 1'; }
was=$(generation)
t_ok 'the same again' "$PB" apply large.rules
t_is 'makes no tables anew' "$was" "$(generation)"
t_ok 'in memory' test "$(segments default 4)" -ge 4
t_ok 'gone' "$PB" apply f.rules
t_ok 'and with the next change' "$PB" rule add 4713/tcp
t_is 'its memory, too' 1 "$(segments default 4)"

# --- two at once, and killed ones -----------------------------------------------------------------------

seq -f '10.1.%.0f.1' 0 255 >lists/one.txt
{ echo "$B4"; seq -f '10.2.%.0f.1' 0 127; } >lists/two.txt
printf '%s\n' 'set hostile file lists/one.txt' 'drop tcp dport 22 except @hostile' 'drop from 192.0.2.1' >one.rules
printf '%s\n' 'set hostile file lists/two.txt' 'drop tcp dport 22 from @hostile' 'drop from 192.0.2.2' >two.rules
# whole: the rules of one of the two files, with its elements
whole()
{
	local saved held
	saved=$("$PB" save) && held=$("$PB" set list -j hostile | json 'd["sets"][0]["nr"]') || return
	case $saved in
	*one.txt*'drop tcp dport 22 except @hostile'*192.0.2.1*) [ "$held" = 256 ] ;;
	*two.txt*'drop tcp dport 22 from @hostile'*192.0.2.2*) [ "$held" = 129 ] ;;
	*) false ;;
	esac || { echo "$held elements with: $saved"; return 1; }
}
failed=0
for round in {1..10}; do
	"$PB" apply one.rules >/dev/null & first=$!
	"$PB" apply two.rules >/dev/null & second=$!
	"$PB" set add own "192.0.2.$round" >/dev/null || failed=$((failed + 1))
	wait $first || failed=$((failed + 1))
	wait $second || failed=$((failed + 1))
	whole || failed=$((failed + 1))
done
t_is 'two at once: both succeed, and one of them is whole' 0 $failed
t_is 'and nothing is lost of what others add' 10 "$("$PB" set list -j own | json 'd["sets"][0]["nr"]')"
t_ok 'in force' silent tcp "$A4" 22

# At a moment of chance, which strace (net:crash) cannot choose: between two stores.
killed=0 wrong=
for round in {1..60}; do
	((round % 2)) && next=one || next=two
	"$PB" apply "$next.rules" >/dev/null & pid=$!
	sleep "0.0$((RANDOM % 40 + 10))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	[ $? -ne 137 ] || killed=$((killed + 1))
	((round % 4)) || "$PB" set load own lists/one.txt >/dev/null || wrong+="round $round: set load "
	((round % 7)) || "$PB" rule add 4714/tcp >/dev/null || wrong+="round $round: rule add "
	((round % 7)) || "$PB" rule del 4714/tcp >/dev/null || wrong+="round $round: rule del "
	problem=$(whole) || wrong+="round $round: $problem "
done
t_is "$killed of 60 were killed, and all was whole" '' "$wrong"
t_ok 'in force' silent tcp "$A4" 22
t_ok 'none of the killed has taken a number for good' "$PB" apply many.rules
t_ok 'nor its elements' "$PB" apply f.rules
"$PB" rule add 4715/tcp >/dev/null
t_is 'their memory is back, too' 1 "$(segments default 4)"

# --- guarded ----------------------------------------------------------------------------------------

echo 192.0.2.77 >lists/hostile.txt
"$PB" apply f.rules >/dev/null
export SSH_CONNECTION="$B4 50000 $A4 22"
t_ok 'a list without the client is no danger to its connection' in_a "$PB" apply f.rules
echo "$B4" >lists/hostile.txt
t_fail 'one with it is' 1 "would cut the SSH connection.*drop tcp dport 22 from @hostile" in_a "$PB" apply f.rules
t_is 'and is not taken' 'hostile:1:lists/hostile.txt own:256:None' "$(sets)"
t_ok 'the old one is in force' "$PB" set test hostile 192.0.2.77
printf '%s\n' 'policy deny' 'set friends file lists/friends.txt' 'allow tcp dport 22 from @friends' >deny.rules
echo "192.0.2.1" >lists/friends.txt
t_fail 'a list that lacks it, too' 1 'would cut the SSH connection' in_a "$PB" apply deny.rules
echo "$B4" >>lists/friends.txt
t_ok 'one that has it lets it pass' in_a "$PB" apply deny.rules
t_ok 'other changes know what is in it' in_a "$PB" rule add 4716/tcp
t_fail 'and that it is needed' 1 'would cut the SSH connection' in_a "$PB" rule del allow tcp dport 22 from @friends
t_ok '--force' in_a "$PB" apply f.rules --force
# Of a set that is another one meanwhile: both are there, and each side is asked with its own.
"$PB" set flush own >/dev/null
"$PB" set add own "$B4" >/dev/null
echo 192.0.2.77 >lists/hostile.txt
printf '%s\n' 'set own' 'drop tcp dport 22 from @own' >plain.rules
in_a "$PB" apply plain.rules --force >/dev/null
printf '%s\n' 'set own file lists/hostile.txt' 'drop tcp dport 22 from @own' >turned.rules
t_ok 'a plain set has become one of a file' in_a "$PB" apply turned.rules --confirm 1h
t_ok 'in force' answers tcp "$A4" 22
t_fail 'rollback to what was in it is refused' 1 'would cut the SSH connection' in_a "$PB" rollback
t_ok 'confirm is not' in_a "$PB" confirm
t_fail 'nor back to a plain one, which is empty' 0 '' in_a "$PB" apply plain.rules
t_is 'so it is' 'own:0:None' "$(sets)"
echo "$B4" >lists/hostile.txt
in_a "$PB" apply turned.rules --force >/dev/null
t_ok 'a set of a file has become plain' in_a "$PB" apply plain.rules --confirm 1h
t_ok 'in force' answers tcp "$A4" 22
t_fail 'rollback to the elements of the file is refused' 1 'would cut the SSH connection' in_a "$PB" rollback
t_ok 'but with --force' in_a "$PB" rollback --force
t_ok 'in force' silent tcp "$A4" 22
export SSH_CONNECTION=
"$PB" apply f.rules >/dev/null
"$PB" set create own >/dev/null
"$PB" set load own lists/one.txt >/dev/null

# --- with the ruleset -----------------------------------------------------------------------------------

t_ok 'upgrade' in_a "$PB" upgrade v0
t_ok 'leaves it in force' silent tcp "$A4" 22
t_ok 'unload --keep' in_a "$PB" unload v0 --keep
t_ok 'load' in_a "$PB" load v0
t_is 'it is there' 'hostile:1:lists/hostile.txt own:256:None' "$(sets)"
t_ok 'in force' silent tcp "$A4" 22
echo 192.0.2.77 >lists/hostile.txt
t_ok 'load --rules of what is loaded' in_a "$PB" load v0 --rules f.rules
t_ok 'reads it again' answers tcp "$A4" 22
echo "$B4" >lists/hostile.txt
world_wire v2 v3
in_a ip link set v2 mtu 9000
t_fail 'a load that fails, of a device that is not there' 1 nosuch in_a "$PB" load v0 nosuch --rules f.rules
t_ok 'leaves the old elements' "$PB" set test hostile 192.0.2.77
in_a "$PB" unload v0 >/dev/null
t_ok 'load --rules' in_a "$PB" load v0 --rules f.rules
t_is 'makes it' 'hostile:1:lists/hostile.txt' "$(sets)"
t_ok 'in force' silent tcp "$A4" 22
t_ok 'unload' in_a "$PB" unload v0

# --- memory that is lacking -----------------------------------------------------------------------------

FAULT=$TOP/build/tests/preload/fault.so

# tables: how many there are
tables()
{
	find "$PINS/default/elements" -type f | wc -l
}

# with_fault WHAT: an apply of f.rules
with_fault()
{
	in_a env LD_PRELOAD="$FAULT" "$1" "$PB" apply f.rules >said 2>&1
}

in_a "$PB" load v0 >/dev/null
with_fault PB_FAULT_COUNT="$PWD/counts"
calls=$(awk '$1 == "memory" { print $2 }' counts)
failed=0 wrong=
for ((call = calls; call > calls - 20; call--)); do
	in_a "$PB" unload v0 >/dev/null
	in_a "$PB" load v0 >/dev/null
	with_fault "PB_FAULT=memory:$call" && continue
	failed=$((failed + 1))
	[ "$(tables)" = 0 ] || wrong+=" $call"
done
t_ok 'an apply fails where memory is lacking' [ $failed -gt 0 ]
t_is 'and leaves no tables of elements' '' "$wrong"

t_done
