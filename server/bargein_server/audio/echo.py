"""How late the microphone hears the loudspeaker."""

import numpy as np
from numpy.typing import NDArray

from bargein_server.audio.quality import any_sound

LOWEST_HZ, HIGHEST_HZ = 200, 3600
"""Where voices are, and telephones pass them on."""
NEXT_TO_NOTHING = 1e-4
"""Of the agent's strongest frequency: what is weaker than that is not voice, whatever its phase."""
PLAINLY = 10.0
"""How far the right delay stands out, against the root mean square over all delays. Other voices
and noise hardly ever get above 9; half a second of echo, 10 to 40 dB below the agent, does."""


def echo_delay(user: bytes, agent: bytes) -> int | None:
    """By how many samples the agent in the user's audio comes later than in its own.

    Generalised cross-correlation with phase transform: Knapp and Carter (1976), "The generalized
    correlation method for estimation of time delay". Half a second of echo is usually enough.
    For 1.2 s it takes about half a millisecond.

    Args:
        user: what the microphone heard, 16 kHz mono s16le.
        agent: what the loudspeaker was given in the same time and as long before that as an echo
            may take, in one piece.

    Returns:
        0 to the number of samples by which `agent` is longer, to a few samples; None if the agent
        is not plainly heard.
    """
    if not any_sound(user) or not any_sound(agent):
        return None
    heard, played = _at_8_khz(user), _at_8_khz(agent)
    earlier = len(played) - len(heard)
    size = 1 << (len(played) - 1).bit_length()
    spectrum = np.fft.rfft(played, size)
    power = np.abs(spectrum) ** 2
    cross = np.fft.rfft(heard, size) * spectrum.conj()
    strength = np.abs(cross)
    hertz = np.fft.rfftfreq(size, 1 / 8000)
    voice = (hertz > LOWEST_HZ) & (hertz < HIGHEST_HZ) & (power > NEXT_TO_NOTHING * power.max())
    phases = np.divide(cross, strength, out=np.zeros_like(cross), where=voice & (strength > 0))
    by_delay = np.fft.irfft(phases, size)[np.arange(-earlier, 1)]
    delay = int(np.argmax(by_delay))
    stands_out = by_delay[delay] > PLAINLY * np.sqrt(np.mean(by_delay**2))
    return 2 * delay if stands_out else None


def _at_8_khz(pcm: bytes) -> NDArray[np.float32]:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    pairs = samples[: len(samples) // 2 * 2].reshape(-1, 2)
    return pairs[:, 0] + pairs[:, 1]
