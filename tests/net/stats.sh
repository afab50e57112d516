#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# stats: what was sent is what is counted, to the packet and the byte, and the same in
# text, JSON and metrics; readings again and again; metrics in a file.

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

stats()
{
	in_a "$PB" stats "$@"
}

metrics()
{
	stats --prometheus
}

# Nothing to read yet
refused 'no ruleset' 1 "nothing is loaded|load" stats
t_ok 'load' in_a "$PB" load v0
t_ok 'stats without rules says so' grep -qx 'No rules.' <(stats)
t_is 'and in JSON' '[]' "$(stats -j | json 'd["rules"]')"
t_ok 'stats -j has the interface' test "$(stats -j | json 'd["interfaces"][0]["name"]')" = v0
t_is 'of another namespace, there is none' '[]' "$(in_b "$PB" stats -j | json 'd["interfaces"]')"

# --- 100,000 packets, from several processes at once --------------------------------------

# Rule 1, 2 (failsafe), then these. Replies do not matter: nothing answers.
t_ok 'policy deny' "$PB" policy deny
t_ok 'rule 3' "$PB" rule add drop udp dport 1001
t_ok 'rule 4' "$PB" rule add drop udp dport 2001-2010 --comment 'a "quoted" \ word'
t_ok 'rule 5' "$PB" rule add audit udp dport 3001
t_ok 'rule 6' "$PB" rule add allow udp dport 4001
t_ok 'rule 7' "$PB" rule add drop udp sport 5001
t_ok 'rule 8' "$PB" rule add drop udp dport 6001

# With a queue before it a full wire makes the senders wait, where the kernel has veth do so (6.18 has,
# 6.1 has not); without one it loses what v0's processor has no time for.
t_ok 'a queue' in_b tc qdisc add dev v1 root pfifo limit 100000

# PORT COUNT SIZE ADDRESS [SPORT]: what a process sends
senders=(
	"1001 20000 58 $A4"
	"1001 10000 100 $A6"
	"2001 9999 58 $A4"
	"2010 5001 58 $A6"
	"3001 15000 1000 $A4"
	"4001 12345 58 $A4"
	"4001 2 58 $A6"
	"9999 17653 58 $A4"
	"9999 10000 58 $A4 5001"
)
pids=()
for sender in "${senders[@]}"; do
	read -r port count size address sport <<<"$sender"
	bg in_b "$PYTHON" "$PEER" send udp "$address" "$port" --count "$count" --size "$size" \
		--sport "${sport:-0}"
	pids+=("$BG_PID")
done
t_is 'that many are sent' 100000 "$(printf '%s\n' "${senders[@]}" | awk '{ n += $2 } END { print n }')"
for pid in "${pids[@]}"; do
	wait "$pid" || t_die 'a sender failed'
done
t_is 'the wire has lost none' 0 "$(in_b ip -s -j link show dev v1 |
	json 'd[0]["stats64"]["tx"]["dropped"]')"

# bytes COUNT SIZE HEADERS: of so many datagrams
v4=$((14 + 20 + 8)) v6=$((14 + 40 + 8))
declare -A rule_packets=([1]=0 [2]=0 [3]=30000 [4]=15000 [5]=15000 [6]=12347 [7]=10000 [8]=0)
declare -A rule_bytes=([1]=0 [2]=0
	[3]=$((20000 * (v4 + 58) + 10000 * (v6 + 100)))
	[4]=$((9999 * (v4 + 58) + 5001 * (v6 + 58)))
	[5]=$((15000 * (v4 + 1000)))
	[6]=$((12345 * (v4 + 58) + 2 * (v6 + 58)))
	[7]=$((10000 * (v4 + 58))) [8]=0)
declare -A outcome_packets=([pass]=12347 [drop-rule]=55000 [drop-policy]=17653 [audit]=15000
	[fragment]=0 [malformed]=0 [unparsable]=0)
declare -A outcome_bytes=([pass]=${rule_bytes[6]}
	[drop-rule]=$((rule_bytes[3] + rule_bytes[4] + rule_bytes[7]))
	[drop-policy]=$((17653 * (v4 + 58))) [audit]=${rule_bytes[5]}
	[fragment]=0 [malformed]=0 [unparsable]=0)

# The last packets may still be on their way through the other CPU.
wait_for 60 counted 3 30000
stats -j >"$T_DIR/stats.json"
"$PB" rule list -j >"$T_DIR/list.json"
metrics >"$T_DIR/metrics"
stats >"$T_DIR/text"

# metric NAME LABEL=VALUE: of the line with that label
metric()
{
	sed -n "s/^$1{.*$2[,}].* \([0-9]*\)\$/\1/p" "$T_DIR/metrics"
}

for id in "${!rule_packets[@]}"; do
	wanted="${rule_packets[$id]} ${rule_bytes[$id]}"
	of="[r for r in d['rules'] if r['id'] == $id][0]"
	t_is "rule $id: stats -j is exact" "$wanted" \
		"$(json "'{packets} {bytes}'.format(**$of)" <"$T_DIR/stats.json")"
	t_is "rule $id: rule list -j, too" "$wanted" \
		"$(json "'{packets} {bytes}'.format(**$of)" <"$T_DIR/list.json")"
	t_is "rule $id: --prometheus, too" "$wanted" \
		"$(metric xdp_portblock_rule_packets_total "rule=\"$id\"") $(
			metric xdp_portblock_rule_bytes_total "rule=\"$id\"")"
done
for name in "${!outcome_packets[@]}"; do
	wanted="${outcome_packets[$name]} ${outcome_bytes[$name]}"
	t_is "$name: stats -j is exact" "$wanted" \
		"$(json "'{packets} {bytes}'.format(**d['interfaces'][0]['outcomes']['$name'])" \
			<"$T_DIR/stats.json")"
	t_is "$name: status -j, too" "$wanted" "$(in_a "$PB" status -j v0 |
		json "'{packets} {bytes}'.format(**d['interfaces'][0]['outcomes']['$name'])")"
	t_is "$name: --prometheus, too" "$wanted" \
		"$(metric xdp_portblock_interface_packets_total "outcome=\"$name\"") $(
			metric xdp_portblock_interface_bytes_total "outcome=\"$name\"")"
done
t_ok 'text: rule 3' grep -Eq '^3 +30k .*  drop udp dport 1001$' "$T_DIR/text"
t_ok 'text: the outcome' grep -Eq '^drop-rule +55k ' "$T_DIR/text"
t_is 'what rules and outcomes say adds up' 100000 \
	"$(json "sum(o['packets'] for n, o in d['interfaces'][0]['outcomes'].items() if n != 'noport')" \
		<"$T_DIR/stats.json")"

# --- metrics ------------------------------------------------------------------------------

t_is 'each metric has its help and its type' 10 "$(grep -c '^# HELP' "$T_DIR/metrics")"
t_is 'and a type' "$(sed -n 's/^# HELP \([^ ]*\).*/\1/p' "$T_DIR/metrics")" \
	"$(sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' "$T_DIR/metrics")"
t_is 'the number of rules' 'xdp_portblock_rules{ruleset="default"} 8' \
	"$(grep '^xdp_portblock_rules' "$T_DIR/metrics")"
t_ok 'quotes and backslashes in a label' grep -qF 'comment="a \"quoted\" \\ word"' "$T_DIR/metrics"
if promtool=$("$TOP/tests/net/promtool" 2>/dev/null); then
	t_ok 'promtool has nothing to say' "$promtool" check metrics <"$T_DIR/metrics"
	t_is 'nothing at all' '' "$T_OUT"
else
	t_skip 'promtool has nothing to say' 'no promtool here (package prometheus)'
fi

t_ok '-o FILE' stats --prometheus -o "$T_DIR/m.prom"
t_is 'prints nothing else' '' "$T_OUT"
t_is 'the file has what is printed' "$(metrics | grep -v noport)" "$(grep -v noport "$T_DIR/m.prom")"
t_ok '--output' stats --prometheus --output "$T_DIR/m.prom"
# Whoever reads the file sees it whole: its last line is always there.
cat >"$T_DIR/reader.py" <<'READER'
import os, sys
path, flag, seen, files = sys.argv[1], sys.argv[2], 0, set()
print("ready", flush=True)
while not os.path.exists(flag):
    with open(path) as file:
        text = file.read()
        files.add(os.fstat(file.fileno()).st_ino)
    if not text.endswith("\n") or 'answers_held_back_total{' not in text.splitlines()[-1]:
        sys.exit(f"half a file: {text[-100:]!r}")
    seen += 1
print(len(files) > 1 and seen > 10)
READER
bg "$PYTHON" "$T_DIR/reader.py" "$T_DIR/m.prom" "$T_DIR/enough"
reader=$BG_PID reader_out=$BG_OUT
wait_for 60 grep -q '^ready$' "$reader_out"
for _ in {1..40}; do
	stats --prometheus -o "$T_DIR/m.prom" || t_die 'stats -o'
done
touch "$T_DIR/enough"
t_ok 'a reader never sees half a file' wait "$reader"
t_is 'though it was replaced' True "$(tail -n 1 "$reader_out")"
t_is 'nothing is left beside it' "$T_DIR/m.prom" "$(echo "$T_DIR"/m.prom* "$T_DIR"/.m.prom*[a-zA-Z0-9] |
	tr ' ' '\n' | grep -vF '*')"
refused '-o in a folder that is not there' 1 "/nowhere/m.prom.*No such file" \
	stats --prometheus -o /nowhere/m.prom
mkdir "$T_DIR/folder"
refused '-o on a folder' 1 'folder' stats --prometheus -o "$T_DIR/folder"
refused '-o without --prometheus' 2 '--output goes with --prometheus' stats -o "$T_DIR/x"
refused '--json and --prometheus' 2 'exclude' stats -j --prometheus
t_ok '-o made no other file' test ! -e "$T_DIR/x"

# --- again and again ----------------------------------------------------------------------

for what in 0 -1 86401 x ''; do
	refused "-i '$what'" 2 "--interval.*'$what'" stats -i "$what"
	[ "$what" = 86401 ] || refused "-c '$what'" 2 "--count.*'$what'" stats -c "$what"
done
refused 'a word' 2 "'v0'" stats v0
refused 'a ruleset that is not there' 1 'none' stats -r none
t_ok '-c 1 -j' stats -c 1 -j
t_is 'is one line' 1 "$(wc -l <<<"$T_OUT")"

# More than one reading a second there is not; how many fewer is up to the machine.
began=$(clock)
t_ok '-i 1 -c 4: ends' in_a "$PB" stats -i 1 -c 4 -j
took=$(($(clock) + 1 - began))
t_is 'each line is an object' 4 "$("$PYTHON" -c '
import json, sys
print(len([json.loads(line) for line in sys.stdin]))' <<<"$T_OUT")"
t_ok 'there are three seconds between four readings' test $took -ge 300

bg in_a "$PB" stats -i 1 -j
readings=$BG_PID out=$BG_OUT
lines()
{
	[ "$(wc -l <"$out")" -ge "$1" ]
}
# reads EXPRESSION: true of the last reading, for wait_for
reads()
{
	[ "$(grep '}$' "$out" | tail -n 1 | json "$1")" = true ]
}
wait_for 60 lines 1
in_b "$PYTHON" "$PEER" send udp "$A4" 6001 --count 500 --size 58
t_ok 'a reading has the packets' wait_for 60 reads "[x['packets'] for x in d['rules'] if x['id'] == 8] == [500]"
"$PB" rule add drop udp dport 7001 >/dev/null
"$PB" rule del 8 >/dev/null
t_ok 'a rule that is added appears, one that is deleted goes' wait_for 60 reads \
	"9 in [x['id'] for x in d['rules']] and not 8 in [x['id'] for x in d['rules']]"
"$PB" rule reset
t_ok 'after a reset the counters are 0' wait_for 60 reads "not any(x['packets'] for x in d['rules'])"
bg_stop "$readings"
# A line that was being written counts for nothing.
sed -i '/}$/!d' "$out"
# all EXPRESSION: with the readings as d
all()
{
	sed 's/$/,/; 1s/^/[/; $s/,$/]/' "$out" | json "$1"
}
t_is 'the first has no interval and no rates' '[null, null, null]' \
	"$(all "[d[0]['interval'], d[0]['rules'][0]['packets_per_second'],
		d[0]['interfaces'][0]['outcomes']['pass']['bytes_per_second']]")"
t_is 'the others have the time since the one before' true "$(all "all(r['interval'] > 0 for r in d[1:])")"
t_is 'times are ISO 8601, in order' true "$(all "([r['time'] for r in d] == sorted(r['time'] for r in d)
	and all(__import__('re').fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z', r['time']) for r in d))")"
t_is 'a rate is the difference by the interval' true "$(all "all(
	abs(b['packets_per_second'] * r['interval'] - (b['packets'] - a['packets'])) < 0.01
	for p, r in zip(d, d[1:]) for a in p['rules'] for b in r['rules']
	if a['id'] == b['id'] and a['packets'] <= b['packets'])")"
t_is 'the packets that came are in the rate' 500 "$(all "round(sum(
	x['packets_per_second'] * r['interval'] for r in d[1:] for x in r['rules'] if x['id'] == 8))")"
t_is 'of the outcome, too' 500 "$(all "round(sum(r['interfaces'][0]['outcomes']['drop-rule']
	['packets_per_second'] * r['interval'] for r in d[1:]))")"
t_is 'after a reset no rate is below 0' true "$(all "all(x['packets_per_second'] >= 0
	for r in d[1:] for x in r['rules'])")"

t_ok 'text, twice' stats -i 1 -c 2
t_is 'has two tables' 2 "$(grep -c '^RULE' <<<"$T_OUT")"
t_ok 'the second with rates' grep -Eq '^3 +0 +0 +0 +0 ' <<<"$T_OUT"

# --- how it ends --------------------------------------------------------------------------

# shellcheck disable=SC2016 # for that bash to expand
t_ok 'a broken pipe' in_a bash -c '"$PB" stats -i 1 | head -n 1'
t_is 'is quiet' 1 "$(wc -l <<<"$T_OUT")"
# shellcheck disable=SC2016
t_fail 'a full stdout is a failure' 1 'stdout' bash -c '"$PB" stats -j >/dev/full'
bg in_a "$PB" stats -i 1
out=$BG_OUT
wait_for 60 lines 5
t_ok 'unload' in_a "$PB" unload v0
wait "$BG_PID"
t_is 'the ruleset is unloaded: it ends' 1 $?
t_is 'and says so' "xdp-portblock: the ruleset 'default' was unloaded" "$(tail -n 1 "$out")"
t_ok 'load again' in_a "$PB" load v0
refused 'without rights' 1 'CAP_' nobody "$PB" stats
t_done
