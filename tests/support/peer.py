"""The other end of a WebSocket, for tests that say and hear exactly what is on the wire."""

import contextlib
import json
from collections.abc import AsyncGenerator
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

Message = dict[str, Any]
FRAME_BYTES = 640


class Peer:
    """A raw client: JSON out, JSON in."""

    def __init__(self, websocket: ClientConnection) -> None:
        self.websocket = websocket
        self.created: Message = {}

    async def say(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        await self.websocket.send(json.dumps({"type": kind} | fields))

    async def play(self, pcm: bytes, frame_bytes: int = FRAME_BYTES) -> None:
        """Send audio in frames of 20 ms."""
        for start in range(0, len(pcm), frame_bytes):
            await self.websocket.send(pcm[start : start + frame_bytes])

    async def hear(self) -> Message:
        """The next message."""
        message: Message = json.loads(await self.websocket.recv())
        return message

    async def hear_until(self, kind: str) -> list[Message]:
        """Messages up to the first of this type."""
        heard = [await self.hear()]
        while heard[-1]["type"] != kind:
            heard.append(await self.hear())
        return heard

    async def wait_for(self, kind: str) -> Message:
        """The next message of this type."""
        return (await self.hear_until(kind))[-1]

    async def hear_all(self) -> list[Message]:
        """Everything until the connection is closed."""
        heard: list[Message] = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                heard.append(await self.hear())
        return heard

    async def close_code(self) -> int:
        """The code with which the server closes; what it says before is skipped."""
        await self.hear_all()
        assert self.websocket.close_code is not None
        return self.websocket.close_code

    async def create(self, **fields: Any) -> Message:
        """Open a session, resume or join one; returns `session.created`."""
        await self.say("session.create", **fields)
        self.created = await self.wait_for("session.created")
        return self.created

    def resume(self, after: int) -> Message:
        """The fields of a `session.create` that resumes this session."""
        token = self.created["resume_token"]
        return {
            "session_id": self.created["session_id"],
            "resume": {"token": token, "after": after},
        }

    def attach(self) -> Message:
        """The fields of a `session.create` that joins this session."""
        token = self.created["attach_token"]
        return {"session_id": self.created["session_id"], "attach": {"token": token}}

    def vanish(self) -> None:
        """Break the connection without a word."""
        self.websocket.transport.abort()


@contextlib.asynccontextmanager
async def peer(url: str, **options: Any) -> AsyncGenerator[Peer]:
    """A connection to `url`; `options` are those of `websockets.connect`."""
    async with connect(url, **dict[str, Any](proxy=None) | options) as websocket:
        yield Peer(websocket)


def types(messages: list[Message]) -> list[str]:
    """What kind of messages they are."""
    return [message["type"] for message in messages]
