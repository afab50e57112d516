#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The story of xdp-portblock-fleet(7), told by its own commands: the real etcd, with TLS and users, and three hosts, each with
# a network, a name, an /etc and a bpffs of its own; and what the page says in words.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
grep -q '^HAVE_FLEET := yes' "$TOP/config.mk" || t_skip_all "built without libcurl and libcrypto"
. "$TOP/tests/net/verbs.sh"
. "$TOP/tests/net/etcd-verbs.sh"
PAGE=$TOP/man/xdp-portblock-fleet.7
MACHINES='admin web1 web2 web3'
declare -A PID AGENT_PID AGENT_OUT

world_enter "$@"
cd "$T_DIR" || exit 1

# --- the machines: admin, where etcd is, too, is 10.0.0.1 and 192.0.2.1; the web servers are .11 to .13 ------------

# on MACHINE COMMAND...
on()
{
	local name=$1
	shift
	nsenter --net="/run/netns/$name-$T_NAME-$$" --mount="/proc/${PID[$name]}/ns/mnt" \
		--uts="/proc/${PID[$name]}/ns/uts" --wd="$(home "$name")" "$@"
}

# home MACHINE: where its commands are typed
home()
{
	echo "/proc/${PID[$1]}/root$T_DIR/$1/home"
}

on_admin() { on admin "$@"; }

# machine NAME: its namespaces. What is written below /etc and /var/lib is its own.
machine()
{
	local name=$1
	ip netns add "$name-$T_NAME-$$" || t_die "no network namespace for $name"
	mkdir "$name"
	# shellcheck disable=SC2016 # for the inner shell
	bg nsenter --net="/run/netns/$name-$T_NAME-$$" unshare -m --propagation private --uts sh -euc '
		hostname "$1"
		mount -t tmpfs tmpfs "$1"
		mkdir "$1/home" "$1/etc" "$1/etc.work" "$1/lib" "$1/lib.work"
		mount -t overlay -o lowerdir=/etc,upperdir="$1/etc",workdir="$1/etc.work" overlay /etc
		mount -t overlay -o lowerdir=/var/lib,upperdir="$1/lib",workdir="$1/lib.work" overlay /var/lib
		mkdir -p -m 700 /etc/xdp-portblock
		printf "127.0.0.1 localhost\n10.0.0.1 etcd.example.org\n" >/etc/hosts
		mount -t bpf bpf /sys/fs/bpf
		ip link set lo up
		echo ready
		exec sleep infinity' sh "$name"
	PID[$name]=$BG_PID
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	grep -q '^ready$' "$BG_OUT" || t_skip_all "no machine of its own here: $(tail -n 1 "$BG_OUT")"
}

# plug_in NAME N: eth0 of the machine, with .N, at the bridge
plug_in()
{
	local name=$1 n=$2
	ip link add eth0 netns "$name-$T_NAME-$$" type veth peer name "$name" netns "admin-$T_NAME-$$" &&
		on admin ip link set "$name" master br0 up &&
		on "$name" ip addr add "10.0.0.$n/24" dev eth0 && on "$name" ip addr add "192.0.2.$n/24" dev eth0 &&
		on "$name" ip link set eth0 up
}

for name in $MACHINES; do
	machine "$name"
done
bridge()
{
	on admin ip link add br0 type bridge && on admin ip addr add 10.0.0.1/24 dev br0 &&
		on admin ip addr add 192.0.2.1/24 dev br0 && on admin ip link set br0 up
}

bridge || t_die 'no bridge'
mkdir -p "$PB_SERVERS"
n=10
for name in web1 web2 web3; do
	n=$((n + 1))
	plug_in "$name" $n || t_die "no wire to $name"
	bg nsenter --net="/run/netns/$name-$T_NAME-$$" "$PYTHON" "$PEER" serve --tcp 22,23,80,443
	wait_for 60 ready_or_gone "$BG_PID" "$BG_OUT"
	grep -q '^ready$' "$BG_OUT" || t_die "$name does not serve: $(tail -n 1 "$BG_OUT")"
done
mkdir bin
ln -s "$PB" bin/xdp-portblock
PATH=$T_DIR/bin:$PATH

# --- certificates -------------------------------------------------------------------------------------------

# certificate NAME: NAME.crt and NAME.key, by the authority; its subject has no common name, as the page says
certificate()
{
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /O=fleet -keyout "$1.key" -out "$1.csr" &&
		openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 36500 -out "$1.crt" \
			-extfile <(echo "subjectAltName = DNS:$1")
}

certificates()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=authority -days 36500 \
		-addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.crt || return
	local name
	for name in etcd.example.org $MACHINES; do
		certificate "$name" || return
	done
	for name in $MACHINES; do
		on "$name" cp "$T_DIR/ca.crt" /etc/xdp-portblock/ca.crt &&
			on "$name" cp "$T_DIR/$name.crt" /etc/xdp-portblock/host.crt &&
			on "$name" install -m 600 "$T_DIR/$name.key" /etc/xdp-portblock/host.key || return
	done
}

start_etcd()
{
	bg nsenter --net="/run/netns/admin-$T_NAME-$$" etcd --name main --data-dir "$T_DIR/etcd.main" \
		--listen-client-urls https://10.0.0.1:2379 --advertise-client-urls https://etcd.example.org:2379 \
		--listen-peer-urls http://127.0.0.1:2380 --initial-advertise-peer-urls http://127.0.0.1:2380 \
		--initial-cluster main=http://127.0.0.1:2380 --unsafe-no-fsync --auth-token simple \
		--cert-file etcd.example.org.crt --key-file etcd.example.org.key --client-cert-auth --trusted-ca-file ca.crt
	wait_for 60 etcd_answers on_admin --endpoints https://etcd.example.org:2379 --cacert /etc/xdp-portblock/ca.crt \
		--cert /etc/xdp-portblock/host.crt --key /etc/xdp-portblock/host.key
}

t_ok 'certificates' certificates
t_ok 'etcd runs' start_etcd

# --- the page's commands ------------------------------------------------------------------------------------

# commands_of FILE FOLDER: NN.where, NN.command and NN.output of each, in order
commands_of()
{
	"$PYTHON" - "$@" <<'END'
import re, sys
with open(sys.argv[1], encoding="utf-8") as file:
    displays = re.findall(r"^\.Bd -literal\n(.*?)^\.Ed$", file.read(), re.S | re.M)
number = 0
for line in "".join(displays).replace(r"\&", "").replace(r"\e", "\\").splitlines():
    begins = re.match(r"(admin|web[*123])# (.*)", line)
    if begins:
        number += 1
        for end, text in ("where", begins[1]), ("command", begins[2]), ("output", None):
            with open(f"{sys.argv[2]}/{number:02}.{end}", "w", encoding="utf-8") as file:
                file.write(text + "\n" if text else "")
    elif number:
        with open(f"{sys.argv[2]}/{number:02}.output", "a", encoding="utf-8") as file:
            file.write(line + "\n")
END
}

# stable: without what is another each time: which host comes first, numbers and ids of revisions, times
stable()
{
	sed -E 's/, under the dispatcher, priority [0-9]+/, HOW/; s/, as a single program/, HOW/; s/ \(the kernel refuses .*//
		/^\{"level"/d
		s/\b[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/revision [0-9]+/revision N/g
		s/\([0-9a-f]{12}\)/(ID)/g; s/\bweb[123]\b/webN/g; s/(etcd was not reached in )[0-9]+\.[0-9] s: .*/\1TIME: WHY/
		s/^ +[0-9]+ +[0-9a-f]{12} /N ID /; s/[^ ]+@[^ :]+/USER@HOST/g
		s/^(webN +web +[a-z-]+) +([0-9]+|-) +([0-9]+|-) +([0-9]+) +[0-9.]+/\1 N N \4 RATE/
		s/  +/ /g; s/ $//' | if [[ $1 == *'fleet status'* ]]; then LC_ALL=C sort; else cat; fi
}

# run WHERE COMMAND: as it would be typed there; exports last
run()
{
	local where=$1 command=$2
	case $command in
	export\ *) on "$where" bash -c "touch /etc/exports.sh; . /etc/exports.sh; $command; export -p >/etc/exports.sh" ;;
	'systemctl enable --now xdp-portblock-fleet') agent "$where" ;;
	*) on "$where" bash -c "[ ! -e /etc/exports.sh ] || . /etc/exports.sh; $command" ;;
	esac
}

# agent WHERE: what systemd would start; the folder is the unit's StateDirectory=
agent()
{
	on "$1" mkdir -p -m 700 /var/lib/xdp-portblock/fleet
	bg nsenter --net="/run/netns/$1-$T_NAME-$$" --mount="/proc/${PID[$1]}/ns/mnt" --uts="/proc/${PID[$1]}/ns/uts" \
		"$PB" fleet follow
	AGENT_PID[$1]=$BG_PID AGENT_OUT[$1]=$BG_OUT
}

# told FILE: a command of the page prints what stands there, and fails where it says so
told()
{
	local where command machines=() machine expected status=0
	where=$(cat "$1.where") command=$(cat "$1.command") expected=$(cat "$1.output")
	machines=("$where")
	[ "$where" != 'web*' ] || machines=(web1 web2 web3)
	! grep -qE '^(Error|xdp-portblock): ' "$1.output" || status=1
	for machine in "${machines[@]}"; do
		before "$machine" "$command" "$expected"
		t_fail "$machine# $command" $status '' run "$machine" "$command"
		t_is "$machine# $command: prints" "$(stable "$command" <<<"$expected")" "$(stable "$command" <<<"$T_OUT")"
	done
	after "$command"
}

# all T_OK NAME COMMAND...: of each web server; its number is the last word
all()
{
	local verb=$1 text=$2 n
	shift 2
	for n in 11 12 13; do
		"$verb" "web$((n - 10)): $text" "$@" $n
	done
}

is_open()
{
	CLIENT=on_admin answers tcp "192.0.2.$2" "$1"
}

is_silent()
{
	CLIENT=on_admin silent tcp "192.0.2.$2" "$1"
}

our_own()
{
	CLIENT=on_admin answers tcp "10.0.0.$2" "$1"
}

# agents_said REGEX: so many of the agents did
agents_said()
{
	grep -lE -e "$1" "${AGENT_OUT[@]}" | wc -l
}

all_are_seen()
{
	[ "$(on admin "$PB" fleet status -j | json 'len(d["hosts"])')" = 3 ]
}

nothing_waits()
{
	[ "$(on "web$(($1 - 10))" "$PB" status -j eth0 | json "d['interfaces'][0]['confirm_in']")" = null ]
}

# after COMMAND: what the page says in words, and what traffic proves
after()
{
	local name
	case $1 in
	*'push web.rules '*)
		all t_ok '80 answers' is_open 80
		all t_ok '23 is silent' is_silent 23
		all t_ok '22 answers our own network' our_own 22
		;;
	*'push mistake.rules '*'--sign'*)
		all t_ok '23 is silent' is_silent 23
		all t_ok '22 answers our own network' our_own 22
		all t_ok 'nothing waits' nothing_waits
		t_is 'one host has tried the rules' 1 "$(agents_said 'failed: under these rules')"
		;;
	'openssl pkey '*)
		on admin cp admin.password /etc/xdp-portblock/fleet.password
		for name in web1 web2 web3; do
			on "$name" cp "$(home admin)/fleet.pem" /etc/xdp-portblock/
			on "$name" install -m 600 "$(home admin)/$name.password" /etc/xdp-portblock/fleet.password
		done
		;;
	esac
}

# write WHERE FILE TEXT: where the page shows a file, this is it; of fleet.conf each host has its own
write()
{
	local name
	case $1:$2 in
	web1:*/fleet.conf)
		for name in web1 web2 web3; do
			on "$name" tee "$2" <<<"${3/user = web1/user = $name}"
		done
		;;
	*) on "$1" tee "$2" <<<"$3" ;;
	esac
}

before()
{
	case $2 in
	*' fleet status') wait_for 60 all_are_seen ;;
	'cat '*) write "$1" "${2#cat }" "$3" >/dev/null || t_die "no $2" ;;
	esac
}

mkdir story
commands_of "$PAGE" story || t_die "no story in $PAGE"
for file in story/*.command; do
	told "${file%.command}"
done

# --- a group, which the page has no commands for: the roles are those of the page ---------------------------------

# follows_by_group: web1 says in etcd that it waits for a revision of the ruleset that its group has
follows_by_group()
{
	on admin "$PB" fleet status -j | json '[h for h in d["hosts"] if h["host"] == "web1"][0]["rulesets"]' | grep -q '"other"'
}

on web1 sed -i 's/^rulesets = .*/groups = edge/' /etc/xdp-portblock/fleet.conf
bg_stop "${AGENT_PID[web1]}" TERM
t_ok 'web1: its agent begins anew, and has a group' agent web1
t_ok 'group: who pushes sets it' run admin 'xdp-portblock fleet group set edge default=other --sign fleet.key'
t_ok 'group: its host hears of it' wait_for 60 follows_by_group
t_ok 'group: a push of its ruleset' run admin 'xdp-portblock fleet push private.rules other --sign fleet.key'
t_is 'group: is in force there' "$(on admin cat private.rules)" "$(on web1 "$PB" save)"
t_ok 'group: who pushes takes it away' run admin 'xdp-portblock fleet group del edge'

# --- what the page warns of -------------------------------------------------------------------------------------

openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=web1 -keyout named.key -out named.csr 2>/dev/null
openssl x509 -req -in named.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 36500 -out named.crt 2>/dev/null
on admin sed -e "s|^cert = .*|cert = $T_DIR/named.crt|" -e "s|^key = .*|key = $T_DIR/named.key|" /etc/xdp-portblock/fleet.conf >named.conf
t_fail 'a certificate with a common name is refused, and that is said' 1 'cert. of fleet.conf has a common name' \
	on admin "$PB" fleet status --config "$T_DIR/named.conf"

for name in web1 web2 web3; do
	[ "${t_failed:?}" -eq 0 ] || t_note "$name: $(cat "${AGENT_OUT[$name]}")"
done
t_done
