#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# `fleet follow` under its filter of system calls, with the real etcd: it is on, the agent does all it should, and what
# somebody asks for who has taken it over is refused (tests/preload/forbidden.c). With a check-command there is none, for
# that may do what it likes; with --once neither. net:fleet-story has the same by TLS and by name.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/fleet-verbs.sh"
grep -q '^HAVE_SECCOMP := yes' "$TOP/config.mk" || t_skip_all 'built without libseccomp'
world_enter "$@"
fleet_world
FORBIDDEN=$TOP/build/tests/preload/forbidden.so
[ -e "$FORBIDDEN" ] || t_die "no $FORBIDDEN: make prog-tests comes first"
cd "$T_DIR" || exit 1

# taken_over N [LINE...]: its agent, which is asked for what no agent does; `tried` is what it was told
taken_over()
{
	local n=$1
	shift
	tried=$T_DIR/tried.$n
	agent_conf "$n" "$@"
	bg_host "$n" env PB_TRIED="$tried" LD_PRELOAD="$FORBIDDEN" "$PB" fleet follow --config "$T_DIR/h$n/fleet.conf"
}

was_told()
{
	grep -q '^waiting:.*mkdir' "$tried"
}

# confined: whether a filter is on, as the kernel says of the process BG_PID
confined()
{
	awk '/^Seccomp:/ { print $2 }' "/proc/$BG_PID/status"
}

etcd_start "$NS_E" main 0.0.0.0
t_ok 'etcd runs' wait_for 60 etcd_answers in_e
for n in 1 2; do
	fleet_host $n
	t_ok "h$n: load" in_host $n "$PB" load v0
done
echo 'drop tcp dport 22' >22.rules
echo 'drop tcp dport 23' >23.rules
before='before: execve=ENOENT clone=done ptrace=ESRCH connect=EBADF kill=done kill itself=done mkdir=EEXIST'

# --- without a check-command ----------------------------------------------------------------------

taken_over 1
AGENT_1=$BG_PID
t_ok 'it waits' wait_for 60 was_told
t_is 'before it is confined, the kernel answers' "$before" "$(grep '^before:' "$tried")"
t_is 'a filter is on' 2 "$(confined)"
t_is 'and leaves it what it needs' \
	'waiting: execve=EPERM clone=EPERM ptrace=EPERM connect=EBADF kill=EPERM kill itself=done mkdir=EEXIST' \
	"$(grep '^waiting:' "$tried")"
push 22.rules all
t_ok 'a revision is in force' wait_for 60 has 1 "$number"
t_ok '22 is silent' is_silent 1 22
t_ok '23 answers' is_open 1 23
push 23.rules all
t_ok 'and another' wait_for 60 has 1 "$number"
t_ok '22 answers' is_open 1 22
t_ok '23 is silent' is_silent 1 23
t_is 'a filter is on still' 2 "$(confined)"

# --- with one -------------------------------------------------------------------------------------

printf '#!/bin/sh\nmkdir -p %s/made && sh -c "exit 0"\n' "$T_DIR" >check
chmod 755 check
taken_over 2 "check-command = $T_DIR/check"
t_ok 'with a check-command: it waits' wait_for 60 was_told
t_is 'no filter is on' 0 "$(confined)"
t_is 'the kernel answers' "${before/before/waiting}" "$(grep '^waiting:' "$tried")"
t_ok 'the revision is in force' wait_for 60 has 2 "$number"
t_ok 'its command has done what no agent does' test -d made

# --- once -----------------------------------------------------------------------------------------

bg_stop "$AGENT_1" KILL
push 22.rules all
t_ok 'once' in_h1 env PB_TRIED="$T_DIR/tried.once" LD_PRELOAD="$FORBIDDEN" "$PB" fleet follow --once \
	--config "$T_DIR/h1/fleet.conf"
t_is 'is not confined' 'end Seccomp: 0' "$(grep '^end' tried.once | tr '\t' ' ')"

# --- without the libraries ------------------------------------------------------------------------

mkdir none
for library in curl:CURL_SONAME:libcurl4 crypto:CRYPTO_SONAME:libssl3; do
	IFS=: read -r name variable package <<<"$library"
	soname=$(sed -n "s/^$variable := //p" "$TOP/config.mk")
	: >"none/$soname"
	t_fail "without lib$name" 1 "cannot load lib$name, .*Debian: $package" in_h1 env LD_LIBRARY_PATH="$T_DIR/none" "$PB" fleet \
		follow --once --config "$T_DIR/h1/fleet.conf"
	t_ok "without lib$name: other commands" in_h1 env LD_LIBRARY_PATH="$T_DIR/none" "$PB" rule list
	rm "none/$soname"
done
t_done
