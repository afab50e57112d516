#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The headers, each by itself: in C11 and C++, and for all who share what is in abi.h, which has the
# same layout for 32 bits, for 64 and for BPF.

# shellcheck disable=SC2317 # functions are called by t_ok and others

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

# of NAME: what config.mk says
of()
{
	sed -n "s/^$1 := //p" config.mk
}
CC=$(of CC)
CLANG=$(of CLANG)
# Where <asm/types.h> is
read -r -a includes < <(of BPF_INCLUDES)

# compiles HEADER COMPILER [ARGUMENT...]
compiles()
{
	local header=$1
	shift
	echo "#include <portblock/$header>" >"$T_DIR/alone.c"
	"$@" -Wall -Wextra -Werror -Iheaders "${includes[@]}" -fsyntax-only "$T_DIR/alone.c"
}

for header in headers/portblock/*.h; do
	header=${header##*/}
	t_ok "$header in C11" compiles "$header" "$CC" -std=c11 -Wno-unused-function
	t_ok "$header in C11, by clang" compiles "$header" "$CLANG" -std=c11 -Wno-unused-function
	for compiler in g++ "${CLANG/clang/clang++}"; do
		if command -v "$compiler" >/dev/null; then
			t_ok "$header in C++, by $compiler" \
				compiles "$header" "$compiler" -x c++ -std=c++11 -Wno-unused-function
		else
			t_skip "$header in C++, by $compiler" 'it is not there'
		fi
	done
done

# What is nowhere padded, has members of the same sizes and is of the same size is the same.
for target in x86_64-linux-gnu i386-linux-gnu bpf; do
	t_ok "abi.h for $target: sizes and offsets" compiles layout.h "$CLANG" -std=c11 --target=$target
	t_ok "abi.h for $target: no gap" compiles layout.h "$CLANG" -std=c11 --target=$target -Wpadded
done
while read -r struct; do
	t_ok "layout.h has the size of $struct" grep -q "^PB_SIZE($struct, [0-9]*);$" headers/portblock/layout.h
done < <(sed -n 's/^struct \(pb_[a-z_]*\) {$/\1/p' headers/portblock/abi.h)

cp -r headers "$T_DIR/wrong"
# wrong SED-EXPRESSION: that in abi.h
wrong()
{
	sed "$1" headers/portblock/abi.h >"$T_DIR/wrong/portblock/abi.h"
	! cmp -s headers/portblock/abi.h "$T_DIR/wrong/portblock/abi.h" || return 9
	"$CLANG" -std=c11 --target=i386-linux-gnu -I"$T_DIR/wrong" "${includes[@]}" -fsyntax-only \
		-x c - <<<'#include <portblock/layout.h>'
}
t_fail 'a structure that ends early is noticed' 1 'pb_rule_record' wrong '/__u32 padding;/d'
t_fail 'and a member that is wider' 1 'pb_event, captured' wrong 's/__u32 rule;  /__u64 rule;/'
t_fail 'and two that change places' 1 'pb_prefix_key, slot' wrong '/__u32 slot;/d; s/__u32 block;/& __u32 slot;/'
t_done
