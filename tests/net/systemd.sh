#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# xdp-portblock@.service: systemd finds no fault with it, it is as confined as it says, and
# its commands do what they should, with the capabilities that it leaves them.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1

# The folder that the tool is installed in has no blanks in its name; that of this clone may.
SBIN=$T_DIR/sbin
LIBEXEC=$T_DIR/libexec
mkdir "$SBIN" && ln -s "$PB" "$SBIN/xdp-portblock"
mkdir -p "$LIBEXEC/xdp-portblock"
sed "s|@SBINDIR@|$SBIN|g" "$TOP/systemd/unit" >"$LIBEXEC/xdp-portblock/unit"
chmod 755 "$LIBEXEC/xdp-portblock/unit"

# filled_in UNIT: as `make install` makes it
filled_in()
{
	sed "s|@SBINDIR@|$SBIN|g; s|@LIBEXECDIR@|$LIBEXEC|g" "$TOP/systemd/$1"
}

UNIT=$T_DIR/xdp-portblock@v0.service
ETC=$T_DIR/etc
STATE=$T_DIR/state

# setting NAME: its values in the unit, a line each
setting()
{
	sed -n "s/^$1=//p" "$UNIT"
}

# --- what systemd says of it ------------------------------------------------------------

# For the interface v0
filled_in xdp-portblock@.service >"$UNIT"
t_is 'nothing is left to be filled in' '' "$(grep -o '@[A-Z]*@' xdp-portblock@v0.service)"
t_is 'it has one part of each kind' '' "$(grep '^\[' xdp-portblock@v0.service | sort | uniq -d)"
if command -v systemd-analyze >/dev/null; then
	t_ok 'systemd-analyze verify' systemd-analyze verify --man=no ./xdp-portblock@v0.service
	t_is 'has nothing to say' '' "$T_OUT"
else
	t_skip 'systemd-analyze verify' 'no systemd-analyze here'
fi

# How exposed each unit is, in tenths, as systemd 252 sees it (others count otherwise): it does not get worse.
exposures='@.service 23
-fleet.service 24
-metrics.service 22
-plugged@.service 23
-set@.service 22'
t_is 'each service is looked at' "$(cd "$TOP/systemd" && ls -- *.service)" \
	"$(cut -d ' ' -f 1 <<<"$exposures" | sed 's/^/xdp-portblock/' | sort)"
if systemd-analyze security --help 2>&1 | grep -q -e --offline; then
	while read -r name exposure; do
		[ "$(systemd-analyze --version | awk 'NR == 1 { print $2 }')" = 252 ] || exposure=24
		file=xdp-portblock${name/@/@x}
		filled_in "xdp-portblock$name" >"$file"
		t_ok "systemd-analyze security: $name, at most $exposure" systemd-analyze security --offline=true \
			--threshold="$exposure" --no-pager "./$file"
		t_note "$(tail -n 1 <<<"$T_OUT")"
	done <<<"$exposures"
else
	t_skip 'systemd-analyze security' 'no systemd-analyze here that can look at files'
fi
t_ok 'it stops with the device' grep -qx 'BindsTo=sys-subsystem-net-devices-%i.device' "$UNIT"
t_ok 'it starts after the device' grep -qx 'After=sys-subsystem-net-devices-%i.device' "$UNIT"
t_ok 'it starts before the network' grep -qx 'Before=network-pre.target' "$UNIT"
t_ok 'and asks for that point to be there' grep -qx 'Wants=network-pre.target' "$UNIT"
t_ok 'bpffs is writable' grep -qx 'ReadWritePaths=/sys/fs/bpf' "$UNIT"
t_is 'and nothing takes that back' '' "$(setting ProtectKernelTunables)"
t_is 'it has a folder for elements' xdp-portblock "$(setting StateDirectory)"

# --- installed -------------------------------------------------------------------------

t_ok 'make install' make -s -C "$TOP" install HAVE_SYSTEMD=yes DESTDIR="$T_DIR/root" PREFIX=/usr
t_ok 'the unit is installed, with its paths' grep -q '^ExecStart=/usr/libexec/xdp-portblock/unit start ' \
	root/usr/lib/systemd/system/xdp-portblock@.service
t_ok 'and what it runs' grep -qx 'pb=/usr/sbin/xdp-portblock' root/usr/libexec/xdp-portblock/unit
t_ok 'which can be run' test -x root/usr/libexec/xdp-portblock/unit
t_is 'nothing is left to be filled in there' '' \
	"$(grep -o '@[A-Z]*@' root/usr/lib/systemd/system/xdp-portblock@.service root/usr/libexec/xdp-portblock/unit)"
t_ok 'udev runs what is there' test -x \
	"root$(sed -n 's/.*RUN+="\(.*\)"$/\1/p' root/usr/lib/udev/rules.d/79-xdp-portblock.rules)"
t_ok 'make uninstall' make -s -C "$TOP" uninstall HAVE_SYSTEMD=yes DESTDIR="$T_DIR/root" PREFIX=/usr
t_is 'leaves no file' '' "$(find root -type f -o -type l)"
t_ok 'nor the folder of the unit' test ! -e root/usr/libexec/xdp-portblock
t_ok 'make install without systemd' make -s -C "$TOP" install HAVE_SYSTEMD=no \
	DESTDIR="$T_DIR/other" PREFIX=/usr
t_ok 'installs no unit' test ! -e other/usr/lib/systemd
t_ok 'nor what it runs' test ! -e other/usr/libexec
t_ok 'and nothing for udev' test ! -e other/usr/lib/udev

# --- its commands, as systemd would run them ------------------------------------------------

# Runs a command with the /sys of its network namespace, and the bpffs of the test in it.
cat >with-sys <<SYS
mkdir -p '$T_DIR/bpffs'
mount --bind /sys/fs/bpf '$T_DIR/bpffs' && mount -t sysfs sysfs /sys &&
	mount --bind '$T_DIR/bpffs' /sys/fs/bpf && exec "\$@"
SYS

# run SETTING INSTANCE: what ExecStart= and the like say, by unit.py, with the environment of the
# unit and of the interface's file, in the mount namespace of the test, without other capabilities
run()
{
	local capabilities
	capabilities=$(setting CapabilityBoundingSet | tr '[:upper:]' '[:lower:]' |
		sed 's/cap_/+/g; s/ /,/g')
	in_a unshare -m "$BASH" "$T_DIR/with-sys" env -i LC_ALL=C.UTF-8 setpriv --no-new-privs \
		--inh-caps=-all --bounding-set="-all,$capabilities" "$PYTHON" "$TOP/tests/net/unit.py" \
		"$UNIT" "$1" "$2" "$ETC" "$STATE" "$SBIN"
}

mkdir "$ETC" "$STATE"
t_fail 'start without a file of rules' 1 'default.rules' run ExecStart v0
t_is 'loads nothing' '' "$(xdp_on v0)$(our_pins)"
echo 22/tcp >"$ETC/default.rules"
t_ok 'start, with no options' run ExecStart v0
t_ok 'load says what it did' grep -q '^v0: loaded.*ruleset default' <<<"$T_OUT"
t_ok 'the rules hold' silent tcp "$A4" 22
t_ok 'and no others' answers tcp "$A4" 23
t_ok 'the pins are in the bpffs of all' test -e "$PINS/default/pb_rules"
t_ok 'start again' run ExecStart v0
echo 23/tcp >"$ETC/default.rules"
t_ok 'reload' run ExecReload v0
t_ok 'the new rules hold' silent tcp "$A4" 23
t_ok 'the old ones do not' answers tcp "$A4" 22
echo 23x/tcp >"$ETC/default.rules"
t_fail 'reload of a faulty file' 1 '"23x"' run ExecReload v0
t_is 'leaves the rules' 'drop tcp dport 23' "$(rules | cut -d ' ' -f 2-)"
t_ok 'stop' run ExecStop v0
t_is 'leaves nothing' '' "$(xdp_on v0)$(our_pins)"
t_fail 'stop of what is not loaded' 1 'not loaded' run ExecStop v0

cat >"$ETC/v0.conf" <<'CONF'
# of v0
RULESET=web
OPTIONS=--mode skb --max-rules 100
CONF
printf '%s\n' 'policy deny' 'allow tcp dport 22' >"$ETC/web.rules"
t_ok 'start with options' run ExecStart v0
t_is 'which it obeys' 'skb web deny' "$(status_is v0 mode) $(status_is v0 ruleset) $(status_is v0 policy)"
t_ok 'and the rules' answers tcp "$A4" 22
t_ok 'of the file' silent tcp "$A4" 23
echo 'policy allow' >"$ETC/web.rules"
t_ok 'reload with options' run ExecReload v0
t_is 'of that ruleset' allow "$("$PB" policy -r web)"
t_ok 'the device goes' in_a ip link del v0
t_ok 'stop then is no failure' run ExecStop v0
t_ok 'unload what is left' in_a "$PB" unload --all
t_is 'nothing is left' '' "$(our_pins)"

# --- elements of sets outlast it ---------------------------------------------------------------

in_a ip link add v0 type veth || t_die 'no interface v0'
rm "$ETC/v0.conf"
printf '%s\n' 'set bans timeout 1h' 'drop tcp dport 22 from @bans' >"$ETC/default.rules"
SAVED=$STATE/default.elements
rm -f "$SAVED"
# elements: of all sets
elements()
{
	"$PB" set list -j | json '" ".join(s["name"] + ":" + ",".join(e["prefix"] for e in s["elements"]) for s in d["sets"])'
}
t_ok 'start without elements' run ExecStart v0
"$PB" set add bans 192.0.2.1 2001:db8::/32 >/dev/null
"$PB" set create f2b --max 10 >/dev/null
"$PB" set add f2b 192.0.2.2 >/dev/null
before=$(elements)
t_ok 'stop' run ExecStop v0
t_is 'has unloaded' '' "$(our_pins)"
t_ok 'and written them' grep -q '^192.0.2.1 until ' "$SAVED"
t_ok 'start' run ExecStart v0
t_is 'brings them back, of all sets' "$before" "$(elements)"
"$PB" set del bans 192.0.2.1 >/dev/null
t_ok 'start, where the ruleset is there' run ExecStart v0
t_is 'brings none back that was deleted' 'bans:2001:db8::/32 f2b:192.0.2.2/32' "$(elements)"
t_ok 'the device goes' in_a ip link del v0
t_ok 'stop' run ExecStop v0
t_fail 'has written what there is' 1 '' grep 192.0.2.1 "$SAVED"
t_ok 'unload what is left' in_a "$PB" unload --all
in_a ip link add v0 type veth
echo nonsense >>"$SAVED"
cp "$SAVED" wrong
t_ok 'start with a faulty file' run ExecStart v0
said=$T_OUT
t_ok 'says what is wrong' grep -q 'default.elements:[0-9]*: "nonsense" is not an address' <<<"$said"
t_ok 'and where they are' grep -q 'loaded without the elements of sets: .*default.elements.refused$' <<<"$said"
t_is 'the rules are in force without' 'bans:' "$(elements)"
t_ok 'what could not be read is kept' cmp wrong "$SAVED.refused"
t_ok 'stop' run ExecStop v0
t_ok 'where it is of no harm' cmp wrong "$SAVED.refused"
cp wrong "$SAVED"
rm "$STATE/default.rules"
echo 22x/tcp >"$ETC/default.rules"
t_fail 'start with faulty rules' 1 '"22x"' run ExecStart v0
t_ok 'leaves the file where it is' cmp wrong "$SAVED"
in_a ip link del v0
rm "$SAVED"

# --- rules with a fault, and options that cannot be had --------------------------------------------

in_a ip link add v0 type veth || t_die 'no interface v0'
# said PRIORITY TEXT
said()
{
	grep -qF "<$1>v0: $2" <<<"$T_OUT"
}
# holds: the rules in force
holds()
{
	"$PB" save - 2>&1 | grep -v '^policy allow$' | paste -sd ';'
}
t_fail 'nothing to fall back on' 1 '"22x"' run ExecStart v0
t_ok 'says that nothing is filtered' said 2 'NOT FILTERED'
t_is 'which is so' '' "$(xdp_on v0)$(our_pins)"
mkdir "$ETC/lists"
echo 192.0.2.1 >"$ETC/lists/hostile"
printf '%s\n' 'set hostile file lists/hostile' 'drop tcp dport 22' 'drop from @hostile' >"$ETC/default.rules"
t_ok 'start with rules without a fault' run ExecStart v0
t_is 'says nothing more' '' "$(grep -F '<' <<<"$T_OUT")"
t_ok 'they are kept' cmp "$ETC/lists/hostile" "$STATE/default.set-hostile"
"$PB" rule add 23/tcp >/dev/null
before=$(holds)
program=$(xdp_on v0)
echo 22x/tcp >"$ETC/default.rules"
t_fail 'a fault, and start while it is loaded' 1 '"22x"' run ExecStart v0
t_ok 'says what is in force' said 3 'stays loaded as it was'
t_is 'which is so, with what was added' "$program $before" "$(xdp_on v0) $(holds)"
in_a "$PB" unload v0 >/dev/null
rm "$ETC/lists/hostile"
t_fail 'start when it is not' 1 '"22x"' run ExecStart v0
t_ok 'says that it has the last rules' said 3 'loaded with the last rules that were right'
t_is 'which is so' "set hostile file $STATE/default.set-hostile;drop tcp dport 22;drop from @hostile" "$(holds)"
t_is 'with their elements' 192.0.2.1/32 "$("$PB" set list hostile -j | json 'd["sets"][0]["elements"][0]["prefix"]')"
in_a ip link add v2 type veth
t_fail 'another interface' 1 '"22x"' run ExecStart v2
t_ok 'gets what this one has' grep -q '<3>v2: loaded with the rules that other interfaces have' <<<"$T_OUT"
t_ok 'and is loaded' in_a "$PB" status v2
in_a "$PB" unload --all >/dev/null
echo 24/tcp >"$ETC/default.rules"
t_ok 'without the fault' run ExecStart v0
t_is 'the new rules hold' 'drop tcp dport 24' "$(holds)"
echo 25/tcp >"$ETC/default.rules"
t_ok 'reload' run ExecReload v0
echo 25x/tcp >"$ETC/default.rules"
t_fail 'reload with a fault' 1 '"25x"' run ExecReload v0
in_a "$PB" unload v0 >/dev/null
t_fail 'start' 1 '"25x"' run ExecStart v0
t_is 'has what was reloaded' 'drop tcp dport 25' "$(holds)"
in_a "$PB" unload v0 >/dev/null
echo OPTIONS=--max-rules nonsense >"$ETC/v0.conf"
t_fail 'a fault of options, too' 1 'nonsense' run ExecStart v0
t_ok 'says so' said 3 "loaded with the last rules that were right, $STATE/default.rules, and without its options"
t_is 'it is loaded' 'drop tcp dport 25' "$(holds)"
in_a "$PB" unload v0 >/dev/null
echo 26/tcp >"$ETC/default.rules"
t_fail 'a fault of options alone' 1 'nonsense' run ExecStart v0
t_ok 'says so' said 3 "loaded without its options, '--max-rules nonsense'"
t_is 'the rules hold' 'drop tcp dport 26' "$(holds)"
rm "$ETC/v0.conf"
t_ok 'stop' run ExecStop v0

# --- a restart ---------------------------------------------------------------------------------------

# systemctl, as ExecStop= of a restart finds it; the one in the virtual machine is asked by vm:boot
jobs="7 other.service start waiting
12 xdp-portblock@v0.service restart running
13 third.service restart waiting"
cat >"$SBIN/systemctl" <<SYSTEMCTL
#!/bin/sh
case "\$*" in
'show --property=Job --value -- xdp-portblock@v0.service') echo 12 ;;
list-jobs*) cat '$T_DIR/jobs' ;;
*) exit 1 ;;
esac
SYSTEMCTL
chmod 755 "$SBIN/systemctl"
printf '%s\n' 'set bans' 'drop tcp dport 22 from @bans' >"$ETC/default.rules"
t_ok 'start' run ExecStart v0
"$PB" set add bans 192.0.2.1 >/dev/null
program=$(xdp_on v0)
echo "$jobs" >./jobs
t_ok 'stop for a restart' run ExecStop v0
t_ok 'says so' said 6 'stays loaded over the restart'
t_is 'leaves it loaded' "$program" "$(xdp_on v0)"
t_ok 'elements are written' grep -q '^192.0.2.1$' "$SAVED"
printf '%s\n' 'set bans' 'drop tcp dport 23 from @bans' >"$ETC/default.rules"
t_ok 'start again' run ExecStart v0
t_is 'by the same program' "$program" "$(xdp_on v0)"
t_is 'has the new rules, and the elements' 'set bans;drop tcp dport 23 from @bans bans:192.0.2.1/32' "$(holds) $(elements)"
echo RULESET=web >"$ETC/v0.conf"
echo 24/tcp >"$ETC/web.rules"
rm "$SAVED"
t_ok 'stop for a restart with another ruleset' run ExecStop v0
t_ok 'writes the elements of the one in force' grep -q '^192.0.2.1$' "$SAVED"
t_ok 'start' run ExecStart v0
t_ok 'moves it' grep -q '^v0: moved,.* ruleset web' <<<"$T_OUT"
echo OPTIONS=--max-rules 100 >>"$ETC/v0.conf"
t_ok 'stop for a restart with what cannot be exchanged' run ExecStop v0
t_fail 'start' 1 'there already, with --max-rules 4096' run ExecStart v0
t_ok 'says that it stays' said 3 'stays loaded as it was'
t_is 'which is so' web "$(status_is v0 ruleset)"
echo "${jobs/restart/stop}" >./jobs
t_ok 'stop' run ExecStop v0
t_is 'is none' '' "$(xdp_on v0)$(our_pins)"
t_ok 'and now it starts' run ExecStart v0
echo "${jobs/12 /11 }" >./jobs
t_ok 'stop, beside the restart of another' run ExecStop v0
t_is 'is none' '' "$(xdp_on v0)$(our_pins)"
rm "$SBIN/systemctl" "$ETC/v0.conf" "$SAVED"
in_a ip link del v0
in_a ip link del v2

# --- names -----------------------------------------------------------------------------------

echo 22/tcp >"$ETC/default.rules"
# shellcheck disable=SC2016 # that is what they are called
for name in '$(id>ran)' '`id>ran`' ';id>ran' "';id>ran;'" '"$(id>ran)' '*' '-n' '-a' '$OPTIONS' \
	'${RULESET}' '$$'; do
	in_a ip link add name "$name" type veth || t_die "no interface $name"
	t_ok "$name: start" run ExecStart "$name"
	t_is "$name: is loaded" "$name" "$(in_a "$PB" status -j | json 'd["interfaces"][0]["name"]')"
	t_ok "$name: stop" run ExecStop "$name"
	t_is "$name: is not any more" '' "$(our_pins)"
	in_a ip link del dev "$name"
	t_ok "$name: stop, when the device has gone" run ExecStop "$name"
	t_is "$name: nothing of it is run" '' "$(find . -name ran)"
done

# A folder of metrics, too, is only looked for.
UNIT=$T_DIR/xdp-portblock-metrics.service
# shellcheck disable=SC2016 # as above
printf '%s\n' 'FOLDER=/$(id>ran)"`id>ran`' >"$ETC/metrics.conf"
t_fail 'metrics: no such folder' 1 '' run ExecCondition ''
t_is 'metrics: nothing of its name is run' '' "$(find / -maxdepth 1 -name ran; find . -name ran)"

# --- what is plugged in: that it works is looked at by vm:boot ----------------------------------

t_is 'plugged: it does what the boot unit does, as confined' '' \
	"$(sed -n 's/^ExecStart=/&-/; /^Environment=RULESET/,/^$/p; /^ReadOnlyPaths/,/^$/p' \
		"$TOP/systemd/xdp-portblock@.service" | grep -v -e '^#' -e '^ExecReload' -e '^ExecStop' |
		grep -vxFf "$TOP/systemd/xdp-portblock-plugged@.service")"
t_is 'plugged: it does not wait for systemd to know of the device' '' \
	"$(grep '[.]device' "$TOP/systemd/xdp-portblock-plugged@.service")"

# plugged DEV: what udev runs for it starts these units, in a system that has the folder `units`
mkdir -p units/multi-user.target.wants units/sys-subsystem-net-devices-v1.device.wants plugged-bin
cat >plugged-bin/systemctl <<-'SH'
	#!/bin/sh
	[ "$1" != start ] || { echo "$*" >>"$STARTED"; exit; }
	shift 2
	for unit; do [ ! -e "$ACTIVE/$unit" ] || exit 0; done
	exit 3
SH
chmod 755 plugged-bin/systemctl
plugged()
{
	: >started
	# shellcheck disable=SC2016 # for that shell to expand
	unshare -m -- /bin/sh -c 'mount --bind "$1" /etc/systemd/system && shift && exec "$@"' - "$T_DIR/units" \
		env -i PATH="$T_DIR/plugged-bin:$PATH" INTERFACE="$1" STARTED="$T_DIR/started" ACTIVE="$T_DIR/active" \
		/bin/sh "$TOP/systemd/plugged" && cat started
}
if command -v systemd-escape >/dev/null && [ -d /etc/systemd/system ]; then
	mkdir active
	touch active/local-fs.target active/network.target
	t_is 'plugged: no unit, nothing is started' '' "$(plugged v0)"
	ln -s /nowhere 'units/multi-user.target.wants/xdp-portblock@br\x2dlan.service'
	ln -s /nowhere units/sys-subsystem-net-devices-v1.device.wants/xdp-portblock@v1.service
	t_is 'plugged: nor for a unit of another interface' '' "$(plugged v0)"
	t_is 'plugged: the unit that is wanted by its device' 'start -- xdp-portblock-plugged@v1.service' "$(plugged v1)"
	t_is 'plugged: the unit that is enabled, by its name there' \
		'start -- xdp-portblock-plugged@br\x2dlan.service' "$(plugged br-lan)"
	mv active/network.target active/network-pre.target
	t_is 'plugged: some have one of these targets' 'start -- xdp-portblock-plugged@v1.service' "$(plugged v1)"
	touch active/xdp-portblock@v1.service
	t_is 'plugged: one that is active keeps its rules' '' "$(plugged v1)"
	rm active/network-pre.target active/xdp-portblock@v1.service
	t_is 'plugged: at boot the network waits for the unit itself' '' "$(plugged br-lan)"
	t_is 'plugged: not for one that its device alone wants' 'start -- xdp-portblock-plugged@v1.service' "$(plugged v1)"
	mv active/local-fs.target active/network.target
	t_is 'plugged: and who waits for a file system is not waited for' '' "$(plugged v1)"
else
	t_skip 'plugged' 'needs systemd'
fi

# --- the agent of a fleet: what it does is looked at by net:fleet-follow ------------------------

UNIT=$T_DIR/xdp-portblock-fleet.service
t_is 'fleet: nothing is left to be filled in' '' "$(grep -o '@[A-Z]*@' xdp-portblock-fleet.service)"
if command -v systemd-analyze >/dev/null; then
	t_ok 'fleet: systemd-analyze verify' systemd-analyze verify --man=no ./xdp-portblock-fleet.service
	t_is 'fleet: has nothing to say' '' "$T_OUT"
fi
t_is 'fleet: has no right that the boot unit has not' '' "$(setting CapabilityBoundingSet | tr ' ' '\n' |
	grep -vwF -e "$(sed -n 's/^CapabilityBoundingSet=//p' "$TOP/systemd/xdp-portblock@.service" | tr ' ' '\n')")"
t_is 'fleet: which are some' 'CAP_BPF CAP_SYS_ADMIN' "$(setting CapabilityBoundingSet)"
t_is 'fleet: is as confined, but that it may speak to others' 'IPAddressDeny=any' \
	"$(grep -E '^(Protect|Private|Restrict[^A]|Lock|Memory|Keyring|SystemCall|NoNew|IPAddress|ReadOnly|ReadWrite)[A-Za-z]*=' \
		"$TOP/systemd/xdp-portblock@.service" | grep -vxFf "$UNIT")"
t_done
