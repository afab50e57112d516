#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which capabilities each command needs: doc/rights.md says of this kernel what is found (tests/net/rights.py). Some rows
# of it, others each time, and all by `tests/run --all`. `PB_RIGHTS_WRITE=FILE tests/net/rights.sh` writes the column of
# this kernel to a copy of the page instead.

. "$(dirname "$0")/../lib.sh"
DOC=$TOP/doc/rights.md
command -v setpriv >/dev/null || t_skip_all 'needs setpriv'
world_enter "$@"
world_pair
# As systemd mounts it
chmod 0700 /sys/fs/bpf

if [ -z "${PB_NO_ETCD-}" ] && grep -q '^HAVE_FLEET := yes' "$TOP/config.mk" && ETCD=$("$TOP/tests/net/etcd" 2>/dev/null); then
	. "$TOP/tests/net/etcd-verbs.sh"
	etcd_start in_a one 127.0.0.1
	wait_for 60 etcd_answers in_a || t_die 'etcd does not answer'
	export PB_ETCD=$ETCD
fi

rights()
{
	in_a "$PYTHON" "$TOP/tests/net/rights.py" "$@"
}

if [ -n "${PB_RIGHTS_WRITE-}" ]; then
	# In a virtual machine its share is writable, and nothing else.
	[ -z "${PB_VM_SHARE-}" ] || PB_RIGHTS_WRITE=$PB_VM_SHARE/$PB_RIGHTS_WRITE
	[ -e "$PB_RIGHTS_WRITE" ] || cp "$DOC" "$PB_RIGHTS_WRITE"
	t_ok 'the column is written' rights write "$PB_RIGHTS_WRITE"
	t_done
fi

export PB_RIGHTS=${PB_RIGHTS-$(amount "" 4)}
rights check "$DOC" >"$T_DIR/found"
status=$?
grep '^#' "$T_DIR/found"
if [ $status -eq 77 ]; then
	t_skip 'the rights that commands need' "doc/rights.md has no column for $(uname -r)"
else
	t_is 'doc/rights.md says what commands need' '' "$(grep -v '^#' "$T_DIR/found")"
	t_is 'and nothing was in the way' 0 $status
fi
# A table that is wrong is told from one that is right.
# shellcheck disable=SC2016 # Markdown
sed 's/^\(| `rule list` |\).*/\1 wrong | wrong | wrong | wrong | wrong |/' "$DOC" >"$T_DIR/wrong.md"
[ $status -eq 77 ] || PB_ETCD='' PB_RIGHTS='rule list' t_fail 'a wrong row is found' 1 'rule list: wrong is said' \
	rights check "$T_DIR/wrong.md"
t_done
