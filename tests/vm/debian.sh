# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What tests/vm/kernel, tests/vm/build-root and tests/proof/cbmc share: which releases of Debian have
# which kernel, where they are fetched from, and an apt with a state of its own: nothing is installed,
# and apt's own lists and cache are not touched, so this needs no root.
# shellcheck disable=SC2034 # name, suites, folder and others are for those who source this

die() { echo "${0##*/}: $*" >&2; exit 1; }

# apt_mirror debian|debian-security: where the host's own apt fetches that from, whether or not it
# has done so yet. (In images for clouds that is a file with a list of mirrors.)
apt_mirror()
{
	# shellcheck disable=SC2016 # apt's variable, not the shell's
	apt-get --no-release-info indextargets --format '$(REPO_URI)' 2>/dev/null |
		sed 's,/$,,' | grep -m1 -E -- "/$1(\.list)?\$" || true
}

find_mirrors()
{
	main=${PB_MIRROR:-$(apt_mirror debian)} security=
	main=${main%/}
	[ -n "$main" ] || die "apt knows no mirror of Debian here: set PB_MIRROR to one, up to its /debian"
	[ -n "${PB_MIRROR-}" ] || security=$(apt_mirror debian-security)
	: "${security:=$(sed -E 's,/debian(\.list)?$,/debian-security\1,' <<<"$main")}"
}

# find_release NAME: `name`, the `suites` that may have it, and the `folder` where it is cached
find_release()
{
	case $1 in
	5.10 | bullseye) name=5.10 suites="bullseye bullseye-security" ;;
	6.1 | bookworm)  name=6.1  suites="bookworm bookworm-security" ;;
	6.12 | trixie)   name=6.12 suites="trixie trixie-security bookworm-backports" ;;
	newest | sid)    name=newest suites="sid" ;;
	*) return 1 ;;
	esac

	local cache=/var/cache
	[ -z "${HOME-}" ] || cache=$HOME/.cache
	kernels=${XDG_CACHE_HOME:-$cache}/xdp-portblock/kernels
	folder=$kernels/$name
}

# needs TOOL...
needs()
{
	[ "$(uname -m)" = x86_64 ] || die "only x86_64 is supported, this is $(uname -m)"
	local tool
	for tool in "$@"; do
		command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin:/sbin
		command -v "$tool" >/dev/null ||
			die "needs $tool (Debian and Ubuntu: apt-get install apt dpkg kmod util-linux; Fedora: dnf install apt dpkg kmod util-linux)"
	done
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -e $keyring ] ||
		die "needs $keyring to verify Debian's packages (Debian and Ubuntu: apt-get install debian-archive-keyring; Fedora: dnf install debian-keyring)"
}

# lock: one download at a time. Parallel test runs wait here and then find the result.
lock()
{
	mkdir -p "$kernels"
	exec 9>"$kernels/lock"
	flock 9
}

# own_apt: `own`, the words that make apt keep all that it knows in `work`, a folder that goes when
# this ends. The host's apt.conf (proxies) still counts. Whoever has such a folder holds it, also without
# the lock, which is held here: what nobody holds is of who was killed.
own_apt()
{
	local left
	find_mirrors
	for left in "$kernels"/.*.??????; do
		[ ! -d "$left" ] || flock -n "$left" rm -rf "$left" || true
	done
	work=$(mktemp -d "$kernels/.$name.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	exec 8<"$work"
	flock 8
	mkdir -p "$work"/{lists/partial,cache/archives/partial,etc}
	: >"$work/status"
	own=(-q -o Dir::State="$work" -o Dir::State::Lists="$work/lists" -o Dir::State::status="$work/status"
		-o Dir::Cache="$work/cache" -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=-
		-o Dir::Etc::Preferences=- -o Dir::Etc::PreferencesParts=-
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root
		-o Acquire::Languages=none -o Acquire::Retries=2 -o APT::Install-Recommends=false)
}

# read_lists SUITE...: of these alone
read_lists()
{
	local suite uri
	: >"$work/sources.list"
	for suite in "$@"; do
		uri=$main
		[ "${suite%-security}" = "$suite" ] || uri=$security
		echo "deb [signed-by=$keyring] $uri $suite main" >>"$work/sources.list"
		echo "${0##*/}: looking for $name in $uri $suite" >&2
	done
	apt-get "${own[@]}" -o APT::Update::Error-Mode=any update >>"$work/log" 2>&1
}

# depends PACKAGE PATTERN
depends()
{
	apt-cache "${own[@]}" depends "$1" 2>/dev/null | sed -n "s/^ *Depends: \($2\)\$/\1/p"
}

# complaints: the last that apt said
complaints()
{
	sed -n '/^[EW]:/p' "$work/log" | tail -n 5 >&2
}
