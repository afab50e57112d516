#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is wrong is refused with the user's own word and changes nothing: exit status 1
# where it failed, 2 where it was said wrongly.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

in_a "$PB" load v0 >/dev/null || t_die 'load fails'
"$PB" rule add 22/tcp >/dev/null
"$PB" rule add --action allow 80/udp >/dev/null

# --- words of a rule -------------------------------------------------------------------

# bad_ports WORD REGEX: as an option of both sides, and in the text
bad_ports()
{
	refused "--port '$1'" 2 "$2" "$PB" rule add --port "$1" --proto tcp
	refused "--sport '$1'" 2 "$2" "$PB" rule add --sport "$1" --proto tcp
	refused "dport '$1'" 2 "$2" "$PB" rule add "drop tcp dport ${1:-\"\"}"
	refused "del --port '$1'" 2 "$2" "$PB" rule del --port "$1" --proto tcp
}

bad_ports 22abc '"22abc" is not a port'
bad_ports -1 '"-1" is not a port'
bad_ports 0 '"0" is not a port'
bad_ports 65536 '"65536" is not a port'
bad_ports 1-65536 '"1-65536" is not a port'
bad_ports 90-80 '"90-80".*80-90'
bad_ports '' 'list of ports is empty'
bad_ports 22,,23 '"22,,23" has an empty place'
bad_ports , '"," has an empty place'
bad_ports 22- '"22-" is not a port'
bad_ports nosuchservice '"nosuchservice" is not a port, nor a service'
for word in 22abc 65536 90-80 nosuchservice; do
	refused "$word/tcp" 2 "\"$word\"" "$PB" rule add "$word/tcp"
done
refused '-1/tcp' 2 '(-1|"-1/tcp")' "$PB" rule add -1/tcp
refused '/tcp' 2 'list of ports is empty' "$PB" rule add /tcp
refused '22/tpc' 2 '"tpc" is not a protocol.*tcp' "$PB" rule add 22/tpc
refused '--proto tpc' 2 '"tpc" is not a protocol.*tcp' "$PB" rule add --port 22 --proto tpc
refused '--proto of nothing' 2 'list of protocols is empty' "$PB" rule add --port 22 --proto ''
refused '22/' 2 'list of protocols is empty' "$PB" rule add 22/
refused '22 without a protocol' 2 '"22" lacks a protocol' "$PB" rule add 22
refused '--action block' 2 '"block" is not an action' "$PB" rule add --port 22 --action block
refused 'both sides' 2 'port.*one side' "$PB" rule add --port 22 --sport 22
refused '--new with --sport' 2 'new.*sport' "$PB" rule add --sport 22 --new
refused '--expires 5' 2 '"5"' "$PB" rule add 23/tcp --expires 5
# bad_rate OPTIONS TEXT REGEX: by options, and in the text
bad_rate()
{
	# shellcheck disable=SC2086 # words
	refused "$1" 2 "$3" "$PB" rule add --port 23 --proto tcp $1
	refused "$2" 2 "$3" "$PB" rule add "drop tcp dport 23 $2"
}

bad_rate '--over 0/s' 'over 0/s' '"0/s" would let nothing through.*without "over"'
bad_rate '--over 10' 'over 10' '"10" says not in what time.*100/s'
bad_rate '--over 10/d' 'over 10/d' '"10/d" has no such time.*second, minute or hour'
bad_rate '--over 101gbit/s' 'over 101gbit/s' '"101gbit/s" is too fast: at most 100gbit/s'
bad_rate '--over 99999999999999999999/s' 'over 99999999999999999999/s' 'beyond what can be counted'
bad_rate '--over 6/m --burst 0' 'over 6/m burst 0' 'a burst of "0" lets nothing through.*burst 10'
bad_rate '--burst 10' 'burst 10' '"burst" stands behind "over"'
bad_rate '--each source' 'each source' '"each" stands behind "over"'
bad_rate '--over 6/m --each port' 'over 6/m each port' 'each "port".*each source/24,64'
bad_rate '--over 6/m --each source/33' 'over 6/m each source/33' '"source/33".*1 to 32 bits'
bad_rate '--over 6/m --total 9/s' 'over 6/m total 9/s' '"total" stands behind "each source"'
bad_rate '--over 1/h --burst 8760' 'over 1/h burst 8760' '"8760" takes more than a year'
bad_rate '--over 1/s --burst 18446744073709551616' 'over 1/s burst 18446744073709551616' \
	'"18446744073709551616" is beyond what can be counted'

# An option that says what the text says: be it the same, and be it what would have been so anyhow
# said OPTION TEXT...
said()
{
	local option=$1
	shift
	# shellcheck disable=SC2086 # words
	refused "$* $option" 2 "$option: the rule's text .* says that already" "$PB" rule add "$@" $option
}
said '--port 24' 'drop tcp dport 23'
said '--sport 24' 23/tcp
said '--over 7/m' 'drop tcp dport 23 over 6/m'
said '--burst 9' 'drop tcp dport 23 over 6/m burst 3'
said '--burst 9' 'drop tcp dport 23 over 6/m burst 6'
said '--burst 6' drop tcp dport 23 over 6/m burst 6
said '--burst 9' 23/tcp over 6/m each source total 9/s comment comment burst 3
said '--each source' 'drop tcp dport 23 over 6/m each source/24'
said '--total 9/s' 'drop tcp dport 23 over 6/m each source total 8/s'
said '--action allow' 'drop tcp dport 23'
said '--action drop' drop tcp dport 23
said '--comment b' '23/tcp comment a'
refused 'over twice' 2 '"over" is given twice' "$PB" rule add drop tcp dport 23 over 6/m over 7/m
refused '--from 10.0.0.0/33' 2 '10.0.0.0/33' "$PB" rule add 23/tcp --from 10.0.0.0/33
refused 'a comment too long' 2 'comment.*64 bytes.*63' \
	"$PB" rule add 23/tcp --comment "$(printf '%064d' 0)"
refused 'a comment over two lines' 2 'comment' "$PB" rule add 23/tcp --comment $'a\nb'
refused 'a rule and other ports by option' 2 'port' "$PB" rule add 22/tcp --port 23
refused 'a rule and other protocols by option' 2 'proto' "$PB" rule add 23/tcp --proto udp
refused 'no rule' 2 '22/tcp' "$PB" rule add
refused 'an open quote' 2 'quote' "$PB" rule add 'drop tcp dport 23 comment "x'
refused 'a word too many' 2 'frobnicate' "$PB" rule add drop tcp dport 23 frobnicate
refused 'policy maybe' 2 '"maybe".*allow.*deny' "$PB" policy maybe
refused 'two policies' 2 "'deny'" "$PB" policy allow deny
refused 'del of an id too large' 1 'no rule' "$PB" rule del 99999999999999999999
refused 'del of id 0' 1 'no rule 0' "$PB" rule del 0

# --- options and commands --------------------------------------------------------------

refused 'an unknown option' 2 '--frob' "$PB" rule add 23/tcp --frob
refused 'an unknown letter' 2 '-x' "$PB" rule add 23/tcp -x
refused 'an unknown letter among others' 2 '-x' in_a "$PB" unload -axk
refused "another command's option" 2 '--keep' "$PB" rule list --keep
refused 'an option without its value' 2 '--port.* value' "$PB" rule add --port
refused 'a letter without its value' 2 '-r.* value' "$PB" rule list -r
refused 'a value that is not wanted' 2 '--json' "$PB" rule list --json=yes
refused 'an option twice' 2 '--port.*twice' "$PB" rule add --port 23 --port 24
refused 'a word that is not wanted' 2 "'v0'" "$PB" rule list v0
refused 'load on nothing' 2 'interface' in_a "$PB" load
refused 'unload of nothing' 2 '--all' in_a "$PB" unload
refused 'unload of one and all' 2 '--all' in_a "$PB" unload v0 --all
for number in 0 65536 -1 x 7x ''; do
	refused "--max-rules '$number'" 2 "--max-rules.*'$number'" in_a "$PB" load lo \
		--max-rules "$number"
	refused "--priority '$number'" 2 "--priority.*'$number'" in_a "$PB" load lo \
		--priority "$number"
done
for number in 0 4194305 -1 x 7x ''; do
	refused "--max-buckets '$number'" 2 "--max-buckets.*'$number'" in_a "$PB" load lo \
		--max-buckets "$number"
done
for name in a/b .. '' 'a b' "$(printf '%032d' 0)"; do
	refused "a ruleset named '$name'" 1 "'$name' is no name" "$PB" rule list -r "$name"
	refused "load -r '$name'" 1 "'$name' is no name" in_a "$PB" load lo -r "$name"
done
refused 'a command that is none' 2 "no command 'frob'" "$PB" frob
refused 'a command of rule that is none' 2 "'rule frob'" "$PB" rule frob
refused 'rule alone' 2 'rule add' "$PB" rule
refused 'nothing at all' 2 'Usage' "$PB"
refused 'an empty word' 2 '' "$PB" ''
refused 'help of no command' 2 "'frob'" "$PB" help frob

t_is 'messages go to stderr' '' "$("$PB" rule add 22abc/tcp 2>/dev/null)"
t_is 'facts to stdout' '' "$("$PB" rule list 2>&1 >/dev/null)"
t_is 'one line says it, one where to look' 2 "$("$PB" rule add 22abc/tcp 2>&1 | wc -l)"
# shellcheck disable=SC2016 # for that bash to expand
t_fail 'a full stdout is a failure' 1 'stdout' bash -c '"$PB" rule list >/dev/full'

# --- help, and commands shortened ------------------------------------------------------

for command in load unload status 'rule add' 'rule del' 'rule list' 'rule flush' \
	'rule reset' policy help; do
	for help in "$command --help" "$command -h" "help $command"; do
		# shellcheck disable=SC2086 # words
		refused "$help" 0 "^Usage: xdp-portblock $command " "$PB" $help
	done
done
for word in --help -h help 'rule --help' 'rule -h'; do
	# shellcheck disable=SC2086 # words
	refused "$word" 0 'rule add' "$PB" $word
done
for word in --version -V; do
	refused "$word" 0 '^xdp-portblock [0-9.]+$' "$PB" $word
done
refused 'statu for status' 0 '^v0' in_a "$PB" statu
refused 'ru li for rule list' 0 'drop tcp dport 22' "$PB" ru li
refused 'rule l for rule list' 0 'drop tcp dport 22' "$PB" rule l
refused 'p for policy' 0 '^allow' "$PB" p
t_done
