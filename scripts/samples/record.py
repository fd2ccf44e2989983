"""Records the samples: plays each to a real server in real time, and checks what it decides."""

import asyncio
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

import click
import msgspec
from bargein_client.credentials import Keys
from bargein_client.replaying.compare import decode_events, describe, verdicts
from bargein_client.replaying.remote import play_remote
from bargein_client.replaying.run import REAL_TIME
from bargein_client.replaying.timeline import headline
from bargein_protocol.messages import ServerMessage
from bargein_protocol.options import Options
from bargein_protocol.recording import SUFFIX, Tape
from bargein_server.configuration.settings import Settings
from bargein_server.models.predictor import Predictor
from bargein_server.recording.reader import read_recording
from bargein_server.recording.recorder import wait_for_disk
from bargein_server.recording.replay import to_tape
from bargein_server.serving.app import App, running
from compose import Corpus, Sample, compose

HERE = Path(__file__).parent
CORPUS = HERE.parents[2] / "shared" / "corpus"


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    default=CORPUS,
    help="Where manifest.csv lies.  [default: ../shared/corpus]",
)
@click.option("--again", is_flag=True, help="Keep the audio, decide anew; needs no corpus.")
def make(names: tuple[str, ...], corpus: Path, *, again: bool) -> None:
    """Make the samples of samples.toml anew, or only those named.

    Exit code 1: a sample did not come to the verdict it is meant to show.
    """
    samples = read_samples()
    chosen = {name: samples[name] for name in names or samples}
    if again:
        tapes = [to_tape(read_recording(folder_of(name))) for name in chosen]
    else:
        clips = Corpus(corpus)
        tapes = [compose(name, sample, clips) for name, sample in chosen.items()]
    wrong = asyncio.run(record(tapes, chosen))
    sys.exit(1 if wrong else 0)


def read_samples() -> dict[str, Sample]:
    """What samples.toml says, by name."""
    content = tomllib.loads((HERE / "samples.toml").read_text(encoding="utf-8"))
    return msgspec.convert(content, dict[str, Sample])


def folder_of(name: str) -> Path:
    """Where a sample lies."""
    return HERE / f"{name}{SUFFIX}"


async def record(tapes: Iterable[Tape], samples: dict[str, Sample]) -> int:
    """Record each tape; how many did not come to their verdict."""
    wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        settings = Settings(port=0, http_port=0, record=Path(directory))
        predictor = Predictor.open()
        try:
            async with running(App(settings, predictor)) as addresses:
                for tape in tapes:
                    name = tape.name.removesuffix(SUFFIX)
                    metadata = {"sample": name, "story": samples[name].story}
                    await play(tape, addresses.url, name, metadata)
                    await asyncio.to_thread(wait_for_disk)
                    shutil.rmtree(folder_of(name), ignore_errors=True)
                    shutil.move(Path(directory) / f"{name}{SUFFIX}", folder_of(name))
                    wrong += not check(name, samples[name].verdict)
        finally:
            await predictor.close()
    return wrong


async def play(tape: Tape, url: str, name: str, metadata: dict[str, str]) -> None:
    """Play one tape to the server, as if it were live; under today's defaults, not the tape's."""
    defaults = msgspec.to_builtins(Options())
    live = play_remote(tape, url, defaults, REAL_TIME, Keys(), session_id=name, metadata=metadata)
    async for _ in live:
        pass


def check(name: str, expected: str) -> bool:
    """Whether a sample's one verdict is the expected one; says so."""
    messages: list[ServerMessage] = decode_events(read_recording(folder_of(name)).events)
    decided = verdicts(messages)
    right = [headline(verdict) for verdict in decided] == [expected.replace("_", " ")]
    told = "; ".join(describe(verdict) for verdict in decided) or "no verdict"
    click.secho(f"{name:<30} {told}", fg="green" if right else "red")
    if not right:
        click.echo(f"{'':<30} expected: {expected}")
    return right


if __name__ == "__main__":
    make(prog_name="scripts/samples/make")
