# os._exit in a task, below a generator and a callback
# exit = 5
import asyncio
import os


def numbers():
    try:
        yield 1
        sorted([2, 1], key=lambda number: os._exit(5))
    finally:
        print("closed")


async def task():
    try:
        await asyncio.sleep(0)
        print(list(map(str, numbers())))
    except BaseException:
        print("caught")


async def main():
    async with asyncio.TaskGroup() as group:
        group.create_task(task())
    print("after")


print("before")
asyncio.run(main())
