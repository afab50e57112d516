#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What does not fit, and what makes no sense, is refused: the message names the limit, the
# number at hand and what would be right, and nothing has changed.

# shellcheck disable=SC2317 # refused calls functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

serve in_a --tcp 22,80

# afresh OPTIONS...: an empty ruleset of that size
afresh()
{
	in_a "$PB" unload -a >/dev/null
	t_ok "load ${*:-}" in_a "$PB" load v0 "$@"
}

# hosts FIRST N: N prefixes of one address each, none beside another
hosts()
{
	"$PYTHON" -c '
import sys
first, n = int(sys.argv[1]), int(sys.argv[2])
print(",".join(f"198.18.{i >> 7}.{(i & 127) * 2}" for i in range(first, first + n)))' "$@"
}

# --- rules ------------------------------------------------------------------------------

afresh --max-rules 10
for port in 1 2 3 4 5 6 7 8 9 22; do
	"$PB" rule add $port/tcp >/dev/null || t_die "rule for $port"
done
t_is 'ten rules fit' 10 "$(rules | wc -l)"
refused 'the eleventh does not' 1 '10 rule.*--max-rules' "$PB" rule add 80/tcp
refused 'nor the failsafe rules' 1 '10 rule.*--max-rules' "$PB" policy deny
t_is 'the policy is still allow' allow "$("$PB" policy)"
t_ok 'what was there still holds' silent tcp "$A4" 22
t_ok 'and what was refused does not' answers tcp "$A4" 80
t_ok 'the same rule again is no new one' "$PB" rule add --action audit 22/tcp
t_ok 'del makes room' "$PB" rule del 9/tcp
t_ok 'for another' "$PB" rule add 80/tcp
t_ok 'which holds' silent tcp "$A4" 80
refused 'and then there is none' 1 '10 rule.*--max-rules' "$PB" rule add 81/tcp
t_ok 'del of three' "$PB" rule del 1/tcp
"$PB" rule del 2/tcp >/dev/null
t_ok 'a rule that ends' "$PB" rule add 1/tcp --expires 1s
t_ok 'and one more' "$PB" rule add 2/tcp
no_longer_listed()
{
	! rules | grep -q 'dport 1 '
}
t_ok 'one that has ended' wait_for 60 no_longer_listed
t_ok 'makes room' "$PB" rule add 83/tcp

afresh --max-rules 20
for port in 1 2 3 4 5 6 7 8 9 10 11; do
	"$PB" rule add $port/tcp >/dev/null
done
t_is 'with --max-rules 20 an eleventh fits' 11 "$(rules | wc -l)"

# --- port lists and classes --------------------------------------------------------------

afresh --max-rules 1
scattered=$(seq -s, 1 2 4001)
refused 'a list of 2001 ports in room for one rule' 1 \
	'need [0-9]{4} entries.*ruleset.s 1:.*--max-rules' \
	"$PB" rule add --port "$scattered" --proto tcp
afresh
t_ok 'is a rule like any other in more room' "$PB" rule add --port "$scattered" --proto tcp

# 512 hosts, of which each rule means another half: every host has its own answer over the
# ports where all the rules meet.
half()
{
	"$PYTHON" -c '
import sys
bit = int(sys.argv[1])
print(",".join(f"198.18.{i >> 8}.{i & 255}" for i in range(512) if i >> bit & 1))' "$1"
}

halves()
{
	for bit in 0 1 2 3 4 5 6 7 8; do
		"$PB" rule add "$((bit + 1))00-2000/tcp" --from "$(half "$bit")" >"$T_DIR/halves" 2>&1 || break
	done
}

afresh --max-rules 10
halves
t_ok 'sources and ranges that overlap meet a limit' grep -q 'decisions' "$T_DIR/halves"
refused 'which is said' 1 '[0-9]+ decisions, [0-9]+ fit.*--max-rules' \
	"$PB" rule add "$((bit + 1))00-2000/tcp" --from "$(half "$bit")"
afresh --max-rules 4096
halves
t_is 'and with a higher --max-rules they fit' 9 "$(rules | wc -l)"

# --- prefixes -----------------------------------------------------------------------------

afresh --max-sources 100
refused '101 prefixes in one rule' 1 '101 source prefixes.* 100.*--max-sources' \
	"$PB" rule add 22/tcp --from "$(hosts 0 101)"
t_ok '22 answers' answers tcp "$A4" 22
t_ok '100 prefixes fit' "$PB" rule add 22/tcp --from "$(hosts 0 100)"
refused 'one more, in another rule, does not' 1 '101 source prefixes.* 100.*--max-sources' \
	"$PB" rule add 80/tcp --except 192.0.2.1
t_ok 'a rule without prefixes does' "$PB" rule add 80/udp
t_ok 'flush' "$PB" rule flush
t_ok 'a hundred, and one of them again, are a hundred' "$PB" rule add 22/tcp --from "$(hosts 0 100),198.18.0.0"
t_ok 'flush' "$PB" rule flush
t_ok 'from and except count together' "$PB" rule add 22/tcp --from 10.0.0.0/8 \
	--except "10.1.2.3,$(hosts 0 98)"
refused 'and one more is too many' 1 '101 source prefixes.* 100.*--max-sources' \
	"$PB" rule add 23/tcp --from 10.0.0.0/8
afresh --max-sources 101
t_ok 'with --max-sources 101 one more fits' "$PB" rule add 22/tcp --from "$(hosts 0 101)"
# Lists that meet over a port take room together, in the kernel's table.
afresh --max-sources 100
t_ok '60 prefixes over one port' "$PB" rule add 22/tcp --from "$(hosts 0 60)"
t_ok '8 over the same' "$PB" rule add 1-100/tcp --from "$(hosts 100 8)"
refused 'that meet in too many ways' 1 '[0-9]+ prefixes in the kernel.s table, 100 fit.*--max-sources' \
	"$PB" rule add 20-30/tcp --from "$(hosts 300 10)"
t_ok '22 answers those who are meant by no rule' answers tcp "$A4" 22

# --- the largest of everything, written and read back ---------------------------------------

# 65,536 ranges in one rule: each port alone, and all of them once more
"$PYTHON" -c 'print("drop tcp dport 1-65535,%s" % ",".join(map(str, range(1, 65536))))' \
	>"$T_DIR/ranges.rules"
afresh --max-rules 65535
t_ok 'a rule of 65,536 ranges' "$PB" apply "$T_DIR/ranges.rules"
t_is 'is listed with all of them' 65536 "$("$PB" rule list -j | json 'len(d["rules"][0]["ports"])')"
t_ok 'and saved' "$PB" save "$T_DIR/saved"
t_ok 'as it was' "$PB" diff "$T_DIR/saved"
t_ok 'which is what was applied' "$PB" diff "$T_DIR/ranges.rules"
t_ok 'a change of another rule' "$PB" rule add 53/udp
t_is 'leaves it as it was' 65536 "$("$PB" rule list -j | json 'len(d["rules"][0]["ports"])')"
t_ok 'its ports stay blocked' silent tcp "$A4" 22

# More than there is room for, in a list that overlaps.
"$PYTHON" -c 'print("drop tcp dport %s" % ",".join(["1-%d" % p for p in range(2, 60002)] +
	["2-%d" % p for p in range(3, 5545)]))' >"$T_DIR/ranges.rules"
refused '65,542 ranges do not fit' 1 '65536 entries.* 65535' "$PB" apply "$T_DIR/ranges.rules"

# As many rules as can be, with the longest comments, one with all prefixes that can be.
"$PYTHON" -c '
for i in range(1 << 20):
    print("2001:db8:%x:%x::/64" % (i >> 16, i & 65535))' >"$T_DIR/prefixes"
"$PYTHON" -c '
import sys
for i in range(65535):
    print("drop tcp,udp dport %d%s comment \"%063d\"" % (i + 1, "" if i else " from @" + sys.argv[1], i))
' "$T_DIR/prefixes" >"$T_DIR/most.rules"
afresh --max-rules 65535 --max-sources 1048576
t_ok 'as many rules and prefixes as can be' "$PB" apply "$T_DIR/most.rules"
t_ok 'are as they were' "$PB" diff "$T_DIR/most.rules"
"$PB" save "$T_DIR/saved"
t_ok 'and are saved so' "$PB" diff "$T_DIR/saved"
t_is 'all rules' 65535 "$(grep -c "comment \"[0-9]\{63\}\"$" "$T_DIR/saved")"
t_is 'all prefixes' 1048576 "$(sed 's/[, ]/\n/g' "$T_DIR/saved" | grep -c '^2001:db8:.*/64$')"
t_fail 'one more rule does not fit' 1 '65535 rule' "$PB" rule add 1/sctp
t_fail 'nor one more prefix' 1 '1048577 source prefixes.* 1048576' \
	"$PB" apply - <<<"drop tcp dport 1 from @$T_DIR/prefixes
drop tcp dport 2 from 192.0.2.1"
t_ok 'and nothing has changed' "$PB" diff "$T_DIR/most.rules"

# --- rules that end, over one port ----------------------------------------------------------

# refused_meanwhile NAME STATUS REGEX COMMAND...: as refused, but time goes by
refused_meanwhile()
{
	local before
	before=$(timeless)
	t_fail "$@"
	t_is "$1: nothing changed" "$before" "$(timeless)"
}

timeless()
{
	state | sed -E 's/("expires_in":)[0-9]+/\1 some/g'
}

afresh
expiring()
{
	local n=$1
	"$PB" rule add "$((80 - n))-$((80 + n))/tcp" --expires "$((n + 1))h"
}
t_ok 'a rule for good' "$PB" rule add 1-1024/tcp
for n in 1 2 3 4 5 6 7; do
	t_ok "a rule that ends, $n" expiring $n
done
refused_meanwhile 'an eighth that the one for good is behind' 1 \
	'tcp dport [0-9]+: 9 rules.* 8 can' expiring 8
t_ok 'elsewhere there is room' "$PB" rule add 2000/tcp --expires 1h
t_ok 'on the other side, too' "$PB" rule add sport 80 --expires 1h
t_ok 'one that ends sooner than a narrower one counts for nothing' \
	"$PB" rule add 60-100/tcp --expires 30m
t_ok 'without the one for good' "$PB" rule del 1-1024/tcp
t_ok 'the eighth fits' expiring 8
refused_meanwhile 'a ninth does not' 1 'tcp dport [0-9]+: 9 rules.* 8 can' expiring 9
t_ok 'the port is blocked' silent tcp "$A4" 80

# --- words --------------------------------------------------------------------------------

afresh
t_ok 'a rule' "$PB" rule add 22/tcp

# bad_prefix WORD REGEX
bad_prefix()
{
	refused "--from $1" 2 "$2" "$PB" rule add 23/tcp --from "$1"
	refused "--except $1 among others" 2 "$2" "$PB" rule add 23/tcp --except "192.0.2.1,$1"
	refused "from $1 in a text" 2 "$2" "$PB" rule add "drop tcp dport 23 from $1"
}

bad_prefix 10.0.0.0/33 '"10\.0\.0\.0/33".*/0 to /32'
bad_prefix fe80::/129 '"fe80::/129".*/0 to /128'
bad_prefix 10.0.0.0/ '"10\.0\.0\.0/".*/0 to /32'
bad_prefix 10.0.0.0/-1 '"10\.0\.0\.0/-1".*/0 to /32'
bad_prefix 10.0.0.0/8x '"10\.0\.0\.0/8x".*/0 to /32'
bad_prefix 10.0.0.256 '"10\.0\.0\.256" is not an address.*10\.0\.0\.0/8'
bad_prefix 10.0/8 '"10\.0/8" is not an address.*10\.0\.0\.0/8'
bad_prefix fe80:::1 '"fe80:::1" is not an address.*2001:db8::/32'
bad_prefix office '"office" is not an address'
refused 'an empty list' 2 'empty' "$PB" rule add 23/tcp --from ''
refused 'an empty place' 2 'empty place' "$PB" rule add 23/tcp --from 10.0.0.1,,10.0.0.2
refused 'no file' 2 'nosuchfile.*No such file' "$PB" rule add 23/tcp --from @./nosuchfile
printf '10.0.0.0/8\n\nfe80::/129\n' >"$T_DIR/list"
refused 'an error in a file' 2 "list:3: \"fe80::/129\".*/0 to /128" \
	"$PB" rule add 23/tcp --from "@$T_DIR/list"
printf '# none\n' >"$T_DIR/list"
refused 'a file without any' 2 'list" holds no prefixes' "$PB" rule add 23/tcp --from "@$T_DIR/list"

refused 'except all that from names' 2 'except "10\.0\.0\.0/8" leaves no source' \
	"$PB" rule add 23/tcp --from 10.1.0.0/16,10.2.3.4 --except 10.0.0.0/8
refused 'in halves' 2 'leaves no source' "$PB" rule add 23/tcp --from 10.0.0.0/8 \
	--except 10.0.0.0/9,10.128.0.0/9
refused 'except all there is' 2 'leaves no source' "$PB" rule add 23/tcp --except 0.0.0.0/0,::/0
t_ok 'all of one family leaves the other' "$PB" rule add 23/tcp --except 0.0.0.0/0
t_ok 'and can go' "$PB" rule del 23/tcp --except 0.0.0.0/0

refused '--new with --sport' 2 '"new".*"sport".*"dport"' "$PB" rule add --sport 22 --new
refused 'new with sport in a text' 2 '"new".*"sport"' "$PB" rule add 'drop tcp sport 22 new'
refused 'new of protocols without sockets' 2 '"new".*tcp and udp only' "$PB" rule add 23/sctp --new

# bad_duration WORD REGEX
bad_duration()
{
	refused "--expires $1" 2 "\"$1\".*$2" "$PB" rule add 23/tcp --expires "$1"
	refused "expires $1 in a text" 2 "\"$1\".*$2" "$PB" rule add "drop tcp dport 23 expires $1"
}

bad_duration 5 'unit.*5s.*5m.*5h.*5d'
bad_duration 1y 'not a duration.*s, m, h and d'
bad_duration -3m 'not a duration.*90s'
bad_duration 0s 'at least 1s'
bad_duration 3651d 'at most 3650d'
bad_duration 99999999999999999999s 'at most 3650d'
bad_duration 18446744073709551617s 'at most 3650d'
bad_duration 10m1h 'large to small'
bad_duration 1.5h 'not a duration'
refused 'an empty duration' 2 'not a duration' "$PB" rule add 23/tcp --expires ''
t_ok '3650d is right' "$PB" rule add 23/tcp --expires 3650d
t_ok 'and can go' "$PB" rule del 23/tcp

# --- deleting what is not there -----------------------------------------------------------

t_ok 'three rules' "$PB" rule add 'drop tcp dport 80-90 from 10.0.0.0/8 comment "office"'
"$PB" rule add 80/udp >/dev/null
refused 'del of a rule with other sources' 1 'no rule.*10\.0\.0\.0/8' \
	"$PB" rule del 80-90/tcp --from 10.1.0.0/16
refused 'del without them' 1 'no rule.*rule 2|no rule.*10\.0\.0\.0/8' "$PB" rule del 80-90/tcp
refused 'del of other ports' 1 'no rule.*80-90' "$PB" rule del 85/tcp
refused 'del of what nothing comes near' 1 'no rule' "$PB" rule del 7/sctp
refused 'del of an id' 1 'no rule 77: the ids in use are' "$PB" rule del 77
t_ok 'del by text, action and comment aside' "$PB" rule del \
	'allow tcp dport 80-90 from 10.0.0.0/8'
t_ok 'del by match' "$PB" rule del --port 80 --proto udp
t_ok 'del by id' "$PB" rule del 1
t_is 'nothing is left' '' "$(rules)"
t_done
