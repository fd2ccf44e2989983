"""The command `evaluate` says what is wrong with what it was given."""

from pathlib import Path

import pytest
from bargein_model.evaluation.cli import main
from bargein_model.evaluation.exam import Exam
from click.testing import CliRunner
from model.corpora import write_corpus


def complaint(*arguments: str) -> str:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code != 0
    assert done.exception is None or isinstance(done.exception, SystemExit)
    return done.output


@pytest.mark.parametrize("option", ["--model", "--corpus"])
def test_what_is_not_there_is_named(tmp_path: Path, option: str) -> None:
    nowhere = str(tmp_path / "nowhere")
    assert f"'{nowhere}' does not exist" in complaint(option, nowhere)


def test_a_folder_without_a_manifest_is_no_corpus(tmp_path: Path) -> None:
    assert "no manifest.csv" in complaint("--corpus", str(tmp_path))


def test_a_file_that_is_no_model_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").touch()
    no_model = tmp_path / "model.onnx"
    no_model.write_text("no model")
    told = complaint("--corpus", str(tmp_path), "--model", str(no_model))
    assert f"model {no_model}: expected" in told


def test_a_folder_of_ones_own_alone_is_too_little_and_the_command_says_what_is_missing(
    tmp_path: Path,
) -> None:
    mine = write_corpus(tmp_path / "mine", kinds={"speech", "backchannel"})
    told = complaint("--corpus", str(mine), "--work", str(tmp_path / "work"))
    assert "agents" in told
    assert "noise of 4 s" in told
    assert "interruptions" not in told
    whole = write_corpus(tmp_path / "whole")
    exam = Exam((whole, mine), tmp_path / "work", frozenset(), 1, 4)
    assert {clip.reel.parent for plan in exam.plans() for clip in plan.clips} == {whole, mine}


def test_a_source_that_is_none_cannot_be_left_out(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "corpus")
    told = complaint("--corpus", str(corpus), "--leave-out", "Gaem train")
    assert "no clip is of 'Gaem train'; there are: Engine train" in told
