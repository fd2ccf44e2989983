import asyncio, sys
from bargein_client.bridges import Call
from bargein_client.bridges.twilio import Twilio
from websockets.asyncio.server import serve


async def answer(twilio):
    async def said(event):  # interruptions have cleared Twilio's playback already
        print(event, flush=True)

    async with Call(Twilio(), to_platform=twilio.send, on_event=said, url=sys.argv[2]) as call:
        async for message in twilio:
            await call.from_platform(message)
            # Your agent goes here. What it says goes out through `call.from_agent(message)`.


async def main():
    async with serve(answer, "127.0.0.1", int(sys.argv[1])) as server:
        print("listening on", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


asyncio.run(main())
