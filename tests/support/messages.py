"""Hypothesis strategies for every message of the protocol, derived from its types.

A field added to a message is covered from the moment it is there.
"""

from typing import Any, cast, get_args

import msgspec
from bargein_protocol.messages import ClientMessage, ServerMessage
from bargein_protocol.options import FRAME_MS, MAX_BOUNDARY_MS, Options
from hypothesis import strategies as st
from msgspec import inspect as shapes

_JSON_INTEGERS = st.integers(-(2**63), 2**64 - 1)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)
_LETTERS = st.characters(exclude_categories=["Cs"])  # JSON cannot say half a surrogate pair
_TEXT = st.text(_LETTERS)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _JSON_INTEGERS | _FLOATS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=10,
)
"""Whatever JSON can say."""


def _steps(most_ms: int) -> st.SearchStrategy[float]:
    return st.integers(1, most_ms // FRAME_MS).map(lambda frames: float(frames * FRAME_MS))


_MARGIN = st.floats(0, MAX_BOUNDARY_MS)
_OPTION_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "hop_ms": _steps(1000),
    "pre_roll_ms": _steps(2000),
    # together they fit into the default window
    "min_speech_ms": st.floats(25, 1000),
    "window_ms": st.floats(3000, 10_000),
    "backchannel_boundary_ms": st.none() | _MARGIN | st.tuples(_MARGIN, _MARGIN),
}
"""Fields whose legal values depend on more than their type."""

_FORMATS = st.sampled_from([("user",), ("user", "agent")])


def structs(owner: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """Any legal value of a struct."""
    fields = cast("shapes.StructType", shapes.type_info(owner)).fields
    special = _OPTION_FIELDS if owner is Options else {}
    legal = {
        field.name: special[field.name] if field.name in special else _values(field.type)
        for field in fields
    }
    required = {field.name: legal.pop(field.name) for field in fields if field.required}
    return st.fixed_dictionaries(required, optional=legal).map(lambda given: owner(**given))


def _values(kind: shapes.Type) -> st.SearchStrategy[Any]:
    match kind:
        case shapes.UnionType(types):
            return st.one_of(*map(_values, types))
        case shapes.Metadata(inner):
            return _values(inner)
        case shapes.StructType(owner):
            return structs(owner)
        case shapes.LiteralType(values):
            return st.sampled_from(values)
        case shapes.VarTupleType(shapes.LiteralType(("agent", "user"))):
            return _FORMATS
        case shapes.VarTupleType(item, least, most):
            return st.lists(_values(item), min_size=least or 0, max_size=most or 5).map(tuple)
        case shapes.DictType(value_type=value):
            return st.dictionaries(_TEXT, _values(value), max_size=4)
        case _:
            return _scalars(kind)


def _scalars(kind: shapes.Type) -> st.SearchStrategy[Any]:
    match kind:
        case shapes.StrType(pattern=str(pattern)):
            return st.from_regex(pattern)
        case shapes.StrType(least, most):
            return st.text(_LETTERS, min_size=least or 0, max_size=min(most or 20, 20))
        case shapes.IntType(ge=least, le=most):
            low, high = -(2**63) if least is None else least, 2**63 - 1 if most is None else most
            return st.integers(low, high)
        case shapes.FloatType():
            return _floats(kind)
        case shapes.BoolType():
            return st.booleans()
        case shapes.NoneType():
            return st.none()
        case shapes.AnyType():
            return JSON_VALUES
        case _:
            raise NotImplementedError(kind)


def _floats(kind: shapes.FloatType) -> st.SearchStrategy[float]:
    return st.floats(
        kind.ge if kind.gt is None else kind.gt,
        kind.le if kind.lt is None else kind.lt,
        exclude_min=kind.gt is not None,
        exclude_max=kind.lt is not None,
        allow_nan=False,
        allow_infinity=False,
    )


CLIENT_MESSAGES: st.SearchStrategy[ClientMessage] = st.one_of(
    *map(structs, get_args(ClientMessage))
)
SERVER_MESSAGES: st.SearchStrategy[ServerMessage] = st.one_of(
    *map(structs, get_args(ServerMessage))
)
