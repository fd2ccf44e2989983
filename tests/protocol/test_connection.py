"""Which message is legal when."""

import pytest
from bargein_protocol.audio import AudioFormat, AudioFrame
from bargein_protocol.codec import encode
from bargein_protocol.connection import ConnectionState, ServerConnection
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.messages import AgentStarted, ClientMessage, SessionClose, SessionCreate
from hypothesis import given
from hypothesis import strategies as st
from support.messages import CLIENT_MESSAGES

CREATE = '{"type": "session.create"}'
AGENT_STARTED = '{"type": "agent.started"}'
CLOSE = '{"type": "session.close"}'
SILENCE = bytes(640)


def opened(audio: AudioFormat | None = None) -> ServerConnection:
    connection = ServerConnection()
    connection.receive(CREATE)
    connection.accept(audio or AudioFormat())
    return connection


def refusal(connection: ServerConnection, data: str | bytes) -> ErrorCode:
    state = connection.state
    with pytest.raises(ProtocolError) as caught:
        connection.receive(data)
    assert connection.state is state
    return caught.value.code


def test_session_from_create_to_close() -> None:
    connection = ServerConnection()
    assert connection.receive(CREATE) == SessionCreate()
    connection.accept(AudioFormat())
    assert connection.receive(AGENT_STARTED) == AgentStarted()
    assert connection.receive(SILENCE) == AudioFrame("user", SILENCE)
    assert connection.receive(CLOSE) == SessionClose()


def test_state_moves_with_acceptance_and_close() -> None:
    connection = ServerConnection()
    states = [connection.state]
    connection.receive(CREATE)
    states.append(connection.state)
    connection.accept(AudioFormat())
    states.append(connection.state)
    connection.receive(CLOSE)
    states.append(connection.state)
    fresh, live, closed = ConnectionState
    assert states == [fresh, fresh, live, closed]


@pytest.mark.parametrize("data", [SILENCE, b"", AGENT_STARTED, CLOSE])
def test_nothing_comes_before_create(data: str | bytes) -> None:
    assert refusal(ServerConnection(), data) is ErrorCode.NOT_OPEN


def test_nothing_comes_between_create_and_its_acceptance() -> None:
    connection = ServerConnection()
    connection.receive(CREATE)
    assert refusal(connection, SILENCE) is ErrorCode.NOT_OPEN


def test_refused_create_may_be_tried_again() -> None:
    connection = ServerConnection()
    bad = '{"type": "session.create", "audio": {"sample_rate": 1}}'
    assert refusal(connection, bad) is ErrorCode.INVALID_MESSAGE
    assert connection.receive(CREATE) == SessionCreate()


def test_second_create_is_unexpected() -> None:
    assert refusal(opened(), CREATE) is ErrorCode.UNEXPECTED_MESSAGE


@pytest.mark.parametrize("data", [SILENCE, AGENT_STARTED, CLOSE, CREATE])
def test_nothing_comes_after_close(data: str | bytes) -> None:
    connection = opened()
    connection.receive(CLOSE)
    assert refusal(connection, data) is ErrorCode.UNEXPECTED_MESSAGE


def test_audio_is_read_in_the_accepted_format() -> None:
    connection = opened(AudioFormat(encoding="mulaw", sample_rate=8000, tracks=("user", "agent")))
    assert connection.receive(b"\x01" + b"\xff" * 160) == AudioFrame("agent", b"\xff" * 160)
    assert refusal(connection, b"\x07" + b"\xff" * 160) is ErrorCode.INVALID_AUDIO
    assert refusal(connection, b"") is ErrorCode.INVALID_AUDIO


def test_bad_message_leaves_the_session_open() -> None:
    connection = opened()
    assert refusal(connection, "{") is ErrorCode.INVALID_JSON
    assert refusal(connection, '{"type": "x"}') is ErrorCode.UNKNOWN_TYPE
    assert refusal(connection, '{"type": "audio.gap"}') is ErrorCode.INVALID_MESSAGE
    assert connection.receive(SILENCE) == AudioFrame("user", SILENCE)


@given(
    st.lists(
        st.text()
        | st.binary(max_size=700)
        | CLIENT_MESSAGES.map(lambda message: encode(message).decode())
        | st.just("accept")
    )
)
def test_any_conversation_is_read_or_refused(conversation: list[str | bytes]) -> None:
    connection = ServerConnection()
    for data in conversation:
        before = connection.state
        if data == "accept" and before is ConnectionState.FRESH:
            connection.accept(AudioFormat())
            continue
        try:
            message: ClientMessage | AudioFrame | None = connection.receive(data)
        except ProtocolError:
            message = None
        closed = isinstance(message, SessionClose)
        assert connection.state is (ConnectionState.CLOSED if closed else before)
        if isinstance(message, SessionCreate):
            assert before is ConnectionState.FRESH
        elif message is not None:
            assert before is ConnectionState.OPEN
