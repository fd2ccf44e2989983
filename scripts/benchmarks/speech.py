"""What the clients send: real speech over a speaking agent, a fifth of the time."""

import wave
from pathlib import Path

import msgspec
import numpy as np
import orjson
from bargein_protocol.codec import encode
from bargein_protocol.messages import ClientMessage
from numpy.typing import NDArray
from websockets.frames import Frame, Opcode

FRAME_MS = 20
RATE = 16_000
FRAME_SAMPLES = RATE * FRAME_MS // 1000
CYCLE_MS = 5000
"""The agent speaks for nearly all of it, the user for one second of it."""
AGENT_STARTS_MS, USER_STARTS_MS, AGENT_STOPS_MS = 200, 2000, 4600
BEFORE_MS, UTTERANCE_MS = 100, 1000
ROOM_TONE = 20.0
"""Standard deviation of the noise under everything, in steps of 16 bit: about −64 dBFS."""

Samples = NDArray[np.int16]


class Script(msgspec.Struct, frozen=True):
    """What one client sends, over and over, as it stands on the wire."""

    frames: tuple[bytes, ...]
    """One per 20 ms."""
    starts: frozenset[int]
    """Frames before which the agent starts."""
    stops: frozenset[int]
    """Frames before which the agent stops."""


def load_utterances(folder: Path) -> list[Samples]:
    """The user's sound in every overlap of the recordings in a folder, one second of each."""
    found = [clip for path in sorted(folder.glob("*.bargein")) for clip in _overlaps(path)]
    if not found:
        raise ValueError(f"no recording with an overlap in {folder}")
    return found


def compose(utterances: list[Samples]) -> Script:
    """A script of one cycle per utterance."""
    noise = np.random.default_rng(1)
    cycles: list[Samples] = []
    for clip in utterances:
        cycle = noise.normal(0, ROOM_TONE, RATE * CYCLE_MS // 1000)
        start = RATE * (USER_STARTS_MS - BEFORE_MS) // 1000
        cycle[start : start + len(clip)] += clip
        cycles.append(np.clip(cycle, -32768, 32767).astype(np.int16))
    pcm = np.concatenate(cycles).reshape(-1, FRAME_SAMPLES)
    return Script(
        tuple(_frame(Opcode.BINARY, frame.tobytes()) for frame in pcm),
        starts=_each_cycle(AGENT_STARTS_MS, len(pcm)),
        stops=_each_cycle(AGENT_STOPS_MS, len(pcm)),
    )


def _each_cycle(at_ms: int, frames: int) -> frozenset[int]:
    return frozenset(range(at_ms // FRAME_MS, frames, CYCLE_MS // FRAME_MS))


def text_frame(message: ClientMessage) -> bytes:
    """A message as it stands on the wire."""
    return _frame(Opcode.TEXT, encode(message))


def _frame(opcode: Opcode, payload: bytes) -> bytes:
    return Frame(opcode, payload).serialize(mask=True)


def _overlaps(recording: Path) -> list[Samples]:
    with wave.open(str(recording / "user.wav"), "rb") as audio:
        pcm = np.frombuffer(audio.readframes(audio.getnframes()), np.int16)
    events = map(orjson.loads, (recording / "events.jsonl").read_bytes().splitlines())
    onsets = [event["onset_ms"] for event in events if event["type"] == "overlap.started"]
    starts = [max(0, round((onset - BEFORE_MS) * RATE / 1000)) for onset in onsets]
    return [pcm[start : start + RATE * (BEFORE_MS + UTTERANCE_MS) // 1000] for start in starts]
