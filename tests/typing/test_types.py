"""mypy and pyright see the public types as the files in this folder say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(HERE.glob("*_types.py"))
QUIET = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # it would ask the network for a newer version


@pytest.mark.parametrize("checker", [["mypy", "--warn-unused-ignores"], ["pyright"]], ids=str)
def test_public_types_are_what_they_are_said_to_be(checker: list[str]) -> None:
    result = run(checker, *map(str, FILES))
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_wrong_type_would_be_noticed(checker: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        "from typing import assert_type\n"
        "from bargein_protocol.options import Options\n"
        "assert_type(Options().threshold, float)\n"
    )
    result = run([checker], str(wrong))
    assert result.returncode == 1
    assert "float | None" in result.stdout


def run(checker: list[str], *files: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *checker, *files],
        cwd=ROOT,
        env=os.environ | QUIET,
        capture_output=True,
        text=True,
        check=False,
    )
