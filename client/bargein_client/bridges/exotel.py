"""Exotel's Voicebot applet: Twilio's shape in snake case, linear PCM.

Documented at https://developer.exotel.com/docs/agentstream/stream-voicebot-applet
"""

from typing import Any

from bargein_client.bridges.events import CallStarted
from bargein_client.bridges.media_stream import MediaStream
from bargein_client.bridges.platform import audio_format, nested, texts


class Exotel(MediaStream):
    """An Exotel call."""

    name = "exotel"

    def started(self, content: dict[str, Any], start: dict[str, Any]) -> CallStarted:
        """`start` names the stream, the call, both numbers and the media format."""
        self.stream_id = str(content.get("stream_sid") or start.get("stream_sid", ""))
        media = nested(start, "media_format")
        audio = audio_format(media.get("encoding") or "raw/slin", media.get("sample_rate") or 8000)
        numbers = {key: str(start[key]) for key in ("from", "to") if key in start}
        metadata = texts(nested(start, "custom_parameters")) | numbers
        metadata["stream_sid"] = self.stream_id
        return CallStarted(str(start.get("call_sid", self.stream_id)), audio, metadata)

    def clear_message(self) -> dict[str, Any]:
        """Exotel drops the audio that it has not played yet."""
        return {"event": "clear", "stream_sid": self.stream_id}
