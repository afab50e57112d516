#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# --from and --except: clients of many addresses in both families, over real sockets;
# prefixes that overlap; lists, files, and ten thousand prefixes in one rule.

# shellcheck disable=SC2317 # t_ok calls functions by name
. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

# The client is many: ours and others', near the borders of the prefixes below.
OURS4=(10.1.2.3 10.0.0.1 10.255.255.254)
OTHERS4=(192.0.2.1 11.0.0.1 9.255.255.254)
OURS6=(2001:db8::1 2001:db8:1::3 2001:db8:ffff:ffff::ffff)
OTHERS6=(2001:db9::1 2001:db7:ffff:ffff::ffff fd77::1)

for addr in "${OURS4[@]}" "${OTHERS4[@]}"; do
	in_b ip addr add "$addr/32" dev v1 && in_a ip route add "$addr/32" dev v0
done || t_die 'no IPv4 addresses'
for addr in "${OURS6[@]}" "${OTHERS6[@]}"; do
	in_b ip addr add "$addr/128" dev v1 nodad && in_a ip route add "$addr/128" dev v0
done || t_die 'no IPv6 addresses'
serve in_a --tcp 22,23 --udp 22

# from_each VERB PROTO PORT ADDR...: by a client at each of these addresses, all at once
from_each()
{
	local verb=$1 proto=$2 port=$3 from pids=() status=0
	shift 3
	for from; do
		"$verb" "$proto" "$(target "$from")" "$port" --from "$from" &
		pids+=($!)
	done
	for from in "${pids[@]}"; do
		wait "$from" || status=1
	done
	return "$status"
}

passes()
{
	from_each answers "$@"
}

blocks()
{
	from_each silent "$@"
}

target()
{
	case $1 in
	*:*) echo "$A6" ;;
	*) echo "$A4" ;;
	esac
}

# only RULE...: and nothing else
only()
{
	"$PB" rule flush >/dev/null && "$PB" rule add "$@"
}

t_ok 'all addresses answer at first' passes tcp 22 "${OURS4[@]}" "${OTHERS4[@]}" "${OURS6[@]}" \
	"${OTHERS6[@]}"
t_ok 'load' in_a "$PB" load v0

# --- except and from --------------------------------------------------------------------

t_ok '22, except from our network' only --port 22 --proto tcp --except 10.0.0.0/8
t_ok 'except: 10.1.2.3 and its neighbours connect' passes tcp 22 "${OURS4[@]}"
t_ok 'except: 192.0.2.1 and those beside 10.0.0.0/8 do not' blocks tcp 22 "${OTHERS4[@]}"
t_ok 'except: nor does IPv6' blocks tcp 22 "${OURS6[@]}" "${OTHERS6[@]}"
t_ok 'except: another port is open to all' passes tcp 23 192.0.2.1 fd77::1
t_ok 'except: another protocol, too' passes udp 22 192.0.2.1 fd77::1

t_ok '22, except from our networks of both families' \
	only --port 22 --proto tcp --except 10.0.0.0/8,2001:db8::/32
t_ok 'except both: ours connect' passes tcp 22 "${OURS4[@]}" "${OURS6[@]}"
t_ok 'except both: others do not' blocks tcp 22 "${OTHERS4[@]}" "${OTHERS6[@]}"

t_ok 'from' only --port 22 --proto tcp,udp --from 10.0.0.0/8,2001:db8::/32
t_ok 'from: those are blocked' blocks tcp 22 "${OURS4[@]}" "${OURS6[@]}"
t_ok 'from: others are not' passes tcp 22 "${OTHERS4[@]}" "${OTHERS6[@]}"
t_ok 'from: udp, too' blocks udp 22 10.1.2.3 2001:db8:1::3
t_ok 'from: udp of others' passes udp 22 192.0.2.1 fd77::1

t_ok 'from of hosts, without /len' only 22/tcp --from 10.1.2.3,2001:db8:1::3
t_ok 'hosts: these are blocked' blocks tcp 22 10.1.2.3 2001:db8:1::3
t_ok 'hosts: no others' passes tcp 22 10.0.0.1 2001:db8::1 192.0.2.1
t_is 'hosts: are listed without /len' 'drop tcp dport 22 from 10.1.2.3,2001:db8:1::3' \
	"$(rules | cut -d' ' -f2-)"

t_ok 'from and except together' only 22/tcp --from 10.0.0.0/8,2001:db8::/32 \
	--except 10.1.0.0/16,2001:db8:1::/48
t_ok 'together: from blocks' blocks tcp 22 10.0.0.1 10.255.255.254 2001:db8::1
t_ok 'together: except opens' passes tcp 22 10.1.2.3 2001:db8:1::3
t_ok 'together: and all outside' passes tcp 22 "${OTHERS4[@]}" "${OTHERS6[@]}"

t_ok 'from 0.0.0.0/0' only 22/tcp --from 0.0.0.0/0
t_ok 'is all of IPv4' blocks tcp 22 10.1.2.3 192.0.2.1
t_ok 'and nothing of IPv6' passes tcp 22 2001:db8::1 fd77::1

# --- the longest source wins ------------------------------------------------------------

t_ok 'longest: drop from 10.0.0.0/8' only 'drop tcp dport 22 from 10.0.0.0/8,2001:db8::/32'
t_ok 'longest: allow a wide range from 10.1.0.0/16' "$PB" rule add \
	'allow tcp dport 1-65535 from 10.1.0.0/16,2001:db8:1::/48'
t_ok 'the longer prefix wins over the narrower range' passes tcp 22 10.1.2.3 2001:db8:1::3
t_ok 'the shorter one still holds beside it' blocks tcp 22 10.0.0.1 2001:db8::1
t_ok 'longest: drop from the host' "$PB" rule add \
	'drop tcp dport 1-65535 from 10.1.2.3,2001:db8:1::3'
t_ok 'the host wins over both' blocks tcp 22 10.1.2.3 2001:db8:1::3
t_ok 'and on other ports' blocks tcp 23 10.1.2.3 2001:db8:1::3
t_ok 'del of the host' "$PB" rule del 'drop tcp dport 1-65535 from 10.1.2.3,2001:db8:1::3'
t_ok 'brings back what it covered' passes tcp 22 10.1.2.3 2001:db8:1::3
t_ok 'a rule without sources' "$PB" rule add 22-23/tcp
t_ok 'is behind all that have one' passes tcp 23 10.1.2.3 2001:db8:1::3
t_ok 'and decides for all others' blocks tcp 23 192.0.2.1 fd77::1
t_ok 'the manual: 22 except, and an allow for whom is excepted' only 1-1024/tcp
"$PB" rule add 22/tcp except 10.0.0.0/8 >/dev/null
t_ok 'the wide rule covers the exception' blocks tcp 22 10.1.2.3
t_ok 'allow from there' "$PB" rule add allow 22/tcp from 10.0.0.0/8
t_ok 'lets it in' passes tcp 22 10.1.2.3
t_ok 'and nobody else' blocks tcp 22 192.0.2.1 fd77::1
t_ok 'nor elsewhere' blocks tcp 23 10.1.2.3

# --- words ------------------------------------------------------------------------------

only 22/tcp --from 10.1.2.3/8,2001:db8::77/32 >"$T_DIR/facts" 2>"$T_DIR/note"
t_is 'bits behind the length are no error' 0 $?
t_is 'they are cleared' '["10.0.0.0/8", "2001:db8::/32"]' \
	"$("$PB" rule list -j | json 'd["rules"][0]["from"]')"
t_ok 'a note says so' grep -Eq '"10\.1\.2\.3/8".*10\.0\.0\.0/8' "$T_DIR/note"
t_ok 'and blocks the whole prefix' blocks tcp 22 10.255.255.254
"$PB" rule add 25/tcp --from 10.0.0.0/8 >"$T_DIR/facts" 2>"$T_DIR/note"
t_is 'no note without such bits' '' "$(cat "$T_DIR/note")"
t_ok 'the same rule by the prefix written otherwise' "$PB" rule add -j 25/tcp --from 10.99.0.1/8
t_ok 'is the same' grep -q '"unchanged"' <<<"$T_OUT"

printf '# ours\n10.0.0.0/8, 2001:db8::/32\n\n192.0.2.1 # a host\n\t10.0.0.0/8\n' >"$T_DIR/list"
t_ok 'a file of prefixes' only 22/tcp --from "@$T_DIR/list"
t_is 'commas, white space and comments are understood' \
	'["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]' \
	"$("$PB" rule list -j | json 'd["rules"][0]["from"]')"
t_ok 'in the text of a rule' only "drop tcp dport 22 except @$T_DIR/list"
t_is 'too' '["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]' \
	"$("$PB" rule list -j | json 'd["rules"][0]["except"]')"
t_ok 'all in it connect' passes tcp 22 10.1.2.3 192.0.2.1 2001:db8::1
t_ok 'others do not' blocks tcp 22 11.0.0.1 fd77::1
t_ok 'del by the same file' "$PB" rule del 22/tcp --except "@$T_DIR/list"

# --- ten thousand -----------------------------------------------------------------------

# Prefixes of each family, none beside another; and for each its first and its last address,
# and those just outside, as frames to port 22.
cat >"$T_DIR/many.py" <<'END'
import errno, os, random, socket, sys
sys.path.insert(0, os.path.join(os.environ["TOP"], "tests", "prog"))
sys.dont_write_bytecode = True
from ipaddress import IPv4Address, IPv6Address
from packets import ethernet, ipv4, ipv6, transport

def prefixes():
    """[(family, first, last, text)]"""
    draw = random.Random(int(sys.argv[2]))
    found = []
    for i in range(5000):
        length = draw.choice((24, 28, 30, 31, 32))
        first = (20 << 24) + (i << 13) + (draw.randrange(1, 16) << 8)
        found.append((4, first, first + (1 << 32 - length) - 1, f"{IPv4Address(first)}/{length}"))
        length = draw.choice((48, 64, 65, 127, 128))
        first = (0x2A00 << 112) + (i << 84) + (draw.randrange(1, 16) << 80)
        found.append((6, first, first + (1 << 128 - length) - 1,
                      f"{IPv6Address(first)}/{length}"))
    draw.shuffle(found)
    return found

def frame(family, number):
    segment = transport("tcp", 40000, 22)
    if family == 4:
        return ethernet(ipv4(segment, source=number.to_bytes(4, "big")))
    return ethernet(ipv6(segment, source=number.to_bytes(16, "big")), 0x86DD)

def send(sock, data):
    while True:
        try:
            return sock.send(data)
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise

command = sys.argv[1]
if command == "list":
    print("\n".join(text for *_, text in prefixes()))
else:
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind(("v1", 0))
    for family, first, last, _ in prefixes():
        for number in (first, last) if command == "inside" else (first - 1, last + 1):
            send(sock, frame(family, number))
END

# many COMMAND: the client sends
many()
{
	in_b "$PYTHON" "$T_DIR/many.py" "$1" "$seed"
}

seed=${PB_SEED:-$RANDOM}
t_note "PB_SEED=$seed"
many list >"$T_DIR/many" || t_die 'no prefixes'
t_is 'ten thousand prefixes' 10000 "$(wc -l <"$T_DIR/many")"

# (How long it takes to add them is in tests/bench/control.)
id_is()
{
	"$PB" rule list -j | json 'd["rules"][0]["id"]'
}

t_ok 'rule add --from @FILE' only 22/tcp --from "@$T_DIR/many"
t_is 'all are there' 10000 "$("$PB" rule list -j | json 'len(d["rules"][0]["from"])')"
"$PB" rule reset >/dev/null
id=$(id_is)
many inside
wait_for 60 counted "$id" 20000
t_is 'each first and last address of each prefix is dropped' 20000 "$(rule_is "$id" packets)"
dropped=$(outcome v0 drop-rule) passed=$(outcome v0 pass)
many outside
# all_seen N: so many were judged since
all_seen()
{
	[ $(($(outcome v0 pass) + $(outcome v0 drop-rule))) -ge $((passed + dropped + $1)) ]
}
wait_for 60 all_seen 20000
t_is 'none of the addresses beside them is' "$dropped" "$(outcome v0 drop-rule)"
t_is 'they pass' $((passed + 20000)) "$(outcome v0 pass)"

t_ok 'rule add --except @FILE' only 22/tcp --except "@$T_DIR/many"
"$PB" rule reset >/dev/null
id=$(id_is) dropped=0 passed=0
many outside
wait_for 60 counted "$id" 20000
t_is 'except: each address beside them is dropped' 20000 "$(rule_is "$id" packets)"
many inside
wait_for 60 all_seen 40000
t_is 'except: none of those in them is' 20000 "$(rule_is "$id" packets)"
t_is 'except: they pass' 20000 "$(outcome v0 pass)"
t_ok 'except: a client of none of them is blocked' blocks tcp 22 10.1.2.3 2001:db8:1::3

# The same with sockets: the client takes the last address of a few of the prefixes.
mapfile -t taken < <(head -n 6 "$T_DIR/many" | "$PYTHON" -c '
import ipaddress, sys
for line in sys.stdin:
    print(ipaddress.ip_network(line.strip())[-1])')
for addr in "${taken[@]}"; do
	case $addr in
	*:*) in_b ip addr add "$addr/128" dev v1 nodad ;;
	*) in_b ip addr add "$addr/32" dev v1 ;;
	esac && in_a ip route add "$addr" dev v0
done || t_die 'no more addresses'
t_ok 'except: clients of six of them connect' passes tcp 22 "${taken[@]}"
only 22/tcp --from "@$T_DIR/many" >/dev/null
t_ok 'from: they do not' blocks tcp 22 "${taken[@]}"
t_ok 'from: a client of none does' passes tcp 22 10.1.2.3 2001:db8:1::3
t_done
