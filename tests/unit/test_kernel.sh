#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/vm/kernel: where it fetches from, and that what it has fetched needs no network.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

# An apt-get whose lists name what is in the file `targets`, and which can fetch nothing.
mkdir "$T_DIR/bin"
cat >"$T_DIR/bin/apt-get" <<'END'
#!/bin/sh
echo "$*" >>"$T_DIR/calls"
case $* in
*'--no-release-info indextargets'*) cat "$T_DIR/targets" ;;
*) exit 100 ;;
esac
END
chmod +x "$T_DIR/bin/apt-get"
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
t_done
