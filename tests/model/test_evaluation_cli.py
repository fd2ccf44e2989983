"""The command `evaluate` says what is wrong with what it was given."""

from pathlib import Path

import pytest
from bargein_model.evaluation.cli import main
from click.testing import CliRunner


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
