#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Sets that the fleet shares, on three hosts, with the real etcd: a ban on one stops real connections to all; a list of
# 100,000 in chunks; what a host has put there itself stays; an agent is killed, etcd is away, history is compacted; and
# what is garbage changes nothing and is named.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/fleet-verbs.sh"
world_enter "$@"
fleet_world
cd "$T_DIR" || exit 1

# Who is banned, and is no host of the fleet
EVIL=198.51.100.9 WORSE=198.51.100.10
KEYS=/xdp-portblock/sets

start_etcd()
{
	etcd_start "$NS_E" main 0.0.0.0 --advertise-client-urls http://127.0.0.1:2379 \
		--initial-advertise-peer-urls http://127.0.0.1:2380 --initial-cluster main=http://127.0.0.1:2380
	wait_for 60 etcd_answers in_e
}

ctl()
{
	in_e etcdctl "$@"
}

# fleet N COMMAND...: `fleet set COMMAND...` there
fleet()
{
	local n=$1 command=$2
	shift 2
	in_host "$n" "$PB" fleet set "$command" --config "$T_DIR/h$n/fleet.conf" "$@"
}

# set_of N NAME: its elements, a line each, without times
set_of()
{
	in_host "$1" "$PB" set list -j "$2" | json '"\n".join(e["prefix"] for e in d["sets"][0]["elements"])'
}

# nr_is N NAME NUMBER
nr_is()
{
	[ "$(in_host "$1" "$PB" set list -j "$2" | json 'd["sets"][0]["nr"]')" = "$3" ]
}

# in_set N NAME ADDRESS, not_in_set N NAME ADDRESS
in_set()
{
	in_host "$1" "$PB" set test "$2" "$3"
}

not_in_set()
{
	in_host "$1" "$PB" set test "$2" "$3"
	[ $? -eq 1 ]
}

# everywhere COMMAND...: of each host, at last
everywhere()
{
	local command=$1 n
	shift
	for n in 1 2 3; do
		wait_for 180 "$command" "$n" "$@" || return
	done
}

# evil_is_silent N PORT, evil_is_open N PORT: asked by EVIL
evil_is_silent()
{
	CLIENT=in_e silent tcp "10.10.$1.2" "$2" --from "$EVIL"
}

evil_is_open()
{
	CLIENT=in_e answers tcp "10.10.$1.2" "$2" --from "$EVIL"
}

# said N REGEX: its agent did
said()
{
	grep -qE -e "$2" "${HOST_OUT[$1]}"
}

# documented NAME SECTION: what stands on standard input is as xdp-portblock-json(5) says
documented()
{
	t_is "$1: as documented" '' "$("$PYTHON" "$TOP/tests/net/documented.py" "$TOP/man/xdp-portblock-json.5" "$2" 2>&1)"
}

t_ok 'etcd runs' start_etcd
in_e ip addr add $EVIL/32 dev lo
for n in 1 2 3; do
	fleet_host $n
	in_host $n ip route add default via 10.10.$n.1
	t_ok "h$n: load" in_host $n "$PB" load v0
	t_ok "h$n: set bans" in_host $n "$PB" set create bans
	t_ok "h$n: set hostile" in_host $n "$PB" set create --max 200000 hostile
	t_ok "h$n: a rule for it" in_host $n "$PB" rule add drop tcp dport 22 from @bans
	t_ok "h$n: and for that" in_host $n "$PB" rule add drop tcp dport 23 from @hostile
	agent $n 'sets = bans, hostile=bad'
done

# --- words ----------------------------------------------------------------------------------

t_fail 'add: no set' 2 'which set' fleet 1 add
t_fail 'add: nothing' 2 'ban what' fleet 1 add bans
t_fail 'add: a word that is no address' 2 '"yesterday"' fleet 1 add bans yesterday
t_fail 'add: no time' 2 '"soon"' fleet 1 add bans $EVIL --timeout soon
t_fail 'add: a name that is none' 2 "'b/ns'" fleet 1 add b/ns $EVIL
t_fail 'add: a set that is not shared' 1 "shares no set 'hostile': .sets. names bans, bad" fleet 1 add hostile $EVIL
t_fail 'load: no file' 2 'which file' fleet 1 load bad
t_fail 'load: a file that is not there' 1 "nowhere" fleet 1 load bad /nowhere
: >empty
t_fail 'load: an empty one' 1 'holds no addresses' fleet 1 load bad "$T_DIR/empty"
t_fail 'list: a word too many' 2 "'too'" fleet 1 list bans too
printf '%s\n' 'endpoints = http://127.0.0.1:1' >none.conf
t_fail 'a host that shares none' 1 'shares no set .bans., and no other' \
	"$PB" fleet set add --config none.conf bans $EVIL

# --- a ban ----------------------------------------------------------------------------------

for n in 1 2 3; do
	t_ok "h$n: open before" evil_is_open $n 22
done
t_ok 'a ban' fleet 1 add bans $EVIL
t_is 'what it says' "1 address is among the bans of the fleet's bans now." "$T_OUT"
for n in 1 2 3; do
	t_ok "h$n: it is in the set" wait_for 60 in_set $n bans $EVIL
	t_ok "h$n: a connection is stopped" evil_is_silent $n 22
	t_ok "h$n: another port is not" evil_is_open $n 80
	t_ok "h$n: nobody else is" is_open $n 22
done
t_is 'list: who has seen it' '[[{"expires_in": null, "host": "h1", "prefix": "198.51.100.9/32", "until": null}], "bans", 0]' \
	"$(fleet 2 list bans -j | json '[d["bans"], d["set"], d["listed"]]')"
documented 'list' 'fleet set list' < <(fleet 2 list bans -j)
t_ok 'list: as text' grep -q "^$EVIL  *-  *h1$" <(fleet 2 list bans)
t_ok 'an unban, by another host' fleet 2 del bans $EVIL
for n in 1 2 3; do
	t_ok "h$n: it has gone" wait_for 60 not_in_set $n bans $EVIL
	t_ok "h$n: open again" evil_is_open $n 22
done
t_ok 'several, of both families, one twice' fleet 3 add bans $EVIL,$WORSE 2001:db8::/32 $EVIL
t_ok 'they are everywhere' everywhere nr_is bans 3
t_is 'as they are' '198.51.100.9/32 198.51.100.10/32 2001:db8::/32' "$(set_of 1 bans | xargs)"
t_ok 'unban them' fleet 3 del bans $EVIL,$WORSE,2001:db8::/32
t_ok 'they have gone everywhere' everywhere nr_is bans 0

# --- a ban with a time ----------------------------------------------------------------------

t_ok 'a ban for an hour' fleet 1 add bans $EVIL --timeout 1h
t_ok 'it is everywhere' everywhere in_set bans $EVIL
t_is 'it has its time' True \
	"$(in_host 2 "$PB" set list -j bans | json 'str(3500 < d["sets"][0]["elements"][0]["expires_in"] <= 3601)')"
documented 'list, with a time' 'fleet set list' < <(fleet 2 list bans -j)
t_ok 'and a lease' test "$(ctl get -w json $KEYS/bans/bans/$EVIL | json 'd["kvs"][0]["lease"]')" -gt 0
t_ok 'it is made shorter' fleet 1 add bans $EVIL --timeout 2s
t_ok 'it ends on all hosts' everywhere not_in_set bans $EVIL
no_ban()
{
	[ -z "$(ctl get --prefix --keys-only "$KEYS/bans/bans/")" ]
}
t_ok 'and in etcd' wait_for 60 no_ban

# --- what a host has put there itself -------------------------------------------------------

t_ok 'h2: an element of its own' in_host 2 "$PB" set add bans $EVIL
t_ok 'h3: one with a time' in_host 3 "$PB" set add --timeout 2h bans $EVIL
t_ok 'the fleet bans it, too' fleet 1 add bans $EVIL,$WORSE
t_ok 'it is everywhere' everywhere in_set bans $WORSE
t_is 'h3: for ever now' None \
	"$(in_host 3 "$PB" set list -j bans | json 'str(d["sets"][0]["elements"][0]["expires_in"])')"
t_ok 'the fleet lets it go' fleet 1 del bans $EVIL,$WORSE
t_ok 'the other has gone everywhere' everywhere not_in_set bans $WORSE
t_ok 'h1: it has gone' not_in_set 1 bans $EVIL
t_ok 'h2: its own stays' in_set 2 bans $EVIL
t_is 'h3: its own has its time again' True \
	"$(in_host 3 "$PB" set list -j bans | json 'str(7000 < d["sets"][0]["elements"][0]["expires_in"] <= 7200)')"
for n in 2 3; do
	t_ok "h$n: is cleaned" in_host $n "$PB" set flush bans
done

# --- who would cut a host off from etcd ------------------------------------------------------

# warned N TEXT: its record says so
warned()
{
	put host "h$1" | json 'd.get("warnings")' | grep -qF -e "$2"
}

t_ok 'h1: a rule by which it would be cut off' in_host 1 "$PB" rule add drop tcp sport 2379 from @bans
t_ok 'a ban of an address of etcd' fleet 2 add bans 10.10.1.1,$WORSE
t_ok 'and of a prefix that it is in' fleet 2 add bans 10.10.0.0/16
t_ok 'others are everywhere' everywhere in_set bans $WORSE
for n in 2 3; do
	t_ok "h$n: says what is left out" wait_for 60 said $n "set default/bans: 10.10.0.0/16 is left out: etcd is reached at 10.10.$n.1"
	t_ok "h$n: the address is no etcd to it" in_set $n bans 10.10.1.1
done
t_ok 'h1: says both' wait_for 60 said 1 'set default/bans: 10.10.1.1 is left out'
t_ok 'h1: the prefix, too' wait_for 60 said 1 'set default/bans: 10.10.0.0/16 is left out'
for n in 1 2 3; do
	t_ok "h$n: has no prefix" not_in_set $n bans 10.10.$n.1
	t_ok "h$n: and no other of its addresses" not_in_set $n bans 10.10.77.7
	t_ok "h$n: its record says so" wait_for 60 warned $n '10.10.0.0/16 is left out'
done
t_ok 'h1: its record says how many' warned 1 '(2 like it)'
in_e "$PB" fleet status --config "$T_DIR/h1/fleet.conf" >said
t_ok 'status: says so' grep -q '^h1 *warning: set default/bans: .*etcd is reached at 10.10.1.1' said
documented 'status, with a warning' 'fleet status' < <(in_e "$PB" fleet status -j --config "$T_DIR/h1/fleet.conf")
agent_kill 1
agent 1 'sets = bans, hostile=bad'
t_ok 'h1: says it when it begins' wait_for 60 said 1 '10.10.0.0/16 is left out'
t_ok 'h1: is not cut off' not_in_set 1 bans 10.10.1.1
t_ok 'h1: no more rules' in_host 1 "$PB" rule flush
t_ok 'h1: a rule that lets in' in_host 1 "$PB" rule add allow tcp dport 22 from @bans
t_ok 'h1: then it has all' wait_for 60 in_set 1 bans 10.10.1.1
t_ok 'h1: the prefix, too' in_set 1 bans 10.10.77.7
no_warning()
{
	! warned "$1" 'left out'
}
t_ok 'h1: and no warning' wait_for 60 no_warning 1
# What an agent before has put there goes before etcd is asked.
agent_kill 1
t_ok 'h1: rules that ban' in_host 1 "$PB" rule flush
for rule in 'tcp dport 22 from @bans' 'tcp dport 23 from @hostile' 'tcp sport 2379 from @bans'; do
	# shellcheck disable=SC2086 # words
	t_ok "h1: drop $rule" in_host 1 "$PB" rule add drop $rule
done
t_fail 'h1: is cut off' 1 'etcd at http://10.10.1.1:2379' fleet 1 list bans
agent 1 'sets = bans, hostile=bad'
t_ok 'h1: its agent reaches etcd all the same' wait_for 60 not_in_set 1 bans 10.10.77.7
t_ok 'h1: nor is the address there' wait_for 60 not_in_set 1 bans 10.10.1.1
t_ok 'a list with it' fleet 2 load bad - < <(printf '%s\n' 10.10.2.0/24 $EVIL)
t_ok 'is everywhere' everywhere in_set hostile $EVIL
t_ok 'h2: but there it is left out' wait_for 60 said 2 'set default/hostile: 10.10.2.0/24 is left out'
t_ok 'h2: it is not there' not_in_set 2 hostile 10.10.2.9
t_ok 'h3: it is' in_set 3 hostile 10.10.2.9
t_ok 'all are unbanned' fleet 2 flush bans
t_ok 'and unlisted' fleet 2 flush bad
t_ok 'nobody is left' everywhere nr_is bans 0
t_ok 'nor listed' everywhere nr_is hostile 0
for n in 1 2 3; do
	t_ok "h$n: no warning is left" wait_for 60 no_warning $n
done

# --- a list ---------------------------------------------------------------------------------

"$PYTHON" -c 'for i in range(100000): print("11.%d.%d.%d" % (i >> 16, i >> 8 & 255, i & 255))' >list
t_ok 'a list of 100,000' fleet 1 load bad "$T_DIR/list"
t_note "$T_OUT"
t_ok 'it is everywhere' everywhere nr_is hostile 100000
t_is 'list: says how long it is' 100000 "$(fleet 3 list bad -j | json 'd["listed"]')"
t_ok 'the same again' fleet 1 load bad "$T_DIR/list"
t_ok 'nothing of it is new' grep -q ' 0 are new' <<<"$T_OUT"
ctl put $KEYS/bad/loading 'h9 (4711)' >/dev/null
t_fail 'a second process is told who is at it' 1 'list of bad is being changed by another process, h9 .4711.' \
	fleet 1 load bad "$T_DIR/list"
ctl del $KEYS/bad/loading >/dev/null
echo $EVIL >>list
sed -i '5000d' list
before=$(ctl get --prefix --keys-only $KEYS/bad/chunks/ | grep -c /)
t_ok 'a line more, and one less' fleet 2 load bad "$T_DIR/list"
t_note "$T_OUT"
t_ok 'are a chunk or two each' grep -qE ' [1-4] (is|are) new' <<<"$T_OUT"
t_ok 'and no chunks are left over' test "$(ctl get --prefix --keys-only $KEYS/bad/chunks/ | grep -c /)" -le $((before + 2))
for n in 1 2 3; do
	t_ok "h$n: the line has come" wait_for 60 in_set $n hostile $EVIL
	t_ok "h$n: a connection is stopped" evil_is_silent $n 23
	t_ok "h$n: the other line has gone" wait_for 60 not_in_set $n hostile 11.0.19.135
	t_ok "h$n: all others are there" nr_is $n hostile 100000
done
t_ok 'a ban of what is listed, and of what is not' fleet 1 add bad $EVIL,$WORSE
t_ok 'it is everywhere' everywhere in_set hostile $WORSE
t_ok 'an unban' fleet 1 del bad $EVIL,$WORSE
t_ok 'is everywhere' everywhere not_in_set hostile $WORSE
t_ok 'what the list has stays' everywhere in_set hostile $EVIL
t_ok 'a ban of what is listed' fleet 1 add bad $EVIL
sed -i '$d' list
echo 11.0.19.135 >>list
t_ok 'the list lets it go' fleet 1 load bad "$T_DIR/list"
t_ok 'everywhere' everywhere in_set hostile 11.0.19.135
t_ok 'the ban stays' everywhere in_set hostile $EVIL

# --- fail2ban -------------------------------------------------------------------------------

fail2ban()
{
	PYTHONPATH=$F2B/usr/lib/python3/dist-packages "$PYTHON" "$F2B/usr/bin/fail2ban-client" \
		-c "$T_DIR/f2b" -s "$T_DIR/f2b.sock" -p "$T_DIR/f2b.pid" "$@"
}

fails() { echo "$(date '+%Y-%m-%d %H:%M:%S') failed from $1" >>auth.log; }

# The real one, on h1
with_fail2ban()
{
	mkdir -p f2b/action.d f2b/filter.d
	cp "$TOP/contrib/fail2ban/action.d/xdp-portblock-fleet.conf" f2b/action.d/
	printf '[Definition]\nloglevel = INFO\nlogtarget = STDOUT\ndbfile = None\n' >f2b/fail2ban.conf
	printf '[Definition]\nfailregex = failed from <HOST>$\n' >f2b/filter.d/test.conf
	cat >f2b/jail.conf <<-END
		[DEFAULT]
		enabled = true
		backend = polling
		logpath = $T_DIR/auth.log
		filter = test
		maxretry = 1
		usedns = no
		bantime = 600
		[sshd]
		action = xdp-portblock-fleet[set=bans, config="$T_DIR/h1/fleet.conf", command="$PB"]
	END
	: >auth.log
	bg_host 1 env PYTHONPATH="$F2B/usr/lib/python3/dist-packages" "$PYTHON" "$F2B/usr/bin/fail2ban-server" \
		-f -c "$T_DIR/f2b" -s "$T_DIR/f2b.sock" -p "$T_DIR/f2b.pid" start
	local server=$BG_PID out=$BG_OUT
	t_ok 'fail2ban: is there' wait_for 60 fail2ban ping
	fails $EVIL
	t_ok 'fail2ban: bans on all hosts' everywhere in_set bans $EVIL
	t_is 'fail2ban: for its bantime' True \
		"$(in_host 3 "$PB" set list -j bans | json 'str(500 < d["sets"][0]["elements"][0]["expires_in"] <= 601)')"
	t_ok 'fail2ban: unbans' fail2ban set sshd unbanip $EVIL
	t_ok 'fail2ban: on all hosts' everywhere not_in_set bans $EVIL
	fails 2001:db8::9
	t_ok 'fail2ban: IPv6' everywhere in_set bans 2001:db8::9
	t_ok 'fail2ban: stops' fail2ban stop
	t_ok 'fail2ban: comes to its end' wait_for 60 gone "$server"
	t_is 'fail2ban: has no error' '' "$(grep -E ' (ERROR|CRITICAL) ' "$out")"
	t_ok 'fail2ban: its bans stay' in_set 2 bans 2001:db8::9
	t_ok 'flush' fleet 1 flush bans
	t_ok 'nobody is banned' everywhere nr_is bans 0
}

if F2B=$("$TOP/tests/net/feeder" fail2ban 2>/dev/null); then
	with_fail2ban
else
	t_skip 'fail2ban' "not to be had: tests/net/feeder fetches Debian's"
fi

# --- an agent that is killed ----------------------------------------------------------------

t_ok 'bans' fleet 1 add bans $EVIL,$WORSE
t_ok 'they are everywhere' everywhere nr_is bans 2
t_ok 'h3: one of its own' in_host 3 "$PB" set add bans 203.0.113.1
agent_kill 3
t_ok 'an unban meanwhile' fleet 1 del bans $EVIL
t_ok 'h3: knows nothing of it' in_set 3 bans $EVIL
agent 3 'sets = bans, hostile=bad'
t_ok 'h3: it goes when the agent is back' wait_for 60 not_in_set 3 bans $EVIL
t_ok 'h3: the other ban is there' in_set 3 bans $WORSE
t_ok 'h3: its own, too' in_set 3 bans 203.0.113.1
t_ok 'h3: and the list' nr_is 3 hostile 100001
t_ok 'h3: only its owner reads the journal' test "$(stat -c %a h3/state/default.bans.set)" = 600

# --- etcd is away, and history is compacted ---------------------------------------------------

# An agent that is stopped has its watch from before.
kill -STOP "${HOST_AGENT[2]}"
bg_stop "$ETCD_PID" KILL
t_ok 'h1: says that etcd is away' wait_for 60 said 1 'the rules in force stay'
t_ok 'h1: the ban holds' in_set 1 bans $WORSE
t_ok 'h1: and the list' in_set 1 hostile 11.0.0.1
t_fail 'no ban without etcd' 1 'etcd at http://10.10.1.1:2379' fleet 1 add bans $EVIL
t_ok 'etcd is back' start_etcd
t_ok 'a ban' fleet 1 add bans $EVIL
t_ok 'an unban' fleet 1 del bans $WORSE
t_ok 'a shorter list' fleet 1 load bad - < <(head -n 1000 list)
ctl compaction "$(ctl get -w json /none | json 'd["header"]["revision"]')" >/dev/null
kill -CONT "${HOST_AGENT[2]}"
t_ok 'all have the ban' everywhere in_set bans $EVIL
t_ok 'all have the unban' everywhere not_in_set bans $WORSE
t_ok 'all have the list, and the ban beside it' everywhere nr_is hostile 1001

# --- garbage --------------------------------------------------------------------------------

t_ok 'a ban that is garbage' ctl put $KEYS/bans/bans/192.0.2.1 '{"format":1,"until":"now","host":"h1"}'
t_ok 'one of a later format' ctl put $KEYS/bans/bans/192.0.2.2 '{"format":2}'
t_ok 'one of no address' ctl put $KEYS/bans/bans/here '{"format":1,"until":null,"host":"h1"}'
t_ok 'one that is written otherwise' ctl put $KEYS/bans/bans/192.0.2.3/32 '{"format":1,"until":null,"host":"h1"}'
t_ok 'garbage over a ban' ctl put $KEYS/bans/bans/$EVIL 'no JSON'
t_ok 'a list that is garbage' ctl put $KEYS/bad/list '{"format":1,"digests":["abc"],"nr":1}'
t_ok 'a ban that is right' fleet 1 add bans $WORSE
t_ok 'is everywhere' everywhere in_set bans $WORSE
for n in 1 2 3; do
	for word in 'bans/192.0.2.1: "until" is "now"' 'bans/192.0.2.2: "format" is 2' "bans/here: .*here" \
		"'192.0.2.3/32' is to be written as '192.0.2.3'" "bans/$EVIL is no JSON" "bad/list: 'abc' is no digest"; do
		t_ok "h$n: names $word" wait_for 60 said $n "$word"
	done
	t_ok "h$n: the ban holds" in_set $n bans $EVIL
	t_ok "h$n: the list, too" nr_is $n hostile 1001
done
t_is 'h1: no other has come' '198.51.100.9/32 198.51.100.10/32' "$(set_of 1 bans | xargs)"
t_ok 'list: says so' fleet 1 list bans
t_ok 'list: how many' grep -q '5 bans of bans cannot be understood' <<<"$T_OUT"
agent_kill 3
agent 3 'sets = bans, hostile=bad'
t_ok 'h3: names it when it begins' wait_for 60 said 3 "bad/list: 'abc' is no digest"
t_ok 'h3: has read all' wait_for 60 in_set 3 bans $WORSE
t_ok 'h3: what was in force stays' nr_is 3 hostile 1001
t_ok 'h3: the ban, too' in_set 3 bans $EVIL
t_ok 'what is garbage is deleted' ctl del --prefix $KEYS/bans/bans/
t_ok 'bans have gone' everywhere not_in_set bans $EVIL
t_ok 'a list that is right' fleet 1 load bad - <<<'192.0.2.77'
t_ok 'is everywhere' everywhere in_set hostile 192.0.2.77
t_ok 'and nothing else' everywhere nr_is hostile 2
chunk=$(ctl get --prefix --keys-only $KEYS/bad/chunks/ | xargs)
t_ok 'a chunk that is another' ctl put "$chunk" 'not that'
t_ok 'and one that is not there' ctl put $KEYS/bad/list \
	"{\"format\":1,\"digests\":[\"$(printf '%064d' 7)\"],\"nr\":1}"
t_ok 'h1: names it' wait_for 60 said 1 'chunks/0*7 is not there'
agent_kill 1
t_ok 'the list names the other' ctl put $KEYS/bad/list "{\"format\":1,\"digests\":[\"${chunk##*/}\"],\"nr\":1}"
agent 1 'sets = bans, hostile=bad'
t_ok 'h1: names it when it begins' wait_for 60 said 1 'is not what it was'
t_ok 'h1: the list stays' in_set 1 hostile 192.0.2.77
t_ok 'a list again' fleet 1 load bad - <<<'192.0.2.78'
t_ok 'is everywhere' everywhere in_set hostile 192.0.2.78
t_ok 'and that before is not' everywhere not_in_set hostile 192.0.2.77

# Two lists in a row: the chunks of the first have gone when the agent asks for them.
agent_kill 1
t_ok 'a chunk goes behind its list' ctl del --prefix $KEYS/bad/chunks/
t_ok 'h1: its set is flushed' in_host 1 "$PB" set flush hostile
agent 1 'sets = bans, hostile=bad'
t_ok 'h1: has it from the time of the list' wait_for 60 in_set 1 hostile 192.0.2.78
t_ok 'the same list again' fleet 1 load bad - <<<'192.0.2.78'
t_ok 'mends it' grep -q '1 is new' <<<"$T_OUT"

# --- the host's set is not as it was ----------------------------------------------------------

t_ok 'h1: the ruleset is unloaded' in_host 1 "$PB" unload v0
t_ok 'h1: says that the set is not there' wait_for 60 said 1 'set default/hostile: '
t_ok 'h1: it is loaded again' in_host 1 "$PB" load v0
t_ok 'h1: with a set' in_host 1 "$PB" set create hostile
t_ok 'h1: has all again' wait_for 60 in_set 1 hostile 192.0.2.78
t_ok 'flush' fleet 2 flush bad
t_ok 'the fleet has nothing' everywhere nr_is hostile 0
t_is 'nor has etcd' '' "$(ctl get --prefix --keys-only $KEYS/bad/)"

# --- a stream that stalls ---------------------------------------------------------------------

mkdir proxy
bg nsenter --net="/run/netns/$NS_E" "$PYTHON" "$TOP/tests/net/fleet_proxy.py" 2381 2379 "$T_DIR/proxy"
t_ok 'a proxy' wait_for 60 grep -q '^ready$' "$BG_OUT"
agent_kill 1
agent_conf 1 'sets = bans, hostile=bad'
sed -i 's/:2379/:2381/' h1/fleet.conf
bg_host 1 "$PB" fleet follow --config "$T_DIR/h1/fleet.conf"
HOST_AGENT[1]=$BG_PID HOST_OUT[1]=$BG_OUT
t_ok 'h1: a set for its bans' in_host 1 "$PB" set create bans
t_ok 'bans' fleet 2 add bans $EVIL,$WORSE
t_ok 'one is everywhere' everywhere in_set bans $EVIL
t_ok 'the other, too' everywhere in_set bans $WORSE
touch proxy/swallow
t_ok 'an unban' fleet 2 del bans $EVIL
t_ok 'h3: hears of it' wait_for 60 not_in_set 3 bans $EVIL
t_ok 'h1: does not, for its stream says nothing any more' in_set 1 bans $EVIL
t_ok 'h1: notices that' wait_for 120 said 1 'the stream is stalled: keys have gone'
rm proxy/swallow
t_ok 'h1: has read all anew' wait_for 120 not_in_set 1 bans $EVIL
t_ok 'h1: the other is there' in_set 1 bans $WORSE
t_ok 'nobody is banned' fleet 2 flush bans
t_ok 'h1: its new stream says so' wait_for 120 not_in_set 1 bans $WORSE

# --- once -----------------------------------------------------------------------------------

for n in 1 2 3; do
	agent_kill $n
done
t_ok 'a ban' fleet 2 add bad $EVIL
agent_conf 2 'sets = hostile=bad'
sed -i '/^rulesets/d' h2/fleet.conf
t_ok 'h2: follow --once' in_host 2 "$PB" fleet follow --once --config "$T_DIR/h2/fleet.conf"
t_ok 'h2: has it' in_set 2 hostile $EVIL
sed -i 's/hostile=bad/nowhere=bad/' h2/fleet.conf
t_fail 'h2: a set that is not there' 1 'set default/nowhere: .*nowhere' \
	in_host 2 "$PB" fleet follow --once --config "$T_DIR/h2/fleet.conf"

# --- a set that is too small ------------------------------------------------------------------

t_ok 'h2: a small set' in_host 2 "$PB" set create --max 3 small
sed -i 's/nowhere=bad/small=bad/' h2/fleet.conf
once()
{
	in_host 2 "$PB" fleet follow --once --config "$T_DIR/h2/fleet.conf"
}
t_ok 'a list that is too long, beside a ban' fleet 2 load bad - < <(printf '192.0.2.%d\n' 1 2 3)
t_fail 'h2: says so' 1 'set default/small: .*--max' once
t_is 'h2: nothing of it is there' '' "$(set_of 2 small)"
t_ok 'a shorter one' fleet 2 load bad - < <(printf '192.0.2.%d\n' 1 2)
t_ok 'h2: fits' once
t_is 'h2: is there' '192.0.2.1/32 192.0.2.2/32 198.51.100.9/32' "$(set_of 2 small | xargs)"
t_ok 'another one' fleet 2 load bad - < <(printf '192.0.2.%d\n' 7 8)
t_ok 'h2: fits when that before has gone' once
t_is 'h2: it alone is there' '192.0.2.7/32 192.0.2.8/32 198.51.100.9/32' "$(set_of 2 small | xargs)"

# --- rights -----------------------------------------------------------------------------------

for user in root:rights reader:look; do
	ctl user add "$user" >/dev/null
	(umask 077 && echo "${user#*:}" >"${user%:*}.password")
done
ctl user grant-role root root >/dev/null
ctl role add reader >/dev/null
ctl role grant-permission reader --prefix=true read /xdp-portblock/ >/dev/null
ctl user grant-role reader reader >/dev/null
ctl auth enable >/dev/null
agent_conf 1 'sets = bans, hostile=bad' 'user = reader' "password-file = $T_DIR/reader.password"
t_ok 'who may read lists' fleet 1 list bad
t_fail 'who may not write does not ban' 1 'permission denied: the user of fleet.conf' fleet 1 add bans $EVIL
t_fail 'nor let go' 1 'permission denied: the user of fleet.conf' fleet 1 del bans $EVIL
t_fail 'nor load' 1 'permission denied: the user of fleet.conf' fleet 1 load bad "$T_DIR/list"

t_done
