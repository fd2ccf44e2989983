"""The shape that Twilio introduced and others vary: JSON events with base64 media."""

from abc import abstractmethod
from typing import Any, ClassVar

import orjson
from bargein_protocol.audio import AudioFormat

from bargein_client.bridges.events import (
    AgentAudio,
    AgentEvent,
    CallEnded,
    CallerAudio,
    CallStarted,
    PlatformEvent,
    PlaybackCleared,
)
from bargein_client.bridges.platform import Message, Platform, nested, read_base64, read_json


class MediaStream(Platform):
    """A platform whose messages are `{"event": …}`; subclasses name the fields."""

    audio_event: ClassVar[str] = "media"
    """The event in which the agent sends audio."""
    clear_event: ClassVar[str] = "clear"
    """The event that drops what is queued."""

    def __init__(self) -> None:
        self.stream_id = ""

    def from_platform(self, message: Message) -> PlatformEvent | None:
        """Start, inbound media and stop; the rest does not matter here."""
        content = read_json(message)
        match content.get("event"):
            case "start":
                return self._start(content)
            case "media":
                media = nested(content, "media")
                inbound = media.get("track", "inbound") == "inbound"
                return CallerAudio(read_base64(media.get("payload"))) if inbound else None
            case "stop":
                return CallEnded()
            case _:
                return None

    def from_agent(self, message: Message) -> AgentEvent | None:
        """Audio for the caller, and the agent's own clear."""
        content = read_json(message)
        event = content.get("event")
        if event == self.audio_event:
            media = nested(content, "media")
            return AgentAudio(read_base64(media.get("payload")), self.agent_format(media))
        return PlaybackCleared() if event == self.clear_event else None

    def agent_format(self, media: dict[str, Any]) -> AudioFormat | None:  # noqa: ARG002
        """How the agent's audio is encoded, if it says so; None: as the call is."""
        return None

    def clear(self) -> list[Message]:
        """The platform's clear event."""
        return [orjson.dumps(self.clear_message()).decode()]

    @abstractmethod
    def clear_message(self) -> dict[str, Any]:
        """The clear event as an object."""

    @abstractmethod
    def started(self, content: dict[str, Any], start: dict[str, Any]) -> CallStarted:
        """What the start event says; `start` is the object within it."""

    def _start(self, content: dict[str, Any]) -> CallStarted:
        return self.started(content, nested(content, "start"))
