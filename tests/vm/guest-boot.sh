#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a machine with systemd, at its first boot: eth0 is filtered, eth1 is not, networkd sets them up, and datagrams to
# both have been sent since before the machine was there. See tests/vm/test_boot.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/guest-boot-verbs.sh"

ETC=/etc/xdp-portblock
STATE=/var/lib/xdp-portblock
UNIT=$(unit eth0)

# --- before the network ------------------------------------------------------------------------

t_is 'the system is up, and nothing has failed' running "$(up)"
is active pb-witness.service || t_die 'no witness'
t_ok 'the unit is active' is active "$UNIT"
t_ok 'it was before networkd began' before "$UNIT" systemd-networkd.service
t_ok 'so was the witness' before pb-witness.service systemd-networkd.service
t_ok 'where there is no filter, packets come in' flows eth1 22
shut 'from boot on' eth0 0
t_ok 'it is said by status' status_shows "$UNIT" 'eth0: loaded'
program=$(about eth0 program_id)

# --- what is done to units ---------------------------------------------------------------------

t_ok 'daemon-reload' systemctl daemon-reload
t_ok 'the unit is active' is active "$UNIT"
t_ok 'daemon-reexec' systemctl daemon-reexec
t_ok 'the unit is active' is active "$UNIT"
for i in 1 2 3; do
	t_ok "restart $i" systemctl restart "$UNIT"
done
t_ok 'try-restart' systemctl try-restart "$UNIT"
t_ok 'it says that the filter stays' said "$UNIT" 'stays loaded over the restart'
shut 'reload of the daemon, and restarts' eth0 0
t_is 'by the same program' "$program" "$(about eth0 program_id)"
t_ok 'reload-or-restart' systemctl reload-or-restart "$UNIT"

printf '%s\n' 'set bans' 'drop udp dport 22' 'drop from @bans' >$ETC/default.rules
t_ok 'reload with other rules' systemctl reload "$UNIT"
t_is 'they are in force' 2 "$(about eth0 rules)"
"$PB" set add bans 192.0.2.1 >/dev/null
echo 'drop tcp dport 7x' >>$ETC/default.rules
t_fail 'reload with a fault' 1 '' systemctl reload "$UNIT"
t_ok 'is said' said "$UNIT" '"7x"'
t_ok 'the unit is active still' is active "$UNIT"
t_is 'and the rules in force' 2 "$(about eth0 rules)"
sed -i '$d' $ETC/default.rules
shut 'reload' eth0 0

t_ok 'stop' systemctl stop "$UNIT"
t_is 'is unload' null "$(about eth0 program_id)"
t_ok 'and the witness sees that' flows eth0 22
t_ok 'elements are saved' grep -qx 192.0.2.1 $STATE/default.elements
t_ok 'start' systemctl start "$UNIT"
t_ok 'packets come in' flows eth0 2323
open=$(seen eth0 22)
t_is 'elements are back' 192.0.2.1/32 "$("$PB" set list bans -j | jq -r '.sets[0].elements[0].prefix')"
shut 'start' eth0 "$open"

# Would a gap be seen? That of a restart that unloads first
sed -i 's/if restarts; then/if false; then/' /usr/libexec/xdp-portblock/unit
t_ok 'restart that unloads' systemctl restart "$UNIT"
t_ok 'packets come in' flows eth0 2323
t_ok 'its gap is seen' more eth0 22 "$open"
sed -i 's/if false; then/if restarts; then/' /usr/libexec/xdp-portblock/unit
open=$(seen eth0 22)

# --- a restart with other options --------------------------------------------------------------

echo RULESET=web >$ETC/eth0.conf
printf '%s\n' 'policy deny' 'allow udp dport 2323' >$ETC/web.rules
t_ok 'restart with another ruleset' systemctl restart "$UNIT"
t_is 'it is in force' web "$(about eth0 ruleset)"
shut 'another ruleset' eth0 "$open"
# The kernel has no way to exchange a program in one mode for one in another.
echo OPTIONS=--mode skb >>$ETC/eth0.conf
t_fail 'restart in another mode' 1 '' systemctl restart "$UNIT"
t_ok 'the unit has failed' is failed "$UNIT"
t_ok 'which status says' status_shows "$UNIT" 'stays loaded as it was'
t_is 'and the system' degraded "$(systemctl is-system-running)"
shut 'another mode' eth0 "$open"
rm $ETC/eth0.conf
t_ok 'start without it' systemctl start "$UNIT"
t_is 'moves it back' default "$(about eth0 ruleset)"
t_ok 'all is well' all_is_well
shut 'back again' eth0 "$open"

# --- rules with a fault ------------------------------------------------------------------------

cp $ETC/default.rules /run/right.rules
echo nonsense >>$ETC/default.rules
t_fail 'restart' 1 '' systemctl restart "$UNIT"
t_ok 'the unit has failed' is failed "$UNIT"
t_ok 'status says why' status_shows "$UNIT" '"nonsense"'
t_ok 'and what is in force' status_shows "$UNIT" 'stays loaded as it was'
t_ok 'OnFailure= has told somebody' wait_for 60 test -e "/run/told-$UNIT"
shut 'a fault, and a restart' eth0 "$open"
t_ok 'unload by hand' "$PB" unload eth0
t_ok 'the witness sees that' flows eth0 22
t_fail 'start' 1 '' systemctl start "$UNIT"
t_ok 'packets come in' flows eth0 2323
open=$(seen eth0 22)
t_ok 'status says which rules it has' status_shows "$UNIT" 'loaded with the last rules that were right'
shut 'a fault, and a start' eth0 "$open"
t_ok 'unload by hand' "$PB" unload eth0
mv $STATE/default.rules /run/copy.rules
t_fail 'start without a copy' 1 '' systemctl start "$UNIT"
t_ok 'status says that nothing is filtered' status_shows "$UNIT" 'NOT FILTERED, all packets pass'
t_is 'which is so' null "$(about eth0 program_id)"
cp /run/right.rules $ETC/default.rules
t_ok 'start without the fault' systemctl start "$UNIT"
t_ok 'packets come in' flows eth0 2323
open=$(seen eth0 22)
t_ok 'there is a copy again' cmp /run/copy.rules $STATE/default.rules

# --- devices that go and come ------------------------------------------------------------------

# replug WORD: eth0 goes, comes, and is filtered again
replug()
{
	t_ok "$1: eth0 is unplugged" host unplug eth0
	t_ok "$1: the unit stops" wait_for 300 is inactive "$UNIT"
	t_ok "$1: without a failure" all_is_well
	open=$(seen eth0 22)
	t_ok "$1: eth0 is plugged in" host plug eth0
	t_ok "$1: the unit starts" wait_for 300 is active "$UNIT"
	t_ok "$1: it is filtered" "$PB" status eth0
}

replug 'networkd'
shut 'networkd: plugged in again' eth0 "$open"
replug 'networkd, again'
shut 'networkd: plugged in again, again' eth0 "$open"
# Would a gap be seen? That of a unit which is late, and alone
ln -s /dev/null /etc/udev/rules.d/79-xdp-portblock.rules
udevadm control --reload
LATE=/run/systemd/system/xdp-portblock@eth0.service.d
mkdir -p $LATE
printf '%s\n' '[Service]' 'ExecStartPre=/bin/sh /run/late' >$LATE/late.conf
echo "while nft list counter inet witness eth0-22 | grep -q 'packets $(seen eth0 22) '; do sleep 0.1; done" >/run/late
systemctl daemon-reload
replug 'without udev'
t_ok 'without udev: its gap is seen' more eth0 22 "$open"
rm -r /etc/udev/rules.d/79-xdp-portblock.rules $LATE
udevadm control --reload
systemctl daemon-reload
open=$(seen eth0 22)
shut 'and then none' eth0 "$open"
# As xdp-portblock(8) says for what is not there at boot
wants=/etc/systemd/system/sys-subsystem-net-devices-eth2.device.wants
mkdir -p $wants
t_ok 'a unit for what is not there yet' ln -s "$(systemctl show -P FragmentPath xdp-portblock@eth2)" \
	$wants/xdp-portblock@eth2.service
systemctl daemon-reload
t_ok 'eth2 is plugged in' host plug eth2
t_ok 'its unit starts' wait_for 300 is active "$(unit eth2)"
t_ok 'it is filtered' "$PB" status eth2
shut 'what was not there yet' eth2 0
t_ok 'eth1, which has no unit, is unplugged' host unplug eth1
t_ok 'eth1 is plugged in' host plug eth1
t_ok 'it is not filtered' flows eth1 22
t_ok 'eth2 is unplugged' host unplug eth2
t_ok 'the unit stops' wait_for 300 is inactive "$(unit eth2)"

# --- the other units ---------------------------------------------------------------------------

FOLDER=/var/lib/prometheus/node-exporter
FILE=$FOLDER/xdp-portblock-default.prom
metrics()
{
	grep -q '^xdp_portblock_interface_packets_total{.*interface="eth0"' "$FILE"
}
# result_is WORD: of the service when it ran last
result_is()
{
	[ "$(property xdp-portblock-metrics.service Result)" = "$1" ]
}
t_ok 'metrics: timer, where nobody reads' systemctl start xdp-portblock-metrics.timer
t_ok 'metrics: there is nothing to do' wait_for 300 result_is exec-condition
t_ok 'metrics: which is no failure' all_is_well
mkdir -p $FOLDER
t_ok 'metrics: written where somebody reads' wait_for 300 test -s $FILE
t_ok 'metrics: of eth0' metrics
rm $FILE
t_ok 'metrics: and again' wait_for 300 metrics
systemctl stop xdp-portblock-metrics.timer

element()
{
	"$PB" set list hostile -j | jq -e --arg p "$1" '[.sets[0].elements[].prefix] == [$p]'
}
mkdir $ETC/sets
t_ok 'set: path unit' systemctl start xdp-portblock-set@hostile.path
echo 198.51.100.0/24 >$ETC/sets/hostile
t_ok 'set: a file that is written is loaded' wait_for 300 element 198.51.100.0/24
echo 203.0.113.0/24 >$ETC/sets/hostile.new && mv $ETC/sets/hostile.new $ETC/sets/hostile
t_ok 'set: and so is another in its place' wait_for 300 element 203.0.113.0/24
echo nonsense >$ETC/sets/hostile
t_ok 'set: one with a fault is a failure' wait_for 300 is failed xdp-portblock-set@hostile.service
t_ok 'set: and changes nothing' element 203.0.113.0/24
systemctl stop xdp-portblock-set@hostile.path
systemctl reset-failed xdp-portblock-set@hostile.service xdp-portblock-set@hostile.path

FLEET=xdp-portblock-fleet.service
t_ok 'fleet: start without a file' systemctl start $FLEET
t_is 'fleet: its condition does not hold' 'no inactive' "$(property $FLEET ConditionResult) $(systemctl is-active $FLEET)"
printf '%s\n' 'endpoints = http://127.0.0.1:1' 'rulesets = default' >$ETC/fleet.conf
t_ok 'fleet: start without an etcd' systemctl start $FLEET
t_ok 'fleet: says so' wait_for 300 said $FLEET 127.0.0.1
t_ok 'fleet: goes on trying' is active $FLEET
t_is 'fleet: the rules are in force' 2 "$(about eth0 rules)"
t_ok 'fleet: stop' systemctl stop $FLEET
t_ok 'fleet: is no failure' is inactive $FLEET
rm $ETC/fleet.conf
shut 'the other units' eth0 "$open"

# What the units may do, as systemd sees it here; net:systemd has a limit for each.
for name in "$UNIT" $FLEET xdp-portblock-metrics.service xdp-portblock-set@hostile.service; do
	t_ok "systemd-analyze security $name: at most 2.4" systemd-analyze security --no-pager --threshold=24 "$name"
	t_note "$(tail -n 1 <<<"$T_OUT")"
done
t_ok 'nothing has failed' all_is_well
t_ok 'the kernel has no complaints' no_complaints
t_done
