#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --expires: a rule ends by the kernel's clock, on time, with no process of ours alive; what
# it covered is back; rule list shows what is left and leaves out what has ended.

# shellcheck disable=SC2317 # t_ok and wait_for call functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

serve in_a --tcp 8080,8081,8082,8083 --udp 8080
t_ok 'load' in_a "$PB" load v0

# --- it ends ----------------------------------------------------------------------------

for addr in "$A4" "$A6"; do
	t_ok "$addr: 8080/tcp --expires 1h" "$PB" rule add 8080/tcp --expires 1h
	t_ok "$addr: is blocked" silent tcp "$addr" 8080
	t_ok "$addr: another port is not" answers tcp "$addr" 8081
	t_is "$addr: no process of ours is alive" '' "$(ours)"
	ends "$addr: then it is open" 2 0 "tcp $addr 8080" "$PB" rule add 8080/tcp
	t_is "$addr: and none of ours has run" '' "$(ours)"
done
t_is 'rule list leaves it out' '' "$(rules)"
t_ok 'and says that there are none' grep -q 'No rules' <("$PB" rule list)
t_is 'in JSON, too' '[]' "$("$PB" rule list -j | json 'd["rules"]')"
t_is 'status counts none' 0 "$(status_is v0 rules)"

ends 'UDP: then it is open' 2 0 "udp $A4 8080" "$PB" rule add 8080/udp

# --- what it covered is back --------------------------------------------------------------

t_ok 'a wide rule' "$PB" rule add 8080-8090/tcp
wide=$(rules | cut -d' ' -f1)
t_ok 'blocks 8080' silent tcp "$A4" 8080
t_ok 'an opening for an hour' "$PB" rule add allow 8080/tcp --expires 1h
t_ok 'opens 8080' answers tcp "$A4" 8080
t_ok 'and not 8081' silent tcp "$A4" 8081
ends 'then the wide rule holds again' 0 2 "tcp $A4 8080" "$PB" rule add allow 8080/tcp
t_is 'and is all that is listed' "$wide drop tcp dport 8080-8090" "$(rules)"

# Three rules over one port, that end one after the other
t_ok 'flush' "$PB" rule flush
t_ok 'allow, the widest, for good' "$PB" rule add allow 8000-9000/tcp
t_ok 'drop, for an hour' "$PB" rule add 8080-8083/tcp --expires 1h
ends 'the narrowest holds, then the one for an hour' 0 2 "tcp $A4 8080" \
	"$PB" rule add allow 8080/tcp
t_ok 'del of that one' "$PB" rule del 8080-8083/tcp
t_ok 'and then the widest' answers tcp "$A4" 8080

t_ok 'policy deny' "$PB" policy deny
t_ok 'deny: the widest still allows' answers tcp "$A4" 8080
"$PB" rule del 8000-9000/tcp >/dev/null
ends 'deny: an opening, then it is denied again' 0 2 "tcp $A4 8080" "$PB" rule add allow 8080/tcp
t_ok 'policy allow' "$PB" policy allow
t_ok 'nothing is left' "$PB" rule flush

# --- sources and new, with an end -----------------------------------------------------------

in_b ip addr add 10.1.2.3/32 dev v1
in_a ip route add 10.1.2.3 dev v0
t_ok 'all are blocked' "$PB" rule add 8080/tcp
t_ok 'but 10.1.2.3, for an hour' "$PB" rule add allow 8080/tcp --from 10.1.2.3 --expires 1h
t_ok 'it connects' answers tcp "$A4" 8080 --from 10.1.2.3
t_ok 'others do not' silent tcp "$A4" 8080
ends 'an opening for one source' 0 2 "tcp $A4 8080 --from 10.1.2.3" \
	"$PB" rule add allow 8080/tcp --from 10.1.2.3
"$PB" rule flush >/dev/null
ends 'nothing new opens; then it does' 2 0 "tcp $A4 8080" "$PB" rule add 8080/tcp --new

# --- what is left, and another end ----------------------------------------------------------

t_ok 'flush of what has ended' "$PB" rule flush
began=$(clock)
t_ok 'a rule for an hour' "$PB" rule add -j 8080/tcp --expires 1h
id=$(json 'd["id"]' <<<"$T_OUT")
t_ok 'rule list shows what is left' grep -Eq "^$id drop tcp dport 8080 expires (1h|[1-5]?[0-9]m[0-9s]*)$" \
	<(rules)
t_ok 'in seconds in JSON' is_left "$(rule_is "$id" expires_in)" 3600 "$began"
t_ok 'two datagrams of another rule' "$PB" rule add 8080/udp --expires 1h
in_b "$PYTHON" "$PEER" send udp "$A4" 8080 --count 2
wait_for 60 counted $((id + 1)) 2

again()
{
	t_ok "the same with $2" "$PB" rule add -j "${@:3}"
	t_is "$2: changes it" "{\"id\": $1, \"result\": \"changed\"}" "$(json d <<<"$T_OUT")"
}
began=$(clock)
again "$id" 'another end' 8080/tcp --expires 2d
t_ok 'which is shown' is_left "$(rule_is "$id" expires_in)" 172800 "$began"
t_ok 'in text, too' grep -Eq 'expires (2d|1d23h[0-9ms]+)$' <(rules)
again "$id" 'no end' 8080/tcp
t_is 'which is none' null "$(rule_is "$id" expires_in)"
t_is 'in text, too' 'drop tcp dport 8080' "$(rules | sed -n "s/^$id //p")"
again "$id" 'an end in an hour' 8080/tcp --expires 1h
ends 'it blocks until its end' 2 0 "tcp $A4 8080" "$PB" rule add 8080/tcp
t_is 'rule list leaves it out' '' "$(rules | grep 'tcp dport 8080')"
t_is 'the other one keeps its counters' 2 "$(rule_is $((id + 1)) packets)"
again $((id + 1)) 'an end in two hours' 8080/udp --expires 2h
t_is 'with them' 2 "$(rule_is $((id + 1)) packets)"
t_fail 'what has ended cannot be deleted' 1 "no rule $id" "$PB" rule del "$id"
t_ok 'the same rule once more' "$PB" rule add -j 8080/tcp --expires 1h
t_is 'is a new one' added "$(json 'd["result"]' <<<"$T_OUT")"
t_is 'that has counted nothing' 0 "$(rule_is "$(json 'd["id"]' <<<"$T_OUT")" packets)"
t_ok 'and blocks' silent tcp "$A4" 8080
t_done
