"""One run of the model over the audio of several streams: bytes in, probabilities out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from bargein_server.detection.inputs import ClassProbabilities
from bargein_server.models.contract import FRAME_BYTES, Floats, Model

DECIMALS = 4
"""Digits of a probability; what is beyond them depends on how a batch was put together."""


@dataclass(frozen=True, slots=True)
class Span:
    """Contiguous audio of one stream."""

    audio: bytes
    """16 kHz mono s16le, whole 25 ms frames."""
    reference: bytes | None
    """The agent's audio of the same length; None: unknown."""
    state: Floats | None
    """[S], as the last run left it; None: a fresh start."""


class Heard(NamedTuple):
    """What the model said about one span."""

    frames: tuple[ClassProbabilities, ...]
    """One per 25 ms, rounded to 4 decimals."""
    state: Floats
    """[S]: where the stream's next span begins."""


def check_audio(audio: bytes, reference: bytes | None) -> None:
    """Refuse what the model cannot hear.

    Raises:
        ValueError: not one or more whole frames, or a reference of another length.
    """
    if not audio or len(audio) % FRAME_BYTES:
        raise ValueError(f"audio of {len(audio)} bytes is not 1 or more frames of {FRAME_BYTES}")
    if reference is not None and len(reference) != len(audio):
        raise ValueError(f"{len(reference)} bytes of reference beside {len(audio)} of audio")


def hear(model: Model, spans: Sequence[Span]) -> list[Heard]:
    """Run spans of one length together; as many answers, in the same order.

    Raises:
        Exception: whatever the model raises; `FloatingPointError` if it answers NaN.
    """
    audio = _samples([span.audio for span in spans])
    state = _states(spans, model.info.state_size)
    probabilities, next_state = model.run(audio, _references(spans, audio), state)
    if not np.isfinite(probabilities).all():
        raise FloatingPointError("the model answered NaN or infinity")
    rows = probabilities.astype(np.float64).round(DECIMALS).tolist()
    # a view would keep the whole batch alive for as long as its longest stream
    states = [row.copy() for row in next_state]
    return [Heard(_frames(row), state) for row, state in zip(rows, states, strict=True)]


def _references(spans: Sequence[Span], audio: Floats) -> Floats:
    if all(span.reference is None for span in spans):
        return np.zeros(audio.shape, np.float32)
    return _samples([span.reference or bytes(len(span.audio)) for span in spans])


def _states(spans: Sequence[Span], size: int) -> Floats:
    states = np.zeros((len(spans), size), np.float32)
    for row, span in zip(states, spans, strict=True):
        if span.state is not None:
            row[:] = span.state
    return states


def _samples(pcm: Sequence[bytes]) -> Floats:
    samples = np.frombuffer(b"".join(pcm), "<i2").reshape(len(pcm), -1)
    return samples * np.float32(1 / 32768)


def _frames(rows: list[list[float]]) -> tuple[ClassProbabilities, ...]:
    return tuple(ClassProbabilities(*row) for row in rows)
