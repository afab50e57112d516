# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For the tests of packages, on top of ../lib.sh: packages of this tree, and of versions before and after it; and a bare
# root of Debian to install them in, which is the host A of the world.

. "$TOP/packaging/roots.sh"

[ "$(id -u)" -eq 0 ] || t_skip_all 'needs root'
command -v mmdebstrap >/dev/null || t_skip_all 'needs mmdebstrap (tests/deps deb)'

# in_git WORD...: whoever owns the tree
in_git()
{
	git -c safe.directory='*' -C "$TOP" "$@"
}

# kept FOLDER COMMAND...: FOLDER has packages of what is committed, made by the command where they are of another commit
kept()
{
	local folder=$1 commit
	shift
	commit=$(in_git rev-parse HEAD) || return
	mkdir -p "${folder%/*}" || return
	# One at a time: vm:boot asks for them, too.
	(
		flock 9
		[ "$(cat "$folder/commit" 2>/dev/null)" != "$commit" ] || exit 0
		"$@" 9>&- && echo "$commit" >"$folder/commit"
	) 9>"$folder.lock"
}

# packages SUITE: in `now`
packages()
{
	now=$TOP/build/deb/$1
	kept "$now" "$TOP/packaging/deb" --suite "$1" --no-check --out "$now"
}

# packages_later SUITE VERSION: in `later`, of a version whose maps have another layout
packages_later()
{
	later=$TOP/build/deb/$1-later
	kept "$later" build_later "$@"
}

build_later()
{
	local tree=$T_DIR/later
	mkdir -p "$tree"
	in_git archive HEAD | tar -x -C "$tree"
	sed -i "s/^VERSION := .*/VERSION := $2/" "$tree/Makefile"
	sed -i "1s/(.*)/($2)/" "$tree/debian/changelog"
	sed -i -E 's/(#define PB_(ABI_VERSION|NATIVE_ABI)) ([0-9]+)/\1 (\3 + 1)/' "$tree"/headers/portblock/{abi,native}.h
	"$TOP/packaging/deb" --suite "$1" --no-check --source "$tree" --out "$later"
}

# before FOLDER VERSION TO: the packages of FOLDER as if they were of an earlier version
before()
{
	local deb parts=$T_DIR/parts
	mkdir -p "$3"
	for deb in "$1"/*.deb; do
		case $deb in *-dbgsym_* | *-dkms_*) continue ;; esac
		rm -rf "$parts"
		dpkg-deb -R "$deb" "$parts"
		sed -i -E "s/^(Version: ).*/\1$2/; s/\(= [^)]*\)/(= $2)/g" "$parts/DEBIAN/control"
		dpkg-deb -b "$parts" "$3/$(basename "$deb" | sed "s/_[^_]*_/_$2_/")" >/dev/null || return
	done
}

# open_root_of SUITE bare|build: ROOT is such a root, in memory, with the bpffs of the world, and gone when the test is
open_root_of()
{
	mkdir -p "$ROOTS/mnt"
	root "$@" >/dev/null &&
		mount -t tmpfs -o mode=755 root "$ROOTS/mnt" &&
		copy_root "$@" "$ROOTS/mnt" || return
	ROOT=$ROOTS/mnt/root
	mount --rbind --make-rslave /sys "$ROOT/sys"
}

close_root()
{
	umount -R -l "$ROOTS/mnt"
}

# for_suites FUNCTION: for Debian 13, for which PB_SUITE names, or by `tests/run --all` for each
for_suites()
{
	local suite
	for suite in $SUITES; do
		if [ -n "${PB_ALL-}" ] || [ "$suite" = "${PB_SUITE:-trixie}" ]; then
			"$1" "$suite"
		else
			t_skip "$suite" 'tests/run --all has it, too'
		fi
	done
}

# apt WORD...: in the root, by the host's network
apt()
{
	in_root "$ROOT" apt-get -q -y --allow-downgrades "$@"
}

# on_host COMMAND...: in the root, as host A
on_host()
{
	in_a chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
		DEBIAN_FRONTEND=noninteractive TERM=dumb "$@"
}

# debs FOLDER NAME...: their files, in the root's /debs
debs()
{
	local folder=$1 name
	shift
	rm -rf "$ROOT/debs"
	mkdir "$ROOT/debs"
	for name; do
		cp "$folder/$name"_*.deb "$ROOT/debs/"
	done
}

# installed NAME: its version, or nothing
installed()
{
	# shellcheck disable=SC2016 # dpkg-query's variable
	in_root "$ROOT" dpkg-query -W -f '${db:Status-Status} ${Version}' "$1" 2>/dev/null | sed -n 's/^installed //p'
}

# everything: what there is in the root, but what apt and dpkg keep about packages that have come and gone
everything()
{
	(cd "$ROOT" && find . -xdev \( -path ./debs -o -path ./var/cache -o -path ./var/log -o -path ./var/lib/apt \
		-o -path ./var/lib/dpkg -o -path ./tmp -o -path ./etc/ld.so.cache -o -path ./etc/resolv.conf \) -prune -o \
		-printf '%p %M %u %g %l\n' | sort)
}
