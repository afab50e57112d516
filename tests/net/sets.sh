#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The commands of sets: words, lists, standard input, and what they print; and that a rule which names
# a set drops what is in it, from the moment in which the command returns.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

# elements NAME: of a set, as JSON has them, on one line
elements()
{
	"$PB" set list -j "$1" | json '" ".join(e["prefix"] for e in d["sets"][0]["elements"])'
}

# left NAME PREFIX: seconds; or null
left()
{
	"$PB" set list -j "$1" |
		json "[e['expires_in'] for e in d['sets'][0]['elements'] if e['prefix'] == '$2'][0]"
}

has() { "$PB" set test "$1" "$2"; }
hasnt() { "$PB" set test "$1" "$2"; [ $? -eq 1 ]; }

t_fail 'without a ruleset' 1 "'default'.*xdp-portblock load" "$PB" set list
in_a "$PB" load v0 >/dev/null || t_die 'load'

# --- create, list, destroy --------------------------------------------------------------------

t_ok 'no sets' "$PB" set list
t_is 'are said to be none' "Ruleset default
No sets." "$T_OUT"
t_is 'in JSON, too' '{"ruleset":"default","sets":[]}' "$("$PB" set list -j)"
t_ok 'create' "$PB" set create bans --timeout 1d
t_is 'says what it made' 'Set bans: at most 65536 elements, each for 1d.' "$T_OUT"
t_ok 'create, the same again' "$PB" set create bans --timeout 86400
t_fail 'create, with another timeout' 1 'bans' "$PB" set create bans
t_fail 'create, with another size' 1 'bans' "$PB" set create bans --timeout 1d --max 10
t_ok 'create, of another size' "$PB" set create small --max 3
t_is 'says so' 'Set small: at most 3 elements, which do not expire.' "$T_OUT"
t_ok 'list' "$PB" set list
t_is 'shows both' 'Ruleset default
NAME   ELEMENTS       MAX  TIMEOUT
bans          0     65536  1d
small         0         3  -' "$T_OUT"
t_is 'in JSON' '{"ruleset":"default","sets":[{"name":"bans","timeout":86400,"max":65536,"file":null,"nr":0,"elements":[]},{"name":"small","timeout":null,"max":3,"file":null,"nr":0,"elements":[]}]}' \
	"$("$PB" set list -j)"
t_ok 'list of an empty one' "$PB" set list bans
t_is 'says so' 'Set bans, elements 0 of at most 65536, timeout 1d
No elements.' "$T_OUT"
t_fail 'list of none' 1 'nothere' "$PB" set list nothere
t_fail 'in JSON, too' 1 'nothere' "$PB" set list -j nothere

# --- add, test, del ---------------------------------------------------------------------------

began=$(clock)
t_ok 'add' "$PB" set add bans 192.0.2.7
t_is 'says so' '1 element is in bans now.' "$T_OUT"
t_ok 'it has the timeout of the set' is_left "$(left bans 192.0.2.7/32)" 86400 "$began"
t_ok 'test' "$PB" set test bans 192.0.2.7
t_ok 'says by what' grep -Eq '^192\.0\.2\.7 is in bans, by 192\.0\.2\.7, .* left\.$' <<<"$T_OUT"
t_fail 'test of another' 1 '^192\.0\.2\.8 is not in bans\.$' "$PB" set test bans 192.0.2.8
began=$(clock)
t_ok 'add, both families, some time' "$PB" set add bans --timeout 2h 198.51.100.0/24,2001:db8::/32
t_ok 'they have that' is_left "$(left bans 2001:db8::/32)" 7200 "$began"
t_ok 'test: a prefix holds it' has bans 198.51.100.77
t_ok 'test: IPv6' has bans 2001:db8:ffff::1
t_is 'test -j' '{"ruleset":"default","set":"bans","file":null,"address":"2001:db9::1","in":false,"prefix":null,"expires_in":null}' \
	"$("$PB" set test -j bans 2001:db9::1)"
t_ok 'add, for ever' "$PB" set add bans --timeout 0 192.0.2.7
t_is 'renews it' null "$(left bans 192.0.2.7/32)"
t_is 'test -j of it' '{"ruleset":"default","set":"bans","file":null,"address":"192.0.2.7","in":true,"prefix":"192.0.2.7/32","expires_in":null}' \
	"$("$PB" set test -j bans 192.0.2.7)"
began=$(clock)
t_ok 'add, seconds as programs have them' "$PB" set add bans --timeout 600 192.0.2.7
t_ok 'are that' is_left "$(left bans 192.0.2.7/32)" 600 "$began"
t_is 'list -j' '192.0.2.7/32 198.51.100.0/24 2001:db8::/32' "$(elements bans)"
t_ok 'list' "$PB" set list bans
t_is 'has them in order' '192.0.2.7 198.51.100.0/24 2001:db8::/32' \
	"$(tail -n +3 <<<"$T_OUT" | cut -d ' ' -f 1 | paste -sd ' ')"
t_ok 'and what is left' grep -Eq '^192\.0\.2\.7 +(10m|9m[0-9]+s)$' <<<"$T_OUT"
t_ok 'several words' "$PB" set add bans 203.0.113.1 203.0.113.2,203.0.113.3
t_is 'are several elements' '3 elements are in bans now.' "$T_OUT"
t_ok 'del' "$PB" set del bans 203.0.113.1,203.0.113.2 203.0.113.3
t_is 'says so' '3 elements are not in bans now.' "$T_OUT"
t_ok 'del of what is not there' "$PB" set del bans 203.0.113.1
t_ok 'del of a part of one leaves it' "$PB" set del bans 198.51.100.7
t_is 'there are the others' '192.0.2.7/32 198.51.100.0/24 2001:db8::/32' "$(elements bans)"
t_ok 'add with bits behind the length' "$PB" set add bans 203.0.113.77/24
t_ok 'notes it' grep -Fq '"203.0.113.77/24" is taken as 203.0.113.0/24' <<<"$T_OUT"
t_ok 'del likewise' "$PB" set del bans 203.0.113.99/24
t_ok 'a short form' "$PB" set ad bans 203.0.113.1
t_ok 'of del, too' "$PB" set del bans 203.0.113.1

# --- what ends by the clock -------------------------------------------------------------------

seen()
{
	local began=$1
	until hasnt bans 203.0.113.5 >/dev/null; do
		[ $(($(clock) - began)) -lt 6000 ] || return 1
	done
	[ $(($(clock) + 1 - began)) -ge 100 ]
}
began=$(clock)
t_ok 'add for a second' "$PB" set add bans --timeout 1s 203.0.113.5
t_ok 'it is there for that, and then not' seen "$began"
t_is 'nor in the list' '192.0.2.7/32 198.51.100.0/24 2001:db8::/32' "$(elements bans)"

# --- room -------------------------------------------------------------------------------------

t_ok 'as many as there is room for' "$PB" set add small 192.0.2.1,192.0.2.2
t_fail 'more than that' 1 'max' "$PB" set add small 192.0.2.3,192.0.2.4
t_is 'adds none of them' '192.0.2.1/32 192.0.2.2/32' "$(elements small)"
t_ok 'renewing takes no room' "$PB" set add small 192.0.2.1,192.0.2.2,192.0.2.3
t_fail 'load of more' 1 'max' "$PB" set load small <(printf '192.0.2.%s\n' 1 2 3 4)
t_is 'leaves it' '192.0.2.1/32 192.0.2.2/32 192.0.2.3/32' "$(elements small)"

# --- lists ------------------------------------------------------------------------------------

cat >drop.txt <<'END'
; Spamhaus DROP List 2026/11/29
; Expires: later
1.10.16.0/20 ; SBL256894
1.19.0.0/16 ; SBL434604

# and another
2001:db8:1::/48 # a comment
192.0.2.1 seen 5 times
192.0.2.1
END
printf '10.1.2.3/8\r\n2001:db8:2::/48\r\n' >crlf.txt
t_ok 'load' "$PB" set load small <(grep -v 192 drop.txt)
t_is 'says so' '3 elements are in small now, and no others.' "$T_OUT"
t_is 'replaces what was there' '1.10.16.0/20 1.19.0.0/16 2001:db8:1::/48' "$(elements small)"
t_ok 'load of the same' "$PB" set load bans drop.txt
t_is 'comments, words and duplicates' '1.10.16.0/20 1.19.0.0/16 192.0.2.1/32 2001:db8:1::/48' "$(elements bans)"
t_ok 'has the timeout of the set' test "$(left bans 192.0.2.1/32)" -gt 80000
t_ok 'load, CRLF' "$PB" set load bans crlf.txt
t_ok 'notes bits behind the length' grep -Fq '"10.1.2.3/8" is taken as 10.0.0.0/8' <<<"$T_OUT"
t_is 'loads them' '10.0.0.0/8 2001:db8:2::/48' "$(elements bans)"
load_in() { "$PB" set load "$1" - <"$2"; }
t_ok 'load from standard input' load_in bans drop.txt
before=$(elements bans)
# unchanged NAME STATUS REGEX COMMAND...: it fails, and the set is as it was
unchanged()
{
	t_fail "$@"
	t_is "$1: nothing changed" "$before" "$(elements bans)"
}
printf '192.0.2.1\n<html>\n' >wrong.txt
: >empty.txt
printf '# all comments\n\n' >comments.txt
printf '192.0.2.1\n10.0.0.0/1' >cut.txt
gzip -c drop.txt >drop.txt.gz
unchanged 'load of what is no list' 1 'wrong\.txt:2: "<html>" is not an address' "$PB" set load bans wrong.txt
unchanged 'load of nothing' 1 'empty\.txt holds no addresses.*set flush' "$PB" set load bans empty.txt
unchanged 'load of comments' 1 'comments\.txt holds no addresses' "$PB" set load bans comments.txt
unchanged 'load of a list that was cut off' 1 'cut\.txt:2: .*cut off' "$PB" set load bans cut.txt
unchanged 'load of what is compressed' 1 'drop\.txt\.gz is no text.*compressed' "$PB" set load bans drop.txt.gz
unchanged 'load of no file' 1 '"none\.txt".*No such file' "$PB" set load bans none.txt
unchanged 'load of standard input, wrong' 1 'standard input:2: ' load_in bans wrong.txt
unchanged 'load of standard input, empty' 1 'standard input holds no addresses' load_in bans empty.txt
unchanged 'add of a file that is wrong' 1 'wrong\.txt:2: ' "$PB" set add bans @./wrong.txt
t_ok 'add of a file' "$PB" set add bans --timeout 1h @./crlf.txt
t_ok 'adds what is in it' test "$(left bans 10.0.0.0/8)" -le 3600
t_fail 'of which there is no room for all' 1 max "$PB" set add small @./drop.txt
t_ok 'del of files' "$PB" set del bans @./drop.txt @./crlf.txt
t_is 'takes all of it out' '' "$(elements bans)"
t_ok 'add of an empty file' "$PB" set add bans @./empty.txt
t_ok 'says that it is' grep -q 'holds no addresses' <<<"$T_OUT"

# --- flush, swap, destroy ---------------------------------------------------------------------

"$PB" set add bans 192.0.2.7 >/dev/null
t_ok 'swap' "$PB" set swap bans small
t_is 'exchanges them' '192.0.2.7/32' "$(elements small)"
t_is 'with their options' '[["bans", 3], ["small", 65536]]' \
	"$("$PB" set list -j | json '[[s["name"], s["max"]] for s in d["sets"]]')"
t_ok 'and back' "$PB" set swap small bans
t_ok 'flush' "$PB" set flush small
t_is 'empties it' '' "$(elements small)"
t_ok 'flush of an empty one' "$PB" set flush small
t_ok 'destroy' "$PB" set destroy small
t_fail 'there is none any more' 1 'small.*bans' "$PB" set list small

# --- standard input ---------------------------------------------------------------------------

feed() { printf '%b' "$1" | "$PB" set "$2" bans -; }
"$PB" set flush bans >/dev/null
began=$(clock)
t_ok 'add -' feed '192.0.2.1\n\n# a comment\n192.0.2.2 600\n  192.0.2.3\t2h ; text\r\n2001:db8::1 0' add
t_is 'adds a line each' '192.0.2.1/32 192.0.2.2/32 192.0.2.3/32 2001:db8::1/128' "$(elements bans)"
t_ok 'for the time of the set' is_left "$(left bans 192.0.2.1/32)" 86400 "$began"
t_ok 'for seconds' is_left "$(left bans 192.0.2.2/32)" 600 "$began"
t_ok 'for a time' is_left "$(left bans 192.0.2.3/32)" 7200 "$began"
t_is 'for ever' null "$(left bans 2001:db8::1/128)"
t_fail 'add -, with bad lines' 1 '^xdp-portblock: standard input:2: "foo" is not an address' \
	feed '192.0.2.4\nfoo\n192.0.2.5 x\n192.0.2.6 1h more\n10.0.0.0/33\n192.0.2.7\n10.0.0.0/1' add
said=$T_OUT
for line in 2 3 4 5 7; do
	t_ok "line $line is named" grep -q "^xdp-portblock: standard input:$line: " <<<"$said"
done
t_ok 'and how many went in' grep -qx '2 elements are in bans now.' <<<"$said"
t_is 'the others go in' '192.0.2.1/32 192.0.2.2/32 192.0.2.3/32 192.0.2.4/32 192.0.2.7/32 2001:db8::1/128' \
	"$(elements bans)"
t_ok 'del -' feed '192.0.2.1\n192.0.2.2 600\n192.0.2.99\n' del
t_is 'deletes a line each' '192.0.2.3/32 192.0.2.4/32 192.0.2.7/32 2001:db8::1/128' "$(elements bans)"
t_fail 'del -, with bad lines' 1 'standard input:1: .*192\.0\.2\.4' feed '192.0.2.3 192.0.2.4\n192.0.2.7\n' del
t_is 'likewise' '192.0.2.3/32 192.0.2.4/32 2001:db8::1/128' "$(elements bans)"
t_ok 'add -, nothing' feed '' add
t_fail 'add -, a set that is not there' 1 nothere "$PB" set add nothere - </dev/null
t_fail 'add -, and something else' 2 "'-'" "$PB" set add bans - 192.0.2.1 </dev/null
"$PB" set create small --max 3 >/dev/null
feed_small() { printf '192.0.2.%s\n' "$@" | "$PB" set add small -; }
t_fail 'add -, more than there is room for' 1 'standard input:4: .*max' feed_small 1 2 3 4 5 1
said=$T_OUT
t_is 'adds those for which there is' '192.0.2.1/32 192.0.2.2/32 192.0.2.3/32' "$(elements small)"
t_ok 'names the others' grep -q 'standard input:5: ' <<<"$said"
t_is 'and those alone' 2 "$(grep -c 'standard input:' <<<"$said")"

# A pipe that stays open: each line is in force when it was read.
mkfifo pipe
exec 3<>pipe
"$PB" set flush bans >/dev/null
"$PB" set add bans - <pipe 3>&- >stream.out 2>&1 &
stream=$!
bg_pids+=("$stream")
for i in 1 2 3; do
	echo "192.0.2.$i 1h" >&3
	t_ok "line $i is in force while the pipe is open" wait_for 60 has bans "192.0.2.$i"
done
printf '192.0.2.4' >&3
echo ' 1h' >&3
t_ok 'a line in two pieces is one' wait_for 60 has bans 192.0.2.4
echo 192.0.2.x >&3
echo 192.0.2.5 >&3
t_ok 'a bad line does not end it' wait_for 60 has bans 192.0.2.5
t_ok 'and is named at once' grep -q 'standard input:5: "192.0.2.x"' stream.out
t_ok 'it goes on' kill -0 "$stream"
for i in {1..20000}; do
	echo "10.$((i >> 16)).$((i >> 8 & 255)).$((i & 255))"
done >&3
t_ok 'many lines at once' wait_for 60 has bans 10.0.78.32
t_is 'are all there' 20005 "$("$PB" set list -j bans | json 'd["sets"][0]["nr"]')"
exec 3<>/dev/null
exec 3>&-
rm pipe
# The pipe has no writer any more: it has come to its end.
wait "$stream"
t_is 'its exit status tells of the bad line' 1 $?
t_ok 'and it says how many there are' grep -qx '20005 elements are in bans now.' stream.out

# --- wrong words ------------------------------------------------------------------------------

before=$(elements bans)
unchanged 'which set' 2 'which set' "$PB" set add
unchanged 'add nothing' 2 'add what.*192\.0\.2\.7' "$PB" set add bans
unchanged 'del nothing' 2 'delete what' "$PB" set del bans
unchanged 'load nothing' 2 'from which file' "$PB" set load bans
unchanged 'test nothing' 2 'which address' "$PB" set test bans
unchanged 'swap with nothing' 2 'which other set' "$PB" set swap bans
unchanged 'too many words' 2 "'more' is not wanted here" "$PB" set flush bans more
unchanged 'no address' 2 '"foo" is not an address or prefix' "$PB" set add bans foo
unchanged 'no length' 2 '"10\.0\.0\.0/33" has no valid length.*/0 to /32' "$PB" set add bans 10.0.0.0/33
unchanged 'one of several' 2 '"2001:db8::/129"' "$PB" set add bans 192.0.2.99,2001:db8::/129
unchanged 'an empty place' 2 'empty place' "$PB" set add bans 192.0.2.99,
unchanged 'a set of another name' 1 'nothere.*bans' "$PB" set add nothere 192.0.2.99
unchanged 'a file without a slash' 2 '"@drop\.txt" has no slash' "$PB" set add bans @drop.txt
unchanged 'a name with a slash' 2 "'a/b'" "$PB" set create a/b
unchanged 'an empty name' 2 "''" "$PB" set create ''
unchanged 'a name too long' 2 '31' "$PB" set create aaaaaaaaaabbbbbbbbbbccccccccccdd
unchanged 'no room' 2 "--max: '0' is not a number from 1 to 4194304" "$PB" set create x --max 0
unchanged 'a word for room' 2 "--max: 'x'" "$PB" set create x --max x
unchanged 'too much room' 2 "--max: '4194305'" "$PB" set create x --max 4194305
unchanged 'no timeout' 2 '--timeout: "x" is not a duration' "$PB" set create x --timeout x
unchanged 'a timeout below 0' 2 '--timeout: "-1"' "$PB" set add bans --timeout -1 192.0.2.99
unchanged 'test of a prefix' 2 "'192\.0\.2\.0/24' is more than one address" "$PB" set test bans 192.0.2.0/24
unchanged 'test of a word' 2 '"foo" is not an address' "$PB" set test bans foo
unchanged 'test of a set that is not there' 2 nothere "$PB" set test nothere 192.0.2.1
unchanged 'no such command' 2 "no command 'set remove'.*" "$PB" set remove bans
unchanged 'not one command' 2 'may mean several' "$PB" set l bans
t_is 'help of the group' "$("$PB" set --help)" "$("$PB" help set)"

# --- another ruleset --------------------------------------------------------------------------

world_wire v2 v3
in_a "$PB" load v2 -r lab >/dev/null || t_die 'load -r lab'
t_is 'another ruleset has none' '{"ruleset":"lab","sets":[]}' "$("$PB" set list -j -r lab)"
t_ok 'it has its own' "$PB" set create -r lab bans
t_ok 'of the same name' "$PB" set add -r lab bans 198.51.100.1
t_ok 'which is not the other one' hasnt bans 198.51.100.1
in_a "$PB" unload v2 >/dev/null

# --- rules that name a set --------------------------------------------------------------------

"$PB" set flush bans >/dev/null
t_ok 'a rule that names it' "$PB" rule add drop tcp dport 22 from @bans
t_ok 'a client that is not in it' answers tcp "$A4" 22
t_ok 'add' "$PB" set add bans "$B4,$B6"
t_ok 'is in force' silent tcp "$A4" 22
t_ok 'for IPv6, too' silent tcp "$A6" 22
t_ok 'on this port alone' answers tcp "$A4" 23
t_fail 'destroy, while a rule names it' 1 'rule 1' "$PB" set destroy bans
t_ok 'del' "$PB" set del bans "$B4"
t_ok 'is in force' answers tcp "$A4" 22
t_ok 'for that one alone' silent tcp "$A6" 22
t_ok 'load' "$PB" set load bans <(echo 10.9.0.0/24)
t_ok 'is in force: what is in the list' silent tcp "$A4" 22
t_ok 'is in force: what is not' answers tcp "$A6" 22
"$PB" set create spare --timeout 1d >/dev/null
t_ok 'swap' "$PB" set swap bans spare
t_ok 'is in force' answers tcp "$A4" 22
t_ok 'swap back' "$PB" set swap bans spare
t_ok 'is in force' silent tcp "$A4" 22
t_ok 'flush' "$PB" set flush bans
t_ok 'is in force' answers tcp "$A4" 22
t_ok 'rule del' "$PB" rule del 1
t_ok 'destroy' "$PB" set destroy bans

# --- packets, when an element has ended ---------------------------------------------------------

t_ok 'a set' "$PB" set create brief
for rule in 'drop tcp dport 23 from @brief' 'drop from @brief'; do
	# shellcheck disable=SC2086 # words
	t_ok "$rule" "$PB" rule add $rule
	t_ok 'the peer for a second' "$PB" set add brief --timeout 1s "$B4,$B6"
	t_ok 'then its packets pass' wait_for 60 answers tcp "$A4" 23
	t_ok 'and of IPv6' wait_for 60 answers tcp "$A6" 23
	# shellcheck disable=SC2086 # words
	t_ok 'the rule goes' "$PB" rule del $rule
done
t_ok 'and the set' "$PB" set destroy brief

# --- what stays of many elements that are gone -------------------------------------------------

seq 0 199999 | awk '{ print "10." int($1 / 65536) "." int($1 / 256) % 256 "." $1 % 256 }' >many.list
in_a "$PB" load -r lab v2 >/dev/null
"$PB" set create -r lab many --max 400000 >/dev/null
t_ok 'load 200,000' "$PB" set load -r lab many many.list
t_ok 'are in several segments' test "$(segments lab 4)" -gt 8
t_ok 'once more, in the other generation' "$PB" set load -r lab many many.list
t_ok 'IPv6 in their place' "$PB" set load -r lab many <(echo 2001:db8::1)
t_is 'one segment of IPv4 stays' 1 "$(segments lab 4)"
t_fail 'in which none of them is' 1 'not in' "$PB" set test -r lab many 10.0.0.7
t_ok 'add' "$PB" set add -r lab many 10.0.0.7
t_is 'its segment is the only one' 1 "$(segments lab 4)"
t_ok 'it is in it' "$PB" set test -r lab many 10.0.0.7
t_fail 'another is not' 1 'not in' "$PB" set test -r lab many 10.0.0.8
in_a "$PB" unload v2 >/dev/null
t_done
