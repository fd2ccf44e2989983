"""What every engine that speaks has in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from bargein_model.composer.corpus import Role, role_of

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Make:
    """An engine, as manifests name it."""

    name: str
    source: str
    licence: str


class Voice(Protocol):
    """Who speaks, as an engine takes it."""

    @property
    def speaker(self) -> str:
        """What manifests call them, so that they keep their role in every corpus."""
        ...


AnyVoice = TypeVar("AnyVoice", bound=Voice)
AnyVoice_contra = TypeVar("AnyVoice_contra", bound=Voice, contravariant=True)


@dataclass(frozen=True, slots=True)
class Rendering:
    """What was said: mono, `rate` samples a second, and the sample at which each part begins.

    A `rate` that is not the engine's own makes the voice smaller or larger when it is resampled.
    """

    audio: Floats
    rate: float
    begins: tuple[int, ...]


class Engine(Protocol[AnyVoice_contra]):
    """What speaks."""

    @property
    def make(self) -> Make:
        """How manifests name it."""
        ...

    def say(
        self, voice: AnyVoice_contra, parts: Sequence[str], language: str, speed: float
    ) -> Rendering:
        """Says the parts of a text in one breath, `speed` times as fast as it usually does."""
        ...


def trains(make: Make, speaker: str) -> bool:
    """Whether someone who was not heard in any corpus belongs to the training's speakers."""
    row = {"source": make.source, "split": "train", "class": "speech", "speaker_id": speaker}
    return role_of(row, frozenset()) is Role.TRAINING
