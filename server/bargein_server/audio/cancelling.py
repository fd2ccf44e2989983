"""Takes the agent's echo out of the user's audio.

A partitioned-block frequency-domain Kalman filter: Enzner and Vary (2006), "Frequency-domain
adaptive Kalman filter for acoustic echo control in hands-free telephones"; in partitions, Kuech,
Mabande and Enzner (2014), "State-space architecture of the partitioned-block-based acoustic echo
controller". It learns the way from the loudspeaker to the microphone, the more slowly the more of
the user it hears, and only subtracts: what it does not know of the agent stays, and so does the
user.
"""

import numpy as np
from numpy.typing import NDArray

from bargein_server.audio.echo import echo_delay
from bargein_server.audio.quality import any_sound

BLOCK = 400
"""Samples that are cleaned at once: 25 ms."""
BYTES = 2
PARTITIONS = 8
"""Blocks of the agent's past that one block's echo comes of: it may last for 200 ms."""
REMEMBERED = PARTITIONS * BLOCK
STEADY = np.float32(0.9995**2)
"""How little the way changes from block to block."""
UNKNOWN = np.float32(0.1)
"""How strong an echo is expected to be of which nothing is known, in power."""
BINS = BLOCK + 1
FADING = 0.8
HARMFUL = 1.35
"""By how much more power than was heard shows that the way is another than was learnt; a user who
speaks, too, never shows so much."""
PLAIN = 0.5
"""To what share of its power what is heard falls when the way is known. Until it has done so once,
there may be no echo at all, and nothing is subtracted."""
TINY = np.float32(1e-10)
LOUDEST = 32768

Floats = NDArray[np.float32]
Spectrum = NDArray[np.complex64]


class EchoCanceller:
    """One session's: what it has learnt stays from overlap to overlap.

    Audio is 16 kHz mono s16le. It comes in pieces of whole blocks; `begin` says what the agent said
    before a piece that does not follow on the last. A block takes about 0.1 ms where the agent
    sounds, else next to nothing.
    """

    def __init__(self) -> None:
        self._latest = np.zeros(BLOCK, np.float32)
        self._played = np.zeros((PARTITIONS, BINS), np.complex64)
        self._there_is = False
        self.forget()

    def forget(self) -> None:
        """The way is another now."""
        self._way = np.zeros((PARTITIONS, BINS), np.complex64)
        self._doubt = np.full((PARTITIONS, BINS), UNKNOWN)
        self._others = np.zeros(BINS, np.float32)
        self._heard_power = self._left_power = 0.0
        self._turn = 0

    def delay(self, user: bytes, agent: bytes) -> int | None:
        """By how many samples the echo is late; see `echo_delay`."""
        return echo_delay(user, agent)

    def begin(self, agent: bytes) -> None:
        """What comes next follows on this, `REMEMBERED` samples of the agent's."""
        self._latest = np.zeros(BLOCK, np.float32)
        for block in _blocks(agent):
            self._play(block)

    def clean(self, user: bytes, agent: bytes) -> bytes:
        """The user's audio without the echo of the agent's, as long as both.

        Args:
            user: what the microphone heard, in whole blocks.
            agent: what the loudspeaker played in the same time, or so much earlier as the echo is
                late. Without a sound of it the user's audio comes back as it is.

        Raises:
            ValueError: these are no whole blocks, or not as many.
        """
        if not any_sound(agent) and not self._played.any():
            return user
        pairs = zip(_blocks(user), _blocks(agent), strict=True)
        left = np.concatenate([self._clean(heard, played) for heard, played in pairs])
        pcm: bytes = np.rint(left * LOUDEST).clip(-LOUDEST, LOUDEST - 1).astype("<i2").tobytes()
        return pcm

    def _play(self, played: Floats) -> None:
        self._played[1:] = self._played[:-1]
        self._played[0] = _spectrum(self._latest, played)
        self._latest = played

    def _clean(self, heard: Floats, played: Floats) -> Floats:
        self._play(played)
        power = _power(self._played)
        if not power.any() or not heard.any():
            return heard  # a microphone that is muted says nothing of the way
        spectrum = np.einsum("pf,pf->f", self._played, self._way)
        left = heard - np.fft.irfft(spectrum)[BLOCK:].astype(np.float32)
        before, after = float(heard @ heard), float(left @ left)
        self._heard_power = FADING * self._heard_power + before
        self._left_power = FADING * self._left_power + after
        if self._left_power > HARMFUL * self._heard_power:
            self.forget()
            left = heard
        self._there_is = self._there_is or self._left_power < PLAIN * self._heard_power
        self._learn(left, power)
        return left if self._there_is else heard

    def _learn(self, left: Floats, power: Floats) -> None:
        """One step of the Kalman filter: `power` of what was played, `left` unexplained by it.

        That the way lasts no longer than a block per partition is seen to for one of them a step.
        """
        error = _spectrum(np.zeros(BLOCK, np.float32), left)
        now = _power(error)
        self._others = np.maximum(now, FADING * self._others + (1 - FADING) * now)
        doubtful = self._doubt * power
        gain = doubtful.sum(axis=0) + 2 * self._others + TINY
        self._way += self._doubt / gain * self._played.conj() * error
        self._doubt *= STEADY * (1 - np.float32(0.5) * doubtful / gain)
        self._doubt += (1 - STEADY) * _power(self._way)
        turn = self._turn = (self._turn + 1) % PARTITIONS
        way = np.fft.irfft(self._way[turn])
        way[BLOCK:] = 0
        self._way[turn] = np.fft.rfft(way)


def _spectrum(before: Floats, block: Floats) -> Spectrum:
    return np.asarray(np.fft.rfft(np.concatenate([before, block])), np.complex64)


def _blocks(pcm: bytes) -> Floats:
    samples = np.frombuffer(pcm, "<i2").astype(np.float32)
    return np.reshape(samples / np.float32(LOUDEST), (-1, BLOCK))


def _power(spectrum: Spectrum) -> Floats:
    return np.asarray(spectrum.real**2 + spectrum.imag**2, np.float32)
