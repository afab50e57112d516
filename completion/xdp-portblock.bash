# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion for bash. It asks the kernel and the tool only where the user asks for
# what they know, and is quiet where that needs root.
#
# An interface may be called `$(id)`: names go through no compgen -W, which expands what it
# is given, and into the line with all quoted that the shell would take for its own.

_xdp_portblock_commands='load unload upgrade status rule set policy replies fragments unparsable answers
	save check diff apply confirm rollback
	stats top monitor explain doctor fleet help'
_xdp_portblock_rule_commands='add del list flush reset'
_xdp_portblock_set_commands='create add del test list flush load restore destroy swap'
_xdp_portblock_fleet_commands='follow push status history diff rollback forget group set'
_xdp_portblock_fleet_group_commands='list set del'
_xdp_portblock_fleet_set_commands='add del load flush list'

# The options of a command.
_xdp_portblock_options()
{
	local match='--port --sport --proto --action --from --except --new'
	match+=' --over --burst --each --total --expires --comment'
	local change='-r --ruleset --confirm -f --force'

	case $1 in
	load)
		echo '-m --mode --engine -p --policy --priority --require-dispatcher --max-rules --max-sources --max-buckets --group'
		echo '--rules --elements -f --force -r --ruleset'
		;;
	unload) echo '-a --all -k --keep' ;;
	upgrade) echo '-a --all' ;;
	status) echo '-j --json' ;;
	'rule add') echo "$match $change -j --json" ;;
	'rule del') echo "$match $change" ;;
	'rule list') echo '-r --ruleset -j --json' ;;
	'rule flush') echo "$change" ;;
	'rule reset') echo '-r --ruleset' ;;
	'set create') echo '--timeout --max -r --ruleset' ;;
	'set add') echo '--timeout -f --force -r --ruleset' ;;
	'set del') echo '-f --force -r --ruleset' ;;
	'set test') echo '-r --ruleset -j --json' ;;
	'set list') echo '-r --ruleset -j --json' ;;
	'set flush') echo '-f --force -r --ruleset' ;;
	'set load') echo '-f --force -r --ruleset' ;;
	'set restore') echo '-f --force -r --ruleset' ;;
	'set destroy') echo '-r --ruleset' ;;
	'set swap') echo '-f --force -r --ruleset' ;;
	policy) echo "$change -j --json" ;;
	replies) echo "$change -j --json" ;;
	fragments) echo "$change -j --json" ;;
	unparsable) echo "$change -j --json" ;;
	answers) echo "$change -j --json" ;;
	save) echo '--elements -r --ruleset -j --json' ;;
	check) echo '--max-rules' ;;
	diff) echo '-r --ruleset' ;;
	apply) echo "--elements $change" ;;
	confirm) echo '-r --ruleset -f --force' ;;
	rollback) echo '-r --ruleset -f --force' ;;
	stats) echo '-i --interval -c --count --prometheus -o --output -r --ruleset -j --json' ;;
	top) echo '-i --interval -r --ruleset' ;;
	monitor)
		echo '--rule --port --from --outcome --rate -c --count -w --write -s --snaplen'
		echo '-r --ruleset -j --json'
		;;
	explain) echo '--port --sport --proto --from --to -i --interface --hex -r --ruleset -j --json' ;;
	doctor) echo '--fix -j --json' ;;
	'fleet follow') echo '--once --config' ;;
	'fleet push') echo '--stages --wait --sign --note --resume --config -j --json' ;;
	'fleet status') echo '--prometheus -o --output --config -j --json' ;;
	'fleet history') echo '--config -j --json' ;;
	'fleet diff') echo '--config' ;;
	'fleet rollback') echo '--stages --wait --sign --config -j --json' ;;
	'fleet forget') echo '--config' ;;
	'fleet group list') echo '--config -j --json' ;;
	'fleet group set') echo '--sign --config' ;;
	'fleet group del') echo '--config' ;;
	'fleet set add') echo '--timeout --config' ;;
	'fleet set del') echo '--config' ;;
	'fleet set load') echo '--config' ;;
	'fleet set flush') echo '--config' ;;
	'fleet set list') echo '--config -j --json' ;;
	esac
	echo '-v --verbose -h --help'
}

# A word, perhaps shortened, as the one of LIST that it can only mean; or as it is.
_xdp_portblock_expand()	# WORD LIST
{
	local word found=

	for word in $2; do
		[ "$word" != "$1" ] || { echo "$1"; return; }
		case $word in
		"$1"*) found="$found $word" ;;
		esac
	done
	case ${found# } in
	'' | *' '*) echo "$1" ;;
	*) echo "${found# }" ;;
	esac
}

# Names in a folder, quoted; those that begin with - only where they are no options.
_xdp_portblock_names()	# CUR FOLDER DASHES
{
	local name quoted
	local -a names

	case $1 in
	[\"\']*) return ;; # a quote is open: what stands in it is the user's own
	esac
	mapfile -t names < <(command ls -- "$2" 2>/dev/null)
	for name in "${names[@]}"; do
		[ "$3" = yes ] || [ "${name#-}" = "$name" ] || continue
		printf -v quoted %q "$name"
		case $quoted in
		"$1"*) COMPREPLY+=("$quoted") ;;
		*) [ "${name#"$1"}" = "$name" ] || COMPREPLY+=("$quoted") ;;
		esac
	done
}

_xdp_portblock_interfaces()	# CUR DASHES
{
	_xdp_portblock_names "$1" /sys/class/net "$2"
}

_xdp_portblock_rulesets()	# CUR
{
	_xdp_portblock_names "$1" "${LIBXDP_BPFFS:-/sys/fs/bpf}/xdp-portblock" yes
}

_xdp_portblock_files()	# CUR
{
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
	compopt -o filenames 2>/dev/null
}

_xdp_portblock_ids()	# PROGRAM RULESET
{
	"$1" rule list -j -r "$2" 2>/dev/null </dev/null | grep -o '{"id":[0-9]*' | cut -d : -f 2
}

# Names of sets: letters, digits, - and _. The text form, since JSON has all elements.
_xdp_portblock_sets()	# PROGRAM RULESET
{
	"$1" set list -r "$2" 2>/dev/null </dev/null | tail -n +3 | cut -d ' ' -f 1
}

# The last item of a list with commas between. Where one item is left, bash
# puts it in place of the whole word, so what stands before goes with it.
_xdp_portblock_list()	# CUR WORDS
{
	local before='' item=${1##*,} word

	[ "${1%,*}" = "$1" ] || before=${1%,*},
	for word in $2; do
		case $word in
		"$item"*) COMPREPLY+=("$before$word") ;;
		esac
	done
	compopt -o nospace 2>/dev/null
}

_xdp_portblock_words()	# CUR WORDS
{
	local word

	for word in $2; do
		case $word in
		"$1"*) COMPREPLY+=("$word") ;;
		esac
	done
}

# Does an option, or a keyword of a rule's text, want a value?
_xdp_portblock_takes_value()	# WORD COMMAND
{
	case $1 in
	-m | --mode | --engine | -p | --policy | -r | --ruleset | --priority | --max-rules | --max-sources) ;;
	--max-buckets | --group | --over | --burst | --each | --total) ;;
	--port | --sport | --proto | --action | --from | --except | --expires | --comment) ;;
	--confirm | --rules | --elements | --timeout | --max) ;;
	-i | --interval | -c | --count | -o | --output | --rule | --outcome | --rate) ;;
	-w | --write | -s | --snaplen | --interface | --to) ;;
	--stages | --wait | --sign | --note | --config) ;;
	dport | sport | from | except | over | burst | each | total | expires | comment) [ "${2%% *}" = rule ] ;;
	*) false ;;
	esac
}

_xdp_portblock_value()	# CUR PREV COMMAND PROGRAM RULESET
{
	case $2 in
	-m | --mode) _xdp_portblock_words "$1" 'auto native skb hw' ;;
	--engine) _xdp_portblock_words "$1" 'bpf native' ;;
	--group) _xdp_portblock_words "$1" "$(getent group | cut -d : -f 1)" ;;
	-p | --policy) _xdp_portblock_words "$1" 'allow deny reject' ;;
	-r | --ruleset) _xdp_portblock_rulesets "$1" ;;
	--proto) _xdp_portblock_list "$1" 'tcp udp sctp dccp udplite' ;;
	--action) _xdp_portblock_words "$1" 'drop reject allow audit' ;;
	--rule) _xdp_portblock_words "$1" "$(_xdp_portblock_ids "$4" "$5")" ;;
	--outcome)
		_xdp_portblock_list "$1" "pass drop-rule drop-policy reject audit noport fragment malformed \
			unparsable all"
		;;
	--each | each) _xdp_portblock_words "$1" source ;;
	-i | --interface) [ "$3" != explain ] || _xdp_portblock_interfaces "$1" yes ;;
	--rules | --elements | -o | --output | -w | --write | --sign | --config) _xdp_portblock_files "$1" ;;
	--from | --except | from | except)
		# @FILE
		[ "${1#@}" != "$1" ] || return
		_xdp_portblock_files "${1#@}"
		COMPREPLY=("${COMPREPLY[@]/#/@}")
		;;
	esac
}

# What is neither an option nor its value. WORDS of that kind stand there already;
# DASHES: behind --, so that no word is an option any more.
_xdp_portblock_argument()	# PROGRAM CUR COMMAND RULESET WORDS DASHES
{
	local protocols='tcp udp sctp dccp udplite'

	case $3,$5 in
	load,* | unload,* | upgrade,* | status,* | doctor,) _xdp_portblock_interfaces "$2" "$6" ;;
	'rule add,') _xdp_portblock_words "$2" "drop reject allow audit $protocols" ;;
	'rule del,'*[!\ 0-9]* | 'rule add,'*)
		_xdp_portblock_words "$2" "$protocols dport sport from except new over burst each total expires comment"
		;;
	'rule del,'*) _xdp_portblock_words "$2" "$(_xdp_portblock_ids "$1" "$4")" ;;
	'set create,' | 'set restore,'?*) ;;
	'set restore,') _xdp_portblock_files "$2" ;;
	'set swap,'*' '* | 'set test,'*' '* | 'set load,'*' '*) ;;
	'set '*, | 'set swap,'*) _xdp_portblock_words "$2" "$(_xdp_portblock_sets "$1" "$4")" ;;
	'fleet set add,' | 'fleet set del,' | 'fleet set load,' | 'fleet set load,'*' '*) ;;
	'set load,'* | 'fleet set load,'*) _xdp_portblock_files "$2" ;;
	'set add,'* | 'set del,'* | 'fleet set add,'* | 'fleet set del,'*)
		# @./FILE
		[ "${2#@}" != "$2" ] || return
		_xdp_portblock_files "${2#@}"
		COMPREPLY=("${COMPREPLY[@]/#/@}")
		;;
	save, | check, | diff, | apply, | explain, | 'fleet push,') _xdp_portblock_files "$2" ;;
	policy,) _xdp_portblock_words "$2" 'allow deny reject' ;;
	replies,) _xdp_portblock_words "$2" 'on off' ;;
	fragments,) _xdp_portblock_words "$2" 'pass drop' ;;
	unparsable,) _xdp_portblock_words "$2" 'drop pass' ;;
	answers,) _xdp_portblock_words "$2" '100/s 1000/s 10000/s off' ;;
	esac
}

_xdp_portblock()
{
	local program=${1/#\~/$HOME} cur=${COMP_WORDS[COMP_CWORD]} prev command=''
	local ruleset=default words='' dashes=no at=1 i word before group=

	COMPREPLY=()
	# --mode=skb comes as three words.
	prev=${COMP_WORDS[COMP_CWORD - 1]}
	if [ "$cur" = = ]; then
		cur=
	elif [ "$prev" = = ] && [ "$COMP_CWORD" -gt 2 ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi

	if [ "$COMP_CWORD" -eq 1 ]; then
		_xdp_portblock_words "$cur" "$_xdp_portblock_commands -h --help -V --version"
		return
	fi
	command=$(_xdp_portblock_expand "${COMP_WORDS[1]}" "$_xdp_portblock_commands")
	if [ "$command" = help ]; then
		case $COMP_CWORD,$(_xdp_portblock_expand "${COMP_WORDS[2]}" 'rule set fleet') in
		2,*)
			case $cur in
			-*) _xdp_portblock_words "$cur" "$(_xdp_portblock_options help)" ;;
			*) _xdp_portblock_words "$cur" "$_xdp_portblock_commands" ;;
			esac
			;;
		3,rule) _xdp_portblock_words "$cur" "$_xdp_portblock_rule_commands" ;;
		3,set) _xdp_portblock_words "$cur" "$_xdp_portblock_set_commands" ;;
		3,fleet) _xdp_portblock_words "$cur" "$_xdp_portblock_fleet_commands" ;;
		4,fleet)
			case $(_xdp_portblock_expand "${COMP_WORDS[3]}" "$_xdp_portblock_fleet_commands") in
			group) _xdp_portblock_words "$cur" "$_xdp_portblock_fleet_group_commands" ;;
			set) _xdp_portblock_words "$cur" "$_xdp_portblock_fleet_set_commands" ;;
			esac
			;;
		esac
		return
	fi
	case $command in
	rule) group=$_xdp_portblock_rule_commands ;;
	set) group=$_xdp_portblock_set_commands ;;
	fleet) group=$_xdp_portblock_fleet_commands ;;
	esac
	if [ -n "$group" ]; then
		if [ "$COMP_CWORD" -eq 2 ]; then
			_xdp_portblock_words "$cur" "$group -h --help"
			return
		fi
		command="$command $(_xdp_portblock_expand "${COMP_WORDS[2]}" "$group")"
		at=2
	fi
	case $command in
	'fleet group') group=$_xdp_portblock_fleet_group_commands ;;
	'fleet set') group=$_xdp_portblock_fleet_set_commands ;;
	*) group= ;;
	esac
	if [ -n "$group" ]; then
		if [ "$COMP_CWORD" -eq 3 ]; then
			_xdp_portblock_words "$cur" "$group -h --help"
			return
		fi
		command="$command $(_xdp_portblock_expand "${COMP_WORDS[3]}" "$group")"
		at=3
	fi

	# What stands there already: words, and which ruleset.
	for ((i = at + 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		before=${COMP_WORDS[i - 1]}
		[ "$before" != = ] || before=${COMP_WORDS[i - 2]}
		case $word in
		--) dashes=yes ;;&
		-* | =) continue ;;
		esac
		case $before in
		-r | --ruleset) ruleset=$word ;;
		esac
		_xdp_portblock_takes_value "$before" "$command" || words="$words $word"
	done

	if _xdp_portblock_takes_value "$prev" "$command"; then
		_xdp_portblock_value "$cur" "$prev" "$command" "$program" "$ruleset"
		return
	fi
	case $dashes$cur in
	no-*) _xdp_portblock_words "$cur" "$(_xdp_portblock_options "$command")" ;;
	*) _xdp_portblock_argument "$program" "$cur" "$command" "$ruleset" "${words# }" "$dashes" ;;
	esac
}

complete -F _xdp_portblock xdp-portblock
