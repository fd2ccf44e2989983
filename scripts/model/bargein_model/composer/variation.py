"""Changes to the features of a composed overlap."""

from dataclasses import dataclass, replace

import numpy as np

from bargein_model.composer.pools import Random
from bargein_model.features import USER_BANDS, Floats, user_edges_hz

HIDDEN_SHARE = 0.33
USER_HZ = user_edges_hz(USER_BANDS)[1:-1]


@dataclass(frozen=True, slots=True)
class Variation:
    """Another vocal tract, and a band of the spectrum that is not heard."""

    formants: float
    """What frequencies are multiplied by (vocal tract length perturbation, VTLP)."""
    hidden_hz: tuple[float, float]
    """Where nothing is heard (after SpecAugment)."""
    hidden_log_power: float

    def of(self, features: Floats) -> Floats:
        """The features, (frames, 80), as they would be then."""
        spectra = features.reshape(-1, USER_BANDS)
        sources = np.interp(USER_HZ / self.formants, USER_HZ, np.arange(USER_BANDS))
        lower = np.minimum(sources.astype(np.int64), USER_BANDS - 2)
        share = (sources - lower).astype(np.float32)
        varied = spectra[:, lower] * (1 - share) + spectra[:, lower + 1] * share
        low, high = self.hidden_hz
        varied[:, (low <= USER_HZ) & (high > USER_HZ)] = self.hidden_log_power
        return np.asarray(varied, np.float32).reshape(features.shape)

    def in_full(self) -> "Variation":
        """The same vocal tract, all of it heard."""
        return replace(self, hidden_hz=(0.0, 0.0))


def draw_variation(rng: Random) -> Variation:
    """A random variation; two in three hide nothing."""
    formants = float(np.clip(rng.normal(1.0, 0.06), 0.86, 1.16))
    first, width = int(rng.integers(USER_BANDS - 6)), int(rng.integers(1, 7))
    hides = rng.random() < HIDDEN_SHARE
    hidden = (float(USER_HZ[first]), float(USER_HZ[first + width])) if hides else (0.0, 0.0)
    return Variation(formants, hidden, float(rng.uniform(-9.0, -5.0)))
