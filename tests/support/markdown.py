"""The code blocks of a page that are meant to be true.

A comment in front of a block says what is claimed:

    <!-- run -->          a `console` block: each `$ command` succeeds and prints what stands below,
                          where … stands for anything; a `python` block runs (await is allowed)
    <!-- run: exit 1 -->  the commands end with this code
    <!-- file: PATH -->   the block is the whole of that file
"""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^<!-- (run|file)(?:: (.+?))? -->\n```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE
)
_LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")


@dataclass(frozen=True)
class Block:
    """A block and what is claimed about it."""

    claim: str
    """"run" or "file"."""
    argument: str
    language: str
    text: str

    @property
    def exit_code(self) -> int:
        """What its commands end with."""
        return int(self.argument.removeprefix("exit ")) if self.argument else 0

    def commands(self) -> list[tuple[str, str]]:
        """Each command of a console block with its output."""
        parts = re.split(r"^\$ ", self.text, flags=re.MULTILINE)[1:]
        return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def blocks(page: Path, *, claim: str, language: str | None = None) -> list[Block]:
    """The blocks of a page with that claim, in that language (None: in any)."""
    found = (Block(*groups) for groups in _BLOCK.findall(page.read_text(encoding="utf-8")))
    return [block for block in found if block.claim == claim and language in {None, block.language}]


def fits(output: str, pattern: str) -> bool:
    """Whether an output is what a page says, … standing for anything."""
    expected = ".*".join(map(re.escape, pattern.strip().split("…")))
    return re.fullmatch(expected, output.strip(), re.DOTALL) is not None


def links(page: Path) -> list[Path]:
    """The files that a page links to."""
    return [page.parent / target for target in _LINK.findall(page.read_text(encoding="utf-8"))]
