"""Twilio Media Streams, bidirectional (`<Connect><Stream>`): µ-law at 8 kHz in JSON events.

Documented at https://www.twilio.com/docs/voice/media-streams/websocket-messages
"""

from typing import Any

from bargein_client.bridges.events import CallStarted
from bargein_client.bridges.media_stream import MediaStream
from bargein_client.bridges.platform import audio_format, nested, texts


class Twilio(MediaStream):
    """A Twilio call."""

    name = "twilio"

    def started(self, content: dict[str, Any], start: dict[str, Any]) -> CallStarted:
        """`start` names the stream, the call and the media format."""
        self.stream_id = str(content.get("streamSid") or start.get("streamSid", ""))
        media = nested(start, "mediaFormat")
        audio = audio_format(media.get("encoding", "audio/x-mulaw"), media.get("sampleRate", 8000))
        metadata = texts(nested(start, "customParameters")) | {"streamSid": self.stream_id}
        return CallStarted(str(start.get("callSid", self.stream_id)), audio, metadata)

    def clear_message(self) -> dict[str, Any]:
        """Twilio drops buffered media and returns its marks."""
        return {"event": "clear", "streamSid": self.stream_id}
