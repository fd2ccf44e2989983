import asyncio, sys, wave
from bargein_client import connect


async def main(url: str, path: str) -> None:
    async with connect(url) as session:
        await session.agent_started()
        with wave.open(path) as audio:  # 16 kHz, mono, 16 bit
            await session.send_audio(audio.readframes(audio.getnframes()))
        await session.close()
        print(*[event async for event in session], sep="\n")


asyncio.run(main(*sys.argv[1:]))
