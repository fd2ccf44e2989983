"""What a `pip install` brings."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
WITHOUT_EXTRAS = """
import sys
for name in ("aiohttp", "matplotlib", "numpy", "onnxruntime", "soxr", "uvloop", "webrtcvad"):
    sys.modules[name] = None  # as if it were not installed
from bargein_client.cli import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return set(ZipFile(path).namelist())


def test_wheel_holds_the_three_packages_typed_the_model_and_the_page(wheel: set[str]) -> None:
    assert {name.partition("/")[0] for name in wheel} == {
        *("bargein_protocol", "bargein_server", "bargein_client", "bargein-0.1.0.dist-info"),
    }
    assert {f"bargein_{part}/py.typed" for part in ("protocol", "server", "client")} <= wheel
    assert "bargein_server/models/weights/bargein.onnx" in wheel
    assert "bargein_server/pages/static/index.html" in wheel
    assert "bargein_server/pages/client/index.js" in wheel


def run_without_extras(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WITHOUT_EXTRAS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", ["watch", "replay"])
def test_client_needs_none_of_the_servers_libraries(command: str) -> None:
    result = run_without_extras(command, "--help")
    assert result.returncode == 0, result.stderr
    assert "Examples:" in result.stdout


def test_serve_says_what_to_install() -> None:
    result = run_without_extras("serve")
    assert result.returncode == 1
    assert 'pip install "bargein[server]"' in result.stderr
