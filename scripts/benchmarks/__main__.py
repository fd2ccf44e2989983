"""`scripts/bench`."""

import json
import os
import platform
from pathlib import Path

import click
import msgspec
import psutil
import uvloop
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from benchmarks import capacity, delay, livekit, memory, model, start
from benchmarks.figures import Measure, Section, Setup
from benchmarks.servers import cores, raise_file_limit

SECTIONS: dict[str, Measure] = {
    "delay": delay.measure,
    "livekit": livekit.measure,
    "capacity": capacity.measure,
    "memory": memory.measure,
    "start": start.measure,
    "model": model.measure,
}
SAMPLES = Path(__file__).parents[1] / "samples"


@click.command()
@click.option(
    "--sessions", default=50, show_default=True, help="Of the measurements delay and livekit."
)
@click.option(
    "--seconds", default=20.0, show_default=True, help="Of the measurements delay and livekit."
)
@click.option("--most", default=3000, show_default=True, help="Sessions to try for capacity.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(SECTIONS)),
    help="Measure this alone; may be given several times.",
)
@click.option(
    "--samples",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=SAMPLES,
    help="Recordings whose overlaps the users speak.  [default: scripts/samples]",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
def main(
    sessions: int, seconds: float, most: int, only: tuple[str, ...], samples: Path, as_json: bool
) -> None:
    """Measure a server of its own on this machine, over the loopback interface.

    \b
    delay     event delay of --sessions real-time sessions
    livekit   answers to the windows of --sessions LiveKit agents
    capacity  sessions one core holds, next to a server that throws the audio away
    memory    per idle and per streaming session
    start     from start to ready
    model     processor time of the model

    The whole takes a few minutes. Leave the machine alone meanwhile: the server takes one core,
    the clients the others.
    """  # noqa: D301
    raise_file_limit()
    available = cores()
    server_core = available[0] if len(available) > 1 else None
    if server_core is not None:
        os.sched_setaffinity(0, set(available) - {server_core})
    setup = Setup(
        sessions=sessions, seconds=seconds, most=most, samples=samples, server_core=server_core
    )
    results = uvloop.run(_measure_all(setup, only or tuple(SECTIONS)))
    if as_json:
        click.echo(_as_json(results))
    else:
        _print(results)


async def _measure_all(setup: Setup, names: tuple[str, ...]) -> dict[str, Section]:
    columns = (TextColumn("{task.fields[part]:>9}"), BarColumn(), TextColumn("{task.description}"))
    results: dict[str, Section] = {}
    screen = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=screen, refresh_per_second=2) as progress:
        for name in names:
            task = progress.add_task("", part=name, total=1.0)

            def tell(share: float, what: str, task: TaskID = task) -> None:
                progress.update(task, completed=share, description=what)

            results[name] = await SECTIONS[name](setup, tell)
            progress.update(task, completed=1.0, description="")
    return results


def _machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 2),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _as_json(results: dict[str, Section]) -> str:
    figures = {name: section.figures for name, section in results.items()}
    return json.dumps(msgspec.to_builtins({"machine": _machine()} | figures), indent=2)


def _print(results: dict[str, Section]) -> None:
    console = Console()
    for section in results.values():
        table = Table(title=section.title, title_justify="left", title_style="bold")
        for number, column in enumerate(section.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in section.rows:
            table.add_row(*row)
        console.print()
        console.print(table)
        for note in section.notes:
            console.print(f"  {note}", style="dim", highlight=False)
    console.print()
    machine = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in _machine().items())
    console.print(f"On this machine, server on one core, clients on the others: {machine}.")


if __name__ == "__main__":
    main()
