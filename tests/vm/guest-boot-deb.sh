#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# In a machine with systemd, and Debian packages of ours in /pb/debs: they are installed, and the unit is enabled, as
# a user does it; then it is booted again.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/guest-boot-verbs.sh"

UNIT=$(unit eth0)
cd /pb/debs || exit 1
if [ ! -e /pb/again ]; then
	t_is 'the system is up' running "$(up)"
	t_ok 'packets to the port come in' flows eth0 22
	t_ok 'apt install' env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		./xdp-portblock_*.deb ./libportblock0_*.deb
	t_ok 'systemctl enable --now' systemctl enable --now "$UNIT"
	t_ok 'the unit is active' is active "$UNIT"
	t_ok 'a rule' xdp-portblock rule add 22/udp
	t_ok 'packets to another port come in' flows eth0 2323
	open=$(seen eth0 22)
	shut 'it works' eth0 "$open"
	t_ok 'save' xdp-portblock save /etc/xdp-portblock/default.rules
	t_done
fi
t_is 'booted again: the system is up' running "$(up)"
t_ok 'booted again: where there is no filter, packets come in' flows eth1 22
shut 'booted again: from boot on' eth0 0
t_done
