#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# contrib/kubernetes: its objects are what Kubernetes' schemas say, and what its pods run does what they promise, in A, with
# an API server in B of which all that matters is that it answers. No cluster is here.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
MANIFEST=$TOP/contrib/kubernetes/xdp-portblock.yaml
"$PYTHON" -c 'import yaml' 2>/dev/null || t_skip_all 'no python3-yaml here'
world_enter "$@"
world_pair
cd "$T_DIR" || exit 1

"$PYTHON" -c 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))' "$MANIFEST" >objects
t_is 'its objects' '["ConfigMap", "ConfigMap", "DaemonSet"]' "$(json '[o["kind"] for o in d]' <objects)"

# --- schemas ------------------------------------------------------------------------------------

if FOLDER=$("$TOP/tests/net/kubernetes-models" 2>/dev/null) && command -v node >/dev/null; then
	# wrong FILE: what is wrong with its objects
	wrong()
	{
		node "$TOP/tests/net/kubernetes.mjs" "$FOLDER" <"$1" 2>&1
	}
	t_is 'they are as the schemas say' '' "$(wrong objects)"
	sed 's/"hostNetwork"/"hostNetwrok"/' objects >typo
	t_is 'a key that is none is noticed' 'DaemonSet xdp-portblock: /spec/template/spec/hostNetwrok: there is no such key' \
		"$(wrong typo)"
	sed 's/"hostNetwork": true/"hostNetwork": "yes"/' objects >other
	t_ok 'a value of another type is noticed' grep -q 'hostNetwork must be boolean' <(wrong other)
else
	t_skip 'they are as the schemas say' 'no node here, or tests/net/kubernetes-models could not fetch them'
fi

# --- what a pod runs ----------------------------------------------------------------------------

# A folder of a ConfigMap: a link to its files, which a change replaces in one step
config()
{
	local version
	version=$(mktemp -d config.XXXXXX)
	cat >"$version/default.rules"
	ln -s "$version" next
	mv -T next rules
}

said()
{
	grep -qF -e "$1" "$POD_OUT"
}

rules_are()
{
	"$PB" diff rules/default.rules
}

api_answers()
{
	in_a curl -sk -m 10 -o /dev/null "https://$B4:6443/readyz"
}

json 'd[1]["data"]["run"]' <objects >run
json 'd[0]["data"]["default.rules"]' <objects | config
t_ok "the manifest's rules are right" "$PB" check rules/default.rules
t_ok 'its script is one' sh -n run
if command -v shellcheck >/dev/null; then
	t_ok 'and shellcheck finds nothing' shellcheck run
fi
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=api -keyout api.key -out api.crt 2>/dev/null
bg in_b openssl s_server -quiet -www -accept 6443 -cert api.crt -key api.key
t_ok 'the API server answers' wait_for 60 api_answers
serve in_a --tcp 23,80
mkdir bin
ln -s "$PB" bin/xdp-portblock
bg in_a env PATH="$T_DIR/bin:$PATH" RULES="$T_DIR/rules/default.rules" INTERFACES=v0 KUBERNETES_SERVICE_HOST="$B4" \
	KUBERNETES_SERVICE_PORT=6443 sh "$T_DIR/run"
POD=$BG_PID POD_OUT=$BG_OUT
t_ok 'the filter is loaded, and the rules applied' wait_for 60 rules_are
t_ok '23 is silent' silent tcp "$A4" 23
t_ok '80 answers' answers tcp "$A4" 80
confirmed()
{
	[ "$(status_is v0 confirm_in)" = null ]
}
t_ok 'they are confirmed' wait_for 60 confirmed

printf 'drop tcp dport 80\n' | config
t_ok 'the ConfigMap changes: so do the rules' wait_for 60 rules_are
t_ok '80 is silent' silent tcp "$A4" 80
t_ok '23 answers' answers tcp "$A4" 23
t_ok 'they are confirmed' wait_for 60 confirmed

printf 'drop tcp dport 99999\n' | config
t_ok 'wrong rules are said' wait_for 60 said 'these rules are not in force: they are wrong'
t_ok 'and change nothing' silent tcp "$A4" 80

printf '%s\n' 'drop tcp sport 6443' 'drop tcp dport 23' | config
t_ok 'a mistake: the API server is cut off, which is said' wait_for 60 said 'not in force: the API server did not answer'
t_is 'a mistake: the rules from before are back' 'drop tcp dport 80' "$("$PB" save | tail -n +2)"
t_ok 'a mistake: the API server answers' api_answers
t_is 'a mistake: nothing waits' null "$(status_is v0 confirm_in)"

printf '%s\n' 'drop tcp dport 23' | config
t_ok 'what is right after it is applied' wait_for 60 rules_are
t_ok 'they are confirmed' wait_for 60 confirmed
t_is 'a mistake is tried once' 1 "$(grep -c 'did not answer' "$POD_OUT")"
bg_stop "$POD"
t_is 'the pod ends at once' 0 $?
t_ok 'its rules stay' silent tcp "$A4" 23
t_done
