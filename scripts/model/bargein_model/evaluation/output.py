"""Writes the report: to the terminal, to a JSON file, into a Markdown file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table as RichTable

from bargein_model.evaluation.sheet import Sheet, Trial
from bargein_model.evaluation.tables import Table

BEGIN = "<!-- evaluation: begin (written by ./scripts/model/evaluate --markdown) -->"
END = "<!-- evaluation: end -->"
UNFOLDED = 5


def show(tables: Sequence[Table], console: Console) -> None:
    """Prints the tables."""
    for table in tables:
        rich = RichTable(
            title=table.title,
            caption=table.note or None,
            title_justify="left",
            caption_justify="left",
        )
        for place, name in enumerate(table.header):
            rich.add_column(name, justify="left" if place == 0 else "right", overflow="fold")
        for row in table.rows:
            rich.add_row(*row)
        console.print(rich)


def to_json(
    path: Path, tables: Sequence[Table], sheets: Mapping[str, Sheet], about: Mapping[str, object]
) -> None:
    """Writes what was examined, the tables, and every answer to every item."""
    content = {
        "about": about,
        "tables": [asdict(table) for table in tables],
        "items": {
            name: [_answers(trial) for trial in sheet.trials] for name, sheet in sheets.items()
        },
    }
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def to_markdown(tables: Sequence[Table], about: str) -> str:
    """The tables in Markdown, under headings; the long tail of them folded."""
    shown, folded = map(_markdown, tables[:UNFOLDED]), map(_markdown, tables[UNFOLDED:])
    fold = ["<details><summary>By source, language and kind</summary>", *folded, "</details>"]
    return "\n\n".join([about, *shown, *fold]) + "\n"


def update_markdown(path: Path, text: str) -> None:
    """Replaces what stands between the marks `BEGIN` and `END`; appends it if there are none."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    before, mark, rest = old.partition(BEGIN)
    after = rest.partition(END)[2] if mark else ""
    if not mark and before:
        before = before.rstrip("\n") + "\n\n"
    path.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after or chr(10)}", encoding="utf-8")


def _markdown(table: Table) -> str:
    rule = ["---", *["---:"] * (len(table.header) - 1)]
    lines = [_line(table.header), _line(rule), *map(_line, table.rows)]
    parts = [f"#### {table.title}", "\n".join(lines), table.note]
    return "\n\n".join(part for part in parts if part)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _answers(trial: Trial) -> dict[str, Any]:
    facts = trial.facts
    names = {"group": facts.group.name.lower(), "condition": facts.condition.name.lower()}
    return asdict(trial) | {"facts": asdict(facts) | names}
