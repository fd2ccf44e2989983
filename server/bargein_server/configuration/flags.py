"""Command-line options made from the table of settings: flag, environment variable, TOML key."""

from pathlib import Path
from typing import Any, cast

import click
from msgspec import inspect

from bargein_server.configuration.settings import Settings

ENVIRONMENT = "BARGEIN_"
_SINGULAR = {"keys": "key", "options": "option", "allow_origins": "allow-origin"}
_METAVARS = {"keys": "KEY:SECRET", "options": "NAME=VALUE", "allow_origins": "ORIGIN"}


def setting_names() -> dict[str, str]:
    """Field of `Settings` by the name that it has in a TOML file."""
    return {_key(field): field for field in Settings.__struct_fields__}


def options() -> list[click.Option]:
    """One option per setting, in the order of the table."""
    info = inspect.type_info(Settings)
    assert isinstance(info, inspect.StructType)  # noqa: S101
    return [_option(field) for field in info.fields]


def _option(field: inspect.Field) -> click.Option:
    shape, help_text = field.type, ""
    if isinstance(shape, inspect.Metadata):
        described = cast("dict[str, str]", shape.extra_json_schema)
        help_text = described["description"]
        shape = shape.type
    key = _key(field.name)
    flag = "--" + _SINGULAR.get(field.name, key.replace("_", "-"))
    repeated = field.name in _SINGULAR
    kind = str if repeated else _kind(shape)
    flagged: dict[str, Any] = {"is_flag": True} if kind is bool else {"type": kind}
    return click.Option(
        [flag, key],
        help=help_text,
        multiple=repeated,
        default=() if repeated else field.default,
        show_default=not repeated and field.default is not None and kind is not bool,
        metavar=_METAVARS.get(field.name) or ("SECONDS" if field.name.endswith("_s") else None),
        envvar=ENVIRONMENT + key.upper(),
        show_envvar=True,
        **flagged,
    )


def _key(field: str) -> str:
    return field.removesuffix("_s") if field.endswith("_s") else field


def _kind(shape: inspect.Type) -> "click.ParamType[Any] | type":
    match shape:
        case inspect.Metadata():
            return _kind(shape.type)
        case inspect.UnionType():
            return _kind(shape.types[0])
        case inspect.IntType():
            return click.IntRange(min=shape.ge, max=shape.le)
        case inspect.FloatType():
            return click.FloatRange(min=shape.ge, max=shape.le)
        case inspect.BoolType():
            return bool
        case inspect.LiteralType():
            return click.Choice([str(value) for value in shape.values])
        case inspect.CustomType():
            return click.Path(path_type=Path)
        case _:
            return str
