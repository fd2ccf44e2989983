"""jambonz `listen` with streaming bidirectional audio: binary L16, call attributes in JSON first.

Documented at https://docs.jambonz.org/verbs/verbs/listen
"""

from typing import Any, ClassVar

from bargein_client.bridges.events import CallStarted, PlatformEvent
from bargein_client.bridges.linear_stream import LinearStream
from bargein_client.bridges.platform import audio_format, texts


class Jambonz(LinearStream):
    """A jambonz call."""

    name = "jambonz"
    subprotocols = ("audio.jambonz.org",)
    clear_command: ClassVar[dict[str, Any]] = {"type": "killAudio"}

    def text_from_platform(self, content: dict[str, Any]) -> PlatformEvent | None:
        """The first message holds the call's attributes and `sampleRate`."""
        if "sampleRate" not in content:
            return None
        metadata = texts(content)
        audio = audio_format("l16", content["sampleRate"])
        return CallStarted(metadata.get("callSid", ""), audio, metadata)
