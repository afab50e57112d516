#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The shared library exports what its header declares, and nothing else; its binary interface is
# that of lib/libportblock.abi, or its number has been raised. It calls nothing that would change the
# process of whoever called it.

# shellcheck disable=SC2317 # functions are called by t_ok and others

cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh

LIBRARY=build/libportblock.so.0

# The functions that the header declares
declared()
{
	cpp -P -Iheaders headers/portblock/portblock.h | tr '\n' ' ' | tr ';' '\n' | grep -v typedef |
		grep -oE '\bpb_[a-z_]+ ?\(' | tr -d ' (' | sort -u
}

exported()
{
	nm -D --defined-only "$LIBRARY" | awk '$2 == "T" { sub("@.*", "", $3); print $3 }' | sort
}

# Of the functions named, which it calls
called()
{
	nm -D --undefined-only "$LIBRARY" | awk '{ sub("@.*", "", $2); print $2 }' |
		grep -xE "$(tr ' ' '|' <<<"$*")"
}

# What its objects have in memory that may change and that all threads share: "OBJECT NAME" each
shared_memory()
{
	local sources=(lib/[!bf]*/*.c)
	sources=("${sources[@]#lib/}")
	(cd build/obj/lib && nm -A -f sysv "${sources[@]/%.c/.o}") | awk -F '|' '
		$NF ~ /^\.(bss|data)/ && $NF !~ /^\.data\.rel\.ro/ {
			gsub(/ |\.[0-9]+ *$/, "", $1); sub(/\.o:/, ".o ", $1); print $1 }' | sort
}

t_ok 'header: it declares functions' test "$(declared | wc -l)" -gt 50
t_is 'library: exports what the header declares' "$(declared)" "$(exported)"
t_is 'map: names what the header declares' "$(declared)" \
	"$(sed -n 's/^\t\(pb_[a-z_]*\);$/\1/p' lib/libportblock.map | sort)"
t_is 'library: its name' "$(basename "$LIBRARY")" \
	"$(readelf -d "$LIBRARY" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')"
t_is 'man: names each function' '' \
	"$(comm -23 <(declared) <(grep -oE 'pb_[a-z_]+' man/libportblock.3 | sort -u))"
t_is 'library: its XDP programs name no folder of whoever built them' '' "$(grep -lF "$TOP" build/lib/bpf/*.o)"

# Each of them with what makes it safe.
t_is 'library: what its threads share' "$(sed 's/ *#.*//' <<'SHARED'
attach/features.o features          # written once, by pthread_once()
attach/features.o once              # for pthread_once()
attach/features.o without_kern_ctx  # atomic
attach/features.o without_resize    # atomic
attach/libxdp.o lock                # a mutex
util/log.o for_others               # atomic
util/log.o for_warnings             # atomic
util/log.o inside                   # under `lock`
util/log.o libbpf_before            # under `lock`
util/log.o libxdp_before            # under `lock`
util/log.o lock                     # a mutex
SHARED
)" "$(shared_memory)"

# What a process has one of
t_is 'library: sets no environment variable' '' "$(called setenv putenv unsetenv clearenv)"
t_is 'library: makes no child, and waits for none' '' \
	"$(called fork vfork _Fork clone posix_spawn popen system wait waitpid waitid wait4)"
t_is 'library: never exits' '' "$(called exit _exit quick_exit abort execve execv execvp)"
t_is 'library: goes nowhere' '' "$(called chdir fchdir chroot umask setlocale)"
t_is 'library: prints nothing' '' "$(called stdout stderr printf vprintf puts putchar perror)"
# Around the making of a thread, in which the caller's handlers are not to run
t_is 'library: touches no signal, but blocks them for a thread of its own' pthread_sigmask \
	"$(called signal sigaction sigprocmask pthread_sigmask raise kill alarm setitimer)"
t_is 'library: such a call is seen' getenv "$(called clearenv getenv)"

# declares STRUCT: can a program have one of its own?
declares()
{
	printf '#include <portblock/portblock.h>\nextern struct %s a;\nstruct %s a;\n' "$1" "$1" |
		gcc -fsyntax-only -Iheaders -x c -
}
t_ok 'header: a program has settings' declares pb_settings
t_fail 'header: and no rules but those that the library makes' 1 "storage size" declares pb_rules

# What grows, by value
by_value()
{
	grep -HnE '\b(struct )?pb_(rule|interface|explanation) [a-z_]+( =|;|,|\[|$)' "$@"
}
t_is 'tool and examples: what grows is had by pointers' '' "$(by_value xdp-portblock/*.[ch] examples/*)"
t_ok 'tool and examples: one by value is seen' by_value tests/prog/runner.c

if [ "$(uname -m)" != x86_64 ]; then
	t_skip 'library: its binary interface is the one of its number' 'it was written down for amd64'
elif ! command -v abidiff >/dev/null; then
	t_skip 'library: its binary interface is the one of its number' 'no abidiff here'
else
	t_ok 'library: its binary interface is the one of its number' \
		abidiff --headers-dir2 headers lib/libportblock.abi "$LIBRARY"
	# It would see a change.
	sed 's/pb_clock/pb_watch/' lib/libportblock.abi >"$T_DIR/other.abi"
	t_fail 'library: another interface would be seen' 12 'pb_watch' \
		abidiff --headers-dir2 headers "$T_DIR/other.abi" "$LIBRARY"
fi

t_done
