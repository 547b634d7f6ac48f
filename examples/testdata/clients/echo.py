"""python3-websockets: echoes of every size and kind, against the URL given."""
import asyncio
import sys

import websockets


async def main(url):
    messages = ["text", "", b"", b"\x00\x01\xfe\xff", "äöü€\U0001f600"]
    for size in (125, 126, 65535, 65536, 1 << 20):
        messages += ["x" * size, bytes(i % 251 for i in range(size))]
    async with websockets.connect(url, max_size=None) as ws:
        for message in messages:
            await ws.send(message)
            answer = await ws.recv()
            assert answer == message, f"{len(message)} came back as {len(answer)}"
        await ws.send(["frag", "", "men", "ted"])
        assert await ws.recv() == "fragmented"
        await ws.send([b"\x00" * 70000, b"\x01" * 70000])
        assert await ws.recv() == b"\x00" * 70000 + b"\x01" * 70000
        await asyncio.wait_for(await ws.ping(b"payload"), 5)
    assert ws.close_code == 1000, ws.close_code
    print("ok")


asyncio.run(main(sys.argv[1]))
