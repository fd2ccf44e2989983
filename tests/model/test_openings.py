"""Lines that open with an acknowledgement are taught as it until more is said."""

from pathlib import Path

import pytest
from bargein_model.composer.corpus import Corpus
from bargein_model.composer.foreground import ACKNOWLEDGING
from bargein_model.composer.openings import Opening, openings
from model.corpora import write_corpus

LISTED = "Game:train0-acted_line"
"""Of 1.6 s."""


def test_every_listed_line_opens_with_words_that_acknowledge() -> None:
    listed = openings()
    assert len(listed) > 100
    for opening in listed.values():
        assert set(opening.words.split()) <= ACKNOWLEDGING
        if opening.content_s is None:
            assert not opening.paused
        else:
            assert 0.1 < opening.end_s <= opening.content_s
            assert opening.paused <= (opening.end_s < opening.content_s)


@pytest.mark.parametrize(
    ("opening", "expected"),
    [
        (
            Opening("yeah", 0.4, 0.6, paused=True),
            [("backchannel", "yeah", 0.4, 0.4, None), ("speech", "", 1.6, 1.55, 0.6)],
        ),
        (Opening("yeah", 0.4, 0.6, paused=False), [("speech", "", 1.6, 1.55, 0.6)]),
        (
            Opening("yeah right", 1.5, None, paused=False),
            [("backchannel", "yeah right", 1.6, 1.55, None)],
        ),
    ],
    ids=["a pause, and more", "more at once", "nothing more"],
)
def test_a_listed_line_is_what_it_opens_with_and_the_whole(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    opening: Opening,
    expected: list[tuple[str, str, float, float, float | None]],
) -> None:
    folder = write_corpus(tmp_path / "corpus")
    before = Corpus([folder], tmp_path / "cache").clips
    monkeypatch.setattr("bargein_model.composer.corpus.openings", lambda: {LISTED: opening})
    after = Corpus([folder], tmp_path / "cache").clips

    found = [clip for clip in after if clip not in before]
    (line,) = (clip for clip in before if clip not in after)
    assert {(clip.reel, clip.start, clip.speaker) for clip in found} == {
        (line.reel, line.start, line.speaker)
    }
    in_seconds = [
        (
            clip.kind,
            clip.text,
            (clip.end - clip.start) / 16_000,
            clip.offset / 16_000,
            None if clip.continuation is None else clip.continuation / 16_000,
        )
        for clip in found
    ]
    assert in_seconds == expected
