#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The lock-out guard: a change that would cut the SSH connection through which it is given
# is refused, with the rule that would do it.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
unset SSH_CONNECTION SSH_CLIENT
world_pair
world_wire v2 v3 10.9.1.1/24 fd0a::1/64 10.9.1.2/24 fd0a::2/64
cd "$T_DIR" || exit 1

SSH4="$B4 50022 $A4 22" SSH6="$B6 50022 $A6 22"

# by_ssh CONNECTION COMMAND...: in A, with the connection in the environment
by_ssh()
{
	local connection=$1
	shift
	in_a env SSH_CONNECTION="$connection" "$@"
}

# by_sudo CONNECTION COMMAND...: the same, as the child of a process without it, whose
# parent has it
by_sudo()
{
	local connection=$1
	shift
	# shellcheck disable=SC2016 # for the shells to expand
	by_ssh "$connection" bash -c 'env -u SSH_CONNECTION bash -c "\"\$@\"; exit \$?" sudo "$@"; exit $?' ssh "$@"
}

would_cut='would cut the SSH connection.*to port 22'

t_ok 'load' in_a "$PB" load v0
t_ok 'load another' in_a "$PB" load v2 -r other

for how in by_ssh by_sudo; do
	for ssh in "$SSH4" "$SSH6"; do
		name="$how ${ssh%% *}"
		refused "$name: rule add" 1 "$would_cut.*by the rule .drop tcp dport 22.;.*--confirm 60s.*--force" \
			$how "$ssh" "$PB" rule add 22/tcp
		refused "$name: apply" 1 "$would_cut.*by the rule .drop tcp dport 1-1024" \
			$how "$ssh" "$PB" apply - <<<'drop tcp dport 1-1024'
		t_ok "$name: another port" $how "$ssh" "$PB" rule add 23/tcp
		t_ok "$name: another protocol" $how "$ssh" "$PB" rule add 22/udp
		t_ok "$name: but not for it" $how "$ssh" "$PB" rule add 22/tcp except "${ssh%% *}"
		t_ok "$name: for others only" $how "$ssh" "$PB" rule add 22/tcp from 192.0.2.0/24,2001:db8::/32
		t_ok "$name: new connections only" $how "$ssh" "$PB" rule add 22/tcp new
		t_ok "$name: audit" $how "$ssh" "$PB" rule add audit 1-100/tcp
		t_ok "$name: policy deny, with replies" $how "$ssh" "$PB" policy deny
		t_ok "$name: without the audit rule" $how "$ssh" "$PB" rule del 1-100/tcp
		refused "$name: replies off" 1 "$would_cut.*by policy deny" $how "$ssh" "$PB" replies off
		t_ok "$name: an allow rule" $how "$ssh" "$PB" rule add allow 22/tcp
		t_ok "$name: so that replies off is no harm" $how "$ssh" "$PB" replies off
		refused "$name: rule del of that" 1 "$would_cut" $how "$ssh" "$PB" rule del 22/tcp
		t_ok "$name: flush would leave policy deny and no rule" $how "$ssh" "$PB" policy allow
		t_ok "$name: flush" $how "$ssh" "$PB" rule flush
		t_ok "$name: replies on" $how "$ssh" "$PB" replies on
		refused "$name: by source port" 1 "$would_cut.*sport" $how "$ssh" "$PB" rule add sport 50000-50100
	done
done

# --- ways round it -----------------------------------------------------------------------------

t_ok '--force' by_ssh "$SSH4" "$PB" rule add 22/tcp --force
t_is 'does it' 'drop tcp dport 22' "$(rules | cut -d ' ' -f 2-)"
refused 'what cuts it already is refused, too' 1 "$would_cut" by_ssh "$SSH4" "$PB" rule add 99/tcp
t_ok 'the way out is not' by_ssh "$SSH4" "$PB" rule flush
t_ok '-f is --force' by_ssh "$SSH4" "$PB" apply -f - <<<'22/tcp'
t_ok 'flush again' by_ssh "$SSH4" "$PB" rule flush
t_ok '--confirm' by_ssh "$SSH4" "$PB" rule add 22/tcp --confirm 1h
t_ok 'and back' "$PB" rollback
t_ok 'apply --confirm' by_ssh "$SSH4" "$PB" apply --confirm 1h - <<<'policy deny'
t_ok 'and back again' "$PB" rollback

# --- which interface ----------------------------------------------------------------------------

t_ok 'the ruleset of another interface' by_ssh "$SSH4" "$PB" rule add -r other 22/tcp
t_ok 'which is as before' "$PB" rule flush -r other
refused 'an SSH connection through that one' 1 "$would_cut" \
	by_ssh '10.9.1.2 50022 10.9.1.1 22' "$PB" rule add -r other 22/tcp
t_ok 'does not guard the first' by_ssh '10.9.1.2 50022 10.9.1.1 22' "$PB" rule add 22/tcp
t_ok 'flush the first' "$PB" rule flush
t_ok 'an address that is not here' by_ssh "$B4 50022 192.0.2.1 22" "$PB" rule add 22/tcp
t_ok 'flush the first again' "$PB" rule flush
refused 'sshd on another port' 1 'to port 2222.*drop tcp dport 2222' \
	by_ssh "$B4 50022 $A4 2222" "$PB" rule add 2222/tcp
t_ok 'for which 22 is another' by_ssh "$B4 50022 $A4 2222" "$PB" rule add 22/tcp
t_ok 'flush, once more' "$PB" rule flush
refused 'an address written as IPv4 in IPv6' 1 "$would_cut" \
	by_ssh "::ffff:$B4 50022 ::ffff:$A4 22" "$PB" rule add 22/tcp from "$B4"
for odd in '' 'x' '1 2 3' "$B4 99999 $A4 22" "$B4 x $A4 22" 'a b c d' "$B4 50022 nonsense 22"; do
	t_ok "an environment that says '$odd'" by_ssh "$odd" "$PB" rule add 22/tcp
	"$PB" rule flush >/dev/null
done
t_ok 'no SSH connection at all' in_a "$PB" rule add 22/tcp
t_ok 'unload' in_a "$PB" unload --all

# --- load ----------------------------------------------------------------------------------------

echo 22/tcp >22.rules
refused 'load --rules' 1 "$would_cut.*drop tcp dport 22" by_ssh "$SSH4" "$PB" load v0 --rules 22.rules
t_ok 'load --rules on another interface' by_ssh "$SSH4" "$PB" load v2 --rules 22.rules
refused 'load with the rules that are there' 1 "$would_cut" by_ssh "$SSH4" "$PB" load v0
t_ok 'load --policy deny passes replies' by_ssh "$SSH4" "$PB" load v0 -r deny --policy deny
refused 'a move to rules that cut it' 1 "$would_cut" by_ssh "$SSH4" "$PB" load v0 -r default
t_ok 'load --force' by_ssh "$SSH4" "$PB" load v0 -r default --force
t_is 'does it: load' default "$(status_is v0 ruleset)"
t_ok 'unload, whatever' by_ssh "$SSH4" "$PB" unload --all
t_done
