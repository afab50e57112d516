#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The client of etcd against the real one: keys, transactions, leases, watches, users, TLS; and what it says of all
# that goes wrong.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
CLIENT=${FLEET_CLIENT:-$TOP/build/tests/net/fleet_client}
[ -x "$CLIENT" ] || t_skip_all "built without libcurl and libcrypto"
. "$TOP/tests/net/etcd-verbs.sh"
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

# conf NAME LINE...: a file of that name
conf()
{
	local name=$1
	shift
	printf '%s\n' "$@" 'host = here' >"$name.conf"
}

# c NAME COMMAND...: by NAME.conf
c()
{
	local name=$1
	shift
	in_a "$CLIENT" "$name.conf" "$@"
}

ctl()
{
	in_a etcdctl "$@"
}

# errs NAME REGEX COMMAND...: it fails, and says so
errs()
{
	local name=$1 regex=$2
	shift 2
	t_fail "$name" 1 "$regex" "$@"
}

# said FILE REGEX
said()
{
	grep -qE -e "$2" "$1"
}

etcd_start in_a main 127.0.0.1
t_ok 'etcd runs' wait_for 60 etcd_answers in_a
conf main 'endpoints = http://127.0.0.1:2379'

# --- keys ---------------------------------------------------------------------------------

t_is 'get: none' none "$(c main get /t/a)"
t_is 'put' 'revision 2' "$(c main put /t/a 'one "two" ü')"
t_is 'get' '/t/a=one "two" ü length 12 mod 2 version 1 lease 0' "$(c main get /t/a)"
t_is 'etcdctl has the same' 'one "two" ü' "$(ctl get --print-value-only /t/a)"
t_is 'put again' 'revision 3' "$(c main put /t/a three)"
t_is 'get: as it was' '/t/a=one "two" ü length 12 mod 2 version 1 lease 0' "$(c main get /t/a 2)"
t_is 'put an empty value' 'revision 4' "$(c main put /t/b '')"
t_ok 'put elsewhere' c main put /u x
printf 'n\0ul' | ctl put /t/c >/dev/null
printf 'key \001' | xargs -0 -I{} nsenter --net="/run/netns/$NS_A" etcdctl put '/t/{}' odd >/dev/null
t_is 'list: all that begin so, and no key that is no text' \
	'/t/a=three length 5 mod 3 version 2 lease 0
/t/b= length 0 mod 4 version 1 lease 0
/t/c=n length 4 mod 6 version 1 lease 0
revision 7' "$(c main list /t/)"
t_is 'list: none' 'revision 7' "$(c main list /none/)"

# --- transactions -------------------------------------------------------------------------

t_is 'txn: made where there is none' succeeded "$(c main txn /x create 0 first /t/b)"
t_is 'txn: what it deletes is gone' none "$(c main get /t/b)"
t_is 'txn: a second one' 'not so' "$(c main txn /x create 0 second /t/a)"
t_is 'txn: changed nothing' 'first three' "$(ctl get --print-value-only /x) $(ctl get --print-value-only /t/a)"
t_is 'txn: by version' succeeded "$(c main txn /x version 1 second /none)"
t_is 'txn: by revision' succeeded "$(c main txn /x mod "$(c main get /x | sed 's/.* mod \([0-9]*\) .*/\1/')" third /none)"
t_is 'txn: by a revision that was' 'not so' "$(c main txn /x mod 2 fourth /none)"

# --- leases -------------------------------------------------------------------------------

lease=$(c main grant 600)
t_ok 'put under a lease' c main put /lease/a x "$lease"
t_ok 'get: it has one' grep -q 'lease 1$' <(c main get /lease/a)
t_ok 'keep' c main keep "$lease"
t_ok 'revoke' c main revoke "$lease"
t_is 'its keys are gone' none "$(c main get /lease/a)"
errs 'keep: it is gone' '^ENOENT: etcd at http://127.0.0.1:2379: the lease is gone' c main keep "$lease"
errs 'revoke: it is gone' '^ENOENT: .*lease not found' c main revoke "$lease"
errs 'put under a lease that is gone' '^ENOENT: .*lease not found' c main put /lease/a x "$lease"

# --- values that are too large ------------------------------------------------------------

t_ok '1 MiB' c main fill /big 1048576
t_ok 'get 1 MiB' grep -q 'length 1048576 ' <(c main get /big)
errs '1.6 MiB' '^E2BIG: etcd at http://127.0.0.1:2379: .*too large: it takes 1.5 MiB at once' c main fill /big 1677721
errs '2 MiB' '^E2BIG: etcd at http://127.0.0.1:2379: .*larger than max.*: it takes 1.5 MiB at once' c main fill /big 2097152

# --- watches ------------------------------------------------------------------------------

t_is 'watch: what was, from a revision on' 'watching
is /t/a=one "two" ü length 12 mod 2 version 1 lease 0
is /t/a=three length 5 mod 3 version 2 lease 0' "$(c main watch 1 2 /t/ | head -n 3)"
now=$(c main list /none/ | sed 's/revision //')
bg in_a "$CLIENT" main.conf watch $((now + 1)) 4 /w/ /v
watch=$BG_PID out=$BG_OUT
t_ok 'watch: begins' wait_for 60 said "$out" '^watching$'
ctl put /other no >/dev/null
ctl put /v0 no >/dev/null
for word in /w/a /v /w/b; do
	ctl put $word yes >/dev/null
done
ctl del /w/a >/dev/null
t_ok 'watch: ends when all have come' wait_for 60 gone "$watch"
t_is 'watch: of each of its prefixes and keys, in order' '/w/a /v /w/b /w/a' \
	"$(sed -n 's/^[a-z]* \([^ =]*\)=.*/\1/p' "$out" | xargs)"
t_ok 'watch: the last is a deletion' said <(tail -n 1 "$out") '^deleted /w/a='

ctl compaction "$(c main list /none/ | sed 's/revision //')" >/dev/null
errs 'watch: compacted' '^ESTALE: etcd at http://127.0.0.1:2379: what changed before revision [0-9]* is compacted' \
	c main watch 2 1 /t/
errs 'get: compacted' '^ESTALE: .*compacted' c main get /t/a 2

# --- streams that break -------------------------------------------------------------------

mkdir proxy
bg in_a "$PYTHON" "$TOP/tests/net/fleet_proxy.py" 2381 2379 "$T_DIR/proxy"
t_ok 'a proxy' wait_for 60 said "$BG_OUT" '^ready$'
conf proxy 'endpoints = http://127.0.0.1:2381'
now=$(c main list /none/ | sed 's/revision //')

# watch_by_proxy NAME: watches /p/ by the proxy; `watch` and `out`
watch_by_proxy()
{
	bg in_a "$CLIENT" proxy.conf watch $((now + 1)) 1000 /p/
	watch=$BG_PID out=$BG_OUT
	t_ok "$1: watches" wait_for 60 said "$out" '^watching$'
	ctl put /p/a "$1" >/dev/null
	t_ok "$1: hears" wait_for 60 said "$out" "^is /p/a=$1 "
}

watch_by_proxy injected
echo '{"error":{"grpc_code":14,"http_code":503,"message":"etcdserver: no leader","http_status":"Service Unavailable"}}' >proxy/inject
t_ok 'an error in the stream ends it' wait_for 60 gone "$watch"
t_ok 'an error in the stream is said' said "$out" '^EAGAIN: etcd at http://127.0.0.1:2381: etcdserver: no leader'

watch_by_proxy garbage
echo 'Bad gateway' >proxy/inject
t_ok 'what is no JSON ends it' wait_for 60 gone "$watch"
t_ok 'what is no JSON is quoted' said "$out" "^EBADMSG: etcd at http://127.0.0.1:2381: .*no object of JSON: 'Bad gateway"

watch_by_proxy closed
touch proxy/close
t_ok 'a stream that is closed ends it' wait_for 60 gone "$watch"
t_ok 'a stream that is closed is said' said "$out" '^EPIPE: etcd at http://127.0.0.1:2381: '

watch_by_proxy quiet
before=$SECONDS
touch proxy/swallow
ctl put /p/b swallowed >/dev/null
t_ok 'a stalled stream ends it' wait_for 120 gone "$watch"
t_ok 'a stalled stream is said' said "$out" '^ETIMEDOUT: .*the stream is stalled: revision [0-9]* is there'
t_note "noticed after $((SECONDS - before)) s"
t_ok 'what was swallowed was not heard' test -z "$(grep swallowed "$out")"
rm proxy/swallow

watch_by_proxy deleting
ctl put /p/c yes >/dev/null
t_ok 'deleting: hears of another' wait_for 60 said "$out" '^is /p/c='
touch proxy/swallow
ctl del /p/a >/dev/null
t_ok 'a stream that swallowed a deletion ends' wait_for 120 gone "$watch"
t_ok 'a deletion that was swallowed is noticed' said "$out" '^ETIMEDOUT: .*the stream is stalled: keys have gone'
rm proxy/swallow

# --- endpoints in turn --------------------------------------------------------------------

conf turn 'endpoints = http://127.0.0.1:1, http://127.0.0.1:2379'
t_is 'the second one answers' none "$(c turn get /none)"
conf none 'endpoints = http://127.0.0.1:1, http://127.0.0.1:2'
errs 'none answers' "^ECONNREFUSED: etcd at http://127.0.0.1:[12]: .*127.0.0.1 port [12]" c none get /x
conf name 'endpoints = http://no-such-host.invalid:2379'
errs 'no such host' '^EHOSTUNREACH: etcd at http://no-such-host.invalid:2379: .*no-such-host' c name get /x
mkdir empty
bg in_a "$PYTHON" -m http.server --bind 127.0.0.1 --directory "$T_DIR/empty" 2382
conf web 'endpoints = http://127.0.0.1:2382'
web_answers()
{
	in_a curl -sf http://127.0.0.1:2382/ >/dev/null
}
t_ok 'a server of something else' wait_for 60 web_answers
errs 'is none of etcd' '^EREMOTEIO: etcd at http://127.0.0.1:2382: it answers with status 501 of HTTP' c web get /x
errs 'nor a watch of it' '^EREMOTEIO: etcd at http://127.0.0.1:2382: it answers with status 501 of HTTP' c web watch 1 1 /x

# --- users --------------------------------------------------------------------------------

for user in root:rights reader:look; do
	ctl user add "$user" >/dev/null
	(umask 077 && echo "${user#*:}" >"${user%:*}.password")
done
echo wrong >wrong.password
chmod 600 wrong.password
ctl user grant-role root root >/dev/null
ctl role add reader >/dev/null
ctl role grant-permission reader --prefix=true read /t/ >/dev/null
ctl user grant-role reader reader >/dev/null
ctl auth enable >/dev/null
for user in root reader; do
	conf $user 'endpoints = http://127.0.0.1:2379' "user = $user" "password-file = $T_DIR/$user.password"
done
conf wrong 'endpoints = http://127.0.0.1:2379' 'user = reader' "password-file = $T_DIR/wrong.password"
t_ok 'root may all' c root put /secret x
t_ok 'a reader reads' grep -q '^/t/a=three' <(c reader get /t/a)
errs 'a reader may not write' '^EACCES: etcd at http://127.0.0.1:2379: .*permission denied: the user of fleet.conf' \
	c reader put /t/a x
errs 'a reader may not read all' '^EACCES: .*permission denied' c reader get /secret
errs 'a reader may not watch all' '^EACCES: .*permission denied' c reader watch 0 1 /secret/
errs 'a wrong password' '^EACCES: .*authentication failed.*password-file. of fleet.conf is wrong' c wrong get /t/a
errs 'no user' '^EACCES: .*user name is empty: .user. and .password-file. of fleet.conf' c main get /t/a
chmod 644 wrong.password
errs 'a password that all may read' "^EPERM: $T_DIR/wrong.password: .*chmod 600" c wrong get /t/a
: >empty.password
chmod 600 empty.password
conf empty 'endpoints = http://127.0.0.1:2379' 'user = reader' "password-file = $T_DIR/empty.password"
errs 'no password' '^EINVAL: .*there is no password in it' c empty get /t/a
conf absent 'endpoints = http://127.0.0.1:2379' 'user = reader' "password-file = $T_DIR/absent.password"
errs 'no file of it' '^ENOENT: cannot read .*absent.password' c absent get /t/a
in_a etcdctl --user root:rights auth disable >/dev/null
errs 'a user where there are none' '^EACCES: .*authentication is not enabled: it knows no users' c root get /t/a
bg_stop "$ETCD_PID"

# --- TLS ----------------------------------------------------------------------------------

# certificate NAME CA SUBJECT-NAMES START END: NAME.crt and NAME.key
certificate()
{
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$1" -keyout "$1.key" \
		-out "$1.csr" 2>/dev/null || return
	printf '%s\n' '[ca]' 'default_ca = it' '[it]' "database = $T_DIR/$2.db" "new_certs_dir = $T_DIR" \
		'rand_serial = yes' 'default_md = sha256' 'policy = any' 'unique_subject = no' '[any]' \
		'commonName = supplied' '[extra]' "$3" >"$1.cnf"
	: >>"$2.db"
	openssl ca -batch -config "$1.cnf" -extensions extra -in "$1.csr" -out "$1.crt" -notext \
		-startdate "$4" -enddate "$5" ${6:+-selfsign} -cert "$2.crt" -keyfile "$2.key" 2>"$1.log"
}

long_ago=20200101000000Z
far=21200101000000Z
t_ok 'an authority' certificate ca ca 'basicConstraints = critical,CA:TRUE' $long_ago $far self
t_ok 'another' certificate other other 'basicConstraints = critical,CA:TRUE' $long_ago $far self
t_ok 'a certificate' certificate server ca 'subjectAltName = IP:127.0.0.1' $long_ago $far
t_ok 'one of the past' certificate expired ca 'subjectAltName = IP:127.0.0.1' $long_ago 20210101000000Z
t_ok 'one of a host' certificate client ca 'extendedKeyUsage = clientAuth' $long_ago $far

# tls_etcd NAME PORT CERTIFICATE: by which it shows itself; hosts are to show theirs
tls_etcd()
{
	bg in_a etcd --name "$1" --data-dir "$T_DIR/etcd.$1" --listen-client-urls "https://127.0.0.1:$2,https://127.0.0.2:$2" \
		--advertise-client-urls "https://127.0.0.1:$2" --listen-peer-urls "http://127.0.0.1:$(($2 + 100))" \
		--initial-advertise-peer-urls "http://127.0.0.1:$(($2 + 100))" \
		--initial-cluster "$1=http://127.0.0.1:$(($2 + 100))" --unsafe-no-fsync \
		--cert-file "$3.crt" --key-file "$3.key" --client-cert-auth --trusted-ca-file ca.crt
	t_ok "etcd with TLS: $1" wait_for 60 in_a "$PYTHON" -c "import socket; socket.create_connection(('127.0.0.1', $2))"
}

tls_etcd tls 2390 server
tls_etcd late 2391 expired
mine=("cert = $T_DIR/client.crt" "key = $T_DIR/client.key")
conf tls 'endpoints = https://127.0.0.1:2390' "cacert = $T_DIR/ca.crt" "${mine[@]}"
t_ok 'TLS: put' wait_for 60 c tls put /tls yes
t_ok 'TLS: get' grep -q '^/tls=yes' <(c tls get /tls)
bg in_a "$CLIENT" tls.conf watch 1 1 /tls
t_ok 'TLS: watch' wait_for 60 said "$BG_OUT" '^is /tls=yes'
conf tls-name 'endpoints = https://127.0.0.2:2390' "cacert = $T_DIR/ca.crt" "${mine[@]}"
errs 'TLS: a wrong name' '^EKEYREJECTED: etcd at https://127.0.0.2:2390: .*(name|address).*127.0.0.2' c tls-name get /tls
conf tls-late 'endpoints = https://127.0.0.1:2391' "cacert = $T_DIR/ca.crt" "${mine[@]}"
errs 'TLS: an expired certificate' '^EKEYREJECTED: etcd at https://127.0.0.1:2391: .*expired' c tls-late get /tls
conf tls-other 'endpoints = https://127.0.0.1:2390' "cacert = $T_DIR/other.crt" "${mine[@]}"
errs 'TLS: of another authority' '^EKEYREJECTED: .*certificate' c tls-other get /tls
conf tls-none 'endpoints = https://127.0.0.1:2390' "cacert = $T_DIR/ca.crt"
errs 'TLS: without a certificate of its own' '^E[A-Z]*: etcd at https://127.0.0.1:2390: .*(alert|certificate)' c tls-none get /tls
conf tls-file 'endpoints = https://127.0.0.1:2390' "cacert = $T_DIR/absent.crt"
errs 'TLS: no file of authorities' '^EINVAL: .*absent.crt' c tls-file get /tls
conf tls-plain 'endpoints = http://127.0.0.1:2390'
errs 'TLS: spoken to without' '^E[A-Z]*: etcd at http://127.0.0.1:2390: ' c tls-plain get /tls
tls_ctl()
{
	in_a etcdctl --endpoints https://127.0.0.1:2390 --cacert ca.crt --cert client.crt --key client.key "$@"
}
tls_ctl user add root:rights >/dev/null
tls_ctl user grant-role root root >/dev/null
t_ok 'TLS: users' tls_ctl auth enable
named='^EACCES: etcd at https://127.0.0.1:2390: CommonName of client: the certificate .* must have none'
errs 'TLS: a common name, and users' "$named" c tls get /tls
errs 'TLS: watch with a common name' "$named" c tls watch 1 1 /tls

t_done
