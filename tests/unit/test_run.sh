#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Test of the tests: what tests/tap.awk counts, and what it must not take for a
# pass. A counter that is too kind would hide every other fault.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh
# The tests of its trees are in build, whatever this one is run for.
unset PB_BUILD PB_ALL PB_SUPPORT
# One process beside the others, unless said
export PB_LANES=1

# counts NAME EXPECTED STATUS TIMEOUT LINE...: EXPECTED is "PASSED FAILED SKIPPED"
# and, where the stream as a whole is wrong, one of the complaints.
counts()
{
	local name=$1 expected=$2 status=$3 timeout=$4
	shift 4
	t_is "$name" "$expected" "$(printf '%s\n' "$@" |
		awk -v status="$status" -v timeout="$timeout" -f tests/tap.awk | paste -sd ';')"
}

counts 'plan first' '2 0 0' 0 0 1..2 'ok 1 - a' 'ok 2 - b'
counts 'plan last' '2 0 0' 0 0 'ok 1 - a' 'ok 2 - b' 1..2
counts 'a failure' '1 1 0' 1 0 1..2 'ok 1 - a' 'not ok 2 - b'
counts 'a skip is no pass' '1 0 1' 0 0 1..2 'ok 1 - a' 'ok 2 - b # SKIP no qemu'
counts 'skip in lower case' '0 0 1' 0 0 1..1 'ok 1 - b # skip why'
counts 'skip of all' '0 0 1' 0 0 '1..0 # SKIP no kernel'
counts 'noise between results' '2 0 0' 0 0 1..2 '# hm' 'ok 1 - a' 'ok, so be it' 'okay' 'ok 2 - b'
counts 'results without names' '1 1 0' 1 0 1..2 ok 'not ok'
counts 'serial console' '1 0 0' 0 0 $'1..1\r' $'ok 1 - a\r'
counts 'subtests are noise' '1 0 0' 0 0 1..1 '    not ok 1 - inner' 'ok 1 - outer'

counts 'nothing at all' '0 1 0;no plan (1..N): ended early, or no TAP' 0 0
counts 'no plan' '1 1 0;no plan (1..N): ended early, or no TAP' 0 0 'ok 1 - a'
counts 'empty plan' '0 1 0;no test ran' 0 0 1..0
counts 'fewer than planned' '1 1 0;planned 3 tests, ran 1' 0 0 1..3 'ok 1 - a'
counts 'more than planned' '2 1 0;planned 1 tests, ran 2' 0 0 1..1 'ok 1 - a' 'ok 2 - b'
counts 'died after the last test' '1 1 0;exit status 139, but no test failed' 139 0 1..1 'ok 1 - a'
counts 'died in between' '1 2 0;exit status 1, but no test failed;planned 2 tests, ran 1' \
	1 0 1..2 'ok 1 - a'
counts 'failed and says so' '0 1 0' 1 0 1..1 'not ok 1 - a'
counts 'bail out' '1 1 0;Bail out! no memory' 1 0 1..1 'ok 1 - a' 'Bail out! no memory'
counts 'timeout' '1 2 0;timed out after 5 s;planned 2 tests, ran 1' 124 5 1..2 'ok 1 - a'
counts 'timeout at the very end' '1 1 0;timed out after 5 s' 124 5 1..1 'ok 1 - a'
counts 'todo is not known here' '0 1 0' 1 0 1..1 'not ok 1 - a # TODO later'

# What cmocka 1.1.5 prints
counts 'cmocka: two groups' '3 0 0' 0 0 1..2 'ok 1 - a' 'ok 2 - b' '# ok - g' 1..1 'ok 1 - c' '# ok - h'
counts 'cmocka: skip' '0 0 1' 0 0 1..1 'not ok 1 # SKIP a' '# ok - g'
counts 'cmocka: group setup' '0 2 0;planned 2 tests, ran 0' \
	1 0 1..2 'not ok 0 - g [  FAILED  ] GROUP SETUP' '# ok - g'
counts 'cmocka: group teardown' '1 1 0' \
	1 0 1..1 'ok 1 - a' 'not ok 0 - g [  FAILED  ] GROUP TEARDOWN' '# not ok - g'

# tests/run over a tree of its own, where make and the packages are stand-ins and
# the layers are fake test files.
fake_tree()
{
	tree=$T_DIR/tree
	rm -rf "$tree"
	mkdir -p "$tree"/tests/{unit,net} "$tree/bin"
	cp tests/run tests/tap.awk "$tree/tests/"
	printf '#!/bin/sh\n' | tee "$tree/tests/deps" "$tree/tests/give-back" >"$tree/bin/make"
	chmod +x "$tree/tests/deps" "$tree/tests/give-back" "$tree/bin/make"
	echo 'HAVE_SANITIZERS := no' >"$tree/config.mk"
}

# fake NAME LINE...: a test of layer unit
fake()
{
	local file=$tree/tests/unit/test_$1.sh
	shift
	{
		echo '#!/bin/bash'
		printf '%s\n' "$@"
	} >"$file"
	chmod +x "$file"
}

# run_tree [ARGUMENT...]
run_tree()
{
	CI=${ci:-} TMPDIR=$T_DIR PATH=$tree/bin:$PATH "$tree/tests/run" "$@" >"$T_DIR/log" 2>&1
}

# run_is NAME STATUS LAST-LINE [ARGUMENT...]
run_is()
{
	local name=$1 status=$2 last=$3 got
	shift 3
	run_tree "$@"
	got=$?
	t_is "$name" "$status: $last" "$got: $(tail -n 1 "$T_DIR/log")"
}

# The layer's second half is a skip here: there are no sanitizers.
fake_tree
fake a 'echo 1..2; echo ok 1 - x; echo ok 2 - y'
run_is 'run: all pass' 0 '2 passed, 0 failed, 1 skipped' unit
fake b 'echo 1..2; echo ok 1 - x; exit 3'
run_is 'run: early exit' 1 '3 passed, 2 failed, 1 skipped' unit
t_ok 'run: shows the failing output' grep -q '| ok 1 - x' "$T_DIR/log"
t_ok 'run: says what is wrong' grep -q '! planned 2 tests, ran 1' "$T_DIR/log"
# What failed long before the end is shown, too.
# shellcheck disable=SC2016 # for the test to expand
fake c 'echo 1..302; echo ok 1 - early; echo not ok 2 - this; echo "#   because"
	for i in $(seq 3 302); do echo "ok $i - more"; done; exit 1'
run_is 'run: one of many fails' 1 '301 passed, 1 failed, 1 skipped' unit:c
t_is 'run: shows which, and why' 'not ok 2 - this,#   because,ok 103 - more' \
	"$(sed -n 's/^    | //p' "$T_DIR/log" | head -n 3 | paste -sd,)"
rm "$tree/tests/unit/test_c.sh"
run_is 'run: one test' 0 '2 passed, 0 failed, 1 skipped' unit:a
run_is 'run: a pattern' 1 '3 passed, 2 failed, 1 skipped' 'unit:[ab]'
run_is 'run: no such test' 1 '0 passed, 1 failed, 1 skipped' unit:nix
t_fail 'run: no such layer' 2 "no layer 'nix'; there are: unit proof prog net vm deb" "$tree/tests/run" nix

fake_tree
run_is 'run: an empty layer' 1 '0 passed, 1 failed, 1 skipped' unit
fake a 'echo 1..1; echo ok 1 - x'
ci=true run_is 'run: CI wants all' 1 '1 passed, 1 failed, 0 skipped' unit

fake_tree
# shellcheck disable=SC2016 # for the test to expand
fake slow '# timeout: 5' 'echo 1..1; sleep 300 & echo $! >"$TMPDIR/slow.pid"; wait'
run_is 'run: timeout' 1 '0 passed, 2 failed, 1 skipped' unit
t_ok 'run: timeout kills children' wait_for 60 gone "$(cat "$T_DIR/slow.pid")"

fake_tree
# shellcheck disable=SC2016 # for the test to expand
fake loose 'echo 1..1; echo ok 1 - x; sleep 300 & echo $! >"$TMPDIR/loose.pid"'
run_is 'run: children left behind' 0 '1 passed, 0 failed, 1 skipped' unit
t_ok 'run: children left behind are ended' wait_for 60 gone "$(cat "$T_DIR/loose.pid")"

# In the background, where a shell has its commands ignore them
fake_tree
# shellcheck disable=SC2016 # for the test to expand
fake signals 'echo 1..2; for s in INT QUIT; do sh -c "kill -$s \$\$"
	[ $? -gt 128 ] || printf "not "; echo "ok - $s"; done'
run_is 'run: a test does not ignore SIGINT nor SIGQUIT' 0 '2 passed, 0 failed, 1 skipped' unit

# --all: tests are told
fake_tree
# shellcheck disable=SC2016 # for the test to expand
fake all 'echo 1..1; echo ok 1 - x; echo "${PB_ALL-}" >"$TMPDIR/all"'
run_is 'run: a part of what is drawn' 0 '1 passed, 0 failed, 1 skipped' unit
t_is 'run: a part: tests see no PB_ALL' '' "$(cat "$T_DIR/all")"
run_is 'run: --all' 0 '1 passed, 0 failed, 1 skipped' --all unit
t_is 'run: --all: tests see PB_ALL' 1 "$(cat "$T_DIR/all")"
run_tree
t_fail 'run: the packages are no part of it' 1 '' grep -qE '^[a-zA-Z]+ +deb' "$T_DIR/log"
run_tree --all
t_ok 'run: but of --all' grep -qE '^[a-zA-Z]+ +deb' "$T_DIR/log"

# --busy: a burner for each processor, as long as the test runs, and no longer
# shellcheck disable=SC2016 # for the tests to expand
burners='echo 1..1; run=$(ps -o ppid= -p "$PPID" | tr -d " ")
	# One that has just begun has not lowered its priority yet.
	for _ in $(seq 600); do
		ps -o pid=,ni= --ppid "$run" | grep " $(nice -n 19 nice)$" >"$TMPDIR/burners"
		[ "$(wc -l <"$TMPDIR/burners")" -lt "$WANTED" ] || break
		sleep 0.1
	done'
fake_tree
fake load "$burners" 'echo ok 1 - x'
export WANTED=0
run_is 'run: not busy' 0 '1 passed, 0 failed, 1 skipped' unit:load
t_is 'run: not busy: no burner' 0 "$(wc -l <"$T_DIR/burners")"
WANTED=$(nproc)
run_is 'run: busy alone' 0 '1 passed, 0 failed, 1 skipped' --busy unit:load
t_is 'run: busy: a burner for each processor' "$(nproc)" "$(wc -l <"$T_DIR/burners")"
t_ok 'run: busy: is said' grep -q '^ok *busy:unit:load' "$T_DIR/log"
while read -r burner _; do
	t_ok 'run: busy: a burner has ended' gone "$burner"
done <"$T_DIR/burners"
# (Where there are none, none are waited for.)
WANTED=0 run_is 'run: one count for all' 0 '2 passed, 0 failed, 2 skipped' unit:load --busy unit
t_fail 'run: busy what' 2 'busy what' "$tree/tests/run" --busy
t_fail 'run: busy with no such layer' 2 "no layer 'nix'" "$tree/tests/run" --busy nix
# shellcheck disable=SC2016 # for the tests to expand
fake load "$burners" 'kill -KILL $run'
rm "$T_DIR/burners"
run_tree --busy unit:load
# shellcheck disable=SC2317 # called by wait_for
burners_gone()
{
	local burner
	while read -r burner _; do
		gone "$burner" || return
	done <"$T_DIR/burners"
}
t_ok 'run: killed: there were burners' test -s "$T_DIR/burners"
t_ok 'run: killed: the burners end, too' wait_for 60 burners_gone

# --beside: another process, at the same time, whose counts are added
# shellcheck disable=SC2016 # for the tests to expand
{
	meet='until [ -e "$TMPDIR/$other" ]; do [ $SECONDS -lt 60 ] || exit 1; sleep 0.02; done'
	forever='sleep 300 & echo $! >"$TMPDIR/sleep.pid"; ps -o ppid= -p "$PPID" >"$TMPDIR/run.new"
		mv "$TMPDIR/run.new" "$TMPDIR/run.pid"; wait'
}
# fake_pair LINE...: test b, to run beside a; each waits for the other to have begun
fake_pair()
{
	fake_tree
	rm -f "$T_DIR"/{a,b,*.pid}
	fake a "other=b; touch \"\$TMPDIR/a\"; $meet" 'echo 1..1; echo ok 1 - x'
	fake b "other=a; touch \"\$TMPDIR/b\"; $meet" "$@"
}

fake_pair 'echo 1..2; echo ok 1 - x; echo ok 2 - y'
run_is 'run: beside: at the same time' 0 '3 passed, 0 failed, 2 skipped' unit:a --beside unit:b
t_ok 'run: beside: is said' grep -q '^ok *beside:unit:b' "$T_DIR/log"
t_fail 'run: beside: without complaints' 1 '' grep 'line [0-9]*:' "$T_DIR/log"
t_is 'run: beside: one summary' 1 "$(grep -c 'passed, .* skipped$' "$T_DIR/log")"
rm -f "$T_DIR"/[ab]
run_is 'run: beside a busy one' 0 '3 passed, 0 failed, 2 skipped' --beside unit:b --busy unit:a
run_is 'run: beside nothing' 0 '2 passed, 0 failed, 1 skipped' --beside unit:b
run_is 'run: beside: no such test' 1 '1 passed, 1 failed, 2 skipped' unit:a --beside unit:nix
t_fail 'run: beside what' 2 'beside what' "$tree/tests/run" unit --beside
t_fail 'run: beside: no such layer' 2 "no layer 'nix'" "$tree/tests/run" unit --beside nix
# Of two beside, the second is what the first waits for: who is done with the others runs it.
fake_pair 'echo 1..2; echo ok 1 - x; echo ok 2 - y'
# shellcheck disable=SC2016 # for the tests to expand
fake b "other=c; touch \"\$TMPDIR/b\"; $meet" 'echo 1..1; echo ok 1 - x'
# shellcheck disable=SC2016 # for the test to expand
fake c 'touch "$TMPDIR/c"; echo 1..1; echo ok 1 - x'
run_is 'run: beside: what is left is shared' 0 '3 passed, 0 failed, 2 skipped' unit:a --beside 'unit:[bc]'
t_ok 'run: beside: its own' grep -q '^ok *beside:unit:b' "$T_DIR/log"
t_ok 'run: beside: the others help' grep -q '^ok *unit:c' "$T_DIR/log"
rm -f "$T_DIR"/[abc]
# shellcheck disable=SC2016 # for the tests to expand
fake c '# timeout: 2000' 'touch "$TMPDIR/c"; echo 1..1; echo ok 1 - x'
run_is 'run: beside: the long ones first' 0 '3 passed, 0 failed, 2 skipped' unit:a --beside 'unit:[bc]'
t_is 'run: beside: in this order' 'beside:unit:c beside:unit:b' \
	"$(grep -o 'beside:unit:.' "$T_DIR/log" | xargs)"
run_is 'run: beside: nothing runs twice' 0 '3 passed, 0 failed, 3 skipped' unit:a --beside unit:c --beside 'unit:[bc]'

# Who cannot say that a test is taken runs it: better twice than not at all.
fake_tree
fake a 'echo 1..1; echo ok 1 - x'
fake b 'echo 1..1; echo ok 1 - x'
# shellcheck disable=SC2016 # for the stand-in to expand
printf '#!/bin/sh\ncase $* in *taken:*) exit 1 ;; esac\nexec /bin/mkdir "$@"\n' >"$tree/bin/mkdir"
chmod +x "$tree/bin/mkdir"
run_tree unit:a --beside unit:b
t_ok 'run: beside: a disk that is full loses no test' grep -q '^ok .*unit:b' "$T_DIR/log"

# Two processes beside the others: b and c are both of them, and wait for each other
fake_pair 'echo 1..1; echo ok 1 - x'
# shellcheck disable=SC2016 # for the tests to expand
{
	fake b "other=c; touch \"\$TMPDIR/b\"; $meet" "other=a; $meet" 'echo 1..1; echo ok 1 - x'
	fake c "other=b; touch \"\$TMPDIR/c\"; $meet" "other=a; $meet" 'echo 1..1; echo ok 1 - x'
}
export PB_LANES=2
run_is 'run: beside: two at once, beside a third' 0 '3 passed, 0 failed, 2 skipped' unit:a --beside 'unit:[bc]'
t_is 'run: beside: two: each is said' 2 "$(grep -c '^ok *beside:unit:[bc]' "$T_DIR/log")"
run_is 'run: beside: two: no such test is said once' 1 '1 passed, 1 failed, 2 skipped' unit:a --beside unit:nix
# Who is done with what is beside runs what is busy.
rm -f "$T_DIR"/[abc]
fake a "other=b; touch \"\$TMPDIR/a\"; $meet" 'echo 1..1; echo ok 1 - x'
fake b "other=a; touch \"\$TMPDIR/b\"; $meet" 'echo 1..1; echo ok 1 - x'
fake c 'echo 1..1; echo ok 1 - x'
run_is 'run: busy: the others help' 0 '3 passed, 0 failed, 2 skipped' --busy 'unit:[ab]' --beside unit:c
t_is 'run: busy: each ran once, as such' 2 "$(grep -c '^ok *busy:unit:[ab]' "$T_DIR/log")"
rm -f "$T_DIR"/[abc]
run_is 'run: the same busy and beside: both' 0 '4 passed, 0 failed, 3 skipped' --busy 'unit:[ab]' --beside 'unit:c' --busy unit:c
fake a 'echo 1..1; echo ok 1 - x'
fake b 'echo 1..0 "# SKIP no"'
fake c 'echo 1..0 "# SKIP no"'
ci=true run_is 'run: beside: two: CI wants all' 1 '1 passed, 3 failed, 2 skipped' unit:a --beside 'unit:[bc]'
export PB_LANES=1

fake_pair 'echo 1..2; echo ok 1 - x; echo not ok 2 - y'
run_is 'run: beside: a failure counts' 1 '2 passed, 1 failed, 2 skipped' unit:a --beside unit:b
t_ok 'run: beside: shows the failing output' grep -q '| not ok 2 - y' "$T_DIR/log"
fake_pair 'echo 1..0 "# SKIP no"'
ci=true run_is 'run: beside: CI wants all' 1 '1 passed, 3 failed, 1 skipped' unit:a --beside unit:b

# fake_killer LINE...: test a, once test b has begun, which sleeps on
fake_killer()
{
	fake_tree
	rm -f "$T_DIR"/*.pid
	fake a "other=run.pid; $meet" "$@"
	fake b "$forever"
}

# shellcheck disable=SC2016 # as above
fake_killer 'kill -KILL "$(cat "$TMPDIR/run.pid")"; echo 1..1; echo ok 1 - x'
run_is 'run: beside: one that dies has failed' 1 '1 passed, 1 failed, 1 skipped' unit:a --beside unit:b
t_ok 'run: beside: and is named' grep -q '^FAIL *beside .*without its counts' "$T_DIR/log"
t_ok 'run: beside: its test has ended' wait_for 60 gone "$(cat "$T_DIR/sleep.pid")"
for signal in TERM INT HUP; do
	fake_killer "kill -$signal \$(ps -o ppid= -p \"\$PPID\"); sleep 300"
	run_is "run: beside: $signal ends both" 1 '0 passed, 2 failed, 0 skipped' unit:a --beside unit:b
	t_ok "run: beside: $signal: its test has ended" gone "$(cat "$T_DIR/sleep.pid")"
	t_ok "run: beside: $signal: the process has ended" gone "$(cat "$T_DIR/run.pid")"
done
# shellcheck disable=SC2016 # as above
fake_killer 'kill -KILL $(ps -o ppid= -p "$PPID")'
run_tree unit:a --beside unit:b
t_ok 'run: beside: killed: both ran' test -s "$T_DIR/sleep.pid" -a -s "$T_DIR/run.pid"
t_ok 'run: beside: killed: its test ends, too' wait_for 60 gone "$(cat "$T_DIR/sleep.pid")"
t_ok 'run: beside: killed: the process ends, too' wait_for 60 gone "$(cat "$T_DIR/run.pid")"

# Both would build, at the same time, what was not built before.
fake_pair 'echo 1..1; echo ok 1 - x'
# shellcheck disable=SC2016 # as above
printf '#!/bin/sh\necho "$@" >>"$TMPDIR/made"\n' >"$tree/bin/make"
run_is 'run: beside: builds' 0 '2 passed, 0 failed, 2 skipped' unit:a --beside unit:b
t_is 'run: beside: builds but once' 1 "$(grep -c unit-tests "$T_DIR/made")"

fake_tree
printf '#!/bin/sh\necho "lib/rule.c:1: error: no"; exit 2\n' >"$tree/bin/make"
run_is 'run: make fails' 1 '0 passed, 1 failed, 0 skipped' unit
t_ok 'run: shows why' grep -q 'rule.c:1: error: no' "$T_DIR/log"

# What stands behind something else in its line is not read.
t_is 'each time that a test may take has a line of its own' '' \
	"$(cd "$TOP" && grep -nE '^[#/* ]*[^#/* ].* timeout: [0-9]+\.?$' tests/*/*.{sh,c,py} tests/*/test_* 2>/dev/null | sort -u)"
t_done
