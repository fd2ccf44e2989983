"""A run stops and goes on, begins from what is there, follows a teacher, and ends in a file."""

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch
from bargein_model.composer.overlap import BEFORE_ONSET
from bargein_model.composer.shards import Shard, complete_shards
from bargein_model.contract import FRAME_SAMPLES, SoundClass
from bargein_model.export.graph import build
from bargein_model.export.reading import NotOursError, read
from bargein_model.features import reference_features, user_features
from bargein_model.network import Network
from bargein_model.training.batches import Batch
from bargein_model.training.examining import examine
from bargein_model.training.keeper import Keeper
from bargein_model.training.known import averaged, known
from bargein_model.training.loop import Run, Settings
from bargein_model.training.teacher import Teacher
from bargein_model.weights import Weights, collect
from model.test_shipped import SHIPPED, voice_like
from model.training_material import OVERLAPS, composed
from numpy.typing import NDArray
from torch import Tensor

FRAMES, STEPS = 60, 4
QUICK = Settings(steps=STEPS, batch=8, warm_up=1, ear_joins=2)


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> None:
    """More of them wait for each other as soon as the machine does anything else."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return composed(tmp_path_factory.mktemp("training"), shards=2)[1]


@pytest.fixture(scope="module")
def trained(shards: Path) -> Run:
    run = Run(QUICK, "cpu")
    losses = list(run.train(shards))
    assert len(losses) == STEPS
    assert np.all(np.isfinite(losses))
    return run


def same(run: Run, other: Run) -> bool:
    ours, theirs = run.averaged.state_dict(), other.averaged.state_dict()
    return all(torch.equal(ours[name], theirs[name]) for name in ours)


def asked(weights: Weights, audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the file with these weights says, a frame at a time, nothing being played."""
    content = build(weights, "bargein-test", "1", 0.5).SerializeToString()
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    state = np.zeros((1, session.get_inputs()[2].shape[1]), np.float32)
    said = []
    for piece in np.split(audio[None], len(audio) // FRAME_SAMPLES, axis=1):
        fed = {"audio": piece, "reference": np.zeros_like(piece), "state": state}
        probabilities, state = session.run(None, fed)
        said.append(np.asarray(probabilities)[0])
    return np.concatenate(said)


def heard(network: Network, audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the network says of the same, as training hears it."""
    tracks = (user_features(audio), reference_features(np.zeros_like(audio)))
    with torch.no_grad():
        logits: Tensor = network.eval()(*(torch.from_numpy(one)[None] for one in tracks))
    return np.asarray(logits.softmax(-1)[0].numpy(), np.float32)


def test_the_file_says_what_the_trained_network_says(trained: Run) -> None:
    audio = voice_like(3, FRAMES)[0]
    written, network = asked(collect(trained.averaged), audio), heard(trained.averaged, audio)
    assert np.ptp(network, axis=0).max() > 0.01
    np.testing.assert_allclose(written, network, atol=1e-4)


def test_a_run_changes_what_it_trains_and_the_ear_from_when_it_joins(shards: Path) -> None:
    run = Run(QUICK, "cpu")
    kernels = [kernel.detach().clone() for kernel in run.network.ear.kernels]
    head = run.network.head.weight.detach().clone()
    moved = []
    for _ in run.train(shards):
        now = zip(kernels, run.network.ear.kernels, strict=True)
        moved.append([not torch.equal(before, after) for before, after in now])
    assert not torch.equal(head, run.network.head.weight)
    assert not any(moved[0] + moved[1])
    assert moved[2] == moved[3] == [False] * 3 + [True] * (len(kernels) - 3)


def test_a_run_that_was_stopped_goes_on_where_it_was(shards: Path, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.pt"
    stopped = Run(QUICK, "cpu")
    for _ in stopped.train(shards):
        if stopped.step == 2:
            break
    stopped.save(checkpoint)
    assert [path.name for path in tmp_path.iterdir()] == ["run.pt"]
    resumed = Run(QUICK, "cpu")
    resumed.restore(checkpoint)
    assert resumed.step == 2
    assert resumed.seen == stopped.seen
    assert same(resumed, stopped)
    assert len(list(resumed.train(shards))) == STEPS - 2
    assert sum(resumed.seen.values()) == 2
    assert not same(resumed, stopped)


def test_the_shards_seen_least_come_next(shards: Path) -> None:
    run = Run(Settings(steps=5 * OVERLAPS // 8, batch=8), "cpu")
    names = [folder.name for folder in complete_shards(shards)]
    run.seen[names[0]] = 2
    list(run.train(shards))
    assert run.seen[names[1]] in {3, 4}
    assert sum(run.seen.values()) == 2 + 5


def test_the_mean_of_checkpoints_is_that_of_their_weights(
    trained: Run, shards: Path, tmp_path: Path
) -> None:
    other = Run(Settings(steps=1, batch=8, seed=2), "cpu")
    list(other.train(shards))
    for name, run in (("one.pt", trained), ("two.pt", other)):
        run.save(tmp_path / name)
    mean = Run(QUICK, "cpu")
    mean.take_mean_of(averaged(tmp_path / "one.pt"), averaged(tmp_path / "two.pt"))
    expected = (trained.averaged.head.weight + other.averaged.head.weight) / 2
    torch.testing.assert_close(mean.averaged.head.weight, expected)


def test_the_shipped_file_is_read_and_would_be_written_again() -> None:
    weights = read(SHIPPED)
    audio = voice_like(5, FRAMES)[0]
    session = ort.InferenceSession(SHIPPED, providers=["CPUExecutionProvider"])
    state = np.zeros((1, session.get_inputs()[2].shape[1]), np.float32)
    fed = {"audio": audio[None], "reference": 0 * audio[None], "state": state}
    shipped = np.asarray(session.run(None, fed)[0])[0]
    np.testing.assert_allclose(asked(weights, audio), shipped, atol=1e-4)


def test_training_begins_with_what_a_file_says(shards: Path) -> None:
    run, audio = Run(QUICK, "cpu"), voice_like(5, FRAMES)[0]
    run.begin_from(known(SHIPPED, run.averaged, shards))
    for network in (run.network, run.averaged):
        np.testing.assert_allclose(heard(network, audio), asked(read(SHIPPED), audio), atol=1e-3)


def test_what_a_file_s_network_makes_of_a_batch_is_hardly_other_while_it_trains(
    shards: Path,
) -> None:
    """Its normalisations, folded in the file, have statistics again."""
    run = Run(Settings(batch=OVERLAPS, dropout=0.0), "cpu")
    run.begin_from(known(SHIPPED, run.averaged, shards))
    shard = Shard.load(complete_shards(shards)[0])
    tracks = [torch.from_numpy(one).float() for one in (shard.user, shard.reference)]
    with torch.no_grad():
        rests, trains = (mode(*tracks) for mode in (run.network.eval(), run.network.train()))
    assert (rests - trains).abs().mean() < 0.2 * rests.std()
    norm = run.network.heard_norm
    assert torch.equal(norm.weight, torch.ones_like(norm.weight))
    assert not torch.equal(norm.get_buffer("running_var"), torch.ones_like(norm.weight))


def test_a_file_of_another_make_is_named(tmp_path: Path) -> None:
    other = tmp_path / "other.onnx"
    other.write_text("no model")
    with pytest.raises(NotOursError, match=r"other\.onnx: not a model file that"):
        read(other)


@pytest.mark.parametrize(
    ("sound", "hears_alone"),
    [(SoundClass.INTERRUPTION, True), (SoundClass.VOCAL, True), (SoundClass.NOISE, False)],
)
def test_a_teacher_hears_a_voice_alone_and_all_else_as_it_is(
    trained: Run, sound: SoundClass, *, hears_alone: bool
) -> None:
    teacher = Teacher(copy.deepcopy(trained.averaged), "cpu")
    noise = np.random.default_rng(4).normal(0, 1, FRAMES * FRAME_SAMPLES).astype(np.float32)
    user, alone, other = (
        torch.from_numpy(user_features(noise * np.float32(size)))[None]
        for size in (0.1, 0.01, 0.001)
    )
    reference = torch.full((1, FRAMES, 20), -5.0)
    targets = torch.full((1, FRAMES), int(sound))
    targets[:, :20] = BEFORE_ONSET
    logits, hears = torch.zeros(1, FRAMES, 5), torch.zeros(1, FRAMES, 288)

    def distance(user: Tensor, alone: Tensor) -> list[float]:
        batch = Batch(user, reference, reference, alone, targets, [""])
        return [one.item() for one in teacher.distance(batch, hears, logits)]

    as_it_is = distance(user, alone)
    assert (distance(user, other) != as_it_is) is hears_alone
    assert (distance(other, alone) != as_it_is) is not hears_alone


def test_the_distance_from_a_teacher_is_part_of_the_loss(trained: Run, shards: Path) -> None:
    alone, taught = Run(QUICK, "cpu"), Run(QUICK, "cpu")
    taught.follow(trained.averaged.state_dict())
    assert next(taught.train(shards)) > next(alone.train(shards)) + 0.5


def heard_as(sound: SoundClass) -> Batch:
    """Two overlaps of one class."""
    noise = np.random.default_rng(4).normal(0, 0.1, 2 * FRAMES * FRAME_SAMPLES)
    user = torch.from_numpy(user_features(noise.astype(np.float32))).reshape(2, FRAMES, -1)
    reference = torch.full((2, FRAMES, 20), -5.0)
    targets = torch.full((2, FRAMES), int(sound))
    targets[:, :20] = BEFORE_ONSET
    return Batch(user, reference, reference, user, targets, ["", ""])


def test_what_is_not_taught_is_held_to_what_the_network_said(trained: Run) -> None:
    """By its targets an echo alone; of all else the loss is least where nothing has changed."""
    network = copy.deepcopy(trained.averaged)
    keeper = Keeper(copy.deepcopy(network), [SoundClass.ECHO], "cpu")

    def loss(sound: SoundClass, *, moved: float) -> float:
        batch = heard_as(sound)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            heard = network.ear(batch.user)
            said = network.head(network.gather(batch.user, batch.reference, heard)).float()
        said[..., int(sound)] += moved
        return keeper.loss(batch, heard, said, trained._loss).item()  # pyright: ignore[reportPrivateUsage]

    for kept in (SoundClass.INTERRUPTION, SoundClass.NOISE):
        assert loss(kept, moved=0.0) == pytest.approx(0.0, abs=1e-6)
        assert loss(kept, moved=1.0) > 0.01 < loss(kept, moved=-1.0)
    taught = [loss(SoundClass.ECHO, moved=moved) for moved in (-1.0, 0.0, 1.0)]
    assert taught == sorted(taught, reverse=True)
    assert len(set(taught)) == 3


def test_where_one_class_is_taught_the_ear_and_all_statistics_stay(
    trained: Run, shards: Path
) -> None:
    settings = replace(QUICK, teach=(SoundClass.ECHO,))
    run, before = Run(settings, "cpu"), trained.averaged.state_dict()
    run.begin_from(before)
    run.keep(before)
    list(run.train(shards))
    changed = {
        name for name, one in run.averaged.state_dict().items() if (one != before[name]).any()
    }
    assert {"reference.conv.weight", "memory.weight_ih_l0", "head.weight"} <= changed
    assert not [name for name in changed if name.startswith("ear.") or "running" in name]


def test_an_examined_network_says_nothing_before_the_onset(trained: Run, shards: Path) -> None:
    folders = complete_shards(shards)[:1]
    shard = Shard.load(folders[0])
    said, alone = (examine(trained.averaged, folders, "cpu", alone=one) for one in (False, True))
    before = shard.targets == BEFORE_ONSET
    assert np.all(said.evidence[before] == -1.0)
    assert np.all((said.evidence[~before] >= 0) & (said.evidence[~before] <= 1))
    assert np.any(said.evidence[~before] != alone.evidence[~before])
    assert np.array_equal(said.classes, shard.classes)
