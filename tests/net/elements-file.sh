#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Elements in a file: `save --elements` writes those of all sets, and `load`, `apply` and `set restore` bring them
# back, with the time that is left, before the rules are in force. What is wrong changes nothing.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

# elements: of each set its options and elements, those that end marked, on one line
elements()
{
	"$PB" set list -j "$@" | json '" ".join("%s(%s,%d):%s" % (s["name"], s["timeout"], s["max"], ",".join(
		e["prefix"] + ("!" if e["expires_in"] else "") for e in s["elements"])) for s in d["sets"])'
}

# left SET PREFIX: seconds
left()
{
	"$PB" set list -j "$1" | json "[e['expires_in'] for e in d['sets'][0]['elements'] if e['prefix'] == '$2'][0]"
}

# all: what no command that fails may change
all()
{
	rules
	elements
	pins
}

# changes_nothing NAME REGEX COMMAND...: t_fail, and all is as it was
changes_nothing()
{
	local before status=$2
	before=$(all)
	t_fail "$1" "$status" "$3" "${@:4}"
	t_is "$1: nothing changed" "$before" "$(all)"
}

# body FILE: without what changes with the time of day
body()
{
	sed 's/T[0-9:]*Z/T/; s/[0-9-]*T$/T/' "$1"
}

cat >f.rules <<'END'
set bans timeout 1d
set friends max 10
drop tcp dport 22 from @bans except @friends
END

# --- there and back -----------------------------------------------------------------------------

in_a "$PB" load v0 --rules f.rules >/dev/null || t_die load
"$PB" set add bans "$B4" --timeout 1h >/dev/null || t_die 'set add'
"$PB" set add bans 192.0.2.0/24,2001:db8::/32 --timeout 0 >/dev/null || t_die 'set add'
"$PB" set add friends 192.0.2.7 2001:db8::1 --timeout 10m >/dev/null || t_die 'set add'
before=$(elements)
t_ok 'save --elements' "$PB" save --elements saved
t_is 'says nothing' '' "$T_OUT"
t_is 'writes the elements of all sets' "# Elements of the sets of the ruleset default, by \`xdp-portblock save --elements\`
saved T
set bans timeout 1d
$B4 until T
192.0.2.0/24
2001:db8::/32
set friends max 10
192.0.2.7 until T
2001:db8::1 until T" "$(body saved)"
t_ok 'save of both' "$PB" save saved.rules --elements both
t_is 'writes the rules' "$("$PB" save)" "$(cat saved.rules)"
t_is 'and the elements' "$(body saved)" "$(body both)"
t_is 'to stdout: the elements alone' "$(body saved)" "$("$PB" save --elements - | body -)"
t_is 'or beside rules in a file' "$(body saved)" "$("$PB" save saved.rules --elements - | body -)"
t_is 'rules to stdout' "$("$PB" save)" "$("$PB" save - --elements both)"
t_fail 'both to stdout' 2 "both are to be '-'" "$PB" save - --elements -
t_fail 'both to one file' 2 "both are to be 'x'" "$PB" save x --elements x
t_fail 'as JSON' 2 'set list -j' "$PB" save -j --elements saved

in_a "$PB" unload v0 >/dev/null || t_die unload
t_ok 'load --elements' in_a "$PB" load v0 --rules f.rules --elements saved
t_ok 'says what came back' grep -qx 'Set bans: 3 elements brought back' <<<"$T_OUT"
t_is 'all elements are there' "$before" "$(elements)"
t_ok 'in force' silent tcp "$A4" 22
t_ok 'where a rule names them' answers tcp "$A4" 23

# Exactly: a time in the file is one of the wall clock.
t_is 'the time left is that of the file' '' "$("$PYTHON" - "$PB" "$B4" <<'END'
import datetime, json, math, subprocess, sys, time
tool, host = sys.argv[1:]
for line in open("saved"):
    words = line.split()
    if words[:1] == [host]:
        ends = datetime.datetime.strptime(words[2], "%Y-%m-%dT%H:%M:%SZ")
        ends = ends.replace(tzinfo=datetime.timezone.utc).timestamp()
began = time.time()
sets = json.loads(subprocess.check_output([tool, "set", "list", "-j", "bans"]))["sets"]
ended = time.time()
left, = [e["expires_in"] for e in sets[0]["elements"] if e["prefix"] == host + "/32"]
# The clocks are read within a millisecond of each other.
if not math.ceil(ends - ended - .001) <= left <= math.ceil(ends - began + .001):
    print(left, ends - ended, ends - began)
END
)"

t_ok 'the saved rules are of use with them' "$PB" apply saved.rules --elements both
t_is 'and change nothing' "$before" "$(elements)"

# --- what is added to -----------------------------------------------------------------------------

soon=$(date -u -d '+30 minutes' +%FT%TZ) late=$(date -u -d '+3 hours' +%FT%TZ) over=$(date -u -d '-1 second' +%FT%TZ)
cat >extra <<END
set bans
$B4 until $soon
192.0.2.0/24 until $soon
198.51.100.1 until $late
198.51.100.2 until $over
10.1.2.3/8
END
t_ok 'set restore' "$PB" set restore extra
said=$T_OUT
t_ok 'tells of bits behind a length' grep -q '"10.1.2.3/8" is taken as 10.0.0.0/8' <<<"$said"
t_ok 'and of what has ended' grep -qx 'Set bans: 4 elements brought back, 1 ended meanwhile' <<<"$said"
t_is 'adds to what is there' "bans(86400,65536):10.0.0.0/8,$B4/32!,192.0.2.0/24,198.51.100.1/32!,2001:db8::/32" \
	"$(elements bans)"
t_ok 'of an element that is there the later end holds' test "$(left bans "$B4/32")" -gt 1800
sed "s/$soon/$late/" extra >later
t_ok 'which may be that of the file' "$PB" set restore later
t_ok 'so it is' test "$(left bans "$B4/32")" -gt 3600
t_is 'but not of one that does not end' null "$(left bans 192.0.2.0/24)"
printf 'set bans\n%s\n' "$B4" >always
t_ok 'from standard input' "$PB" set restore - <always
t_is 'an element that does not end any more' null "$(left bans "$B4/32")"

printf '%s\n' 'saved 2100-01-01T00:00:00Z' 'set bans' '198.51.100.99 until 2100-01-01T01:00:00Z' >ahead
began=$(clock)
t_ok 'a clock that is behind' "$PB" set restore ahead
t_ok 'is said to be' grep -q 'by the clock, and ahead was written at 2100-01-01T00:00:00Z' <<<"$T_OUT"
t_ok 'gives no more time than there was' is_left "$(left bans 198.51.100.99/32)" 3600 "$began"
"$PB" set del bans 198.51.100.99 >/dev/null

# What comes back ends when the file says, and not before.
over()
{
	! "$PB" set test bans 198.51.100.99 >/dev/null
}
for seconds in 3 10 30 100; do
	ends=$(($(date +%s) + seconds))
	printf 'set bans\n198.51.100.99 until %s\n' "$(date -u -d "@$ends" +%FT%TZ)" | "$PB" set restore - >/dev/null
	! over || continue # the machine was too busy
	wait_for $((seconds + 60)) over
	break
done
t_ok 'an element ends' over
t_ok 'not too early' test "$(date +%s)" -ge "$ends"

before=$(elements)
printf '%s\n' 'set new timeout 2h max 5' 192.0.2.1 'set bans timeout 5m max 1' 192.0.2.1 >new
t_ok 'a set that is not there' "$PB" set restore new
t_is 'is made as it was; one that is there stays as it is' \
	"bans(86400,65536):10.0.0.0/8,$B4/32,192.0.2.0/24,192.0.2.1/32,198.51.100.1/32!,2001:db8::/32 ${before#* } new(7200,5):192.0.2.1/32" \
	"$(elements)"
"$PB" set destroy new >/dev/null
echo 'drop tcp dport 23 from @new' >new.rules
t_ok 'rules may name it' "$PB" apply new.rules --elements new
t_is 'as it was' 'new(7200,5):192.0.2.1/32' "$(elements new)"
echo 'set new max 7' >>new.rules
sed -i '$!{h;d};G' new.rules # it comes first
t_ok 'where rules declare it, that holds' "$PB" apply new.rules --elements new
t_is 'for the set' 'new(None,7):192.0.2.1/32' "$(elements new)"
t_ok 'apply with --confirm' "$PB" apply f.rules --elements saved --confirm 1h
t_ok 'rollback' "$PB" rollback
t_is 'takes the rules back' 'drop tcp dport 23 from @new' "$(rules | cut -d ' ' -f 2-)"
t_ok 'elements belong to the ruleset, and stay' "$PB" set test friends 192.0.2.7

# --- what is wrong --------------------------------------------------------------------------------

printf '%s\n' 'set bans' 203.0.113.1 'set other' 203.0.113.2 203.0.113.300 203.0.113.4 >bad
changes_nothing 'a bad line in the middle' 1 'bad:5: "203.0.113.300" is not an address' "$PB" set restore bad
changes_nothing 'apply: a bad line' 1 'bad:5: ' "$PB" apply f.rules --elements bad
changes_nothing 'load: a bad line' 1 'bad:5: ' in_a "$PB" load v0 --rules f.rules --elements bad
changes_nothing 'bad rules' 1 'bad:2' "$PB" apply bad --elements saved
printf 'set bans\n203.0.113.1 until %s' "$late" >cutoff
changes_nothing 'a file that was cut off' 1 'cutoff:2: .*cut off' "$PB" set restore cutoff
: >empty
changes_nothing 'an empty file' 1 'empty holds no sets' "$PB" apply f.rules --elements empty
changes_nothing 'no file' 1 '"nosuch"' "$PB" apply f.rules --elements nosuch
changes_nothing 'one standard input for both' 2 'both' "$PB" apply - --elements -
{ printf 'set bans\n203.0.113.1\nset friends\n'; seq -f '203.0.113.%.0f' 1 10; } >full
changes_nothing 'a full set' 1 "full:3: the set 'friends' would have 12 elements, at most 10 fit \(--max\)" \
	"$PB" set restore full
changes_nothing 'apply: a full set' 1 'full:3: .*--max' "$PB" apply f.rules --elements full
changes_nothing 'load: a full set' 1 'full:3: .*--max' in_a "$PB" load v0 --rules f.rules --elements full
for i in {1..64}; do printf 'set s%d\n192.0.2.1\n' "$i"; done >many
changes_nothing 'too many sets' 1 'many:1[0-9][0-9]: .*as many as can be' "$PB" set restore many
changes_nothing 'apply: too many sets' 1 'many:1[0-9][0-9]: .*one too many' "$PB" apply f.rules --elements many
echo 'drop from @nosuch' >wrong.rules
changes_nothing 'rules that name no set' 1 "no set 'nosuch'" "$PB" apply wrong.rules --elements saved
changes_nothing 'no rights' 1 'Operation not permitted|Permission denied|capabilit' nobody "$PB" set restore "$PWD/saved"
changes_nothing 'no ruleset' 1 "nothing is loaded with the ruleset 'web'" "$PB" set restore -r web saved
t_fail 'save: no rights' 1 'Permission denied|not permitted|capabilit' nobody "$PB" save --elements "$PWD/theirs"
t_ok 'save: leaves none' test ! -e theirs
t_fail 'save: no folder' 1 "cannot write 'nosuch/x': No such file" "$PB" save --elements nosuch/x
t_fail 'save: no room' 1 'No space left' "$PB" save --elements /dev/full
chmod 640 saved
t_ok 'save once more' "$PB" save --elements saved
t_is 'keeps the mode' 640 "$(stat -c %a saved)"
t_is 'and leaves nothing beside it' '' "$(find . -name 'saved.[0-9a-f]*')"

# Killed while it saves: the old file.
if command -v strace >/dev/null; then
	cp saved was
	"$PB" set add bans 203.0.113.77 >/dev/null
	t_fail 'save is killed' 137 '' strace -qq -o /dev/null -e trace=fsync -e inject=fsync:signal=KILL:when=1 \
		"$PB" save --elements saved
	t_ok 'the old file is there' cmp was saved
	t_ok 'save again' "$PB" save --elements saved
	t_ok 'and the new one is' grep -q "^203.0.113.77 until " saved
	rm -f saved.[0-9a-f]*
	# And after the power has gone: it is on the disk before it has its name, and so is its name when save ends.
	t_ok 'save rules and elements' strace -qq -y -o calls -e trace=fsync,rename,renameat,renameat2 \
		"$PB" save --elements saved saved.rules
	t_is 'each is written for good' "fsync saved.rules.N
rename saved.rules
fsync folder
fsync saved.N
rename saved
fsync folder" "$(sed -E "s|^rename[a-z0-9]*\(.*\"(.*/)?([^/]*)\".*|rename \2|; s|^fsync\([0-9]+<$PWD>.*|fsync folder|
		s|^fsync\([0-9]+<.*/(saved[a-z.]*)\.[0-9a-f]{8}>.*|fsync \1.N|" calls)"
else
	t_skip 'save is killed' 'no strace'
fi

# --- no gap ---------------------------------------------------------------------------------------
# B is blocked by the rules from before, and by the set of the new ones: no ping of B may ever be answered.

echo "drop from $B4" >old.rules
printf '%s\n' 'set blocked' 'drop from @blocked' >set.rules
{ echo 'set blocked'; echo "$B4"; seq 0 20000 | awk '{ print "172." 16 + int($1 / 65536) "." int($1 / 256) % 256 "." $1 % 256 }'; } >blocked
in_a "$PB" apply old.rules >/dev/null || t_die apply
pings()
{
	bg in_b ping -n -i 0.002 "$A4"
	pinger=$BG_PID pinged=$BG_OUT
}
# said: how many came back, of how many. Not in a subshell, which could not wait for the end.
stop_pings()
{
	bg_stop "$pinger" INT
	wait_for 60 grep -q 'packets transmitted' "$pinged"
	said=$(sed -n 's/^\([0-9]*\) packets transmitted, \([0-9]*\) .*/\2 of \1/p' "$pinged")
}
pings
failed=0
for ((i = 0; i < ${PB_ROUNDS:-20}; i++)); do
	"$PB" apply set.rules --elements blocked >/dev/null &&
		"$PB" apply old.rules >/dev/null && "$PB" set flush blocked >/dev/null || failed=$((failed + 1))
done
t_is 'apply, again and again' 0 $failed
stop_pings
t_is "no ping is answered ($said)" '0 of' "${said% *}"
t_ok 'of many' test "${said##* }" -gt 20
pings
"$PB" apply set.rules >/dev/null
t_ok 'without elements one is' wait_for 60 grep -q 'bytes from' "$pinged"
stop_pings

# --- killed in the middle, and let fail ---------------------------------------------------------------

before_rules='drop from @blocked' after_rules='drop tcp dport 22 from @blocked'
printf '%s\n' 'set blocked' "$after_rules" >after.rules
printf '%s\n' 'set blocked' 192.0.2.1 'set more' 192.0.2.2 2001:db8::2 >two
prepare()
{
	"$PB" apply set.rules >/dev/null && "$PB" set flush blocked >/dev/null
	"$PB" set destroy more >/dev/null 2>&1
	[ "$(judged)" = "$before_rules " ]
}
# judged: the rule, and the elements
judged()
{
	echo "$(rules | cut -d ' ' -f 2-) $("$PB" set list -j | json '",".join(e["prefix"] for s in d["sets"]
		if s["name"] in ("blocked", "more") for e in s["elements"])')"
}
if command -v strace >/dev/null; then
	new=192.0.2.1/32,192.0.2.2/32,2001:db8::2/128
	for call in bpf mmap membarrier flock; do
		prepare || t_die 'no start'
		count=$(strace -qq -f -e "trace=$call" -o /dev/stdout "$PB" apply after.rules --elements two | grep -c "$call(")
		wrong=''
		for when in $(draw 1 "$count" "${PB_POINTS:-4}"); do
			prepare || t_die 'no start'
			strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:signal=KILL:when=$when" \
				"$PB" apply after.rules --elements two >/dev/null 2>&1
			case $(judged) in
			"$before_rules " | "$before_rules $new" | "$after_rules $new") ;;
			*) wrong+="killed at $when: $(judged); " ;;
			esac
			prepare || t_die 'no start'
			if strace -qq -o /dev/null -e "trace=$call" -e "inject=$call:error=ENOMEM:when=$when" \
				"$PB" apply after.rules --elements two >/dev/null 2>&1; then
				[ "$(judged)" = "$after_rules $new" ] || wrong+="$when: done, but $(judged); "
			else
				[ "$(judged)" = "$before_rules " ] || wrong+="$when: failed, but $(judged); "
			fi
		done
		t_is "killed, or let fail, at some of $count calls of $call: all or nothing" '' "$wrong"
	done
else
	t_skip 'killed in the middle' 'no strace'
fi

# A load of two interfaces that fails at the second one has changed the ruleset before.
world_wire v2 v3
sed "2a 192.0.2.9 until $late" two >third
prepare_load()
{
	prepare && "$PB" set add blocked 192.0.2.9 --timeout 1h >/dev/null && [ -z "$(xdp_on v2)" ]
}
if command -v strace >/dev/null; then
	prepare_load || t_die 'no start'
	in_a strace -qq -e trace=bpf -o trace "$PB" load v0 v2 --rules after.rules --elements third >/dev/null
	count=$(grep -c 'bpf(' trace) wrong='' undone=0
	# The first program that is loaded is tried before the ruleset is changed, or comes behind that.
	first=$(grep -n BPF_PROG_LOAD trace | tail -n 1 | cut -d : -f 1)
	in_a "$PB" unload v2 >/dev/null
	for when in $(draw "$first" "$count" "${PB_POINTS:-4}") "$first"; do
		prepare_load || t_die 'no start'
		if in_a strace -qq -o /dev/null -e trace=bpf -e "inject=bpf:error=ENOMEM:when=$when" \
			"$PB" load v0 v2 --rules after.rules --elements third >/dev/null 2>&1; then
			[ "$(judged)" = "$after_rules ${new/,/,192.0.2.9\/32,}" ] || wrong+="$when: done, but $(judged); "
			in_a "$PB" unload v2 >/dev/null
		else
			undone=$((undone + 1))
			[ "$(judged)" = "$before_rules 192.0.2.9/32" ] || wrong+="$when: failed, but $(judged); "
			[ "$(left blocked 192.0.2.9/32)" -le 3600 ] || wrong+="$when: failed, but it ends later; "
		fi
	done
	t_is 'load that fails at the second interface takes elements back' '' "$wrong"
	t_ok 'it failed' test "$undone" -gt 0
fi

# --- by a number that was nobody's ---------------------------------------------------------------------

# All numbers are taken, one of them by the set of a file that no rules have any more. A set that is made takes it, and
# tables without what was in it are made for that: what is brought back comes to these, not to those from before.
seq -f '203.0.113.%.0f' 1 20 >gone.txt
printf '%s\n' 'set new' 192.0.2.7 >brought
# with_gone [ELEMENTS]: such a ruleset; set s1 has elements, too
with_gone()
{
	in_a "$PB" unload --all >/dev/null
	in_a "$PB" load v0 >/dev/null || t_die 'load'
	printf '%s\n' 'set gone file gone.txt' 'drop tcp dport 22 from @gone' | "$PB" apply - >/dev/null || t_die 'apply'
	for ((i = 1; i < 64; i++)); do "$PB" set create "s$i" >/dev/null || t_die "create s$i"; done
	[ $# = 0 ] || "$PB" set load s1 "$1" >/dev/null || t_die 'set load'
	"$PB" apply - </dev/null >/dev/null || t_die 'apply nothing'
}
# held SET: its elements, as a sum
held()
{
	"$PB" set list -j "$1" | json '"\n".join(e["prefix"] for e in d["sets"][0]["elements"])' | sort | md5sum
}
with_gone
t_ok 'a set is made by the number of one that is gone' "$PB" set restore brought
t_is 'and has what was brought back, and nothing of what was gone' 'new(None,65536):192.0.2.7/32' "$(elements new)"
# Enough for several segments of a table
seq -f '10.0.%.0f.0/24' 0 255 >many.txt
for ((i = 0; i < 200; i++)); do seq -f "10.1.$i.%.0f" 0 255; done >>many.txt
with_gone many.txt
before=$(held s1)
t_ok 'the same beside a large one' "$PB" set restore brought
t_is 'it has what was brought back' 'new(None,65536):192.0.2.7/32' "$(elements new)"
t_is 'and the large one what it had' "$before" "$(held s1)"
in_a "$PB" unload --all >/dev/null
in_a "$PB" load v0 >/dev/null || t_die 'load'

# --- at once ------------------------------------------------------------------------------------------

prepare || t_die 'no start'
{ echo 'set blocked'; seq -f '198.18.0.%.0f' 1 200; } >one
{ echo 'set blocked'; seq -f '198.18.1.%.0f' 1 200; } >other
pids=()
for file in one other; do
	for ((i = 0; i < 5; i++)); do
		bg "$PB" set restore $file
		pids+=("$BG_PID")
		bg "$PB" apply set.rules --elements $file
		pids+=("$BG_PID")
	done
done
failed=0
for pid in "${pids[@]}"; do wait "$pid" || failed=$((failed + 1)); done
t_is 'twenty at once' 0 $failed
t_is 'bring all' 400 "$("$PB" set list -j blocked | json 'd["sets"][0]["nr"]')"

# --- a million ------------------------------------------------------------------------------------------

soon=$(date -u -d '+1 hour' +%FT%TZ)
{
	echo 'set million max 1000000'
	awk -v soon="$soon" 'BEGIN { for (i = 0; i < 1000000; i++)
		printf "%s%d.%d.%d%s\n", "10.", i / 65536, i / 256 % 256, i % 256, i % 2 ? " until " soon : "" }'
} >million
t_ok 'a million' "$PB" set restore million
t_is 'are there' 1000000 "$("$PB" set list -j million | json 'd["sets"][0]["nr"]')"
t_ok 'are written' "$PB" save --elements again
t_is 'as they came' "$(sed 's/ until.*/ until/' million | sort | md5sum)" \
	"$(awk '/^set/ { on = $2 == "million" } on' again | sed 's/ until.*/ until/' | sort | md5sum)"
t_ok 'unload' in_a "$PB" unload --all
t_done
