"""What begins a recording: the parts of the format that servers and clients share, without I/O.

The format as a whole is described in `bargein_server/recording/README.md`.
"""

from typing import Any, Literal

import msgspec

from bargein_protocol.audio import AudioFormat
from bargein_protocol.messages import ClientMessage, ModelInfo, ServerInfo
from bargein_protocol.options import Options

SAMPLE_RATE = 16_000
"""Samples per second of both WAV files, whatever the client sent."""
SUFFIX = ".bargein"
"""Ends the name of a recording's folder."""


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """`session.json`: what has to be known before the first input."""

    format: Literal["bargein-recording"] = "bargein-recording"
    version: Literal[1] = 1
    session_id: str
    recording: str | None = None
    """The folder's name when it was written; stands in the summary of the session."""
    started_at: str
    """Wall time of the first input: ISO 8601 with its offset from UTC."""
    audio: AudioFormat
    """What the client sent; the WAV files hold what the detector heard of it."""
    options: Options
    """In effect at the start, all of them; `threshold` is a number."""
    model: ModelInfo
    server: ServerInfo
    metadata: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """The client's labels."""


class Step(msgspec.Struct, frozen=True):
    """Something that a client said, and when."""

    position: int
    """Samples of user audio that had come before it."""
    message: ClientMessage


class Tape(msgspec.Struct, frozen=True, kw_only=True):
    """A session as its client drove it: enough to do the same again through a server."""

    name: str
    header: Header
    user: bytes
    """16 kHz mono s16le; sample n is position n."""
    agent: bytes | None
    """The same of the agent's track; None without one."""
    steps: tuple[Step, ...]
    """Markers, transcripts, gaps and updates, in order; times inside them are absolute."""
    events: tuple[bytes, ...]
    """What the server answered, as it stood on the wire; empty if nobody recorded it."""
