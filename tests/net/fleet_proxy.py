# SPDX-License-Identifier: GPL-2.0-only
"""Between a host and etcd: fleet_proxy.py LISTEN-PORT ETCD-PORT FOLDER

Hands on all bytes, until there is a file in FOLDER. `swallow`: what etcd sends on connections that carry a watch, or
have carried nothing since it is there, is read and thrown away; they stay open. `inject`: its text goes to the watches
once, as a piece of the stream, and it is removed. `close`: the watches are closed, and it is removed."""
import asyncio
import os
import sys

listen, etcd, folder = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
watches = []  # [writer to the host, swallowed]


def there(name):
    return os.path.exists(os.path.join(folder, name))


def take(name):
    path = os.path.join(folder, name)
    with open(path, 'rb') as file:
        text = file.read()
    os.unlink(path)
    return text


async def hand_on(reader, writer, watch, is_request):
    while data := await reader.read(65536):
        if is_request and b'/v3/watch' in data:
            watches.append(writer_of[watch])
        if not is_request and writer in watches and there('swallow'):
            continue
        writer.write(data)
        await writer.drain()
    writer.close()


writer_of = {}


async def serve(reader, writer):
    try:
        up_reader, up_writer = await asyncio.open_connection('127.0.0.1', etcd)
    except OSError:
        writer.close()
        return
    key = id(writer)
    writer_of[key] = writer
    await asyncio.gather(hand_on(reader, up_writer, key, True),
                         hand_on(up_reader, writer, key, False), return_exceptions=True)


async def look():
    while True:
        await asyncio.sleep(0.05)
        if there('inject'):
            text = take('inject')
            for writer in watches:
                writer.write(b'%x\r\n%s\r\n' % (len(text), text))
        if there('close'):
            take('close')
            for writer in watches:
                writer.close()
            watches.clear()


async def main():
    server = await asyncio.start_server(serve, '0.0.0.0', listen)
    print('ready', flush=True)
    asyncio.ensure_future(look())
    async with server:
        await server.serve_forever()

asyncio.run(main())
