#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The library as somebody else uses it: the examples, built in a folder outside of the tree with
# what pkg-config says of the installed library, block a port.

. "$(dirname "$0")/../lib.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23

cd "$T_DIR" || exit 1
t_ok 'make install' make -s -C "$TOP" install DESTDIR="$T_DIR/root" PREFIX=/usr LIBDIR=/usr/lib
t_is 'headers: the two of the contract' 'abi.h portblock.h' \
	"$(find root/usr/include -type f -printf '%f\n' | sort | xargs)"
t_is 'the link to build with' libportblock.so.0 "$(readlink root/usr/lib/libportblock.so)"
t_is 'pkg-config: nothing is left to be filled in' '' "$(grep -o '@[A-Z]*@' root/usr/lib/pkgconfig/*.pc)"
cp "$TOP"/examples/block.* .

export PKG_CONFIG_PATH=$T_DIR/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$T_DIR/root
export LD_LIBRARY_PATH=$T_DIR/root/usr/lib
read -r -a flags < <(pkg-config --cflags --libs libportblock)
t_is 'pkg-config: links with the library alone' -lportblock "$(printf '%s\n' "${flags[@]}" | grep '^-l' | xargs)"

# blocks NAME COMMAND...: the example blocks a port, and that port alone, for a minute
blocks()
{
	local name=$1
	shift
	t_fail "$name: without words" 1 'INTERFACE PORT' "$@"
	t_fail "$name: no such interface" 1 "no interface 'nix0'" in_a "$@" nix0 22
	t_fail "$name: no such port" 1 '"70000"' in_a "$@" v0 70000
	t_ok "$name: it answers before" answers tcp 10.9.0.1 22
	t_ok "$name: runs" in_a "$@" v0 22
	t_ok "$name: 22 is silent" silent tcp 10.9.0.1 22
	t_ok "$name: 23 answers" answers tcp 10.9.0.1 23
	t_ok "$name: for a minute" in_a "$PB" rule list
	t_ok "$name: for a minute, it ends" grep -qE '22 .*expires|22 .*[0-9]s' <<<"$T_OUT"
	t_ok "$name: unload" in_a "$PB" unload v0
}

t_ok 'C: builds' gcc -Wall -Wextra -Werror -o block-c block.c "${flags[@]}"
blocks C ./block-c
t_ok 'C++: builds' g++ -Wall -Wextra -Werror -o block-cc block.cc "${flags[@]}"
blocks C++ ./block-cc
blocks Python "$PYTHON" block.py

t_done
