#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
"""Brings a ruleset of xdp-portblock to what a text of rules says, until that is confirmed."""

import os

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r'''
module: xdp_portblock_rules
short_description: Apply rules of xdp-portblock, to be confirmed
description:
  - Rules that are wrong, and rules that are in force already, change nothing.
  - What it applies is taken back by the kernel's clock, unless C(xdp-portblock confirm) is called in time.
  - In check mode, with C(--diff), it says what it would do.
author: The authors of xdp-portblock
options:
  rules: {description: 'As in a file of xdp-portblock.rules(5).', type: str, required: true}
  ruleset: {description: The ruleset of the host., type: str, default: default}
  folder: {description: What names of files in the rules are relative to., type: str, default: /etc/xdp-portblock}
  interfaces: {description: Where the filter is loaded if it is not., type: list, elements: str, default: []}
  confirm: {description: Seconds until it is taken back., type: int, default: 60}
  program: {description: The program., type: str, default: xdp-portblock}
'''

EXAMPLES = r'''
- xdp_portblock_rules:
    rules: |
      drop tcp dport 23
    interfaces: [eth0]
'''

RETURN = r'''
waits: {description: Is there a change that waits to be confirmed?, type: bool, returned: success}
loaded: {description: 'Interfaces on which it was loaded, or would be.', type: list, returned: success}
'''

SPEC = {
    'rules': {'type': 'str', 'required': True},
    'ruleset': {'type': 'str', 'default': 'default'},
    'folder': {'type': 'str', 'default': '/etc/xdp-portblock'},
    'interfaces': {'type': 'list', 'elements': 'str', 'default': []},
    'confirm': {'type': 'int', 'default': 60},
    'program': {'type': 'str', 'default': 'xdp-portblock'},
}
SAME, DIFFERS = 0, 1  # of `xdp-portblock diff`


class Host:
    """The program on this host."""

    def __init__(self, module):
        self.module = module
        self.program = module.get_bin_path(module.params['program'], required=True)
        self.ruleset = module.params['ruleset']
        # As long as there is none, no rule can name a file of it.
        self.folder = module.params['folder'] if os.path.isdir(module.params['folder']) else '/'

    def fail(self, err):
        said = err.strip().replace('xdp-portblock: ', '').replace('standard input', 'rules')
        self.module.fail_json(msg=said)

    def run(self, *words, rules=False, also=()):
        """Its status and what it printed; a status that is neither 0 nor one of `also` is the end."""
        status, out, err = self.module.run_command(
            [self.program, *words], cwd=self.folder, data=self.module.params['rules'] if rules else None)
        if status != 0 and status not in also:
            self.fail(err or out)
        return status, out

    def is_loaded(self):
        return any(interface['ruleset'] == self.ruleset for interface in self.interfaces())

    def interfaces(self):
        return self.module.from_json(self.run('status', '--json')[1])['interfaces']

    def unloaded(self):
        """Interfaces that lack the ruleset. What it says of one that has another is the program's."""
        there = [interface['name'] for interface in self.interfaces() if interface['ruleset'] == self.ruleset]
        return [name for name in self.module.params['interfaces'] if name not in there]

    def difference(self):
        status, out = self.run('diff', '--ruleset', self.ruleset, '-', rules=True, also=(DIFFERS,))
        return out if status == DIFFERS else ''

    def load(self, names):
        if names:
            self.run('load', '--ruleset', self.ruleset, '--', *names)

    def apply(self):
        self.run('apply', '--confirm', '%ds' % self.module.params['confirm'], '--ruleset', self.ruleset, '-', rules=True)

    def will_be(self):
        """The difference of a ruleset that is still to be made: all of it."""
        return ''.join('+%s\n' % line for line in self.module.params['rules'].splitlines())


def main():
    module = AnsibleModule(SPEC, supports_check_mode=True)
    if not (module.params['rules'] or '').strip():
        module.fail_json(msg='there are no rules: where nothing is to be blocked, say `policy allow`')
    host = Host(module)
    host.run('check', '-', rules=True)
    names = host.unloaded()
    if not module.check_mode:
        host.load(names)
    # Loading an interface is no difference of rules, and a ruleset that is new has none and blocks nothing.
    new = module.check_mode and names and not host.is_loaded()
    difference = host.will_be() if new else host.difference()
    waits = bool(difference) and not module.check_mode
    if waits:
        host.apply()
    loads = ''.join('load on %s\n' % name for name in names)
    module.exit_json(changed=bool(names or difference), waits=waits, loaded=names,
                     diff={'prepared': loads + difference})


if __name__ == '__main__':
    main()
