"""Each platform against the messages that its documentation shows, to the byte where we write."""

import base64
import json
from typing import Any

import pytest
from bargein_client.bridges.audiosocket import AudioSocket
from bargein_client.bridges.events import (
    AgentAudio,
    BadMessageError,
    CallEnded,
    CallerAudio,
    CallStarted,
    PlaybackCleared,
)
from bargein_client.bridges.exotel import Exotel
from bargein_client.bridges.genesys import Genesys
from bargein_client.bridges.jambonz import Jambonz
from bargein_client.bridges.leg import Leg, ToAgent
from bargein_client.bridges.platform import Message, Platform
from bargein_client.bridges.platforms import PLATFORMS
from bargein_client.bridges.plivo import Plivo
from bargein_client.bridges.telnyx import Telnyx
from bargein_client.bridges.twilio import Twilio
from bargein_client.bridges.vonage import Vonage
from bargein_protocol.audio import AudioFormat
from hypothesis import given
from hypothesis import strategies as st
from support.verdicts import INTERRUPTION

PAYLOAD = base64.b64encode(b"\x7f\xff\x00").decode()
MULAW = AudioFormat(encoding="mulaw", sample_rate=8000)
LINEAR_8 = AudioFormat(sample_rate=8000)
LINEAR_16 = AudioFormat(sample_rate=16000)

TWILIO_START = {
    "event": "start",
    "sequenceNumber": "1",
    "start": {
        "accountSid": "AC123",
        "streamSid": "MZ18ad",
        "callSid": "CA123",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
        "customParameters": {"FirstName": "Jane", "RemoteParty": "Bob"},
    },
    "streamSid": "MZ18ad",
}
TELNYX_START = {
    "event": "start",
    "sequence_number": "1",
    "stream_id": "32DE0DEA",
    "start": {
        "user_id": "3E6F995F",
        "call_control_id": "v2:T02llQ",
        "client_state": "aGF2ZSBhIG5pY2UgZGF5ID1d",
        "custom_parameters": {"customer_id": "customer_123"},
        "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
    },
}
PLIVO_START = {
    "event": "start",
    "sequenceNumber": 1,
    "start": {
        "callId": "12345678-1234",
        "streamId": "87654321-4321",
        "accountId": "MAXX",
        "tracks": ["inbound"],
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
    },
    "extra_headers": "userId=12345;sessionId=abc-xyz",
}
EXOTEL_START = {
    "event": "start",
    "sequence_number": "1",
    "stream_sid": "e25bea",
    "start": {
        "stream_sid": "e25bea",
        "call_sid": "6cb5",
        "account_sid": "exotel",
        "from": "XXXXXXXXXX",
        "to": "YYYYYYYYYY",
        "custom_parameters": {"FirstName": "Jane"},
        "media_format": {"encoding": "", "sample_rate": "", "bit_rate": ""},
    },
}
VONAGE_START = {
    "event": "websocket:connected",
    "content-type": "audio/l16;rate=16000",
    "customer_id": "ABC123",
}
JAMBONZ_START = {"callSid": "c1f1", "from": "+1508", "sampleRate": 8000, "mixType": "mono"}
GENESYS_OPEN = {
    "version": "2",
    "id": "e160e428",
    "type": "open",
    "seq": 1,
    "serverseq": 0,
    "position": "PT0S",
    "parameters": {
        "organizationId": "d7934305",
        "conversationId": "090eaa2f",
        "participant": {"id": "883efee8", "ani": "+1-317-222-2222"},
        "media": [
            {"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000},
        ],
    },
}
UUID_PACKET = bytes.fromhex("01 0010 40325ec25efd4bd3805f53576e581d13")


@pytest.mark.parametrize(
    ("platform", "start", "call_id", "audio", "metadata"),
    [
        (Twilio, TWILIO_START, "CA123", MULAW, {"FirstName": "Jane", "streamSid": "MZ18ad"}),
        (Telnyx, TELNYX_START, "v2:T02llQ", MULAW, {"customer_id": "customer_123"}),
        (Plivo, PLIVO_START, "12345678-1234", MULAW, {"streamId": "87654321-4321"}),
        (Exotel, EXOTEL_START, "6cb5", LINEAR_8, {"from": "XXXXXXXXXX", "FirstName": "Jane"}),
        (Vonage, VONAGE_START, "", LINEAR_16, {"customer_id": "ABC123"}),
        (Jambonz, JAMBONZ_START, "c1f1", LINEAR_8, {"from": "+1508"}),
        (Genesys, GENESYS_OPEN, "e160e428", MULAW, {"conversationId": "090eaa2f"}),
    ],
)
def test_the_start_says_which_call_and_how_it_is_encoded(
    platform: type[Platform],
    start: dict[str, object],
    call_id: str,
    audio: AudioFormat,
    metadata: dict[str, str],
) -> None:
    event = platform().from_platform(json.dumps(start))
    assert isinstance(event, CallStarted)
    assert (event.call_id, event.audio) == (call_id, audio)
    assert metadata.items() <= event.metadata.items()


@pytest.mark.parametrize(
    ("platform", "start", "clear"),
    [
        (Twilio, TWILIO_START, '{"event":"clear","streamSid":"MZ18ad"}'),
        (Telnyx, TELNYX_START, '{"event":"clear"}'),
        (Plivo, PLIVO_START, '{"event":"clearAudio","streamId":"87654321-4321"}'),
        (Exotel, EXOTEL_START, '{"event":"clear","stream_sid":"e25bea"}'),
        (Vonage, VONAGE_START, '{"action":"clear"}'),
        (Jambonz, JAMBONZ_START, '{"type":"killAudio"}'),
        (
            Genesys,
            GENESYS_OPEN,
            (
                '{"version":"2","type":"event","seq":1,"clientseq":1,"id":"e160e428",'
                '"parameters":{"entities":[{"type":"barge_in","data":{}}]}}'
            ),
        ),
    ],
)
def test_the_clear_is_the_documented_one_and_the_agents_own_is_understood(
    platform: type[Platform], start: dict[str, object], clear: str
) -> None:
    call = platform()
    call.from_platform(json.dumps(start))
    assert call.clear() == [clear]
    assert call.from_agent(clear) == PlaybackCleared()


MEDIA_STREAMS = [Twilio, Telnyx, Plivo, Exotel]


@pytest.mark.parametrize("platform", MEDIA_STREAMS)
def test_inbound_media_is_the_caller_and_outbound_media_is_not(platform: type[Platform]) -> None:
    call = platform()
    media = {"track": "inbound", "chunk": "2", "timestamp": "5", "payload": PAYLOAD}
    inbound = json.dumps({"event": "media", "media": media})
    assert call.from_platform(inbound) == CallerAudio(b"\x7f\xff\x00")
    outbound = json.dumps({"event": "media", "media": media | {"track": "outbound"}})
    assert call.from_platform(outbound) is None
    without_track = json.dumps({"event": "media", "media": {"payload": PAYLOAD}})
    assert call.from_platform(without_track) == CallerAudio(b"\x7f\xff\x00")


@pytest.mark.parametrize("platform", MEDIA_STREAMS)
def test_what_the_agent_sends_to_be_played(platform: type[Platform]) -> None:
    name = "playAudio" if platform is Plivo else "media"
    message = json.dumps({"event": name, "media": {"payload": PAYLOAD}})
    assert platform().from_agent(message) == AgentAudio(b"\x7f\xff\x00")


@pytest.mark.parametrize("platform", MEDIA_STREAMS)
def test_other_events_pass_without_meaning(platform: type[Platform]) -> None:
    call = platform()
    for event in ("connected", "mark", "dtmf", "clearedAudio", "playedStream"):
        assert call.from_platform(json.dumps({"event": event, "mark": {"name": "m"}})) is None
    assert call.from_agent(json.dumps({"event": "mark", "mark": {"name": "m"}})) is None
    assert call.from_platform(json.dumps({"event": "stop"})) == CallEnded()


@pytest.mark.parametrize("platform", [Vonage, Jambonz, Genesys])
def test_binary_messages_are_audio_in_both_directions(platform: type[Platform]) -> None:
    call = platform()
    assert call.from_platform(b"\1\0\2\0") == CallerAudio(b"\1\0\2\0")
    assert call.from_agent(b"\1\0\2\0") == AgentAudio(b"\1\0\2\0")


def test_genesys_interleaves_channels_and_the_caller_is_the_first() -> None:
    call = Genesys()
    media = {"type": "audio", "format": "PCMU", "channels": ["external", "internal"], "rate": 8000}
    call.from_platform(json.dumps(GENESYS_OPEN | {"parameters": {"media": [media]}}))
    assert call.from_platform(b"\1\2\3\4\5\6") == CallerAudio(b"\1\3\5")


def test_genesys_messages_are_numbered_across_what_the_bridge_adds() -> None:
    call = Genesys()
    call.from_platform(json.dumps(GENESYS_OPEN))

    def sent(seq: int) -> int:
        return int(json.loads(call.to_platform(json.dumps({"type": "pong", "seq": seq})))["seq"])

    def acknowledged(serverseq: int) -> int:
        message = call.to_agent(json.dumps({"type": "ping", "seq": 9, "serverseq": serverseq}))
        return int(json.loads(message)["serverseq"])

    assert sent(1) == 1
    assert acknowledged(1) == 1
    assert json.loads(call.clear()[0])["seq"] == 2
    assert sent(2) == 3
    assert [acknowledged(seen) for seen in (1, 2, 3)] == [1, 1, 2]


def test_genesys_closes() -> None:
    assert Genesys().from_platform(json.dumps({"type": "close", "seq": 5})) == CallEnded()


def test_audiosocket_names_the_call_and_tells_the_rate_by_its_packets() -> None:
    call = AudioSocket()
    assert call.from_platform(UUID_PACKET) is None
    started = call.from_platform(b"\x12\x00\x04\1\0\2\0")
    assert isinstance(started, CallStarted)
    assert started.call_id == "40325ec2-5efd-4bd3-805f-53576e581d13"
    assert started.audio == LINEAR_16
    assert call.from_platform(b"\x12\x00\x04\1\0\2\0") == CallerAudio(b"\1\0\2\0")
    assert call.from_platform(b"\x03\x00\x015") is None
    assert call.from_agent(b"\x12\x00\x02\7\0") == AgentAudio(b"\7\0")
    assert call.audio(b"\7\0") == b"\x12\x00\x02\7\0"
    assert call.clear() == []
    assert call.from_platform(b"\0\0\0") == CallEnded()
    assert call.from_platform(b"\xff\x00\x01\x01") == CallEnded()


BAD: list[tuple[type[Platform], Message, str]] = [
    (Twilio, "{", "not JSON"),
    (Twilio, "[]", "JSON object"),
    (Twilio, '{"event":"media","media":{"payload":"$"}}', "base64"),
    (Twilio, '{"event":"media","media":[]}', "`media` is an object"),
    (Telnyx, json.dumps(TELNYX_START).replace("PCMU", "OPUS"), "'OPUS' cannot be heard"),
    (Plivo, json.dumps(PLIVO_START).replace("8000", "11025"), "11025 Hz cannot be heard"),
    (Vonage, '{"event":"websocket:connected","content-type":"audio/l16"}', "rate="),
    (Genesys, json.dumps({"type": "open", "id": "x", "parameters": {}}), "offers no audio"),
    (AudioSocket, b"\x10\x00", "three bytes"),
    (AudioSocket, b"\x10\x00\x05\0", "5 bytes were announced"),
]


@pytest.mark.parametrize(("platform", "message", "complaint"), BAD)
def test_a_bad_message_says_what_is_wrong(
    platform: type[Platform], message: Message, complaint: str
) -> None:
    with pytest.raises(BadMessageError, match=complaint):
        platform().from_platform(message)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
SPOKEN: list[Any] = [
    TWILIO_START,
    TELNYX_START,
    PLIVO_START,
    GENESYS_OPEN,
    {"event": "websocket:connected", "content-type": "audio/l16;rate=8000"},
    {"sampleRate": 8000, "callSid": "x"},
    {"event": "media", "media": {"payload": PAYLOAD, "track": "inbound"}},
    {"event": "playAudio", "media": {"payload": PAYLOAD, "contentType": "raw"}},
    {"type": "event", "seq": 1, "serverseq": 1, "parameters": {"entities": [{"type": "x"}]}},
    {"type": "error", "serverseq": 3, "seq": 2},
]


@st.composite
def nearly(draw: st.DrawFn, content: Any) -> Any:
    """A message of which something is something else."""
    if draw(st.integers(0, 5)) == 0:
        return draw(ANYTHING)
    if isinstance(content, dict):
        return {name: draw(nearly(inner)) for name, inner in content.items()}
    if isinstance(content, list):
        return [draw(nearly(inner)) for inner in content]
    return content


MESSAGES = (
    st.binary(max_size=8)
    | st.text(max_size=8)
    | st.sampled_from(SPOKEN).flatmap(nearly).map(json.dumps)
)


@pytest.mark.parametrize(
    ("named", "audio"),
    [
        ({}, None),
        ({"contentType": None}, None),
        ({"contentType": "audio/x-l16", "sampleRate": 16000}, LINEAR_16),
        ({"contentType": "audio/x-mulaw;rate=8000", "sampleRate": None}, MULAW),
    ],
)
def test_plivos_agent_names_its_format(named: dict[str, Any], audio: AudioFormat | None) -> None:
    said = {"event": "playAudio", "media": named | {"payload": PAYLOAD}}
    assert Plivo().from_agent(json.dumps(said)) == AgentAudio(b"\x7f\xff\x00", audio)


@given(
    st.sampled_from(sorted(PLATFORMS)),
    st.lists(st.tuples(st.sampled_from(["platform", "agent", "clear"]), MESSAGES), max_size=6),
)
def test_whatever_is_said_the_call_goes_on_and_it_is_passed_on(
    name: str, said: list[tuple[str, Message]]
) -> None:
    leg = Leg(PLATFORMS[name]())
    for by, message in said:
        if by == "clear":
            leg.verdict(INTERRUPTION)
        elif by == "platform":
            (to_agent,) = [a for a in leg.from_platform(message) if isinstance(a, ToAgent)]
            assert isinstance(to_agent.message, type(message))
        else:
            leg.from_agent(message)


def test_every_platform_is_listed_by_its_name() -> None:
    assert sorted(PLATFORMS) == [
        "audiosocket",
        "exotel",
        "genesys",
        "jambonz",
        "plivo",
        "telnyx",
        "twilio",
        "vonage",
    ]
