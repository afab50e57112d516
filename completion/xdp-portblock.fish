# SPDX-License-Identifier: GPL-2.0-only
#
# Completion for fish. Commands of several words are written rule-add here.

# The words so far that are no options: the command comes first.
function __xdp_portblock_command
    set -l words (commandline -opc)
    if test (count $words) -lt 2
        return 1
    end
    if contains -- "$words[2] $words[3]" 'fleet set' 'fleet group'
        test (count $words) -gt 3; and printf '%s\n' "fleet-$words[3]-$words[4]"; or echo fleet-$words[3]
    else if contains -- "$words[2]" rule set fleet
        test (count $words) -gt 2; and printf '%s\n' "$words[2]-$words[3]"; or echo $words[2]
    else
        printf '%s\n' $words[2]
    end
end

function __xdp_portblock_is
    contains -- (__xdp_portblock_command) $argv
end

function __xdp_portblock_no_command
    test (count (commandline -opc)) -lt 2
end

# Names are printed as they are: fish quotes what it puts into the line. One that begins
# with - is an option, unless -- stands before it.
function __xdp_portblock_interfaces
    for path in /sys/class/net/*
        set -l name (string replace -r '.*/' '' -- $path)
        if contains -- -- (commandline -opc); or not string match -q -- '-*' $name
            printf '%s\n' $name
        end
    end
end

function __xdp_portblock_rulesets
    set -l bpffs /sys/fs/bpf
    test -n "$LIBXDP_BPFFS"; and set bpffs $LIBXDP_BPFFS
    for path in $bpffs/xdp-portblock/*
        string replace -r '.*/' '' -- $path
    end
end

# -r NAME, or default
function __xdp_portblock_ruleset
    set -l words (commandline -opc)
    set -l ruleset default
    for i in (seq (count $words))
        if contains -- $words[$i] -r --ruleset; and test $i -lt (count $words)
            set ruleset $words[(math $i + 1)]
        end
    end
    printf '%s\n' $ruleset
end

# Quiet where it needs root.
function __xdp_portblock_ids
    xdp-portblock rule list -j -r (__xdp_portblock_ruleset) 2>/dev/null </dev/null | string match -ra '(?<=\{"id":)\d+'
end

# The text form, since JSON has all elements.
function __xdp_portblock_sets
    xdp-portblock set list -r (__xdp_portblock_ruleset) 2>/dev/null </dev/null | tail -n +3 | string replace -r ' .*' ''
end

# The last item of a list with commas between.
function __xdp_portblock_protocols
    set -l before (commandline -ct | string match -r '.*,|.*=')
    for protocol in tcp udp sctp dccp udplite
        printf '%s\n' $before$protocol
    end
end

function __xdp_portblock_outcomes
    set -l before (commandline -ct | string match -r '.*,|.*=')
    for outcome in pass drop-rule drop-policy reject audit noport fragment malformed unparsable all
        printf '%s\n' $before$outcome
    end
end

complete -c xdp-portblock -f

# Commands
complete -c xdp-portblock -n __xdp_portblock_no_command -a load -d 'load the filter on interfaces'
complete -c xdp-portblock -n __xdp_portblock_no_command -a unload -d 'take the filter off interfaces'
complete -c xdp-portblock -n __xdp_portblock_no_command -a upgrade -d 'put this version of the program in place, rules kept'
complete -c xdp-portblock -n __xdp_portblock_no_command -a status -d 'what is loaded where, and what became of packets'
complete -c xdp-portblock -n __xdp_portblock_no_command -a rule -d 'add, delete and list rules'
complete -c xdp-portblock -n __xdp_portblock_no_command -a set -d 'sources by name'
complete -c xdp-portblock -n __xdp_portblock_no_command -a policy -d 'print or set what happens where no rule matches'
complete -c xdp-portblock -n __xdp_portblock_no_command -a replies -d 'whether policy deny passes packets of own connections'
complete -c xdp-portblock -n __xdp_portblock_no_command -a fragments -d 'what happens to fragments after the first'
complete -c xdp-portblock -n __xdp_portblock_no_command -a unparsable -d 'what happens to too many tags or extension headers'
complete -c xdp-portblock -n __xdp_portblock_no_command -a answers -d 'how many senders are told that they are rejected, a second and CPU'
complete -c xdp-portblock -n __xdp_portblock_no_command -a save -d 'write the ruleset to a file, or stdout'
complete -c xdp-portblock -n __xdp_portblock_no_command -a check -d 'look for faults in a file'
complete -c xdp-portblock -n __xdp_portblock_no_command -a diff -d 'how a file differs from the loaded ruleset'
complete -c xdp-portblock -n __xdp_portblock_no_command -a apply -d 'make the loaded ruleset that of a file, in one step'
complete -c xdp-portblock -n __xdp_portblock_no_command -a confirm -d 'keep the change that waits to be confirmed'
complete -c xdp-portblock -n __xdp_portblock_no_command -a rollback -d 'take the change that waits to be confirmed back at once'
complete -c xdp-portblock -n __xdp_portblock_no_command -a stats -d 'packets and bytes of rules and interfaces, and their rates'
complete -c xdp-portblock -n __xdp_portblock_no_command -a top -d 'the same as a live table'
complete -c xdp-portblock -n __xdp_portblock_no_command -a monitor -d 'dropped and audited packets as they come'
complete -c xdp-portblock -n __xdp_portblock_no_command -a explain -d 'what would happen to a packet, and why'
complete -c xdp-portblock -n __xdp_portblock_no_command -a doctor -d 'look for what may stand in the way'
complete -c xdp-portblock -n __xdp_portblock_no_command -a fleet -d 'one ruleset on many hosts'
complete -c xdp-portblock -n __xdp_portblock_no_command -a help -d 'print help'
complete -c xdp-portblock -n __xdp_portblock_no_command -s h -l help -d 'print help'
complete -c xdp-portblock -n __xdp_portblock_no_command -s V -l version -d 'print the version'
complete -c xdp-portblock -n '__xdp_portblock_is rule' -a add -d 'add a rule, or change the action of the same rule'
complete -c xdp-portblock -n '__xdp_portblock_is rule' -a del -d 'delete rules by id, or the same rule'
complete -c xdp-portblock -n '__xdp_portblock_is rule' -a list -d 'list the rules with their counters'
complete -c xdp-portblock -n '__xdp_portblock_is rule' -a flush -d 'delete all rules'
complete -c xdp-portblock -n '__xdp_portblock_is rule' -a reset -d 'set the counters of rules and interfaces to 0'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a create -d 'make a set'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a add -d 'add elements to a set, or renew their time'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a del -d 'delete elements of a set'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a test -d 'is an address in a set'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a list -d 'list the sets, or the elements of one'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a flush -d 'delete all elements of a set'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a load -d 'make a set that of a list, in one step'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a restore -d 'add the elements that save has written'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a destroy -d 'remove a set that no rule names'
complete -c xdp-portblock -n '__xdp_portblock_is set' -a swap -d 'exchange two sets in one step'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a follow -d 'keep the rulesets of this host what the fleet says'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a push -d 'bring rules to all hosts, stage by stage, or back'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a status -d 'which host has what, and who carries a rollout'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a history -d 'the revisions that were pushed'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a diff -d 'how the revision of the fleet differs from the rules of this host'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a rollback -d 'push a revision again that was good'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a forget -d 'a host that is gone was taken out of service'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a group -d 'which rulesets the hosts of a group follow'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-group' -a list -d 'the groups, and what their hosts follow'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-group' -a set -d 'make these the rulesets of a group'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-group' -a del -d 'take a group away'
complete -c xdp-portblock -n '__xdp_portblock_is fleet' -a set -d 'what the hosts share in a set'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-set' -a add -d 'ban addresses on all hosts'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-set' -a del -d 'take bans away'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-set' -a load -d 'make the list of a set that of a file'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-set' -a flush -d 'take all bans and the list away'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-set' -a list -d 'the bans, and how long the list is'

# Options
complete -c xdp-portblock -n '__xdp_portblock_is load' -x -s m -l mode -a 'auto native skb hw' -d 'where in the kernel to attach'
complete -c xdp-portblock -n '__xdp_portblock_is load' -x -l engine -a 'bpf native' -d 'what reads frames'
complete -c xdp-portblock -n '__xdp_portblock_is load' -x -s p -l policy -a 'allow deny reject' -d 'what happens where no rule matches'
complete -c xdp-portblock -n '__xdp_portblock_is load' -x -l priority -d 'place in the chain of XDP programs'
complete -c xdp-portblock -n '__xdp_portblock_is load' -l require-dispatcher -d 'fail where other XDP programs could not be added'
complete -c xdp-portblock -n '__xdp_portblock_is load check' -x -l max-rules -d 'room for rules in a new ruleset'
complete -c xdp-portblock -n '__xdp_portblock_is load' -x -l max-sources -d 'room for source prefixes in a new ruleset'
complete -c xdp-portblock -n '__xdp_portblock_is load' -x -l max-buckets -d 'sources with a bucket each, of rates'
complete -c xdp-portblock -n '__xdp_portblock_is load' -x -l group -a '(__fish_complete_groups)' -d 'who may read the ruleset without root'
complete -c xdp-portblock -n '__xdp_portblock_is set-create set-add fleet-set-add' -x -l timeout -d 'how long elements count'
complete -c xdp-portblock -n '__xdp_portblock_is set-create' -x -l max -d 'room for elements'
complete -c xdp-portblock -n '__xdp_portblock_is unload' -s a -l all -d 'all interfaces, and pins left over'
complete -c xdp-portblock -n '__xdp_portblock_is upgrade' -s a -l all -d 'all interfaces that are loaded'
complete -c xdp-portblock -n '__xdp_portblock_is unload' -s k -l keep -d 'keep the pinned rules for a later load'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l port -d 'destination ports'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l sport -d 'source ports'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l proto -a '(__xdp_portblock_protocols)' -d protocols
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l action -a 'drop reject allow audit' -d 'what to do'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l from -d 'only from these prefixes'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l except -d 'not from these prefixes'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -l new -d 'only packets of no connection of this host'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l over -d 'only packets beyond a rate'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l burst -d 'so many at once'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l each -a source -d 'a bucket a source'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l total -d 'and of all sources together'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l expires -d 'end the rule after a time'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del' -x -l comment -d 'a comment'
complete -c xdp-portblock -n '__xdp_portblock_is load rule-add rule-del rule-list rule-flush rule-reset set-create set-add set-del set-test set-list set-flush set-load set-restore set-destroy set-swap policy replies fragments unparsable answers save diff apply confirm rollback stats top monitor explain' -x -s r -l ruleset -a '(__xdp_portblock_rulesets)' -d 'the ruleset'
complete -c xdp-portblock -n '__xdp_portblock_is status rule-add rule-list set-test set-list policy replies fragments unparsable answers save stats monitor explain doctor fleet-push fleet-status fleet-history fleet-rollback fleet-group-list fleet-set-list' -s j -l json -d 'print JSON'
complete -c xdp-portblock -n '__xdp_portblock_is load unload upgrade status rule-add rule-del rule-list rule-flush rule-reset set-create set-add set-del set-test set-list set-flush set-load set-restore set-destroy set-swap policy replies fragments unparsable answers save check diff apply confirm rollback stats top monitor explain doctor fleet-follow fleet-push fleet-status fleet-history fleet-diff fleet-rollback fleet-forget fleet-group-list fleet-group-set fleet-group-del fleet-set-add fleet-set-del fleet-set-load fleet-set-flush fleet-set-list help' -s v -l verbose -d 'say more'
complete -c xdp-portblock -n '__xdp_portblock_is load unload upgrade status rule-add rule-del rule-list rule-flush rule-reset set-create set-add set-del set-test set-list set-flush set-load set-restore set-destroy set-swap policy replies fragments unparsable answers save check diff apply confirm rollback stats top monitor explain doctor fleet-follow fleet-push fleet-status fleet-history fleet-diff fleet-rollback fleet-forget fleet-group-list fleet-group-set fleet-group-del fleet-set-add fleet-set-del fleet-set-load fleet-set-flush fleet-set-list help' -s h -l help -d 'print help'
complete -c xdp-portblock -n '__xdp_portblock_is load' -r -F -l rules -d 'apply a file of rules before packets are judged'
complete -c xdp-portblock -n '__xdp_portblock_is load save apply' -r -F -l elements -d 'a file of the elements of sets'
complete -c xdp-portblock -n '__xdp_portblock_is rule-add rule-del rule-flush policy replies fragments unparsable answers apply' -x -l confirm -d 'take the change back after that time unless it is confirmed'
complete -c xdp-portblock -n '__xdp_portblock_is load rule-add rule-del rule-flush set-add set-del set-flush set-load set-restore set-swap policy replies fragments unparsable answers apply confirm rollback' -s f -l force -d 'even if it cuts the SSH connection in use'
complete -c xdp-portblock -n '__xdp_portblock_is stats top' -x -s i -l interval -d 'read again after so long'
complete -c xdp-portblock -n '__xdp_portblock_is stats monitor' -x -s c -l count -d 'end after so many'
complete -c xdp-portblock -n '__xdp_portblock_is stats fleet-status' -l prometheus -d 'print metrics for Prometheus'
complete -c xdp-portblock -n '__xdp_portblock_is stats fleet-status' -r -F -s o -l output -d 'write them to a file, in one step'
complete -c xdp-portblock -n '__xdp_portblock_is monitor' -x -l rule -a '(__xdp_portblock_ids)' -d 'only packets that this rule decided'
complete -c xdp-portblock -n '__xdp_portblock_is monitor' -x -l port -d 'only packets with this port'
complete -c xdp-portblock -n '__xdp_portblock_is monitor' -x -l from -d 'only packets from these prefixes'
complete -c xdp-portblock -n '__xdp_portblock_is monitor' -x -l outcome -a '(__xdp_portblock_outcomes)' -d 'only packets with these outcomes'
complete -c xdp-portblock -n '__xdp_portblock_is monitor' -x -l rate -d 'packets a second and CPU'
complete -c xdp-portblock -n '__xdp_portblock_is monitor' -r -F -s w -l write -d 'write a pcap file'
complete -c xdp-portblock -n '__xdp_portblock_is monitor' -x -s s -l snaplen -d 'how much of each packet'
complete -c xdp-portblock -n '__xdp_portblock_is explain' -x -l port -d 'destination port'
complete -c xdp-portblock -n '__xdp_portblock_is explain' -x -l sport -d 'source port'
complete -c xdp-portblock -n '__xdp_portblock_is explain' -x -l proto -a 'tcp udp sctp dccp udplite' -d protocol
complete -c xdp-portblock -n '__xdp_portblock_is explain' -x -l from -d 'source address'
complete -c xdp-portblock -n '__xdp_portblock_is explain' -x -l to -d 'destination address'
complete -c xdp-portblock -n '__xdp_portblock_is explain' -x -s i -l interface -a '(__xdp_portblock_interfaces)' -d 'as it would come in there'
complete -c xdp-portblock -n '__xdp_portblock_is explain' -l hex -d 'print the bytes of the packet'
complete -c xdp-portblock -n '__xdp_portblock_is doctor' -l fix -d 'remove stale leftovers'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-follow fleet-push fleet-status fleet-history fleet-diff fleet-rollback fleet-forget fleet-group-list fleet-group-set fleet-group-del fleet-set-add fleet-set-del fleet-set-load fleet-set-flush fleet-set-list' -r -F -l config -d 'what is known of the fleet'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-follow' -l once -d 'do what is to be done now, and end'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-push fleet-rollback' -x -l stages -d 'hosts, or parts of them, one stage after the other'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-push fleet-rollback' -x -l wait -d 'how long a stage may take'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-push fleet-rollback fleet-group-set' -r -F -l sign -d 'sign it with this private key'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-push' -x -l note -d 'what it is for'
complete -c xdp-portblock -n '__xdp_portblock_is fleet-push' -l resume -d 'go on with a rollout whose process has died'

# Arguments
complete -c xdp-portblock -n '__xdp_portblock_is save check diff apply explain fleet-push' -F
complete -c xdp-portblock -n '__xdp_portblock_is load unload upgrade status doctor' -a '(__xdp_portblock_interfaces)' -d interface
complete -c xdp-portblock -n '__xdp_portblock_is rule-add' -a 'drop reject allow audit tcp udp sctp dccp udplite dport sport from except new over burst each total expires comment'
complete -c xdp-portblock -n '__xdp_portblock_is rule-del' -a '(__xdp_portblock_ids)' -d 'rule id'
complete -c xdp-portblock -n '__xdp_portblock_is set-add set-del set-test set-list set-flush set-load set-destroy set-swap' -a '(__xdp_portblock_sets)' -d set
complete -c xdp-portblock -n '__xdp_portblock_is set-load set-restore' -F
complete -c xdp-portblock -n '__xdp_portblock_is policy' -a 'allow deny reject'
complete -c xdp-portblock -n '__xdp_portblock_is replies' -a 'on off'
complete -c xdp-portblock -n '__xdp_portblock_is fragments' -a 'pass drop'
complete -c xdp-portblock -n '__xdp_portblock_is unparsable' -a 'drop pass'
complete -c xdp-portblock -n '__xdp_portblock_is answers' -a '100/s 1000/s 10000/s off'
complete -c xdp-portblock -n '__xdp_portblock_is help' -a 'load unload upgrade status rule set policy replies fragments unparsable answers save check diff apply confirm rollback stats top monitor explain doctor fleet help'
