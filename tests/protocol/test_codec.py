"""Bytes ↔ messages: literally, there and back, and with anything at all."""

from contextlib import suppress
from typing import get_args

import orjson
import pytest
from bargein_protocol.audio import AudioFormat
from bargein_protocol.codec import decode_client, decode_server, encode
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.messages import (
    AgentStarted,
    AgentStopped,
    Attach,
    AudioGap,
    ClientMessage,
    OverlapEnded,
    OverlapStarted,
    Resume,
    ServerMessage,
    SessionClose,
    SessionCreate,
    SessionUpdate,
    Transcript,
)
from hypothesis import example, given
from hypothesis import strategies as st
from support.messages import CLIENT_MESSAGES, JSON_VALUES, SERVER_MESSAGES
from support.wire import SERVER_LINES

CLIENT_LINES: list[tuple[str, ClientMessage]] = [
    ('{"type": "session.create"}', SessionCreate()),
    (
        (
            '{"type": "session.create", "session_id": "call-7", "options": null, "record": true,'
            ' "audio": {"encoding": "mulaw", "sample_rate": 8000, "tracks": ["user", "agent"]},'
            ' "metadata": {"room": "a"}, "resume": {"token": "t", "after": 4}}'
        ),
        SessionCreate(
            session_id="call-7",
            options=None,
            record=True,
            audio=AudioFormat(encoding="mulaw", sample_rate=8000, tracks=("user", "agent")),
            metadata={"room": "a"},
            resume=Resume(token="t", after=4),
        ),
    ),
    (
        '{"type": "session.create", "session_id": "call-7", "attach": {"token": "t"}}',
        SessionCreate(session_id="call-7", attach=Attach(token="t")),
    ),
    ('{"type": "audio.gap", "duration_ms": 40}', AudioGap(duration_ms=40)),
    ('{"type": "agent.started"}', AgentStarted()),
    ('{"type": "agent.started", "at_ms": 0}', AgentStarted(at_ms=0)),
    ('{"type": "agent.stopped", "at_ms": 12.5}', AgentStopped(at_ms=12.5)),
    (
        '{"type": "overlap.started", "at_ms": 900, "speech_duration_ms": 50}',
        OverlapStarted(at_ms=900, speech_duration_ms=50),
    ),
    ('{"type": "overlap.ended"}', OverlapEnded()),
    (
        '{"type": "transcript", "id": "1", "text": "stop", "end_ms": 5, "final": false}',
        Transcript(id="1", text="stop", end_ms=5, final=False),
    ),
    ('{"type": "session.update", "options": null}', SessionUpdate(options=None)),
    ('{"type": "session.update", "options": {}}', SessionUpdate(options={})),
    (
        '{"type": "session.update", "options": {"threshold": null}}',
        SessionUpdate(options={"threshold": None}),
    ),
    ('{"type": "session.close"}', SessionClose()),
]

REFUSED: list[tuple[str, ErrorCode]] = [
    ("", ErrorCode.INVALID_JSON),
    ("hello", ErrorCode.INVALID_JSON),
    ('{"type": "agent.started"', ErrorCode.INVALID_JSON),
    ('{"type": "agent.started", "at_ms": NaN}', ErrorCode.INVALID_JSON),
    ('{"type": "agent.started", "at_ms": 1e999}', ErrorCode.INVALID_JSON),
    ("[" * 3000, ErrorCode.INVALID_JSON),
    ("\ud800", ErrorCode.INVALID_JSON),
    ("[]", ErrorCode.INVALID_MESSAGE),
    ("null", ErrorCode.INVALID_MESSAGE),
    ("{}", ErrorCode.INVALID_MESSAGE),
    ('{"type": null}', ErrorCode.INVALID_MESSAGE),
    ('{"type": ["agent.started"]}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "agent.began"}', ErrorCode.UNKNOWN_TYPE),
    ('{"type": "interruption"}', ErrorCode.UNKNOWN_TYPE),
    ('{"type": "agent.started", "at_ms": null}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "agent.started", "at_ms": "0"}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "agent.started", "at_ms": false}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "agent.started", "at_ms": -1}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "audio.gap"}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "audio.gap", "duration_ms": 0}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "audio.gap", "duration_ms": 1e9}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "transcript", "id": "1"}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "transcript", "id": "", "text": "a"}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "transcript", "id": "1", "text": null}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.update"}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.update", "options": false}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.update", "options": 0}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "session_id": ""}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "session_id": null}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "session_id": "../etc"}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "session_id": ".."}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "session_id": "a\\n"}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "audio": null}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "audio": {"encoding": "mp3"}}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "audio": {"sample_rate": 11025}}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "audio": {"tracks": []}}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "audio": {"tracks": ["agent"]}}', ErrorCode.INVALID_MESSAGE),
    (
        '{"type": "session.create", "audio": {"tracks": ["agent", "user"]}}',
        ErrorCode.INVALID_MESSAGE,
    ),
    ('{"type": "session.create", "record": 1}', ErrorCode.INVALID_MESSAGE),
    ('{"type": "session.create", "resume": {}}', ErrorCode.INVALID_MESSAGE),
    (
        '{"type": "session.create", "resume": {"token": "t", "after": -1}}',
        ErrorCode.INVALID_MESSAGE,
    ),
]


@pytest.mark.parametrize(("line", "message"), CLIENT_LINES)
def test_client_line_says_this(line: str, message: ClientMessage) -> None:
    assert decode_client(line) == message
    assert decode_client(line.encode()) == message


@pytest.mark.parametrize(("line", "message"), SERVER_LINES)
def test_server_line_says_this(line: str, message: ServerMessage) -> None:
    assert decode_server(line) == message
    assert orjson.loads(encode(message)) == orjson.loads(line)


def test_every_message_has_a_line() -> None:
    assert {type(message) for _, message in CLIENT_LINES} == set(get_args(ClientMessage))
    assert {type(message) for _, message in SERVER_LINES} == set(get_args(ServerMessage))


@pytest.mark.parametrize(("line", "code"), REFUSED)
def test_line_is_refused(line: str, code: ErrorCode) -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_client(line)
    assert caught.value.code is code


def test_refusal_says_where_the_fault_is() -> None:
    with pytest.raises(ProtocolError, match=r"agent\.started: Expected `float` >= 0.*\$\.at_ms"):
        decode_client('{"type": "agent.started", "at_ms": -1}')


def test_refusal_does_not_echo_a_long_type() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_client(encode_type("x" * 100_000))
    assert len(str(caught.value)) < 400


def encode_type(kind: str) -> bytes:
    return orjson.dumps({"type": kind})


def test_unknown_fields_are_ignored() -> None:
    assert decode_client('{"type": "agent.started", "mood": "good"}') == AgentStarted()


def test_unknown_server_type_is_no_error_for_a_client() -> None:
    assert decode_server('{"type": "weather", "seq": 1}') is None


def test_server_message_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(ProtocolError, match="interruption: Object missing required field"):
        decode_server('{"type": "interruption", "seq": 1}')


def test_absent_fields_stay_absent() -> None:
    assert encode(AgentStarted()) == b'{"type":"agent.started"}'
    assert encode(AgentStarted(at_ms=0)) == b'{"type":"agent.started","at_ms":0}'


@given(CLIENT_MESSAGES)
def test_client_message_comes_back_as_it_was(message: ClientMessage) -> None:
    assert decode_client(encode(message)) == message


@given(SERVER_MESSAGES)
def test_server_message_comes_back_as_it_was(message: ServerMessage) -> None:
    assert decode_server(encode(message)) == message


@given(CLIENT_MESSAGES | SERVER_MESSAGES, st.data())
def test_message_with_one_field_spoilt_is_read_or_refused(
    message: ClientMessage | ServerMessage, data: st.DataObject
) -> None:
    content = orjson.loads(encode(message))
    content[data.draw(st.sampled_from(sorted(content)))] = data.draw(JSON_VALUES)
    returns_or_raises_protocol_error(orjson.dumps(content))


@given(st.text() | st.binary() | JSON_VALUES.map(orjson.dumps))
@example('{"type": []}')
@example('{"type": {}}')
def test_anything_is_read_or_refused(line: str | bytes) -> None:
    returns_or_raises_protocol_error(line)


def returns_or_raises_protocol_error(line: str | bytes) -> None:
    for decode in (decode_client, decode_server):
        with suppress(ProtocolError):
            decode(line)
