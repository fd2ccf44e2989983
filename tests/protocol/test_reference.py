"""`protocol/README.md` and the code say the same."""

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest
from bargein_protocol import reference
from bargein_protocol.codec import decode_client, decode_server
from bargein_protocol.messages import ClientMessage, EventsMessage, ServerMessage
from bargein_protocol.options import Options

STRUCTS = (
    *get_args(ClientMessage),
    *get_args(ServerMessage),
    *get_args(EventsMessage),
    *reference.OBJECTS,
)
PAGE = reference.README.read_text(encoding="utf-8")


def test_page_is_up_to_date() -> None:
    assert reference.updated(PAGE) == PAGE, "run: python -m bargein_protocol.reference --write"


@pytest.mark.parametrize("owner", STRUCTS, ids=lambda owner: owner.__name__)
def test_every_field_says_what_it_means(owner: type[msgspec.Struct]) -> None:
    assert owner.__doc__
    assert set(reference.attribute_docs(owner)) >= set(owner.__struct_fields__)


@pytest.mark.parametrize("owner", STRUCTS, ids=lambda owner: owner.__name__)
def test_every_field_of_every_message_is_in_the_page(owner: type[msgspec.Struct]) -> None:
    tag = owner.__struct_config__.tag
    heading = f"### `{tag}`" if tag else f"### {owner.__name__}"
    sections = [part for part in PAGE.split("\n### ") if f"### {part}".startswith(heading + "\n")]
    rows = {name for part in sections for name in re.findall(r"^\| `(\w+)` \|", part, re.MULTILINE)}
    told_above = {"seq"} if owner in get_args(ServerMessage) else set()
    assert rows | told_above >= set(owner.__struct_fields__)


def test_option_row_names_type_unit_default_range_and_meaning() -> None:
    assert (
        "| `cooldown_ms` | number | ms | `0` | ≥ 0, ≤ 600,000 "
        "| After a verdict, time in which no new overlap opens. |"
    ) in PAGE
    assert Options().cooldown_ms == 0


def test_example_session_of_the_page_is_legal() -> None:
    (block,) = re.findall(r"```jsonl\n(.*?)```", PAGE, re.DOTALL)
    lines = block.splitlines()
    assert len(lines) == 8
    for line in lines:
        side, text = line[0], line[2:]
        message = decode_client(text) if side == "→" else decode_server(text)
        assert message is not None
        assert set(json.loads(text)) <= {"type", *message.__struct_fields__}


def test_example_code_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(block, "protocol/README.md", "exec"), {})  # noqa: S102
    assert capsys.readouterr().out == "unknown_type False\n"


def test_command_writes_the_page_and_tells_when_it_is_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "README.md"
    page.write_text(PAGE.replace("After a verdict", "Before a verdict"), encoding="utf-8")
    monkeypatch.setattr(reference, "README", page)
    assert reference.main(["--check"]) == 1
    assert "behind the code" in capsys.readouterr().err
    assert reference.main(["--write"]) == 0
    assert reference.main(["--check"]) == 0
    assert page.read_text(encoding="utf-8") == PAGE
    assert reference.main([]) == 0
    assert capsys.readouterr().out in PAGE


def test_page_without_marker_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="lacks the lines"):
        reference.updated("# A page")
