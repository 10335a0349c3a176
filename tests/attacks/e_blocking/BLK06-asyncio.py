# BLK06 sleeps for an hour in an event loop
# limits = { wall = "500ms" }
# expect = ["limited:wall"]
# --- twin
import asyncio
asyncio.run(asyncio.sleep(0.01))
print("ok")
# --- attack
import asyncio
async def many():
    await asyncio.gather(*(asyncio.sleep(3600) for _ in range(100)))
asyncio.run(many())
