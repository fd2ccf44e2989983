"""What is said, in letters: the network reads along where the corpus knows the words."""

from dataclasses import replace
from pathlib import Path

import pytest
from bargein_model.composer.corpus import Clip, Role
from bargein_model.composer.letters import said_in, together

CLIP = Clip(
    *(Path("reel.ogg"), 0, 16_000, "speech", "tts_short", "", "someone", "tts", "Engine", "en"),
    *(8000, 0, 16_000, None, frozenset(), Role.TRAINING),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Wait, please!", "wait please"),
        ("mm-hmm", "mm hmm"),
        ("que’s \u2026 Où ça?", "que's ou ca"),
        ("", None),
        ("Up 26.", None),
        ("嗯", None),
    ],
)
def test_words_lose_all_but_their_letters(text: str, said: str | None) -> None:
    assert said_in(replace(CLIP, text=text)) == said


@pytest.mark.parametrize("clip", [replace(CLIP, kind="vocal"), replace(CLIP, subclass="prompt")])
def test_labels_and_file_names_are_no_words(clip: Clip) -> None:
    assert said_in(replace(clip, text="cough")) is None


def test_a_line_is_known_only_if_all_its_parts_are() -> None:
    assert together(["yeah", "but no"]) == "yeah but no"
    assert together(["yeah", None]) == ""
    assert together(["", "stop"]) == "stop"
