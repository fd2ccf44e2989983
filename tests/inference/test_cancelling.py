"""The agent's echo is taken out of the user's audio, and the user is not."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bargein_server.audio.cancelling import BLOCK, REMEMBERED, EchoCanceller
from bargein_server.detection import tracks
from bargein_server.detection.timing import FRAME
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Floats = NDArray[np.float64]
FIXTURES = Path(__file__).parents[1] / "model" / "fixtures"
MS = 16
SECOND = 40 * BLOCK
SECONDS = 6
BYTES = 2


def spoken(name: str) -> Floats:
    """A voice, over and over."""
    audio, _ = soundfile.read(FIXTURES / name, dtype="float64")
    return np.resize(np.asarray(audio, np.float64), SECONDS * SECOND)


AGENT, USER = spoken("mixed-long-000.agent.flac"), spoken("mixed-long-001.flac")
TONE = np.random.default_rng(0).standard_normal(len(AGENT)) * 1e-4
LAST = slice((SECONDS - 2) * SECOND, None)


def pcm(samples: Floats) -> bytes:
    return bytes(np.clip(np.rint(samples * 32767), -32768, 32767).astype("<i2").tobytes())


def samples(audio: bytes) -> Floats:
    return np.frombuffer(audio, "<i2").astype(np.float64) / 32767


def echo(delay_ms: int, level_db: float, seed: int = 1, agent: Floats = AGENT) -> Floats:
    """What a microphone in a small room hears of the agent."""
    rng = np.random.default_rng(seed)
    reverberation = rng.standard_normal(2400) * np.exp(-np.arange(2400) / 500) * 0.05
    reverberation[0] = 1.0
    late = np.concatenate([np.zeros(delay_ms * MS), agent])[: len(agent)]
    return np.asarray(np.convolve(late, reverberation)[: len(agent)] * 10 ** (level_db / 20))


def cleaned(heard: Floats, canceller: EchoCanceller | None = None, agent: Floats = AGENT) -> Floats:
    return samples((canceller or EchoCanceller()).clean(pcm(heard), pcm(agent)))


def level_db(audio: Floats) -> float:
    return float(10 * np.log10(np.mean(audio**2) + 1e-12))


@settings(max_examples=20)
@given(delay_ms=st.integers(0, 60), below_db=st.floats(6, 25), seed=st.integers(0, 99))
def test_the_echo_is_taken_out(delay_ms: int, below_db: float, seed: int) -> None:
    heard = echo(delay_ms, -below_db, seed) + TONE
    assert level_db(cleaned(heard)[LAST]) < level_db(heard[LAST]) - 12


@settings(max_examples=10)
@given(below_db=st.floats(-6, 20), seed=st.integers(0, 99))
def test_who_speaks_over_it_stays(below_db: float, seed: int) -> None:
    disturbed = echo(30, -6, seed)
    user = USER * 10 ** ((level_db(disturbed) - level_db(USER) - below_db) / 20)
    left = cleaned(disturbed + user + TONE) - user
    assert level_db(left[LAST]) < level_db(disturbed[LAST]) - 6


@settings(max_examples=10)
@given(level=st.floats(-30, 0), start=st.integers(0, SECOND))
def test_while_there_is_no_echo_the_user_is_as_they_were(level: float, start: int) -> None:
    heard = TONE.copy()
    heard[start:] += USER[: len(USER) - start] * 10 ** (level / 20)
    assert EchoCanceller().clean(pcm(heard), pcm(AGENT)) == pcm(heard)


def test_a_microphone_that_is_muted_stays_silent_and_nothing_is_forgotten() -> None:
    heard, muted = echo(20, -6) + TONE, slice(3 * SECOND, 4 * SECOND)
    heard[muted] = 0.0
    left = cleaned(heard)
    after = slice(4 * SECOND, 4 * SECOND + SECOND // 2)
    assert not left[muted].any()
    assert level_db(left[after]) < level_db(heard[after]) - 6


def test_while_the_agent_is_silent_the_user_is_as_they_were() -> None:
    user = pcm(USER)
    assert EchoCanceller().clean(user, bytes(len(user))) == user


def test_another_way_is_learnt_and_does_little_harm_until_then() -> None:
    """The loudspeaker stops for 20 ms, and all that it plays comes later from there on."""
    before, after = echo(20, -12), echo(40, -12, seed=2)
    heard = np.concatenate([before[: 3 * SECOND], after[3 * SECOND :]]) + TONE
    left = cleaned(heard)
    just_before = slice(2 * SECOND, 3 * SECOND)
    just_after = slice(3 * SECOND, 3 * SECOND + SECOND // 2)
    assert level_db(left[just_before]) < level_db(heard[just_before]) - 12
    assert level_db(left[just_after]) < level_db(heard[just_after]) + 2.5
    assert level_db(left[LAST]) < level_db(heard[LAST]) - 8


def test_what_is_known_of_the_way_stays_until_it_is_forgotten() -> None:
    canceller, heard = EchoCanceller(), echo(20, -6) + TONE
    first = slice(0, SECOND)
    fresh = cleaned(heard, canceller)[first]
    canceller.begin(bytes(REMEMBERED * BYTES))
    known = cleaned(heard, canceller)[first]
    canceller.forget()
    canceller.begin(bytes(REMEMBERED * BYTES))
    again = cleaned(heard, canceller)[first]
    assert level_db(known) < level_db(fresh) - 6
    assert level_db(known) < level_db(again) - 6


@given(cuts=st.sets(st.integers(1, SECONDS * 40 - 1), max_size=4))
@settings(max_examples=5)
def test_pieces_give_what_the_whole_gives(cuts: set[int]) -> None:
    heard, canceller = pcm(echo(20, -6) + TONE), EchoCanceller()
    edges = [0, *sorted(cut * BLOCK * BYTES for cut in cuts), len(heard)]
    spans = [slice(*edge) for edge in pairwise(edges)]
    pieces = [canceller.clean(heard[span], pcm(AGENT)[span]) for span in spans]
    assert b"".join(pieces) == EchoCanceller().clean(heard, pcm(AGENT))


def test_a_piece_goes_on_where_it_is_told() -> None:
    """What the agent said before it still sounds in the room."""
    start = 3 * SECOND
    heard, agent = pcm(echo(20, -6) + TONE), pcm(AGENT)
    canceller = EchoCanceller()
    whole = canceller.clean(heard, agent)
    canceller.begin(agent[(start - REMEMBERED) * BYTES : start * BYTES])
    again = samples(canceller.clean(heard[start * BYTES :], agent[start * BYTES :]))
    first = slice(0, BLOCK)
    assert level_db(again[first]) <= level_db(samples(whole)[start:][first]) + 3


def test_the_detector_gives_it_what_it_needs() -> None:
    assert (tracks.REMEMBERED, FRAME) == (REMEMBERED, BLOCK)


@pytest.mark.parametrize("length", [1, BLOCK + 1])
def test_parts_of_blocks_are_refused(length: int) -> None:
    audio = b"\1\0" * length
    with pytest.raises(ValueError, match="reshape"):
        EchoCanceller().clean(audio, audio)
