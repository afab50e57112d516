#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# doc/conformance.md has what its generator prints, row by row.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

PAGE=doc/conformance.md
BEGIN='<!-- conformance table: begin -->'
END='<!-- conformance table: end -->'

[ -x "$PYTHON" ] || t_skip_all "needs $PYTHON"

# table_in FILE: what is between the markers
table_in()
{
	awk -v begin="$BEGIN" -v end="$END" '$0 == end { inside = 0 } inside { print }
		$0 == begin { inside = 1 }' "$1"
}

# rows: how many rows of standard input are about a shape
rows()
{
	# shellcheck disable=SC2016 # Markdown's backquotes
	grep -c '^| .* `[a-z0-9-]*` |$'
}

t_ok 'the generator runs' tests/prog/table
generated=$T_OUT
shapes=$("$PYTHON" -B -c 'import sys
sys.path.insert(0, "tests/prog")
from shapes import SHAPES
print(len(SHAPES))')
t_is 'it prints a row for each shape' "$shapes" "$(rows <<<"$generated")"
t_is "$PAGE has the markers, once each and in order" "$BEGIN $END" \
	"$(grep -xF -e "$BEGIN" -e "$END" "$PAGE" | paste -sd' ')"
table_in "$PAGE" >"$T_DIR/table"
t_ok "$PAGE has the same table (else: make table)" \
	diff -u "$T_DIR/table" <(printf '%s\n' "$generated")

# A difference is one: in a word, by a row too few, by one too many.
for change in 's/pass/drop/' '5d' '5p'; do
	sed "$change" "$T_DIR/table" >"$T_DIR/changed"
	t_fail "changed by '$change', it is noticed" 1 '' \
		diff -u "$T_DIR/changed" <(printf '%s\n' "$generated")
done
t_done
