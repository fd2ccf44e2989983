"""Plivo audio streaming, bidirectional: µ-law or linear PCM in JSON events.

Documented at https://www.plivo.com/docs/voice/audio-streaming/audio-streaming
"""

from typing import Any

from bargein_protocol.audio import AudioFormat

from bargein_client.bridges.events import CallStarted
from bargein_client.bridges.media_stream import MediaStream
from bargein_client.bridges.platform import audio_format, nested


class Plivo(MediaStream):
    """A Plivo call."""

    name = "plivo"
    audio_event = "playAudio"
    clear_event = "clearAudio"

    def started(self, content: dict[str, Any], start: dict[str, Any]) -> CallStarted:
        """`start` names the stream, the call and the media format."""
        self.stream_id = str(start.get("streamId", ""))
        media = nested(start, "mediaFormat")
        audio = audio_format(media.get("encoding", "audio/x-mulaw"), media.get("sampleRate", 8000))
        metadata = {"streamId": self.stream_id}
        if headers := content.get("extra_headers"):
            metadata["extra_headers"] = str(headers)
        return CallStarted(str(start.get("callId", self.stream_id)), audio, metadata)

    def agent_format(self, media: dict[str, Any]) -> AudioFormat | None:
        """Each `playAudio` names its own, maybe as `audio/x-mulaw;rate=8000`."""
        kind, _, rate = str(media.get("contentType") or "").partition(";rate=")
        return audio_format(kind, media.get("sampleRate") or rate or 8000) if kind else None

    def clear_message(self) -> dict[str, Any]:
        """Plivo drops all buffered media events and answers `clearedAudio`."""
        return {"event": "clearAudio", "streamId": self.stream_id}
