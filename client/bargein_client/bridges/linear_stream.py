"""Platforms that send linear PCM as binary messages, and JSON text for everything else."""

from abc import abstractmethod
from typing import Any, ClassVar

import orjson

from bargein_client.bridges.events import (
    AgentAudio,
    AgentEvent,
    CallerAudio,
    PlatformEvent,
    PlaybackCleared,
)
from bargein_client.bridges.platform import Message, Platform, read_json


class LinearStream(Platform):
    """A platform whose binary messages are audio in both directions."""

    clear_command: ClassVar[dict[str, Any]]
    """The text message that drops what is queued."""

    def from_platform(self, message: Message) -> PlatformEvent | None:
        """Binary is the caller; text is for the subclass."""
        if isinstance(message, bytes):
            return CallerAudio(message)
        return self.text_from_platform(read_json(message))

    def from_agent(self, message: Message) -> AgentEvent | None:
        """Binary is the agent; of the text only a clear matters here."""
        if isinstance(message, bytes):
            return AgentAudio(message)
        return PlaybackCleared() if self.is_clear(read_json(message)) else None

    def is_clear(self, content: dict[str, Any]) -> bool:
        """Whether a text message of the agent drops what is queued."""
        return content == self.clear_command

    def clear(self) -> list[Message]:
        """The platform's clear command."""
        return [orjson.dumps(self.clear_command).decode()]

    @abstractmethod
    def text_from_platform(self, content: dict[str, Any]) -> PlatformEvent | None:
        """What a text message of the platform means."""
