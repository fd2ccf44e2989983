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

LOOK_EVERY = SAMPLE_RATE // 10
"""One look per 100 ms of audio …"""
LOOK_BYTES = 2 * SAMPLE_RATE // 50
"""… at up to 20 ms …"""
LOOKS = 20
"""… and a diagnosis after as many: every 2 s."""
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

    Digital silence is found in every sample; clipping and offset in a look of 20 ms out of every
    100 ms, which costs under a microsecond per 20 ms frame.
    """

    def __init__(self) -> None:
        self._position = 0
        self._zeros = 0
        self._next_look = 0
        self._looks: list[bytes] = []
        self._seen: dict[WarningCode, int] = {}

    def hear(self, pcm: bytes) -> list[WarningCode]:
        """Take the next audio, of any length; what has to be reported now."""
        samples = len(pcm) // 2
        self._position += samples
        self._zeros = 0 if any_sound(pcm) else self._zeros + samples
        found = [WarningCode.ALL_ZERO_AUDIO] if self._zeros > ZERO_LIMIT else []
        if self._position >= self._next_look:
            found += self._look(pcm)
        return self._news(found) if found else []

    def _look(self, pcm: bytes) -> list[WarningCode]:
        self._next_look = self._position + LOOK_EVERY
        self._looks.append(pcm[:LOOK_BYTES])
        if len(self._looks) < LOOKS:
            return []
        looks, self._looks = b"".join(self._looks), []
        return _distortions(looks)

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
