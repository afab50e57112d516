#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# For the virtual machine (tests/vm/test_native): the demonstration, with the native engine.
# PB_NATIVE_MODULE is the module's file.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/lib.sh"

t_ok 'the module is loaded' with_native
t_ok 'the demonstration' "$TOP/tests/demo" --engine native
t_note "$T_OUT"
t_ok 'it shows the engine' grep -q 'engine native' <<<"$T_OUT"
t_done
