#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/net/feeder and tests/net/promtool: what somebody has left who was killed goes with the next download; to
# fetch something is what net:feeders and net:metrics do.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

command -v flock >/dev/null || t_skip_all 'needs flock (util-linux)'
# An apt-get that can fetch nothing
mkdir "$T_DIR/bin"
# shellcheck disable=SC2016 # for the stand-in to expand
printf '#!/bin/sh\necho "$*" >>"$T_DIR/calls"\nexit 100\n' >"$T_DIR/bin/apt-get"
chmod +x "$T_DIR/bin/apt-get"
PATH=$T_DIR/bin:$PATH
export T_DIR XDG_CACHE_HOME=$T_DIR/cache
cache=$XDG_CACHE_HOME/xdp-portblock
left()
{
	(cd "$cache" && find . -mindepth 1 -maxdepth 1 ! -name '*.lock' -printf '%P\n' | sort | xargs)
}

mkdir -p "$cache/.some.aBcD12/root/usr" "$cache/.some-other.aBcD12" "$cache/other"
t_fail 'feeder: a package that cannot be fetched' 1 '' tests/net/feeder some
t_ok 'apt is asked' grep -q 'download some$' "$T_DIR/calls"
t_is 'leaves nothing, and nothing is left of one that was killed; what is of others stays' \
	'.some-other.aBcD12 other' "$(left)"
rm "$T_DIR/calls"
t_ok 'one that is there' tests/net/feeder other
t_is 'is named' "$cache/other" "$T_OUT"
t_ok 'and apt is not asked' test ! -e "$T_DIR/calls"

# Whoever has waited finds what another one has fetched.
exec 9>"$cache/.late.lock"
flock 9
tests/net/feeder late 9>&- >"$T_DIR/late" 2>&1 &
# In the kernel's list a lock that is waited for has an arrow.
# shellcheck disable=SC2317 # wait_for calls it
waits() { grep -q -- "-> FLOCK .*:$(stat -c %i "$cache/.late.lock") " /proc/locks; }
t_ok 'a second one waits' wait_for 60 waits
mkdir "$cache/late"
exec 9>&-
t_ok 'and succeeds' wait $!
t_is 'by what is there then' "$cache/late" "$(cat "$T_DIR/late")"
t_ok 'and apt is not asked' test ! -e "$T_DIR/calls"

if command -v promtool >/dev/null; then
	t_skip 'promtool that is fetched' 'it is installed'
else
	mkdir "$cache/.promtool.aBcD12"
	t_fail 'promtool that cannot be fetched' 1 '' tests/net/promtool
	t_is 'leaves nothing of it' '.some-other.aBcD12 late other' "$(left)"
fi
t_done
