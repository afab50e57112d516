#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The library as a guest in somebody's process: guest.c.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

take_results 'the guest' in_a "$TOP/build/tests/net/guest" v0
t_is 'no pin is left' '' "$(our_pins)"
take_results 'the guest without libxdp' in_a env LD_PRELOAD="$TOP/build/tests/preload/alone.so" \
	"$TOP/build/tests/net/guest" v0
t_is 'no pin is left again' '' "$(our_pins)"
t_done
