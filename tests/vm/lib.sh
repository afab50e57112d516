# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests in the virtual machine share, beyond tests/lib.sh.
# shellcheck disable=SC2034 # VM_KERNEL and VM_WHY are for the tests

VM=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd) || exit 1

# On the host: vm_kernel NAME sets VM_KERNEL to a kernel's folder, or VM_WHY to the
# reason why there is none.
vm_kernel()
{
	if ! command -v qemu-system-x86_64 >/dev/null; then
		VM_WHY="needs qemu-system-x86_64"
		return 1
	fi
	if ! VM_KERNEL=$("$VM/kernel" "$1" 2>"$T_DIR/kernel"); then
		VM_WHY=$(tail -n 1 "$T_DIR/kernel")
		return 1
	fi
}

# vm_build_root NAME: there is what builds modules for that kernel (see tests/vm/build-module), or
# VM_WHY says why not. It comes before vm_kernel, for it may fetch the kernel anew.
vm_build_root()
{
	if [ "$(id -u)" != 0 ]; then
		VM_WHY="needs root"
		return 1
	fi
	if ! "$VM/build-root" "$1" >/dev/null 2>"$T_DIR/build-root"; then
		VM_WHY=$(tail -n 1 "$T_DIR/build-root")
		return 1
	fi
}

# vm_one_of NAME...: all of these kernels by `tests/run --all`, else one of them, another each time. What is
# seen on one is seen on the others nearly always, and each takes minutes.
vm_one_of()
{
	some_of 1 "$@"
}

# some_of HOW-MANY NAME...: so many of them, in their order; all of them by `tests/run --all`
some_of()
{
	local some=$1
	shift
	# (Where tests have a `cut` of their own.)
	printf '%s\n' "$@" | cat -n | shuf -n "$(amount $# "$some")" | sort -n | sed 's/^[^\t]*\t//'
}

# vm_left_out NAME: why a kernel has not run
vm_left_out()
{
	t_skip "kernel $1" 'this run drew another one; tests/run --all has them all'
}

# vm_boot WORDS...: tests/vm/boot, in the user land that VM_LAND names: by its copy of this tree (tests/vm/land), in
# its root, with its tool
vm_boot()
{
	local tree
	if [ -z "${VM_LAND-}" ]; then
		"$VM/boot" "$@"
	else
		tree=$("$VM/land" --folder "$VM_LAND")
		PB=$tree/xdp-portblock/xdp-portblock "$tree/tests/vm/boot" --root "$("$VM/root" "$VM_LAND")" "$@"
	fi
}

# vm_support SCRIPT PASSED FAILED SKIPPED: leave the result for tests/support; by --all, or where PB_SUPPORT is.
# VM_SHOWN is a land to show it in that is not that of the machine.
vm_support()
{
	local script=${1##*/} test=$T_NAME land=${VM_SHOWN:-${VM_LAND:-${VM_ARCH:+bookworm}}}
	script=${script#guest-} script=${script%.sh}
	[ "$script" = "$test" ] || test+=/$script
	"$TOP/tests/support" --add "$test" "$2" "$3" "$4" --kernel "$(cat "$VM_KERNEL/version")" \
		${land:+--land "$land"} ${VM_ARCH:+--machine "$VM_ARCH"} ${VM_DRIVER:+--driver "$VM_DRIVER"}
}

# vm_try CPUS MODULES SCRIPT...: boot VM_KERNEL and make the results ours: one count, each with the
# version. VM_TIMEOUT (1800 s) is for what hangs, VM_OPTIONS (an array) for more words to boot. Where it runs is said
# by VM_LAND (bookworm, trixie, sid; this host's root otherwise), VM_ARCH (this machine's) and VM_DRIVER (veth).
vm_try()
{
	local version cpus=$1 modules=$2 line status plans=0 start=$SECONDS p=0 f=0 s=0
	version=$(cat "$VM_KERNEL/version")${VM_LAND:+, $VM_LAND}
	shift 2
	local scripts=("$@")

	# shellcheck disable=SC2016 # for the shell of the machine
	while IFS= read -r line; do
		case $line in
		'ok '*'# SKIP'*) s=$((s + 1)) ;;
		'ok '*) p=$((p + 1)) ;;
		'not ok '*) f=$((f + 1)) ;;
		esac
		case $line in
		'ok '*) t_result 0 "$version: ${line#* - }" ;;
		'not ok '*) t_result 1 "$version: ${line#* - }" ;;
		1..[1-9]*)
			[ -z "${PB_ALL-}${PB_SUPPORT-}" ] || vm_support "${scripts[plans]}" "$p" "$f" "$s"
			plans=$((plans + 1)) p=0 f=0 s=0
			;;
		*) printf '%s\n' "$line" ;;
		esac
	done < <(vm_boot -k "$VM_KERNEL" -c "$cpus" --modules "$modules" \
		"${VM_OPTIONS[@]}" --timeout "${VM_TIMEOUT:-1800}" -- /bin/bash -c \
		'status=0; for s; do "./$s" || status=$?; done; exit $status' - "$@" 2>&1)
	wait $!
	status=$?
	# What did not come to its end takes the place of an earlier result.
	[ $plans -ge $# ] || [ -z "${PB_ALL-}${PB_SUPPORT-}" ] || vm_support "${scripts[plans]}" "$p" $((f + 1)) "$s"
	# 1 stands for tests that failed, which have been said.
	[ "$plans" -eq $# ] && [ $status -le 1 ]
	t_result $? "$version: $plans of $# scripts ran to their end (exit status $status)"
	echo "# $version: $((SECONDS - start)) s"
}

# The rest runs in the guest.

# chain DEV: the names of the programs in DEV's chain, in the order in which they run,
# as xdp-loader reads them from the kernel
chain()
{
	in_a xdp-loader status "$1" 2>/dev/null | awk '$1 == "=>" { print $3 }' | paste -sd' '
}

# status_of DEV EXPRESSION: of our `status -j`, a Python expression over DEV's entry i;
# "none" if DEV is not listed
status_of()
{
	in_a "$PB" status -j 2>"$T_DIR/status.err" | "$PYTHON" -c '
import json, sys
i = [i for i in json.load(sys.stdin)["interfaces"] if i["name"] == sys.argv[1]]
i = i[0] if i else None
print(eval(sys.argv[2]) if i else "none")' "$1" "$2" 2>&1
}

# status_chain DEV: as chain, told by our `status -j`
status_chain()
{
	status_of "$1" '" ".join(p["name"] for p in i["chain"])'
}

# program_id DEV NAME: the id of the first such program in DEV's chain
program_id()
{
	in_a xdp-loader status "$1" | awk -v name="$2" '$1 == "=>" && $3 == name { print $4; exit }'
}

# bare DEV: no XDP program at all
bare()
{
	! in_a ip -details link show dev "$1" | grep -q 'prog/xdp'
}

# with_native: the native engine's module, PB_NATIVE_MODULE, is loaded, now or before
with_native()
{
	[ -e /sys/module/portblock_native ] || insmod "$PB_NATIVE_MODULE"
}

# no_complaints: the kernel had nothing to say against us since it started
no_complaints()
{
	! dmesg | grep -E -A 20 'cut here|BUG:|Oops|Call Trace'
}
