#compdef xdp-portblock
# SPDX-License-Identifier: GPL-2.0-only
#
# Completion for zsh; installed as _xdp-portblock.

# One that begins with - is an option, unless -- stands before it.
_xdp_portblock_interfaces() {
	local -a names=(/sys/class/net/*(N:t))

	((${words[(I)--]})) || names=(${names:#-*})
	compadd -- $names
}

_xdp_portblock_rulesets() {
	compadd -- ${LIBXDP_BPFFS:-/sys/fs/bpf}/xdp-portblock/*(N:t)
}

# Quiet where it needs root.
_xdp_portblock_ids() {
	compadd -- ${(f)"$(xdp-portblock rule list -j -r ${opt_args[-r]:-${opt_args[--ruleset]:-default}} \
		2>/dev/null </dev/null | grep -o '{"id":[0-9]*' | cut -d : -f 2)"}
}

# The text form, since JSON has all elements.
_xdp_portblock_sets() {
	compadd -- ${(f)"$(xdp-portblock set list -r ${opt_args[-r]:-${opt_args[--ruleset]:-default}} \
		2>/dev/null </dev/null | tail -n +3 | cut -d ' ' -f 1)"}
}

_xdp_portblock_elements() {
	if compset -P @; then
		_files
	else
		_message 'elements (192.0.2.7,2001:db8::/32), @./FILE or -'
	fi
}

_xdp_portblock_protocols() {
	_values -s , protocol tcp udp sctp dccp udplite
}

_xdp_portblock_outcomes() {
	_values -s , outcome pass drop-rule drop-policy reject audit noport fragment malformed unparsable all
}

_xdp_portblock_prefixes() {
	if compset -P @; then
		_files
	else
		_message 'prefixes (10.0.0.0/8,2001:db8::1) or @FILE'
	fi
}

_xdp_portblock_rule_words() {
	compadd -- drop reject allow audit tcp udp sctp dccp udplite \
		dport sport from except new over burst each total expires comment
}

_xdp_portblock_del_words() {
	_xdp_portblock_ids
	_xdp_portblock_rule_words
}

_xdp_portblock_commands() {
	local -a commands=(
		'load:load the filter on interfaces'
		'unload:take the filter off interfaces'
		'upgrade:put this version of the program in place, rules kept'
		'status:what is loaded where, and what became of packets'
		'rule:add, delete and list rules'
		'set:sources by name'
		'policy:print or set what happens where no rule matches'
		'replies:whether policy deny passes packets of own connections'
		'fragments:what happens to fragments after the first'
		'unparsable:what happens to too many tags or extension headers'
		'answers:how many senders are told that they are rejected, a second and CPU'
		'save:write the ruleset to a file, or stdout'
		'check:look for faults in a file'
		'diff:how a file differs from the loaded ruleset'
		'apply:make the loaded ruleset that of a file, in one step'
		'confirm:keep the change that waits to be confirmed'
		'rollback:take the change that waits to be confirmed back at once'
		'stats:packets and bytes of rules and interfaces, and their rates'
		'top:the same as a live table'
		'monitor:dropped and audited packets as they come'
		'explain:what would happen to a packet, and why'
		'doctor:look for what may stand in the way'
		'fleet:one ruleset on many hosts'
		'help:print help'
	)
	_describe command commands
}

_xdp_portblock_rule_commands() {
	local -a commands=(
		'add:add a rule, or change the action of the same rule'
		'del:delete rules by id, or the same rule'
		'list:list the rules with their counters'
		'flush:delete all rules'
		'reset:set the counters of rules and interfaces to 0'
	)
	_describe 'rule command' commands
}

_xdp_portblock_set_commands() {
	local -a commands=(
		'create:make a set'
		'add:add elements to a set, or renew their time'
		'del:delete elements of a set'
		'test:is an address in a set'
		'list:list the sets, or the elements of one'
		'flush:delete all elements of a set'
		'load:make a set that of a list, in one step'
		'restore:add the elements that save has written'
		'destroy:remove a set that no rule names'
		'swap:exchange two sets in one step'
	)
	_describe 'set command' commands
}

_xdp_portblock_fleet_commands() {
	local -a commands=(
		'follow:keep the rulesets of this host what the fleet says'
		'push:bring rules to all hosts, stage by stage, or back'
		'status:which host has what, and who carries a rollout'
		'history:the revisions that were pushed'
		'diff:how the revision of the fleet differs from the rules of this host'
		'rollback:push a revision again that was good'
		'forget:a host that is gone was taken out of service'
		'group:which rulesets the hosts of a group follow'
		'set:what the hosts share in a set'
	)
	_describe 'fleet command' commands
}

_xdp_portblock_fleet_group_commands() {
	local -a commands=(
		'list:the groups, and what their hosts follow'
		'set:make these the rulesets of a group'
		'del:take a group away'
	)
	_describe 'fleet group command' commands
}

_xdp_portblock_fleet_set_commands() {
	local -a commands=(
		'add:ban addresses on all hosts'
		'del:take bans away'
		'load:make the list of a set that of a file'
		'flush:take all bans and the list away'
		'list:the bans, and how long the list is'
	)
	_describe 'fleet set command' commands
}

# Behind `help`
_xdp_portblock_group_commands() {
	local group=$words[CURRENT-1]

	[[ $group != (rule|set|fleet) ]] || _xdp_portblock_${group}_commands
}

# Behind `help fleet set`, and `help fleet group`
_xdp_portblock_inner_commands() {
	[[ "$words[CURRENT-2] $words[CURRENT-1]" != fleet\ (group|set) ]] ||
		_xdp_portblock_fleet_${words[CURRENT-1]}_commands
}

_xdp_portblock() {
	local curcontext=$curcontext command
	local -A opt_args
	local -a common ruleset json match force change timeout elements config rollout

	common=(
		'*'{-v,--verbose}'[say more]'
		'(- *)'{-h,--help}'[print help]'
	)
	ruleset=('(-r --ruleset)'{-r,--ruleset}'[the ruleset]:ruleset:_xdp_portblock_rulesets')
	json=('(-j --json)'{-j,--json}'[print JSON]')
	timeout=('--timeout[how long elements count]:duration (10m, 1d, 0): ')
	config=('--config[what is known of the fleet]:file:_files')
	rollout=(
		'--stages[hosts, or parts of them, one stage after the other]:stages (1,10%,100%): '
		'--wait[how long a stage may take]:duration (60s, 5m): '
		'--sign[sign it with this private key]:file:_files'
	)
	elements=('--elements[a file of the elements of sets]:file:_files')
	force=('(-f --force)'{-f,--force}'[even if it cuts the SSH connection in use]')
	change=(
		'--confirm[take the change back after that time unless it is confirmed]:duration (60s, 5m): '
		'(-f --force)'{-f,--force}'[even if it cuts the SSH connection in use]'
	)
	match=(
		'(--sport)--port[destination ports]:ports (22,80-90): '
		'(--port --new)--sport[source ports]:ports (22,80-90): '
		'--proto[protocols]:protocols:_xdp_portblock_protocols'
		'--action[what to do]:action:(drop reject allow audit)'
		'--from[only from these prefixes]:prefixes:_xdp_portblock_prefixes'
		'--except[not from these prefixes]:prefixes:_xdp_portblock_prefixes'
		'(--sport)--new[only packets of no connection of this host]'
		'--over[only packets beyond a rate]:rate (6/m, 100/s, 10mbit/s): '
		'--burst[so many at once]:number (10, 1mbit): '
		'--each[a bucket a source]:what:(source)'
		'--total[and of all sources together]:rate (100/s): '
		'--expires[end the rule after a time]:duration (10m, 1h30m): '
		'--comment[a comment]:text: '
	)

	if ((CURRENT == 2)); then
		if [[ $words[2] == -* ]]; then
			compadd -- -h --help -V --version
		else
			_xdp_portblock_commands
		fi
		return
	fi
	command=$words[2]
	if [[ $command == (rule|set|fleet) ]]; then
		if ((CURRENT == 3)); then
			_xdp_portblock_${command}_commands
			return
		fi
		command="$command $words[3]"
		shift words
		((CURRENT--))
	fi
	if [[ $command == fleet\ (group|set) ]]; then
		if ((CURRENT == 3)); then
			_xdp_portblock_fleet_${command#fleet }_commands
			return
		fi
		command="$command $words[3]"
		shift words
		((CURRENT--))
	fi
	shift words
	((CURRENT--))

	case $command in
	load)
		_arguments -s -S $common $ruleset $elements \
			'(-m --mode)'{-m,--mode}'[where in the kernel to attach]:mode:(auto native skb hw)' \
			'--engine[what reads frames]:engine:(bpf native)' \
			'(-p --policy)'{-p,--policy}'[what happens where no rule matches]:policy:(allow deny reject)' \
			'--priority[place in the chain of XDP programs]:number: ' \
			'--require-dispatcher[fail where other XDP programs could not be added]' \
			'--max-rules[room for rules in a new ruleset]:number: ' \
			'--rules[apply a file of rules before packets are judged]:file:_files' \
			'(-f --force)'{-f,--force}'[even if it cuts the SSH connection in use]' \
			'--max-sources[room for source prefixes in a new ruleset]:number: ' \
			'--max-buckets[sources with a bucket each, of rates]:number: ' \
			'--group[who may read the ruleset without root]:group:_groups' \
			'*:interface:_xdp_portblock_interfaces'
		;;
	unload)
		_arguments -s -S $common \
			'(-a --all *)'{-a,--all}'[all interfaces, and pins left over]' \
			'(-k --keep)'{-k,--keep}'[keep the pinned rules for a later load]' \
			'*:interface:_xdp_portblock_interfaces'
		;;
	upgrade)
		_arguments -s -S $common \
			'(-a --all *)'{-a,--all}'[all interfaces that are loaded]' \
			'*:interface:_xdp_portblock_interfaces'
		;;
	status) _arguments -s -S $common $json '*:interface:_xdp_portblock_interfaces' ;;
	'rule add') _arguments -s -S $common $match $change $ruleset $json '*:rule:_xdp_portblock_rule_words' ;;
	'rule del') _arguments -s -S $common $match $change $ruleset '*:id or rule:_xdp_portblock_del_words' ;;
	'rule list') _arguments -s -S $common $ruleset $json ;;
	'rule flush') _arguments -s -S $common $change $ruleset ;;
	'rule reset') _arguments -s -S $common $ruleset ;;
	'set create')
		_arguments -s -S $common $ruleset $timeout '--max[room for elements]:number: ' ':name: '
		;;
	'set add')
		_arguments -s -S $common $ruleset $force $timeout ':set:_xdp_portblock_sets' \
			'*:elements:_xdp_portblock_elements'
		;;
	'set del')
		_arguments -s -S $common $ruleset $force ':set:_xdp_portblock_sets' \
			'*:elements:_xdp_portblock_elements'
		;;
	'set test') _arguments -s -S $common $ruleset $json ':set:_xdp_portblock_sets' ':address: ' ;;
	'set list') _arguments -s -S $common $ruleset $json ':set:_xdp_portblock_sets' ;;
	'set flush') _arguments -s -S $common $ruleset $force ':set:_xdp_portblock_sets' ;;
	'set load') _arguments -s -S $common $ruleset $force ':set:_xdp_portblock_sets' ':file:_files' ;;
	'set restore') _arguments -s -S $common $ruleset $force ':file:_files' ;;
	'set destroy') _arguments -s -S $common $ruleset ':set:_xdp_portblock_sets' ;;
	'set swap')
		_arguments -s -S $common $ruleset $force ':set:_xdp_portblock_sets' ':set:_xdp_portblock_sets'
		;;
	policy) _arguments -s -S $common $change $ruleset $json ':policy:(allow deny reject)' ;;
	replies) _arguments -s -S $common $change $ruleset $json ':replies:(on off)' ;;
	fragments) _arguments -s -S $common $change $ruleset $json ':fragments:(pass drop)' ;;
	unparsable) _arguments -s -S $common $change $ruleset $json ':unparsable:(drop pass)' ;;
	answers) _arguments -s -S $common $change $ruleset $json ':answers:(100/s 1000/s 10000/s off)' ;;
	save) _arguments -s -S $common $ruleset $elements $json ':file:_files' ;;
	check) _arguments -s -S $common '--max-rules[how many rules must fit]:number: ' ':file:_files' ;;
	diff) _arguments -s -S $common $ruleset ':file:_files' ;;
	apply) _arguments -s -S $common $elements $change $ruleset ':file:_files' ;;
	confirm) _arguments -s -S $common $ruleset $force ;;
	rollback) _arguments -s -S $common $ruleset $force ;;
	stats)
		_arguments -s -S $common $ruleset \
			'(-i --interval)'{-i,--interval}'[read again after so long]:seconds: ' \
			'(-c --count)'{-c,--count}'[end after so many readings]:number: ' \
			'(--prometheus)'{-j,--json}'[print JSON]' \
			'(-j --json)--prometheus[print metrics for Prometheus]' \
			'(-o --output)'{-o,--output}'[write them to a file]:file:_files'
		;;
	top)
		_arguments -s -S $common $ruleset \
			'(-i --interval)'{-i,--interval}'[read again after so long]:seconds: '
		;;
	monitor)
		_arguments -s -S $common $ruleset $json \
			'--rule[only packets that this rule decided]:rule id:_xdp_portblock_ids' \
			'--port[only packets with this port]:port: ' \
			'--from[only packets from these prefixes]:prefixes:_xdp_portblock_prefixes' \
			'--outcome[only packets with these outcomes]:outcomes:_xdp_portblock_outcomes' \
			'--rate[packets a second and CPU]:number: ' \
			'(-c --count)'{-c,--count}'[end after so many packets]:number: ' \
			'(-w --write)'{-w,--write}'[write a pcap file]:file:_files' \
			'(-s --snaplen)'{-s,--snaplen}'[how much of each packet]:bytes: '
		;;
	explain)
		_arguments -s -S $common $ruleset $json \
			'--port[destination port]:port: ' \
			'--sport[source port]:port: ' \
			'--proto[protocol]:protocol:(tcp udp sctp dccp udplite)' \
			'--from[source address]:address: ' \
			'--to[destination address]:address: ' \
			'(-i --interface)'{-i,--interface}'[as it would come in there]:interface:_xdp_portblock_interfaces' \
			'--hex[print the bytes of the packet]' \
			':pcap file:_files'
		;;
	doctor)
		_arguments -s -S $common $json '--fix[remove stale leftovers]' \
			':interface:_xdp_portblock_interfaces'
		;;
	'fleet follow') _arguments -s -S $common $config '--once[do what is to be done now, and end]' ;;
	'fleet push')
		_arguments -s -S $common $config $rollout $json \
			'--note[what it is for]:text: ' \
			'--resume[go on with a rollout whose process has died]' \
			':file:_files' ':ruleset: '
		;;
	'fleet status')
		_arguments -s -S $common $config \
			'(--prometheus)'{-j,--json}'[print JSON]' \
			'(-j --json)--prometheus[print metrics for Prometheus]' \
			'(-o --output)'{-o,--output}'[write them to a file]:file:_files'
		;;
	'fleet history') _arguments -s -S $common $config $json ':ruleset: ' ;;
	'fleet diff') _arguments -s -S $common $config ':ruleset: ' ;;
	'fleet rollback') _arguments -s -S $common $config $rollout $json ':ruleset: ' ':revision: ' ;;
	'fleet forget') _arguments -s -S $common $config ':host: ' ;;
	'fleet group list') _arguments -s -S $common $config $json ;;
	'fleet group set')
		_arguments -s -S $common $config '--sign[sign it with this private key]:file:_files' \
			':group: ' ':rulesets (default=web,inner=db): '
		;;
	'fleet group del') _arguments -s -S $common $config ':group: ' ;;
	'fleet set add') _arguments -s -S $common $config $timeout ':set: ' '*:elements:_xdp_portblock_elements' ;;
	'fleet set del') _arguments -s -S $common $config ':set: ' '*:elements:_xdp_portblock_elements' ;;
	'fleet set load') _arguments -s -S $common $config ':set: ' ':file:_files' ;;
	'fleet set flush') _arguments -s -S $common $config ':set: ' ;;
	'fleet set list') _arguments -s -S $common $config $json ':set: ' ;;
	help) _arguments -s -S $common ':command:_xdp_portblock_commands' \
		':command of the group:_xdp_portblock_group_commands' \
		':command of that group:_xdp_portblock_inner_commands' ;;
	esac
}

_xdp_portblock "$@"
