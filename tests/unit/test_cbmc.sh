#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/proof/cbmc: which CBMC it names; to fetch one is what the proofs do.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

# An apt-get that can fetch nothing, and a CBMC of $VERSION
mkdir "$T_DIR/bin"
# shellcheck disable=SC2016 # for the stand-ins to expand
{
	printf '#!/bin/sh\necho "$*" >>"$T_DIR/calls"\nexit 100\n' >"$T_DIR/bin/apt-get"
	printf '#!/bin/sh\necho "$VERSION (cbmc-$VERSION)"\n' >"$T_DIR/bin/cbmc"
}
chmod +x "$T_DIR"/bin/*
PATH=$T_DIR/bin:$PATH
export T_DIR XDG_CACHE_HOME=$T_DIR/cache PB_MIRROR=http://mine.example/debian

VERSION=6.7.1 t_ok 'one that is installed' tests/proof/cbmc
t_is 'is used' "$T_DIR/bin" "$T_OUT"
t_ok 'and apt is not asked' test ! -e "$T_DIR/calls"
export VERSION=5.95.1
if [ "$(uname -m)" = x86_64 ]; then
	t_fail 'an older one is not' 1 'could not be fetched' tests/proof/cbmc
	t_ok 'but apt is asked' test -s "$T_DIR/calls"
else
	t_fail 'nor is one fetched for other machines' 1 'only x86_64' tests/proof/cbmc
fi
t_is 'what could not be fetched leaves nothing' '' \
	"$(find "$XDG_CACHE_HOME" -mindepth 1 ! -type d ! -name lock 2>/dev/null)"
rm -f "$T_DIR/calls"
mkdir -p "$XDG_CACHE_HOME/xdp-portblock/cbmc"
t_ok 'one that was fetched before' tests/proof/cbmc
t_is 'is used' "$XDG_CACHE_HOME/xdp-portblock/cbmc" "$T_OUT"
t_ok 'and apt is not asked, either' test ! -e "$T_DIR/calls"
t_done
