#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion in real shells, where interfaces are called as badly as the kernel lets them:
# a name is what the shell hands to the tool, and nothing of it is run.

# shellcheck disable=SC2317 # functions are called by t_ok and others
# shellcheck disable=SC2016 # names that look like code are the point

. "$(dirname "$0")/../lib.sh"
. "$TOP/tests/net/verbs.sh"
world_enter "$@"
world_pair

# A folder to run in: what a name would make of itself there is seen.
mkdir -p "$T_DIR/at/bin" "$T_DIR/at/zsh" "$T_DIR/bpffs/xdp-portblock"
cp "$TOP/completion/xdp-portblock.zsh" "$T_DIR/at/zsh/_xdp-portblock"
cat >"$T_DIR/at/bin/xdp-portblock" <<'TOOL'
#!/bin/sh
case "$1 $2" in
'rule list') exit 1 ;;
'set list') printf 'Ruleset default\nNAME  ELEMENTS  MAX  TIMEOUT\nbans         2   10  -\n'; exit ;;
esac
printf '%s\0' "$@" >arguments
echo ran
TOOL
chmod +x "$T_DIR/at/bin/xdp-portblock"

# The names, and what is typed of each; as Python writes them
names=('$(id>ran)' '\x60id>ran\x60' ';id>ran' 'a;b' '*' '-n' '$HOME' '"q' '~root' '!id' '#c' '{x,y}'
	'e\x1b[2Jz' 'u\xffz' '[d]' 'q&id>ran')
typed=('\\$\\(' '\\\x60' '\\;' 'a' '\\*' '-- -' '\\$H' '\\"' '\\~' '\\!' '\\#' '\\{' 'e\x1b' 'u\xff' '\\[' 'q')
# A byte that is no character, and a control character, can't be typed as they are.
typed[12]=e
typed[13]=u
for name in "${names[@]}"; do
	"$PYTHON" -c '
import ast, os, sys
name = ast.literal_eval("b\x27" + sys.argv[1] + "\x27")
os.execvp("nsenter", ["nsenter", "--net=/run/netns/" + os.environ["NS_A"], "ip", "link", "add",
                      "name", name, "type", "veth"])' "$name" || t_die "no interface $name"
done
cat >"$T_DIR/with-sys" <<'SYS'
mount -t sysfs sysfs /sys && exec "$@"
SYS

# type SHELL TEXT...: by complete.py, with the /sys of A
type_in()
{
	(cd "$T_DIR/at" && LIBXDP_BPFFS=$T_DIR/bpffs in_a unshare -m "$BASH" "$T_DIR/with-sys" \
		"$PYTHON" "$TOP/tests/net/complete.py" "$1" "$T_DIR/at" "${@:2}")
}

# as_arguments WORD...: as complete.py prints them
as_arguments()
{
	"$PYTHON" -c '
import ast, sys
print([ast.literal_eval("b\x27" + word + "\x27") for word in sys.argv[1:]])' "$@"
}

for shell in bash zsh fish; do
	if ! command -v "$shell" >/dev/null; then
		t_skip "$shell" "no $shell here"
		continue
	fi
	texts=()
	expected=
	for i in "${!names[@]}"; do
		texts+=("xdp-portblock status ${typed[i]}\\t")
		case ${typed[i]} in
		--*) expected+=$(as_arguments status -- "${names[i]}")$'\n' ;;
		*) expected+=$(as_arguments status "${names[i]}")$'\n' ;;
		esac
	done
	t_ok "$shell: each name is completed" type_in "$shell" "${texts[@]}"
	t_is "$shell: and handed over as it is" "${expected%$'\n'}" "$T_OUT"
	# All of them are offered; none is taken, and the line is begun anew.
	t_ok "$shell: all names are shown" type_in "$shell" 'xdp-portblock load \t\t\x15xdp-portblock status lo'
	t_is "$shell: the line after that" "$(as_arguments status lo)" "$T_OUT"
	t_is "$shell: nothing of a name was run" '' "$(find "$T_DIR/at" -name ran)"
done

# --- rulesets --------------------------------------------------------------------------------

# Their folders are ours, but who may write there may call one as he likes.
mkdir "$T_DIR/bpffs/xdp-portblock/"{'$(id>ran)','w;id>ran'}
for shell in bash zsh fish; do
	command -v "$shell" >/dev/null || continue
	t_ok "$shell: rulesets" type_in "$shell" 'xdp-portblock save -r \\$\t' 'xdp-portblock save -r w\t'
	t_is "$shell: are handed over as they are" "$(as_arguments save -r '$(id>ran)')
$(as_arguments save -r 'w;id>ran')" "$T_OUT"
	t_is "$shell: nothing of them was run" '' "$(find "$T_DIR/at" -name ran)"
done

# --- sets ------------------------------------------------------------------------------------

for shell in bash zsh fish; do
	command -v "$shell" >/dev/null || continue
	t_ok "$shell: sets" type_in "$shell" 'xdp-portblock set flush b\t' 'xdp-portblock set swap -r x b\t ba\t'
	t_is "$shell: are those that the tool lists" "$(as_arguments set flush bans)
$(as_arguments set swap -r x bans bans)" "$T_OUT"
done

# --- files -----------------------------------------------------------------------------------

touch "$T_DIR/at/\$(id>ran).rules" "$T_DIR/at/p;id>ran"
for shell in bash zsh fish; do
	command -v "$shell" >/dev/null || continue
	t_ok "$shell: files" type_in "$shell" 'xdp-portblock check \\$\t' 'xdp-portblock check p\t'
	t_is "$shell: are handed over as they are" "$(as_arguments check '$(id>ran).rules')
$(as_arguments check 'p;id>ran')" "$T_OUT"
	t_is "$shell: nothing of them was run" '' "$(find "$T_DIR/at" -name ran)"
done
t_done
