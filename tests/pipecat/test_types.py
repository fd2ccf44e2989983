"""What runs where Pipecat is installed is as strictly typed as the rest, seen with its types."""

import os
import subprocess
import sys

from support.pipecat_bot import PYTHON, ROOT

FILES = [
    *ROOT.glob("client/bargein_client/pipecat/*.py"),
    ROOT / "client" / "examples" / "pipecat_bot.py",
    ROOT / "tests" / "pipecat" / "clients" / "bot.py",
]
QUIET = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}  # it would ask the network for a newer version


def test_mypy() -> None:
    result = run("mypy", "--python-executable", str(PYTHON), *map(str, FILES))
    assert result.returncode == 0, result.stdout


def test_pyright() -> None:
    result = run("pyright", "--project", "tests/pipecat/pyrightconfig.json")
    assert result.returncode == 0, result.stdout


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | QUIET,
        capture_output=True,
        text=True,
        check=False,
    )
