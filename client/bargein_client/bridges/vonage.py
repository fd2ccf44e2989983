"""Vonage Voice API WebSockets: binary L16, little-endian, 20 ms a message.

Documented at https://developer.vonage.com/en/voice/voice-api/guides/websockets
"""

from typing import Any, ClassVar

from bargein_client.bridges.events import BadMessageError, CallStarted, PlatformEvent
from bargein_client.bridges.linear_stream import LinearStream
from bargein_client.bridges.platform import audio_format, texts


class Vonage(LinearStream):
    """A Vonage call."""

    name = "vonage"
    clear_command: ClassVar[dict[str, Any]] = {"action": "clear"}

    def text_from_platform(self, content: dict[str, Any]) -> PlatformEvent | None:
        """The first message says `audio/l16;rate=…` and holds the headers of the connect action."""
        if content.get("event") != "websocket:connected":
            return None
        kind, _, rate = str(content.get("content-type", "")).partition(";rate=")
        if not rate:
            raise BadMessageError("`content-type` is audio/l16;rate=8000, 16000 or 24000")
        headers = {
            key: value for key, value in content.items() if key not in {"event", "content-type"}
        }
        metadata = texts(headers)
        return CallStarted(
            metadata.get("uuid", metadata.get("conversation_uuid", "")),
            audio_format(kind, rate),
            metadata,
        )
