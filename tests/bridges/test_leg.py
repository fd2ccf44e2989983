"""One call without I/O: what the caller hears of the agent, and what an interruption does."""

import base64
import json
import struct
from typing import Any

import pytest
from bargein_client.bridges.audiosocket import AudioSocket
from bargein_client.bridges.leg import (
    Action,
    AgentIs,
    Complain,
    EndSession,
    Hear,
    Leg,
    OpenSession,
    ToAgent,
    ToPlatform,
)
from bargein_client.bridges.playout import Playout, PlayoutState
from bargein_client.bridges.plivo import Plivo
from bargein_client.bridges.twilio import Twilio
from bargein_protocol.audio import AudioFormat, Encoding
from bargein_protocol.messages import SpeechStarted
from hypothesis import given
from hypothesis import strategies as st
from support.verdicts import HELD, INTERRUPTION

MULAW = AudioFormat(encoding="mulaw", sample_rate=8000)
FRAME = b"\x55" * 160
"""20 ms of the caller."""
START = json.dumps({"event": "start", "streamSid": "MZ1", "start": {"callSid": "CA1"}})


def media(payload: bytes) -> str:
    return json.dumps({"event": "media", "media": {"payload": base64.b64encode(payload).decode()}})


def started() -> Leg:
    leg = Leg(Twilio(), pause_ms=100)
    leg.from_platform(START)
    return leg


def hear(leg: Leg, frames: int = 1) -> list[Action]:
    """The caller's next frames; what follows apart from passing them on."""
    said = [action for _ in range(frames) for action in leg.from_platform(media(FRAME))]
    return [action for action in said if not isinstance(action, ToAgent)]


def only(kind: type[Any], actions: list[Action]) -> list[Any]:
    return [action for action in actions if isinstance(action, kind)]


def test_the_call_opens_a_session_with_two_tracks_and_everything_passes() -> None:
    leg = Leg(Twilio())
    tracks = AudioFormat(encoding="mulaw", sample_rate=8000, tracks=("user", "agent"))
    assert leg.from_platform(START) == [
        OpenSession("CA1", tracks, {"streamSid": "MZ1"}),
        ToAgent(START),
    ]
    assert leg.from_platform(media(FRAME)) == [ToAgent(media(FRAME)), Hear(FRAME, b"")]
    assert leg.from_platform('{"event":"stop"}') == [ToAgent('{"event":"stop"}'), EndSession()]


def test_a_burst_of_agent_audio_is_heard_in_real_time() -> None:
    leg = started()
    assert leg.from_agent(media(b"\x11" * 400)) == [ToPlatform(media(b"\x11" * 400))]
    assert hear(leg) == [AgentIs(speaking=True), Hear(FRAME, b"\x11" * 160)]
    assert hear(leg) == [Hear(FRAME, b"\x11" * 160)]
    assert hear(leg) == [Hear(FRAME, b"\x11" * 80 + b"\xff" * 80)]
    later = hear(leg, 12)
    assert only(AgentIs, later) == [AgentIs(speaking=False)]
    assert hear(leg) == [Hear(FRAME, b"")]


def test_an_interruption_clears_the_playback_and_drops_the_rest_of_the_answer() -> None:
    leg = started()
    leg.from_agent(media(b"\x11" * 8000))
    hear(leg)
    clear, silent, told = leg.verdict(INTERRUPTION)
    assert clear == ToPlatform('{"event":"clear","streamSid":"MZ1"}')
    assert silent == AgentIs(speaking=False)
    assert isinstance(told, ToAgent)
    assert json.loads(told.message)["bargein"]["type"] == "interruption"
    assert leg.from_agent(media(b"\x11" * 160)) == []
    hear(leg, 4)
    assert leg.from_agent(media(b"\x11" * 160)) == [], "the pause begins anew with each drop"
    hear(leg, 5)
    assert leg.from_agent(media(b"\x22" * 160)) == [ToPlatform(media(b"\x22" * 160))]
    assert hear(leg) == [AgentIs(speaking=True), Hear(FRAME, b"\x22" * 160)]


def test_an_agent_that_sends_silence_between_its_answers_is_heard_again() -> None:
    leg = started()
    silence = media(b"\xff" * 160)
    assert leg.from_agent(silence) == [ToPlatform(silence)]
    assert only(AgentIs, hear(leg)) == []
    leg.from_agent(media(b"\x11" * 160))
    assert only(AgentIs, hear(leg)) == [AgentIs(speaking=True)]
    leg.verdict(INTERRUPTION)
    assert leg.from_agent(media(b"\x11" * 160)) == []
    assert only(AgentIs, hear(leg)) == []
    for passed_on in ([], [], [], [], [ToPlatform(silence)]):  # after 100 ms without sound
        assert leg.from_agent(silence) == passed_on
        hear(leg)
    assert leg.from_agent(media(b"\x22" * 160)) == [ToPlatform(media(b"\x22" * 160))]
    assert AgentIs(speaking=True) in hear(leg, 5)


def test_an_agent_that_streams_may_pause_between_two_sentences() -> None:
    leg = started()

    def stream(payload: bytes, frames: int) -> list[Action]:
        return [a for _ in range(frames) for a in (*leg.from_agent(media(payload)), *hear(leg))]

    sound, silence = b"\x11" * 160, b"\xff" * 160
    assert only(AgentIs, stream(sound, 50)) == [AgentIs(speaking=True)]
    assert only(AgentIs, stream(silence, 29) + stream(sound, 50)) == []
    assert only(AgentIs, stream(silence, 30)) == [AgentIs(speaking=False)]
    assert only(AgentIs, stream(sound, 1)) == [AgentIs(speaking=True)]
    assert only(AgentIs, hear(leg, 10)) == [AgentIs(speaking=False)], "nothing at all: sooner"


def test_a_converters_noise_is_no_sound_and_other_noise_bars_no_answer_for_ever() -> None:
    for noise, frames in ((b"\xfe\x7e\xff\x7d" * 40, 5), (b"\xd0\x50" * 80, 1500)):
        leg = started()
        leg.from_agent(media(b"\x11" * 160))
        hear(leg)
        leg.verdict(INTERRUPTION)
        passed_on = []
        for _ in range(frames):
            passed_on += leg.from_agent(media(noise))
            hear(leg)
        assert passed_on == []
        answer = media(b"\x22" * 160)
        assert leg.from_agent(answer) == [ToPlatform(answer)]


@pytest.mark.parametrize(
    ("encoding", "quiet", "sound"),
    [
        ("s16le", struct.pack("<4h", 0, 32, -32, 5), struct.pack("<4h", 0, 0, -33, 0)),
        ("f32le", struct.pack("<2f", 0.0009, -0.0005), struct.pack("<2f", 0.0, -0.002)),
        ("alaw", b"\xd5\x55\xd4\x54", b"\xd5\xd7"),
        ("mulaw", b"\xff\x7f\xfb\x7b", b"\xff\xfa"),
    ],
)
def test_sound_is_what_is_louder_than_60_db_below_the_loudest(
    encoding: Encoding, quiet: bytes, sound: bytes
) -> None:
    playout = Playout(AudioFormat(encoding=encoding, sample_rate=8000), pause_ms=500)
    states: list[PlayoutState] = []
    for payload in (quiet, sound):
        playout.offer(payload)
        states.append(playout.state)
    assert states == [PlayoutState.SILENT, PlayoutState.PLAYING]


def test_a_pause_within_what_is_queued_is_still_the_same_answer() -> None:
    leg = started()
    leg.from_agent(media(b"\x11" * 160 + b"\xff" * 8000 + b"\x11" * 160))
    assert only(AgentIs, hear(leg, 50)) == [AgentIs(speaking=True)]
    assert only(AgentIs, hear(leg, 15)) == [AgentIs(speaking=False)]


def test_an_agent_in_another_format_is_known_to_speak_for_as_long_as_it_does() -> None:
    def play(payload: bytes) -> str:
        content = base64.b64encode(payload).decode()
        form = {"contentType": "audio/x-l16", "sampleRate": 16000, "payload": content}
        return json.dumps({"event": "playAudio", "media": form})

    leg = Leg(Plivo())
    leg.from_platform(json.dumps({"event": "start", "start": {"streamId": "S1"}}))
    second = play(b"\1\2" * 16_000)
    passed, complaint = leg.from_agent(second)
    assert passed == ToPlatform(second)
    assert isinstance(complaint, Complain)
    assert "s16le at 16000 Hz" in complaint.reason
    assert leg.from_agent(second) == [ToPlatform(second)], "said once"
    assert hear(leg) == [AgentIs(speaking=True), Hear(FRAME, b"\xff" * 160)]
    assert only(AgentIs, hear(leg, 100)) == []
    assert only(AgentIs, hear(leg, 10)) == [AgentIs(speaking=False)]


def test_the_agents_own_clear_begins_a_new_answer() -> None:
    leg = started()
    leg.from_agent(media(b"\x11" * 8000))
    hear(leg)
    leg.verdict(INTERRUPTION)
    leg.from_agent('{"event":"clear","streamSid":"MZ1"}')
    assert leg.from_agent(media(b"\x22" * 160)) == [ToPlatform(media(b"\x22" * 160))]


def test_a_backchannel_changes_nothing_but_the_agent_is_told() -> None:
    leg = started()
    leg.from_agent(media(b"\x11" * 8000))
    hear(leg)
    (told,) = leg.verdict(HELD)
    assert isinstance(told, ToAgent)
    assert hear(leg) == [Hear(FRAME, b"\x11" * 160)]
    assert Leg(Twilio(), notify=False).verdict(HELD) == []
    assert leg.verdict(SpeechStarted(at_ms=0)) == []


def test_a_platform_without_a_clear_gets_the_agents_audio_in_real_time() -> None:
    leg = Leg(AudioSocket())
    leg.from_platform(b"\x10\x01\x40" + bytes(320))
    assert leg.from_agent(b"\x10\x03\xe8" + b"\7\7" * 500) == []
    said = leg.from_platform(b"\x10\x01\x40" + bytes(320))
    assert only(ToPlatform, said) == [ToPlatform(b"\x10\x01\x40" + b"\7\7" * 160)]
    assert leg.verdict(INTERRUPTION) == [AgentIs(speaking=False)]
    said = leg.from_platform(b"\x10\x01\x40" + bytes(320))
    assert only(ToPlatform, said) == []


def test_what_is_not_understood_passes_with_a_complaint() -> None:
    leg = started()
    passed, complaint = leg.from_platform("{")
    assert passed == ToAgent("{")
    assert isinstance(complaint, Complain)
    assert leg.from_platform("{") == [ToAgent("{")], "said once"
    passed, complaint = leg.from_agent("{")
    assert passed == ToPlatform("{")
    assert isinstance(complaint, Complain)
    early = Leg(Twilio()).from_platform(media(FRAME))
    assert only(Complain, early) == [Complain("audio came before the call was started")]


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 2000)), max_size=60))
def test_the_caller_hears_exactly_what_was_queued_in_order(steps: list[tuple[bool, int]]) -> None:
    playout = Playout(MULAW, pause_ms=500)
    offered, heard = bytearray(), bytearray()
    for speaks, length in steps:
        if speaks:
            audio = bytes((len(offered) + n) % 127 for n in range(length))
            assert playout.offer(audio)
            offered += audio
            assert playout.state is PlayoutState.PLAYING
        else:
            part = playout.play(length)
            assert len(part) <= length
            heard += part
            assert len(playout.reference(part, length)) in {0, length}
    assert offered.startswith(heard)
    heard += playout.play(len(offered))
    assert heard == offered
