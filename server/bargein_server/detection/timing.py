"""The options of a session, with every duration in samples: converted once, here."""

from typing import Literal

import msgspec
from bargein_protocol.options import FRAME_MS, Options

from bargein_server.detection.vad import SAMPLE_RATE

FRAME = FRAME_MS * SAMPLE_RATE // 1000
"""Samples per frame of a prediction (400)."""


def samples(duration_ms: float) -> int:
    """Samples at 16 kHz in `duration_ms`."""
    return round(duration_ms * SAMPLE_RATE / 1000)


class Timing(msgspec.Struct, frozen=True, kw_only=True):
    """What the detector goes by; durations in samples, None = off."""

    overlap: Literal["server", "client"]
    threshold: float
    min_frames: int
    min_speech: int
    hop: int
    pre_roll: int
    window: int
    onset: int
    hangover: int
    vad_min_speech: int
    start_boundary: int | None
    end_boundary: int | None
    cooldown: int
    gate_transcripts: bool
    transcript_hold: int
    transcript_min_words: int | None
    false_interruption: int | None
    report_predictions: bool

    @classmethod
    def of(cls, options: Options) -> "Timing":
        """The timing that `options` ask for.

        Raises:
            ValueError: `options.threshold` has not been resolved to the model's default.
        """
        if options.threshold is None:
            raise ValueError("resolve `threshold` to the model's default first")
        boundaries = options.boundaries_ms
        false_ms = options.false_interruption_ms
        return cls(
            overlap=options.overlap,
            threshold=options.threshold,
            min_frames=options.min_frames,
            min_speech=samples(options.min_speech_ms),
            hop=samples(options.hop_ms),
            pre_roll=samples(options.pre_roll_ms),
            window=samples(options.window_ms),
            onset=samples(options.onset_ms),
            hangover=samples(options.hangover_ms),
            vad_min_speech=samples(options.vad_min_speech_ms),
            start_boundary=None if boundaries is None else samples(boundaries[0]),
            end_boundary=None if boundaries is None else samples(boundaries[1]),
            cooldown=samples(options.cooldown_ms),
            gate_transcripts=options.gate_transcripts,
            transcript_hold=samples(options.transcript_hold_ms),
            transcript_min_words=options.transcript_min_words,
            false_interruption=None if false_ms is None else samples(false_ms),
            report_predictions=options.predictions,
        )
