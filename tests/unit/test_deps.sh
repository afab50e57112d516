#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/deps: which packages a group is, as a host sees it where nothing is installed.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

# A Debian without packages, and a user who is not root: what is missing is printed.
mkdir "$T_DIR/bin"
echo 'exit 100' | tee "$T_DIR/bin/apt-get" >"$T_DIR/bin/apt-cache"
echo 'echo 1000' >"$T_DIR/bin/id"
cat >"$T_DIR/bin/dpkg-query" <<'END'
for word; do
	case $word in
	-* | *'{'*) ;;
	*) echo "dpkg-query: no packages found matching $word" ;;
	esac
done
END
sed -i '1i#!/bin/sh' "$T_DIR"/bin/*
chmod +x "$T_DIR"/bin/*
PATH=$T_DIR/bin:$PATH

# packages GROUP...: a line each
packages()
{
	tests/deps "$@" 2>&1 | sed -n 's/.*--no-install-recommends //p' | tr -s ' ' '\n' | sort
}

t_fail 'what is missing is said' 1 'install --no-install-recommends .*clang' tests/deps build
t_is 'the names alone' "$(packages demo)" "$(tests/deps --list demo)"
t_fail 'a list of a group that is none' 2 "there are: build demo unit" tests/deps --list nosuch
t_fail 'a group that is none' 2 "there are: build demo unit" tests/deps nosuch
t_is 'the demo needs little beside what building needs' 'iproute2 python3 util-linux' \
	"$(comm -13 <(packages build) <(packages build demo) | paste -sd ' ')"
for group in unit proof prog net vm deb bench lint fuzz; do
	t_ok "$group has packages" test -n "$(packages "$group")"
done

# --- where packages have other names -----------------------------------------------------------

# rust VERSION [WEB]: those of Rust, where apt knows rustc of VERSION, and rustc-web
rust()
{
	cat >"$T_DIR/bin/apt-cache" <<-END
		#!/bin/sh
		case \$2 in
		rustc) echo "Version: $1" ;;
		rustc-web) ${2+echo 'Filename: pool/rustc-web.deb'} ;;
		esac
	END
	packages unit | grep rust | paste -sd ' '
}
t_is 'Rust of Debian 12' 'rust-web-src rustc-web' "$(rust 1.63.0+dfsg1-2 web)"
t_is 'of Debian 13' 'rust-src rustc' "$(rust 1.85.0+dfsg3-1)"
t_is 'one that is new enough, whatever else there is' 'rust-src rustc' "$(rust 1.85.0+dfsg3-1 web)"
t_is 'one that is too old, and no other' 'rust-src rustc' "$(rust 1.63.0+dfsg1-2)"

# --- what the demo asks for ------------------------------------------------------------------

mkdir -p "$T_DIR/tree/tests"
cp tests/demo "$T_DIR/tree/tests/"
printf '#!/bin/sh\necho "deps: $*"\nexit 1\n' >"$T_DIR/tree/tests/deps"
printf '#!/bin/sh\n' | tee "$T_DIR/tree/tests/give-back" >"$T_DIR/bin/make"
echo 'echo 0' >>"$T_DIR/bin/id"
sed -i '/1000/d' "$T_DIR/bin/id"
chmod +x "$T_DIR"/tree/tests/* "$T_DIR/bin/make"
t_fail 'the demo asks for these' 1 '^deps: build demo$' "$T_DIR/tree/tests/demo"
t_done
