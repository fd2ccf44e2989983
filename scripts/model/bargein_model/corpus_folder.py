"""What `--corpus` takes."""

from pathlib import Path

import click


class CorpusFolder(click.Path):
    """A folder with a `manifest.csv`."""

    def __init__(self) -> None:
        super().__init__(exists=True, file_okay=False, path_type=Path)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """The folder as a path; what is none ends the command, with what is missing."""
        folder = Path(str(super().convert(str(value), param, ctx)))
        if not (folder / "manifest.csv").is_file():
            wanted = "scripts/model/README.md says what goes into one"
            self.fail(f"{folder} has no manifest.csv; {wanted}", param, ctx)
        return folder
