# Runs two coroutines.
import asyncio


async def twice(n):
    await asyncio.sleep(0)
    return 2 * n


async def main():
    print(sum(await asyncio.gather(twice(1), twice(int(input())))))


asyncio.run(main())
