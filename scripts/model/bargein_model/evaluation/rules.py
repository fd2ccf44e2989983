"""The rules that a model has to beat: “the user has been heard for so long”, by several ears."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from bargein_protocol.options import Options
from bargein_server.detection.vad import Vad, WebrtcVad
from bargein_server.models.silero import SileroVad
from numpy.typing import NDArray

from bargein_model.contract import SAMPLE_RATE
from bargein_model.evaluation.items import Item

Flags = NDArray[np.bool_]

FORGET_MS = 500
"""Silence after which a rule counts from zero again."""
VOICED_FRAME = SAMPLE_RATE // 100
_WINDOW = 512
_LAGS = slice(SAMPLE_RATE // 400, SAMPLE_RATE // 62)
_PERIODIC = 0.55
_QUIETEST = 10 ** (-60 / 10)


@dataclass(frozen=True, slots=True)
class Rule:
    """Calls a sound an interruption once an ear has heard voice for `needed_ms` altogether."""

    name: str
    ear: str
    needed_ms: int


RULES = (
    Rule("webrtcvad 0.2 s", "webrtc", 200),
    Rule("webrtcvad 0.5 s", "webrtc", 500),
    Rule("Silero 0.2 s", "silero", 200),
    Rule("Silero 0.5 s", "silero", 500),
    Rule("voiced 0.5 s", "voiced", 500),
    Rule("voiced 0.7 s", "voiced", 700),
)


@dataclass(frozen=True, slots=True)
class Heard:
    """Where an ear heard voice."""

    voice: Flags
    """Per frame."""
    frame: int
    """Samples per frame."""

    def fires(self, needed_ms: int, start: int = 0) -> int | None:
        """The position at which a rule that counts from `start` on calls an interruption."""
        needed, forget = self._frames(needed_ms), self._frames(FORGET_MS)
        count = silent = 0
        for index in range(start // self.frame, len(self.voice)):
            if self.voice[index]:
                count, silent = count + 1, 0
                if count >= needed:
                    return (index + 1) * self.frame
            else:
                silent += 1
                count = 0 if silent >= forget else count
        return None

    def longest_ms(self, start: int = 0) -> float:
        """The most that a rule ever counts; the threshold-free score of this ear."""
        forget = self._frames(FORGET_MS)
        count = silent = most = 0
        for voiced in self.voice[start // self.frame :]:
            count, silent = (count + 1, 0) if voiced else (count, silent + 1)
            count = 0 if silent >= forget else count
            most = max(most, count)
        return most * self.frame * 1000 / SAMPLE_RATE

    def _frames(self, duration_ms: int) -> int:
        return max(1, round(duration_ms * SAMPLE_RATE / 1000 / self.frame))


def ears() -> dict[str, Callable[[Item], Heard]]:
    """The ears by name, ready to listen to one item after the other."""
    webrtc = WebrtcVad(Options().vad_aggressiveness)
    silero = SileroVad()
    return {
        "webrtc": lambda item: _by_vad(webrtc, item),
        "silero": lambda item: _by_vad(silero, item),
        "voiced": lambda item: Heard(periodic(samples_of(item.audio)), VOICED_FRAME),
    }


def samples_of(pcm: bytes) -> NDArray[np.float32]:
    """s16le as float32 in -1…1."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def periodic(audio: NDArray[np.float32]) -> Flags:
    """Per 10 ms whether the 32 ms around it are voiced: alike at some pitch of 62–400 Hz.

    Normalised autocorrelation of the windowed signal over that of the window (Boersma, 1993).
    """
    count = len(audio) // VOICED_FRAME
    padded = np.pad(audio[: count * VOICED_FRAME], (_WINDOW // 2, _WINDOW))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::VOICED_FRAME][:count]
    window = np.hanning(_WINDOW)
    centred = (frames - frames.mean(axis=1, keepdims=True)) * window
    similarity = _autocorrelation(centred)
    own = _autocorrelation(window[None, :])[0]
    power = np.maximum(similarity[:, :1], 1e-9)
    peak = (similarity[:, _LAGS] / power / (own[_LAGS] / own[0])).max(axis=1)
    loud = np.mean(frames**2, axis=1) > _QUIETEST
    return np.asarray((peak > _PERIODIC) & loud, bool)


def _autocorrelation(frames: NDArray[np.float64]) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(frames, 2 * _WINDOW)
    return np.fft.irfft(np.abs(spectrum) ** 2)[:, :_WINDOW]


def _by_vad(vad: Vad, item: Item) -> Heard:
    vad.reset()
    size = vad.frame_samples * 2
    pcm = item.audio
    pieces = (pcm[at : at + size] for at in range(0, len(pcm) - size + 1, size))
    return Heard(np.array([vad.is_speech(piece) for piece in pieces]), vad.frame_samples)
