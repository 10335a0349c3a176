# a chat room in memory with asyncio: tasks, queues, cancellation, streams of events
import asyncio
import contextlib
import contextvars
import logging
import sys

logging.basicConfig(level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s", stream=sys.stdout)
log = logging.getLogger("chat")
current_user = contextvars.ContextVar("current_user", default="nobody")


class Room:
    def __init__(self, name):
        self.name, self.members, self.history = name, {}, []

    @contextlib.asynccontextmanager
    async def join(self, user):
        queue = asyncio.Queue()
        self.members[user] = queue
        await self.broadcast("*", f"{user} joined")
        try:
            yield queue
        finally:
            del self.members[user]
            await self.broadcast("*", f"{user} left")

    async def broadcast(self, sender, text):
        self.history.append((sender, text))
        for user, queue in self.members.items():
            if user != sender:
                queue.put_nowait((sender, text))
        await asyncio.sleep(0)


async def client(room, user, lines, received, patience=0.02):
    current_user.set(user)
    async with room.join(user) as inbox:
        async def listen():
            while True:
                sender, text = await inbox.get()
                received.setdefault(user, []).append(f"{sender}: {text}")
                inbox.task_done()

        listener = asyncio.create_task(listen(), name=f"listen-{user}")
        for line in lines:
            await room.broadcast(user, line)
            await asyncio.sleep(0.001)
            log.info("%s said %r", current_user.get(), line)
        await asyncio.sleep(patience)
        await inbox.join()
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener
        return len(received[user])


async def periodic(interval, times, action):
    loop = asyncio.get_running_loop()
    start = loop.time()
    for n in range(times):
        action(n)
        await asyncio.sleep(max(0, start + (n + 1) * interval - loop.time()))


async def main():
    room, received = Room("lobby"), {}
    counts = await asyncio.gather(client(room, "ann", ["hi", "how are you?"], received, patience=0.2), client(room, "bob", ["hello ann"], received))
    print(counts, room.members)
    for user in sorted(received):
        print(user, received[user])
    print(room.history)
    ticks = []
    await asyncio.wait_for(periodic(0.002, 4, ticks.append), timeout=5)
    print(ticks, current_user.get())
    lock, order = asyncio.Lock(), []

    async def critical(n):
        async with lock:
            order.append(f"in{n}")
            await asyncio.sleep(0)
            order.append(f"out{n}")

    await asyncio.gather(*map(critical, range(3)))
    print(order)
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(0.001, future.set_result, "later")
    print(await future, future)
    done, pending = await asyncio.wait([asyncio.create_task(asyncio.sleep(n, n)) for n in (0.001, 5)], return_when=asyncio.FIRST_COMPLETED)
    print([t.result() for t in done], len(pending))
    for task in pending:
        task.cancel()
    print(await asyncio.gather(*pending, return_exceptions=True))
    queue = asyncio.PriorityQueue()
    for item in (3, 1, 2):
        await queue.put(item)
    print([queue.get_nowait() for _ in range(3)])
    try:
        await asyncio.wait_for(asyncio.shield(asyncio.sleep(0.05)), 0.001)
    except asyncio.TimeoutError:
        print("timeout")
    reader = asyncio.StreamReader()
    reader.feed_data(b"line one\nline two\nrest")
    reader.feed_eof()
    print([line async for line in reader])
    condition, ready = asyncio.Condition(), []

    async def waits():
        async with condition:
            await condition.wait_for(lambda: ready)
            return ready.pop()

    task = asyncio.create_task(waits())
    await asyncio.sleep(0)
    async with condition:
        ready.append("signal")
        condition.notify_all()
    print(await task, task.done(), asyncio.current_task().get_name())


asyncio.run(main(), debug=False)
