#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# save, check, diff and apply: what is saved is applied to the same ruleset, faults of a
# file change nothing, and 60,000 rules are no other thing than two.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair
serve in_a --tcp 22,23
cd "$T_DIR" || exit 1
chmod 755 . # for those who are not root

# ports FIRST LAST: a rule for each, in a file's form
ports()
{
	seq -f 'drop tcp dport %.0f' "$1" "$2"
}

# facts: rules and settings as JSON, without ids and counters, in the order of their text
facts()
{
	"$PB" rule list -j | json 'json.dumps([d["policy"], d["replies"], d["fragments"], d["unparsable"],
		sorted(json.dumps({k: v for k, v in r.items() if k not in ("id", "packets", "bytes")},
			sort_keys=True) for r in d["rules"])], indent=0)'
}

# --- nothing loaded ----------------------------------------------------------------------

printf '%s\n' 'policy deny' 'allow tcp dport 22 # ssh' >some.rules
t_fail 'apply with nothing loaded names load' 1 'xdp-portblock load' "$PB" apply some.rules
t_fail 'save with nothing loaded, too' 1 'xdp-portblock load' "$PB" save
t_fail 'diff with nothing loaded is an error, no difference' 2 'xdp-portblock load' \
	"$PB" diff some.rules
t_fail 'check needs nothing loaded, and no root' 0 'some.rules: 1 rule, policy deny' \
	nobody "$PB" check "$T_DIR/some.rules"
t_fail 'check warns of deny without the failsafe rules' 0 'DHCP' "$PB" check some.rules
t_is 'nothing is made by any of them' '' "$(pins)"

# --- save and apply ----------------------------------------------------------------------

t_ok 'load' in_a "$PB" load v0
cat >full.rules <<'RULES'
policy deny
replies off
fragments drop
unparsable pass
allow udp dport 68 comment "failsafe"
allow udp dport 546 comment "failsafe"
drop tcp dport 22 except 10.0.0.0/8,2001:db8::/32 comment "ssh \"from\" the # office"
drop tcp,udp dport 137-139,445
drop udp sport 19,123,389,1900,11211 comment "réflexion"
allow tcp dport 80,443 from 192.0.2.0/24
drop tcp dport 1-65535 new
audit udp,sctp,dccp,udplite dport 53
drop tcp dport 1,3,5,7,9,11,13,15,17,19-20,22,22-23,23
RULES
t_ok 'apply' "$PB" apply full.rules
t_ok 'save' "$PB" save saved.rules
t_is 'is what was applied' "$(cat full.rules)" "$(cat saved.rules)"
before=$(facts)
t_is 'save to stdout is the same' "$(cat saved.rules)" "$("$PB" save)"
t_is 'and to -' "$(cat saved.rules)" "$("$PB" save -)"
t_ok 'save as JSON, by its name' "$PB" save saved.json
t_is 'is what -j prints' "$(json d <saved.json)" "$("$PB" save -j | json d)"
for form in rules json; do
	t_ok "$form: flush" "$PB" rule flush
	t_ok "$form: other settings" "$PB" policy allow
	t_ok "$form: differs" test "$before" != "$(facts)"
	t_ok "$form: apply" "$PB" apply "saved.$form"
	t_is "$form: it is the same ruleset" "$before" "$(facts)"
	t_ok "$form: diff says so" "$PB" diff "saved.$form"
	t_is "$form: and nothing" '' "$T_OUT"
	in_a "$PB" unload v0 >/dev/null
	t_ok "$form: load --rules" in_a "$PB" load v0 --rules "saved.$form"
	t_is "$form: is the same ruleset in a new one" "$before" "$(facts)"
done
"$PB" rule list -j >list.json
t_ok 'the list in JSON is a file, too' "$PB" apply list.json
t_is 'of the same ruleset' "$before" "$(facts)"
t_fail 'apply from standard input' 0 'Ruleset default: 0 rules' "$PB" apply - </dev/null
t_is 'of nothing: no rules, settings at their defaults' 'policy allow' "$("$PB" save)"

printf '%s\n' '22/tcp expires 10h' '23/tcp' >expires.rules
began=$(clock)
t_ok 'apply a rule that ends' "$PB" apply expires.rules
t_ok 'save it' "$PB" save saved.rules
t_ok 'diff: time that goes by is no difference' "$PB" diff expires.rules
t_ok 'its time left is saved' grep -Eqx 'drop tcp dport 22 expires (10h|9h[0-9ms]+)' saved.rules
t_ok 'flush it' "$PB" rule flush
t_ok 'apply what was saved' "$PB" apply saved.rules
left=$("$PB" rule list -j | json '[r["expires_in"] for r in d["rules"] if r["ports"] == ["22"]][0]')
t_ok 'the time left is as saved' is_left "$left" 36000 "$began"

t_fail 'save to a folder that is not there' 1 "cannot write 'nosuch/x'" "$PB" save nosuch/x
mkdir full
mount -t tmpfs -o size=4k tmpfs full || t_die 'no tmpfs'
echo old >full/kept.rules
t_fail 'save where there is no room' 1 "cannot write 'full/kept.rules': No space" \
	"$PB" save full/kept.rules
t_is 'leaves the file that was there' old "$(cat full/kept.rules)"
t_is 'and nothing beside it' kept.rules "$(ls full)"
umount full

# --- what save writes to ---------------------------------------------------------------------

# about FILE: its mode, owner, group and kind
about()
{
	stat -c '%a %u %g %F' "$1"
}

t_ok 'apply what stays the same' "$PB" apply - <<<$'22/tcp\n23/tcp'
whole=$("$PB" save)
mkdir to
(umask 027 && "$PB" save to/new.rules)
t_is 'a new file: what the umask leaves' '640 0 0 regular file' "$(about to/new.rules)"
echo old >to/own.rules
chown 65534:65533 to/own.rules
chmod 604 to/own.rules
t_ok 'a file with a mode and an owner' "$PB" save to/own.rules
t_is 'keeps them' '604 65534 65533 regular file' "$(about to/own.rules)"
t_is 'and has the rules' "$whole" "$(cat to/own.rules)"
echo old >to/secret.rules
chmod 600 to/secret.rules
t_ok 'a file for root alone' "$PB" save to/secret.rules
t_is 'stays one' '600 0 0 regular file' "$(about to/secret.rules)"
echo old >to/acl.rules
chmod 600 to/acl.rules
# user::rw-, user:65534:r--, group::---, mask::r--, other::---
acl=0200000001000600ffffffff02000400feff000004000000ffffffff10000400ffffffff20000000ffffffff
acl_of()
{
	"$PYTHON" -c 'import os, sys; print(os.getxattr(sys.argv[1], "system.posix_acl_access").hex())' "$1"
}
if "$PYTHON" -c 'import os, sys
os.setxattr(sys.argv[1], "system.posix_acl_access", bytes.fromhex(sys.argv[2]))' to/acl.rules $acl 2>/dev/null; then
	t_ok 'a file with an access list' "$PB" save to/acl.rules
	t_is 'keeps it' $acl "$(acl_of to/acl.rules)"
else
	t_skip 'a file with an access list' 'this file system has none'
fi
echo old >to/real.rules
ln -s real.rules to/link.rules
ln -s "$T_DIR/to/link.rules" to/far.rules
t_ok 'a link to a link' "$PB" save to/far.rules
t_is 'is followed' "$whole" "$(cat to/real.rules)"
t_is 'and stays a link' "$T_DIR/to/link.rules real.rules" "$(readlink to/far.rules) $(readlink to/link.rules)"
ln -s none.rules to/dangling.rules
t_ok 'a link to nothing' "$PB" save to/dangling.rules
t_is 'makes what it names' "$whole none.rules" "$(cat to/none.rules) $(readlink to/dangling.rules)"
ln -s "$T_DIR/nosuch/x" to/nowhere.rules
t_fail 'a link into a folder that is not there' 1 "cannot write 'to/nowhere.rules': No such" \
	"$PB" save to/nowhere.rules
ln -s circle.rules to/circle.rules
t_fail 'a link to itself' 1 "cannot write 'to/circle.rules': Too many levels" "$PB" save to/circle.rules
mknod to/null c 1 3
t_ok 'a device' "$PB" save to/null
t_is 'stays one' 'character special file' "$(stat -c %F to/null)"
mknod to/full c 1 7
t_fail 'a device that takes nothing' 1 "cannot write 'to/full': No space" "$PB" save to/full
mkfifo to/pipe
bg cat to/pipe
t_ok 'a pipe' "$PB" save to/pipe
wait "$BG_PID"
t_is 'gets the rules' "$whole" "$(cat "$BG_OUT")"
t_is 'and stays a pipe' fifo "$(stat -c %F to/pipe)"
# shellcheck disable=SC2016 # for that bash to expand
t_ok '/dev/stdout' bash -c 'echo before; "$PB" save /dev/stdout; echo after'
t_is 'is standard output' "before
$whole
after" "$T_OUT"
# shellcheck disable=SC2016 # for that bash to expand
t_is '>(...) is written to' "$whole" "$(bash -c '"$PB" save >(cat)')"
"$PYTHON" -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' to/socket
t_fail 'a socket' 1 "cannot write 'to/socket': Operation not supported" "$PB" save to/socket
t_fail 'a folder' 1 "cannot write 'to': Is a directory" "$PB" save to
t_is 'nothing is left beside them' 'acl.rules circle.rules dangling.rules far.rules full link.rules new.rules none.rules nowhere.rules null own.rules pipe real.rules secret.rules socket' \
	"$(cd to && LC_ALL=C && echo *)"
# In another's folder, as /tmp: a link there may lead root astray.
if [ "$(cat /proc/sys/fs/protected_symlinks)" = 1 ]; then
	mkdir -m 1777 shared
	echo old >kept.rules
	setpriv --reuid=65534 --clear-groups ln -s ../kept.rules shared/trap.rules
	t_fail "another's link in a folder for all" 1 'Permission denied' "$PB" save shared/trap.rules
	t_is 'is not followed' old "$(cat kept.rules)"
else
	t_skip "another's link in a folder for all" 'fs.protected_symlinks is off'
fi
chmod 600 to/real.rules
t_ok 'stats -o' "$PB" stats --prometheus -o to/link.rules
t_is 'likewise' '600 0 0 regular file link.rules' "$(about to/real.rules) $(basename to/link.rules)"
t_ok 'stats -o to a device' "$PB" stats --prometheus -o to/null
t_is 'which stays' 'character special file' "$(stat -c %F to/null)"

# --- ids and counters ----------------------------------------------------------------------

t_ok 'apply three' "$PB" apply - <<<$'22/tcp\n23/tcp\n24/tcp'
t_ok '22 is silent' silent tcp "$A4" 22
id22=$("$PB" rule list -j | json '[r["id"] for r in d["rules"] if r["ports"] == ["22"]][0]')
id24=$("$PB" rule list -j | json '[r["id"] for r in d["rules"] if r["ports"] == ["24"]][0]')
packets=$(rule_is "$id22" packets)
t_ok 'and counted' test "$packets" -gt 0
t_ok 'apply two of them and a new one, in another order' "$PB" apply - \
	<<<$'25/tcp\nallow 24/tcp comment "x"\n22/tcp'
t_is 'one keeps its id and its counter' "drop $packets" \
	"$(rule_is "$id22" action) $(rule_is "$id22" packets)"
t_is 'one keeps its id and changes its action' 'allow x' \
	"$(rule_is "$id24" action) $(rule_is "$id24" comment)"
t_is 'one is gone, one is new' $'allow tcp dport 24 comment "x"\ndrop tcp dport 22\ndrop tcp dport 25' \
	"$(rules | cut -d ' ' -f 2- | sort)"
t_ok '23 answers again' answers tcp "$A4" 23

# --- diff ------------------------------------------------------------------------------------

t_ok 'apply for diff' "$PB" apply - <<<$'22/tcp\n23/tcp\n24/tcp comment "a"'
cat >other.rules <<'RULES'
fragments drop
drop tcp dport 22
drop tcp dport 24 comment "b"
audit udp dport 53
RULES
t_fail 'diff: differs' 1 '' "$PB" diff other.rules
t_is 'diff: names both' '--- default
+++ other.rules' "$(head -n 2 <<<"$T_OUT")"
t_is 'diff: shows all of it' '+audit udp dport 53
+drop tcp dport 24 comment "b"
+fragments drop
-drop tcp dport 23
-drop tcp dport 24 comment "a"
-fragments pass' "$(tail -n +3 <<<"$T_OUT" | LC_ALL=C sort)"
t_is 'diff: a changed rule is shown before and after' '+drop tcp dport 24 comment "b"' \
	"$(grep -A 1 '^-drop tcp dport 24' <<<"$T_OUT" | tail -n 1)"
refused 'diff changes nothing' 1 '' "$PB" diff other.rules
t_fail 'diff of a file that is not there' 2 'nosuch' "$PB" diff nosuch.rules
t_fail 'diff of a ruleset that is not there' 2 'load' "$PB" diff -r nosuch other.rules
t_fail 'diff with no file' 2 'which file' "$PB" diff
t_ok 'apply the other' "$PB" apply other.rules
t_fail 'diff: the same' 0 '' "$PB" diff other.rules
t_is 'diff: the same: says nothing' '' "$T_OUT"
t_fail 'diff -: from standard input' 1 '^-drop tcp dport 22' "$PB" diff - <<<''

# --- faults ----------------------------------------------------------------------------------

printf '%s\n' '1/tcp' 'drop tcp dport 22x' 'policy maybe' '2/tcp' 'frob' >faults.rules
refused 'apply a file with faults' 1 'faults.rules:2: "22x"' "$PB" apply faults.rules
t_is 'all of them are named' 'faults.rules:2:
faults.rules:3:
faults.rules:5:' "$("$PB" apply faults.rules 2>&1 | cut -d ' ' -f 2)"
refused 'check says the same' 1 'faults.rules:5: "frob"' "$PB" check faults.rules
refused 'diff, too, with status 2' 2 'faults.rules:3: "maybe"' "$PB" diff faults.rules
refused 'load --rules, too' 1 'faults.rules:2: "22x"' in_a "$PB" load lo --rules faults.rules
seq 30 >many.faults
refused 'at most 20, and how many more' 1 'and 10 more' "$PB" apply many.faults
t_is 'each on a line' 21 "$("$PB" apply many.faults 2>&1 | wc -l)"
echo 'include faults.rules' >including.rules
refused 'faults of what is included' 1 'faults.rules:2: "22x"' "$PB" apply including.rules
echo 'include circle.rules' >circle.rules
refused 'a circle' 1 'circle.rules:1: .*leads back' "$PB" apply circle.rules
refused 'no file at all' 1 'nosuch.rules' "$PB" apply nosuch.rules
refused 'a folder' 1 'directory' "$PB" apply .
printf '1/tcp\n\0' >nul.rules
refused 'a NUL' 1 'NUL' "$PB" apply nul.rules
echo '{"rules":[{"ports":["1"]},{"ports":["x"]}]}' >faults.json
refused 'JSON' 1 'faults.json: rules\[1\].*"x"' "$PB" apply faults.json
refused 'no word' 2 'which file' "$PB" apply
refused 'two words' 2 'which file' "$PB" apply a b
ports 1 4097 >4097.rules
refused 'more rules than there is room for' 1 '--max-rules' "$PB" apply 4097.rules
refused 'check --max-rules says so beforehand' 1 '4097 rules' "$PB" check --max-rules 4096 4097.rules
t_ok 'which it fits' "$PB" check --max-rules 4097 4097.rules
refused 'apply without root' 1 'needs root' nobody "$PB" apply "$T_DIR/other.rules"

# --- where files are looked for ----------------------------------------------------------------

mkdir -p etc/site elsewhere
printf '%s\n' 'include site/scanners.rules' '23/tcp from @./office' "24/tcp from @$T_DIR/etc/office" >etc/main.rules
printf '%s\n' '22/tcp from @./list except @../office' >etc/site/scanners.rules
echo 10.0.0.0/24 >etc/site/list
echo 10.0.0.1 >etc/office
echo 192.0.2.1 | tee office elsewhere/office elsewhere/list >list
wanted='drop tcp dport 22 from 10.0.0.0/24 except 10.0.0.1
drop tcp dport 23 from 10.0.0.1
drop tcp dport 24 from 10.0.0.1'
cd elsewhere || exit 1
for path in ../etc/main.rules "$T_DIR/etc/main.rules"; do
	t_ok "apply $path: what files name lies beside them" "$PB" apply "$path"
	t_is "$path: all is read" "$wanted" "$(rules | cut -d ' ' -f 2-)"
	t_ok "$path: check" "$PB" check "$path"
	t_ok "$path: diff finds no difference" "$PB" diff "$path"
done
t_ok 'of standard input: in the working directory' "$PB" apply - <<<'25/tcp from @./office'
t_is 'is read' 'drop tcp dport 25 from 192.0.2.1' "$(rules | cut -d ' ' -f 2-)"
# shellcheck disable=SC2016 # for that bash to expand
t_ok 'of <(...), likewise' bash -c '"$PB" apply <(echo include ../etc/main.rules; echo 25/tcp from @./office)'
t_is 'is read: of <(...)' "$wanted
drop tcp dport 25 from 192.0.2.1" "$(rules | cut -d ' ' -f 2- | sort)"
t_ok 'of the command line, likewise' "$PB" rule add 26/tcp from @./office
t_ok 'is read: of the command line' grep -q 'drop tcp dport 26 from 192.0.2.1$' <<<"$(rules)"
in_a "$PB" unload v0 >/dev/null
cd / || exit 1 # as systemd does
t_ok 'load --rules from /' in_a "$PB" load v0 --rules "$T_DIR/etc/main.rules"
t_is 'is read: from /' "$wanted" "$(rules | cut -d ' ' -f 2-)"
cd "$T_DIR" || exit 1
echo '27/tcp from @./list' >etc/main.rules
refused 'a file that lies here and not there' 1 'etc/main.rules:1: .*"etc/list"' "$PB" apply etc/main.rules

# --- what is read --------------------------------------------------------------------------------

# shellcheck disable=SC2016 # for that bash to expand
t_ok 'apply <(...)' bash -c '"$PB" apply <(echo 22/tcp)'
t_is 'is read' 'drop tcp dport 22' "$(rules | cut -d ' ' -f 2-)"
t_ok 'apply /dev/stdin' "$PB" apply /dev/stdin <<<'23/tcp'
t_is 'is read, too' 'drop tcp dport 23' "$(rules | cut -d ' ' -f 2-)"
# shellcheck disable=SC2016 # for that bash to expand
t_ok 'apply /dev/stdin of a pipe' bash -c 'echo 24/tcp | "$PB" apply /dev/stdin'
t_is 'is read, too: a pipe' 'drop tcp dport 24' "$(rules | cut -d ' ' -f 2-)"
mkfifo pipe
bg bash -c 'echo 25/tcp >pipe'
t_ok 'apply a pipe with a name' "$PB" apply pipe
t_is 'is read: a pipe with a name' 'drop tcp dport 25' "$(rules | cut -d ' ' -f 2-)"
# shellcheck disable=SC2016 # for that bash to expand
t_ok 'from @<(...)' bash -c '"$PB" rule add 26/tcp from @<(echo 10.0.0.1)'
echo 'include pipe' >piped.rules
refused 'include a pipe that nobody writes' 1 'piped.rules:1: "pipe" is a named pipe' "$PB" apply piped.rules
refused 'from @ a pipe that nobody writes' 1 'pipe" is a named pipe' "$PB" check - <<<'1/tcp from @./pipe'
echo 'include /dev/zero' >zero.rules
refused 'include /dev/zero' 1 'zero.rules:1: "/dev/zero" is a device' "$PB" apply zero.rules
refused 'apply /dev/zero' 1 '/dev/zero:1: it holds a NUL' "$PB" apply /dev/zero
truncate -s 10G sparse.rules
refused 'a file of 10 GB' 1 'sparse.rules: .*at most 64 MiB' "$PB" apply sparse.rules
# shellcheck disable=SC2016 # for that bash to expand
refused 'a line without end' 1 'standard input: .*at most 64 MiB' bash -c 'yes | tr -d "\n" | "$PB" apply -'
ports 1 65535 | sed 'p; s/tcp/udp/; p; s/udp/sctp/' >200000.rules
refused '200,000 rules' 1 '200000.rules:.*65535 rule ids are taken' "$PB" apply 200000.rules
t_ok 'and the end is told' grep -q 'reading ended there' <<<"$T_OUT"
rm sparse.rules 200000.rules
"$PB" rule flush >/dev/null

# --- many --------------------------------------------------------------------------------------

t_ok 'unload' in_a "$PB" unload v0
t_ok 'load --max-rules 65535' in_a "$PB" load v0 --max-rules 65535
ports 1 60000 >60000.rules
ports 1001 61000 >others.rules
# (How long that takes is in tests/bench/control.)
t_ok 'apply of 60,000 rules' "$PB" apply 60000.rules
t_is 'all are there' 60000 "$(rules | wc -l)"
t_ok 'of port 22' silent tcp "$A4" 22
t_ok '60,000 are saved' "$PB" save saved.rules
t_is 'as they were' "$(md5sum <(echo 'policy allow'; cat 60000.rules) | cut -c 1-32)" \
	"$(md5sum saved.rules | cut -c 1-32)"
before=$(rules)
t_ok 'apply of 60,000 again' "$PB" apply saved.rules
t_is 'changes nothing' "$(md5sum <<<"$before")" "$(rules | md5sum)"
t_ok 'apply of 60,000 of which 1,000 are new' "$PB" apply others.rules
t_ok '60,000 ids are kept where rules stay' test \
	"$(rules | awk '$5 > 1000 && $5 <= 60000 && $1 != $5' | wc -l)" -eq 0
sed 's/tcp/udp/' 60000.rules >udp.rules
t_ok 'apply of 60,000 that are all new' "$PB" apply udp.rules
t_is 'they are those of the file' "$(cut -d ' ' -f 2- udp.rules | md5sum)" \
	"$("$PB" save | tail -n +2 | cut -d ' ' -f 2- | md5sum)"

t_ok 'flush of all' "$PB" rule flush
ports 1 10000 >10000.rules
t_ok 'apply of 10,000' "$PB" apply 10000.rules
for port in $(seq 20001 20020); do
	"$PB" rule add "$port/tcp" >/dev/null || t_die "rule add $port/tcp"
done
t_is 'twenty more are there' 10020 "$(rules | wc -l)"
t_done
