"""Changes to the features of a composed overlap, the same for whatever is computed of it."""

from dataclasses import dataclass

import numpy as np

from bargein_model.composer.pools import Random
from bargein_model.features import (
    SPEECH_LEVEL,
    USER_BANDS,
    Floats,
    UserFeatures,
    Wide,
    speech_edges_hz,
    user_edges_hz,
)

HIDDEN_SHARE = 0.33
USER_HZ = user_edges_hz(USER_BANDS)[1:-1]
SPEECH_HZ = speech_edges_hz()[1:-1]


@dataclass(frozen=True, slots=True)
class Variation:
    """Another vocal tract, and a band of the spectrum that is not heard."""

    formants: float
    """What frequencies are multiplied by (vocal tract length perturbation, VTLP)."""
    hidden_hz: tuple[float, float]
    """Where nothing is heard (after SpecAugment)."""
    hidden_log_power: float

    def of(self, features: UserFeatures) -> UserFeatures:
        """The features as they would be then."""
        return UserFeatures(
            self._varied(features.log_mel, USER_HZ, 0.0),
            self._varied(features.speech_mel, SPEECH_HZ, SPEECH_LEVEL),
        )

    def _varied(self, features: Floats, bands_hz: Wide, level: float) -> Floats:
        spectra = features.reshape(-1, len(bands_hz))
        sources = np.interp(bands_hz / self.formants, bands_hz, np.arange(len(bands_hz)))
        lower = np.minimum(sources.astype(np.int64), len(bands_hz) - 2)
        share = (sources - lower).astype(np.float32)
        varied = spectra[:, lower] * (1 - share) + spectra[:, lower + 1] * share
        low, high = self.hidden_hz
        varied[:, (bands_hz >= low) & (bands_hz < high)] = self.hidden_log_power + level
        return varied.reshape(features.shape)


def draw_variation(rng: Random) -> Variation:
    """A random variation; two in three hide nothing."""
    formants = float(np.clip(rng.normal(1.0, 0.06), 0.86, 1.16))
    first, width = int(rng.integers(USER_BANDS - 6)), int(rng.integers(1, 7))
    hides = rng.random() < HIDDEN_SHARE
    hidden = (float(USER_HZ[first]), float(USER_HZ[first + width])) if hides else (0.0, 0.0)
    return Variation(formants, hidden, float(rng.uniform(-9.0, -5.0)))
