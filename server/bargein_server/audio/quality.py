"""Is this audio worth hearing? Digital silence, clipping and a constant offset, at little cost."""

import numpy as np
from bargein_protocol.errors import WarningCode

SAMPLE_RATE = 16_000
FULL_SCALE = 32_000
"""At or beyond this a sample counts as clipped; G.711 cannot go further than 32,124."""
CLIPPED_SHARE = 0.01
"""Share of clipped samples from which audio is clipping."""
OFFSET = 1000
"""Mean sample, 3 % of full scale, from which audio has a constant offset."""

LOOKED_AT = 5
"""Of so many samples one is looked at: the first fifth of each frame."""
DIAGNOSED_BYTES = 2 * 2 * SAMPLE_RATE // LOOKED_AT
"""What was looked at in 2 s is diagnosed together."""
ZERO_LIMIT = 3 * SAMPLE_RATE
"""Digital silence for longer than this is worth a warning."""
CLEAR_AFTER = 10 * SAMPLE_RATE
"""What has been clear for as long is reported again when it comes back."""


def diagnose(pcm: bytes) -> list[WarningCode]:
    """What is wrong with a whole window (16 kHz mono s16le); nothing is wrong with no audio."""
    if not pcm:
        return []
    if not any_sound(pcm):
        return [WarningCode.ALL_ZERO_AUDIO]
    return _distortions(pcm)


def any_sound(pcm: bytes) -> bool:
    """Whether any sample is not zero."""
    return pcm != bytes(len(pcm))


class QualityMonitor:
    """Watches a stream of 16 kHz mono s16le, and says each thing once until it has been clear.

    Digital silence is found in every sample; clipping and offset in a fifth of them, every 2 s.
    It costs about a microsecond per 20 ms frame.
    """

    def __init__(self) -> None:
        self._position = 0
        self._zeros = 0
        self._looked_at = bytearray()
        self._seen: dict[WarningCode, int] = {}

    def hear(self, pcm: bytes) -> list[WarningCode]:
        """Take the next audio, of any length; what has to be reported now."""
        samples = len(pcm) // 2
        self._position += samples
        self._zeros = 0 if any_sound(pcm) else self._zeros + samples
        found = [WarningCode.ALL_ZERO_AUDIO] if self._zeros > ZERO_LIMIT else []
        self._looked_at += pcm[: samples // LOOKED_AT * 2]
        if len(self._looked_at) >= DIAGNOSED_BYTES:
            found += _distortions(bytes(self._looked_at))
            self._looked_at.clear()
        return self._news(found) if found else []

    def _news(self, found: list[WarningCode]) -> list[WarningCode]:
        now = self._position
        news = [code for code in found if now - self._seen.get(code, -CLEAR_AFTER) >= CLEAR_AFTER]
        self._seen.update(dict.fromkeys(found, now))
        return news


def _distortions(pcm: bytes) -> list[WarningCode]:
    samples = np.frombuffer(pcm, "<i2")
    clipped = np.count_nonzero((samples >= FULL_SCALE) | (samples <= -FULL_SCALE))
    found: list[WarningCode] = []
    if clipped > CLIPPED_SHARE * samples.size:
        found.append(WarningCode.CLIPPED_AUDIO)
    if abs(float(samples.mean())) > OFFSET:
        found.append(WarningCode.DC_OFFSET)
    return found
