#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine: the conformance table and PB_PACKETS generated packets
# through the program as this kernel loads it.
. "$(dirname "$0")/../lib.sh"

# What differs is kept where the host can read it.
export PB_ARTIFACTS=$PB_VM_SHARE
# Old kernels (5.10) wait for all readers of RCU at each test run: let them not wait long.
echo 1 >/sys/kernel/rcu_expedited

# part TEST: run one of tests/prog and make its results ours
part()
{
	local line plan='' status start=$SECONDS

	while IFS= read -r line; do
		case $line in
		'ok '*) t_result 0 "${line#* - }" ;;
		'not ok '*) t_result 1 "${line#* - }" ;;
		1..*) plan=$line ;;
		*) printf '%s\n' "$line" ;;
		esac
	done < <("$TOP/tests/prog/$1" 2>&1)
	wait $!
	status=$?
	# No plan, or that of a test which skips itself, is no run; 1 stands for results
	# that failed, which have been said.
	[ -n "${plan#1..0*}" ] && [ "$status" -le 1 ]
	t_result $? "$1 ran to its end (exit status $status, ${plan:-no plan})"
	echo "# $1: $((SECONDS - start)) s"
}

part test_conformance
part test_judge
t_done
