"""`./scripts/model/speak`."""

from pathlib import Path

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bargein_model.speaking.phonemes import spoken_languages
from bargein_model.speaking.pico import VOICES, Pico, throats
from bargein_model.speaking.plan import plan
from bargein_model.speaking.voices import (
    blends,
    lending_voices,
    reported_speakers,
    voices_by_language,
)

ROOT = Path(__file__).resolve().parents[4]
FOLDERS = {"kokoro": "spoken", "pico": "spoken-pico"}


@click.command()
@click.option(
    "--engine",
    type=click.Choice(sorted(FOLDERS)),
    default="kokoro",
    show_default=True,
    help="Kokoro-82M sounds most like people; SVOX Pico is of another make, and far quicker.",
)
@click.option(
    "--corpus",
    "corpora",
    multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    default=[ROOT.parent / "shared" / "corpus"],
    show_default="../shared/corpus",
    help="A corpus whose `val` voices of Kokoro must stay unknown; may be given several times.",
)
@click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    show_default=".model/spoken, of Pico .model/spoken-pico",
)
@click.option(
    "--voices",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / ".model" / "kokoro",
    show_default=".model/kokoro",
    help="Kokoro's voices, as the npm package kokoro-js has them.",
)
@click.option("--clips", default=3648, show_default=True, help="How many, in reels of 96.")
@click.option("--seed", default=1, show_default=True, help="For who says what, and how.")
@click.option("--threads", default=1, show_default=True)
def speak(
    engine: str,
    corpora: tuple[Path, ...],
    output: Path | None,
    voices: Path,
    clips: int,
    seed: int,
    threads: int,
) -> None:
    """Speak short interruptions and backchannels; goes on where an earlier run stopped."""
    from bargein_model.speaking.folder import speak_into

    folder = output or ROOT / ".model" / FOLDERS[engine]
    if engine == "pico":
        spoken = speak_into(folder, Pico(), plan(VOICES, throats, seed), clips)
    else:
        from bargein_model.speaking.kokoro import Kokoro

        manifests = [root / "manifest.csv" for root in corpora]
        for needed in (*manifests, voices):
            if not needed.exists():
                raise click.UsageError(f"Kokoro cannot speak without {needed}, which is not there")
        reported = reported_speakers(manifests)
        names = [path.stem for path in voices.glob("*.bin")]
        speakers = voices_by_language(names, reported, spoken_languages())
        casting = blends(speakers, lending_voices(names, reported))
        kokoro = Kokoro(voices, threads)
        spoken = speak_into(folder, kokoro, plan(speakers, casting, seed), clips)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    ) as progress:
        task = progress.add_task("speaking", total=clips)
        for done in spoken:
            progress.update(task, completed=done)
