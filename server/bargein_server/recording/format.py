"""The lines of `inputs.jsonl`: what a session was told, one JSON object each.

A line holds the position before the input, and the input itself. Audio stands in the WAV files;
its line only counts samples. `times` folds equal frames that followed each other.
"""

from typing import Annotated, Any, cast

import msgspec
import orjson
from bargein_protocol.messages import ServerMessage, SessionCreated

from bargein_server.detection.inputs import AgentAudio, Input, Position, UserAudio

SESSION_FILE = "session.json"
USER_FILE = "user.wav"
AGENT_FILE = "agent.wav"
INPUTS_FILE = "inputs.jsonl"
EVENTS_FILE = "events.jsonl"

AudioTrack = type[UserAudio] | type[AgentAudio]
_TRACKS: dict[str, AudioTrack] = {"user_audio": UserAudio, "agent_audio": AgentAudio}
_Count = Annotated[int, msgspec.Meta(ge=0)]


class AudioRun(msgspec.Struct, frozen=True):
    """Equal frames of one track that followed each other."""

    track: AudioTrack
    start: Position
    """Where in the track's WAV file the first of them begins."""
    samples: int
    """Of each."""
    times: int


class Announced(msgspec.Struct, frozen=True):
    """A message that no input caused (created, error, warning); it takes its number in turn."""

    message: ServerMessage


class Line(msgspec.Struct, frozen=True):
    """One line of `inputs.jsonl`."""

    position: Position
    content: Input | AudioRun | Announced


def format_line(line: Line) -> bytes:
    """Write one line, newline included."""
    return orjson.dumps({"position": line.position} | _to_json(line.content)) + b"\n"


def parse_line(data: bytes) -> Line:
    """Read one line; the inverse of `format_line`.

    Raises:
        ValueError: not a line of this format.
    """
    content = orjson.loads(data)
    if not isinstance(content, dict):
        raise ValueError("a line of inputs is a JSON object")  # noqa: TRY004
    fields = cast("dict[str, Any]", content)
    return Line(msgspec.convert(fields.get("position"), int), _from_json(fields))


def without_secrets(message: ServerMessage) -> ServerMessage:
    """The message as recordings keep it: with empty tokens, for recordings are passed around."""
    if isinstance(message, SessionCreated):
        return msgspec.structs.replace(message, resume_token="", attach_token="")
    return message


def _to_json(content: Input | AudioRun | Announced) -> dict[str, Any]:
    if isinstance(content, AudioRun):
        kind = content.track.__struct_config__.tag
        start, samples, times = content.start, content.samples, content.times
        return {"type": kind, "start": start, "samples": samples, "times": times}
    if isinstance(content, Announced):
        return {"type": "announced", "message": msgspec.to_builtins(content.message)}
    return cast("dict[str, Any]", msgspec.to_builtins(content))


def _from_json(fields: dict[str, Any]) -> Input | AudioRun | Announced:
    kind = fields.get("type")
    if kind in _TRACKS:
        run = msgspec.convert(fields, _AudioFields)
        return AudioRun(_TRACKS[kind], run.start, run.samples, run.times)
    if kind == "announced":
        return Announced(msgspec.convert(fields.get("message"), ServerMessage))
    return cast("Input", msgspec.convert(fields, Input))


class _AudioFields(msgspec.Struct, frozen=True):
    start: _Count
    samples: _Count
    times: _Count = 1
