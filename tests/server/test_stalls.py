"""Silence made up for audio that stalls, by literal times."""

import math

import pytest
from bargein_server.sessions.stalls import Stalls

SECOND = 16_000
FRAME = 320


def in_time(stalls: Stalls, start: float, frames: int) -> float:
    for index in range(frames):
        stalls.heard(FRAME, start + 0.02 * index)
    return start + 0.02 * (frames - 1)


def test_nothing_is_made_up_while_nothing_waits() -> None:
    stalls = Stalls()
    now = in_time(stalls, 100, 50)
    assert stalls.deadline(now, waiting=False) == math.inf
    assert stalls.make_up(now + 60) == 0


def test_a_stall_is_made_up_from_where_the_audio_ended() -> None:
    stalls = Stalls()
    now = in_time(stalls, 100, 50)
    assert stalls.deadline(now, waiting=True) == pytest.approx(now + 0.08)
    assert stalls.make_up(now + 0.07) == 0
    assert stalls.make_up(now + 0.10) == pytest.approx(0.10 * SECOND, abs=1)
    assert stalls.make_up(now + 0.11) == 0


def test_what_was_overdue_before_anything_waited_is_not_made_up() -> None:
    stalls = Stalls()
    now = in_time(stalls, 100, 50)
    assert stalls.deadline(now + 60, waiting=True) == pytest.approx(now + 60.08)
    assert stalls.make_up(now + 60.1) == pytest.approx(0.1 * SECOND, abs=1)


def test_a_gap_counts_what_was_made_up_for_it() -> None:
    stalls = Stalls()
    now = in_time(stalls, 100, 50)
    stalls.deadline(now, waiting=True)
    made_up = stalls.make_up(now + 1)
    assert stalls.gap(5 * SECOND, now + 5) == 5 * SECOND - made_up
    assert stalls.gap(SECOND, now + 6) == SECOND


def test_audio_that_was_late_is_not_taken_for_fast() -> None:
    stalls = Stalls()
    now = in_time(stalls, 100, 50)
    stalls.deadline(now, waiting=True)
    stalls.make_up(now + 0.5)
    for _ in range(25):
        stalls.heard(FRAME, now + 0.5)
    assert stalls.ahead_s(now + 0.5) == pytest.approx(0, abs=0.001)


def test_much_of_it_is_slow() -> None:
    stalls = Stalls()
    now = in_time(stalls, 100, 50)
    stalls.deadline(now, waiting=True)
    stalls.make_up(now + 1.9)
    assert not stalls.slow
    stalls.make_up(now + 2.2)
    assert stalls.slow


def test_a_burst_after_a_stalled_network_is_not_too_fast_then_or_ever_after() -> None:
    stalls = Stalls()
    for frame in range(50):
        stalls.heard(320, frame * 0.02)
    late = 1.0 + 0.5  # nothing came for half a second, then all of it at once, then one by one
    for _ in range(25):
        stalls.heard(320, late)
    assert stalls.ahead_s(late) <= 0.02
    for frame in range(1, 50):
        stalls.heard(320, late + frame * 0.02)
    assert stalls.ahead_s(late + 0.98) <= 0.02


def test_audio_that_never_came_makes_room_for_two_seconds_and_no_more() -> None:
    stalls = Stalls()
    stalls.heard(320, 0.0)
    for _ in range(200):
        stalls.heard(320, 60.0)
    assert stalls.ahead_s(60.0) == pytest.approx(200 * 0.02 - 2.0, abs=0.03)
