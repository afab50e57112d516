#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The lock-out guard: a change that would cut the SSH connection through which it is given
# is refused, with the rule that would do it, the interface, and what to do then. The
# connections are real ones. A command that is refused is given once more with --force, and
# after one that is not a word is said: so the network decides whether the guard was right.
# (VLANs, bonds and VRFs: tests/vm/guest-guard.sh.)

# shellcheck disable=SC2317 # functions are called by t_ok and others
# shellcheck disable=SC2154 # FORCE, CONFIRM are those of guard-verbs.sh

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
. "$TOP/tests/net/guard-verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3 10.9.1.1/24 fd0a::1/64 10.9.1.2/24 fd0a::2/64
cd "$T_DIR" || exit 1
serve in_a --tcp 22
echo 22/tcp >22.rules
echo 23/tcp >23.rules

hold four "$A4" 22
hold six "$A6" 22
t_ok 'load' in_a "$PB" load v0
t_ok 'load another' in_a "$PB" load v2 -r other

by_22='by the rule .drop tcp dport 22.'

# --- what drops a packet of the connection -------------------------------------------------

echo 'drop tcp dport 1-1024' >wide.rules
printf '%s\n' 'replies off' 'policy deny' >deny.rules
for of in four six; do
	[ $of = four ] && host=$B4 || host=$B6
	if [ $of = four ]; then meant four "$B4" "$A4"; else meant six "$B6" "$A6"; fi
	cut "$of: drop" "\($host to port 22\): on v0, $by_22$CONFIRM" rule add 22/tcp
	cut "$of: by source port" 'on v0, by the rule .drop tcp sport' \
		rule add drop tcp sport "${held_port[$of]}"
	cut "$of: from its source" "$by_22?.* from $host" rule add 22/tcp from "$host"
	cut "$of: for a while" 'on v0, by the rule .drop tcp dport 22 expires' \
		rule add 22/tcp expires 1h
	refuse "$of: reject" "on v0, by the rule .reject tcp dport 22.$CONFIRM" rule add reject 22/tcp
	cut "$of: by a file" "by the rule .drop tcp dport 1-1024.$CONFIRM" apply wide.rules
	fine "$of: another port" rule add 23/tcp
	fine "$of: another protocol" rule add 22/udp
	fine "$of: not for its source" rule add 22/tcp except "$host"
	fine "$of: for other sources" rule add 22/tcp from 192.0.2.0/24,2001:db8::/32
	fine "$of: new connections" rule add 22/tcp new
	fine "$of: audit" rule add audit 1-100/tcp
	fine "$of: policy deny, with replies" policy deny
	fine "$of: without the audit rule" rule del 1-100/tcp
	refuse "$of: without replies" "on v0, by policy deny$CONFIRM" replies off
	fine "$of: policy reject, with replies" policy reject
	refuse "$of: reject without replies" "on v0, by policy reject$CONFIRM" replies off
	fine "$of: policy deny again" policy deny
	fine "$of: an allow rule" rule add allow 22/tcp
	fine "$of: so that they may be off" replies off
	refuse "$of: without that rule" 'on v0, by policy deny' rule del 22/tcp
	refuse "$of: without any" 'on v0, by policy deny' rule flush
	calm
	cut "$of: no replies" "on v0, by policy deny" apply deny.rules
	# TCP sends no fragments: those that are dropped are of others.
	fine "$of: fragments" fragments drop
	calm
done

meant four "$B4" "$A4"
echo 'allow tcp dport 22 new' | "$PB" apply -f - >/dev/null
cut 'what allows new ones does not allow it' 'by the rule .drop tcp dport 1-1024' \
	rule add 1-1024/tcp

# --- later -----------------------------------------------------------------------------------

ended='when the rule that lets it in has ended, by'
cat >later.rules <<'END'
allow tcp dport 22 expires 5m
drop tcp dport 1-1024
END
refuse 'a rule that expires, over one that drops' \
	"on v0, in [45]m[0-9s]* $ended the rule .drop tcp dport 1-1024.$CONFIRM" apply later.rules
cat >later.rules <<'END'
allow tcp dport 22 expires 5m
audit tcp dport 20-30 expires 10m
allow tcp dport 1-100 expires 2m
drop tcp dport 1-1024
END
refuse 'several such rules' "on v0, in (10|9)m[0-9s]* $ended the rule .drop tcp dport 1-1024" \
	apply later.rules
cat >later.rules <<'END'
policy deny
replies off
allow tcp dport 22 expires 5m
END
refuse 'one that expires under policy deny' "on v0, in [45]m[0-9s]* $ended policy deny" \
	apply later.rules
cat >later.rules <<'END'
allow tcp dport 22 expires 5m
allow tcp dport 1-100
drop tcp dport 1-1024
END
fine 'one that expires over one that allows' apply later.rules
cat >later.rules <<'END'
policy deny
allow tcp dport 22 expires 5m
drop tcp dport 1-1024 new expires 1h
END
fine 'one that expires under policy deny, with replies' apply later.rules
calm

# --- changes that wait to be confirmed ---------------------------------------------------------

t_ok '--confirm' by_ssh "$SSH" "$PB" rule add 22/tcp --confirm 1h
refuse 'confirm what drops' "on v0, $by_22$FORCE" confirm
t_ok 'confirm --force' by_ssh "$SSH" "$PB" confirm --force
cut_off 'confirm --force'
"$PB" apply -f 22.rules >/dev/null
fine 'a change that ends it' apply --confirm 1h 23.rules
refuse 'rollback to what drops' "on v0, $by_22; .xdp-portblock confirm. keeps the rules that \
are in force, --force does it\$" rollback
t_ok 'rollback --force' by_ssh "$SSH" "$PB" rollback --force
cut_off 'rollback --force'
"$PB" apply -f 22.rules >/dev/null
fine 'once more' apply --confirm 1h 23.rules
fine 'confirm what does not drop' confirm
t_ok 'apply --confirm' by_ssh "$SSH" "$PB" apply --confirm 1h 22.rules
t_ok 'rollback to what does not drop' by_ssh "$SSH" "$PB" rollback
alive 'rollback to what does not drop: the connection is well'
calm

# --- the way on --------------------------------------------------------------------------------

t_ok 'rule add -f' by_ssh "$SSH" "$PB" rule add -f 22/tcp
refuse 'what drops already is refused, too' "on v0, $by_22" rule add 99/tcp
fine 'the way out is not' rule flush
refuse 'a long rule' "by the rule .drop tcp dport 22 from 10.9.0.2,192.*\.\.\..$CONFIRM" \
	rule add 22/tcp from "$B4,$(seq -f '192.0.2.%g' 0 2 254 | paste -sd,)" comment 'Ünïcödé'

# --- which interface -----------------------------------------------------------------------------

# A host takes packets for each of its addresses by each of its interfaces.
refuse 'the ruleset of another interface' "on v2, $by_22$CONFIRM" rule add -r other 22/tcp
world_wire x0 x1
cut 'shared: load of another with rules' "on (x0|v0), $by_22$FORCE" load x0 --rules 22.rules
in_a "$PB" unload x0 >/dev/null
echo 'replies off' >off.rules
cut 'shared: load of another with a policy' "on (x0|v0), by policy deny$FORCE" \
	load x0 --rules off.rules --policy deny
cut 'shared: a rule' "on (x0|v0), $by_22$CONFIRM" rule add 22/tcp
fine 'shared: load' load x0
t_ok 'shared: unload' in_a "$PB" unload x0

in_a ip addr add 10.9.0.5/24 dev v0 label v0:1
hold label 10.9.0.5 22
meant label "$B4" 10.9.0.5
cut 'an address with a label' "on v0, $by_22" rule add 22/tcp
fine 'an address with a label: another port' rule add 23/tcp

in_a ip addr add 192.0.2.1/32 dev lo
in_b ip route add 192.0.2.1 via "$A4"
hold lo 192.0.2.1 22
meant lo "$B4" 192.0.2.1
cut 'an address on lo' "on v0, $by_22" rule add 22/tcp
fine 'an address on lo: policy deny, with replies' policy deny
calm

in_a ip route add local 198.51.100.0/24 dev lo
in_b ip route add 198.51.100.0/24 via "$A4"
hold none 198.51.100.9 22
meant none "$B4" 198.51.100.9
cut 'an address on no interface' "on v0, $by_22" rule add 22/tcp
fine 'an address on no interface: new connections' rule add 22/tcp new
calm

hold scope "$(link_local v0)%v1" 22
meant scope "$(link_local v1 in_b)%v0" "$(link_local v0)%v0"
cut 'link-local' "on v0, $by_22" rule add 22/tcp
fine 'link-local: new connections' rule add 22/tcp new
fine 'link-local: policy deny, with replies' policy deny
fine 'link-local: the ruleset of another interface' rule add -r other 22/tcp
refuse 'link-local: a move to it' "on v0, $by_22$FORCE" load v0 -r other
calm
SSH="fe80::b%eth77 50022 fe80::a%eth77 22"
refuse 'link-local: of an interface that is not here' "on v2, $by_22" rule add -r other 22/tcp

# --- bridge, macvlan: the address is above the loaded interface ------------------------------------

in_a ip link add br0 type bridge
world_wire p0 p1
in_a ip link set p0 master br0
in_a ip link set br0 up
in_a ip addr add 10.9.2.1/24 dev br0
in_a ip addr add fe80::bb/64 dev br0 nodad
in_b ip addr add 10.9.2.2/24 dev p1
t_ok 'bridge: load its port' in_a "$PB" load p0 -r port
hold bridge 10.9.2.1 22
meant bridge 10.9.2.2 10.9.2.1
cut 'bridge' "on p0, $by_22" rule add -r port 22/tcp
fine 'bridge: policy deny, with replies' policy -r port deny
calm
hold bridge6 fe80::bb%p1 22
meant bridge6 "$(link_local p1 in_b)%br0" fe80::bb%br0
cut 'bridge, link-local' "on p0, $by_22" rule add -r port 22/tcp
# The socket is bound to the bridge: it is not found for what comes in on the port.
cut 'bridge, link-local: new connections' 'on p0, by the rule .drop tcp dport 22 new' \
	rule add -r port 22/tcp new
fine 'bridge, link-local: none of its ports' rule add 22/tcp
calm
in_a "$PB" unload p0 >/dev/null
in_a ip link del br0
if in_a ip link add m0 link p0 type macvlan mode bridge 2>/dev/null; then
	in_a ip addr add 10.9.2.1/24 dev m0
	in_a ip link set m0 up
	in_b ip neigh flush all
	t_ok 'macvlan: load below' in_a "$PB" load p0 -r port
	hold macvlan 10.9.2.1 22
	meant macvlan 10.9.2.2 10.9.2.1
	cut 'macvlan' "on p0, $by_22" rule add -r port 22/tcp
	in_a "$PB" unload p0 >/dev/null
else
	t_skip 'macvlan' 'the kernel does not have it'
fi
in_a "$PB" unload v2 >/dev/null

# --- translated addresses -----------------------------------------------------------------------------

if ! command -v nft >/dev/null || ! in_a nft -f - <<'END' 2>/dev/null
table inet nat {
	chain in {
		type nat hook prerouting priority -100;
		tcp dport 2200 redirect to :22
	}
}
END
then
	t_skip 'translated' 'needs nft, and a kernel that translates'
else
	hold nat4 "$A4" 2200
	hold nat6 "$A6" 2200
	for of in 4 6; do
		host=B$of to=A$of
		meant nat$of "${!host}" "${!to}"
		cut "translated, IPv$of: the port on the wire" \
			'to port 22\): on v0, by the rule .drop tcp dport 2200.' rule add 2200/tcp
		refuse "translated, IPv$of: the port that sshd sees" "on v0, $by_22" rule add 22/tcp
		fine "translated, IPv$of: another" rule add 2201/tcp
		calm
	done
	in_a nft flush ruleset
fi

# --- other namespaces ------------------------------------------------------------------------------------

meant four "$B4" "$A4"
elsewhere='on an interface out of sight, perhaps of another network namespace, by'
in_b "$PB" load v3 -r theirs >/dev/null
refuse 'an interface of another namespace' "$elsewhere the rule .drop tcp dport 22." \
	rule add -r theirs 22/tcp
refuse 'which may know no connection of this one' "$elsewhere policy deny" \
	policy -r theirs deny
in_b "$PB" unload v3 >/dev/null

reads_packets()
{
	[ "$(readlink "/proc/$1"/fd/* | grep -c "packets.pcap$")" -gt 0 ]
}
mkfifo packets.pcap
exec {keep}<>packets.pcap
bg in_a "$PB" explain packets.pcap
wait_for 60 reads_packets "$BG_PID"
fine 'what explain runs is no interface' policy deny
bg_stop "$BG_PID"
exec {keep}>&-
calm

# --- modes, kinds of devices ---------------------------------------------------------------------------------

in_a "$PB" unload --all >/dev/null
t_ok 'skb: load' in_a "$PB" load v0 -m skb
cut 'skb' "on v0, $by_22" rule add 22/tcp
fine 'skb: new connections' rule add 22/tcp new
calm
if in_a ip tuntap add tun0 mode tun 2>/dev/null; then
	in_a ip link set tun0 up
	in_a "$PB" load tun0 -r bare -m skb >/dev/null
	refuse 'a device without link layer' "on tun0, $by_22" rule add -r bare 22/tcp
	in_a "$PB" unload tun0 >/dev/null
else
	t_skip 'a device without link layer' 'the kernel has no tun'
fi

# --- which connection ------------------------------------------------------------------------------------------

SSH="$A4 50022 $A4 22"
fine 'from the host itself' rule add 22/tcp from "$A4"
SSH="$A6 50022 $A4 22"
in_a "$PB" load lo -r lo -m skb >/dev/null
SSH="$A6 50022 $A6 22"
fine 'from the host itself, IPv6' rule add 22/tcp from "$A6"
refuse 'from the host itself: lo' "on lo, $by_22" rule add -r lo 22/tcp
in_a "$PB" unload lo >/dev/null
calm
SSH="$B4 50022 203.0.113.1 22"
refuse 'to an address that is not here' "on v0, $by_22" rule add 22/tcp
SSH="::ffff:$B4 ${held_port[four]} ::ffff:$A4 22"
cut 'addresses written as IPv4 in IPv6' "on v0, .* from $B4" rule add 22/tcp from "$B4"
fine 'addresses written as IPv4 in IPv6: new connections' rule add 22/tcp new
calm
SSH="$B4 50022 $A4 2222"
refuse 'sshd on another port' 'to port 2222\): on v0, by the rule .drop tcp dport 2222.' \
	rule add 2222/tcp
fine 'for which 22 is another' rule add 22/tcp from 192.0.2.1
calm
for odd in x '1 2 3' "$B4 99999 $A4 22" "$B4 x $A4 22" 'a b c d' "$B4 1 nonsense 22" "$B4 1 $A6 22"
do
	t_ok "an environment that says '$odd'" by_ssh "$odd" "$PB" rule add 22/tcp
	calm
done
meant four "$B4" "$A4"
refused 'through sudo' 1 "$would_cut.*on v0, $by_22" by_sudo "$SSH" "$PB" rule add 22/tcp
t_ok 'through sudo: another port' by_sudo "$SSH" "$PB" rule add 23/tcp
t_ok 'an empty variable: none' by_sudo "$SSH" env SSH_CONNECTION= "$PB" rule add 22/tcp
calm
t_ok 'none at all' in_a "$PB" rule add 22/tcp
calm

# --- load, moves, rulesets without interfaces ---------------------------------------------------------------------

in_a "$PB" load v2 -r kept >/dev/null
in_a "$PB" unload v2 --keep >/dev/null
t_ok 'without interfaces' by_ssh "$SSH" "$PB" rule add -r kept 22/tcp
refuse 'without interfaces: load' "on v2, $by_22$FORCE" load v2 -r kept
refuse 'without interfaces: a move' "on v0, $by_22$FORCE" load v0 -r kept
"$PB" apply -r kept --confirm 1h 23.rules >/dev/null
refuse 'to rules that come back: a move' "on v0, $by_22$FORCE" load v0 -r kept
"$PB" confirm -r kept >/dev/null
fine 'to rules that do not: a move' load v0 -r kept
t_is 'it was moved' kept "$(status_is v0 ruleset)"
in_a "$PB" unload v0 >/dev/null
refuse 'load with rules' "on v0, $by_22$FORCE" load v0 --rules 22.rules
fine 'load with policy deny' load v0 --policy deny
t_ok 'load --force' by_ssh "$SSH" "$PB" load v0 --rules 22.rules --force
cut_off 'load --force'

# --- what it cannot find out ---------------------------------------------------------------------------------------

# So few files that the change itself is just possible
few=8
until in_a prlimit --nofile=$few "$PB" rule add 23/tcp >/dev/null 2>&1 || [ $few -gt 200 ]; do
	few=$((few + 1))
done
"$PB" rule flush >/dev/null
refused 'no answer' 1 \
	"may cut the SSH connection.*: it cannot be told, since .*Too many open files.*$CONFIRM" \
	by_ssh "$SSH" prlimit --nofile=$few "$PB" rule add 23/tcp
t_ok 'no answer: --force' by_ssh "$SSH" prlimit --nofile=$few "$PB" rule add 23/tcp --force
t_ok 'unload, whatever' by_ssh "$SSH" "$PB" unload --all
t_done
