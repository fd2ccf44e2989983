"""Audio that cannot be heard well is noticed once, and again after it has been clear."""

from typing import Any

import numpy as np
import pytest
from bargein_protocol.errors import WarningCode
from bargein_server.audio.quality import QualityMonitor, diagnose
from hypothesis import given
from hypothesis import strategies as st

SECOND = 16_000


def pcm(samples: Any) -> bytes:
    return bytes(np.clip(samples, -32768, 32767).astype("<i2").tobytes())


def speech(seconds: float, gain: float = 3000, offset: float = 0) -> bytes:
    """Noise that comes and goes like syllables."""
    time = np.arange(round(seconds * SECOND)) / SECOND
    noise = np.random.default_rng(0).standard_normal(time.size)
    return pcm(gain * noise * np.sin(2 * np.pi * 2 * time) ** 2 + offset)


def heard(*parts: bytes, frame_ms: int = 20) -> list[tuple[float, WarningCode]]:
    """(second, code) of each report about these parts, sent frame by frame."""
    monitor, audio, size = QualityMonitor(), b"".join(parts), frame_ms * 32
    return [
        ((start + size) / 2 / SECOND, code)
        for start in range(0, len(audio), size)
        for code in monitor.hear(audio[start : start + size])
    ]


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (b"", []),
        (speech(3), []),
        (bytes(96_000), [WarningCode.ALL_ZERO_AUDIO]),
        (bytes(95_000) + speech(0.1), []),
        (speech(3, gain=60_000), [WarningCode.CLIPPED_AUDIO]),
        (speech(3, offset=1500), [WarningCode.DC_OFFSET]),
        (speech(3, offset=-1500), [WarningCode.DC_OFFSET]),
        (pcm(np.full(SECOND, 32767)), [WarningCode.CLIPPED_AUDIO, WarningCode.DC_OFFSET]),
    ],
)
def test_a_window_is_diagnosed(window: bytes, expected: list[WarningCode]) -> None:
    assert diagnose(window) == expected


@pytest.mark.parametrize("frame_ms", [5, 20, 30, 1000])
def test_good_audio_is_not_reported(frame_ms: int) -> None:
    assert heard(speech(20), frame_ms=frame_ms) == []


def test_digital_silence_is_reported_after_three_seconds_and_once() -> None:
    assert heard(bytes(20 * 32_000)) == [(3.02, WarningCode.ALL_ZERO_AUDIO)]


def test_digital_silence_between_words_is_not_reported() -> None:
    assert heard(*[speech(0.5), bytes(int(2.9 * 32_000))] * 5) == []


@pytest.mark.parametrize("frame_ms", [5, 20, 30, 1000])
def test_clipping_is_reported_within_two_seconds_and_once(frame_ms: int) -> None:
    ((second, code),) = heard(speech(20, gain=60_000), frame_ms=frame_ms)
    assert code is WarningCode.CLIPPED_AUDIO
    assert second <= 2.05


def test_an_offset_is_reported_once() -> None:
    ((_, code),) = heard(speech(20, offset=2000))
    assert code is WarningCode.DC_OFFSET


def test_what_was_clear_for_a_while_is_reported_again() -> None:
    reports = heard(speech(4, gain=60_000), speech(20), speech(4, gain=60_000))
    assert [code for _, code in reports] == [WarningCode.CLIPPED_AUDIO] * 2


def test_what_comes_back_soon_is_not_reported_again() -> None:
    reports = heard(speech(4, gain=60_000), speech(4), speech(4, gain=60_000))
    assert [code for _, code in reports] == [WarningCode.CLIPPED_AUDIO]


@given(st.lists(st.binary(max_size=700).map(lambda data: data[: len(data) // 2 * 2])))
def test_any_audio_in_any_frames_is_taken(frames: list[bytes]) -> None:
    monitor = QualityMonitor()
    for frame in frames:
        assert set(monitor.hear(frame)) <= set(WarningCode)
