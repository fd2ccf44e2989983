"""Options: their defaults, and that absent, null, false, {} and 0 are five different things."""

from typing import Any

import msgspec
import pytest
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.options import Options, merge_options
from hypothesis import given
from hypothesis import strategies as st
from support.messages import JSON_VALUES, structs

OPTIONS: st.SearchStrategy[Options] = structs(Options)
CHANGED = Options(
    threshold=0.7,
    cooldown_ms=300.0,
    gate_transcripts=False,
    false_interruption_ms=2000.0,
    backchannel_boundary_ms=(250.0, 750.0),
)

EFFECTS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"threshold": None}, {"threshold": None}),
    ({"cooldown_ms": 0}, {"cooldown_ms": 0.0}),
    ({"gate_transcripts": True}, {"gate_transcripts": True}),
    ({"false_interruption_ms": None}, {"false_interruption_ms": None}),
    ({"false_interruption_ms": 0}, {"false_interruption_ms": 0.0}),
    ({"backchannel_boundary_ms": None}, {"backchannel_boundary_ms": None}),
    ({"backchannel_boundary_ms": 0}, {"backchannel_boundary_ms": 0.0}),
    ({"backchannel_boundary_ms": [0, 0]}, {"backchannel_boundary_ms": (0.0, 0.0)}),
    ({"transcript_hold_ms": 0}, {"transcript_hold_ms": 0.0}),
    ({"pre_roll_ms": 0}, {"pre_roll_ms": 0.0}),
    ({"vad_aggressiveness": 0}, {"vad_aggressiveness": 0}),
    ({"predictions": False}, {"predictions": False}),
    ({"no_such_option": 1}, {}),
]

REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"threshold": 0}, "> 0"),
    ({"threshold": 1}, "< 1"),
    ({"threshold": False}, "got `bool`"),
    ({"threshold": {}}, "got `object`"),
    ({"min_frames": None}, "got `null`"),
    ({"min_frames": 0}, ">= 1"),
    ({"min_frames": True}, "got `bool`"),
    ({"min_frames": 2.5}, "got `float`"),
    ({"cooldown_ms": None}, "got `null`"),
    ({"cooldown_ms": False}, "got `bool`"),
    ({"cooldown_ms": -1}, ">= 0"),
    ({"gate_transcripts": None}, "got `null`"),
    ({"gate_transcripts": 0}, "got `int`"),
    ({"gate_transcripts": {}}, "got `object`"),
    ({"false_interruption_ms": False}, "got `bool`"),
    ({"false_interruption_ms": -1}, ">= 0"),
    ({"backchannel_boundary_ms": False}, "got `bool`"),
    ({"backchannel_boundary_ms": {}}, "got `object`"),
    ({"backchannel_boundary_ms": []}, "length >= 2"),
    ({"backchannel_boundary_ms": [1000]}, "length >= 2"),
    ({"backchannel_boundary_ms": [0, 0, 0]}, "length <= 2"),
    ({"backchannel_boundary_ms": [1000, None]}, "got `null`"),
    ({"backchannel_boundary_ms": -1}, "0 to 60000 ms"),
    ({"backchannel_boundary_ms": [0, 60_001]}, "0 to 60000 ms"),
    ({"hop_ms": 0}, ">= 25"),
    ({"hop_ms": 110}, "multiple of 25"),
    ({"pre_roll_ms": 990}, "multiple of 25"),
    ({"window_ms": 1099}, "at least `pre_roll_ms` + `min_speech_ms`"),
    ({"overlap": None}, "got `null`"),
    ({"overlap": "both"}, "both"),
]


def test_defaults_are_the_documented_ones() -> None:
    defaults = Options()
    assert (defaults.overlap, defaults.vad) == ("server", "webrtc")
    assert (defaults.threshold, defaults.false_interruption_ms) == (None, None)
    assert (defaults.min_frames, defaults.min_speech_ms, defaults.hop_ms) == (2, 100, 50)
    assert (defaults.pre_roll_ms, defaults.window_ms) == (1000, 3000)
    assert (defaults.cooldown_ms, defaults.vad_min_speech_ms) == (0, 500)
    assert defaults.boundaries_ms == (1000, 1000)
    assert (defaults.gate_transcripts, defaults.predictions) == (True, False)


@pytest.mark.parametrize(("update", "effect"), EFFECTS, ids=str)
def test_update_has_this_effect_and_no_other(
    update: dict[str, Any], effect: dict[str, Any]
) -> None:
    assert merge_options(CHANGED, update) == msgspec.structs.replace(CHANGED, **effect)


@pytest.mark.parametrize(("update", "detail"), REFUSED, ids=str)
def test_update_is_refused(update: dict[str, Any], detail: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        merge_options(Options(), update)
    assert caught.value.code is ErrorCode.INVALID_OPTIONS
    assert detail in caught.value.detail
    assert next(iter(update)) in caught.value.detail


@pytest.mark.parametrize(
    ("margin", "boundaries"),
    [
        (None, None),
        (0.0, (0.0, 0.0)),
        (800.0, (800.0, 800.0)),
        ((0.0, 0.0), (0.0, 0.0)),
        ((1000.0, 0.0), (1000.0, 0.0)),
    ],
)
def test_boundary_may_be_written_in_three_ways(
    margin: float | tuple[float, ...] | None, boundaries: tuple[float, float] | None
) -> None:
    assert Options(backchannel_boundary_ms=margin).boundaries_ms == boundaries


def test_two_updates_that_only_fit_together_are_taken_together() -> None:
    update = {"pre_roll_ms": 2000, "window_ms": 5000, "min_speech_ms": 2000}
    assert merge_options(Options(), update).window_ms == 5000


@given(OPTIONS, OPTIONS)
def test_whole_options_replace_whatever_was_there(before: Options, after: Options) -> None:
    assert merge_options(before, msgspec.to_builtins(after)) == after


@given(OPTIONS, st.sampled_from(Options.__struct_fields__), JSON_VALUES)
def test_any_value_is_taken_or_refused(options: Options, name: str, value: object) -> None:
    refusal: ErrorCode | None = None
    try:
        merged = merge_options(options, {name: value})
    except ProtocolError as error:
        refusal = error.code
    else:
        assert all(
            getattr(merged, other) == getattr(options, other)
            for other in Options.__struct_fields__
            if other != name
        )
    assert refusal in {None, ErrorCode.INVALID_OPTIONS}
