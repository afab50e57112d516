#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `make dist`: the same commit makes the same bytes, and what is in them builds where there is no git
# and nothing of this tree.
# timeout: 3600

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

# Whoever owns the tree
in_git() { git -c safe.directory="$TOP" "$@"; }

command -v git >/dev/null || t_skip_all 'no git here'
in_git rev-parse -q --verify HEAD >/dev/null 2>&1 || t_skip_all 'this tree is not in git'

VERSION=$(sed -n 's/^VERSION := //p' Makefile)
NAME=xdp-portblock-$VERSION
t_ok 'make dist' make -s dist DIST="$T_DIR/one.tar.gz"
umask 077
t_ok 'once more, by another clock and umask' env TZ=UTC-9 make -s dist DIST="$T_DIR/two.tar.gz"
umask 022
t_ok 'both are the same' cmp "$T_DIR/one.tar.gz" "$T_DIR/two.tar.gz"
t_is 'and have no time of their own' '00 00 00 00' "$(od -An -tx1 -j 4 -N 4 "$T_DIR/one.tar.gz" | xargs)"
t_is 'it has what is committed, in a folder of the version' \
	"$(in_git ls-tree -r --name-only HEAD | sed "s|^|$NAME/|" | LC_ALL=C sort)" \
	"$(tar -tzf "$T_DIR/one.tar.gz" | grep -v '/$' | LC_ALL=C sort)"
t_is 'all of it is of the time of the commit' "$(in_git log -1 --format=%ct)" \
	"$(cd "$T_DIR" && tar -xzf one.tar.gz && find "$NAME" -printf '%Ts\n' | sort -u)"

# Of the environment, nothing but where programs are; and git is none of them.
mkdir "$T_DIR/bin"
printf '#!/bin/sh\necho "git $*" >>%q\nexit 1\n' "$T_DIR/git-was-called" >"$T_DIR/bin/git"
chmod +x "$T_DIR/bin/git"
# shellcheck disable=SC2317 # called by t_ok
build()
{
	(cd "$T_DIR/$NAME" && env -i HOME="$T_DIR" PATH="$T_DIR/bin:$PATH" sh -c "$1")
}
t_ok './configure' build ./configure
t_ok 'make all' build 'make -j2 all'
t_ok 'make install' build "make install DESTDIR=$T_DIR/root"
t_is 'it asked no git' '' "$(cat "$T_DIR/git-was-called" 2>/dev/null)"
t_is 'its tool tells the version' "xdp-portblock $VERSION" \
	"$("$T_DIR/root/usr/local/sbin/xdp-portblock" --version | head -n 1)"
t_is 'its manual is installed' "$(cd man && printf '%s\n' *.[0-9] | sort)" \
	"$(find "$T_DIR/root/usr/local/share/man" -type f -printf '%f\n' | sort)"

# --- versions ---------------------------------------------------------------------------

versions=$(sed -n 's/^## \[\([0-9][0-9.]*\)\].*/\1/p' ChangeLog.md)
t_is 'ChangeLog.md: the newest version is that of the Makefile' "$VERSION" "$(head -n 1 <<<"$versions")"
t_is 'ChangeLog.md: each version is a link to its tag' "$versions" \
	"$(sed -n 's|^\[\([0-9.]*\)\]: .*/v\1$|\1|p' ChangeLog.md)"
t_is 'debian/changelog: so is that of the packages' "$VERSION" "$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)"
t_is 'the spec for rpmbuild: that, too' "$VERSION" "$(sed -n 's/^Version: *//p' rpm/xdp-portblock.spec)"
t_done
