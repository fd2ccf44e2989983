"""How late the microphone hears the loudspeaker is found by sound alone."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from bargein_server.audio.echo import echo_delay
from bargein_server.detection.tracks import LATEST_ECHO, LOOKED_THROUGH
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FIXTURES = Path(__file__).parents[1] / "model" / "fixtures"
MS = 16


def recording(name: str) -> Floats:
    audio, _ = soundfile.read(FIXTURES / name, dtype="float64")
    return np.asarray(audio, np.float64)


AGENT = recording("mixed-echo-000.agent.flac")[-LATEST_ECHO - LOOKED_THROUGH :]
USER = recording("mixed-long-000.flac")[-LOOKED_THROUGH - 8000 : -8000]


def pcm(samples: Floats) -> bytes:
    return bytes(np.clip(samples * 32767, -32768, 32767).astype("<i2").tobytes())


def echo(delay_ms: int, level_db: float, seed: int) -> Floats:
    """What a microphone in a small room hears of the agent."""
    rng = np.random.default_rng(seed)
    reverberation = rng.standard_normal(3200) * np.exp(-np.arange(3200) / 600) * 0.1
    reverberation[0] = 1.0
    late = np.concatenate([np.zeros(delay_ms * MS), AGENT])[: len(AGENT)]
    heard = np.convolve(late, reverberation)[LATEST_ECHO : len(AGENT)]
    tone = rng.standard_normal(LOOKED_THROUGH) * 1e-4
    return np.asarray(heard * 10 ** (level_db / 20) + tone)


@given(delay_ms=st.integers(0, 600), level_db=st.floats(-40, 0), seed=st.integers(0, 99))
def test_an_echo_is_found_wherever_it_lies(delay_ms: int, level_db: float, seed: int) -> None:
    found = echo_delay(pcm(echo(delay_ms, level_db, seed)), pcm(AGENT))
    assert found == pytest.approx(delay_ms * MS, abs=5 * MS)


@given(delay_ms=st.integers(0, 600))
def test_the_user_may_speak_as_loudly(delay_ms: int) -> None:
    heard = echo(delay_ms, -10, 1)
    user = USER * np.sqrt(np.mean(heard**2) / np.mean(USER**2))
    found = echo_delay(pcm(heard + user), pcm(AGENT))
    assert found == pytest.approx(delay_ms * MS, abs=5 * MS)


@given(shift=st.integers(0, LOOKED_THROUGH), level_db=st.floats(-30, 10))
def test_a_user_is_no_echo(shift: int, level_db: float) -> None:
    user = np.roll(USER, shift) * 10 ** (level_db / 20)
    assert echo_delay(pcm(user), pcm(AGENT)) is None


@pytest.mark.parametrize("user", [bytes(2 * LOOKED_THROUGH), pcm(USER)])
def test_a_silent_agent_has_no_echo(user: bytes) -> None:
    assert echo_delay(user, bytes(2 * (LATEST_ECHO + LOOKED_THROUGH))) is None


def test_silence_holds_none() -> None:
    assert echo_delay(bytes(2 * LOOKED_THROUGH), pcm(AGENT)) is None
