"""Recordings that were not recorded: a WAV file of any rate, and its markers."""

import wave
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import soxr
from bargein_protocol import messages
from bargein_protocol.audio import AudioFormat
from bargein_protocol.messages import ModelInfo, ServerInfo
from bargein_protocol.options import merge_options
from bargein_protocol.recording import SAMPLE_RATE, Header
from numpy.typing import NDArray

from bargein_server.detection.inputs import (
    AgentAudio,
    Gap,
    Input,
    OptionsChanged,
    SessionEnded,
    UserAudio,
)
from bargein_server.recording.format import AudioRun, Line
from bargein_server.recording.reader import Recording, RecordingError
from bargein_server.recording.script import Script, read_script
from bargein_server.sessions.markers import to_input
from bargein_server.sessions.wire import SAMPLES_PER_MS

FRAME = SAMPLE_RATE // 50
"""The audio goes in by frames of 20 ms."""
NOBODY = "none"
"""Name of the model and the server of a recording that nobody made."""


def read_wav(path: Path, markers: Path | None = None) -> Recording:
    """Read a WAV file with its markers.

    Args:
        path: PCM of any rate, 8 to 32 bit; mono, or stereo with the agent on the right.
        markers: see `script`; default: the same name with `.txt`.

    Raises:
        RecordingError: one of the two cannot be read.
    """
    script = read_script(markers or path.with_suffix(".txt"))
    tracks, lines = _lay_out(_channels(path), script)
    started = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    two_tracks = len(tracks) > 1
    header = Header(
        session_id=path.stem,
        started_at=started.isoformat(timespec="seconds"),
        audio=AudioFormat(tracks=("user", "agent") if two_tracks else ("user",)),
        options=script.options,
        model=ModelInfo(name=NOBODY, version="0", default_threshold=0.5),
        server=ServerInfo(name=NOBODY, version="0"),
    )
    return Recording(
        name=path.name,
        header=header,
        user=tracks[0],
        agent=tracks[1] if two_tracks else None,
        lines=tuple(lines),
        events=(),
    )


def _channels(path: Path) -> list[bytes]:
    """The channels as 16 kHz mono s16le."""
    try:
        with wave.open(str(path)) as file:
            rate, channels, width = file.getframerate(), file.getnchannels(), file.getsampwidth()
            data = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise RecordingError(f"{path}: {str(error) or 'no whole WAV file'}") from None
    samples = _to_float(data[: len(data) // (width * channels) * width * channels], width)
    return [
        _to_pcm(soxr.resample(channel, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else channel)
        for channel in samples.reshape(-1, channels).T[:2]
    ]


def _to_float(data: bytes, width: int) -> NDArray[np.float32]:
    raw = np.frombuffer(data, np.uint8)
    if width == 1:
        return ((raw.astype(np.float32) - 128) / 128).astype(np.float32)
    padded = np.zeros((len(data) // width, 4), np.uint8)
    padded[:, 4 - width :] = raw.reshape(-1, width)
    return (padded.view("<i4")[:, 0] / 2**31).astype(np.float32)


def _to_pcm(samples: NDArray[np.float32]) -> bytes:
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def _lay_out(channels: list[bytes], script: Script) -> tuple[list[bytes], list[Line]]:
    """The tracks with their gaps as silence, and the lines that tell the session."""
    tracks = [bytearray(channel) for channel in channels]
    lines: list[Line] = []
    position, options = 0, script.options
    for step in script.steps:
        moment = max(position, min(step.position, len(tracks[0]) // 2))
        lines += _audio(position, moment, two=len(tracks) > 1)
        position = moment
        value: Input
        match step.message:
            case messages.AudioGap(duration_ms=duration_ms):
                value = Gap(round(duration_ms * SAMPLES_PER_MS))
                for track in tracks:
                    track[position * 2 : position * 2] = bytes(value.duration * 2)
            case messages.SessionUpdate(options=changes):
                options = merge_options(options, changes or {})
                value = OptionsChanged(options)
            case messages.SessionCreate() | messages.SessionClose():
                continue
            case marker:
                value = to_input(marker, position)
        lines.append(Line(position, value))
        position += value.duration if isinstance(value, Gap) else 0
    lines += _audio(position, len(tracks[0]) // 2, two=len(tracks) > 1)
    lines.append(Line(len(tracks[0]) // 2, SessionEnded()))
    return [bytes(track) for track in tracks], lines


def _audio(start: int, end: int, *, two: bool) -> Iterator[Line]:
    """The audio from position `start` to `end`, frame by frame."""
    while start < end:
        samples = min(FRAME, end - start)
        times = 1 if two else (end - start) // samples
        if two:
            yield Line(start, AudioRun(AgentAudio, start, samples, 1))
        yield Line(start, AudioRun(UserAudio, start, samples, times))
        start += samples * times
