"""From recordings to a file that the server opens, by the documented commands."""

from pathlib import Path

import numpy as np
import pytest
from bargein_model import commands
from bargein_model.composer.corpus import Corpus
from bargein_server.models.onnx import OnnxModel
from click.testing import CliRunner, Result
from model.training_material import composed, small_shards


class Team:
    """Someone with recordings of their own, and a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.corpus, shards = composed(folder, shards=1)
        self.work = shards.parents[1]

    def run(self, command: str, *arguments: str) -> str:
        """What a command says that does what it should."""
        done = self.invoke(command, *arguments)
        assert done.exit_code == 0, done.output
        return done.output

    def invoke(self, command: str, *arguments: str) -> Result:
        """Runs it, on small shards; training on one thread."""
        alone = ["--threads", "1"] if command == "train" else []
        where = ["--corpus", str(self.corpus), "--work", str(self.work)]
        with small_shards():
            return CliRunner().invoke(commands.main, [command, *where, *alone, *arguments])


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    return Team(tmp_path_factory.mktemp("team"))


@pytest.fixture(autouse=True)
def _short_examination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "EXAM_SHARDS", 1)


def test_recordings_become_a_file_that_serves_and_from_which_one_goes_on(team: Team) -> None:
    told = team.run("train", "--name", "mine", "--steps", "2")
    for said in ("development:", "reported:", "as composed | AUC", "each alone | AUC"):
        assert said in told
    output = team.work / "mine.onnx"
    arguments = ("--name", "mine", "--title", "mine", "--version", "1.2.3", "--output", str(output))
    assert f"{output}: 2." in team.run("export", *arguments)
    model = OnnxModel.open(output)
    assert (model.info.name, model.info.version) == ("bargein-mine", "1.2.3")
    silence = np.zeros((1, 800), np.float32)
    probabilities, _ = model.run(silence, silence, np.zeros((1, model.info.state_size), np.float32))
    assert probabilities.shape == (1, 2, 5)
    following = ("--begin-from", str(output), "--teacher", "mine")
    team.run("train", "--name", "further", "--steps", "1", *following)
    team.run("train", "--name", "further", "--steps", "2", *following)
    team.run("export", "--name", "further", "--name", "mine", "--output", str(output))
    assert OnnxModel.open(output).info.version == "0.1.0"


def test_weights_that_are_not_there_or_of_another_make_are_named(team: Team) -> None:
    other = team.work / "other.onnx"
    other.write_text("no model")
    for weights, told in (
        ("nobody", "nobody.pt: no such checkpoint; there are:"),
        (str(other), f"{other}: not a model file that this version's `export` writes"),
        ("nowhere/gone.onnx", "No such file or directory: 'nowhere/gone.onnx'"),
    ):
        for option in ("--begin-from", "--teacher"):
            done = team.invoke("train", "--name", "new", "--steps", "1", option, weights)
            assert done.exit_code == 1
            assert told in done.output
            assert "Traceback" not in done.output


def test_one_class_is_taught_to_a_file_that_is_there(team: Team) -> None:
    taught = ("--teach", "echo", "--begin-from", "shipped", "--steps", "1")
    assert "development:" in team.run("train", "--name", "taught", *taught)
    done = team.invoke("train", "--name", "lost", "--teach", "echo")
    assert done.exit_code == 2
    assert "--teach needs --begin-from" in done.output


def test_a_misspelt_source_is_not_left_out_in_silence(team: Team) -> None:
    done = team.invoke("train", "--name", "misspelt", "--steps", "1", "--leave-out", "Gaem train")
    assert done.exit_code == 1
    assert "no clip is of 'Gaem train'" in done.output


def test_to_leave_out_everything_ends_with_a_reason(team: Team) -> None:
    named = Corpus([team.corpus], team.work / "corpus").clips
    sources = sorted({clip.source for clip in named})
    left_out = [word for source in sources for word in ("--leave-out", source)]
    done = team.invoke("train", "--name", "nothing", "--steps", "1", *left_out)
    assert done.exit_code == 1
    assert "nothing is left to train on" in done.output
