#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine: the conformance table and PB_PACKETS generated packets
# through the program as this kernel loads it.
# shellcheck disable=SC2317 # judge is called by part
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

# What differs is kept where the host can read it.
export PB_ARTIFACTS=$PB_VM_SHARE
# See test_native.
[ "${PB_ENGINE:-bpf}" = bpf ] || with_native || exit
# Old kernels (5.10) wait for all readers of RCU at each test run: let them not wait long.
echo 1 >/sys/kernel/rcu_expedited

# test_judge, but for the part that compares two dissectors: that is about no kernel, and
# takes scapy minutes here.
judge()
{
	"$PYTHON" -B -c '
import os, sys
from importlib.machinery import SourceFileLoader
folder = os.path.join(os.environ["TOP"], "tests", "prog")
sys.path.insert(0, folder)
test = SourceFileLoader("test_judge", os.path.join(folder, "test_judge")).load_module()
test.check_dissector = lambda tap, seed: None
sys.exit(test.main([]))'
}

# part NAME COMMAND...: run one of tests/prog and make its results ours
part()
{
	local name=$1 line plan='' status start=$SECONDS
	shift

	while IFS= read -r line; do
		case $line in
		'ok '*) t_result 0 "${line#* - }" ;;
		'not ok '*) t_result 1 "${line#* - }" ;;
		1..*) plan=$line ;;
		*) printf '%s\n' "$line" ;;
		esac
	done < <("$@" 2>&1)
	wait $!
	status=$?
	# No plan, or that of a test which skips itself, is no run; 1 stands for results
	# that failed, which have been said.
	[ -n "${plan#1..0*}" ] && [ "$status" -le 1 ]
	t_result $? "$name ran to its end (exit status $status, ${plan:-no plan})"
	echo "# $name: $((SECONDS - start)) s"
}

part test_conformance "$TOP/tests/prog/test_conformance"
part test_judge judge
t_done
