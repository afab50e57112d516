#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/vm/root: a root that is kept serves as long as it was made with all that is asked for.
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
t_done
