#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/vm/root: a root that is kept serves as long as it was made with all that is asked for. packaging/roots.sh: what
# apt here is told of its mirror holds in roots, too.
# shellcheck disable=SC2317 # functions are called by t_ok

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

if ! command -v apt-get >/dev/null || [ "$(uname -m)" != x86_64 ]; then t_skip_all 'needs apt-get, on x86_64'; fi

# A cache of our own, and nobody to fetch from
export XDG_CACHE_HOME=$T_DIR/cache PB_MIRROR=http://127.0.0.1:1/debian
root=$XDG_CACHE_HOME/xdp-portblock/roots/sid-amd64
made_with()
{
	mkdir -p "$root"
	{ tests/deps --list; printf '%s\n' '?essential' netbase mount "$@"; } | LC_ALL=C sort -u >"$root/.packages"
}
is_kept() { [ "$(tests/vm/root sid)" = "$root" ]; }

t_fail 'none: it would be fetched' 1 'no root of sid for amd64 could be fetched' tests/vm/root sid
made_with
t_ok 'one is kept' is_kept
made_with more
t_ok 'one that has more, too' is_kept
t_fail '--anew: it would be fetched' 1 'no root of sid' tests/vm/root --anew sid
sed -i '/^libseccomp-dev$/d' "$root/.packages"
# says_old: it is kept, and told to be without what has been asked for since
says_old() { is_kept 2>"$T_DIR/said" && grep -q 'as it was: what is asked for since then cannot be fetched' "$T_DIR/said"; }
t_ok 'one that lacks a package would be fetched anew' says_old
rm "$root/.packages"
t_ok 'as would one that does not say what it has' says_old

# A mmdebstrap that says what it is asked for
printf '#!/bin/sh\nprintf "%%s\\n" "$@"\n' >"$T_DIR/mmdebstrap"
chmod +x "$T_DIR/mmdebstrap"
cat >"$T_DIR/apt.conf" <<'END'
Acquire::http::Proxy "http://127.0.0.1:3128";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
Acquire::Retries "7";
END
# strapped: the options of apt that mmdebstrap gets
strapped()
{
	(
		. packaging/roots.sh
		export APT_CONFIG=$T_DIR/apt.conf PATH=$T_DIR:$PATH
		strap sid "$T_DIR/strapped" 2>&1
	) | sed -n 's/^--aptopt=//p'
}
strapped=$(strapped)
# has OPTION
has() { grep -qxF "$1" <<<"$strapped"; }
t_ok 'a root has the proxy of apt here' has 'Acquire::http::Proxy "http://127.0.0.1:3128";'
t_ok 'and takes as old a list' has 'Acquire::Check-Valid-Until "false";'
t_ok 'of whatever date' has 'Acquire::Check-Date "false";'
t_is 'nothing else of it' '' "$(grep Retries <<<"$strapped")"
t_done
