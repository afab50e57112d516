#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# answers: how many are told that they are rejected, in each form; the words of reject; and that load, changes and
# doctor name an interface that does not send what is told, and no other.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
in_a ip link add near type veth peer name peer || t_die 'no veth'
in_a ip link set near up
in_a ip link set peer up

lost()
{
	in_a "$PB" doctor "$1" | grep -c 'is not told'
}
# silent_on NAME COMMAND...: it is done, and there is nothing to warn of
silent_on()
{
	local name=$1
	shift
	t_is "$name" '' "$("$@" 2>&1 >/dev/null)"
}

# --- the setting ----------------------------------------------------------------------
silent_on 'load: nothing rejects' in_a "$PB" load -m native near
t_is 'the default' 1000/s "$("$PB" answers)"
t_is 'is not written' 'policy allow' "$("$PB" save)"
for value in 1/s 999/s 1000000/s off; do
	t_ok "$value" "$PB" answers "$value"
	t_is "$value: is printed" "$value" "$("$PB" answers)"
	t_is "$value: in JSON" "$value" "$("$PB" answers -j | json 'd["answers"]')"
	t_is "$value: status" "$value" "$(in_a "$PB" status -j near | json 'd["interfaces"][0]["answers"]')"
	"$PB" save >"$T_DIR/a.rules" && "$PB" save -j >"$T_DIR/a.json"
	t_is "$value: is written" "policy allow answers $value" "$(xargs <"$T_DIR/a.rules")"
	for form in rules json; do
		t_ok "$value: $form: the same" "$PB" diff "$T_DIR/a.$form"
		t_ok "$value: $form: 7/s" "$PB" answers 7/s
		t_fail "$value: $form: differs" 1 "\+answers $value" "$PB" diff "$T_DIR/a.$form"
		t_ok "$value: $form: applies" "$PB" apply "$T_DIR/a.$form"
		t_is "$value: $form: has come" "$value" "$("$PB" answers)"
	done
done
for wrong in 0/s 1000 1000001/s -1/s 5/m on; do
	refused "$wrong is none" 2 "\"$wrong\" is no value for answers: .* 1/s to 1000000/s, or off" \
		"$PB" answers -- "$wrong"
done

# --- reject ---------------------------------------------------------------------------
silent_on 'answers off: reject, nobody is to be told' in_a "$PB" rule add reject tcp dport 113
t_is 'doctor: nothing' 0 "$(lost near)"
t_is 'explain: nobody is told' '  told:  nothing: answers are off' \
	"$(in_a "$PB" explain -i near --port 113 | grep told)"
t_fail 'answers on: a warning' 0 'near: who is rejected is not told.*no XDP program' in_a "$PB" answers 1000/s
t_is 'doctor: names it' 1 "$(lost near)"
t_is 'explain: by a reset' '  told:  by a TCP reset' "$(in_a "$PB" explain -i near --port 113 | grep told)"
silent_on 'a second rule: it is said' in_a "$PB" rule add reject udp dport 113
t_is 'explain: by ICMP' '  told:  by ICMP port unreachable' \
	"$(in_a "$PB" explain -i near --port 113 --proto udp | grep told)"
t_is 'explain: by ICMPv6' '  told:  by ICMPv6 port unreachable' \
	"$(in_a "$PB" explain -i near --port 113 --proto udp --from fd09::7 | grep told)"
t_is 'explain: a group is not' '  told:  nothing: of such a packet it never is' \
	"$(in_a "$PB" explain -i near --port 113 --to 224.0.0.1 | grep told)"
t_ok 'flush' "$PB" rule flush
t_fail 'policy reject: a warning' 0 'is not told' in_a "$PB" policy reject
t_is 'and the failsafe rules' 2 "$(rules | grep -c failsafe)"
t_ok 'deny' "$PB" policy deny
t_ok 'reject again' "$PB" policy reject
t_is 'once' 2 "$(rules | grep -c failsafe)"
t_is 'explain: by policy' 'drop (reject)' "$(in_a "$PB" explain -i near --port 9 | head -n 1)"

t_ok 'a program on the peer' in_a ip link set dev peer xdpdrv obj "$PASS_OBJECT" sec xdp
t_is 'doctor: nothing then' 0 "$(lost near)"
t_fail 'the peer is elsewhere: it is said, too' 0 'v0: .*in another network namespace' in_a "$PB" load -m native v0
t_is 'doctor: says so' 1 "$(lost v0)"
t_ok 'unload' in_a "$PB" unload -k v0
silent_on 'skb mode: nothing' in_a "$PB" load -m skb v0
t_is 'doctor: nothing of skb mode' 0 "$(lost v0)"
t_ok 'unload all' in_a "$PB" unload v0 near
t_done
