#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tool's help, its tables in main.c, the man pages and the completions say the
# same: each command and each of its options is in all of them, and none has one that
# the tool lacks. The help is the judge.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib.sh

[ -x "$PB" ] || t_die "no $PB: make comes first"

MAN=man/xdp-portblock.8
WIDTH=100

# Words, sorted, on one line
words() { tr -s ' \t\n' '\n' | sed '/^$/d' | LC_ALL=C sort -u | paste -sd' '; }

# --- what the tool says ---------------------------------------------------------------

# The overview gives a command's name and what it does in a row: the name is as many of
# the words as `help` knows.
tool_commands()
{
	local -a line
	local n
	"$PB" --help | sed -n '/^Commands:/,/^$/s/^  //p' | while read -ra line; do
		for ((n = ${#line[@]}; n > 0; n--)); do
			if "$PB" help "${line[@]:0:n}" >/dev/null 2>&1; then
				echo "${line[*]:0:n}"
				break
			fi
		done
	done
}

# tool_options COMMAND: as in "--mode -m"
tool_options()
{
	# shellcheck disable=SC2086 # a command may be several words
	"$PB" $1 --help | sed -n '/^Options:/,/^$/s/^  \(...\) \(--[a-z-]*\).*/\1 \2/p' | tr -d , | words
}

mapfile -t commands < <(tool_commands)
all=$(for command in "${commands[@]}"; do tool_options "$command"; done | words)
first_words=$(printf '%s\n' "${commands[@]}" | cut -d ' ' -f 1 | words)

t_ok 'the tool has commands' test "${#commands[@]}" -ge 10

# The widest line of standard input
widest() { awk 'length > max { max = length } END { print max + 0 }'; }

for command in "${commands[@]}"; do
	# shellcheck disable=SC2086 # a command may be several words
	t_ok "$command: --help" "$PB" $command --help
	t_ok "$command: its help fits $WIDTH columns" test "$(widest <<<"$T_OUT")" -le $WIDTH
	t_ok "$command: has options" test -n "$(tool_options "$command")"
done
t_ok "the overview fits $WIDTH columns" test "$("$PB" --help | widest)" -le $WIDTH

# --- main.c ---------------------------------------------------------------------------

t_is 'main.c: its commands are those of the overview' "$(printf '%s\n' "${commands[@]}" | sort)" \
	"$(sed -n '/^static const struct command commands/,/^};/s/^\t{ "\([a-z -]*\)".*/\1/p' \
		xdp-portblock/main.c | sort)"
t_is 'main.c: its options are those of the commands' "$(words <<<"$all --version -V" | tr ' ' '\n' |
	grep '^--' | words)" "$(sed -n '/option_infos\[OPT_MAX\]/,/^};/s/^\t\[OPT_[^"]*"\([a-z-]*\)".*/--\1/p' \
	xdp-portblock/main.c | words)"

# --- the man page ---------------------------------------------------------------------

# flags: the options in mdoc lines: "Fl m" and "Fl -mode"
flags()
{
	grep -oE '\bFl -?[A-Za-z][a-z-]*' | sed -E 's/^Fl /-/' | words
}

# The page's synopsis, a command a line: "COMMAND:MDOC"
synopsis()
{
	awk '/^\.Sh SYNOPSIS/ { on = 1; next } /^\.Sh/ { on = 0 } !on { next }
		/^\.Nm/ { if (name) print name ":" text; name = text = ""; next }
		/^\.Cm/ && !name { name = substr($0, 5); next }
		{ text = text " " $0 }
		END { if (name) print name ":" text }' "$MAN"
}

# Options that all commands have stand in a section of their own.
every=$(sed -n '/^\.Ss Every command/,/^\.El/p' "$MAN" | grep '^\.It' | flags)
t_is 'man: commands' "$(printf '%s\n' "${commands[@]}" | sort)" "$(synopsis | cut -d : -f 1 | sort)"
for command in "${commands[@]}"; do
	t_is "man: options of $command" "$(tool_options "$command")" \
		"$(synopsis | grep "^$command:" | flags | words <<<"$every $(synopsis | grep "^$command:" | flags)")"
	t_ok "man: $command is described" grep -qx "\.It Cm $command" "$MAN"
done
t_is 'man: each option is described' "$(words <<<"$all --version -V")" "$(grep '^\.It Fl' "$MAN" | flags)"
t_is 'man: no option that the tool lacks' "$(words <<<"$all --version -V")" \
	"$(words <<<"$all --version -V $(grep -v '^\.Pq Fl l' "$MAN" | flags) \
		$(sed -n '/^\.Bd/,/^\.Ed/{/^\./!p}' "$MAN" | grep -oE '(^| )--?[a-z][a-z-]*' | words)")"
t_is 'man: outcomes are those of the library' \
	"$(sed -n '/outcomes\[\] = {/,/};/s/.*"\(.*\)".*/\1/p' lib/rule/names.c | words)" \
	"$(sed -n '/^\.Ss Outcomes/,/^\.Sh/s/^\.It //p' "$MAN" | tr -d , | words)"

# --- xdp-portblock.rules(5) -----------------------------------------------------------

# example N [PAGE]: the page's Nth display
example()
{
	awk -v n="$1" '/^\.Bd/ { on = ++at == n; next } /^\.Ed/ { on = 0 } on' \
		"man/${2:-xdp-portblock.rules.5}"
}

# example_of COMMAND: what the page says it prints, up to the next command
example_of()
{
	example "$1" | awk -v command="xdp-portblock $2" '/^[$#] xdp-portblock/ { on = substr($0, 3) == command; next } on'
}

example 1 >"$T_DIR/web.rules"
example 1 xdp-portblock-json.5 >"$T_DIR/web.json"
for form in rules json; do
	t_is "rules(5), json(5): the example web.$form is right" "$(example_of 2 'check web.rules')" \
		"$(cd "$T_DIR" && "$PB" check "web.$form" 2>&1 | sed "s/web.json/web.rules/")"
done
printf '%s\n' '# line 1' 'policy maybe' 'drop tcp dport 70000' >"$T_DIR/faults.rules"
t_is 'rules(5): its example of faults' "$(example_of 4 'check faults.rules')" \
	"$(cd "$T_DIR" && "$PB" check faults.rules 2>&1)"
t_is 'rules(5): settings are those of the library' \
	"$(tr -s '\n\t ' ' ' <lib/rules/settings.c | grep -oE '\{ "[a-z]+", \{( \{ "[a-z]+", [A-Z_0-9 |]+ \},?)+' |
		sed -E 's/[^a-z ]+//g; s/ +/ /g; s/^ | $//g; s/([a-z]) ([a-z])/\1 | \2/g; s/ \| / /')" \
	"$(sed -n 's/^\.It Cm \([a-z]* [a-z]* | [a-z |]*\)$/\1/p' man/xdp-portblock.rules.5)"

# Recipes are to be copied.
awk '/^\.Ss Rates/ { in_it = 1 } /^\.Bd/ { on = in_it; next } /^\.Ed/ { on = in_it = 0 } on' "$MAN" \
	>"$T_DIR/rates.rules"
awk '/^\.Ss Not too many/ { in_it = 1 } /^\.Bd/ { on = in_it; next } /^\.Ed/ { on = in_it = 0 } on' \
	man/xdp-portblock.rules.5 | grep -v @guests >"$T_DIR/more-rates.rules"
for page in rates more-rates; do
	t_is "xdp-portblock(8), rules(5): the recipes of $page are right" \
		"$page.rules: 4 rules, policy allow" "$(cd "$T_DIR" && "$PB" check $page.rules 2>&1)"
done

# --- xdp-portblock-json(5) ------------------------------------------------------------

# Which command prints which key, and of what type, is looked at by net:json.
keys=$({
	grep -rhoE 'json_add\([a-z]+, "[a-z_]+"' xdp-portblock | grep -oE '"[a-z_]+"'
	grep -rhoE '\.key = "[a-z_]+"' lib | grep -oE '"[a-z_]+"'
} | tr -d '"' | words)
t_ok 'json(5): there are keys' test "$(wc -w <<<"$keys")" -ge 40
t_is 'json(5): each key is described' '' "$(for key in $keys; do
	grep -qE "^\.It Li (.*[ .])?$key( .*)? Pq " man/xdp-portblock-json.5 || echo "$key"
done)"

# --- xdp-portblock.maps(5) ------------------------------------------------------------

MAPS=man/xdp-portblock.maps.5
t_is 'maps(5): is about this layout' "$(sed -n 's/^#define PB_ABI_VERSION //p' headers/portblock/abi.h)" \
	"$(sed -n 's/^This page describes layout \([0-9]*\)\.$/\1/p' $MAPS)"
t_is 'maps(5): has the maps and their types, in order' \
	"$(sed -n 's/.*{ "\(pb_[a-z0-9_]*\)", BPF_MAP_TYPE_\([A-Z_]*\),.*/\1 \L\2/p' lib/*/maps.c)" \
	"$(sed -n 's/^\.It \(pb_[a-z0-9_]*\) Ta \([a-z_]*\) Ta .*/\1 \2/p' $MAPS)"
t_is 'maps(5): each structure that it names is described' '' "$(grep -oE 'struct pb_[a-z0-9_]+' $MAPS |
	sort -u | while read -r struct; do grep -q "^\.Ss $struct, " $MAPS || echo "$struct"; done)"

# What the page says of sizes, offsets and types, for the compiler to judge. A field that the page
# leaves out would be a gap.
layout()
{
	echo '#include <stddef.h>'
	echo '#include <portblock/abi.h>'
	awk 'function closes() { if (struct) holds("sizeof(" struct ") - (" end ") < 8") }
		function holds(what) { print "_Static_assert(" what ", \"" struct " " name "\");" }
		/^\.S[sh] / { closes(); struct = name = "" }
		/^\.Ss struct / {
			struct = $2 " " $3; sub(/,/, "", struct); end = "0"
			holds("sizeof(" struct ") == " $4)
		}
		struct && /^\.It / {
			split($0, cell, / Ta /); sub(/^\.It /, "", cell[1]); name = cell[3]
			field = "((" struct " *)0)->" name
			holds("offsetof(" struct ", " name ") == " cell[1])
			holds("offsetof(" struct ", " name ") - (" end ") < 8")
			holds("__builtin_types_compatible_p(__typeof__(" field "), " cell[2] ")")
			end = "offsetof(" struct ", " name ") + sizeof(" field ")"
		}' $MAPS
}
layout >"$T_DIR/layout.c"
t_ok 'maps(5): describes fields' test "$(grep -c offsetof "$T_DIR/layout.c")" -ge 100
t_ok 'maps(5): sizes, offsets and types are those of abi.h' "$(sed -n 's/^CC := //p' config.mk)" \
	-std=gnu11 -Iheaders -fsyntax-only "$T_DIR/layout.c"
sed '0,/== [1-9]/s/== \([1-9]\)/== 1\1/' "$T_DIR/layout.c" >"$T_DIR/wrong.c"
t_fail 'maps(5): a wrong one is noticed' 1 'static assertion failed' "$(sed -n 's/^CC := //p' config.mk)" \
	-std=gnu11 -Iheaders -fsyntax-only "$T_DIR/wrong.c"

# --- libportblock(3) ------------------------------------------------------------------

stale=$(grep -oE '^\.(Fn|Pq see Fn) pb_[a-z_]+|Fn pb_[a-z_]+' man/libportblock.3 |
	grep -oE 'pb_[a-z_]+' | sort -u | while read -r name; do
		grep -q "\b$name(" headers/portblock/portblock.h || echo "$name"
	done)
t_is 'libportblock(3): names no function that is not there' '' "$stale"

sed -n '/^\.Bd -literal/,/^\.Ed/p' man/libportblock.3 |
	sed "1d;\$d;s/\\\\(aq/'/g;s/\\\\(dq/\"/g;s/\\\\e/\\\\/g" >"$T_DIR/add.c"
mkdir -p "$T_DIR/include/portblock"
cp headers/portblock/*.h "$T_DIR/include/portblock"
# shellcheck disable=SC2317 # called by t_ok
compile_example()
{
	local cc libs
	cc=$(sed -n 's/^CC := //p' config.mk)
	libs=$(sed -n 's/^DEP_LIBS :=//p' config.mk)
	# shellcheck disable=SC2086 # words are wanted
	${cc:-cc} -std=c11 -Wall -Wextra -Werror -I"$T_DIR/include" -o "$T_DIR/add" "$T_DIR/add.c" \
		build/libportblock.a $libs
}
if [ -e build/libportblock.a ]; then
	t_ok 'libportblock(3): the example compiles' compile_example
	t_fail 'libportblock(3): the example says what is wrong' 1 'not a port' "$T_DIR/add" 'drop tcp dport 22x'
else
	t_skip 'libportblock(3): the example compiles' 'no build/libportblock.a'
fi

# --- README.md and doc/ ---------------------------------------------------------------

# links FILE: what its links lead to, as it is named from here, but for the web
links()
{
	grep -oE '\]\([^)]+\)' "$1" | sed 's/^](//; s/)$//' | grep -v '^https\?:' |
		sed "s|^|$(dirname "$1")/|; s/#.*//"
}

for page in *.md doc/*.md; do
	t_is "$page: what it links is there" '' \
		"$(links "$page" | while read -r target; do [ -e "$target" ] || echo "$target"; done)"
done

# measured ROW N: cell N of that row of doc/benchmarks.md
measured()
{
	awk -F ' *[|] *' -v row="$1" -v n="$2" '$2 == row { print $(n + 1); exit }' doc/benchmarks.md
}

drop=$(measured 'drop, IPv4 TCP' 2)
# live WHAT: of it, by ports, as README has it
live()
{
	local ports
	for ports in 1 1,000 60,000; do
		printf '%.2f\n' "$(measured "native, ports: $ports, $1" 3 | cut -d ' ' -f 1)"
	done | sed -z 's/\n/, /; s/\n/ and /; s/\n//'
}
milliseconds() { printf '%.0f' "$(measured "apply, $1" 2)"; }
for figure in "takes $drop instructions more" "$(live 'of bare') of the packets" "$(live 'of the limit') of those" \
	"takes $(milliseconds '1 rule of 60000 ports') ms if" "$(milliseconds '60000 rules') ms if it has 60,000" \
	"| $drop | $(measured 'drop, IPv4 TCP' 3) for TCP ports alone, $(measured 'drop, IPv4 TCP' 4) with all"; do
	t_ok "README.md: '$figure' is what was measured" grep -qF "$figure" README.md
done
t_is 'README.md: as many instructions with 60,000 rules' "$drop" "$(measured 'drop, 60,000 rules' 2)"

# As in: xdp-portblock(8) says under *What it does not see*; whatever the case, as headings of mdoc
sections=$(tr '\n' ' ' <SECURITY.md | tr -s ' ' | grep -oE 'under \*[^*]+\*' | sed 's/^under .//; s/.$//')
t_ok 'SECURITY.md: cites sections' test -n "$sections"
t_is 'SECURITY.md: cites sections that are there' '' "$(while read -r section; do
	grep -qixE "\.S[hs] $section" "$MAN" || echo "$section"
done <<<"$sections")"

# --- what cites what ------------------------------------------------------------------

# As in: xdp-portblock(8) "Which rule decides"
cited=$(grep -rhoE '\b(xdp-portblock[a-z.-]*|libportblock)\([1-9]\) "[^"]+"' headers lib xdp-portblock tests \
	--include='*.[ch]' --include='*.sh' --include='*.py' | sort -u)
stale=$(while IFS='()"' read -r page section _ heading _; do
	grep -qxE "\.S[hs] $heading" "man/$page.$section" || echo "$page($section) \"$heading\""
done <<<"$cited")
t_ok 'sources cite manual pages' test -n "$cited"
t_is 'sources cite sections that are there' '' "$stale"
t_is 'nothing cites what is not in the repository' '' "$(grep -rnI '\bdesign\b' headers lib \
	xdp-portblock man doc tests ./*.md --exclude=test_docs.sh)"

# --- completion: bash, driven ---------------------------------------------------------

# What the completion may ask for: a tool with rules, and a bpffs with rulesets
mkdir -p "$T_DIR/bin" "$T_DIR/bpffs/xdp-portblock/default" "$T_DIR/bpffs/xdp-portblock/web"
cat >"$T_DIR/bin/xdp-portblock" <<'TOOL'
#!/bin/sh
case "$*" in
'rule list -j -r default') echo '{"rules":[{"id":1,"comment":"{\"id\":5"},{"id":12,"comment":null}]}' ;;
'rule list -j -r web') echo '{"rules":[{"id":7,"comment":null}]}' ;;
'set list -r default') printf 'Ruleset default\nNAME  ELEMENTS  MAX  TIMEOUT\nbans         2   10  -\nlist         0   10  1d\n' ;;
'set list -r web') printf 'Ruleset web\nNo sets.\n' ;;
*) echo "refused: $*" >&2; exit 1 ;;
esac
TOOL
chmod +x "$T_DIR/bin/xdp-portblock"

# completes WORD...: what bash offers for the last word
completes()
{
	(
		. completion/xdp-portblock.bash
		COMP_WORDS=(xdp-portblock "$@") COMP_CWORD=$# COMPREPLY=()
		LIBXDP_BPFFS=$T_DIR/bpffs PATH=$T_DIR/bin:$PATH _xdp_portblock xdp-portblock
		printf '%s\n' "${COMPREPLY[@]}"
	) | words
}

# bash NAME EXPECTED WORD...
bash_offers()
{
	local name=$1 expected
	expected=$(words <<<"$2")
	shift 2
	t_is "bash: $name" "$expected" "$(completes "$@")"
}

interfaces=$(find /sys/class/net -mindepth 1 -printf '%f\n' | words)
bash_offers commands "$first_words -h --help -V --version" ''
bash_offers 'the start of a command' 'unload unparsable' un
bash_offers 'nothing for what is no command' '' bogus ''
for command in "${commands[@]}"; do
	# shellcheck disable=SC2086 # a command may be several words
	bash_offers "options of $command" "$(tool_options "$command")" $command -
done
# Words that begin commands, and are none: "rule", "fleet", "fleet set"
mapfile -t groups < <(printf '%s\n' "${commands[@]}" | grep ' ' | sed 's/ [^ ]*$//' | sort -u)
for group in "${groups[@]}"; do
	within=$(printf '%s\n' "${commands[@]}" | sed -n "s/^$group \([a-z]*\).*/\1/p" | words)
	# shellcheck disable=SC2086 # a group may be two words
	bash_offers "commands of $group" "$within -h --help" $group ''
	# shellcheck disable=SC2086
	bash_offers "help of $group" "$within" help $group ''
	t_is "fish: commands of $group" "$within" \
		"$(sed -n "s/^complete .*'__xdp_portblock_is ${group/ /-}' -a \([a-z]*\) .*/\1/p" \
			completion/xdp-portblock.fish | words)"
done
bash_offers 'a shortened command' "$(tool_options 'rule list')" ru li -
bash_offers 'a long option' '--require-dispatcher' load --r eth0 --req
bash_offers 'modes' 'auto native skb hw' load --mode ''
bash_offers 'modes, after =' 'native' load --mode = n
bash_offers 'modes, right after =' 'auto native skb hw' load --mode =
bash_offers 'modes, short' 'skb' load eth0 -m s
bash_offers 'policies, as an option' 'allow deny reject' load -p ''
bash_offers 'policies' 'allow deny reject' policy ''
bash_offers 'one policy only' '' policy deny ''
bash_offers 'replies' 'on off' replies ''
bash_offers 'fragments' 'pass drop' fragments ''
bash_offers 'unparsable' 'drop pass' unparsable ''
bash_offers 'answers' '100/s 1000/s 10000/s off' answers ''
bash_offers 'actions' 'drop reject allow audit' rule add --action ''
bash_offers 'protocols' 'tcp udp sctp dccp udplite' rule add --proto ''
bash_offers 'what can have a bucket each' 'source' rule add --each ''
bash_offers 'the same, in the text' 'source' rule add drop tcp dport 22 over 6/m each s
bash_offers 'no word for a rate' '' rule add --over ''
bash_offers 'the words behind a rate' 'except each expires' rule add drop tcp dport 22 over 6/m e
bash_offers 'the second protocol' 'tcp,udp tcp,udplite' rule add --proto tcp,u
bash_offers 'interfaces' "$interfaces" load ''
bash_offers 'another interface' "$interfaces" status lo ''
bash_offers 'interfaces to upgrade' "$interfaces" upgrade ''
bash_offers 'rulesets' 'default web' rule list -r ''
bash_offers 'rulesets of another command' 'web' load lo --ruleset w
bash_offers 'rule ids' '1 12' rule del ''
bash_offers 'another rule id' '1 12' rule del 12 1
bash_offers 'rule ids of another ruleset' '7' rule del -r web ''
bash_offers 'no rule ids where the tool fails' '' rule del -r none ''
for command in add del test list flush load destroy swap; do
	bash_offers "names of sets: $command" 'bans list' set $command ''
done
bash_offers 'a name that begins so' 'bans' set flush b
bash_offers 'no name of what is made' '' set create ''
bash_offers 'no sets' '' set flush -r web ''
bash_offers 'no sets where the tool fails' '' set flush -r none ''
bash_offers 'another set' 'bans list' set swap bans ''
bash_offers 'no set where all of them come back' "" set restore -r none x ''
bash_offers 'no third one' '' set swap bans list ''
bash_offers 'nothing for an address' '' set test bans 1
bash_offers 'nothing for a timeout' '' set add --timeout ''
bash_offers 'the text of a rule' 'drop dccp' rule add d
bash_offers 'keywords of a rule' 'dport dccp' rule add drop d
bash_offers 'no word for a value of a keyword' '' rule add drop tcp dport ''
bash_offers 'no word for a value of an option' '' rule add --port ''
bash_offers 'after the value of an option' 'allow audit' rule add --port 22 a
touch "$T_DIR/prefixes"
bash_offers 'a file of prefixes' "@$T_DIR/prefixes" rule add --from "@$T_DIR/pre"
bash_offers 'a file of elements' "@$T_DIR/prefixes" set add bans "@$T_DIR/pre"
bash_offers 'a file of elements that were saved' "$T_DIR/prefixes" set restore "$T_DIR/pre"
bash_offers 'the same as an option' "$T_DIR/prefixes" apply f --elements "$T_DIR/pre"
bash_offers 'addresses for a fleet' "@$T_DIR/prefixes" fleet set add bans "@$T_DIR/pre"
bash_offers 'a list for a fleet' "$T_DIR/prefixes" fleet set load bad "$T_DIR/pre"
bash_offers 'a list' "$T_DIR/prefixes" set load bans "$T_DIR/pre"
bash_offers 'a file of rules' "$T_DIR/prefixes" apply --confirm 60s "$T_DIR/pre"
bash_offers 'help' "$first_words" help ''

# --- completion: zsh and fish, read ---------------------------------------------------

# zsh_array NAME: how the array is set
zsh_array()
{
	awk -v start="\t$1=(" 'index($0, start) == 1 { on = 1 } on { print } on && /\)$/ { exit }' \
		completion/xdp-portblock.zsh
}

# zsh_options COMMAND: the command's arm of the case, its arrays put in, without lists of
# what excludes what and without descriptions
zsh_options()
{
	local arm name
	arm=$(awk -v name="$1" -v quote="'" '
		index($0, "\t" name ")") == 1 || index($0, "\t" quote name quote ")") == 1 { on = 1 }
		on { print }
		on && /;;/ { exit }' completion/xdp-portblock.zsh)
	for name in $(grep -o '\$[a-z]*' <<<"$arm" | tr -d '$'); do
		arm="$arm $(zsh_array "$name")"
	done
	sed "s/_arguments -s -S//; s/'([^)]*)/'/g; s/\[[^]]*\]//g" <<<"$arm" |
		grep -oE "['{,]--?[A-Za-z][a-z-]*" | sed 's/^.//' | words
}

# fish_options COMMAND
fish_options()
{
	awk -v command="${1// /-}" -F "'" '
		/^complete .*__xdp_portblock_is/ {
			split(substr($2, index($2, " ") + 1), names, " ")
			for (i in names)
				if (names[i] == command)
					print $3
		}' completion/xdp-portblock.fish |
		grep -oE -- '-[sl] [A-Za-z-]+' | sed 's/^-s /-/; s/^-l /--/' | words
}

for command in "${commands[@]}"; do
	t_is "zsh: options of $command" "$(tool_options "$command")" "$(zsh_options "$command")"
	t_is "fish: options of $command" "$(tool_options "$command")" "$(fish_options "$command")"
done

# As in _describe: 'load:what it does'; and as the names of a case
t_is 'zsh: commands' "$(printf '%s\n' "${commands[@]}" | words)" \
	"$(sed -n "s/^\t\t'\([a-z]*\):.*/\1/p" completion/xdp-portblock.zsh | words)"
t_is 'zsh: commands with options' "$(printf '%s\n' "${commands[@]}" | sort)" \
	"$(sed -n "/^\tcase \$command/,/^\tesac/s/^\t'\{0,1\}\([a-z -]*\)'\{0,1\}).*/\1/p" \
		completion/xdp-portblock.zsh | sort)"
t_is 'fish: commands' "$first_words" "$(sed -n \
	's/^complete .*__xdp_portblock_no_command -a \([a-z]*\) .*/\1/p' completion/xdp-portblock.fish | words)"
t_is 'fish: no command that the tool lacks' "$(printf '%s\n' "${commands[@]// /-}" | sort)" \
	"$(grep -o "__xdp_portblock_is [a-z -]*" completion/xdp-portblock.fish | cut -d ' ' -f 2- |
		tr ' ' '\n' | grep -vxF "$(printf '%s\n' "${groups[@]// /-}")" | sort -u)"

if command -v zsh >/dev/null; then
	t_ok 'zsh: syntax' zsh -n completion/xdp-portblock.zsh
else
	t_skip 'zsh: syntax' 'no zsh here'
fi
if command -v fish >/dev/null; then
	t_ok 'fish: syntax' fish -n completion/xdp-portblock.fish
else
	t_skip 'fish: syntax' 'no fish here'
fi

t_done
