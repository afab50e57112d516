#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What feeds sets, the real things: fail2ban with a log file, sshguard, and CrowdSec with its bouncer, by
# the files in contrib/. They are Debian's, unpacked and not installed.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1
CONTRIB=$TOP/contrib
in_a "$PB" load v0 >/dev/null || t_die 'load'

has() { "$PB" set test "$1" "$2"; }
hasnt() { "$PB" set test "$1" "$2"; [ $? -eq 1 ]; }

# left NAME PREFIX: seconds; or null
left()
{
	"$PB" set list -j "$1" |
		json "[e['expires_in'] for e in d['sets'][0]['elements'] if e['prefix'] == '$2'][0]"
}

# gone_set NAME
gone_set() { "$PB" set list "$1"; [ $? -eq 1 ]; }

# --- fail2ban -----------------------------------------------------------------------------------

fail2ban()
{
	PYTHONPATH=$F2B/usr/lib/python3/dist-packages "$PYTHON" "$F2B/usr/bin/fail2ban-client" \
		-c f2b -s f2b.sock -p f2b.pid "$@"
}

fails() { echo "$(date '+%Y-%m-%d %H:%M:%S') failed from $1" >>auth.log; }

with_fail2ban()
{
	mkdir -p f2b/action.d f2b/filter.d
	cp "$CONTRIB/fail2ban/action.d/xdp-portblock.conf" f2b/action.d/
	printf '[Definition]\nloglevel = INFO\nlogtarget = STDOUT\ndbfile = None\n' >f2b/fail2ban.conf
	printf '[Definition]\nfailregex = failed from <HOST>$\n' >f2b/filter.d/test.conf
	# shellcheck disable=SC2016 # fail2ban's own
	cat >f2b/jail.conf <<-END
		[DEFAULT]
		enabled = true
		backend = polling
		logpath = $T_DIR/auth.log
		filter = test
		maxretry = 1
		usedns = no
		[ports]
		bantime = 600
		action = xdp-portblock[name=ports, port="22,1000:2000", command="$PB"]
		[all]
		bantime = -1
		action = xdp-portblock[name=all, type=allports, blocktype=audit, command="$PB"]
		[own]
		bantime = 600
		action = xdp-portblock[name=own, type=own, command="$PB"]
	END
	: >auth.log
	bg env PYTHONPATH="$F2B/usr/lib/python3/dist-packages" "$PYTHON" "$F2B/usr/bin/fail2ban-server" \
		-f -c f2b -s f2b.sock -p f2b.pid start
	server=$BG_PID
	t_ok 'fail2ban: is there' wait_for 60 fail2ban ping
	began=$(clock)
	fails "$B4"
	t_ok 'fail2ban: bans' wait_for 60 has f2b-ports "$B4"
	t_ok 'fail2ban: for its bantime' is_left "$(left f2b-ports "$B4/32")" 600 "$began"
	t_ok 'fail2ban: in each jail' wait_for 60 has f2b-all "$B4"
	t_is 'fail2ban: for ever' null "$(left f2b-all "$B4/32")"
	t_ok 'fail2ban: with a rule of their own, or without' wait_for 60 has f2b-own "$B4"
	t_is 'fail2ban: the rules' 'audit from @f2b-all
drop tcp dport 22,1000-2000 from @f2b-ports' "$(rules | cut -d ' ' -f 2- | sort)"
	t_ok 'fail2ban: packets to its ports are dropped' silent tcp "$A4" 22
	t_ok 'fail2ban: others are not' answers tcp "$A4" 23
	fails fd09::2
	t_ok 'fail2ban: IPv6' wait_for 60 has f2b-ports fd09::2
	t_ok 'fail2ban: is dropped, too' silent tcp "$A6" 22
	t_ok 'fail2ban: unbans' fail2ban set ports unbanip "$B4"
	t_ok 'fail2ban: that is in force' wait_for 60 hasnt f2b-ports "$B4"
	t_ok 'fail2ban: packets pass' answers tcp "$A4" 22
	t_is 'fail2ban: has no error' '' "$(grep -E ' (ERROR|CRITICAL) ' "$BG_OUT")"
	# Somebody has removed it: the next ban has it again.
	"$PB" rule flush >/dev/null
	"$PB" set destroy f2b-ports >/dev/null
	fails 192.0.2.77
	t_ok 'fail2ban: makes its set anew' wait_for 60 has f2b-ports 192.0.2.77
	t_ok 'fail2ban: and its rule' grep -qF 'from @f2b-ports' <<<"$(rules)"
	t_ok 'fail2ban: lets all go' fail2ban unban --all
	t_ok 'fail2ban: that is in force' wait_for 60 hasnt f2b-all 192.0.2.77
	t_ok 'fail2ban: for each jail' wait_for 60 hasnt f2b-own 192.0.2.77
	fails 192.0.2.78
	t_ok 'fail2ban: bans again' wait_for 60 has f2b-own 192.0.2.78
	t_ok 'fail2ban: stops' fail2ban stop
	t_ok 'fail2ban: comes to its end' wait_for 60 gone "$server"
	for set in ports all; do
		t_ok "fail2ban: leaves no set f2b-$set" gone_set f2b-$set
	done
	t_ok 'fail2ban: leaves the set that is not its own' hasnt f2b-own 192.0.2.78
	t_is 'fail2ban: leaves no rule' '' "$(rules)"
}

# --- sshguard -----------------------------------------------------------------------------------

with_sshguard()
{
	local exec=$SSHGUARD/usr/libexec/sshguard attacks
	mkfifo sshd.log
	exec 3<>sshd.log
	guard()
	{
		exec 3>&-
		"$exec/sshg-parser" <sshd.log | "$exec/sshg-blocker" -a 30 -p 600 -s 600 |
			XDP_PORTBLOCK=$PB "$CONTRIB/sshguard/sshg-fw-xdp-portblock"
	}
	bg guard
	for attacks in 1 2 3 4; do
		echo "Nov 29 04:00:0$attacks host sshd[$attacks]: Invalid user x from $B4 port 4711"
		echo "Nov 29 04:00:0$attacks host sshd[$attacks]: Invalid user x from $B6 port 4711"
	done >&3
	t_ok 'sshguard: blocks' wait_for 60 has sshguard "$B4"
	t_ok 'sshguard: IPv6' wait_for 60 has sshguard "$B6"
	t_is 'sshguard: the rule' 'drop from @sshguard' "$(rules | cut -d ' ' -f 2-)"
	t_ok 'sshguard: packets are dropped' dropped_all
	exec 3>&-
	t_ok 'sshguard: comes to its end' wait_for 60 gone "$BG_PID"
	# What each command does, without waiting ten minutes for it
	backend() { printf '%b' "$1" | XDP_PORTBLOCK=$PB "$CONTRIB/sshguard/sshg-fw-xdp-portblock"; }
	t_ok 'sshguard: release' backend 'block 192.0.2.1 4 32\nblock 2001:db8:: 6 64\nrelease 192.0.2.1 4 32\n'
	t_ok 'sshguard: is in force' hasnt sshguard 192.0.2.1
	t_ok 'sshguard: a network' has sshguard 2001:db8::77
	t_ok 'sshguard: flushonexit' backend 'flushonexit\nblock 192.0.2.1 4 32\n'
	t_ok 'sshguard: flushes' hasnt sshguard 192.0.2.1
	t_ok 'sshguard: flush' backend 'block 192.0.2.1 4 32\nflush\nblock 192.0.2.2 4 32\n'
	t_ok 'sshguard: is in force' hasnt sshguard 192.0.2.1
	t_ok 'sshguard: and goes on' has sshguard 192.0.2.2
	t_fail 'sshguard: another word' 65 "'foo'" backend 'foo\n'
	"$PB" rule flush >/dev/null
	"$PB" set destroy sshguard >/dev/null
}

# The rule is about all packets, a ping included: silent() would wait for it. What the rule has counted says it.
dropped_all()
{
	local before
	before=$("$PB" rule list -j | json 'd["rules"][0]["packets"]')
	! in_b ping -q -c 1 -W 1 "$A4" >/dev/null && wait_for 60 counts_more "$before"
}
counts_more() { [ "$("$PB" rule list -j | json 'd["rules"][0]["packets"]')" -gt "$1" ]; }

# --- CrowdSec -----------------------------------------------------------------------------------

# What a decision is as a line: KEY=VALUE...
decision()
{
	"$PYTHON" -c '
import json, sys
d = dict(id=1, origin="cscli", scenario="by \"hand\", \"value\":\"192.0.2.66\"", scope="Ip", type="ban",
         duration="3h59m49.5s", uuid="u")
d.update(word.split("=", 1) for word in sys.argv[1:])
print(json.dumps(d, separators=(",", ":")))' "$@"
}

# shellcheck disable=SC2120 # by t_ok
bouncer() { XDP_PORTBLOCK=$PB "$CONTRIB/crowdsec/xdp-portblock-crowdsec" "$@"; }
# shellcheck disable=SC2119 # it has none
lines() { bouncer <decisions; }

crowdsec_program()
{
	"$PB" set create crowdsec >/dev/null
	began=$(clock)
	t_ok 'crowdsec: add' bouncer add 192.0.2.1 600 'by hand' "$(decision value=192.0.2.1)"
	t_ok 'crowdsec: for its time' is_left "$(left crowdsec 192.0.2.1/32)" 600 "$began"
	t_ok 'crowdsec: add of a range' bouncer add 198.51.100.0/24 600 x "$(decision value=198.51.100.0/24 scope=Range)"
	t_ok 'crowdsec: is one' has crowdsec 198.51.100.77
	t_ok 'crowdsec: what has ended as good as now ends' bouncer add 192.0.2.2 0 x "$(decision value=192.0.2.2)"
	t_ok 'crowdsec: at once' wait_for 60 hasnt crowdsec 192.0.2.2
	t_ok 'crowdsec: a country is nothing' bouncer add BE 600 x "$(decision value=BE scope=Country)"
	t_ok 'crowdsec: a captcha is nothing' bouncer add 192.0.2.3 600 x "$(decision value=192.0.2.3 type=captcha)"
	t_ok 'crowdsec: del' bouncer del 192.0.2.1 0 x "$(decision value=192.0.2.1)"
	t_is 'crowdsec: is in force' '["198.51.100.0/24"]' \
		"$("$PB" set list -j crowdsec | json '[e["prefix"] for e in d["sets"][0]["elements"]]')"
	t_fail 'crowdsec: what is neither' 2 'neither add nor del' bouncer mul 192.0.2.1 1 x
	{
		decision action=add value=192.0.2.1
		decision action=add value=192.0.2.2 duration=300ms
		decision action=add value=2001:db8::/32 scope=Range duration=26h0m1s
		decision action=add value=AS65000 scope=AS
		decision action=add value=192.0.2.3 type=captcha
		decision action=add value=192.0.2.4
		decision action=del value=192.0.2.1 duration=-1m0s
		decision action=del value=198.51.100.0/24
		decision action=add value=192.0.2.5 duration=5m3s
		decision action=del value=192.0.2.4
		decision action=add value=192.0.2.4 duration=2h0m0.000001s
	} >decisions
	began=$(clock)
	t_ok 'crowdsec: lines' lines
	t_ok 'crowdsec: lines, below a second' wait_for 60 hasnt crowdsec 192.0.2.2
	t_is 'crowdsec: lines, in their order' '["192.0.2.4/32", "192.0.2.5/32", "2001:db8::/32"]' \
		"$("$PB" set list -j crowdsec | json '[e["prefix"] for e in d["sets"][0]["elements"]]')"
	t_ok 'crowdsec: lines, hours' is_left "$(left crowdsec 2001:db8::/32)" 93601 "$began"
	t_ok 'crowdsec: lines, minutes' is_left "$(left crowdsec 192.0.2.5/32)" 303 "$began"
	t_ok 'crowdsec: lines, fractions' is_left "$(left crowdsec 192.0.2.4/32)" 7200 "$began"
}

cscli() { in_a "$CROWDSEC/usr/bin/cscli" -c crowdsec.yaml "$@"; }
lapi_is_there() { cscli decisions list; }

# bounces HOW: the real bouncer, which hands decisions over by arguments or on standard input
bounces()
{
	cat >bouncer.yaml <<-END
		bin_path: $CONTRIB/crowdsec/xdp-portblock-crowdsec
		feed_via_stdin: $1
		total_retries: -1
		piddir: $T_DIR/
		update_frequency: 1s
		cache_retention_duration: 1s
		daemonize: false
		log_mode: stdout
		log_level: info
		api_url: http://127.0.0.1:8080/
		api_key: key0123456789abc
		prometheus: {enabled: false, listen_addr: 127.0.0.1, listen_port: 60602}
	END
	"$PB" set flush crowdsec >/dev/null
	# The client is one of them: CrowdSec itself is asked from A.
	cscli decisions add -i "$B4" -d 10m >/dev/null 2>&1
	bg in_a env XDP_PORTBLOCK="$PB" "$BOUNCER/usr/bin/crowdsec-custom-bouncer" -c bouncer.yaml
	t_ok "crowdsec, stdin $1: what is there already" wait_for 60 has crowdsec "$B4"
	t_ok "crowdsec, stdin $1: packets are dropped" silent tcp "$A4" 22
	t_ok "crowdsec, stdin $1: a decision" cscli decisions add -r 198.51.100.0/24 -d 10m
	t_ok "crowdsec, stdin $1: is in force" wait_for 60 has crowdsec 198.51.100.77
	t_ok "crowdsec, stdin $1: IPv6" cscli decisions add -i "$B6" -d 10m
	t_ok "crowdsec, stdin $1: is in force, too" wait_for 60 has crowdsec "$B6"
	t_ok "crowdsec, stdin $1: one is taken back" cscli decisions delete -i "$B4"
	t_ok "crowdsec, stdin $1: that is in force" wait_for 60 hasnt crowdsec "$B4"
	t_ok "crowdsec, stdin $1: packets pass" answers tcp "$A4" 22
	t_ok "crowdsec, stdin $1: the others stay" has crowdsec "$B6"
	cscli decisions delete --all >/dev/null 2>&1
	t_ok "crowdsec, stdin $1: all are taken back" wait_for 60 hasnt crowdsec "$B6"
	t_ok "crowdsec, stdin $1: each of them" wait_for 60 hasnt crowdsec 198.51.100.77
	bg_stop "$BG_PID"
}

with_crowdsec()
{
	in_a ip link set lo up
	mkdir -p cs/data cs/notifications cs/plugins
	cp -r "$CROWDSEC/etc/crowdsec" cs/etc
	cp -r "$CROWDSEC/usr/share/crowdsec/hub" cs/hub
	cat >crowdsec.yaml <<-END
		common: {daemonize: false, log_media: stdout, log_level: info, working_dir: .}
		config_paths:
		  config_dir: $T_DIR/cs/etc
		  data_dir: $T_DIR/cs/data
		  simulation_path: $T_DIR/cs/etc/simulation.yaml
		  hub_dir: $T_DIR/cs/hub
		  index_path: $T_DIR/cs/hub/.index.json
		  notification_dir: $T_DIR/cs/notifications
		  plugin_dir: $T_DIR/cs/plugins
		crowdsec_service: {acquisition_path: $T_DIR/cs/etc/acquis.yaml, parser_routines: 1}
		cscli: {output: human}
		db_config: {type: sqlite, db_path: $T_DIR/cs/data/crowdsec.db}
		api:
		  client: {credentials_path: $T_DIR/cs/credentials.yaml}
		  server: {listen_uri: 127.0.0.1:8080, profiles_path: $T_DIR/cs/etc/profiles.yaml}
		prometheus: {enabled: false}
	END
	t_ok 'crowdsec: a machine' cscli machines add me -p secret -f cs/credentials.yaml --force -u http://127.0.0.1:8080
	t_ok 'crowdsec: a bouncer' cscli bouncers add us -k key0123456789abc
	bg in_a "$CROWDSEC/usr/bin/crowdsec" -c crowdsec.yaml -no-cs
	t_ok 'crowdsec: is there' wait_for 60 lapi_is_there
	"$PB" rule add drop tcp dport 22 from @crowdsec >/dev/null
	bounces true
	bounces false
}

if F2B=$("$TOP/tests/net/feeder" fail2ban 2>/dev/null); then
	with_fail2ban
else
	t_skip fail2ban 'no fail2ban can be had'
fi
if SSHGUARD=$("$TOP/tests/net/feeder" sshguard 2>/dev/null); then
	with_sshguard
else
	t_skip sshguard 'no sshguard can be had'
fi
crowdsec_program
if CROWDSEC=$("$TOP/tests/net/feeder" crowdsec 2>/dev/null) &&
	BOUNCER=$("$TOP/tests/net/feeder" crowdsec-custom-bouncer 2>/dev/null) &&
	"$CROWDSEC/usr/bin/crowdsec" -version >/dev/null 2>&1; then
	with_crowdsec
else
	t_skip crowdsec 'no crowdsec can be had'
fi
t_done
