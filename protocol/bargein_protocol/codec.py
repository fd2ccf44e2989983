"""Bytes ↔ messages: JSON by orjson, validation by msgspec."""

from typing import Any, cast, get_args

import msgspec
import orjson

from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.messages import ClientMessage, EventsMessage, ServerMessage

_CLIENT_TYPES = {str(struct.__struct_config__.tag) for struct in get_args(ClientMessage)}
_SERVER_TYPES = {str(struct.__struct_config__.tag) for struct in get_args(ServerMessage)}


def decode_client(data: str | bytes) -> ClientMessage:
    """Read a client's text message.

    Raises:
        ProtocolError: not JSON, an unknown type, a field missing, mistyped or out of range.
    """
    content, kind = _load(data)
    if kind not in _CLIENT_TYPES:
        known = ", ".join(sorted(_CLIENT_TYPES))
        raise ProtocolError(ErrorCode.UNKNOWN_TYPE, f"`type` is {kind[:64]!r}; known are {known}")
    try:
        return cast("ClientMessage", msgspec.convert(content, ClientMessage))
    except msgspec.ValidationError as error:
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, f"{kind}: {error}") from None


def decode_server(data: str | bytes) -> ServerMessage | None:
    """Read a server's text message; None for a type that this version does not know.

    Raises:
        ProtocolError: not JSON, or fields that do not fit their type.
    """
    content, kind = _load(data)
    if kind not in _SERVER_TYPES:
        return None
    try:
        return cast("ServerMessage", msgspec.convert(content, ServerMessage))
    except msgspec.ValidationError as error:
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, f"{kind}: {error}") from None


def encode(message: ClientMessage | ServerMessage | EventsMessage) -> bytes:
    """Write a message as JSON; absent fields stay absent."""
    # A copy, because orjson leaves its whole buffer, 8 KB and more, behind what it returns.
    return bytes(memoryview(orjson.dumps(msgspec.to_builtins(message))))


def _load(data: str | bytes) -> tuple[dict[str, Any], str]:
    """The fields of a message, and its `type`."""
    try:
        content = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise ProtocolError(
            ErrorCode.INVALID_JSON, f"a text message is not JSON: {error}"
        ) from None
    if not isinstance(content, dict):
        raise ProtocolError(
            ErrorCode.INVALID_MESSAGE, f"a message is a JSON object, not {type(content).__name__}"
        )
    fields = cast("dict[str, Any]", content)
    kind = fields.get("type")
    if not isinstance(kind, str):
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, "a message has a `type`, which is text")
    return fields, kind
