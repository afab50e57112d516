# SPDX-License-Identifier: GPL-2.0-only
"""Between who pushes and etcd: fleet_cut.py LISTEN-PORT ETCD-PORT FOLDER

Hands on requests, which it counts, until the one that FOLDER/at names: "N HOW". HOW is what becomes of that, once: `before`:
etcd does not see it; `after`: etcd has answered it, and nobody hears that. Then the connection is closed; with `-hold` behind it,
nothing is closed, and nothing is handed on any more, for whoever has asked is to be killed. FOLDER/cut says that it is done;
FOLDER/at counts from 1 again where it is written anew."""
import asyncio
import os
import sys

listen, etcd, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
seen, order, held = 0, None, False


def orders():
    """What stands in FOLDER/at; where it is another than before, all begins anew."""
    global seen, order, held
    path = os.path.join(folder, 'at')
    try:
        stat = os.stat(path)
        now = (stat.st_mtime_ns, stat.st_ino)
    except FileNotFoundError:
        return None
    if order is None or order[0] != now:
        with open(path, encoding='utf-8') as file:
            number, how = file.read().split()
        order, seen, held = (now, int(number), how), 0, False
    return order


def say_cut():
    with open(os.path.join(folder, 'cut'), 'w', encoding='utf-8'):
        pass


async def read_request(reader):
    head = await reader.readuntil(b'\r\n\r\n')
    length = [int(line.split(b':')[1]) for line in head.split(b'\r\n') if line.lower().startswith(b'content-length:')]
    return head + (await reader.readexactly(length[0]) if length else b'')


async def hand_back(reader, writer, state):
    while data := await reader.read(65536):
        if held or state['drop']:
            state['answered'].set()
            continue
        writer.write(data)
        await writer.drain()
    writer.close()


async def one_request(request, up, state):
    """Is the connection to be kept?"""
    global seen, held
    at = orders()
    seen += 1
    if held:
        return True
    if not at or seen != at[1]:
        up.write(request)
        await up.drain()
        return True
    held = at[2].endswith('-hold')
    state['drop'] = True
    if at[2].startswith('after'):
        up.write(request)
        await up.drain()
        await state['answered'].wait()
    say_cut()
    return held


async def serve(reader, writer):
    up_reader, up = await asyncio.open_connection('127.0.0.1', etcd)
    state = {'drop': False, 'answered': asyncio.Event()}
    back = asyncio.ensure_future(hand_back(up_reader, writer, state))
    try:
        while await one_request(await read_request(reader), up, state):
            pass
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    back.cancel()
    up.close()
    writer.close()


async def main():
    server = await asyncio.start_server(serve, '127.0.0.1', listen)
    print('ready', flush=True)
    async with server:
        await server.serve_forever()

asyncio.run(main())
