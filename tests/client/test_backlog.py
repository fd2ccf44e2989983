"""What waits while the connection is away comes out in order, and the clocks agree afterwards."""

from bargein_client.backlog import Backlog
from bargein_protocol.audio import AudioFormat, AudioFrame
from bargein_protocol.messages import (
    AgentStarted,
    AgentStopped,
    AudioGap,
    ClientMessage,
    Transcript,
)
from hypothesis import given
from hypothesis import strategies as st

AUDIO = AudioFormat(sample_rate=16000, tracks=("user", "agent"))
FRAME = 320


def frame(number: int, samples: int = FRAME) -> AudioFrame:
    return AudioFrame("user", bytes([number % 256]) * 2 * samples)


def taken(backlog: Backlog, position: int, clock: int) -> list[AudioFrame | ClientMessage]:
    return [waiting.item for waiting in backlog.take(position, clock)]


def test_everything_comes_out_in_order() -> None:
    backlog = Backlog(AUDIO, bound_ms=1000)
    backlog.add(640, frame(1))
    backlog.add(960, AgentStarted())
    backlog.add(960, frame(2))
    assert taken(backlog, 640, 1280) == [frame(1), AgentStarted(), frame(2)]
    assert not backlog


def test_what_was_lost_on_the_way_is_a_gap() -> None:
    backlog = Backlog(AUDIO, bound_ms=1000)
    backlog.add(640, frame(1))
    assert taken(backlog, 320, 960) == [AudioGap(duration_ms=20), frame(1)]


def test_what_the_server_filled_in_is_left_out() -> None:
    backlog = Backlog(AUDIO, bound_ms=1000)
    backlog.add(640, frame(1))
    backlog.add(960, frame(2))
    assert taken(backlog, 800, 1280) == [AudioGap(duration_ms=10), frame(2)]


def test_a_server_that_is_ahead_gets_messages_only() -> None:
    backlog = Backlog(AUDIO, bound_ms=1000)
    backlog.add(0, frame(1))
    backlog.add(320, AgentStarted())
    assert taken(backlog, 9000, 320) == [AgentStarted()]


def test_a_long_gap_is_announced_in_pieces() -> None:
    backlog = Backlog(AUDIO, bound_ms=1000)
    announced = taken(backlog, 0, 150 * 16_000)
    assert announced == [AudioGap(duration_ms=ms) for ms in (60_000, 60_000, 30_000)]


def test_over_the_bound_the_oldest_audio_becomes_a_gap_and_messages_stay_in_their_place() -> None:
    backlog = Backlog(AUDIO, bound_ms=40)
    backlog.add(0, frame(0))
    backlog.add(320, AgentStarted())
    for number in range(1, 5):
        backlog.add(number * 320, frame(number))
    items = taken(backlog, 0, 5 * 320)
    assert items == [
        AudioGap(duration_ms=20),
        AgentStarted(),
        AudioGap(duration_ms=40),
        frame(3),
        frame(4),
    ]


def test_what_could_not_be_sent_waits_again_before_the_rest() -> None:
    backlog = Backlog(AUDIO, bound_ms=1000)
    backlog.add(0, frame(0))
    backlog.add(320, frame(1))
    items = backlog.take(0, 640)
    backlog.add(640, frame(2))
    backlog.put_back(items[1:])
    assert taken(backlog, 320, 960) == [frame(1), frame(2)]


def test_audio_that_did_not_arrive_is_sent_again() -> None:
    backlog = Backlog(AUDIO, bound_ms=1000, sent_ms=60)
    for number in range(6):
        backlog.sent(number * 320, frame(number))
    backlog.add(6 * 320, frame(6))
    items = taken(backlog, 2 * 320, 7 * 320)
    assert items == [frame(number) for number in range(2, 7)]
    backlog.sent(0, frame(0))
    backlog.sent(4 * 320, frame(4))
    assert taken(backlog, 0, 5 * 320) == [AudioGap(duration_ms=80), frame(4)]


def test_a_session_begun_anew_counts_from_there() -> None:
    backlog = Backlog(AUDIO, bound_ms=1000, sent_ms=1000)
    backlog.sent(0, frame(0))
    backlog.add(16_000, AgentStarted())
    backlog.add(16_000, frame(1))
    backlog.add(16_320, AgentStopped(at_ms=1015))
    backlog.add(16_320, Transcript(id="t", text="wait", start_ms=500, end_ms=1010))
    backlog.begin_at(16_000)
    assert taken(backlog, 0, 640) == [
        AgentStarted(),
        frame(1),
        AgentStopped(at_ms=15),
        Transcript(id="t", text="wait", start_ms=0, end_ms=10),
        AudioGap(duration_ms=20),
    ]


@given(
    lengths=st.lists(st.integers(80, 3200), max_size=30),
    gaps=st.lists(st.integers(0, 3200), max_size=30),
    bound_ms=st.integers(0, 2000),
    position=st.integers(0, 100_000),
)
def test_afterwards_the_server_stands_where_the_client_does(
    lengths: list[int], gaps: list[int], bound_ms: int, position: int
) -> None:
    backlog = Backlog(AUDIO, bound_ms)
    clock = 0
    for number, (length, gap) in enumerate(zip(lengths, gaps, strict=False)):
        backlog.add(clock, frame(number, length))
        clock += length + gap
    server = position
    for item in taken(backlog, position, clock):
        if isinstance(item, AudioFrame):
            server += len(item.payload) // 2
        elif isinstance(item, AudioGap):
            server += round(item.duration_ms * 16)
    assert server == max(clock, position)
