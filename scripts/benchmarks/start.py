"""From the start of the process until it takes connections, with the model warm."""

from benchmarks.figures import COLUMNS, Distribution, Section, Setup, Tell
from benchmarks.servers import BARGEIN, serving

TIMES = 5


async def measure(setup: Setup, tell: Tell) -> Section:
    """Start the server a few times."""
    seconds: list[float] = []
    for time in range(TIMES):
        tell(time / TIMES, "starting")
        async with serving(BARGEIN, setup.server_core) as server:
            seconds.append(server.ready_s)
    starts = Distribution.of(seconds)
    return Section(
        title="Start to ready",
        columns=("", *COLUMNS),
        rows=(("seconds", *starts.cells()),),
        figures={"ready_s": starts},
    )
