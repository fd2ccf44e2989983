"""Settings from what flags, environment and TOML file say; every error names the setting."""

import difflib
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

import orjson
from bargein_protocol.errors import ProtocolError
from bargein_protocol.options import Options, merge_options

from bargein_server.configuration.flags import setting_names
from bargein_server.configuration.settings import Settings, SettingsError


def read_toml(path: Path) -> dict[str, Any]:
    """The settings in a TOML file, by the names of the flags' parameters.

    Raises:
        SettingsError: unreadable, no TOML, or with a name that no setting has.
    """
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"config = {path}: {error}") from None
    known = setting_names()
    for name in content:
        if name not in known:
            raise SettingsError(f"{path}: no setting is called {name!r}{_hint(name, known)}")
    return {name: _as_flags(name, value) for name, value in content.items()}


def make_settings(values: Mapping[str, Any]) -> Settings:
    """The settings, from one value per parameter.

    Raises:
        SettingsError: a key, an option or a combination that cannot be.
    """
    fields = {field: values[name] for name, field in setting_names().items()}
    fields["keys"] = dict(_parse_key(text) for text in fields["keys"])
    fields["options"] = _parse_options(fields["options"])
    fields["allow_origins"] = tuple(origin.rstrip("/") for origin in fields["allow_origins"])
    return Settings(**fields)


def _as_flags(name: str, value: object) -> object:
    """`[options] a = 1` as `--option a=1`, and the same for keys."""
    if not isinstance(value, dict):
        return value
    joint = ":" if name == "keys" else "="
    table = cast("dict[str, object]", value)
    return [f"{key}{joint}{_plain(part)}" for key, part in table.items()]


def _plain(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _parse_key(text: str) -> tuple[str, str]:
    key, colon, secret = text.partition(":")
    if not colon or not key or not secret:
        raise SettingsError("keys: each is KEY:SECRET, with a colon between (not shown here)")
    return key, secret


def _parse_options(texts: Collection[str]) -> Options:
    update: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise SettingsError(f"option {text!r}: write NAME=VALUE, e.g. threshold=0.6")
        if name not in Options.__struct_fields__:
            hint = _hint(name, Options.__struct_fields__)
            raise SettingsError(f"option {name!r}: no session option has this name{hint}")
        update[name] = _value(value)
    try:
        return merge_options(Options(), update)
    except ProtocolError as error:
        raise SettingsError(f"option {' '.join(texts)}: {error.detail}") from None


def _value(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text


def _hint(name: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(sorted(known))}"
