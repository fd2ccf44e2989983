"""`compose` says what is wrong with what it was given."""

from pathlib import Path

from bargein_model.commands import main
from click.testing import CliRunner
from model.corpora import write_corpus


def test_a_class_that_is_missing_is_named(tmp_path: Path) -> None:
    mine = write_corpus(tmp_path / "mine", ["speech", "backchannel"])
    said = CliRunner().invoke(
        main, ["compose", "--corpus", str(mine), "--work", str(tmp_path / "work"), "--shards", "1"]
    )
    assert said.exit_code == 1
    assert "Error: there is no recording of class `vocal`" in said.output
