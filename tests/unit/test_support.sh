#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/support: doc/support.md is what it writes, and what it makes of results.
# shellcheck disable=SC2317 # functions are called by t_ok

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

t_ok 'doc/support.md is in the form in which it is written' tests/support --check

# runs MACHINE DRIVER-PATTERN: the drivers, kernels and lands of the page
runs() { tests/support --runs | sed -nE "s/^$1 ($2) /\1 /p" | sort; }
# each LAND: a line for each of those kernels
each() { sed "s/\$/ $1/"; }
# default FILE VARIABLE: the words that a test takes for it where nobody says others, a line each
default() { sed -n "s/.*\\\${$2[:+-]*\\([a-z0-9. ]*\\)}.*/\\1/p" "$1" | head -n 1 | tr ' ' '\n'; }

kernels=$(sed -n 's/^for name in \(.*\); do$/\1/p' tests/vm/test_kernels | tr ' ' '\n')
lands=$(sed -n 's/^lands=.*PB_ALL:+\(.*\)}}$/\1/p' tests/vm/test_lands)
t_is 'its kernels and lands are those of vm:kernels, vm:lands and of the host' "$({
	each bookworm <<<"$kernels"
	for land in $lands; do { default tests/vm/test_lands PB_LAND_KERNELS; echo host; } | each "$land"; done
	} | sed 's/^/veth /' | sort -u)" "$(runs amd64 veth)"
t_is 'its drivers are those of vm:drivers' \
	"$(sed -nE "s/^\t'([a-z0-9_]+) [^ ]+ ([0-9a-z.]+)'\$/\1 \2 bookworm/p" tests/vm/test_drivers | sort -u)" \
	"$(runs amd64 '[^v]\w*|v[^e]\w*')"
for machine in arm64 s390x; do
	t_is "of $machine they are those of vm:machines" \
		"$(sed -n "s/^declare -A kernels_of=.*\[$machine\]='\([^']*\)'.*/\1/p" tests/vm/test_machines | tr ' ' '\n' |
			each bookworm | sed 's/^/veth /' | sort)" "$(runs $machine '\w*')"
done

# A page of our own, and no results yet.
mkdir -p "$T_DIR/tests" "$T_DIR/doc"
cp tests/support "$T_DIR/tests"
support=$T_DIR/tests/support page=$T_DIR/doc/support.md
export PB_SUPPORT=$T_DIR/results

# row KERNEL SECTION: the cells of a kernel for a machine and driver
row()
{
	sed -n "/^## $2\$/,/^## /s/^| $1 | \(.*\) |\$/\1/p" "$page"
}

# result TEST PASSED FAILED SKIPPED [WORDS]: leave one
result()
{
	"$support" --kernel 6.12.1-amd64 --land trixie --machine amd64 --driver veth --add "$@"
}

t_ok 'without results' "$support"
t_is 'nothing has been run' 'not run | not run | not run' "$(row 6.12 'amd64, veth')"
today=$(date +%F)
t_ok 'a result' result dispatcher 256 0 2
t_ok 'of another test' result packets 10 0 0
t_ok 'of another driver' result packets 11 1 0 --driver igb
t_ok 'they are brought in' "$support"
t_is 'they are added up' "not run | 266 passed, 2 skipped; $today | not run" "$(row 6.12 'amd64, veth')"
t_is 'what failed is said' "not run | 11 passed, **1 failed**; $today" "$(row 6.12 'amd64, igb')"
t_is 'where there is no run' 'not run |  | ' "$(row 5.10 'amd64, veth')"
t_ok 'a result of the host' "$support" --add unit 5 0 0 --kernel 6.18.1 --land sid --machine amd64
t_ok 'of what has no run' "$support" --add dispatcher 7 0 0 --kernel 5.10.1 --land trixie --machine amd64
t_ok 'of another machine' "$support" --add packets 8 0 0 --kernel 6.1.1 --land sid --machine riscv64
t_ok 'they are brought in' "$support"
t_is 'the host has a row' "not run | not run | 5 passed; $today" "$(row 'host, 6.18' 'amd64, veth')"
t_is 'it is added' "not run | 7 passed; $today | " "$(row 5.10 'amd64, veth')"
t_is 'and its machine' "8 passed; $today" "$(row 6.1 'riscv64, veth')"
t_is 'and all of them' "297 passed, 1 failed, 2 skipped, from $today to $today." "$(sed -n 's/^All of them: //p' "$page")"
t_ok 'the page is as it is written' "$support" --check

rm "$PB_SUPPORT"
t_ok 'a later one' "$support" --add packets 12 0 0 --kernel 6.12.9-amd64 --land trixie --machine x86_64
t_ok 'is brought in' "$support"
t_is 'takes the place of the one before' "not run | 268 passed, 2 skipped; $today | not run" "$(row 6.12 'amd64, veth')"
t_ok 'once more: the same' "$support"
t_is 'the same' "not run | 268 passed, 2 skipped; $today | not run" "$(row 6.12 'amd64, veth')"

# What does not agree with the results is noticed.
cp "$page" "$T_DIR/right"
sed -i 's/268 passed/269 passed/' "$page"
t_fail 'a count that is wrong' 1 'not what it would write' "$support" --check
sed '/packets .* 6.12.9/d; /| packets |/d' "$T_DIR/right" >"$page"
t_fail 'a result that is missing' 1 'not what it would write' "$support" --check
t_fail 'what is no count' 1 "" "$support" --add packets many 0 0
t_done
