"""The features are what their names say: mel power, in the right band, at the right time."""

import numpy as np
from bargein_model.features import (
    BASIS,
    HOP,
    POWER_FLOOR,
    REFERENCE_BANDS,
    SPEECH_LEVEL,
    USER_BANDS,
    reference_features,
    speech_edges_hz,
    speech_reading,
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
    silence = user_features(np.zeros(800, np.float32))
    assert np.all(silence == np.float32(np.log10(POWER_FLOOR)))


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


def test_the_embedding_s_bands_are_slaney_s() -> None:
    corners = speech_edges_hz()
    assert corners[0] == 60
    np.testing.assert_allclose(corners[-1], 3800)
    below = corners[corners < 950]
    np.testing.assert_allclose(np.diff(below), np.diff(below)[0])
    above = corners[corners > 1050]
    np.testing.assert_allclose(above[1:] / above[:-1], above[1] / above[0])


def test_the_embedding_s_bands_are_read_off_ours() -> None:
    """Log10 of the power of 16-bit samples under a Hann window, in Slaney's areas, plus 2."""
    colour = np.random.default_rng(5).normal(0, 0.05, 16_000)
    audio = np.convolve(colour, np.exp(-np.arange(30) / 6.0), "same").astype(np.float32)
    read = user_features(audio)[1:, :USER_BANDS] @ speech_reading() + SPEECH_LEVEL
    windows = np.stack([audio[at - HOP : at + HOP] for at in range(2 * HOP, 16_000, 2 * HOP)])
    power = np.abs(np.fft.rfft(32767 * windows * np.hanning(401)[:-1], 512)) ** 2
    low, middle, high = (speech_edges_hz()[at : at + 32] for at in range(3))
    hz = np.arange(257)[:, None] * 31.25
    slopes = np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle))
    theirs = np.log10(power @ (np.maximum(slopes, 0) * 2 / (high - low))) + 2
    difference = read - theirs
    assert np.all(np.abs(difference.mean(axis=0)) < 0.12)
    assert difference.std() < 0.25
