#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What brings the counters to a dashboard: the timer and the service that write them for
# node_exporter, and the dashboard itself, which asks for metrics that there are.

# shellcheck disable=SC2317 # functions are called by t_ok and others
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

# The folder that the tool is installed in has no blanks in its name; that of this clone may.
SBIN=$T_DIR/sbin
mkdir "$SBIN" && ln -s "$PB" "$SBIN/xdp-portblock"

UNIT=xdp-portblock-metrics
DASHBOARD=$TOP/contrib/grafana-dashboard.json

# --- the service and its timer ------------------------------------------------------------

sed "s|@SBINDIR@|$SBIN|g" "$TOP/systemd/$UNIT.service" >"$UNIT.service"
cp "$TOP/systemd/$UNIT.timer" .
t_is 'nothing is left to be filled in' '' "$(grep -o '@[A-Z]*@' "$UNIT.service")"
if command -v systemd-analyze >/dev/null; then
	for unit in service timer; do
		t_ok "systemd-analyze verify: the $unit" systemd-analyze verify --man=no "./$UNIT.$unit"
		t_is "has nothing to say of the $unit" '' "$T_OUT"
	done
	if systemd-analyze security --help 2>&1 | grep -q -e --offline; then
		t_ok 'systemd-analyze security: at most 3' systemd-analyze security --offline=true \
			--threshold=30 --no-pager "./$UNIT.service"
		t_note "$(tail -n 1 <<<"$T_OUT")"
	else
		t_skip 'systemd-analyze security' 'this one cannot look at files'
	fi
else
	t_skip 'systemd-analyze verify' 'no systemd-analyze here'
fi

# command_of NAME: what the unit runs, with the folder and the ruleset of its file
command_of()
{
	sed -n "s/^$1=//p" "$UNIT.service"
}

RULESET=default FOLDER=$T_DIR/textfile
mkdir etc
printf '%s\n' "RULESET=$RULESET" "FOLDER=$FOLDER" >etc/metrics.conf
unit_command()
{
	in_a "$PYTHON" "$TOP/tests/net/unit.py" "$UNIT.service" "$1" '' etc '' "$SBIN"
}
t_fail 'without a folder: the condition does not hold' 1 '' unit_command ExecCondition
mkdir "$FOLDER"
t_fail 'nothing is loaded: the condition does not hold' 1 '' unit_command ExecCondition
t_ok 'load' in_a "$PB" load v0
t_ok 'rule' "$PB" rule add 22/tcp
t_ok 'the condition holds' unit_command ExecCondition
t_ok 'the command' unit_command ExecStart
t_is 'prints nothing' '' "$T_OUT"
t_is 'writes one file' xdp-portblock-default.prom "$(ls -A "$FOLDER")"
t_is 'that all can read' 644 "$(stat -c %a "$FOLDER"/*)"
t_ok 'with the metrics' grep -q '^xdp_portblock_rule_packets_total{ruleset="default",rule="1"' "$FOLDER"/*
capabilities=$(command_of CapabilityBoundingSet | tr 'A-Z ' 'a-z,' | sed 's/cap_/+/g')
rm "$FOLDER"/*
t_ok 'it works with the capabilities that it has' in_a setpriv --bounding-set="-all,$capabilities" \
	--inh-caps=-all "$PYTHON" "$TOP/tests/net/unit.py" "$UNIT.service" ExecStart '' etc '' ""
t_ok 'it has written again' test -s "$FOLDER/xdp-portblock-default.prom"
t_ok 'the timer is of the service' test -e "${UNIT}.timer" -a -e "${UNIT}.service"
t_ok 'and repeats' grep -q '^OnUnitInactiveSec=' "$UNIT.timer"

# --- the dashboard ------------------------------------------------------------------------

if command -v jq >/dev/null; then
	t_ok 'the dashboard is JSON' jq -e . "$DASHBOARD"
	t_ok 'it has panels' jq -e '.panels | length > 4' "$DASHBOARD"
	t_is 'each with an expression' 0 \
		"$(jq '[.panels[] | select((.targets | length) == 0 or any(.targets[]; .expr == ""))] | length' \
			"$DASHBOARD")"
	t_is 'ids are of one panel each' true "$(jq '[.panels[].id] | length == (unique | length)' "$DASHBOARD")"
	asked=$(jq -r '.. | strings' "$DASHBOARD" | grep -oE '\bxdp_portblock_[a-z_]+' | sort -u)
	there=$(in_a "$PB" stats --prometheus | sed -n 's/^# TYPE \([^ ]*\) .*/\1/p' | sort)
	t_is 'it asks for the metrics that there are' "$there" "$asked"
	labels=$(in_a "$PB" stats --prometheus | grep -oE '[{,][a-z]+=' | tr -d '{,=' | sort -u)
	t_is 'it asks for no label that there is not' '' "$(comm -13 <(printf '%s\ninstance\nfile\n' "$labels" | sort) \
		<(jq -r '.panels[].targets[].expr' "$DASHBOARD" | grep -oE '[{,][a-z]+[=!]' |
			tr -d '{,=!' | sort -u))"
else
	t_skip 'the dashboard' 'no jq here'
fi
t_done
