"""`compose`, as someone runs it who may lose patience."""

import os
import subprocess
import sys
from pathlib import Path

import bargein_model
import psutil
from bargein_model.commands import main
from click.testing import CliRunner
from model.corpora import write_corpus
from support.server import until

PACKAGES = Path(bargein_model.__file__).parents[1]
WORKERS = 2


async def test_workers_end_with_a_command_that_is_killed(tmp_path: Path) -> None:
    """Else they would go on, and write what the next run writes, too."""
    corpus, work = write_corpus(tmp_path / "corpus"), tmp_path / "work"
    options = ["--corpus", str(corpus), "--work", str(work), "--workers", str(WORKERS)]
    run = psutil.Popen(
        [sys.executable, "-m", "bargein_model", "compose", *options],
        env=os.environ | {"PYTHONPATH": str(PACKAGES)},
        stdout=subprocess.DEVNULL,
    )

    def workers() -> list[psutil.Process]:
        return [one for one in run.children() if "spawn_main" in " ".join(one.cmdline())]

    await until(lambda: len(workers()) == WORKERS)
    left_behind = workers()
    run.kill()
    run.wait()
    _, alive = psutil.wait_procs(left_behind, timeout=60)
    for one in alive:
        one.kill()
    assert alive == []
    assert not list(work.glob("shards/*/*"))


def test_a_class_that_is_missing_is_named(tmp_path: Path) -> None:
    mine = write_corpus(tmp_path / "mine", ["speech", "backchannel"])
    said = CliRunner().invoke(
        main, ["compose", "--corpus", str(mine), "--work", str(tmp_path / "work"), "--shards", "1"]
    )
    assert said.exit_code == 1
    assert "Error: there is no recording of class `vocal`" in said.output
