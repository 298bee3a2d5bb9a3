"""Tasks, timeouts, a queue and a subprocess of the event loop."""
import asyncio


async def main():
    queue = asyncio.Queue()
    await asyncio.gather(*(queue.put(n) for n in range(3)))
    process = await asyncio.create_subprocess_exec("/bin/echo", "hi", stdout=asyncio.subprocess.PIPE)
    text, _ = await process.communicate()
    try:
        await asyncio.wait_for(asyncio.sleep(5), 0.01)
    except asyncio.TimeoutError:
        print(queue.qsize(), text.decode().strip(), "timeout")


asyncio.run(main())
