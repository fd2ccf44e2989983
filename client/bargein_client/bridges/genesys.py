"""Genesys Cloud AudioHook, protocol version 2, as the Audio Connector uses it for bots.

Binary messages are PCMU or L16 of the external channel and, towards Genesys, of the bot. Text
messages are numbered on both sides and each names the last number seen of the other; a barge-in is
an `event` message with a `barge_in` entity. Because the bridge adds messages of its own, it
renumbers those of the agent, and translates back what Genesys acknowledges.

Documented at https://developer.genesys.cloud/devapps/audiohook/protocol-reference
"""

from typing import Any, cast

import orjson
from bargein_protocol.messages import ServerMessage

from bargein_client.bridges.events import (
    AgentAudio,
    AgentEvent,
    BadMessageError,
    CallEnded,
    CallerAudio,
    CallStarted,
    PlatformEvent,
    PlaybackCleared,
)
from bargein_client.bridges.platform import (
    Message,
    Platform,
    audio_format,
    entries,
    nested,
    number,
    read_json,
    texts,
)

VERSION = "2"


class Genesys(Platform):
    """A Genesys Audio Connector session."""

    name = "genesys"

    def __init__(self) -> None:
        self._session_id = ""
        self._channels = 1
        self._sample_bytes = 1
        self._client_seq = 0
        self._server_seq = 0
        self._added: list[int] = []

    def from_platform(self, message: Message) -> PlatformEvent | None:
        """`open` starts the call, binary is audio, `close` ends it."""
        if isinstance(message, bytes):
            return CallerAudio(self._external(message))
        content = read_json(message)
        self._client_seq = number(content, "seq", self._client_seq)
        match content.get("type"):
            case "open":
                return self._open(content)
            case "close" | "disconnect":
                return CallEnded()
            case _:
                return None

    def from_agent(self, message: Message) -> AgentEvent | None:
        """Binary is the bot; a `barge_in` event of its own drops what is queued."""
        if isinstance(message, bytes):
            return AgentAudio(message)
        content = read_json(message)
        entities = entries(nested(content, "parameters"), "entities")
        cleared = any(entity.get("type") == "barge_in" for entity in entities)
        return PlaybackCleared() if content.get("type") == "event" and cleared else None

    def clear(self) -> list[Message]:
        """A `barge_in` event: Genesys drops the audio that it has not played."""
        self._server_seq += 1
        self._added.append(self._server_seq)
        event: dict[str, Any] = {
            "version": VERSION,
            "type": "event",
            "seq": self._server_seq,
            "clientseq": self._client_seq,
            "id": self._session_id,
            "parameters": {"entities": [{"type": "barge_in", "data": {}}]},
        }
        return [orjson.dumps(event).decode()]

    def to_platform(self, message: Message) -> Message:
        """Number the agent's message behind those that were added."""
        content = _numbered(message)
        if content is None:
            return message
        self._server_seq += 1
        return orjson.dumps(content | {"seq": self._server_seq}).decode()

    def to_agent(self, message: Message) -> Message:
        """Leave the added messages out of what Genesys acknowledges."""
        content = _numbered(message)
        seen = 0 if content is None else content.get("serverseq")
        if content is None or not self._added or not isinstance(seen, int):
            return message
        own = seen - sum(1 for seq in self._added if seq <= seen)
        return orjson.dumps(content | {"serverseq": own}).decode()

    def tell(self, event: ServerMessage) -> Message | None:  # noqa: ARG002
        """Nothing: the agent checks the numbers of what it receives."""
        return None

    def _open(self, content: dict[str, Any]) -> CallStarted:
        self._session_id = str(content.get("id", ""))
        parameters = nested(content, "parameters")
        offers = [offer for offer in entries(parameters, "media") if offer.get("type") == "audio"]
        if not offers:
            raise BadMessageError("the open message offers no audio")
        offer = offers[0]
        channels: object = offer.get("channels")
        named = cast("list[object]", channels) if isinstance(channels, list) else []
        self._channels = max(1, len(named))
        audio = audio_format(offer.get("format"), offer.get("rate", 8000))
        self._sample_bytes = audio.bytes_per_sample
        metadata = texts(parameters) | texts(nested(parameters, "inputVariables"))
        return CallStarted(self._session_id, audio, metadata)

    def _external(self, payload: bytes) -> bytes:
        """The first of the interleaved channels."""
        if self._channels == 1:
            return payload
        size, step = self._sample_bytes, self._sample_bytes * self._channels
        return b"".join(payload[at : at + size] for at in range(0, len(payload), step))


def _numbered(message: Message) -> dict[str, Any] | None:
    """A text message as an object; None: nobody numbers what it is."""
    try:
        return None if isinstance(message, bytes) else read_json(message)
    except BadMessageError:
        return None
