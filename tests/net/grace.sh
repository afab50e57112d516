#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Packets under way are waited for, by either way of doing so: on each processor packets take long, while a number is stored
# before and another after the wait. Without a wait some see both, so the test can fail.

# shellcheck disable=SC2317 # functions are called by t_ok and others

. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" -eq 0 ] || t_skip_all 'needs root'
[ "$(nproc)" -gt 1 ] || t_skip_all 'needs two processors: on one, no packet is under way while we run'
GRACE=$TOP/build/tests/net/grace

# grace WAY: of its packets, $overlapped and $missed
grace()
{
	t_capture "$GRACE" "$GRACE.bpf.o" "$1" 50
	[ $? -ne 77 ] || t_skip_all 'the kernel has no live frames'
	[[ $T_OUT =~ ^packets\ [0-9]+,\ overlapped\ ([0-9]+),\ not\ waited\ for\ ([0-9]+)$ ]] || t_die "$T_OUT"
	overlapped=${BASH_REMATCH[1]} missed=${BASH_REMATCH[2]}
	t_note "$1: $T_OUT"
}

grace none
t_ok 'without a wait, some are not waited for' test "$missed" -gt 0
for way in quick whole; do
	grace $way
	t_ok "$way: packets were under way" test "$overlapped" -gt 0
	t_is "$way: and all waited for" 0 "$missed"
done
t_done
