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

# A later library, in which what grows has grown: what was built before runs with it.
cp -r "$TOP/headers" later
grown='rule|interface|explanation|ruleset_options|load_options|monitor_filter|prospect'
sed -i -E "/^struct pb_($grown) \{$/,/^};$/ s/^};$/\tchar grown[4096];\n};/" later/portblock/portblock.h
t_is 'later: grown' 7 "$(grep -c 'char grown' later/portblock/portblock.h)"
t_ok 'later: builds' make -s -C "$TOP" B="$T_DIR/built" SKEL= CFLAGS=-O0 \
	includes="-I$T_DIR/later -Ilib -Ibuild" "$T_DIR/built/libportblock.so.0"
read -r -a libs < <(sed -n 's/^\(DEP\|FLEET\|SECCOMP\)_LIBS := //p' "$TOP/config.mk" | paste -sd' ')
# By its sources: objects of some that are gone may still lie there. What is about fleets is built where it can be.
objects=() fleet=()
for source in "$TOP"/xdp-portblock/*.c; do
	object=$TOP/build/obj/xdp-portblock/$(basename "$source" .c).o
	[ ! -e "$object" ] || objects+=("$object")
done
[ ! -e "$TOP/build/fleet.a" ] || fleet=("$TOP/build/fleet.a")
t_ok 'later: the tool, as it was compiled' gcc -o tool "${objects[@]}" "${fleet[@]}" \
	-L"$T_DIR/built" -l:libportblock.so.0 "${libs[@]}"
export LD_LIBRARY_PATH=$T_DIR/built
blocks 'C, later' ./block-c
blocks 'C++, later' ./block-cc
t_ok 'later: load' in_a ./tool load v0
t_ok 'later: a rule' in_a ./tool rule add drop tcp dport 22 from 10.9.0.0/24
t_ok 'later: and another' in_a ./tool rule add 23/tcp
t_is 'later: both are there' "$(printf '%s\n' 'policy allow' 'drop tcp dport 22 from 10.9.0.0/24' \
	'drop tcp dport 23')" "$(in_a ./tool save)"
t_is 'later: and in the list' 2 "$(in_a ./tool rule list | grep -c 'drop tcp')"
t_ok 'later: limits' in_a ./tool load -r small --max-rules 7 v0
t_fail 'later: which are asked for' 1 'there already, with --max-rules 7, ' \
	in_a ./tool load -r small --max-rules 8 v0
t_ok 'later: unload' in_a ./tool unload v0

# And a program that is built for the later one runs with this.
t_ok 'earlier: builds' gcc -Ilater -o block-later block.c "${flags[@]}"
export LD_LIBRARY_PATH=$T_DIR/root/usr/lib
blocks 'C, earlier' ./block-later

t_done
