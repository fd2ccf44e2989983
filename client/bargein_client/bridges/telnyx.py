"""Telnyx media streaming, bidirectional in RTP mode: PCMU, PCMA or L16 in JSON events.

Documented at https://developers.telnyx.com/docs/voice/programmable-voice/media-streaming
"""

from typing import Any

from bargein_client.bridges.events import CallStarted
from bargein_client.bridges.media_stream import MediaStream
from bargein_client.bridges.platform import audio_format, nested, texts


class Telnyx(MediaStream):
    """A Telnyx call."""

    name = "telnyx"

    def started(self, content: dict[str, Any], start: dict[str, Any]) -> CallStarted:
        """`start` names the call and the media format; the stream's id stands beside it."""
        self.stream_id = str(content.get("stream_id", ""))
        media = nested(start, "media_format")
        audio = audio_format(media.get("encoding", "PCMU"), media.get("sample_rate", 8000))
        metadata = texts(nested(start, "custom_parameters")) | {"stream_id": self.stream_id}
        return CallStarted(str(start.get("call_control_id", self.stream_id)), audio, metadata)

    def clear_message(self) -> dict[str, Any]:
        """Telnyx stops the playback, drops the queue and returns its marks."""
        return {"event": "clear"}
