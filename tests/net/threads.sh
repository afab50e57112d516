#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Threads of one process, each with a ruleset of its own: threads.c, built with ThreadSanitizer.
# libbpf and libxdp are not; of them it sees what they call of the C library.

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

CC=$(sed -n 's/^CC := //p' "$TOP/config.mk")
# Its memory has places of its own, which a kernel that takes them at random may have taken.
sane=(setarch -R env TSAN_OPTIONS='exitcode=66 halt_on_error=0')

# sees_races: a program with a race is found out
cat >"$T_DIR/race.c" <<'RACE'
#include <pthread.h>
static volatile int n;
/* Often: of two accesses in the very same moment ThreadSanitizer may miss both. */
static void *add(void *p) { for (int i = 0; i < 100000; i++) n++; return p; }
int main(void)
{
	pthread_t t;
	pthread_create(&t, 0, add, 0);
	add(0);
	return pthread_join(t, 0);
}
RACE
$CC -g -fsanitize=thread -o "$T_DIR/race" "$T_DIR/race.c" 2>/dev/null ||
	t_skip_all 'the compiler has no ThreadSanitizer'
t_fail 'a race is seen' 66 'data race' "${sane[@]}" "$T_DIR/race"

# What it says of descriptors is left out where one of the two has a table of its own, of which it knows
# nothing: pb_libxdp_run().
races()
{
	awk -v RS='==================\n' '/WARNING/ && !(/Location is file descriptor/ && /in_thread/)' "$1"
	grep -E '^(FATAL|ThreadSanitizer:.*ERROR)' "$1"
}

t_ok 'build with ThreadSanitizer' \
	env -u MAKEFLAGS make -s -C "$TOP" SANITIZE=thread build-tsan/tests/net/threads
take_results 'the threads' in_a "${sane[@]/exitcode=66/exitcode=0}" "$TOP/build-tsan/tests/net/threads" v0 lo 3 2>"$T_DIR/races"
t_is 'no race' '' "$(races "$T_DIR/races")"
t_done
