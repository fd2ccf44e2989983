"""What a type checker sees of `bargein_protocol`; read by mypy and pyright, never run."""

from typing import Any, assert_never, assert_type

from bargein_protocol.audio import AudioFormat, AudioFrame, format_frame, parse_frame
from bargein_protocol.codec import decode_client, decode_server, encode
from bargein_protocol.connection import ConnectionState, ServerConnection
from bargein_protocol.errors import ErrorCode, Fault, ProtocolError, Retry, error_for_close
from bargein_protocol.messages import (
    ClientMessage,
    Interruption,
    NonInterruption,
    Reason,
    ServerMessage,
    SessionCreate,
    Source,
    Verdict,
)
from bargein_protocol.options import Options, merge_options
from msgspec import UnsetType


def codec(data: bytes) -> None:
    """Decoding gives the union of one direction."""
    assert_type(decode_client(data), ClientMessage)
    assert_type(decode_server(data), ServerMessage | None)
    assert_type(encode(SessionCreate()), bytes)


def connection(data: str | bytes) -> None:
    """A connection gives messages and audio."""
    server = ServerConnection()
    assert_type(server.state, ConnectionState)
    assert_type(server.receive(data), ClientMessage | AudioFrame)


def audio(data: bytes) -> None:
    """A frame knows its track."""
    frame = parse_frame(data, AudioFormat())
    assert_type(frame, AudioFrame)
    assert_type(format_frame(frame, AudioFormat(encoding="alaw", sample_rate=8000)), bytes)
    AudioFormat(encoding="mp3")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    frame.payload = b""  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def options(update: dict[str, Any]) -> None:
    """Options are frozen, and every one has its own type."""
    merged = merge_options(Options(), update)
    assert_type(merged, Options)
    assert_type(merged.threshold, float | None)
    assert_type(merged.boundaries_ms, tuple[float, float] | None)
    merged.hop_ms = 1  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    Options(2)  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]


def absent_is_not_null(message: SessionCreate) -> None:
    """A field that may be absent has a type of its own for that."""
    assert_type(message.session_id, str | UnsetType)
    assert_type(message.options, dict[str, Any] | None)


def verdict(message: Verdict) -> float:
    """The two verdicts are told apart by their class, completely."""
    match message:
        case Interruption():
            assert_type(message.source, Source)
            assert_type(message.inference_ms, float | None)
        case NonInterruption():
            assert_type(message.reason, Reason)
        case _:
            assert_never(message)
    return message.at_ms


def errors(error: ProtocolError) -> None:
    """Every error has a fault and an advice."""
    assert_type(error.code, ErrorCode)
    assert_type(error.code.fault, Fault)
    assert_type(error.code.retry, Retry)
    assert_type(error.code.close_code, int | None)
    assert_type(error_for_close(1006), ErrorCode | None)
