#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# load --group: who is in a group reads a ruleset without root and without a capability, and changes nothing, nor stands
# in anybody's way. And a user who loads first, with capabilities, does not lock root out.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
BPFFS=/sys/fs/bpf
GROUP=65533

# reader COMMAND...: a user in the group, without a capability; outsider: one who is in no group
reader()
{
	in_a setpriv --reuid=65534 --regid=65534 --groups=$GROUP --inh-caps=-all --bounding-set=-all "$@"
}
outsider()
{
	in_a setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

# t_like NAME REGEX: the last output has it
t_like()
{
	grep -Eq -e "$2" <<<"$T_OUT"
	t_result $? "$1"
}

# modes: of all that is pinned of a ruleset, with its group: "2710 65533" and so on, each once
modes()
{
	find "$PINS/${1:-default}" ! -name listener -printf '%m %G %U\n' | sort -u | paste -sd,
}

seq 1 3000 | awk '{ print "10." int($1 / 250) "." $1 % 250 ".1" }' >"$T_DIR/list"
printf '%s\n' 'set bans' 'drop tcp dport 22,80,443,8000-8100,9000-9100 comment "many"' 'drop from @bans' \
	'allow tcp dport 22 from 192.0.2.0/24 except 192.0.2.7' >"$T_DIR/rules"

chmod 0755 "$T_DIR"
chmod 0644 "$T_DIR"/*

# --- the option -----------------------------------------------------------------------------------

chmod 0700 "$BPFFS"
refused 'a group that is none' 2 "there is no group 'nosuchgroup'.*getent group" in_a "$PB" load v0 --group nosuchgroup
refused 'no group' 2 "there is no group ''" in_a "$PB" load v0 --group ''
refused 'a number too large' 2 "'4294967295' is not a number" in_a "$PB" load v0 --group 4294967295
refused 'bpffs is closed' 1 "$BPFFS has mode 0700.*group $GROUP.*chmod 0711 $BPFFS" in_a "$PB" load v0 --group $GROUP
t_is 'nothing was made' '' "$(our_pins)"
chmod 1777 "$BPFFS"
refused 'bpffs in which others may make pins' 1 "$BPFFS has mode 1777.*pin what he reads.*chmod 0711 $BPFFS" \
	in_a "$PB" load v0 --group $GROUP
t_is 'nothing was made, either' '' "$(our_pins)"
chmod 0711 "$BPFFS"
t_ok 'load without it' in_a "$PB" load v0 --rules "$T_DIR/rules"
t_is 'pins are root'\''s alone' '600 0 0,700 0 0' "$(modes)"
t_is 'status: no group' null "$(in_a "$PB" status -j | json 'd["interfaces"][0]["group"]')"
for command in 'rule list' 'save' 'stats' 'set list' 'policy' 'top'; do
	# shellcheck disable=SC2086 # words
	refused "no group: $command" 1 'CAP_' reader "$PB" $command
done
t_ok 'load again, with it' in_a "$PB" load v0 --group $GROUP
t_like 'is no second load' 'already loaded'
group_modes="2710 $GROUP 0,640 $GROUP 0"
t_is 'pins are the group'\''s to read' "$group_modes" "$(modes)"
t_is 'and the monitor'\''s lock is not' '700 0' "$(stat -c '%a %g' "$PINS/default/listener")"
t_is 'status -j says it' "\"$GROUP\"" "$(in_a "$PB" status -j | json 'json.dumps(d["interfaces"][0]["group"])')"
t_ok 'status' in_a "$PB" status
t_like 'says it' "3 rules, read by group $GROUP"

# --- what it may ----------------------------------------------------------------------------------

t_ok 'elements' "$PB" set add bans 192.0.2.1,2001:db8::/32
sysctl=/proc/sys/kernel/unprivileged_bpf_disabled
echo "# unprivileged_bpf_disabled is $(cat $sysctl), Linux $(uname -r)"
for command in 'rule list' 'rule list -j' 'save' 'save -j' 'save --elements -' 'set list' 'set list bans' 'set list bans -j' \
	'set test bans 192.0.2.1' 'policy' 'replies' 'fragments' 'unparsable' 'answers' "diff $T_DIR/rules" \
	'help load'; do
	# shellcheck disable=SC2086 # words
	wanted=$(in_a "$PB" $command)
	# shellcheck disable=SC2086 # words
	t_ok "a reader: $command" reader "$PB" $command
	t_is "as root has it: $command" "$wanted" "$T_OUT"
	case $command in
	'set test'* | diff*) status=2 ;;
	*) status=1 ;;
	esac
	# shellcheck disable=SC2086 # words
	[ "$command" = 'help load' ] || refused "an outsider: $command" $status 'CAP_' outsider "$PB" $command
done
in_b "$PYTHON" "$PEER" send udp "$A4" 7
t_ok 'a reader: stats' reader "$PB" stats
t_like 'has the rules' 'drop tcp dport 22'
t_like 'and says what is left out, and why' 'the interfaces are left out: .*CAP_SYS_ADMIN'
t_is 'null in JSON' null "$(reader "$PB" stats -j 2>/dev/null | json 'd["interfaces"]')"
t_ok 'a reader: metrics' reader "$PB" stats --prometheus
t_like 'of rules' 'xdp_portblock_rule_packets_total{.*rule="1"'
t_ok 'a reader: top, as text' reader "$PB" top
t_ok 'a reader: two readings' reader "$PB" stats -i 1 -c 2
t_is 'say it once' 1 "$(grep -c 'left out' <<<"$T_OUT")"

# --- what it may not ------------------------------------------------------------------------------

# What is missing is said, and nothing is changed.
before=$("$PB" save; "$PB" set list bans; "$PB" set list)
only_reads="group $GROUP, in which you are, may read the ruleset 'default', and neither change nor.* CAP_DAC_OVERRIDE"
for command in 'rule add 23/tcp' 'rule del 1' 'rule flush' 'rule reset' 'policy deny' "apply $T_DIR/rules" 'confirm' 'rollback' \
	'set add bans 192.0.2.9' 'set del bans 192.0.2.1' 'set flush bans' "set load bans $T_DIR/list" 'set create x' \
	'set destroy bans' 'monitor' 'monitor -c 1'; do
	# shellcheck disable=SC2086 # words
	refused "a reader may not: $command" 1 "$only_reads" reader "$PB" $command
done
for command in 'explain --port 22' 'status' 'status v0' 'unload v0' 'unload --all' 'upgrade v0' 'load v0'; do
	# shellcheck disable=SC2086 # words
	refused "a reader may not: $command" 1 'CAP_.*CAP_SYS_ADMIN' reader "$PB" $command
done
refused 'who is not in the group is told of capabilities' 1 'missing here: CAP_NET_ADMIN CAP_BPF CAP_SYS_ADMIN' \
	outsider "$PB" rule add 23/tcp
t_is 'all is as it was' "$before" "$("$PB" save; "$PB" set list bans; "$PB" set list)"
for path in "$PINS" "$PINS/default" "$PINS/default/elements" "$PINS/default/listener"; do
	t_fail "nor take a lock: $path" 66 'Permission denied' reader flock -n "$path" true
done
t_fail 'nor write to a pin' 255 'Permission denied|not permitted' reader bpftool map update pinned "$PINS/default/pb_counts" \
	key 0 0 0 0 value 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
t_fail 'nor remove one' 1 'Permission denied|not permitted' reader rm -f "$PINS/default/pb_config"

# --- it stays -------------------------------------------------------------------------------------

t_ok 'a list, whose tables are made anew' in_a "$PB" set load bans "$T_DIR/list"
t_is 'pins that came later are the group'\''s, too' "$group_modes" "$(modes)"
t_is 'a reader has them' 3000 "$(reader "$PB" set list bans -j | json 'len(d["sets"][0]["elements"])')"
t_ok 'a file of rules' in_a "$PB" apply "$T_DIR/rules" --force
t_ok 'a second interface' in_a "$PB" load lo -m skb
t_ok 'upgrade' in_a "$PB" upgrade v0
t_is 'the group stays' "$group_modes" "$(modes)"
t_ok 'a reader: rule list' reader "$PB" rule list
t_ok 'a new ruleset' in_a "$PB" load v0 -r other --group $GROUP
t_is 'has it' "$group_modes" "$(modes other)"
t_ok 'a reader: rule list -r other' reader "$PB" rule list -r other
refused 'a load that fails' 1 'bpf|BPF|priority|already loaded' in_a "$PB" load v0 -r other --priority 5 -m skb --group root
t_is 'leaves the group' "$group_modes" "$(modes other)"
t_ok 'taken back' in_a "$PB" load lo --group root
t_is 'pins are root'\''s alone again' '600 0 0,700 0 0' "$(modes)"
refused 'a reader no more' 1 'CAP_' reader "$PB" rule list
t_ok 'of the other one he still is' reader "$PB" rule list -r other
t_ok 'unload' in_a "$PB" unload --all
t_is 'nothing is left' '' "$(our_pins)"

# --- a reader while rules change ------------------------------------------------------------------

t_ok 'load' in_a "$PB" load v0 --group $GROUP
for n in 1 2; do
	seq $((n * 1000)) $((n * 1000 + 499)) | sed "s/.*/drop tcp dport & from 192.0.2.$n comment \"$n\"/" >"$T_DIR/many.$n"
done
"$PB" apply "$T_DIR/many.1" >/dev/null
# shellcheck disable=SC2016 # for that bash
bg bash -c 'while [ ! -e "$0.stop" ]; do for n in 1 2; do "$PB" apply "$0.$n" >/dev/null; done; done' "$T_DIR/many"
changing=$BG_PID
wrong=''
for _ in $(seq "$(amount 200 20)"); do
	reader "$PB" rule list -j >"$T_DIR/seen" || wrong+="exit status $?; "
	seen=$(json '(len(d["rules"]), len({r["comment"] for r in d["rules"]}))' <"$T_DIR/seen")
	[ "$seen" = '[500, 1]' ] || wrong+="$seen; "
done
touch "$T_DIR/many.stop"
wait "$changing"
t_is 'each reading is of one generation' '' "$wrong"
t_ok 'unload' in_a "$PB" unload v0

# --- who may read folders, and not write to pins ---------------------------------------------------

# The lock is his then, and a change would be one of a copy.
looker()
{
	in_a setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,+dac_read_search \
		--ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search "$@"
}
if looker true 2>/dev/null; then
	t_ok 'load' in_a "$PB" load v0 --rules "$T_DIR/rules"
	before=$("$PB" save)
	for command in 'rule add 23/tcp' 'rule flush' 'policy deny' 'set add bans 192.0.2.9' 'set create x' 'monitor -c 1' \
		'confirm'; do
		# shellcheck disable=SC2086 # words
		refused "CAP_DAC_READ_SEARCH alone: $command" 1 'cannot .*Permission denied' looker "$PB" $command
	done
	t_is 'nothing is changed' "$before" "$("$PB" save)"
	t_ok 'he may read' looker "$PB" rule list
	t_ok 'unload' in_a "$PB" unload v0
else
	t_skip 'who may read folders' 'no ambient capabilities here'
fi

# --- who loads first ------------------------------------------------------------------------------

# able CAPABILITIES COMMAND...: a user with those
able()
{
	local caps=$1
	shift
	in_a setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all,"$caps" --ambient-caps=-all,"$caps" \
		--bounding-set=-all,"$caps" "$@"
}
# unit COMMAND...: root, as a unit leaves it: no master of others' files
unit()
{
	in_a setpriv --bounding-set=-all,+net_admin,+bpf,+sys_admin "$@"
}
most=+net_admin,+sys_admin,+bpf
if able $most true 2>/dev/null; then
	for mode in 0711 1777; do
		chmod $mode "$BPFFS"
		# libxdp's folder, which stays, is a part of what is made first.
		rm -rf "$BPFFS/xdp"
		t_fail "bpffs $mode: a user who cannot give his pins to root" 1 'CAP_CHOWN|CAP_DAC' able $most "$PB" load v0
		t_is 'has made none' '' "$(our_pins)"
		t_ok "bpffs $mode: one who can loads first" able $most,+chown,+dac_override "$PB" load v0
		t_is 'all of it is root'\''s' '600 65534 0,700 0 0' "$(find "$PINS" -printf '%m %G %U\n' | sed 's/^600 .* /600 65534 /; s/^\(2\?7..\) .* /\1 0 /' | sort -u | paste -sd,)"
		for command in 'rule add 22/tcp' 'set create bans' "set load bans $T_DIR/list" 'set list' 'rule list' \
			'status' 'load lo -m skb' 'upgrade v0' 'unload --all'; do
			# shellcheck disable=SC2086 # words
			t_ok "root, with no right to others' files: $command" unit "$PB" $command
		done
		t_is 'nothing is left' '' "$(our_pins)"
	done
else
	t_skip 'a user who loads first' 'no ambient capabilities here'
fi
t_done
