# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Real clients that are told that nobody is there, on top of ../lib.sh and verbs.sh. Each waits for ten minutes, if it is
# not told: that is for what hangs, and no measure.

# host ADDR: as in a URL
host()
{
	case $1 in
	*:*) echo "[$1]" ;;
	*) echo "$1" ;;
	esac
}

# told_client CLIENT ADDR: of TCP port 113 or UDP port 53, B's client says "connection refused", and no other thing
told_client()
{
	local client=$1 addr=$2 family=4
	[ "${addr#*:}" = "$addr" ] || family=6
	case $client in
	curl) in_b curl -v --noproxy '*' --connect-timeout 600 "http://$(host "$addr"):113/" ;;
	socat-tcp) in_b socat -u /dev/null "TCP$family:$(host "$addr"):113" ;;
	socat-udp) echo x | in_b socat -t 600 - "UDP$family:$(host "$addr"):53" ;;
	dig) in_b dig "@$addr" +time=600 +tries=1 +retry=0 name.example ;;
	esac >"$T_DIR/client" 2>&1
	cat "$T_DIR/client"
	grep -qi 'connection refused' "$T_DIR/client"
}

# told_clients NAME ADDR...: each client there is; TCP port 22 answers
told_clients()
{
	local name=$1 addr client
	shift
	for addr; do
		for client in curl socat-tcp socat-udp dig; do
			if ! command -v "${client%-*}" >/dev/null; then
				t_skip "$name: $addr: $client" "no ${client%-*}"
				continue
			fi
			t_ok "$name: $addr: $client is refused" told_client "$client" "$addr"
		done
		t_ok "$name: $addr: another port answers" answers tcp "$addr" 22
	done
}
