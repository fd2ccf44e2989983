"""Draws clips so that sources, kinds of speaker and vocabulary are balanced within a class."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from bargein_model.composer import effects
from bargein_model.composer.corpus import Clip, Corpus, LackingError, Role
from bargein_model.contract import SAMPLE_RATE

Floats = NDArray[np.float32]
Random = np.random.Generator

SPEAKER_KIND_SHARES: Mapping[str, Mapping[str, float]] = {
    "speech": {"real": 0.5, "tts": 0.5},
    "backchannel": {"real": 0.42, "tts": 0.46, "dsp": 0.12},
    "vocal": {"real": 0.45, "dsp": 0.55},
}
"""Nearly alike in speech and backchannels, so that 'synthetic' is no sign of either."""

SUBCLASS_FACTORS: Mapping[str, float] = {
    "isolated_word": 0.5,
    "digit": 0.8,
    "tts_short": 1.8,
    "acted_short": 1.6,
    "tts_bc_cont": 0.8,
}
"""Few words said by many count less than their number; short answers matter more."""


class Drawer:
    """Draws from groups (speaker kind, source, subclass), a group by the root of its size."""

    def __init__(self, clips: Iterable[Clip], kind_shares: Mapping[str, float]) -> None:
        groups: dict[tuple[str, str, str], list[Clip]] = defaultdict(list)
        for clip in clips:
            groups[clip.speaker_kind, clip.source, clip.subclass].append(clip)
        self._groups = list(groups.values())
        self._shares = _shares(groups, kind_shares)

    def draw(self, rng: Random) -> Clip:
        """One clip."""
        group = self._groups[int(rng.choice(len(self._groups), p=self._shares))]
        return group[int(rng.integers(len(group)))]


def _shares(
    groups: Mapping[tuple[str, str, str], list[Clip]], kind_shares: Mapping[str, float]
) -> list[float]:
    weights = {k: len(v) ** 0.5 * SUBCLASS_FACTORS.get(k[2], 1.0) for k, v in groups.items()}
    totals: dict[str, float] = defaultdict(float)
    for (kind, _, _), weight in weights.items():
        totals[kind] += weight
    scaled = [w / totals[k[0]] * kind_shares.get(k[0], 1.0) for k, w in weights.items()]
    return [share / sum(scaled) for share in scaled]


class Pools:
    """Everything the composer draws from, in one role.

    Raises:
        LackingError: there is nothing of one of the classes.
    """

    def __init__(self, corpus: Corpus, role: Role, room_role: Role = Role.TRAINING) -> None:
        self.corpus = corpus
        self._drawers: dict[str, Drawer] = {}
        for kind in ("speech", "backchannel", "vocal", "noise", "music", "babble", "agent", "rir"):
            clips = corpus.pool(kind, role)
            clips = clips or corpus.pool(kind, room_role)
            if not clips:
                raise LackingError(
                    f"there is no recording of class `{kind}`, and overlaps are composed of all "
                    "classes; give --corpus ../shared/corpus, too, or record some"
                )
            self._drawers[kind] = Drawer(
                filter(_usable, clips), SPEAKER_KIND_SHARES.get(kind, {"real": 1.0})
            )
        self._companions = _companions(corpus, role)
        self._sources: set[str] = set()

    def note_sources(self) -> set[str]:
        """A set that from now on (until the next) gets the source of every clip that is drawn."""
        self._sources = set[str]()
        return self._sources

    def draw(self, kind: str, rng: Random) -> Clip:
        """A clip of a kind."""
        return self._noted(self._drawers[kind].draw(rng))

    def companion(self, clip: Clip, kind: str, rng: Random) -> Clip:
        """A clip of a kind by the same speaker, or by anyone if there is none."""
        found = self._companions.get((clip.speaker, kind))
        return self._noted(found[int(rng.integers(len(found)))]) if found else self.draw(kind, rng)

    def talkers(self, length: int, rng: Random) -> Floats:
        """Babble: two to nine people who talk on at the same time, some further away."""
        babble = np.zeros(length, np.float32)
        for _ in range(int(rng.integers(2, 10))):
            talk = [self._talk(rng) for _ in range(1 + length // (2 * SAMPLE_RATE))]
            voice = np.roll(np.resize(np.concatenate(talk), length), int(rng.integers(length)))
            babble += effects.at_level(voice, float(rng.normal(0.0, 5.0)))
        return babble

    def _talk(self, rng: Random) -> Floats:
        clip = self.draw("speech", rng)
        audio = self.corpus.audio(clip)[clip.onset : clip.offset]
        pause = np.zeros(int(rng.uniform(0.02, 0.3) * SAMPLE_RATE), np.float32)
        return np.concatenate([effects.faded(audio), pause])

    def _noted(self, clip: Clip) -> Clip:
        self._sources.add(clip.source)
        return clip


def _usable(clip: Clip) -> bool:
    return clip.offset - clip.onset >= 800 or clip.kind in {"noise", "rir"}


def _companions(corpus: Corpus, role: Role) -> dict[tuple[str, str], list[Clip]]:
    found: dict[tuple[str, str], list[Clip]] = defaultdict(list)
    for kind in ("speech", "backchannel", "vocal"):
        for clip in filter(_usable, corpus.pool(kind, role)):
            found[clip.speaker, kind].append(clip)
    return found
