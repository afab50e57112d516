#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The native engine without a kernel: its reader of frames says what parse.h says, of the fuzzer's
# corpus, each beginning of it, and random mutants; and what may not go into a kernel does not build.
# PB_SEED=N has the same mutants again.
# timeout: 3600
# shellcheck disable=SC2016,SC2317 # nothing to expand there; functions are called by t_ok and t_fail

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

# of NAME: what config.mk says
of()
{
	sed -n "s/^$1 := //p" config.mk
}
CC=$(of CC)
[ -n "$(of RUSTC)" ] ||
	t_skip_all 'no rustc with the source of its core library: tests/deps unit, then ./configure'

SEED=${PB_SEED:-$(($(date +%s%N) % 1000000000))}
MUTANTS=300000

# replay TREE: its two readers, the corpus, and what becomes of it
replay()
{
	make -s -C "$1" build/replay_native || return
	"$1/build/replay_native" "$SEED" "$MUTANTS" tests/fuzz/corpus/*.bin
}

t_ok 'make native' make -s native
t_ok "both readers say the same (PB_SEED=$SEED)" replay .
t_note "$(tail -n 1 <<<"$T_OUT")"
t_is 'of mutants of each outcome there are thousands' 5 \
	"$(grep -oE '[0-9]{4,} (with|fragments|malformed|unparsable|without)' <<<"$T_OUT" | wc -l)"
# layout FILE: how what is found is put into numbers
layout()
{
	sed -n '/define FOUND(/,/[^\\]$/p; /define PORTS(/p' "$1"
}
t_is 'what is found has the form that the XDP program reads' "$(layout lib/bpf/frame.h)" \
	"$(layout tests/fuzz/native.h)"

# --- which compiler ----------------------------------------------------------------------

mkdir -p "$T_DIR/old/sysroot/lib/rustlib/src/rust/library/core/src"
touch "$T_DIR/old/sysroot/lib/rustlib/src/rust/library/core/src/lib.rs"
cp configure "$T_DIR/old/"
# compiler OPTION: what ./configure says of one that has -Z OPTION
compiler()
{
	printf '#!/bin/sh\ncase $1 in\n--version) echo "rustc 1.2.3" ;;\n-Z) echo " -Z %s=val" ;;
		--print) echo "%s" ;;\nesac\n' "$1" "$T_DIR/old/sysroot" >"$T_DIR/old/rustc"
	chmod +x "$T_DIR/old/rustc"
	RUSTC=$T_DIR/old/rustc "$T_DIR/old/configure" | sed -n 's/^ *rustc (optional) *//p'
}
t_is 'a compiler that can return by a thunk' 1.2.3 "$(compiler function-return)"
t_is 'an older one is none' no "$(compiler function-sections)"
# jump_tables STATUS: how one is told to make none, that says so of the word that is newer
jump_tables()
{
	sed -i "/^-C)/d; s/^case .*/&\n-C) exit $1 ;;/" "$T_DIR/old/rustc"
	RUSTC=$T_DIR/old/rustc "$T_DIR/old/configure" >/dev/null
	sed -n 's/^RUST_JUMP_TABLES := //p' "$T_DIR/old/config.mk"
}
compiler function-return >/dev/null
t_is 'a compiler is told to make no jump tables' '-C jump-tables=no' "$(jump_tables 0)"
t_is 'an older one by another word' '-Z no-jump-tables' "$(jump_tables 1)"

# --- the object --------------------------------------------------------------------------

# plant TREE: what the engine is made of
plant()
{
	mkdir -p "$1/tests" "$1/build/native"
	cp -pr Makefile config.mk configure headers native "$1/"
	cp -pr tests/fuzz "$1/tests/"
}

plant "$T_DIR/another"
t_ok 'make native elsewhere, core and all' make -s -C "$T_DIR/another" native
t_ok 'makes the same bytes' cmp build/native/module/judge.bin "$T_DIR/another/build/native/module/judge.bin"

# object C: native/check of what that is compiled to
object()
{
	echo "$1" | "$CC" -O2 -fno-asynchronous-unwind-tables -x c -c -o "$T_DIR/object.o" - &&
		native/check "$T_DIR/object.o" f g
}
t_ok 'native/check: numbers' object 'int g(int); int f(int a) { return g(a) + 1; }'
t_fail 'native/check: no SSE' 1 'registers' \
	object 'double g(double); double f(double a) { return g(a) + 1; }'
t_fail 'native/check: no x87' 1 'registers' \
	object 'int g(int); int f(long double *a) { a[0] = a[1]; return g(1) + 1; }'
t_fail 'native/check: it gives nothing more' 1 'it gives f h' \
	object 'int g(int); int h; int f(int a) { return g(a) + 1; }'
t_fail 'native/check: nor less' 1 'it gives none' \
	object 'int g(int); static int __attribute__((used)) f(int a) { return g(a) + 1; }'
t_fail 'native/check: it asks for nothing more' 1 'it asks for g h' \
	object 'int g(int), h(int); int f(int a) { return g(h(a)) + 1; }'

# --- a tree that is wrong in one place -----------------------------------------------------

tree=$T_DIR/tree
plant "$tree"
cp -p build/native/lib*.rlib "$tree/build/native/"

# change FILE SED-SCRIPT; the change before it is undone
change()
{
	[ -z "${changed:-}" ] || cp "$changed" "$tree/$changed"
	changed=$1
	sed -E "$2" "$1" >"$tree/$1"
	! cmp -s "$1" "$tree/$1" || t_die "$1 has nothing for $2"
}

# differs NAME FILE SED-SCRIPT: the readers do then
differs()
{
	change "$2" "$3"
	t_fail "a difference is found: $1" 1 '^not the same of' replay "$tree"
}

PORTS=native/portblock/ports.rs PLAIN=native/portblock/plain.rs
RUNTIME=native/portblock_rt
differs 'an extension header less' $PORTS 's/(EXTENSIONS_MAX: usize =) 8/\1 7/'
differs 'a tag less' $PORTS 's/(TAGS_MAX: usize =) 4/\1 3/'
differs 'one kind of extension header is none' $PORTS \
	's/ \| HIP (\|.*)/ \1\n            HIP => false,/'
differs 'an end that is no multiple of eight' $PORTS 's/bytes & !7/bytes/'
differs 'ports that end with the fragment' $PORTS 's/way\.at \+ 4 > end/way.at + 4 >= end/'
differs 'the shortcut takes any version' $PLAIN 's/ip\.version\(\) != 6/ip.version() == 16/'
differs 'the other slot' $RUNTIME/tables.rs 's/(if slot ==) Slot::First/\1 Slot::Second/'
differs 'another byte order of ports' $RUNTIME/tables.rs 's/port\.wire\(\)/port.get()/'
SIDES=native/portblock/sides.rs
differs 'the other side' $RUNTIME/tables.rs 's/(if side ==) Side::Destination/\1 Side::Source/'
differs 'the port of the other side' $SIDES 's/found\.source/found.destination/'
differs 'a class where there are entries' $SIDES 's/Proto::Tcp \| Proto::Udp/Proto::Tcp/'
differs 'no class where there are no entries' $SIDES 's/Proto::Tcp \| Proto::Udp/& | Proto::Sctp/'
differs 'where the ports are' $RUNTIME/door.rs 's/(transport as u64)\) << 32/\1 + 1) << 32/'
PARSE=headers/portblock/parse.h
differs 'parse.h: an extension header less' $PARSE 's/i < PB_EXTENSIONS_MAX/& - 1/'
differs 'parse.h: the source port for the other' $PARSE 's/(packet->dport = ports->)destination/\1source/'

# refused NAME REGEX FILE SED-SCRIPT: it does not build
refused()
{
	change "$3" "$4"
	t_fail "not built: $1" 2 "$2" make -s -C "$tree" native
}

refused 'an index that may be too large' 'it asks for .*a_path_that_panics' $PORTS \
	's/payload > frame\.len\(\)/payload > [frame.len(); 60][length]/'
refused 'a header that may not be there' 'it asks for .*a_path_that_panics' $PORTS \
	's/(eth_header\(0\))\.ok_or\(Outcome::Malformed\)\?/\1.unwrap()/'
refused 'unsafe code' 'usage of an `unsafe` block' $PORTS \
	's/^    let eth = /    let _ = unsafe { core::ptr::read(\&frame) };\n&/'
refused 'a symbol of its own' 'unsafe_code' $PORTS 's/^fn behind_tags/#[no_mangle]\n&/'
refused 'where unsafe code is not forbidden' 'portblock may have unsafe code' native/portblock/lib.rs \
	'/forbid\(unsafe_code\)/d'
refused 'a warning' 'unused variable' $PORTS 's/^    let eth = /    let more = 1;\n&/'
refused 'without a word on what it is for' 'missing documentation' $RUNTIME/door.rs '/\/\/\/ RFC 9293/d'
refused 'a header of another size' 'assert.*size_of::<\$name>' $RUNTIME/headers.rs \
	's/destination: \[u8; 16\]/destination: [u8; 15]/'
refused 'a header that wants alignment' 'assert.*align_of' $RUNTIME/headers.rs 's/flow: Be16/flow: u16/'
refused 'tables of another size' 'assert.*size_of::<Tables>' $RUNTIME/tables.rs \
	's/\[AtomicU16; PORTS\]/[AtomicU16; PORTS + 1]/'
refused 'a reply of another size' 'assert.*size_of::<Reply>' $RUNTIME/door.rs \
	'/^pub struct Reply/i #[repr(align(32))]'

# --- what both sides know ------------------------------------------------------------------

# know HEADERS: the engine builds with what those say, as assertions
know()
{
	local file
	"$CC" -std=gnu11 -Wall -Wextra -Werror -I "$1" -o "$T_DIR/layout" tests/unit/native/layout.c || return
	for file in $RUNTIME/tables $RUNTIME/door native/portblock/ports; do
		{ cat "$file.rs" && "$T_DIR/layout" "${file##*/}"; } >"$tree/$file.rs"
	done
	make -s -C "$tree" build/native/libportblock.rlib
}

cp "$changed" "$tree/$changed"
# All of native.h, abi.h and <linux/if_ether.h> that the engine has once more
t_ok 'abi.h and native.h say what the engine says' know headers
cp -pr headers "$T_DIR/wrong"
# other NAME REGEX HEADER SED-SCRIPT: they do not
other()
{
	cp headers/portblock/*.h "$T_DIR/wrong/portblock/"
	sed -E "$4" "headers/portblock/$3" >"$T_DIR/wrong/portblock/$3"
	! cmp -s "headers/portblock/$3" "$T_DIR/wrong/portblock/$3" || t_die "$3 has nothing for $4"
	t_fail "noticed: $1" 2 "$2" know "$T_DIR/wrong"
}
other 'tables that change places' 'offset_of!\(Tables, entry\)' abi.h \
	'/^struct pb_ports/,/^}/{/entry/d; s/.*classes.*/&\n__u32 entry[PB_SLOTS][PB_ENTRY_PROTOS][PB_PORTS];/}'
other 'a protocol more in the table' 'size_of::<Tables>' abi.h 's/(PB_ENTRY_PROTOS) 2/\1 3/'
other 'members that change places' 'offset_of!\(Reply' native.h \
	'/__u64 found/d; s/.*__u32 entry.*/&\n__u64 found;/'
other 'an outcome more' 'Outcome::NoPort' abi.h 's/^\tPB_OUTCOME_NOPORT/\tPB_OUTCOME_NEW,\n&/'
other 'a tag more' 'TAGS_MAX' abi.h 's/(PB_TAGS_MAX) 4/\1 5/'
t_done
