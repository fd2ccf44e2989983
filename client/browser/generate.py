"""Writes what the browser client shares with the protocol's code: messages and the error table.

python client/browser/generate.py           renews types/messages.d.ts and src/errors.js
python client/browser/generate.py --check   says whether they are up to date
"""  # noqa: INP001 - a script, not a package

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

import msgspec
from bargein_protocol.audio import AudioFormat
from bargein_protocol.errors import ErrorCode, WarningCode
from bargein_protocol.messages import (
    SUBPROTOCOL,
    Attach,
    ClientMessage,
    EventsMessage,
    ModelInfo,
    Resume,
    ServerInfo,
    ServerMessage,
    Summary,
    Verdict,
)
from bargein_protocol.options import Options
from bargein_protocol.reference import attribute_docs
from msgspec import inspect as shapes

HERE = Path(__file__).parent
_HEAD = "// Written by client/browser/generate.py from the protocol's code; do not edit.\n"
_OBJECTS = (AudioFormat, Options, Resume, Attach, ModelInfo, ServerInfo, Summary)
_RENAMED = {"Error": "ErrorMessage", "Warning": "WarningMessage", "Event": "EventMessage"}
"""These would hide JavaScript's own, or read like them."""


def messages() -> str:
    """The text of `messages.d.ts`."""
    client, server = get_args(ClientMessage), get_args(ServerMessage)
    events = get_args(EventsMessage)
    parts = [
        _HEAD,
        *(_interface(owner, sent=owner in {AudioFormat, Resume, Attach}) for owner in _OBJECTS),
        "/** Only the settings that differ. */\nexport type OptionsUpdate = Partial<Options>;\n",
        *(_interface(owner, sent=True) for owner in client),
        *(_interface(owner, sent=False) for owner in (*server, *events)),
        _union("ClientMessage", "Everything that a client may say, audio apart.", client),
        _union("ServerMessage", "Everything that a server may say.", server),
        _union("EventsMessage", "Everything that `/v1/events` may say.", events),
        _union("Verdict", "One decision about one overlap.", get_args(Verdict)),
        _map(server),
        _literals("ErrorCode", (error.code for error in ErrorCode)),
        _literals("WarningCode", (warning.code for warning in WarningCode)),
    ]
    return "\n".join(parts)


def errors() -> str:
    """The text of `errors.js`."""
    rows = "".join(
        f"  {json.dumps(error.code)}: {{ fault: {json.dumps(error.fault)}, "
        f"closeCode: {json.dumps(error.close_code)}, retry: {json.dumps(error.retry)},\n"
        f"    meaning: {json.dumps(error.meaning)} }},\n"
        for error in ErrorCode
    )
    return (
        f"{_HEAD}\n"
        "/** The WebSocket subprotocol. */\n"
        f"export const SUBPROTOCOL = {json.dumps(SUBPROTOCOL)};\n\n"
        "/**\n * What an error means, and what to do about it.\n"
        " * @typedef {object} ErrorRow\n"
        ' * @property {"client" | "server" | "network"} fault Whose fault it is.\n'
        " * @property {number | null} closeCode The close code; null: the session lives.\n"
        ' * @property {"never" | "later" | "resume"} retry What a client that lost its connection'
        " this way should do.\n"
        " * @property {string} meaning One line for people.\n */\n\n"
        "/**\n * Everything that can go wrong, by its code on the wire.\n"
        ' * @type {Readonly<Record<import("../types/messages.js").ErrorCode, ErrorRow>>}\n */\n'
        f"export const ERRORS = Object.freeze({{\n{rows}}});\n"
    )


def _interface(owner: type[msgspec.Struct], *, sent: bool) -> str:
    """An interface; what is `sent` by a client may leave out what has a default."""
    docs = attribute_docs(owner)
    tag = owner.__struct_config__.tag
    lines = [f"/** {_comment(owner.__doc__)} */", f"export interface {_name(owner)} {{"]
    if tag:
        lines.append(f"  type: {json.dumps(tag)};")
    for field in cast("shapes.StructType", shapes.type_info(owner)).fields:
        absent = field.default is msgspec.UNSET or (sent and not field.required)
        lines.append(f"  /** {_comment(docs[field.name])} */")
        lines.append(f"  {field.name}{'?' if absent else ''}: {_type(field.type)};")
    return "\n".join([*lines, "}", ""])


def _type(kind: shapes.Type) -> str:  # noqa: C901 - one case per kind of type
    match kind:
        case shapes.UnionType(types):
            return " | ".join(_type(one) for one in types)
        case shapes.Metadata(extra_json_schema={"title": "Options"}):
            return "OptionsUpdate"
        case shapes.Metadata(inner):
            return _type(inner)
        case shapes.StructType(owner):
            return _name(owner)
        case shapes.VarTupleType(item):
            name = _type(item)
            return f"({name})[]" if " " in name else f"{name}[]"
        case shapes.DictType(value_type=value):
            return f"Record<string, {_type(value)}>"
        case shapes.LiteralType(values):
            return " | ".join(json.dumps(value) for value in values)
        case shapes.StrType():
            return "string"
        case shapes.IntType() | shapes.FloatType():
            return "number"
        case shapes.BoolType():
            return "boolean"
        case shapes.NoneType():
            return "null"
        case _:
            return "unknown"


def _union(name: str, doc: str, owners: tuple[type, ...]) -> str:
    return (
        f"/** {doc} */\nexport type {name} =\n"
        + "".join(f"  | {_name(owner)}\n" for owner in owners).rstrip()
        + ";\n"
    )


def _map(owners: tuple[type[msgspec.Struct], ...]) -> str:
    rows = "".join(
        f"  {json.dumps(owner.__struct_config__.tag)}: {_name(owner)};\n" for owner in owners
    )
    head = "/** The server's messages by their `type`. */"
    return f"{head}\nexport interface ServerMessageMap {{\n{rows}}}\n"


def _literals(name: str, values: Iterator[str]) -> str:
    rows = "\n".join(f"  | {json.dumps(value)}" for value in values)
    return f"/** A `code` on the wire. */\nexport type {name} =\n{rows};\n"


def _name(owner: type) -> str:
    return _RENAMED.get(owner.__name__, owner.__name__)


def _comment(text: str | None) -> str:
    return " ".join((text or "").split()).replace("*/", "* /")


def main(arguments: list[str]) -> int:
    """Write the files; with `--check` compare them."""
    behind = 0
    for path, text in (
        (HERE / "types" / "messages.d.ts", messages()),
        (HERE / "src" / "errors.js", errors()),
    ):
        if arguments != ["--check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.stderr.write(f"{path.name} is behind the protocol's code; run generate.py\n")
            behind = 1
    return behind


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
