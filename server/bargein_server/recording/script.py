"""A plain WAV with a text file of markers, read as if it had been recorded.

One line per marker: its moment in ms on the audio clock, and what the client says then.

    options hangover_ms=300          settings that differ from the defaults
       0  agent.started
    1200  transcript t1 1000 1180 wait a moment
    3000  agent.stopped
    3500  gap 200                    200 ms that the WAV does not hold
    4000  update threshold=0.7

The words are those of the golden traces: `agent.started [AT]`, `agent.stopped [AT]`,
`overlap.started DURATION [AT]`, `overlap.ended [AT]`, `transcript ID START END WORDS`,
`interim ID START END WORDS`, `gap MS`, `update NAME=VALUE …`. `-` for START or END leaves it out.
Everything after `#` is a remark.
"""

import math
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
from bargein_protocol import messages
from bargein_protocol.errors import ProtocolError
from bargein_protocol.messages import ClientMessage
from bargein_protocol.options import Options, OptionsUpdate, merge_options
from bargein_protocol.recording import Step
from msgspec import UNSET, UnsetType

from bargein_server.recording.reader import RecordingError
from bargein_server.sessions.wire import SAMPLES_PER_MS


class Script(msgspec.Struct, frozen=True):
    """What a marker file says."""

    options: Options
    steps: tuple[Step, ...]
    """In the order of their positions."""


def read_script(path: Path) -> Script:
    """Read a marker file.

    Raises:
        RecordingError: it cannot be read; names the line.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise RecordingError(f"no markers: {path}: {error.strerror}") from None
    return parse_script(text.splitlines(), name=path.name)


def parse_script(lines: Iterable[str], *, name: str = "markers") -> Script:
    """Read the lines of a marker file.

    Raises:
        RecordingError: a line that is none; names it.
    """
    options = Options()
    steps: list[Step] = []
    for number, line in enumerate(lines, 1):
        try:
            words = shlex.split(line, comments=True)
            if words[:1] == ["options"]:
                options = merge_options(options, settings(words[1:]))
            elif words:
                steps.append(Step(round(_number(words[0]) * SAMPLES_PER_MS), _message(words[1:])))
        except (ValueError, ProtocolError) as error:
            raise RecordingError(f"{name}, line {number}: {error}: {line.strip()}") from None
    return Script(options, tuple(sorted(steps, key=lambda step: step.position)))


def settings(words: Iterable[str]) -> OptionsUpdate:
    """Options from `name=value` words; values are JSON, or plain text.

    Raises:
        ValueError: a word without `=`.
    """
    changes: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise ValueError(f"{word!r} is not NAME=VALUE")
        changes[name] = _value(value)
    return changes


def _value(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


def _message(words: list[str]) -> ClientMessage:
    match words:
        case ["agent.started", *at]:
            return messages.AgentStarted(at_ms=_at(at))
        case ["agent.stopped", *at]:
            return messages.AgentStopped(at_ms=_at(at))
        case ["overlap.started", duration, *at]:
            return messages.OverlapStarted(at_ms=_at(at), speech_duration_ms=_number(duration))
        case ["overlap.ended", *at]:
            return messages.OverlapEnded(at_ms=_at(at))
        case ["transcript" | "interim" as kind, id_, start, end, *text]:
            return messages.Transcript(
                id=id_,
                text=" ".join(text),
                start_ms=_place(start),
                end_ms=_place(end),
                final=kind == "transcript",
            )
        case ["gap", duration]:
            return messages.AudioGap(duration_ms=_number(duration))
        case ["update", *changes]:
            return messages.SessionUpdate(options=settings(changes))
        case _:
            raise ValueError("no marker is written like this")


def _at(words: list[str]) -> float | UnsetType:
    return _number(words[0]) if words else UNSET


def _place(word: str) -> float | UnsetType:
    return UNSET if word == "-" else _number(word)


def _number(word: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{word!r} is no number")
    return number
