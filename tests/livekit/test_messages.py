"""The words of the dialect: what is read, what is written, what is refused."""

import contextlib
import json
from typing import Any

import pytest
from bargein_server.livekit.conversation import Conversation, ConversationState
from bargein_server.livekit.messages import (
    BargeinDetected,
    DialectError,
    Error,
    InferenceDone,
    ServerMessage,
    SessionClose,
    SessionClosed,
    SessionCreate,
    SessionCreated,
    SessionSettings,
    Window,
    decode_text,
    decode_window,
    encode,
)
from hypothesis import given
from hypothesis import strategies as st

CREATE = '{"type":"session.create","settings":{"sample_rate":16000,"num_channels":1,"min_frames":2,"encoding":"s16le"}}'  # noqa: E501


def settings(**fields: Any) -> str:
    return json.dumps({"type": "session.create", "settings": fields})


def test_a_session_is_created_as_the_clients_ask_for_it() -> None:
    assert decode_text(CREATE) == SessionCreate()
    asked = decode_text(settings(threshold=0.65, min_frames=4, sample_rate=16000, colour="red"))
    assert asked == SessionCreate(settings=SessionSettings(threshold=0.65, min_frames=4))


@pytest.mark.parametrize("text", ["", "[]", "null", "7", '{"type":7}', '{"type":"ping"}', "{}"])
def test_unreadable_text_is_refused(text: str) -> None:
    with pytest.raises(DialectError) as refused:
        decode_text(text)
    assert refused.value.code == 400


@pytest.mark.parametrize(
    "fields",
    [
        {"sample_rate": 8000},
        {"num_channels": 2},
        {"encoding": "f32le"},
        {"threshold": 1.5},
        {"threshold": "high"},
        {"min_frames": -1},
        {"min_frames": 2.5},
    ],
)
def test_settings_that_cannot_be_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(DialectError, match=next(iter(fields))):
        decode_text(settings(**fields))


def test_zero_null_and_absent_thresholds_are_three_things() -> None:
    assert decode_text(settings(threshold=0)) == SessionCreate(
        settings=SessionSettings(threshold=0.0)
    )
    assert decode_text(settings(threshold=None)) == decode_text(settings()) == SessionCreate()


@pytest.mark.parametrize("created_at", [0, 1, 2**53 + 1, 2**63, 2**64 - 1])
def test_created_at_comes_back_bit_for_bit(created_at: int) -> None:
    window = decode_window(created_at.to_bytes(8, "little") + b"\1\2")
    assert window == Window(created_at, b"\1\2")
    for kind in (InferenceDone, BargeinDetected):
        answer = kind(created_at=created_at, prediction_duration=0.01, probabilities=(0.5,))
        assert f'"created_at":{created_at},'.encode() in encode(answer)


@pytest.mark.parametrize("data", [b"", b"1234567", b"12345678x", bytes(8 + 2 * 48_001)])
def test_what_is_no_window_is_refused(data: bytes) -> None:
    with pytest.raises(DialectError):
        decode_window(data)


def test_windows_may_be_empty_and_as_long_as_three_seconds() -> None:
    assert decode_window(bytes(8)).samples == 0
    assert decode_window(bytes(8 + 2 * 48_000)).samples == 48_000


def test_answers_have_every_field_that_the_clients_insist_on() -> None:
    written: list[ServerMessage] = [
        SessionCreated(default_threshold=0.4),
        InferenceDone(created_at=1, prediction_duration=0.003, probabilities=(0.0, 0.25)),
        SessionClosed(),
        Error(message="no", code=400, session_id="lk-1"),
    ]
    assert [json.loads(encode(message)) for message in written] == [
        {"type": "session.created", "default_threshold": 0.4},
        {
            "type": "inference_done",
            "created_at": 1,
            "prediction_duration": 0.003,
            "probabilities": [0.0, 0.25],
        },
        {"type": "session.closed"},
        {"type": "error", "message": "no", "code": 400, "session_id": "lk-1"},
    ]


def test_a_conversation_opens_once_and_ends_once() -> None:
    conversation = Conversation()
    with pytest.raises(DialectError, match=r"before session\.create"):
        conversation.receive(bytes(8))
    assert conversation.receive(CREATE) == SessionCreate()
    assert conversation.receive(bytes(8)) == Window(0, b"")
    with pytest.raises(DialectError, match="open already"):
        conversation.receive(CREATE)
    assert conversation.receive('{"type":"session.close"}') == SessionClose()
    assert conversation.state is ConversationState.CLOSED
    assert conversation.receive(bytes(8)) is None
    assert conversation.receive("not JSON") is None


@given(st.lists(st.one_of(st.text(max_size=40), st.binary(max_size=40)), max_size=8))
def test_any_message_is_read_or_refused_and_a_refused_one_changes_nothing(
    messages: list[str | bytes],
) -> None:
    conversation = Conversation()
    for message in messages:
        before = conversation.state
        with contextlib.suppress(DialectError):
            conversation.receive(message)
            continue
        assert conversation.state is before
