#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/coverage, on a tree of a few lines of which it is known which are run.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

CC=$(sed -n 's/^CC := //p' config.mk)
case ${CC##*/} in
gcc*) command -v "gcov${CC#*gcc}" >/dev/null || t_skip_all "no gcov${CC#*gcc} here" ;;
*) t_skip_all "$CC is no gcc" ;;
esac

TREE=$T_DIR/tree
mkdir -p "$TREE"/{bin,tests,lib/room,lib/empty,xdp-portblock}
cp tests/coverage "$TREE/tests/"
echo "CC := $CC" >"$TREE/config.mk"
printf '#!/bin/sh\n' >"$TREE/tests/give-back"

# 4 lines of which 3 are run, 2 of which none is; and 3 of 3
printf 'int run(int n)\n{\n\tif (n)\n\t\treturn 1;\n\treturn 0;\n}\n' >"$TREE/lib/room/half.c"
printf 'int never(void)\n{\n\treturn 2;\n}\n' >"$TREE/lib/empty/never.c"
printf 'int run(int n);\nint main(void)\n{\n\treturn run(0);\n}\n' >"$TREE/xdp-portblock/main.c"
cat >"$TREE/bin/make" <<'END'
#!/bin/sh
for source in lib/room/half lib/empty/never xdp-portblock/main; do
	mkdir -p "build-cov/obj/${source%/*}"
	CC=$(sed -n 's/^CC := //p' config.mk)
	$CC --coverage -O0 -c -o build-cov/obj/$source.o $source.c || exit
done
$CC --coverage -o build-cov/xdp-portblock $(find build-cov/obj -name '*.o')
END
cat >"$TREE/tests/run" <<'END'
#!/bin/sh
[ "$PB_BUILD" = build-cov ] || exit
echo "tests: $*"
"$PB"
END
chmod +x "$TREE"/bin/make "$TREE"/tests/*

# coverage WORD...
# shellcheck disable=SC2317 # called by t_ok
coverage() { (cd "$TREE" && PATH=$TREE/bin:$PATH tests/coverage "$@"); }

t_ok 'it runs' coverage unit net:load
shown=$T_OUT
t_ok 'it runs the tests that are named' grep -qx 'tests: unit net:load' <<<"$shown"
t_is 'of each room, of lib/ and of the tool' \
	"lib/empty/         0.0 % of 2 lines
lib/room/         75.0 % of 4 lines
lib/              50.0 % of 6 lines
xdp-portblock/   100.0 % of 2 lines" "$(sed -n '/^Lines that were run by: unit net:load$/,$p' <<<"$shown" | sed 1d)"
t_is 'a row a source' 'lib/empty/never.c 0 2
lib/room/half.c 3 4
xdp-portblock/main.c 2 2' "$(cat "$TREE/build-cov/lines")"
t_ok 'once more' coverage
shown=$T_OUT
t_ok 'by default it runs all that needs no virtual machine' grep -qx 'tests: unit prog net' <<<"$shown"
t_ok 'what was counted before is forgotten' grep -q 'room/ *75.0 % of 4' <<<"$shown"
printf '#!/bin/sh\nexit 2\n' >"$TREE/bin/make"
t_fail 'without a build it fails' 1 '' coverage
t_done
