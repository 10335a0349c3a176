# asyncio: tasks, groups, timeouts, queues
import asyncio


async def work(name, seconds):
    await asyncio.sleep(seconds)
    return name


async def main():
    print(await asyncio.gather(work("slow", 0.03), work("fast", 0.01)))
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work(number, 0.001 * number)) for number in range(3)]
    print([task.result() for task in tasks])
    try:
        await asyncio.wait_for(work("late", 5), 0.01)
    except TimeoutError:
        print("timeout")
    queue = asyncio.Queue()
    async def produce():
        for number in range(3):
            await queue.put(number)
        await queue.put(None)
    task = asyncio.create_task(produce())
    while (thing := await queue.get()) is not None:
        print("took", thing)
    await task
    event = asyncio.Event()
    asyncio.get_running_loop().call_later(0.01, event.set)
    await event.wait()
    for finished in asyncio.as_completed([work("b", 0.02), work("a", 0.001)]):
        print(await finished)
    return "done"


print(asyncio.run(main()))
