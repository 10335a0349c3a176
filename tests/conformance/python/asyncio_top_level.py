# await outside a function
# value = "3"
# json = "3"
import asyncio

await asyncio.sleep(0.001)
results = [number async for number in (n for n in [])] if False else await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2))
print(results)
sum(results)
