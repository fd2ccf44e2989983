"""The features are what their names say: mel power, in the right band, at the right time."""

import numpy as np
from bargein_model.features import (
    BASIS,
    HOP,
    POWER_FLOOR,
    REFERENCE_BANDS,
    SPEECH_BANDS,
    SPEECH_LEVEL,
    USER_BANDS,
    reference_features,
    speech_edges_hz,
    user_features,
)


def tone(frequency_hz: float, samples: int, size: float = 0.1) -> "np.typing.NDArray[np.float32]":
    return (size * np.sin(2 * np.pi * frequency_hz * np.arange(samples) / 16_000)).astype(
        np.float32
    )


def test_shapes() -> None:
    audio = tone(440, 4000)
    assert user_features(audio).log_mel.shape == (10, 2 * USER_BANDS)
    assert user_features(audio).speech_mel.shape == (10, 2 * SPEECH_BANDS)
    assert reference_features(audio).shape == (10, REFERENCE_BANDS)


def test_silence_lies_at_the_floor() -> None:
    silence = user_features(np.zeros(800, np.float32))
    floor = np.float32(np.log10(POWER_FLOOR))
    assert np.all(silence.log_mel == floor)
    assert np.all(silence.speech_mel == floor + np.float32(SPEECH_LEVEL))


def test_the_folded_transform_is_a_windowed_fourier_transform() -> None:
    rng = np.random.default_rng(3)
    audio = rng.normal(0, 0.1, 2 * HOP).astype(np.float32)
    window = np.cos(np.pi * (np.arange(2 * HOP) - HOP + 0.5) / (2 * HOP)) ** 2
    power = np.abs(np.fft.rfft(audio * window))[1:HOP] ** 2 / np.sum(window**2)
    expected = np.log10(power @ BASIS.user_mel + POWER_FLOOR)
    np.testing.assert_allclose(user_features(audio).log_mel[0, USER_BANDS:], expected, atol=2e-4)


def test_a_higher_tone_peaks_in_a_higher_band() -> None:
    peaks = [
        int(np.argmax(user_features(tone(hz, 1600)).log_mel[2, :USER_BANDS]))
        for hz in (200, 800, 3000)
    ]
    assert peaks == sorted(set(peaks))


def test_ten_times_the_size_is_two_decades_of_power() -> None:
    quiet, loud = (user_features(tone(500, 1600, size)).log_mel[2] for size in (0.02, 0.2))
    audible = quiet > -5
    np.testing.assert_allclose((loud - quiet)[audible], 2.0, atol=0.01)


def test_a_frame_starts_where_its_samples_start() -> None:
    audio = np.concatenate([np.zeros(800, np.float32), tone(500, 800)])
    levels = user_features(audio).log_mel.max(axis=1)
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


def test_a_full_scale_tone_has_the_level_that_the_embedding_knows() -> None:
    """log10 of the power of 16-bit samples under a Hann window, in Slaney's areas, plus 2."""
    loud = user_features(tone(1000, 1600, 1.0)).speech_mel[2, :SPEECH_BANDS].max()
    samples = 32767 * np.sin(2 * np.pi * 1000 * np.arange(400) / 16_000)
    power = np.abs(np.fft.rfft(samples * np.hanning(401)[:-1], 512)) ** 2
    edges = speech_edges_hz()
    centre = int(np.argmin(np.abs(edges - 1000)))
    hz = np.arange(257) * 31.25
    low, middle, high = edges[centre - 1 : centre + 2]
    slopes = np.minimum((hz - low) / (middle - low), (high - hz) / (high - middle))
    area = np.maximum(slopes, 0) * 2 / (high - low)
    assert abs(loud - (np.log10(power @ area) + 2)) < 0.1
