#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The lock-out guard of sets: a change of elements that would cut the SSH connection through which it is given is
# refused, with the element, as a change of rules is (guard.sh). What is refused is given once more with --force, and
# after what is not a word is said over a real connection: so the network decides whether the guard was right.

# shellcheck disable=SC2317 # functions are called by t_ok and others
# shellcheck disable=SC2154 # FORCE is that of guard-verbs.sh

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
. "$TOP/tests/net/guard-verbs.sh"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1
serve in_a --tcp 22
hold four "$A4" 22
hold six "$A6" 22
t_ok 'load' in_a "$PB" load v0

# begin ELEMENTS-OF-FRIENDS RULE...: sets that hold nothing of B but what is said, and these rules in force
begin()
{
	local friends=$1
	shift
	calm
	"$PB" set destroy fresh >/dev/null 2>&1
	for set in blocked spare friends; do
		{ "$PB" set create "$set" && "$PB" set flush "$set"; } >/dev/null || t_die "no $set"
	done
	"$PB" set add blocked 192.0.2.1,2001:db8::1 >/dev/null || t_die 'no blocked'
	[ -z "$friends" ] || "$PB" set add friends "$friends" >/dev/null || t_die 'no friends'
	printf '%s\n' "$@" | "$PB" apply - >/dev/null || t_die 'no rules'
}
drops=('drop tcp dport 22 from @blocked except @friends')
# elements SET
elements()
{
	"$PB" set list -j "$1" | json '",".join(e["prefix"] for e in d["sets"][0]["elements"])'
}
prefix()
{
	case $1 in *:*) echo "$1/128" ;; *) echo "$1/32" ;; esac
}
# sorted: the words of a list
sorted()
{
	tr -s ', ' '\n' | sort | xargs
}
# stream ADD-OR-DEL OPTIONS-OR-'' LINE...: of the set blocked; prints the exit status, and what is in it then
stream()
{
	# shellcheck disable=SC2086 # options, or none
	printf '%s\n' "${@:3}" | by_ssh "$SSH" "$PB" set "$1" blocked - $2
	echo "$? $(elements blocked)"
}
# feed: the same of lines as they come
feed()
{
	by_ssh "$SSH" "$PB" set add blocked - <"feed.$of"
}
is_in()
{
	"$PB" set test blocked "$1" >/dev/null
}

for of in four six; do
	if [ $of = four ]; then
		host=$B4 wide=${B4%.*}.0/24 other=192.0.2.77
		meant four "$B4" "$A4"
	else
		host=$B6 wide=fd00::/8 other=2001:db8::77
		meant six "$B6" "$A6"
	fi
	by="on v0, by the rule .drop tcp dport 22 from @blocked except @friends."

	begin '' "${drops[@]}"
	before=$(elements blocked)
	refuse "$of: add" "\($host to port 22\): $by \($host in @blocked\)$FORCE" set add blocked "$host"
	t_is "$of: add: it is not in" "$before" "$(elements blocked)"
	cut "$of: add a network" "$by \($wide in @blocked\)$FORCE" set add blocked "$other,$wide" --timeout 1h
	begin '' "${drops[@]}"
	fine "$of: add another" set add blocked "$other"
	fine "$of: add to a set that no rule names" set add spare "$host"
	refuse "$of: swap with it" "$by \($host in @blocked\)$FORCE" set swap blocked spare
	refuse "$of: swap, the other way round" "$by \($host in @blocked\)$FORCE" set swap spare blocked
	fine "$of: del from it" set del spare "$host"
	fine "$of: swap without it" set swap blocked spare

	begin '' "${drops[@]}"
	printf '%s\n' "$other" "$host" >list
	cut "$of: load" "$by \($host in @blocked\)$FORCE" set load blocked list
	begin '' "${drops[@]}"
	refuse "$of: add a list" "$by \($host in @blocked\)$FORCE" set add blocked @./list
	t_is "$of: none of it is in" "$before" "$(elements blocked)"
	echo "$other" >list
	fine "$of: load a list without it" set load blocked list

	begin '' "${drops[@]}"
	printf '%s\n' 'set blocked' "$other" "$host" 'set fresh' 192.0.2.3 >saved
	refuse "$of: restore" "$by \($host in @blocked\)$FORCE" set restore saved
	t_fail "$of: restore: no set was made" 1 "no set 'fresh'" "$PB" set list fresh
	refuse "$of: apply with elements" "$by \($host in @blocked\)" apply /dev/stdin --elements saved \
		<<<"${drops[0]}"
	printf '%s\n' 'set blocked' "$other" >other.saved
	fine "$of: restore others" set restore other.saved
	cut "$of: restore --force" "$by \($host in @blocked\)$FORCE" set restore saved

	# Rules that let the connection pass by a set
	begin "$host" "${drops[@]}"
	fine "$of: add what a rule excepts" set add blocked "$wide"
	refuse "$of: del what is excepted" "$by \($wide in @blocked\)$FORCE" set del friends "$host"
	refuse "$of: flush it" "$by \($wide in @blocked\)$FORCE" set flush friends
	echo "$other" >list
	refuse "$of: load others" "$by \($wide in @blocked\)$FORCE" set load friends list
	fine "$of: del another" set del friends "$other"
	fine "$of: del of what drops" set del blocked "$wide"
	cut "$of: both sides of a swap" "$by \($host in @blocked\)$FORCE" set swap blocked friends
	begin "$host" 'policy deny' 'replies off' 'allow tcp dport 22 from @friends'
	refuse "$of: flush under policy deny" "on v0, by policy deny$FORCE" set flush friends
	fine "$of: the wider one does it" set add friends "$wide"
	fine "$of: then it may go" set del friends "$host"
	cut "$of: del under policy deny" "on v0, by policy deny$FORCE" set del friends "$wide"

	# Streams: the line is left out, and they go on
	begin '' "${drops[@]}"
	said=$(stream add '' 192.0.2.8 "$other" "$host" "$wide" 192.0.2.9 2>&1)
	t_ok "$of: stream: the line is named" grep -Eq "standard input:3: this $would_cut$by \($host in @blocked\)$FORCE" <<<"$said"
	t_ok "$of: stream: and the next" grep -Eq "standard input:4: this $would_cut$by \($wide in @blocked\)$FORCE" <<<"$said"
	t_ok "$of: stream: others are in" grep -q '^3 elements are in blocked now' <<<"$said"
	t_is "$of: stream: and no others" "$(sorted <<<"1 $before,192.0.2.8/32,192.0.2.9/32,$(prefix "$other")")" \
		"$(tail -n 1 <<<"$said" | sorted)"
	alive "$of: stream: the connection is well"
	mkfifo "feed.$of"
	bg feed
	exec {feed}>"feed.$of"
	echo "$host" >&$feed
	t_ok "$of: stream: it is said at once" wait_for 60 grep -q 'standard input:1: this would cut' "$BG_OUT"
	echo 192.0.2.10 >&$feed
	t_ok "$of: stream: and the next one is in force" wait_for 60 is_in 192.0.2.10
	exec {feed}>&-
	wait "$BG_PID"
	t_is "$of: stream: it fails at its end" 1 $?
	said=$(stream add --force "$host" 2>&1)
	t_ok "$of: stream: --force" is_in "$host"
	cut_off "$of: stream: --force"
	# One of them alone would not cut it.
	begin "$host,$wide" "${drops[@]}"
	fine "$of: stream: what is excepted" set add blocked "$wide"
	said=$(printf '%s\n' "$host" "$wide" | by_ssh "$SSH" "$PB" set del friends - 2>&1)
	t_ok "$of: stream: both exceptions: the second is named" grep -Eq "^xdp-portblock: standard input:2: this $would_cut$by" \
		<<<"$said"
	t_is "$of: stream: and stays" "$wide" "$(elements friends)"
	refuse "$of: stream: del of both at once" "$by" set del friends "$host,$wide"

	# Rules that wait to be confirmed, and those that come back
	begin '' "${drops[@]}"
	t_ok "$of: rules that do not drop" by_ssh "$SSH" "$PB" rule flush --confirm 1h
	refuse "$of: those that may come back count" "$by \($host in @blocked\)$FORCE" set add blocked "$host"
	t_ok "$of: confirm" by_ssh "$SSH" "$PB" confirm
	fine "$of: confirmed" set add blocked "$host"

	# Not this connection
	begin '' 'drop tcp dport 23 from @blocked' 'audit tcp dport 22 from @blocked' 'drop tcp dport 22 new from @blocked'
	fine "$of: what is dropped is something else" set add blocked "$wide"
	begin '' "${drops[@]}"
	refused "$of: through sudo" 1 "$would_cut$by" by_sudo "$SSH" "$PB" set add blocked "$host"
	# Daemons that ban (fail2ban and the like) have no session.
	t_ok "$of: without a session" in_a "$PB" set add blocked "$host"
	cut_off "$of: without a session"
done

# --- other things that are wrong are said first ---------------------------------------------------------

meant four "$B4" "$A4"
begin '' "${drops[@]}"
echo "$B4" >own.txt
printf '%s\n' 'set listed file own.txt' 'set blocked' 'set friends' "${drops[0]}" | "$PB" apply - >/dev/null
refused 'no such set' 1 "no set 'nosuch'" by_ssh "$SSH" "$PB" set add nosuch "$B4"
refused 'the set of a file' 1 "the elements of the file" by_ssh "$SSH" "$PB" set add listed "$B4"
printf '%s\n' 'set listed' "$B4" >saved
refused 'the set of a file is not brought back' 1 "listed" by_ssh "$SSH" "$PB" set restore saved
"$PB" apply - </dev/null >/dev/null

# --- what drops already is no matter of other sets -----------------------------------------------------------

begin '' "${drops[@]}"
printf '%s\n' 'drop tcp dport 22 from @blocked' "drop tcp dport 22 from $B4" | "$PB" apply - >/dev/null
t_ok 'a set that no rule names' by_ssh "$SSH" "$PB" set add spare "$B4"
printf '%s\n' 'set spare' "$B4" >saved
t_ok 'brought back' by_ssh "$SSH" "$PB" set restore saved
t_ok 'elements that are about others' by_ssh "$SSH" "$PB" set add blocked 192.0.2.99
refuse 'but one that a rule names' 'on v0, by' set add blocked "$B4"

# --- where the filter is not in force ---------------------------------------------------------------------

begin '' "${drops[@]}"
t_ok 'unload --keep' in_a "$PB" unload v0 --keep
t_ok 'on no interface: add' by_ssh "$SSH" "$PB" set add blocked "$B4"
refuse 'load of what has it' "on v0, .*\($B4 in @blocked\)$FORCE" load v0
t_ok 'del' by_ssh "$SSH" "$PB" set del blocked "$B4"
t_ok 'load' by_ssh "$SSH" "$PB" load v0
"$PB" save --elements all >/dev/null
in_a "$PB" unload v0 >/dev/null
printf '%s\n' 'set blocked' "$B4" >saved
printf '%s\n' 'set blocked' 'drop tcp dport 22 from @blocked' >new.rules
refuse 'load with elements, of a ruleset that is not there' "on v0, .*\($B4 in @blocked\)$FORCE" \
	load v0 --rules new.rules --elements saved
fine 'load with others' load v0 --rules new.rules --elements all
t_done
