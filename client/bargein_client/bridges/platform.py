"""What a platform's file has to say."""

import base64
from abc import ABC, abstractmethod
from typing import Any, ClassVar, Literal, cast

import orjson
from bargein_protocol.audio import AudioFormat, Encoding
from bargein_protocol.messages import ServerMessage
from msgspec import ValidationError, convert, to_builtins

from bargein_client.bridges.events import AgentEvent, BadMessageError, PlatformEvent

Message = str | bytes
"""One WebSocket message: text or binary. Over TCP: one packet, as bytes."""

ENCODINGS: dict[str, Encoding] = {
    "audio/x-mulaw": "mulaw",
    "pcmu": "mulaw",
    "mulaw": "mulaw",
    "audio/x-alaw": "alaw",
    "pcma": "alaw",
    "audio/x-l16": "s16le",
    "audio/l16": "s16le",
    "l16": "s16le",
    "raw/slin": "s16le",
    "base64": "s16le",
}
"""What platforms call the encodings that Bargein hears."""


class Platform(ABC):
    """One call on one platform: what its messages mean, and how its playback is cleared.

    A subclass is made for each call and may remember things about it. What it raises is
    `BadMessageError`; the message is then passed on, but not understood.
    """

    name: ClassVar[str]
    """As in `bargein bridge NAME`."""
    transport: ClassVar[Literal["websocket", "tcp"]] = "websocket"
    """How the platform connects."""
    subprotocols: ClassVar[tuple[str, ...]] = ()
    """WebSocket subprotocols that the platform insists on."""
    paced: ClassVar[bool] = False
    """Whether the platform cannot clear its playback, so that the bridge holds the queue itself."""

    @abstractmethod
    def from_platform(self, message: Message) -> PlatformEvent | None:
        """What a message of the platform means; None if it does not matter here."""

    @abstractmethod
    def from_agent(self, message: Message) -> AgentEvent | None:
        """What a message of the agent to the platform means; None if it does not matter here."""

    @abstractmethod
    def clear(self) -> list[Message]:
        """Messages that make the platform drop what it has queued for the caller."""

    def audio(self, payload: bytes) -> Message:
        """Agent audio as a message to the platform; only for `paced` platforms."""
        raise NotImplementedError(self.name)

    def to_platform(self, message: Message) -> Message:
        """An agent's message as it is passed on; the same unless the platform counts messages."""
        return message

    def to_agent(self, message: Message) -> Message:
        """A platform's message as it is passed on; the same unless the platform counts messages."""
        return message

    def tell(self, event: ServerMessage) -> Message | None:
        """A verdict as an extra message to the agent; None if its socket takes none."""
        return orjson.dumps({"event": "bargein", "bargein": to_builtins(event)}).decode()


def read_json(message: Message) -> dict[str, Any]:
    """A JSON object.

    Raises:
        BadMessageError: it is none.
    """
    try:
        content = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise BadMessageError(f"not JSON: {error}") from None
    if not isinstance(content, dict):
        raise BadMessageError(f"a JSON object was expected, not {type(content).__name__}")
    return cast("dict[str, Any]", content)


def nested(content: dict[str, Any], name: str) -> dict[str, Any]:
    """The object within an object; {} if it is absent.

    Raises:
        BadMessageError: something else stands there.
    """
    inner = content.get(name)
    if inner is None:
        return {}
    if not isinstance(inner, dict):
        raise BadMessageError(f"`{name}` is an object, not {type(inner).__name__}")
    return cast("dict[str, Any]", inner)


def entries(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list within an object; [] if it is absent.

    Raises:
        BadMessageError: something else stands there.
    """
    inner: object = content.get(name)
    if inner is None:
        return []
    if not isinstance(inner, list):
        raise BadMessageError(f"`{name}` is a list of objects, not {type(inner).__name__}")
    for one in cast("list[object]", inner):
        if not isinstance(one, dict):
            raise BadMessageError(f"`{name}` is a list of objects, not of {type(one).__name__}")
    return cast("list[dict[str, Any]]", inner)


def number(content: dict[str, Any], name: str, default: int) -> int:
    """The number within an object; `default` if it is absent.

    Raises:
        BadMessageError: something else stands there.
    """
    inner = content.get(name, default)
    if not isinstance(inner, int):
        raise BadMessageError(f"`{name}` is a number, not {type(inner).__name__}")
    return inner


def read_base64(content: object) -> bytes:
    """The bytes behind a base64 string.

    Raises:
        BadMessageError: it is none.
    """
    try:
        return base64.b64decode(str(content), validate=True)
    except ValueError as error:
        raise BadMessageError(f"not base64: {error}") from None


def audio_format(encoding: object, sample_rate: object) -> AudioFormat:
    """The audio format behind a platform's words for it.

    Raises:
        BadMessageError: an encoding or a rate that Bargein does not hear.
    """
    known = ENCODINGS.get(str(encoding).lower())
    if known is None:
        raise BadMessageError(
            f"audio in {encoding!r} cannot be heard; known are {sorted(ENCODINGS)}"
        )
    try:
        rate = int(str(sample_rate))
        return convert({"encoding": known, "sample_rate": rate}, AudioFormat)
    except (ValueError, ValidationError):
        raise BadMessageError(f"audio at {sample_rate!r} Hz cannot be heard") from None


def texts(content: dict[str, Any]) -> dict[str, str]:
    """The plain values of a JSON object as text; what is nested is left out."""
    return {
        key: str(value) for key, value in content.items() if isinstance(value, str | int | float)
    }
