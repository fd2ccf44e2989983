"""The shipped file keeps the contract: shapes, metadata, causality, equal answers in pieces."""

from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

Floats = NDArray[np.float32]

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = ROOT / "server" / "bargein_server" / "models" / "weights" / "bargein.onnx"
FRAME = 400
LIMIT_BYTES = 4_000_000


class Model:
    """The shipped file on one thread."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(SHIPPED, options, providers=["CPUExecutionProvider"])
        self.state_size: int = self.session.get_inputs()[2].shape[1]

    def fresh(self, batch: int = 1) -> Floats:
        return np.zeros((batch, self.state_size), np.float32)

    def run(
        self, audio: Floats, reference: Floats | None = None, state: Floats | None = None
    ) -> tuple[Floats, Floats]:
        inputs = {
            "audio": audio,
            "reference": np.zeros_like(audio) if reference is None else reference,
            "state": self.fresh(len(audio)) if state is None else state,
        }
        probabilities, next_state = self.session.run(None, inputs)
        return np.asarray(probabilities), np.asarray(next_state)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


def voice_like(seed: int, frames: int, batch: int = 1) -> Floats:
    """Bursts of a buzz in noise: enough variety for every part of the graph to matter."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames * FRAME) / 16_000
    buzz = np.sign(np.sin(2 * np.pi * rng.uniform(90, 250, (batch, 1)) * time)) * 0.1
    bursts = np.sin(2 * np.pi * rng.uniform(1, 5, (batch, 1)) * time) > 0
    noise = rng.normal(0, 0.003, (batch, frames * FRAME))
    return (buzz * bursts + noise).astype(np.float32)


def test_the_file_says_what_it_is(model: Model) -> None:
    facts = model.session.get_modelmeta().custom_metadata_map
    assert facts["bargein.contract"] == "1"
    assert facts["bargein.classes"] == "interruption,backchannel,vocal,noise,echo"
    assert (facts["bargein.sample_rate"], facts["bargein.frame_samples"]) == ("16000", "400")
    assert facts["bargein.name"]
    assert facts["bargein.version"]
    assert 0.0 < float(facts["bargein.default_threshold"]) < 1.0


def test_inputs_and_outputs_have_the_contract_s_names_and_ranks(model: Model) -> None:
    inputs = {value.name: len(value.shape) for value in model.session.get_inputs()}
    outputs = {value.name: len(value.shape) for value in model.session.get_outputs()}
    assert inputs == {"audio": 2, "reference": 2, "state": 2}
    assert outputs == {"probabilities": 3, "next_state": 2}


def test_the_file_is_small() -> None:
    assert SHIPPED.stat().st_size <= LIMIT_BYTES


def test_one_distribution_per_frame(model: Model) -> None:
    probabilities, state = model.run(voice_like(1, 40, batch=3))
    assert probabilities.shape == (3, 40, 5)
    assert state.shape == (3, model.state_size)
    assert np.all(probabilities >= 0)
    np.testing.assert_allclose(probabilities.sum(axis=2), 1.0, atol=1e-5)


@given(pieces=st.lists(st.integers(1, 40), min_size=2, max_size=8), seed=st.integers(0, 99))
@settings(max_examples=25)
def test_pieces_give_what_the_whole_gives(model: Model, pieces: list[int], seed: int) -> None:
    frames = sum(pieces)
    audio, reference = voice_like(seed, frames), voice_like(seed + 1, frames)
    whole, last = model.run(audio, reference)
    state, position, parts = model.fresh(), 0, []
    for piece in pieces:
        chosen = slice(position * FRAME, (position + piece) * FRAME)
        part, state = model.run(audio[:, chosen], reference[:, chosen], state)
        parts.append(part)
        position += piece
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=1e-4)
    np.testing.assert_allclose(state, last, atol=1e-3)


@given(changed_from=st.integers(1, 59), seed=st.integers(0, 99))
@settings(max_examples=15)
def test_a_frame_hears_nothing_of_later_samples(model: Model, changed_from: int, seed: int) -> None:
    audio, reference = voice_like(seed, 60), voice_like(seed + 1, 60)
    before, _ = model.run(audio, reference)
    audio[:, changed_from * FRAME :] = 0.5
    reference[:, changed_from * FRAME :] = -0.5
    after, _ = model.run(audio, reference)
    np.testing.assert_allclose(after[:, :changed_from], before[:, :changed_from], atol=1e-5)
    assert not np.allclose(after[:, changed_from:], before[:, changed_from:], atol=1e-5)


def test_streams_of_a_batch_do_not_hear_each_other(model: Model) -> None:
    audio = voice_like(5, 60, batch=4)
    together, _ = model.run(audio)
    alone = np.concatenate([model.run(audio[index : index + 1])[0] for index in range(4)])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_long_and_silent_streams_stay_finite(model: Model) -> None:
    state = model.fresh()
    for seed in range(12):
        probabilities, state = model.run(voice_like(seed, 200), state=state)
        assert np.all(np.isfinite(probabilities))
    probabilities, state = model.run(np.zeros((1, 400 * FRAME), np.float32), state=state)
    assert np.all(np.isfinite(probabilities))
    assert np.all(np.isfinite(state))
