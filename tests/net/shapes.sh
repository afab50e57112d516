#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Under the names of our pins there is something else: every command says which pin and what to
# do, none crashes, and `unload --all` and `doctor --fix` clear it away.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
world_wire v2 v3
cd "$T_DIR" || exit 1
echo 22/tcp >one.rules

MAPS='pb_config pb_ports pb_port_classes pb_decisions pb_sources4 pb_sources6 pb_rules pb_ranges pb_prefixes pb_counts
	pb_events pb_meters pb_sets pb_elements4 pb_elements6 pb_lengths pb_limits pb_tokens pb_tokens_each pb_rates'

t_ok 'load' in_a "$PB" load v0 --rules one.rules
t_ok 'load of another ruleset' in_b "$PB" load v1 -r other --rules one.rules
t_is 'each map is tried' "$(tr -s '\t\n ' '\n' <<<"$MAPS" | sort)" \
	"$(find "$PINS/default" -type f -printf '%f\n' | sort)"

# Each makes something at PATH, in the place of the map NAME.
is_hash()
{
	bpftool map create "$1" type hash key 4 value 4 entries 1 name "$2"
}
# Of our type, keys and values where that is an array, and of one entry; of a name of its own
is_small()
{
	bpftool map create "$1" type array key 4 value 8 entries 1 name "$2" flags 0x400
}
is_named()
{
	bpftool map create "$1" type array key 4 value 4096 entries 1 name pb_foreign flags 0x400
}
# The right one, of another ruleset: type and size are those of ours
is_other()
{
	bpftool map pin pinned "$PINS/other/$2" "$1"
}
is_program()
{
	bpftool prog load "$PASS_OBJECT" "$1" type xdp
}
is_folder()
{
	mkdir "$1"
}
is_link()
{
	ln -s "$PINS/other/$2" "$1"
}
is_loop()
{
	ln -s "$1" "$1"
}
SHAPES='hash small named other program folder link loop'

# puts SHAPE NAME
puts()
{
	rm -r "${PINS:?}/default/$2" && "is_$1" "$PINS/default/$2" "$2"
}

# anew: all is as at first
anew()
{
	in_a "$PB" unload --all && in_a "$PB" load v0 --rules one.rules
}

# --- each of them, in each shape ----------------------------------------------------------------

for name in $MAPS; do
	for shape in $SHAPES; do
		t_capture anew || t_die "no new start: $T_OUT"
		t_capture puts "$shape" "$name" || t_die "no $shape: $T_OUT"
		wrong="$PINS/default/$name is no map of the ruleset 'default': .*unload --all"
		# Another ruleset's pb_config is whole; it is the others that are not its own.
		case $shape-$name in
		other-pb_config | link-pb_config) wrong=${wrong/pb_config/pb_ports} ;;
		esac
		t_fail "$name is a $shape: rule add" 1 "$wrong" "$PB" rule add 23/tcp
		t_fail "$name is a $shape: status" 0 'pins are (not all there|gone)' in_a "$PB" status v0
		t_ok "$name is a $shape: it drops on" test "$(xdp_on v0)"
	done
done
for shape in $SHAPES; do
	t_capture anew || t_die "no new start: $T_OUT"
	t_capture puts "$shape" pb_rules
	t_ok "$shape: unload --all" in_a "$PB" unload --all
	t_is "$shape: takes the program off" '' "$(xdp_on v0)"
	t_is "$shape: and the pins" '' "$(our_pins | grep default)"
done

# --- each command -------------------------------------------------------------------------------

t_capture anew
t_ok 'the other ruleset is untouched' "$PB" rule list -r other
for name in pb_config pb_rules pb_events; do
	t_ok "$name is another map" puts hash "$name"
	wrong="$PINS/default/$name is no map"
	for command in 'rule list' 'rule list -j' 'rule add 23/tcp' 'rule del 1' 'rule flush' \
		'rule reset' 'policy' 'policy deny' 'fragments drop' 'save' 'apply one.rules' \
		'confirm' 'rollback' 'stats' 'stats -j' 'top' 'monitor' 'monitor -w /dev/null' \
		'explain --proto tcp --port 22' 'load v0' 'load v2' 'load v2 -p deny'; do
		# shellcheck disable=SC2086 # words
		t_fail "$name: $command" 1 "$wrong" in_a timeout 60 "$PB" $command
	done
	t_fail "$name: diff" 2 "$wrong" "$PB" diff one.rules
	t_fail "$name: load without change" 1 '' in_a "$PB" load v0
	t_fail "$name: doctor" 1 "$wrong" in_a "$PB" doctor
	t_fail "$name: upgrade" 1 "$wrong" in_a "$PB" upgrade v0
	t_ok "$name: status" in_a "$PB" status
	t_is "$name: not pinned, says status -j" false "$(status_is v0 pinned)"
	t_is "$name: and how many rules there are" 1 "$(status_is v0 rules)"
	t_ok "$name: unload" in_a "$PB" unload v0
	t_ok "$name: doctor --fix" in_a "$PB" doctor --fix
	t_is "$name: clears it away" '' "$(our_pins | grep default)"
	t_ok "$name: load again" in_a "$PB" load v0 --rules one.rules
done

# --- the folder itself ---------------------------------------------------------------------------

t_ok 'more than our pins' is_hash "$PINS/default/more" more
mkdir "$PINS/default/folder"
t_ok 'is no hindrance' "$PB" rule list
t_ok 'unload takes it away' in_a "$PB" unload v0
t_is 'with the rest' '' "$(our_pins | grep default)"
is_hash "$PINS/default" default
t_fail 'a pin is where the folder is to be: rule list' 1 "$PINS/default is no folder" "$PB" rule list
t_fail 'a pin is where the folder is to be: load' 1 "$PINS/default is no folder" in_a "$PB" load v0
t_ok 'a pin is where the folder is to be: unload --all' in_a "$PB" unload --all
t_is 'clears it away' '' "$(our_pins | grep default)"
mkdir "$PINS/default~"
is_hash "$PINS/default~/pb_config" pb_config
t_ok 'left by a load that was killed: unload --all' in_a "$PB" unload --all
t_is 'clears it away, too' '' "$(our_pins | grep default)"
t_ok 'load works' in_a "$PB" load v0
t_ok 'unload' in_a "$PB" unload --all
t_ok 'unload of the other' in_b "$PB" unload --all
t_is 'nothing is left' '' "$(our_pins)"
t_done
