# a last statement that is an `async with` or an `async for` sees the tasks of the lines before
import asyncio


async def count():
    for number in range(2):
        await asyncio.sleep(0)
        yield number


task = asyncio.create_task(asyncio.sleep(0.001, "slept"))
print(task.done())
async with asyncio.timeout(5):
    async for number in count():
        print(number)
    print(await task)
