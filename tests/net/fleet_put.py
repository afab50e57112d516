# SPDX-License-Identifier: GPL-2.0-only
"""What a push writes to etcd, step by step, for tests of the agent alone: fleet_put.py URL COMMAND ...

push NAME FILE UPTO [KEYFILE [TIME]]
				a revision and its stage, in one transaction; prints its id and number. UPTO: `all`, or
				those who take part, of all hosts: `h1,h2/h1,h2,h3`; the time of the revision is one
				that gives them the first places, or that one
stage NAME STATE		the stage becomes `done` or `stopped`; done: the revision becomes the good one, too
host HOST			what the host says of itself
"""
import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import urllib.request

url, command, *words = sys.argv[1:]
PREFIX = '/xdp-portblock/'
ALL = 'f' * 64


def b64(text):
    return base64.b64encode(text.encode()).decode()


def ask(path, body):
    request = urllib.request.Request(url + path, json.dumps(body).encode())
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
        return json.load(answer)


def get(key):
    kvs = ask('/v3/kv/range', {'key': b64(PREFIX + key)}).get('kvs')
    return (json.loads(base64.b64decode(kvs[0]['value'])), int(kvs[0]['mod_revision'])) if kvs else (None, 0)


def put_all(**values):
    puts = [{'request_put': {'key': b64(PREFIX + key.replace('__', '/')), 'value': b64(json.dumps(value))}}
            for key, value in values.items()]
    return int(ask('/v3/kv/txn', {'success': puts})['header']['revision'])


def digest(*texts):
    return hashlib.sha256('\n'.join(texts).encode()).hexdigest()


def revision(name, path, time):
    with open(path, encoding='utf-8') as file:
        text = file.read()
    author = 'test@here'
    return {'format': 1, 'ruleset': name, 'id': digest(name, author, time, text), 'file': text, 'author': author,
            'time': time}


def sign(identity, keyfile):
    with tempfile.NamedTemporaryFile() as message:
        message.write(b'xdp-portblock revision 1\n' + bytes.fromhex(identity))
        message.flush()
        raw = subprocess.run(['openssl', 'pkeyutl', '-sign', '-rawin', '-inkey', keyfile, '-in', message.name],
                             check=True, capture_output=True).stdout
    return base64.b64encode(raw).decode()


def up_to(hosts, identity):
    """The place of the last of `first` hosts, who are the first of all for this id."""
    return max(digest(host, identity) for host in hosts)


def push(name, path, upto, keyfile=None, at=None):
    """The second of its time is chosen so that those hosts are the first of all: `upto` is FIRST/ALL."""
    for second in range(100000):
        time = '2026-01-%02dT%02d:%02d:%02dZ' % (1 + second // 86400, second // 3600 % 24, second // 60 % 60, second % 60)
        made = revision(name, path, at or time)
        if upto == 'all':
            place = ALL
            break
        first, all_of = (part.split(',') for part in upto.split('/'))
        place = up_to(first, made['id'])
        if all(digest(host, made['id']) > place for host in all_of if host not in first):
            break
    good, number = get('good/' + name)
    if keyfile:
        made['signature'] = sign(made['id'], keyfile)
    if good:
        made['previous'] = good['revision']
    stage = {'format': 1, 'id': made['id'], 'upto': place, 'stage': 1, 'of': 1 if upto == 'all' else 2, 'state': 'running'}
    if good:
        stage['back'] = good['revision']
    number = put_all(**{'rulesets__' + name: made, 'stages__' + name: stage})
    print(made['id'], number)


def set_stage(name, state):
    now, _ = get('stages/' + name)
    wanted, number = get('rulesets/' + name)
    now['state'] = state
    values = {'stages__' + name: now}
    if state == 'done':
        now.update(upto=ALL, stage=now['of'])
        values['good__' + name] = dict(wanted, revision=number)
    else:
        now['reason'] = 'stopped by the test'
    put_all(**values)


if command == 'push':
    push(*words)
elif command == 'stage':
    set_stage(*words)
elif command == 'host':
    print(json.dumps(get('hosts/' + words[0])[0]))
else:
    sys.exit('no command ' + command)
