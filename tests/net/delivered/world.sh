# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For ../delivered.sh and its like in the virtual machine: where datagrams and connections go,
# the filters that they meet, and what is to come of it. Needs lib.sh.
# shellcheck disable=SC2016 # programs of awk

DELIVERED=$TOP/build/tests/net/delivered
[ -x "$DELIVERED" ] || t_die "no $DELIVERED: make prog-tests comes first"
ARTIFACTS=${PB_ARTIFACTS:-${TMPDIR:-/tmp}}
BLOCKED=22 OPEN=53
SENDERS4=10.64.0.0/10 SENDERS6=fd64::/64
LINK_MTU=1800 JUMBO_MTU=9000
# In one world; what is left of a train stays in the kernel's memory for half a minute.
SHARE_MAX=5000
RUN=tests/net/delivered.sh
serial=0 share_seed=0
protocols=()
for protocol in udplite sctp; do
	! speaks $protocol || protocols+=("--$protocol")
done

# combinations_like PATTERN: device, mode and ruleset
combinations_like()
{
	local link rules

	for link in 'veth native' 'veth skb' 'tun skb' 'jumbo native' 'jumbo skb'; do
		for rules in drop deny new sources; do
			case $link,$rules in
			jumbo*,new | jumbo*,sources) continue ;;
			esac
			# shellcheck disable=SC2053 # a pattern is wanted
			[[ "$link $rules" != $1 ]] || echo "$link $rules"
		done
	done
}

# rules_for NAME: a file of rules; "new" goes with TCP and UDP only
rules_for()
{
	case $1 in
	drop) echo "drop tcp,udp,sctp,udplite dport $BLOCKED" ;;
	deny) printf 'policy deny\nallow tcp,udp,sctp,udplite dport %s\n' $OPEN ;;
	new) printf 'drop tcp,udp dport %s new\ndrop sctp,udplite dport %s\n' $BLOCKED $BLOCKED ;;
	sources) echo "drop tcp,udp,sctp,udplite dport $BLOCKED from $SENDERS4,$SENDERS6" ;;
	esac
}

# --- where it goes ---------------------------------------------------------------------------

# allow_all DEVICE...: the stack takes whatever it can be made to take, and has room for all
# pieces. Not every kernel has all of these.
allow_all()
{
	local name

	for name in ipv4/ipfrag_high_thresh ipv6/ip6frag_high_thresh \
		ipv4/ipfrag_low_thresh ipv6/ip6frag_low_thresh; do
		echo 1000000000 >"/proc/sys/net/$name" || return 1
	done
	echo 0 >/proc/sys/net/ipv4/ipfrag_max_dist
	for name in all "$@"; do
		echo 1 >"/proc/sys/net/ipv4/conf/$name/accept_source_route"
		echo 0 >"/proc/sys/net/ipv4/conf/$name/rp_filter"
		echo 1 >"/proc/sys/net/ipv6/conf/$name/seg6_enabled"
		echo 1 >"/proc/sys/net/ipv6/conf/$name/rpl_seg_enabled"
	done 2>/dev/null
	return 0
}
export -f allow_all

# world_of veth|jumbo|tun: a world in which the senders are behind B, or behind a tun device
world_of()
{
	world_drop
	world_pair
	can=("${protocols[@]}")
	! allow_ah || can+=(--ah)
	"wire_$1" || return 1
	in_a bash -c 'allow_all "$@"' - "${devices[@]}" || t_die 'no room for fragments'
}

# allow_ah: authentication headers of one SPI that prove nothing, from anybody
allow_ah()
{
	local to

	for to in "$A4" "$A6"; do
		in_a ip xfrm state add dst "$to" proto ah spi 256 mode transport \
			auth digest_null '' 2>/dev/null || return 1
	done
}

wire_veth()
{
	local mac mtu=${1:-$LINK_MTU}

	DEVICE=v0 WIRE=v0@v1@/run/netns/$NS_B devices=(v0)
	mac=$(in_b ip -o link show dev v1 | sed -n 's/.*link.ether \([^ ]*\).*/\1/p')
	{
		in_a ip link set v0 mtu "$mtu" &&
			in_b ip link set v1 mtu "$mtu" &&
			in_a ip neigh add "$B4" lladdr "$mac" dev v0 &&
			in_a ip neigh add "$B6" lladdr "$mac" dev v0 &&
			in_a ip route add $SENDERS4 via "$B4" &&
			in_a ip route add $SENDERS6 via "$B6"
	} || t_die 'no way back from v0'
	if in_a ip link add link v0 name v0.5 up type vlan id 5 2>/dev/null &&
		in_a ip link add link v0.5 name v0.5.6 up type vlan id 6; then
		can+=(--vlans)
		devices+=(v0/5 v0/5/6)
	fi
}

# Frames of several buffers, with so long headers that the ports are in the second one
wire_jumbo()
{
	wire_veth $JUMBO_MTU
	can+=(--jumbo)
	in_a "$PB" load -m native v0 >/dev/null 2>&1 && in_a "$PB" unload v0 >/dev/null
}

wire_tun()
{
	DEVICE=t0 WIRE=t0 devices=(t0)
	[ -c /dev/net/tun ] && in_a ip tuntap add dev t0 mode tun 2>/dev/null || return 1
	{
		in_a ip link set t0 mtu $LINK_MTU up &&
			in_a ip route add $SENDERS4 dev t0 &&
			in_a ip route add $SENDERS6 dev t0
	} || t_die 'no way back from t0'
}

# load_filter MODE RULES: on the world's device
load_filter()
{
	rules_for "$2" >"$T_DIR/rules"
	# shellcheck disable=SC2086 # words
	in_a "$PB" load ${LOAD_OPTIONS:-} -m "$1" "$DEVICE" --rules "$T_DIR/rules"
}

# --- what comes of it ------------------------------------------------------------------------

# delivered VERB OPTIONS...: in the world
delivered()
{
	in_a "$DELIVERED" "$@" "${can[@]}" --device "$WIRE" --ipv4 "$A4" --ipv6 "$A6" \
		--blocked $BLOCKED --open $OPEN --pcap "$ARTIFACTS/delivered-$share_seed"
}

# delivered_share VERB: this combination's share
delivered_share()
{
	delivered "$1" --file "$T_DIR/results" --seed "$share_seed" --serial $serial \
		--datagrams "$share" --connections "$share_tcp"
}

# figure NAME COLUMN FILE: of what delivered.c has printed
figure()
{
	awk -F '\t' -v name="$1" -v column="$2" '$1 == name { sum += $column }
		END { print sum + 0 }' "$T_DIR/$3"
}

# rooms_lacked: datagrams that a socket of A had no room for: they would seem to be filtered.
# (SO_RXQ_OVFL counts wrong checksums, too.)
rooms_lacked()
{
	in_a cat /proc/net/snmp /proc/net/snmp6 | awk '
		/^Udp(Lite)?: [A-Z]/ { for (i = 1; i <= NF; i++) if ($i == "RcvbufErrors") at = i }
		/^Udp(Lite)?: [0-9]/ { sum += $at }
		/^Udp(Lite)?6RcvbufErrors/ { sum += $2 }
		END { print sum + 0 }'
}

# again NAME: how to see a failure once more
again()
{
	local pcap

	pcap=$(sed -n 's/^pcap //p' "$T_DIR/with" | head -n 1)
	[ -n "$pcap" ] || return 0
	t_note "the same again: $RUN --only '$1' --seed $share_seed --datagrams $share --connections $share_tcp
its frames again: $RUN --only '$1' --replay $pcap"
}

# judge NAME DEVICE MODE RULES: without the filter, and with it
judge()
{
	if ! world_of "$2"; then
		t_skip "$1" "no $2 device"
		return
	fi
	rm -f "$T_DIR/results"
	t_ok "$1: without the filter" delivered_share without
	cat "$T_DIR/out" >>"$T_DIR/without"
	serial=$((serial + 2 * (share + share_tcp)))
	t_ok "$1: load" load_filter "$3" "$4"
	t_ok "$1: what arrives is what should" delivered_share with
	cp "$T_DIR/out" "$T_DIR/with"
	cat "$T_DIR/with" >>"$T_DIR/with.all"
	serial=$((serial + share + share_tcp))
	t_is "$1: all have been sent" "$share $share_tcp" \
		"$(figure datagrams 2 with) $(figure connections 2 with)"
	t_is "$1: no socket was short of room" 0 "$(rooms_lacked)"
	t_is "$1: no datagram arrives at the blocked port" 0 "$(figure datagrams 4 with)"
	t_is "$1: no connection is answered there" 0 "$(figure connections 4 with)"
	again "$1"
	t_ok "$1: unload" in_a "$PB" unload "$DEVICE"
}

# judge_all SEED DATAGRAMS CONNECTIONS COMBINATION...: each combination (of device, mode and
# ruleset) gets its share, in one round or more
judge_all()
{
	local datagrams=$2 connections=$3 rounds combination
	share_seed=$1
	shift 3

	echo "# seed $share_seed, $datagrams datagrams, $connections connections"
	rounds=$(((datagrams + $# * SHARE_MAX - 1) / ($# * SHARE_MAX)))
	share=$(((datagrams + $# * rounds - 1) / ($# * rounds)))
	share_tcp=$(((connections + $# * rounds - 1) / ($# * rounds)))
	for ((; rounds > 0; rounds--)); do
		for combination; do
			# shellcheck disable=SC2086 # words
			judge "$combination" $combination
			share_seed=$((share_seed + 1))
		done
	done
}

# --- and what it is worth --------------------------------------------------------------------

# kinds CONDITION: of awk, over a kind's $2 sent, $3 arrived without a filter, $4 how Linux is
kinds()
{
	awk -F '\t' '$1 == "kind" { sent[$2] += $3; arrived[$2] += $4; arrives[$2] = $5 }
		END { for (k in sent) printf "%s\t%d\t%d\t%s\n", k, sent[k], arrived[k], arrives[k] }' \
		"$T_DIR/without" | sort | awk -F '\t' "$1"
}

# A generator of which the kernel takes hardly anything would be a weak test.
check_generator()
{
	local sent arrived possible

	sent=$(figure datagrams 2 without)
	arrived=$(($(figure datagrams 3 without) + $(figure datagrams 4 without)))
	t_ok "without a filter $((arrived * 100 / sent)) % of $sent datagrams arrive" \
		test $((arrived * 100)) -gt $((sent * 30))
	possible='$4 == "always"'
	# These have it, too, where the test says so.
	[ -z "${POSSIBLE:-}" ] || possible="$possible || \$1 ~ /^($POSSIBLE)\$/"
	t_is 'each kind that Linux takes arrives' '' "$(kinds "($possible) && !\$3 { print \$1 }")"
	t_is 'each that it never takes is sent' '' "$(kinds '$4 == "never" && !$2 { print $1 }')"
	t_is 'and does not arrive' '' "$(kinds '$4 == "never" && $3 { print $1 }')"
	echo '# kind, sent, arrived without a filter:'
	kinds '{ printf "#   %-42s %7d %7d\n", $1, $2, $3 }'
}

print_figures()
{
	echo "# datagrams: $(figure datagrams 2 with.all) past a filter," \
		"$(figure datagrams 3 with.all) arrived at the open port," \
		"$(figure datagrams 4 with.all) at the blocked one; without it" \
		"$(figure datagrams 3 without) and $(figure datagrams 4 without)"
	echo "# connections: $(figure connections 2 with.all) past a filter," \
		"$(figure connections 3 with.all) answered at the open port," \
		"$(figure connections 4 with.all) at the blocked one; without it" \
		"$(figure connections 3 without) and $(figure connections 4 without) read to the end"
}
