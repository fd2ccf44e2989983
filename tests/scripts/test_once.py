"""`scripts/once`: a step runs when its inputs are new to it, and not otherwise."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


class Step:
    """A step that counts its runs."""

    def __init__(self, folder: Path) -> None:
        self.input = folder / "input.txt"
        self.stamp = folder / "made" / ".stamp"
        self.runs = folder / "runs.txt"
        self.input.write_text("one")
        self.runs.write_text("")

    def run(self, command: str = "echo x") -> int:
        step = f"{command} >> {self.runs}"
        arguments = [str(self.stamp), str(self.input), "--", "bash", "-c", step]
        return subprocess.run(["scripts/once", *arguments], cwd=ROOT, check=False).returncode

    @property
    def count(self) -> int:
        return len(self.runs.read_text().splitlines())


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(tmp_path)


def test_second_run_does_nothing(step: Step) -> None:
    assert (step.run(), step.run()) == (0, 0)
    assert step.count == 1


def test_changed_input_runs_again(step: Step) -> None:
    step.run()
    step.input.write_text("two")
    step.run()
    assert step.count == 2


def test_changed_command_runs_again(step: Step) -> None:
    step.run("echo x")
    step.run("echo y")
    assert step.count == 2


def test_removed_folder_runs_again(step: Step) -> None:
    step.run()
    step.stamp.unlink()
    step.run()
    assert step.count == 2


def test_failed_step_is_tried_again(step: Step) -> None:
    assert step.run("echo x; false") == 1
    assert not step.stamp.exists()
    assert step.run("echo x; false") == 1


def test_missing_input_is_an_error(step: Step) -> None:
    step.input.unlink()
    assert step.run() != 0
    assert step.count == 0
