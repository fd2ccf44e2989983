"""A rendering as a clip of a corpus: trimmed, levelled, described by a row of the manifest."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import soxr

from bargein_model.contract import SAMPLE_RATE
from bargein_model.recordings import Floats, power, seconds, sounding
from bargein_model.speaking.engine import AnyVoice, Make
from bargein_model.speaking.lists import Said
from bargein_model.speaking.plan import Utterance

FLOOR_DB = 40
"""Sound is what is at most this far below the loudest 10 ms."""
BEFORE, AFTER = SAMPLE_RATE // 10, SAMPLE_RATE * 3 // 25
"""What is kept around the sound, as in the corpus."""
GAP = SAMPLE_RATE * 3 // 50
TAIL = SAMPLE_RATE * 3 // 50
"""The engine ends with a click; it has fallen silent before, or was cut off while it spoke."""
CUT_OFF_DB = 25
PEAK = 0.7
SHORTEST = SAMPLE_RATE * 2 // 25


@dataclass(frozen=True, slots=True)
class Clip:
    """Sound with a little silence around; all in samples at 16 kHz, from the clip's start."""

    audio: Floats
    onset: int
    offset: int
    continuation: int | None


def resampled(audio: Floats, rate: float) -> Floats:
    """At 16 kHz; a `rate` that is not the true one changes pitch and tempo together."""
    return np.asarray(soxr.resample(audio, rate, SAMPLE_RATE), np.float32)


def trimmed(audio: Floats, continuation: int | None = None) -> Clip | None:
    """Cuts the silence off and sets the peak; None if next to nothing sounds, or it is cut off.

    `continuation` is the sample of the uncut audio at which the content begins.
    """
    audio = audio[:-TAIL]
    span = sounding(audio, FLOOR_DB)
    if span is None or span[1] - span[0] < SHORTEST or _cut_off(audio):
        return None
    begin, end = max(0, span[0] - BEFORE), min(len(audio), span[1] + AFTER)
    piece = audio[begin:end] * (PEAK / float(np.abs(audio[begin:end]).max()))
    turn = None if continuation is None else min(max(continuation, span[0]), span[1]) - begin
    return Clip(piece.astype(np.float32), span[0] - begin, span[1] - begin, turn)


def _cut_off(audio: Floats) -> bool:
    powers = power(audio)
    return bool(powers[-2:].max() > powers.max() * 10 ** (-CUT_OFF_DB / 10))


def row(
    utterance: Utterance[AnyVoice], make: Make, clip: Clip, reel: str, start: int
) -> dict[str, str]:
    """The manifest's row of a clip that begins at a sample of a reel."""
    turn = "" if clip.continuation is None else seconds(clip.continuation)
    return {
        "clip_id": f"spoken_{make.name}_{utterance.number:05d}",
        "reel": reel,
        "start_s": seconds(start),
        "end_s": seconds(start + len(clip.audio)),
        **_what(utterance),
        "speaker_id": utterance.voice.speaker,
        "speaker_kind": "tts",
        "source": make.source,
        "licence": make.licence,
        "language": utterance.language,
        "bandwidth_hz": str(SAMPLE_RATE // 2),
        "onset_s": seconds(clip.onset),
        "offset_s": seconds(clip.offset),
        "split": "train",
        "cont_s": turn,
        "note": "cont_from_durations" if turn else "",
    }


def _what(utterance: Utterance[AnyVoice]) -> Mapping[str, str]:
    text = utterance.line.text
    if utterance.said is Said.BACKCHANNEL:
        return {"class": "backchannel", "subclass": text, "text": text}
    subclass = {
        Said.INTERRUPTION: "tts_short",
        Said.SENTENCE: "tts_sentence",
        Said.CONTINUATION: "tts_bc_cont",
    }[utterance.said]
    return {"class": "speech", "subclass": subclass, "text": text + utterance.ending}
