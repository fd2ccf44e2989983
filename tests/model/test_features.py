"""The features are what their names say: mel power, in the right band, at the right time."""

import numpy as np
from bargein_model.features import (
    BASIS,
    HOP,
    POWER_FLOOR,
    REFERENCE_BANDS,
    USER_BANDS,
    reference_features,
    user_features,
)


def tone(frequency_hz: float, samples: int, size: float = 0.1) -> "np.typing.NDArray[np.float32]":
    return (size * np.sin(2 * np.pi * frequency_hz * np.arange(samples) / 16_000)).astype(
        np.float32
    )


def test_shapes() -> None:
    audio = tone(440, 4000)
    assert user_features(audio).shape == (10, 2 * USER_BANDS)
    assert reference_features(audio).shape == (10, REFERENCE_BANDS)


def test_silence_lies_at_the_floor() -> None:
    assert np.all(user_features(np.zeros(800, np.float32)) == np.float32(np.log10(POWER_FLOOR)))


def test_the_folded_transform_is_a_windowed_fourier_transform() -> None:
    rng = np.random.default_rng(3)
    audio = rng.normal(0, 0.1, 2 * HOP).astype(np.float32)
    window = np.cos(np.pi * (np.arange(2 * HOP) - HOP + 0.5) / (2 * HOP)) ** 2
    power = np.abs(np.fft.rfft(audio * window))[1:HOP] ** 2 / np.sum(window**2)
    expected = np.log10(power @ BASIS.user_mel + POWER_FLOOR)
    np.testing.assert_allclose(user_features(audio)[0, USER_BANDS:], expected, atol=2e-4)


def test_a_higher_tone_peaks_in_a_higher_band() -> None:
    peaks = [
        int(np.argmax(user_features(tone(hz, 1600))[2, :USER_BANDS])) for hz in (200, 800, 3000)
    ]
    assert peaks == sorted(set(peaks))


def test_ten_times_the_size_is_two_decades_of_power() -> None:
    quiet, loud = (user_features(tone(500, 1600, size))[2] for size in (0.02, 0.2))
    audible = quiet > -5
    np.testing.assert_allclose((loud - quiet)[audible], 2.0, atol=0.01)


def test_a_frame_starts_where_its_samples_start() -> None:
    audio = np.concatenate([np.zeros(800, np.float32), tone(500, 800)])
    levels = user_features(audio).max(axis=1)
    assert np.all(levels[:2] < -8.9)
    assert np.all(levels[2:] > -4)
