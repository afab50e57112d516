#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# After guest-boot.sh: at the second boot ifupdown sets the cards up, at the third the rules have a fault.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/guest-boot-verbs.sh"

UNIT=$(unit eth0)

if [ "$1" = 2 ]; then
	t_is 'ifupdown: the system is up, and nothing has failed' running "$(up)"
	t_ok 'ifupdown: the unit is active' is active "$UNIT"
	t_ok 'ifupdown: it was before networking.service began' before "$UNIT" networking.service
	t_is 'ifupdown: networkd is none' inactive "$(systemctl is-active systemd-networkd.service)"
	t_ok 'ifupdown: where there is no filter, packets come in' flows eth1 22
	shut 'ifupdown: from boot on' eth0 0
	t_is 'elements have outlasted the reboot' 192.0.2.1/32 \
		"$("$PB" set list bans -j | jq -r '.sets[0].elements[0].prefix')"
	t_ok 'ifupdown: eth0 is unplugged' host unplug eth0
	t_ok 'ifupdown: the unit stops' wait_for 300 is inactive "$UNIT"
	t_ok 'ifupdown: eth0 is plugged in' host plug eth0
	t_ok 'ifupdown: the unit starts' wait_for 300 is active "$UNIT"
	t_ok 'ifupdown: packets come in' flows eth0 2323
	shut 'ifupdown: plugged in again' eth0 0
else
	t_is 'a fault: the system is up, but not all of it' degraded "$(up)"
	t_ok 'a fault: the unit has failed' is failed "$UNIT"
	t_ok 'a fault: status says why' status_shows "$UNIT" '"nonsense"'
	t_ok 'a fault: and what it has' status_shows "$UNIT" 'loaded with the last rules that were right'
	t_ok 'a fault: OnFailure= has told somebody' wait_for 60 test -e "/run/told-$UNIT"
	t_ok 'a fault: where there is no filter, packets come in' flows eth1 22
	shut 'a fault: from boot on' eth0 0
	t_is 'a fault: the elements are there' 192.0.2.1/32 \
		"$("$PB" set list bans -j | jq -r '.sets[0].elements[0].prefix')"
	cp /pb/right.rules /etc/xdp-portblock/default.rules
	t_ok 'a fault: start when it is mended' systemctl start "$UNIT"
	t_ok 'a fault: all is well' all_is_well
	shut 'a fault: mended' eth0 0
fi
t_done
