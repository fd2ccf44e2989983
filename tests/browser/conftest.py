"""A server whose model goes by the length of a sound, and a browser to look at it with."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from bargein_server.models.contract import CLASSES, FRAME_SAMPLES, Floats, ModelInfo
from bargein_server.models.predictor import Predictor
from bargein_server.pages.routes import STATIC
from support.chromium import Browser, chromium

RATE = 16_000
LONG_FRAMES = 32
LOUD = 0.004


class PatientModel:
    """Calls a stream an interruption once it heard 0.8 s of sound, and a backchannel until then."""

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(name="patient", version="1", default_threshold=0.5, state_size=1)

    def run(self, audio: Floats, reference: Floats, state: Floats) -> tuple[Floats, Floats]:  # noqa: ARG002
        streams, samples = audio.shape
        levels = np.abs(audio).reshape(streams, samples // FRAME_SAMPLES, FRAME_SAMPLES).mean(2)
        heard = state + np.cumsum(levels > LOUD, axis=1, dtype=np.float32)
        long = heard >= LONG_FRAMES
        rows = np.zeros((*levels.shape, len(CLASSES)), np.float32)
        rows[..., CLASSES.index("interruption")] = np.where(long, 0.9, 0.1)
        rows[..., CLASSES.index("backchannel")] = np.where(long, 0.1, 0.9)
        return rows, heard[:, -1:]


@pytest_asyncio.fixture(loop_scope="module")
async def predictor() -> AsyncIterator[Predictor]:
    async with Predictor(PatientModel()) as predictor:
        yield predictor


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with chromium() as browser:
        yield browser


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """“Yeah” at 3.2 s, and at 5.4 s a question of 1.9 s; silence after it."""
    samples, rate = soundfile.read(STATIC / "audio" / "user-question.flac", dtype="int16")
    assert rate == RATE
    quiet = np.zeros(4 * RATE, np.int16)
    parts = [samples[: 5 * RATE], samples[11 * RATE : 14 * RATE], quiet]
    path = tmp_path / "microphone.wav"
    soundfile.write(path, np.concatenate(parts), RATE)
    return path
