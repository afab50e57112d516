#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# rule add, del, list, flush, reset and policy: what is added is listed, in text and in
# JSON; ids are stable; each form of a rule means the same rule.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

t_fail 'rule add with nothing loaded names load' 1 'xdp-portblock load' "$PB" rule add 22/tcp
t_fail 'with another ruleset, too' 1 "'lab'.*xdp-portblock load.* -r lab" \
	"$PB" rule add -r lab 22/tcp
for command in 'rule list' 'rule flush' 'rule reset' 'rule del 1' 'policy' 'policy deny'; do
	# shellcheck disable=SC2086 # words
	t_fail "$command with nothing loaded names load" 1 'xdp-portblock load' "$PB" $command
done
t_ok 'status with nothing loaded' in_a "$PB" status
t_is 'says so' 'No interface is loaded.' "$T_OUT"
t_is 'in JSON, too' '{"interfaces": []}' "$(in_a "$PB" status --json | json d)"
t_is 'and creates nothing' '' "$(pins)"

t_ok 'load' in_a "$PB" load v0
t_ok 'list of nothing' "$PB" rule list
t_ok 'says so in words' grep -q 'No rules' <<<"$T_OUT"
t_is 'in JSON: an empty array' '["default", "allow", []]' \
	"$("$PB" rule list -j | json '[d[k] for k in ("ruleset", "policy", "rules")]')"

# --- forms -----------------------------------------------------------------------------

# form TEXT ARGUMENTS...: add makes rule 1, listed as TEXT; the text takes it away
form()
{
	local text=$1
	shift
	t_ok "add $*" "$PB" rule add "$@"
	t_is "$*: is listed" "1 $text" "$(rules)"
	t_ok "$*: again" "$PB" rule add "$@"
	t_is "$*: once" "1 $text" "$(rules)"
	t_ok "$*: del" "$PB" rule del "$@"
	t_is "$*: is gone" '' "$(rules)"
	"$PB" rule add "$text" >/dev/null
	t_is "$text: is read back" "$text" "$(rules | cut -d' ' -f2-)"
	# Ids go on from the last one; a new ruleset makes the next form's rule number 1.
	in_a "$PB" unload v0 >/dev/null && in_a "$PB" load v0 >/dev/null
}

form 'drop tcp dport 22' --port 22 --proto tcp
form 'drop tcp dport 22' 22/tcp
form 'drop tcp dport 22' drop tcp dport 22
form 'drop tcp dport 22' ssh/tcp
form 'drop tcp,udp dport 53' --port 53
form 'drop tcp,udp dport 53' dport domain
form 'allow udp sport 53,123' --sport 123,53 --proto udp --action allow
form 'allow udp sport 53,123' allow udp sport 53,123
form 'audit tcp dport 1-65535' audit 1-65535/tcp
form 'drop tcp dport 22,80-90' --port 80-90,22 --proto=tcp
form 'drop tcp,udp,sctp,dccp,udplite dport 7' 7/udplite,dccp,sctp,udp,tcp
form 'drop tcp dport 22 comment "the \"office\""' 22/tcp --comment 'the "office"'
form 'drop tcp dport 22 from 10.0.0.0/8,fd00::/8 except 10.1.0.0/16' --port 22 --proto tcp \
	--from fd00::/8,10.0.0.0/8 --except 10.1.0.0/16
form 'drop tcp dport 22 new' 22/tcp --new
# Options say what the text does not; a comment may say what looks like it.
form 'reject tcp dport 22 over 6/m burst 3 comment "burst"' \
	22/tcp over 6/m comment burst --burst 3 --action reject
form 'drop tcp dport 22 over 6/m burst 3 each source total 9/s' \
	'drop tcp dport 22 over 6/m' --burst 3 --each source --total 9/s
t_ok 'the text as one word' "$PB" rule add 'drop tcp dport 80-90,22 comment "two words"'
t_is 'as several' '1 drop tcp dport 22,80-90 comment "two words"' "$(rules)"
t_is 'JSON has every field' '[1, "drop", ["tcp"], "dport", ["22", "80-90"], [], [], false, null,'\
' "two words", 0, 0]' "$("$PB" rule list -j | json '[d["rules"][0][k] for k in ("id", "action",
	"protocols", "side", "ports", "from", "except", "new", "expires_in", "comment",
	"packets", "bytes")]')"
t_ok 'add -j' "$PB" rule add -j 25/tcp
t_is 'says what it did' '{"id": 2, "result": "added"}' "$(json d <<<"$T_OUT")"
t_is 'or that it was so' unchanged "$("$PB" rule add -j 25/tcp | json 'd["result"]')"
t_is 'or what has changed' '{"id": 2, "result": "changed"}' \
	"$("$PB" rule add -j --action audit --comment c 25/tcp | json d)"
t_is 'same rule, same id' '2 audit tcp dport 25 comment "c"' "$(rules | grep '^2 ')"
began=$(clock)
t_ok 'a rule that ends' "$PB" rule add 26/tcp --expires 1h
t_ok 'has its seconds left in JSON' is_left "$(rule_is 3 expires_in)" 3600 "$began"
t_ok 'flush' "$PB" rule flush
t_is 'leaves nothing' '' "$(rules)"

# --- ids -------------------------------------------------------------------------------

in_a "$PB" unload v0 >/dev/null && in_a "$PB" load v0 >/dev/null
for port in 1 2 3 4 5; do
	"$PB" rule add $port/tcp >/dev/null
done
t_ok 'del two by id' "$PB" rule del 2 4
t_is 'the others keep theirs' $'1 drop tcp dport 1\n3 drop tcp dport 3\n5 drop tcp dport 5' \
	"$(rules)"
t_ok 'add after that' "$PB" rule add 6/tcp
t_is 'changes none of theirs' $'1 drop tcp dport 1\n3 drop tcp dport 3\n5 drop tcp dport 5' \
	"$(rules | grep -v ' 6$')"
t_ok 'add one more' "$PB" rule add 7/tcp
id7=$("$PB" rule list -j | json '[r["id"] for r in d["rules"] if r["ports"] == ["7"]][0]')
t_ok 'del of one id, thrice' "$PB" rule del "$id7" "$id7" "0$id7"
t_is 'tells it once' "Rule $id7 deleted." "$T_OUT"
refused 'del of an id that has gone, twice' 1 "no rule $id7: " "$PB" rule del "$id7" "$id7"
refused 'del of an id that is not there' 1 'no rule 99: the ids in use are 1, 3, 5-6' \
	"$PB" rule del 99
refused 'del of several, one not there' 1 'no rule 99: the ids in use are 1, 3, 5-6' \
	"$PB" rule del 1 99
refused 'del of a rule that is not there shows near ones' 1 'no rule.*tcp dport 4-9.*rule 5' \
	"$PB" rule del 4-9/tcp
refused 'del of another protocol of it' 1 'no rule.*udp dport 5' "$PB" rule del 5/udp

# --- policy, and what fits -------------------------------------------------------------

t_is 'policy prints it' allow "$("$PB" policy)"
t_ok 'policy deny' "$PB" policy deny
t_is 'is listed' deny "$("$PB" rule list -j | json 'd["policy"]')"
t_is 'is printed in JSON' '["default", "deny"]' \
	"$("$PB" policy -j | json '[d[k] for k in ("ruleset", "policy")]')"
t_is 'brings the failsafe rules' '["udp 68 allow failsafe", "udp 546 allow failsafe"]' \
	"$("$PB" rule list -j | json '[" ".join([r["protocols"][0], r["ports"][0], r["action"],
		r["comment"]]) for r in d["rules"] if r["comment"]]')"
t_ok 'policy deny again' "$PB" policy deny
t_is 'brings them once' 2 "$(rules | grep -c failsafe)"
t_ok 'policy allow' "$PB" policy allow
t_is 'is allow again' allow "$("$PB" policy)"
t_ok 'unload' in_a "$PB" unload v0

t_ok 'load --max-rules 3' in_a "$PB" load v0 --max-rules 3
for port in 1 2 3; do
	t_ok "rule $port fits" "$PB" rule add $port/tcp
done
refused 'the fourth does not: --max-rules' 1 '3 .*--max-rules' "$PB" rule add 4/tcp
refused 'nor do the failsafe rules' 1 '--max-rules' "$PB" policy deny
t_ok 'a change of one that is there fits' "$PB" rule add --action allow 3/tcp
t_ok 'del makes room' "$PB" rule del 1
t_ok 'for another one' "$PB" rule add 4/tcp
t_is 'with the ids that fit' $'2 drop tcp dport 2\n3 allow tcp dport 3' "$(rules | grep '^[23] ')"
t_done
