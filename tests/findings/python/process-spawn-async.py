# expect: process-spawn:7 process-spawn:11
import asyncio
from pty import *


async def main():
    await asyncio.create_subprocess_exec("ls")


asyncio.run(main())
spawn("ls")
