"""Commands whose processes work for them, as someone runs them who may lose patience."""

import os
import subprocess
import sys
from pathlib import Path

import bargein_model
import psutil
import pytest
from model.corpora import write_corpus
from support.server import until

PACKAGES = Path(bargein_model.__file__).parents[1]
WORKERS = 2


@pytest.mark.parametrize(
    "command",
    [("bargein_model", "compose", "--workers"), ("bargein_model.evaluation", "--jobs")],
    ids=["compose", "evaluate"],
)
async def test_workers_end_with_a_command_that_is_killed(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Else they would wait for ever, or write what the next run writes, too."""
    corpus, work = write_corpus(tmp_path / "corpus"), tmp_path / "work"
    where = ["--corpus", str(corpus), "--work", str(work)]
    run = psutil.Popen(
        [sys.executable, "-m", *command, str(WORKERS), *where],
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
