# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What packaging/deb and tests/deb share: roots of releases of Debian, made by mmdebstrap from the mirror that apt
# uses here, and a copy of one to work in that goes when the work is done. They are kept in
# ~/.cache/xdp-portblock/packaging; remove one to have a newer one. Needs root.

PACKAGING=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1
. "$PACKAGING/../tests/vm/debian.sh"

# shellcheck disable=SC2034 # for those who source this
SUITES='bookworm trixie sid'
ROOTS=${XDG_CACHE_HOME:-${HOME:-/var}/.cache}/xdp-portblock/packaging
# Beside what the package asks for, to build it and to look it over
BUILD_TOOLS='build-essential fakeroot lintian'

# sources SUITE: a line each
sources()
{
	echo "deb $main $1 main"
	[ "$1" = sid ] || echo "deb $security $1-security main"
}

# strap SUITE FOLDER: the essential packages and apt, no more. What apt here is told of its mirror holds there, too: by
# which proxy it is reached, and that it may stand still (sid's list expires in a week).
strap()
{
	local -a options
	mapfile -t options < <(apt-config dump Acquire | grep -iE '::(proxy|Check-Valid-Until|Check-Date) ' |
		sed 's/^/--aptopt=/')
	find_mirrors
	sources "$1" | mmdebstrap --quiet --mode=root --variant=apt "${options[@]}" \
		--aptopt='APT::Install-Recommends "false"' "$1" "$2" - >&2
}

# in_root ROOT COMMAND...: with nothing of this environment
in_root()
{
	local root=$1
	shift
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
		DEBIAN_FRONTEND=noninteractive TERM=dumb "$@"
}

# open_root ROOT: what programs expect there. In a mount namespace of the caller's own.
open_root()
{
	mount -t proc proc "$1/proc" &&
		mount --rbind --make-rslave /dev "$1/dev" &&
		cp -L /etc/resolv.conf "$1/etc/resolv.conf"
}

# for_build FOLDER: it has what debian/control asks for
for_build()
{
	mkdir -p "$1/build/debian"
	cp "$PACKAGING/../debian/control" "$1/build/debian/"
	open_root "$1"
	in_root "$1" apt-get -q update
	# shellcheck disable=SC2086 # words
	in_root "$1" apt-get -q -y install $BUILD_TOOLS
	in_root "$1" apt-get -q -y build-dep /build
	in_root "$1" apt-get clean
	rm -r "$1/build"
}

# make_root SUITE bare|build FOLDER
make_root()
{
	if [ "$2" = bare ]; then
		strap "$1" "$3"
	else
		cp -a "$ROOTS/$1/bare" "$3"
		export -f in_root open_root for_build
		export PACKAGING BUILD_TOOLS
		# shellcheck disable=SC2016 # for that shell to expand
		unshare --mount --propagation private "$BASH" -euc 'for_build "$1"' - "$3" >&2
	fi
}

# root SUITE bare|build: print the folder of such a root, made at first use; one to build in anew where
# debian/control asks for other packages
root()
{
	local folder=$ROOTS/$1/$2
	mkdir -p "$ROOTS/$1"
	(
		flock 9
		[ "$2" = bare ] || root "$1" bare >/dev/null 9>&-
		[ "$2" = bare ] || grep -A4 ^Build-Depends "$PACKAGING/../debian/control" |
			cmp -s - "$folder.asked" || rm -rf "$folder"
		if [ ! -e "$folder" ]; then
			rm -rf "$folder.new"
			make_root "$1" "$2" "$folder.new" || exit
			grep -A4 ^Build-Depends "$PACKAGING/../debian/control" >"$folder.asked"
			mv "$folder.new" "$folder"
		fi
	) 9>"$ROOTS/$1/$2.lock" || return
	echo "$folder"
}

# copy_root SUITE bare|build FOLDER: the root at FOLDER/root, written to in FOLDER alone. In a mount namespace of the
# caller's own.
copy_root()
{
	local root
	root=$(root "$1" "$2") || return
	mkdir -p "$3"/{root,upper,work}
	mount -t overlay -o "lowerdir=$root,upperdir=$3/upper,workdir=$3/work" overlay "$3/root" &&
		open_root "$3/root"
}
