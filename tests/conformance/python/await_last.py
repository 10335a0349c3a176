# a last statement that awaits runs in the loop of what stands before it
# value = "'last'"
# json = "\"last\""
import asyncio


async def work(number):
    await asyncio.sleep(0.001)
    done.append(number)
    return number


done = []
tasks = [asyncio.create_task(work(number)) for number in range(3)]
loop = asyncio.get_running_loop()
queue = asyncio.Queue()
queue.put_nowait("queued")
waiting = asyncio.ensure_future(work(3))
later = loop.create_future()
loop.call_later(0.002, later.set_result, "last")
print(asyncio.current_task().get_name(), await queue.get(), await asyncio.gather(*tasks), await waiting, sorted(done))
await later
