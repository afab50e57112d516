#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The rooms of lib/ stand in a row, and arrows between them go one way: by what the sources
# include, and by what the objects call. Within a room, too, there is no circle.

cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh

ROOMS='util rule rules compile maps attach inspect'

# Of pairs `FROM TO` of files in rooms, those that lead to a later room
backward()
{
	awk -v rooms="$ROOMS" 'BEGIN { n = split(rooms, order); for (i = 1; i <= n; i++) rank[order[i]] = i }
		{ split($1, from, "/"); split($2, to, "/") }
		!(from[1] in rank) || !(to[1] in rank) || rank[from[1]] < rank[to[1]]'
}

# Of such pairs, those that lead in a circle
circular()
{
	tsort 2>&1 >/dev/null | sed 's/^tsort: //'
}

# What the sources of lib/ include of each other
includes()
{
	awk -F'"' '/^#include "[a-z-]*\// { sub("^lib/", "", FILENAME); print FILENAME, $2 }' lib/*/*.[ch]
}

# What the objects of sources, as of lib/, take of each other; there may be objects whose source is gone
calls()
{
	local sources=("${@#lib/}")
	(cd build/obj/lib && nm -A "${sources[@]/%.c/.o}") | awk '
		{ split($1, at, ":"); kind = $(NF - 1); sub("\\.o$", "", at[1]) }
		kind ~ /^[TDRBC]$/ { owner[$NF] = at[1] }
		kind == "U" { user[++n] = at[1]; used[n] = $NF }
		END { for (i = 1; i <= n; i++) if (used[i] in owner) print user[i], owner[used[i]] }' | sort -u
}

t_is 'arrows: one backward is seen' 'rule/a.c maps/b.h' \
	"$(printf '%s\n' 'maps/b.c rule/a.h' 'rule/a.c maps/b.h' 'maps/b.c maps/c.h' | backward)"
t_is 'arrows: a room nobody knows is seen' 'maps/b.c shed/a.h' "$(echo 'maps/b.c shed/a.h' | backward)"
t_is 'arrows: none in a circle' '' "$(printf '%s\n' 'a b' 'b c' 'a c' | circular)"
t_ok 'arrows: a circle is seen' grep -q 'a$' <(printf '%s\n' 'a b' 'b c' 'c a' | circular)

t_is 'lib: its folders are the rooms' "$(xargs -n 1 <<<"bpf fleet $ROOMS" | sort | xargs)" \
	"$(cd lib && printf '%s\n' */ | tr -d / | sort | xargs)"
t_ok 'lib: sources include each other' test "$(includes | wc -l)" -gt 100
t_is 'lib: no include leads back' '' "$(includes | grep -Ev '^(bpf|fleet)/' | backward)"
t_is 'lib: no include leads in a circle' '' "$(includes | circular)"
t_is 'lib: the program includes nothing of the rooms' '' "$(includes | grep '^bpf/')"
t_ok 'lib: objects call each other' test "$(calls lib/[!bf]*/*.c | wc -l)" -gt 100
t_is 'lib: no call leads back' '' "$(calls lib/[!bf]*/*.c | backward)"
t_is 'lib: no call leads in a circle' '' "$(calls lib/[!bf]*/*.c | circular)"
t_is 'tool: takes of the library what its header offers' '' \
	"$(grep -n '#include "[a-z]*/' xdp-portblock/*.[ch] | grep -v '#include "fleet/')"
# The room of fleets is beside the row: it uses the library as any program does, and is no part of it.
t_is 'fleet: includes what is its own' '' \
	"$(includes | awk '{ split($1, from, "/"); split($2, to, "/") } from[1] == "fleet" && to[1] != "fleet"')"
t_is 'fleet: what parts offer each other is included by them' '' \
	"$(includes | awk '{ of = $2 } sub("-parts\\.h$", "", of) && $1 !~ "^" of "[-.]"')"
t_is 'fleet: nothing of the library includes it' '' \
	"$(includes | awk '{ split($1, from, "/"); split($2, to, "/") } to[1] == "fleet" && from[1] != "fleet"')"
if grep -q '^HAVE_FLEET := yes' config.mk; then
	t_is 'fleet: no call leads in a circle' '' "$(calls lib/fleet/*.c | circular)"
	t_is 'fleet: calls of the library what its header offers' '' \
		"$(nm -u build/fleet.a | sed -n 's/^ *U \(pb_.*\)/\1/p' | sort -u |
			grep -vxFf <(sed -n 's/^\t\(pb_[a-z_]*\);$/\1/p' lib/libportblock.map))"
else
	t_skip 'fleet: no call leads in a circle' 'built without libcurl and libcrypto'
	t_skip 'fleet: calls of the library what its header offers' 'built without libcurl and libcrypto'
fi
t_is 'tool: calls nothing of libbpf and libxdp' '' \
	"$(nm -Au build/obj/xdp-portblock/*.o | grep -E ' (bpf_|btf_|libbpf_|xdp_|libxdp_)')"
# What takes long to load is loaded by what needs it: a ban by a command is hardly more than its start.
t_is 'tool: is not linked with what few commands need' '' \
	"$(objdump -p xdp-portblock/xdp-portblock | grep -E 'NEEDED +lib(curl|crypto|ssl|pcap)')"

t_done
