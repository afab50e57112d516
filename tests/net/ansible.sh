#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The role of contrib/ansible, by the real ansible-core and the real sshd, from B to A: it applies, says in check mode what
# it would do, does nothing the second time, and what cuts its connection comes back by itself.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"

# Debian's packages, unpacked: ansible, what it imports, and sshd
ANSIBLE_PACKAGES='ansible-core python3-jinja2 python3-markupsafe python3-packaging python3-resolvelib'
for package in $ANSIBLE_PACKAGES openssh-server; do
	folder=$("$TOP/tests/net/feeder" "$package" 2>/dev/null) || t_skip_all "no $package here: tests/net/feeder fetches it"
	export PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}$folder/usr/lib/python3/dist-packages"
	[ "$package" != ansible-core ] || ANSIBLE=$folder/usr/bin/ansible-playbook
done
SSHD=$folder/usr/sbin/sshd
"$PYTHON" -c 'import ansible.cli.playbook' 2>/dev/null || t_skip_all "ansible-core does not run with $PYTHON"
"$SSHD" -? 2>&1 | grep -q OpenSSH || t_skip_all "Debian's sshd does not run here"
command -v ssh >/dev/null || t_skip_all 'no ssh here'

world_enter "$@"
world_pair
cd "$T_DIR" || exit 1
# A file of rules, a key and what ansible has for itself are all in here.
export HOME=$T_DIR ANSIBLE_CONFIG=$T_DIR/ansible.cfg

# --- A is reached by ssh, and by nothing else --------------------------------------------------

# sshd_in_a: with the user and the folder that it wants, which this machine may not have
sshd_in_a()
{
	ssh-keygen -q -t ed25519 -N '' -f host_key && ssh-keygen -q -t ed25519 -N '' -f key || return
	cat >sshd_config <<-CONFIG
		ListenAddress $A4:22
		HostKey $T_DIR/host_key
		AuthorizedKeysFile $T_DIR/key.pub
		PidFile $T_DIR/sshd.pid
		StrictModes no
		PermitRootLogin yes
		PasswordAuthentication no
		UsePAM no
		Subsystem sftp internal-sftp
	CONFIG
	{ grep -v '^sshd:' /etc/passwd; echo 'sshd:x:65534:65534::/run/sshd:/bin/false'; } >passwd
	# shellcheck disable=SC2016 # for the inner shell
	bg in_a unshare -m --propagation private sh -c \
		'mount --bind passwd /etc/passwd && mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec "$@"' sh \
		"$SSHD" -D -e -f sshd_config
	wait_for 60 answers_ssh
}

answers_ssh()
{
	in_b ssh -n -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=known -i key "root@$A4" true
}

# wrote NAME: the rules of standard input, and the play that brings them
wrote()
{
	cat >"$1.rules"
	cat >"$1.yml" <<-PLAY
		- hosts: all
		  gather_facts: false
		  roles:
		    - role: xdp_portblock
		      xdp_portblock_rules: "{{ lookup('ansible.builtin.file', '$T_DIR/$1.rules', rstrip=false) }}"
	PLAY
}

# play NAME [OPTION...]: what it says is in play.out, too
play()
{
	local name=$1 status
	shift
	in_b "$PYTHON" "$ANSIBLE" -i hosts "$@" "$name.yml" </dev/null >play.out 2>&1
	status=$?
	cat play.out
	return "$status"
}

# says LINE: the last play did
says()
{
	grep -qxF -e "$1" play.out
}

# recap WORD: a number of the last play's recap, as in changed=1
recap()
{
	sed -nE "s/^a .*[ :]$1=([0-9]+).*/\1/p" play.out
}

# rules_are NAME: the rules in force are those of the file
rules_are()
{
	"$PB" diff "$1.rules"
}

t_ok 'sshd answers' sshd_in_a
[ "${t_failed:?}" -eq 0 ] || t_note "$(cat "$BG_OUT")"
cat >ansible.cfg <<CONFIG
[defaults]
roles_path = $TOP/contrib/ansible
local_tmp = $T_DIR/local
nocows = true
retry_files_enabled = false
[ssh_connection]
control_path_dir = $T_DIR/cp
ssh_args = -o ControlMaster=auto -o ControlPersist=600s -o UserKnownHostsFile=$T_DIR/known
CONFIG
# What is to be confirmed has time: the machine may be busy. What is a mistake is not waited for as long.
cat >hosts <<HOSTS
a ansible_host=$A4 ansible_user=root ansible_ssh_private_key_file=$T_DIR/key ansible_python_interpreter=$PYTHON ansible_remote_tmp=$T_DIR/remote xdp_portblock_program=$PB xdp_portblock_path=$T_DIR/etc/default.rules xdp_portblock_confirm=3600
HOSTS
serve in_a --tcp 23,80

# --- a host without the filter --------------------------------------------------------------

wrote first <<'RULES'
# telnet is for nobody
drop tcp dport 23 comment "telnet"
RULES
t_fail 'nothing is loaded, and no interface is named' 2 'nothing is loaded with the ruleset' play first
echo 'xdp_portblock_interfaces: [v0]' >vars.yml
t_ok 'check mode: a host without the filter' play first -e @vars.yml --check --diff
t_ok 'check mode: says that it would load it' says 'load on v0'
t_ok 'check mode: says the rules' says '+drop tcp dport 23 comment "telnet"'
t_is 'check mode: that is a change' 0 "$(recap failed)"
t_ok 'check mode: changed' test "$(recap changed)" -gt 0
t_is 'check mode: nothing is loaded' '' "$(our_pins)$(xdp_on v0)"
t_ok 'check mode: nothing is written' test ! -e etc
t_ok 'it is loaded, and the rules applied' play first -e @vars.yml
t_ok 'the handler shows the state' grep -q 'v0 (index' play.out
t_ok 'those are the rules' rules_are first
t_ok '23 is silent' silent tcp "$A4" 23
t_ok '80 answers' answers tcp "$A4" 80
t_is 'nothing waits to be confirmed' null "$(status_is v0 confirm_in)"
t_is 'the file is there, for the next boot' "$(cat first.rules)" "$(cat etc/default.rules)"
t_ok 'again' play first -e @vars.yml
t_is 'again: changed=0' '0 0' "$(recap changed) $(recap failed)"
t_ok 'again, in check mode' play first -e @vars.yml --check --diff
t_is 'again, in check mode: changed=0' 0 "$(recap changed)"

# --- a change --------------------------------------------------------------------------------

wrote second <<'RULES'
drop tcp dport 23 comment "telnet"
drop tcp dport 80
RULES
before=$(state)
t_ok 'check mode with a difference' play second --check --diff
t_ok 'check mode: the rule that comes' says '+drop tcp dport 80'
t_is 'check mode: none that stays' '' "$(sed '/default\.rules/,$d' play.out | grep telnet)"
t_ok 'check mode: changed' test "$(recap changed)" -gt 0
t_is 'check mode: the same rules and pins' "$before" "$(state)"
t_is 'check mode: the same file' "$(cat first.rules)" "$(cat etc/default.rules)"
t_ok '80 answers' answers tcp "$A4" 80
t_ok 'diff, and applied' play second --diff
t_ok 'diff: the rule that comes' says '+drop tcp dport 80'
t_ok '80 is silent' silent tcp "$A4" 80
t_is 'the file is the new one' "$(cat second.rules)" "$(cat etc/default.rules)"
t_ok 'again' play second --diff
t_is 'again: changed=0' 0 "$(recap changed)"

# Somebody else has changed the rules meanwhile.
"$PB" rule add drop tcp dport 81 >/dev/null
t_ok 'a rule too many is taken away' play second --diff
t_ok 'diff: it goes' says '-drop tcp dport 81'
t_ok 'those are the rules' rules_are second

# --- a file that is wrong ---------------------------------------------------------------------

wrote wrong <<'RULES'
drop tcp dport 24
drop tcp dport 99999
RULES
before=$(state)
t_fail 'a wrong file' 2 'rules:2: .*99999.* is not a port' play wrong
t_is 'a wrong file: nothing changed' "$before $(cat second.rules)" "$(state) $(cat etc/default.rules)"
t_fail 'a wrong file, in check mode' 2 'rules:2: .*99999.* is not a port' play wrong --check
t_fail 'no rules' 2 'there are no rules' play second -e '{"xdp_portblock_rules": ""}'
t_is 'no rules: nothing changed' "$before" "$(state)"

# --- a mistake --------------------------------------------------------------------------------

# The connection that is there goes on, and a new one does not come up: what an apply without a second look misses.
wrote mistake <<'RULES'
drop tcp dport 22 new
RULES
before=$(cat etc/default.rules)
t_fail 'a mistake: new connections are blocked' 2 'not confirmed: .*Those from before are in force again' \
	play mistake -e xdp_portblock_confirm=20
t_ok 'a mistake: the rules from before are back' rules_are second
t_is 'a mistake: nothing waits' null "$(status_is v0 confirm_in)"
t_is 'a mistake: the file is as it was' "$before" "$(cat etc/default.rules)"
t_ok 'a mistake: ssh comes in' answers_ssh
t_ok 'a mistake: 80 is silent, as before' silent tcp "$A4" 80
wrote all <<'RULES'
drop tcp dport 22
RULES
# Here not even the answer to the apply arrives, until the kernel has taken it back: then confirm is too late.
t_fail 'a mistake: ssh is blocked, with the connection that is there' 2 'not confirmed: .*too late' \
	play all -e xdp_portblock_confirm=20
t_ok 'a mistake: the rules from before are back' rules_are second
t_is 'a mistake: the file is as it was' "$before" "$(cat etc/default.rules)"
t_ok 'it goes on as before' play second
t_is 'it goes on as before: changed=0' 0 "$(recap changed)"

# ssh's masters stay for the next play.
for socket in cp/*; do
	ssh -o ControlPath="$socket" -O exit a 2>/dev/null
done
t_done
