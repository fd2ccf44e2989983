"""Who runs next: short before long, equal lengths together, and nobody starves."""

import pytest
from bargein_server.models.schedule import PATIENCE_FRAMES, RUN_FRAMES, RUN_STREAMS, Schedule
from hypothesis import given
from hypothesis import strategies as st


def test_equal_lengths_run_together_first_come_first_served() -> None:
    schedule: Schedule[str] = Schedule()
    for owner, frames in (("a", 4), ("b", 8), ("c", 4), ("d", 8)):
        schedule.put(owner, frames)
    assert schedule.take() == (4, ["a", "c"])
    assert schedule.take() == (8, ["b", "d"])
    assert not schedule


@pytest.mark.parametrize(("frames", "together"), [(40, 3), (5, 24), (4, 30), (2, 30)])
def test_a_batch_is_bounded(frames: int, together: int) -> None:
    schedule: Schedule[int] = Schedule()
    for owner in range(together + 1):
        schedule.put(owner, frames)
    assert schedule.take() == (frames, list(range(together)))
    assert schedule.take() == (frames, [together])


def test_a_long_run_is_cut() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.put("window", 400)
    assert schedule.take() == (RUN_FRAMES, ["window"])


def test_steps_go_before_a_window_until_its_turn_has_come() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.put("window", 120)
    turns: list[str] = []
    for turn in range(6):
        schedule.put(f"step {turn}", 4)
        turns += schedule.take()[1]
    assert turns == ["step 0", "step 1", "step 2", "step 3", "step 4", "window"]


def test_one_who_asks_for_more_is_due_no_later() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.put("patient", 116)
    for turn in range(3):
        schedule.put(f"step {turn}", 4)
        schedule.take()
    schedule.put("patient", 120)
    schedule.put("latest", 120)
    assert schedule.take() == (120, ["patient"])


def test_one_who_leaves_is_not_taken() -> None:
    schedule: Schedule[str] = Schedule()
    schedule.put("a", 4)
    schedule.put("b", 4)
    schedule.discard("a")
    schedule.discard("stranger")
    assert list(schedule) == ["b"]
    assert schedule.take() == (4, ["b"])


puts = st.lists(st.integers(1, 2 * RUN_FRAMES), max_size=40)


@given(st.lists(puts, max_size=20))
def test_everyone_is_taken_once_in_bounded_batches(rounds: list[list[int]]) -> None:
    schedule: Schedule[int] = Schedule()
    lengths: list[int] = []
    taken: list[int] = []

    def take() -> None:
        length, owners = schedule.take()
        assert len(owners) * length <= RUN_FRAMES
        assert len(owners) <= RUN_STREAMS
        assert all(min(lengths[owner], RUN_FRAMES) == length for owner in owners)
        taken.extend(owners)

    for added in rounds:
        for frames in added:
            schedule.put(len(lengths), frames)
            lengths.append(frames)
        if schedule:
            take()
    while schedule:
        take()
    assert sorted(taken) == list(range(len(lengths)))


@given(st.integers(1, RUN_FRAMES), st.lists(st.integers(1, 8), min_size=1, max_size=5))
def test_nobody_starves_under_a_stream_of_shorter_runs(frames: int, others: list[int]) -> None:
    schedule: Schedule[str] = Schedule()
    schedule.put("patient", frames)
    for turn in range((RUN_FRAMES // PATIENCE_FRAMES + 2) * (len(others) + 1)):
        for other, length in enumerate(others):
            schedule.put(f"{turn}.{other}", length)
        if "patient" in schedule.take()[1]:
            return
    raise AssertionError("never taken")
