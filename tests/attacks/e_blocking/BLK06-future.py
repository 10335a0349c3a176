# BLK06 waits for a future that nobody fulfils
# limits = { wall = "500ms" }
# expect = ["limited:wall", "limited:fuel", "denied"]
# --- twin
import asyncio
async def fulfilled():
    future = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_soon(future.set_result, 1)
    return await future
assert asyncio.run(fulfilled()) == 1
print("ok")
# --- attack
import asyncio
async def never():
    await asyncio.get_running_loop().create_future()
asyncio.run(never())
