"""One window over HTTP, as the older clients send it.

`POST …/bargein?threshold=&min_frames=&created_at=` with the window as its body; the answer is
`{"created_at": …, "is_bargein": …, "probabilities": […]}`.
"""

import asyncio
from collections.abc import Mapping

import msgspec
import orjson

from bargein_server.livekit.answering import Answered
from bargein_server.livekit.messages import (
    MAX_CREATED_AT,
    DialectError,
    SessionSettings,
    Window,
    make_window,
)
from bargein_server.livekit.session import MakeAnswering


def read_settings(query: Mapping[str, str]) -> SessionSettings:
    """What the query asks for.

    Raises:
        DialectError: a value that cannot be.
    """
    named = {name: query[name] for name in ("threshold", "min_frames") if query.get(name)}
    try:
        return msgspec.convert(named, SessionSettings, strict=False)
    except msgspec.ValidationError as error:
        raise DialectError(400, f"query: {error}") from None


def read_window(query: Mapping[str, str], body: bytes) -> Window:
    """The window and its name.

    Raises:
        DialectError: no name, or no window.
    """
    name = query.get("created_at", "")
    if not (name.isascii() and name.isdigit() and int(name[:20]) <= MAX_CREATED_AT):
        raise DialectError(400, "query: created_at is an unsigned integer of 64 bits")
    return make_window(int(name), body)


async def judge(window: Window, settings: SessionSettings, make: MakeAnswering) -> Answered:
    """Answer one window that has no past."""
    said: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
    answering = make(settings, said.set_result)
    answering.take(window)
    try:
        return await said
    finally:
        answering.close()


def encode_answer(answered: Answered) -> bytes:
    """The body of the answer."""
    return orjson.dumps(
        {
            "created_at": answered.answer.created_at,
            "is_bargein": answered.judgement.interruption,
            "probabilities": answered.judgement.probabilities,
        }
    )
