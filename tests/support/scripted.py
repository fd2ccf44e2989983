"""A model that says the same about everything, for tests of what is around it."""

import numpy as np
from bargein_server.models.contract import CLASSES, FRAME_SAMPLES, Floats, ModelInfo


class ScriptedModel:
    """Gives every frame `interruption` as the probability of an interruption, the rest to noise."""

    def __init__(self, interruption: float) -> None:
        self._row = np.zeros(len(CLASSES), np.float32)
        self._row[CLASSES.index("interruption")] = interruption
        self._row[CLASSES.index("noise")] = 1 - interruption

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(name="scripted", version="1", default_threshold=0.5, state_size=1)

    def run(self, audio: Floats, reference: Floats, state: Floats) -> tuple[Floats, Floats]:  # noqa: ARG002
        streams, samples = audio.shape
        return np.tile(self._row, (streams, samples // FRAME_SAMPLES, 1)), state
