#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/vm/kernel and tests/vm/build-root: where they fetch from, that what they have fetched needs no
# network, and that a kernel and the root for its modules stay together.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

# An apt whose lists name what is in the file `targets`. It fetches nothing, until there is a folder `mirror`:
# `mirror/depends` says of each package what apt-cache does, and beside that are the packages.
mkdir "$T_DIR/bin"
cat >"$T_DIR/bin/apt-get" <<'END'
#!/bin/sh
echo "$*" >>"$T_DIR/calls"
case $* in
*'--no-release-info indextargets'*) cat "$T_DIR/targets"; exit ;;
esac
cd "$T_DIR/mirror" 2>/dev/null || exit 100
case $* in
*' update') ;;
*' download '*) cp linux-image-*.deb "$OLDPWD" ;;
*' --download-only '*)
	state=$(printf '%s\n' "$@" | sed -n 's/^Dir::State=//p')
	cp "$state/status" "$T_DIR/pretended"
	cp headers.deb tools.deb "$state/cache/archives" ;;
*) exit 100 ;;
esac
END
cat >"$T_DIR/bin/apt-cache" <<'END'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do
	case $1 in -o) shift ;; esac
	shift
done
command=$1
shift
case $command in
pkgnames) printf '%s\n' "$1.9+deb12" "$1.10+deb12" "$1.8+deb12" ;;
depends) sed -n "s/^$1: /  Depends: /p" "$T_DIR/mirror/depends" ;;
show) [ "$1" != --no-all-versions ] || shift
	printf 'Package: %s\nVersion: 1-1\nDepends: much\nMulti-Arch: same\nArchitecture: amd64\n\n' "$@" ;;
esac
END
chmod +x "$T_DIR"/bin/*
PATH=$T_DIR/bin:$PATH
export T_DIR
unset PB_MIRROR

# mirrors NAME MAIN SECURITY [TARGET...]
mirrors()
{
	local name=$1 wanted=$2$'\n'$3
	shift 3
	printf '%s\n' "$@" >"$T_DIR/targets"
	t_is "$name" "$wanted" "$(tests/vm/kernel --mirror 2>&1)"
}

mirrors 'the mirrors of apt' http://a.example/debian http://b.example/debian-security \
	http://other.example/tools/ http://b.example/debian-security/ \
	http://a.example/debian/ http://c.example/debian/
mirrors 'one without security' http://a.example/debian http://a.example/debian-security \
	http://a.example/debian/
mirrors 'lists of mirrors, as in images for clouds' \
	mirror+file:/etc/apt/mirrors/debian.list mirror+file:/etc/apt/mirrors/debian-security.list \
	mirror+file:/etc/apt/mirrors/debian-security.list/ mirror+file:/etc/apt/mirrors/debian.list/
mirrors 'one such list' mirror+file:/x/debian.list mirror+file:/x/debian-security.list \
	mirror+file:/x/debian.list/
export PB_MIRROR=http://mine.example/old/debian/
mirrors 'PB_MIRROR stands before them' \
	http://mine.example/old/debian http://mine.example/old/debian-security \
	http://a.example/debian/ http://b.example/debian-security/
unset PB_MIRROR
echo http://a.example/ubuntu/ >"$T_DIR/targets"
t_fail 'apt knows none of Debian' 1 'set PB_MIRROR' tests/vm/kernel --mirror
t_fail 'a word that is no kernel' 2 'usage: ' tests/vm/kernel 4.4

# --- what is cached --------------------------------------------------------------------------

export XDG_CACHE_HOME=$T_DIR/cache
mkdir -p "$XDG_CACHE_HOME/xdp-portblock/kernels/6.1"
echo 6.1.0-1-amd64 >"$XDG_CACHE_HOME/xdp-portblock/kernels/6.1/version"
rm "$T_DIR/calls"
t_ok 'a kernel that is there' tests/vm/kernel bookworm
t_is 'is used as it is' "$XDG_CACHE_HOME/xdp-portblock/kernels/6.1" "$T_OUT"
t_ok 'and apt is not asked' test ! -e "$T_DIR/calls"
kernels=$XDG_CACHE_HOME/xdp-portblock/kernels
mkdir -p "$kernels/6.12/root"
echo 6.12.1-amd64 >"$kernels/6.12/version"
t_ok 'a root that is there' tests/vm/build-root trixie
t_is 'is used as it is, too' "$kernels/6.12/root" "$T_OUT"
t_ok 'and apt is not asked for it' test ! -e "$T_DIR/calls"
t_fail 'no module is built for 5.10' 2 'usage: ' tests/vm/build-root 5.10

# --- what is fetched ---------------------------------------------------------------------------

if [ ! -e /usr/share/keyrings/debian-archive-keyring.gpg ] || ! command -v dpkg-deb depmod flock xz >"$T_DIR/out"; then
	t_skip 'kernels and roots that are fetched' 'needs dpkg, kmod, util-linux, xz-utils and debian-archive-keyring'
	t_done
fi

export PB_MIRROR=http://a.example/debian
mkdir -p "$kernels/.6.12.aBcD12/cache" "$kernels/.cbmc.aBcD12"
t_fail 'a kernel to be fetched anew, and no network' 1 'no Debian kernel 6.12' tests/vm/kernel --anew 6.12
t_is 'what one that was killed has left is gone' '' "$(find "$kernels" -name '.*.??????')"
t_is 'leaves the one that is there' 6.12.1-amd64 "$(cat "$kernels/6.12/version")"
rmdir "$kernels/6.12/root"
t_fail 'a root, and no network' 1 'no headers of 6.12.1-amd64' tests/vm/build-root 6.12
t_is 'is none because of which the kernel is fetched anew' '' "$(grep anew <<<"$T_OUT")"
t_is 'leaves the kernel, too' 6.12.1-amd64 "$(cat "$kernels/6.12/version")"

# package NAME PATH...: a package with such files
package()
{
	local name=$1 file
	shift
	rm -rf "$T_DIR/package"
	mkdir -p "$T_DIR/package/DEBIAN"
	printf 'Package: x\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n' \
		>"$T_DIR/package/DEBIAN/control"
	for file in "$@"; do
		mkdir -p "$T_DIR/package/$(dirname "$file")"
		echo "$name" >"$T_DIR/package/$file"
	done
	dpkg-deb -b "$T_DIR/package" "$T_DIR/mirror/$name.deb" >/dev/null
}

# The mirror has gone on to 6.12.2.
mkdir "$T_DIR/mirror"
modules=usr/lib/modules/6.12.2-amd64
cat >"$T_DIR/mirror/depends" <<END
linux-image-amd64: linux-image-6.12.2-amd64
linux-headers-6.12.2-amd64: linux-base
linux-headers-6.12.2-amd64: gcc-14-for-host
END
package linux-image-6.12.2 boot/vmlinuz-6.12.2-amd64 lib/modules/6.12.2-amd64/kernel/x \
	lib/modules/6.12.2-amd64/modules.order lib/modules/6.12.2-amd64/modules.builtin
package headers usr/src/linux-headers-6.12.2-amd64/Makefile $modules/build
package tools bin/dash usr/bin/mawk usr/share/doc/x usr/lib/gcc/lto1 lib/x86_64-linux-gnu/libc.so.6
t_ok 'headers that the mirror has no more' bash -c 'umask 077; tests/vm/build-root 6.12'
root=$kernels/6.12/root
t_is 'come with a kernel that it has' "6.12.2-amd64 $root" \
	"$(cat "$kernels/6.12/version") $(tail -n 1 <<<"$T_OUT")"
t_is 'whose builtin modules the root knows' linux-image-6.12.2 "$(cat "$root/$modules/modules.builtin")"
t_is 'one folder for both /lib and /usr/lib' "tools headers" \
	"$(cat "$root/usr/lib/x86_64-linux-gnu/libc.so.6") $(cat "$root/lib/modules/6.12.2-amd64/build")"
t_is 'sh and awk' "tools tools" "$(cat "$root/bin/sh") $(cat "$root/bin/awk")"
t_ok 'no documents, and no lto1' test ! -e "$root/usr/share/doc" -a ! -e "$root/usr/lib/gcc/lto1"
t_is 'what apt takes for installed, and leaves alone' \
	'linux-image-6.12.2-amd64 libgcc-14-dev linux-base dpkg-dev libgprofng0' \
	"$(sed -n 's/^Package: //p' "$T_DIR/pretended" | paste -sd' ')"
t_is 'and asks for nothing on its behalf' 'Architecture: Package: Status: Version:' \
	"$(sed -n 's/ .*//p' "$T_DIR/pretended" | sort -u | paste -sd' ')"

# The headers of 6.1 have no vmlinux and no resolve_btfids. A vmlinuz with one sector of setup, and 16
# bytes of code before what is packed.
cat >"$T_DIR/mirror/depends" <<END
linux-headers-6.1.0-1-amd64: linux-compiler-gcc-12-x86
END
mkdir -p "$kernels/6.1/lib/modules/6.1.0-1-amd64"
touch "$kernels/6.1/lib/modules/6.1.0-1-amd64"/modules.{order,builtin}
yes 'a kernel' | head -n 999 >"$T_DIR/vmlinux"
xz --check=crc32 <"$T_DIR/vmlinux" >"$T_DIR/packed"
"$PYTHON" - "$T_DIR/packed" "$kernels/6.1/vmlinuz" <<'END'
import struct, sys
packed = open(sys.argv[1], "rb").read() + b"size"
head = bytearray(1024 + 16)
head[0x1f1] = 1
struct.pack_into("<II", head, 0x248, 16, len(packed))
open(sys.argv[2], "wb").write(head + packed + b"more")
END
package headers usr/src/linux-headers-6.1.0-1-amd64/Makefile usr/lib/modules/6.1.0-1-amd64/build \
	usr/lib/linux-kbuild-6.1/tools/objtool/objtool
package tools usr/lib/linux-kbuild-6.12.10+deb12/tools/bpf/resolve_btfids/resolve_btfids
t_ok 'a root for 6.1' tests/vm/build-root 6.1
root=$kernels/6.1/root
t_ok 'has vmlinux beside the headers' cmp "$T_DIR/vmlinux" "$root/usr/src/linux-headers-6.1.0-1-amd64/vmlinux"
t_ok 'and resolve_btfids' test -e "$root/usr/lib/linux-kbuild-6.1/tools/bpf/resolve_btfids/resolve_btfids"
t_ok 'from the latest of the tools that can be had' grep -q -w 'linux-kbuild-6.12.10+deb12$' "$T_DIR/calls"
t_ok 'all can read them' test -z "$(find "$kernels"/6.* ! -perm -004)"
t_is 'nothing else is left there' '6.1 6.12 lock' "$(find "$kernels" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | paste -sd' ')"
t_done
