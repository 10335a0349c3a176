# producers and consumers with asyncio queues, a semaphore, timeouts and groups
import asyncio
import random

rng = random.Random(7)


async def producer(name, queue, count):
    for number in range(count):
        await asyncio.sleep(0.001)
        await queue.put((name, number, rng.randint(1, 100)))
    await queue.put(None)


async def consumer(queue, results):
    while (item := await queue.get()) is not None:
        name, number, value = item
        results.append(value * value)
        queue.task_done()
    queue.task_done()


async def fetch(number, gate, active):
    async with gate:
        active.append(number)
        await asyncio.sleep(0.002 * (5 - number))
        if number == 3:
            raise ValueError(f"job {number} failed")
        return number * 10


async def ticker(limit):
    for tick in range(limit):
        yield tick
        await asyncio.sleep(0)


class Connection:
    async def __aenter__(self):
        print("open")
        return self

    async def __aexit__(self, kind, value, trace):
        print("close", kind.__name__ if kind else None)
        return kind is KeyError


async def main():
    queue, results = asyncio.Queue(maxsize=2), []
    async with asyncio.TaskGroup() as group:
        group.create_task(producer("a", queue, 5))
        group.create_task(consumer(queue, results))
    print(results, queue.empty())
    gate, active = asyncio.Semaphore(2), []
    outcomes = await asyncio.gather(*(fetch(n, gate, active) for n in range(5)), return_exceptions=True)
    print(outcomes, active)
    done = [await task for task in asyncio.as_completed([asyncio.sleep(d, d) for d in (0.03, 0.01, 0.02)])]
    print(done)
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
    except TimeoutError as error:
        print("timed out", repr(error))
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fetch(3, gate, active))
            group.create_task(asyncio.sleep(5))
    except* ValueError as error:
        print(error, error.exceptions)
    print([tick async for tick in ticker(4) if tick % 2])
    async with Connection():
        raise KeyError("swallowed")
    task = asyncio.create_task(asyncio.sleep(1), name="sleeper")
    await asyncio.sleep(0)
    print(task.cancel("enough"), task.get_name())
    try:
        await task
    except asyncio.CancelledError as error:
        print("cancelled", error.args, task.cancelled())
    event, order = asyncio.Event(), []

    async def waiter(n):
        await event.wait()
        order.append(n)

    waiters = [asyncio.create_task(waiter(n)) for n in range(3)]
    await asyncio.sleep(0)
    event.set()
    await asyncio.wait(waiters)
    print(order, await asyncio.to_thread(sum, [1, 2, 3]))


asyncio.run(main())
