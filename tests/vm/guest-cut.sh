#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# As process 1 of a machine whose power goes while files are written, PB_CUTS times: what `save` writes, the rules and
# the elements, is then the one ruleset or the other as a whole, and so is the copy that the unit keeps. The rulesets
# are large, so that a write takes a while.

# shellcheck disable=SC2317 # functions are called by t_ok and others

export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t bpf bpf /sys/fs/bpf
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /tmp
. "$(dirname "$0")/guest-boot-verbs.sh"

DIR=/var/lib/xdp-portblock
ETC=/run/etc
mkdir -p $DIR $ETC
modprobe veth
ip link add v0 type veth peer name v1

# The two, and what their files are like
make_rules()
{
	local port
	echo 'set bans'
	echo 'drop from @bans'
	for ((port = $1; port < 60000; port += 30)); do
		echo "drop tcp dport $port comment \"of the ruleset that begins with $1, $port\""
	done
}
elements()
{
	local i
	for ((i = 0; i < 5000; i++)); do echo "10.$1.$((i / 250)).$((i % 250))"; done
}
for name in one two; do
	[ $name = one ] && n=1 || n=2
	make_rules "$n" >$ETC/$name.rules
	"$PB" load v$((n - 1)) -r $name --rules $ETC/$name.rules >/dev/null || t_die "cannot load $name"
	elements "$n" | "$PB" set load -r $name bans - >/dev/null || t_die "no elements of $name"
	"$PB" save -r $name >/run/$name.rules
	"$PB" save -r $name --elements - | grep -v -e '^#' -e '^saved ' >/run/$name.elements
done

# whole WHAT: it is the one or the other
whole()
{
	[ ! -e "$DIR/file.$1" ] && [ "$boot" = 1 ] && return
	grep -v -e '^#' -e '^saved ' "$DIR/file.$1" >/run/found
	cmp -s /run/found "/run/one.$1" || cmp -s /run/found "/run/two.$1"
}

# PB_CUT_HOW=naive: how others write files, to see that this is found to be wrong
write()
{
	if [ "$PB_CUT_HOW" = naive ]; then
		cat "/run/$1.rules" >$DIR/file.rules
		cat "/run/$1.elements" >$DIR/file.elements
	else
		"$PB" save -r "$1" --elements $DIR/file.elements $DIR/file.rules
	fi
}

boot=$(sed 's/.*pb.boot=\([0-9]*\).*/\1/' /proc/cmdline)
[ "$boot" = 1 ] || echo "# after cut $((boot - 1)): $(sha256sum <$DIR/file.rules | cut -c 1-8), left: $(find $DIR -name "file.*.*" | wc -l)"
if ! whole rules || ! whole elements; then
	t_ok "rules are whole after cut $((boot - 1))" whole rules
	t_ok "elements are whole after cut $((boot - 1))" whole elements
	ls -l $DIR
	echo "1..$t_count"
	end 1
fi
if [ "$boot" -gt "$PB_CUTS" ]; then
	t_ok "rules are whole after each of $PB_CUTS cuts" whole rules
	t_ok 'and so are elements' whole elements
	echo "1..$t_count"
	end 0
fi
write one || t_die 'cannot save'
host cut
while true; do
	write two
	write one
done
