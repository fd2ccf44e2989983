"""The protocol's reference, written from the code: `python -m bargein_protocol.reference`.

It stands in `protocol/README.md` between two marker lines; `--write` renews it there and
`--check` says whether it is up to date.
"""

import ast
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import cast, get_args

import msgspec
from msgspec import inspect as shapes

from bargein_protocol.audio import AudioFormat
from bargein_protocol.errors import ErrorCode, WarningCode
from bargein_protocol.messages import (
    Attach,
    ClientMessage,
    EventsMessage,
    ModelInfo,
    Resume,
    ServerInfo,
    ServerMessage,
    SessionCreated,
    Summary,
)
from bargein_protocol.options import Options

README = Path(__file__).parents[1] / "README.md"
_BEGIN = "<!-- written by: python -m bargein_protocol.reference --write -->"
_END = "<!-- end of what is written -->"
OBJECTS = (AudioFormat, Options, Resume, Attach, ModelInfo, ServerInfo, Summary)
_UNITS = {"sample_rate": "Hz", "probability": "0–1", "probabilities": "0–1", "threshold": "0–1"}
_SIGNS = (("gt", ">"), ("ge", "≥"), ("lt", "<"), ("le", "≤"))


def render() -> str:
    """The whole reference as Markdown."""
    parts = [
        "## Client → server\n",
        *(_section(message) for message in get_args(ClientMessage)),
        "## Server → client\n",
        f"Every message also has `seq` (integer): {attribute_docs(SessionCreated)['seq']}\n",
        *(_section(message) for message in get_args(ServerMessage)),
        "## Server → subscriber (`/v1/events`)\n",
        *(_section(message) for message in get_args(EventsMessage)),
        "## Objects inside messages\n",
        *(_section(part) for part in OBJECTS),
        "## Errors\n",
        _table(("code", "fault", "close code", "try again", "meaning"), _errors()),
        "## Warnings\n",
        _table(("code", "meaning"), ((f"`{code.code}`", code.meaning) for code in WarningCode)),
    ]
    return "\n".join(parts).rstrip() + "\n"


def attribute_docs(owner: type) -> dict[str, str]:
    """The string literals that follow the fields of a class and of its bases, by field name."""
    docs: dict[str, str] = {}
    for base in reversed(owner.__mro__[:-1]):
        if not base.__module__.startswith("bargein_protocol"):
            continue
        definition = ast.parse(dedent(inspect.getsource(base))).body[0]
        if isinstance(definition, ast.ClassDef):
            docs |= dict(_documented(definition.body))
    return docs


def _documented(body: Iterable[ast.stmt]) -> Iterator[tuple[str, str]]:
    for field, following in pairwise(body):
        match field, following:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text).replace("\n", " ")
            case _:
                pass


def _section(owner: type[msgspec.Struct]) -> str:
    tag = owner.__struct_config__.tag
    heading = f"### {f'`{tag}`' if tag else owner.__name__}\n\n{inspect.getdoc(owner)}\n"
    docs = attribute_docs(owner)
    said_once = owner in get_args(ServerMessage)  # `seq` stands above them all
    fields = [field for field in _fields(owner) if not (said_once and field.name == "seq")]
    if not fields:
        return heading
    columns = ("field", "type", "unit", "default", "range", "meaning")
    return f"{heading}\n{_table(columns, (_row(field, docs[field.name]) for field in fields))}"


def _fields(owner: type[msgspec.Struct]) -> tuple[shapes.Field, ...]:
    return cast("shapes.StructType", shapes.type_info(owner)).fields


def _row(field: shapes.Field, doc: str) -> tuple[str, ...]:
    name = field.name
    unit = "ms" if name.endswith("_ms") else _UNITS.get(name, "")
    kind, bounds = _describe(field.type)
    return f"`{name}`", kind, unit, _default(field), bounds, doc


def _default(field: shapes.Field) -> str:
    if field.required:
        return "–"
    if field.default is not msgspec.NODEFAULT:
        return f"`{_json(field.default)}`"
    if field.default_factory is msgspec.NODEFAULT:
        return "absent"
    return f"`{_json(field.default_factory())}`"


def _json(value: object) -> str:
    return re.sub(r"\.0\b", "", msgspec.json.encode(value).decode())


def _describe(kind: shapes.Type) -> tuple[str, str]:
    """The name of a type for people who write JSON, and what limits its values."""
    match kind:
        case shapes.UnionType(types):
            described = [_describe(one) for one in types]
            names, limits = (name for name, _ in described), (limit for _, limit in described)
            return " or ".join(names), "; ".join(filter(None, limits))
        case shapes.Metadata(inner, extra_json_schema={"title": str(title)}):
            return _link(title), _describe(inner)[1]
        case shapes.StructType(owner):
            return _link(owner.__name__), ""
        case shapes.VarTupleType(item, least, most):
            name, bounds = _describe(item)
            return f"array of {name}", "; ".join(filter(None, (_lengths(least, most), bounds)))
        case shapes.DictType(min_length=least, max_length=most, value_type=value):
            name, _ = _describe(value)
            return f"object of {name}" if name != "any" else "object", _lengths(least, most)
        case shapes.LiteralType(values):
            return ", ".join(f"`{_json(value)}`" for value in values), ""
        case shapes.StrType(least, most, pattern):
            return "text", f"`{pattern}`" if pattern else _lengths(least, most)
        case shapes.IntType() | shapes.FloatType():
            return "integer" if isinstance(kind, shapes.IntType) else "number", _limits(kind)
        case _:
            return {"BoolType": "boolean", "NoneType": "null"}.get(type(kind).__name__, "any"), ""


def _limits(kind: shapes.IntType | shapes.FloatType) -> str:
    bounds = ((sign, getattr(kind, name)) for name, sign in _SIGNS)
    return ", ".join(f"{sign} {bound:,.12g}" for sign, bound in bounds if bound is not None)


def _lengths(least: int | None, most: int | None) -> str:
    if least is not None and least == most:
        return f"length {least}"
    limits = ((least, f"length ≥ {least}"), (most, f"length ≤ {most}"))
    return ", ".join(text for limit, text in limits if limit is not None)


def _link(name: str) -> str:
    return f"[{name}](#{name.lower()})"


def _errors() -> Iterator[tuple[str, ...]]:
    for error in ErrorCode:
        close = str(error.close_code) if error.close_code else "the session lives"
        yield f"`{error.code}`", error.fault, close, error.retry, error.meaning


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [columns, tuple("---" for _ in columns), *rows]
    cells = ([cell.replace("|", "\\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"


def updated(page: str) -> str:
    """`page` with the reference of today between its marker lines.

    Raises:
        ValueError: the page has no marker lines.
    """
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"the page lacks the lines {_BEGIN!r} and {_END!r}")
    return f"{before}{begin}\n\n{render()}\n{end}{after}"


def main(arguments: list[str]) -> int:
    """Print the reference; with `--write` put it into the page, with `--check` compare."""
    if not arguments:
        sys.stdout.write(render())
        return 0
    page = README.read_text(encoding="utf-8")
    wanted = updated(page)
    if arguments == ["--write"]:
        README.write_text(wanted, encoding="utf-8")
        return 0
    if arguments == ["--check"] and page != wanted:
        sys.stderr.write(f"{README.name} is behind the code; run with --write\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
