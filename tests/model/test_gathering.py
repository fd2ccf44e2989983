"""People's acknowledgements gathered from a game: what is on the list, and what becomes of it."""

import csv
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.gathering.cli import gather
from bargein_model.gathering.megaglest import LIST, recordings
from click.testing import CliRunner

ACKNOWLEDGING = {"yes", "yeah", "yep", "okay", "sure", "all", "of", "good", "fine", "right"}


def listed() -> list[dict[str, str]]:
    with LIST.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def game(folder: Path) -> Path:
    """Every file on the list, each of them a buzz."""
    time = np.arange(22_050) / 22_050
    buzz = (0.2 * np.sign(np.sin(2 * np.pi * 120 * time[:8000]))).astype(np.float32)
    for row in listed():
        path = folder / row["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, buzz, 22_050)
    return folder


def test_the_list_knows_what_acknowledges() -> None:
    rows = listed()
    assert len({row["file"] for row in rows}) == len(rows)
    kinds = Counter(row["class"] for row in rows)
    assert set(kinds) == {"backchannel", "speech"}
    assert kinds["backchannel"] > 80
    for row in rows:
        first = (row["said"] or row["text"]).split()[0]
        assert (first in ACKNOWLEDGING) == (row["class"] == "backchannel"), row
        assert ("_ack" in row["file"]) == (row["class"] == "backchannel"), row


def test_what_is_gathered_is_trained_on(tmp_path: Path) -> None:
    output = tmp_path / "gathered"
    sounds = str(game(tmp_path / "game"))
    done = CliRunner().invoke(gather, ["--sounds", sounds, "--output", str(output)])
    assert done.exit_code == 0, done.output
    corpus = Corpus((output,), tmp_path / "cache")
    assert len(corpus.clips) == len(listed())
    assert {(clip.role, clip.speaker_kind) for clip in corpus.clips} == {(Role.TRAINING, "real")}
    assert {clip.source for clip in corpus.clips} == {"MegaGlest"}
    questions = [clip for clip in corpus.clips if clip.kind == "speech"]
    assert {clip.subclass for clip in questions} == {"acted_short"}
    assert all(5700 < clip.offset - clip.onset <= 5920 for clip in corpus.clips)


def test_another_folder_is_told_of_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(FileNotFoundError, match="techs/megapack"):
        list(recordings(tmp_path / "elsewhere"))
    told = CliRunner().invoke(gather, ["--sounds", str(tmp_path / "elsewhere")])
    assert told.exit_code == 1
    assert "is missing; --sounds is the game's techs/megapack" in told.output
