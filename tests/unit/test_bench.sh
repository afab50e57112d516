#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/bench: the table at the end of `make bench`, the history of the figures, and what compares those that are exact,
# all of results that are made up. Nothing is measured.
# shellcheck disable=SC2016,SC2317 # for sed; functions are called by t_ok

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

t_ok 'doc/bench-history.json is well formed, and all of its versions are in the picture' tests/bench/history check

command -v git >/dev/null || t_skip_all 'no git here'
TREE=$T_DIR/tree
mkdir -p "$TREE"/{tests/bench,build/bench,doc,bin}
cp tests/bench/{*.py,all,history,insns,native} "$TREE/tests/bench"
history=$TREE/tests/bench/history file=$TREE/doc/bench-history.json picture=$TREE/doc/bench-history.svg
g() { git -C "$TREE" -c user.name=t -c user.email=t@example.com -c core.abbrev=7 "$@"; }
# commit DAY [FILE]: a commit of that day, which changes what is measured, or that file; prints its name
commit()
{
	local changed=$TREE/${2:-lib/filter.c}
	mkdir -p "${changed%/*}"
	echo "$1" >>"$changed"
	g add "$changed" && g commit -q -m "$1" --date "$1T12:00:00+0000" && g rev-parse --short HEAD
}
g init -q
before=$(commit 2025-12-31 doc/page) first=$(commit 2026-01-01) second=$(commit 2026-01-02) later=$(commit 2026-01-04 doc/page)

# result NAME COMMIT KERNEL JSON: what a benchmark has left
result()
{
	cat >"$TREE/build/bench/$1.json" <<END
{"world": {"commit": "$2", "date": "2026-02-01", "kernel": "$3", "processor": "P", "cpus": 2, "clang": "clang 14"},
$4}
END
}
# insns COMMIT DIRECT [PARTS CHAINED]
insns()
{
	local none={}
	result insns "$1" 6.18 "\"kernel\": \"6.1.0\", \"clang\": \"clang 14\", \"direct\": $2, \"dispatched\": {\"drop:tcp4\": 9},
\"parts\": ${3-$none}, \"chained\": ${4-$none}"
}
# figure COMMIT KERNEL NAME: its value and unit in the file
figure()
{
	"$PYTHON" -c 'import json, sys
for v in json.load(open(sys.argv[1]))["versions"]:
    if (v["commit"], v["kernel"]) == (sys.argv[2], sys.argv[3]):
        print(*v["figures"].get(sys.argv[4], ["none"]))' "$file" "$@"
}
order() { "$PYTHON" -c 'import json, sys; print(*(v["commit"] for v in json.load(open(sys.argv[1]))["versions"]))' "$file"; }

# --- the table --------------------------------------------------------------------------------

t_fail 'no such benchmark' 2 "there is no benchmark 'insn'; there are insns, native" "$TREE/tests/bench/all" insn
insns "$second" '{"drop:tcp4": 100, "alw_tcp:hit:tcp4": 125}' '{"ports": 24, "less-rule": 74, "xdpfilt_alw_tcp": 116}' \
	'{"ours": [79, 216, 320, 424, 528, 632, 736, 840, 944, 1048], "xdpfilt_alw_tcp": [1, 2]}'
result ns "$second" 6.18 '"one_port": {"bare": {"net": 0}, "drop:tcp4": {"net": 3}, "alw_tcp:hit:tcp4": {"net": 2}},
	"any_port": {"bare": {"net": 0}, "ours:1": {"net": 5}}'
t_ok 'a table of what is there' "$TREE/tests/bench/all" --table
t_is 'names, figures, units, and what ratios are to' "FIGURE VALUE UNIT OF
insns/drop:tcp4 100 instructions
insns/drop:tcp4 to xdp-filter's 0.8 x xdp-filter, TCP only
insns/dispatched/drop:tcp4 9 instructions
insns/parts/ports 24 instructions
insns/parts/less-rule 74 instructions
insns/chained/ours, ten 1,048 instructions
insns/chained/ours, each further one 104 instructions
ns/drop:tcp4 3 ns
ns/any port, ours:1 5 ns" "$(sed '1d; s/  */ /g; s/ $//' <<<"$T_OUT")"
t_ok 'of one' "$TREE/tests/bench/all" --table ns
t_is 'that alone' 'ns/drop:tcp4' "$(sed -n 's/^\(ns[^ ]*tcp4\) .*/\1/p; s/^\(insns[^ ]*\) .*/\1/p' <<<"$T_OUT")"
result control "$second" 6.18 '"commands": {"load": {"median": 0.0917}, "nft, 1000": {"median": 0.009}},
	"ratios": {"load / xdp-filter load": {"median": 0.62}}, "maps": {"cpus": 2, "here": 4194304, "cpus_64": 8388608}'
result pps "$second" 6.18 '"filters": {"bare XDP_DROP": {"1": {"pps": {"median": 9e6}, "of_bare": {"median": 1}, "of_limit": {"median": 1.1}}},
	"xdp-portblock": {"1000": {"pps": {"median": 8e6}, "of_bare": {"median": 0.889}, "of_limit": {"median": 0.95}}}}'
result parts "$second" 6.18 '"modes": {"skb": {"1": {"bare": {}, "ports": {}, "ours": {"of_limit": {"median": 0.94}},
	"less-rule": {"of_limit": {"median": 0.97}}, "xdpfilt_alw_tcp": {"of_ours": {"median": 0.8}}}}}'
t_ok 'a table of others' "$TREE/tests/bench/all" --table control pps parts
t_is 'commands and live frames, ours alone' "FIGURE VALUE UNIT OF
control/load 91.7 ms
control/load to xdp-filter load 0.62 x xdp-filter load
control/kernel memory, 2 CPUs 4 MiB
control/kernel memory, 64 CPUs 8 MiB
pps/xdp-portblock, ports: 1,000 8 Mpps
pps/xdp-portblock, ports: 1,000, to bare 0.889 x bare XDP_DROP
pps/xdp-portblock, ports: 1,000, to the limit 0.95 x a program that reads the ports and drops
parts/skb, ports: 1, ours 0.94 x a program that reads the ports and drops
parts/skb, ports: 1, less-rule 0.97 x a program that reads the ports and drops
parts/skb, ports: 1, to xdp-filter's 1.25 x xdp-filter, TCP only" "$(sed '1d; s/  */ /g; s/ $//' <<<"$T_OUT")"
rm "$TREE"/build/bench/{control,pps,parts}.json
printf '#!/bin/sh\necho measured\n' >"$TREE/tests/bench/ns"
printf '#!/bin/sh\nexit 3\n' >"$TREE/tests/bench/insns"
chmod +x "$TREE"/tests/bench/{ns,insns}
t_fail 'one that fails is said, and does not stop the others' 1 '^insns failed, ns [0-9]+ s$' "$TREE/tests/bench/all" insns ns
t_ok 'and has no figures' test -z "$(grep '^insns/' <<<"$T_OUT")"
cp tests/bench/insns "$TREE/tests/bench"

# --- the history ------------------------------------------------------------------------------

t_fail 'nothing to draw' 1 'has no versions: tests/bench/history add comes first' "$history" plot
t_fail 'nothing to check' 1 'has no versions' "$history" check
t_ok 'figures are added' "$history" add
t_is 'one that is counted, with its kernel' '100 instructions' "$(figure "$second" 6.1.0 insns/drop:tcp4)"
t_is 'one that is timed, with its own' '3 ns' "$(figure "$second" 6.18 ns/drop:tcp4)"
t_ok 'the licence is said' grep -q '^"SPDX-License-Identifier": "GPL-2.0-only",$' "$file"

cp "$file" "$T_DIR/before"
t_ok 'once more' "$history" add
t_ok 'is the same' cmp "$T_DIR/before" "$file"
insns "$second" '{"drop:tcp4": 98}'
t_ok 'the same commit, measured again' "$history" add insns
t_is 'takes its place' '98 instructions' "$(figure "$second" 6.1.0 insns/drop:tcp4)"
t_is 'what was not measured again stays' '0.8 x' "$(figure "$second" 6.1.0 "insns/drop:tcp4 to xdp-filter's")"
t_is 'and it is no more entries' "$second $second" "$(order)"
insns "$later" '{"drop:tcp4": 99}'
t_ok 'a later commit, which changes nothing that is measured' "$history" add insns
t_is 'is the same version' "99 instructions $second $second" "$(figure "$second" 6.1.0 insns/drop:tcp4) $(order)"
insns "$second" '{"drop:tcp4": 98}'
t_ok 'and that one again' "$history" add insns
insns "$first" '{"drop:tcp4": 120}'
t_ok 'an earlier commit' "$history" add insns
t_is 'goes before' "$first $second $second" "$(order)"

# What is refused leaves the file as it is.
cp "$file" "$T_DIR/before"
insns "$second+" '{"drop:tcp4": 1}'
t_fail 'what is not committed' 1 "insns.json is of $second\+: something was not committed" "$history" add
insns "$before" '{"drop:tcp4": 1}'
t_fail 'where there was nothing to measure' 1 "up to $before there is no commit of headers, lib" "$history" add insns
insns 0123456 '{"drop:tcp4": 1}'
t_fail 'what is no commit' 1 "'0123456' is no commit here" "$history" add insns
echo '{"world": {}}' >"$TREE/build/bench/insns.json"
t_fail 'a result of another form' 1 'insns.json is not what tests/bench/insns writes today' "$history" add insns
rm "$TREE"/build/bench/*
t_fail 'no such result' 1 'pps.json is not there: tests/bench/pps comes first' "$history" add pps
t_fail 'no result at all' 1 'nothing in build/bench: make bench comes first' "$history" add
t_fail 'no such benchmark' 1 "there is no benchmark 'pp'" "$history" add pp
t_fail 'a commit without a baseline' 1 "$first has no tests/bench/\*.baseline" "$history" baseline "$first"
t_ok 'leave all as it was' cmp "$T_DIR/before" "$file"

# wrong NAME REGEX SED: a file that is changed so
wrong()
{
	sed "$3" "$T_DIR/before" >"$file"
	t_fail "$1" 1 "bench-history.json.* $2" "$history" plot
}
wrong 'no JSON' 'is no JSON' '$d'
wrong 'no versions' "has no list 'versions'" 's/"versions"/"version"/'
wrong 'an entry without a kernel' "entry 1 has no 'kernel'" '0,/ "kernel"/s// "kerne"/'
wrong 'a figure without a number' "entry 1 has a figure that is no number with a unit: 'insns/drop:tcp4'" '0,/\[120,/s//["120",/'
wrong 'a figure without a unit' "entry 1 has a figure that is no number" '0,/120, "instructions"/s//120/'
wrong 'a date that is none' "entry 1 has a date that is none: 'today'" '0,/"date": "[^"]*"/s//"date": "today"/'
wrong 'the same twice' "entry 2 is of $second on 6.1.0, as one before is" "s/$first/$second/"
cp "$T_DIR/before" "$file"

# --- the picture ------------------------------------------------------------------------------

# A gnuplot that keeps what it is told and draws it as it is
cat >"$TREE/bin/gnuplot" <<END
#!/bin/sh
{ echo '<?xml?>' && cat && echo '<svg/>'; } >"$picture.new"
END
chmod +x "$TREE/bin/gnuplot"
t_ok 'it is drawn' env PATH="$TREE/bin:$PATH" "$history" plot
t_is 'a line begins at 100 %, and is over commits' '0 100.000 1 81.667' \
	"$(sed -n '/^\$line.* << END$/,/^END$/p' "$picture" | grep -B 1 '^1 8' | xargs)"
t_ok 'its name says what it is now' grep -q "title 'insns/drop:tcp4: 98 instructions, 6.1.0'" "$picture"
t_ok 'the licence is in it' grep -q '^<!-- SPDX-License-Identifier: GPL-2.0-only -->$' "$picture"
t_ok 'all versions are in it' "$history" check
sed -i "s/$first/other/" "$picture"
t_fail 'or not' 1 "bench-history.svg is without $first: tests/bench/history plot draws it" "$history" check
if command -v gnuplot >/dev/null; then
	t_ok 'by the real gnuplot' "$history" plot
	t_ok 'all versions are in it' "$history" check
else
	t_skip 'by the real gnuplot' 'no gnuplot here'
fi

# --- what is exact ----------------------------------------------------------------------------

# compared FIGURES [COMPILER]: what a baseline of a and b says to these
compared()
{
	printf '# kernel 6.1.0\n# clang clang 14\na\t100\nb\t200\n' >"$TREE/tests/bench/some.baseline"
	(cd "$TREE/tests/bench" && "$PYTHON" -c 'import json, sys, baseline
sys.exit(not baseline.Baseline("some").check(json.loads(sys.argv[1]), sys.argv[2]))' "$1" "${2-clang 14}")
}
t_ok 'the same' compared '{"a": 100, "b": 200}'
t_ok 'by 3 % more' compared '{"a": 103, "b": 1}'
t_fail 'by more than that' 1 '^over b 200 207$' compared '{"a": 100, "b": 207}'
t_fail 'a case that is gone' 1 '^over a 100 None$' compared '{"b": 200}'
t_fail 'a case that nobody watches' 1 '^over c None 5$' compared '{"a": 100, "b": 200, "c": 5}'
t_ok 'of another compiler it says nothing' compared '{"a": 900}' 'clang 19'
t_is 'but that' 'skip the baseline is of clang 14, this is clang 19' "$T_OUT"
cp "$TREE/tests/bench/some.baseline" "$TREE/tests/bench/insns.baseline"
g add tests/bench/insns.baseline
third=$(commit 2026-01-03)
t_ok 'a baseline is added to the history' "$history" baseline "$third"
t_is 'with its figures' '200 instructions' "$(figure "$third" 6.1.0 insns/b)"
t_is 'in the order of commits' "$first $second $second $third" "$(order)"

# Each case of ours is watched.
watched() { grep -v '^#' "tests/bench/$1" | awk -v prefix="${2-}" '$1 != "" && $1 != "bare" && $2 !~ /^xdpfilt/ { print prefix $1 }'; }
# chained: of chains of the dispatcher, as tests/bench/insns names them, one and ten
chained()
{
	sed -n 's/^CHAINED = (\(.*\))$/\1/p' tests/bench/insns | tr -d '",' | xargs -n 1 | grep -v '^xdpfilt' | cut -d : -f 1 |
		sed 's,.*,chained/&-1\nchained/&-10,'
}
t_is 'insns.baseline has all cases, those under the dispatcher and chains of it, too' \
	"$({ watched cases; watched cases-dispatched dispatched/; chained; } | sort)" \
	"$(grep -v '^#' tests/bench/insns.baseline | cut -f 1 | sort)"
t_is 'native.baseline has all cases of the native engine' "$(watched cases-native | sed -n 's/^native://p' | sort)" \
	"$(grep -v '^#' tests/bench/native.baseline | cut -f 1 | sort)"
t_done
