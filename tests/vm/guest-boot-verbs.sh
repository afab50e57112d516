# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For what runs in a machine of tests/vm/machine: on top of tests/lib.sh, what is asked of outside, and what the
# witness has seen, nftables' counters behind the filter.

stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1 >/dev/ttyS1 2>&1 </dev/null

. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# host VERB WORD...: see tests/vm/machine
host()
{
	local answer
	printf 'host: %s\n' "$*" >&3
	read -r answer <&3
	[ "$answer" = ok ] || { echo "host: $answer"; return 1; }
}

# end STATUS: of the machine; output that has not gone yet goes before
end()
{
	host end "$1"
	exec sleep infinity
}

# t_die WHY: the machine, too
t_die()
{
	echo "Bail out! $1"
	journalctl -b --no-pager -p warning 2>/dev/null | tail -n 20
	end 3
}

# up: what has to start at boot has started, or failed
up()
{
	systemctl is-system-running --wait
}

# all_is_well: nothing has failed
all_is_well()
{
	[ "$(systemctl is-system-running)" = running ] || { systemctl --failed --no-legend --no-pager --plain; return 1; }
}

# unit DEV
unit()
{
	echo "xdp-portblock@$1.service"
}

# property UNIT NAME
property()
{
	systemctl show --property="$2" --value -- "$1"
}

# before UNIT OTHER: it had started before the other began to
before()
{
	[ "$(property "$1" ActiveEnterTimestampMonotonic)" -gt 0 ] &&
		[ "$(property "$1" ActiveEnterTimestampMonotonic)" -le "$(property "$2" InactiveExitTimestampMonotonic)" ]
}

# seen DEV PORT: how many datagrams to it have come in
seen()
{
	nft list counter inet witness "$1-$2" | sed -n 's/.*packets \([0-9]*\) .*/\1/p'
}

# more DEV PORT THAN
more()
{
	[ "$(seen "$1" "$2")" -gt "$3" ]
}

# flows DEV PORT: datagrams come in now, and go on
flows()
{
	wait_for 300 more "$1" "$2" $(($(seen "$1" "$2") + 20))
}

# shut NAME DEV COUNT: datagrams to the open port come in, and not one to the blocked one has since there were COUNT
shut()
{
	t_ok "$1: packets come in" flows "$2" 2323
	t_is "$1: none to the blocked port" "$3" "$(seen "$2" 22)"
}

# about DEV KEY: of our `status -j`
about()
{
	"$PB" status -j -- "$1" 2>/dev/null | jq -r ".interfaces[0].$2"
}

# said UNIT TEXT: in the journal of this boot
said()
{
	journalctl -b -o cat --no-pager -u "$1" | grep -qF -e "$2"
}

# is STATE UNIT: active, failed...
is()
{
	[ "$(systemctl is-active "$2")" = "$1" ]
}

# status_shows UNIT TEXT
status_shows()
{
	systemctl status --no-pager --full --lines=50 -- "$1" | grep -qF -e "$2"
}
