"""What a type checker sees of `bargein_client`; read by mypy and pyright, never run."""

from typing import assert_type

from bargein_client import BargeinError, ClientError, Session, SessionState, connect
from bargein_protocol.audio import AudioFormat
from bargein_protocol.errors import ErrorCode
from bargein_protocol.messages import (
    Interruption,
    ServerMessage,
    SessionCreated,
    Source,
    Summary,
)


async def connecting() -> None:
    """`connect` gives a session, within a block."""
    async with connect("ws://a", audio=AudioFormat(encoding="mulaw", sample_rate=8000)) as session:
        assert_type(session, Session)
    connect(8765)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    connect("ws://a", "key")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def speaking(session: Session) -> None:
    """Methods take what the protocol takes, and the clock is a number."""
    assert_type(session.state, SessionState)
    assert_type(session.created, SessionCreated)
    assert_type(session.at_ms, float)
    await session.send_audio(bytes(640))
    await session.agent_started(at_ms=12.5)
    await session.transcript("1", "wait", final=True)
    await session.agent_started("now")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert_type(await session.close(), Summary)


async def listening(session: Session) -> None:
    """Events are the server's messages, told apart by their class."""
    async for event in session:
        assert_type(event, ServerMessage)
        if isinstance(event, Interruption):
            assert_type(event.source, Source)
            assert_type(event.probability, float | None)


def failing(error: ClientError) -> BargeinError:
    """Every error has the row of the table that it is about."""
    assert_type(error.code, ErrorCode)
    return error
