# asks an API several times from asyncio, with retries and a cache
# api = true
import asyncio
import json
import os
import time
import urllib.error
import urllib.request
from functools import wraps


def retry(times, on):
    def decorate(function):
        @wraps(function)
        async def inner(*args):
            for attempt in range(1, times + 1):
                try:
                    return await function(*args)
                except on as error:
                    print(f"attempt {attempt} of {function.__name__}{args}: {type(error).__name__} {error}")
                    if attempt == times:
                        raise
                    await asyncio.sleep(0.001 * 2**attempt)

        return inner

    return decorate


class Api:
    def __init__(self, base):
        self.base, self.cache, self.requests = base, {}, 0

    def _get(self, path):
        self.requests += 1
        with urllib.request.urlopen(self.base + path) as response:
            return json.load(response)

    @retry(2, urllib.error.HTTPError)
    async def get(self, path):
        if path not in self.cache:
            self.cache[path] = asyncio.ensure_future(asyncio.to_thread(self._get, path))
        try:
            return await self.cache[path]
        except urllib.error.HTTPError:
            del self.cache[path]
            raise

    def __repr__(self):
        return f"Api({sorted(self.cache)})"


async def main():
    api = Api(os.environ["API"])
    start = time.perf_counter()
    users, weather, again = await asyncio.gather(api.get("/users"), api.get("/weather"), api.get("/users"))
    print(len(users), weather["city"], users is again, api.requests)
    try:
        await api.get("/missing")
    except urllib.error.HTTPError as error:
        print("gave up:", error.code, error.msg)
    orders = []
    path = "/orders/page1"
    while path:
        page = await api.get(path)
        orders += page["items"]
        path = page["next"]
    print([order["id"] for order in orders], api.requests, api)
    print(0 <= time.perf_counter() - start < 60)


asyncio.run(main())
