"""A model file keeps the contract, or loading it says which file, what was expected, what found."""

from pathlib import Path

import numpy as np
import pytest
from bargein_server.models.contract import SHIPPED_MODEL, Floats, ModelError
from bargein_server.models.onnx import OnnxModel
from support.models import write_model


def refusal(path: Path) -> ModelError:
    with pytest.raises(ModelError) as caught:
        OnnxModel.open(path)
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    return caught.value


def test_a_file_that_keeps_the_contract_says_what_it_is(model_file: Path) -> None:
    info = OnnxModel.open(write_model(model_file)).info
    assert (info.name, info.version) == ("tiny", "1.2")
    assert info.default_threshold == 0.4
    assert info.state_size == 1


def test_a_missing_file(model_file: Path) -> None:
    assert refusal(model_file).found == "no such file"


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.999])
def test_a_truncated_file(model_file: Path, kept: float) -> None:
    whole = SHIPPED_MODEL.read_bytes()
    model_file.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    error = refusal(model_file)
    assert error.expected == "a whole ONNX file"
    assert str(model_file.stat().st_size) in error.found


def test_a_file_of_something_else(model_file: Path) -> None:
    model_file.write_text("weights")
    assert refusal(model_file).expected == "a whole ONNX file"


def test_an_input_of_another_name(model_file: Path) -> None:
    error = refusal(write_model(model_file, names={"reference": "echo"}))
    assert error.expected == "inputs audio, reference, state"
    assert error.found == "audio, echo, state"


def test_an_output_of_another_name(model_file: Path) -> None:
    error = refusal(write_model(model_file, names={"probabilities": "answers"}))
    assert error.expected == "outputs probabilities, next_state"
    assert error.found == "answers, next_state"


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("audio", ["batch", 1600], "input `audio` float32 [free, free]"),
        ("audio", [1, "samples"], "input `audio` float32 [free, free]"),
        ("state", ["batch", "size"], "input `state` float32 [free, fixed]"),
    ],
)
def test_a_shape_that_was_not_promised(
    model_file: Path, name: str, shape: list[str | int], expected: str
) -> None:
    error = refusal(write_model(model_file, axes={name: shape}))
    assert expected in error.expected
    assert str(shape[-1]) in error.found


def test_another_number_of_classes(model_file: Path) -> None:
    error = refusal(write_model(model_file, classes=3))
    assert error.expected == "output `probabilities` float32 [free, free, 5]"
    assert error.found == "tensor(float) ['batch', 'frames', 3]"


def test_a_state_that_does_not_fit_the_next_step(model_file: Path) -> None:
    error = refusal(write_model(model_file, axes={"next_state": ["batch", 2]}))
    assert error.expected == "`next_state` as large as `state` (1)"
    assert error.found == "2"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bargein.contract", "2"),
        ("bargein.classes", "interruption,noise"),
        ("bargein.sample_rate", "8000"),
        ("bargein.frame_samples", "160"),
        ("bargein.default_threshold", "1.5"),
        ("bargein.default_threshold", "half"),
        ("bargein.contract", None),
        ("bargein.name", None),
        ("bargein.version", None),
        ("bargein.default_threshold", None),
    ],
)
def test_metadata_that_was_not_promised(model_file: Path, name: str, text: str | None) -> None:
    error = refusal(write_model(model_file, metadata={name: text}))
    assert name in error.expected
    assert (text or "no such entry") in error.found


def test_rows_that_do_not_sum_to_one(model_file: Path) -> None:
    error = refusal(write_model(model_file, ending="Sigmoid"))
    assert error.expected == "`probabilities` that are not negative and sum to 1"
    assert "sums to 2." in error.found


def test_rows_that_are_negative(model_file: Path) -> None:
    assert "smallest value of -" in refusal(write_model(model_file, ending="Identity")).found


def test_rows_that_are_not_numbers(model_file: Path) -> None:
    error = refusal(write_model(model_file, ending="Sqrt"))
    assert error.expected == "finite `probabilities`"


def test_frames_of_another_length(model_file: Path) -> None:
    error = refusal(write_model(model_file, samples_per_frame=200))
    assert error.expected == "`probabilities` (1, 44, 5) for 1 × 17600 samples"
    assert error.found == "(1, 88, 5)"


def test_a_graph_that_cannot_run(model_file: Path) -> None:
    error = refusal(write_model(model_file, samples_per_frame=7))
    assert error.expected == "a warm-up run of 1 × 17600 samples"


def noise(streams: int, samples: int) -> Floats:
    return np.random.default_rng(1).uniform(-0.2, 0.2, (streams, samples)).astype(np.float32)


def test_the_shipped_model_hears_a_batch_as_it_hears_each_alone() -> None:
    model = OnnxModel.open(SHIPPED_MODEL)
    audio = noise(30, 4800)
    reference = audio[::-1].copy()
    state = np.zeros((30, model.info.state_size), np.float32)
    together, states = model.run(audio, reference, state)
    for i in range(30):
        one = slice(i, i + 1)
        alone, alone_state = model.run(audio[one], reference[one], state[one])
        np.testing.assert_allclose(together[one], alone, atol=1e-5)
        np.testing.assert_allclose(states[one], alone_state, atol=1e-4)


def test_the_shipped_model_hears_pieces_as_it_hears_the_whole() -> None:
    model = OnnxModel.open(SHIPPED_MODEL)
    audio = noise(1, 48_000)
    state = np.zeros((1, model.info.state_size), np.float32)
    whole, _ = model.run(audio, audio, state)
    pieces: list[np.ndarray] = []
    for start, end in ((0, 17_600), (17_600, 18_000), (18_000, 19_600), (19_600, 48_000)):
        answer, state = model.run(audio[:, start:end], audio[:, start:end], state)
        pieces.append(answer)
    np.testing.assert_allclose(np.concatenate(pieces, axis=1), whole, atol=1e-4)
