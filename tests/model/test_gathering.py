"""What is gathered from games: what is on their lists, and what becomes of it."""

from collections import Counter
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import soundfile
from bargein_model.composer.corpus import Corpus, Role
from bargein_model.gathering import cli
from bargein_model.gathering.cli import gather
from bargein_model.gathering.games import (
    DRASCULA,
    DRASCULA_RATE,
    GAMES,
    MEGAGLEST,
    ZEROAD,
    Game,
    MissingError,
)
from bargein_model.gathering.packages import NoPackageError, fetched
from click.testing import CliRunner

ACKNOWLEDGING = {"yes", "yeah", "yep", "okay", "sure", "all", "of", "good", "fine", "right"}
BUZZ = (0.2 * np.sign(np.sin(2 * np.pi * 120 * np.arange(8000) / 22_050))).astype(np.float32)
each_game = pytest.mark.parametrize("game", GAMES, ids=[game.key for game in GAMES])


def sounds_of(game: Game, folder: Path) -> Path:
    """Every file on a game's list, each of them 0.36 seconds of a buzz."""
    for row in game.rows():
        path = folder / row["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        if game is DRASCULA:
            path.write_bytes((BUZZ[::2] * 127 + 128).astype(np.uint8).tobytes())
        else:
            soundfile.write(path, BUZZ, 22_050, format="WAV")
    return folder


@each_game
def test_a_list_names_files_once_and_knows_what_acknowledges(game: Game) -> None:
    rows = game.rows()
    assert len({row["file"] for row in rows}) == len(rows)
    assert {row["class"] for row in rows} <= {"backchannel", "speech"}
    assert all(bool(row["said"]) == (row["class"] == "backchannel") for row in rows)


def test_units_of_megaglest_acknowledge_orders_and_ask_at_calls() -> None:
    rows = MEGAGLEST.rows()
    assert Counter(row["class"] for row in rows)["backchannel"] > 80
    for row in rows:
        first = (row["said"] or row["text"]).split()[0]
        assert (first in ACKNOWLEDGING) == (row["class"] == "backchannel"), row
        assert ("_ack" in row["file"]) == (row["class"] == "backchannel"), row


@each_game
def test_what_is_gathered_has_a_role_by_its_speaker(game: Game, tmp_path: Path) -> None:
    output, sounds = tmp_path / "gathered", str(sounds_of(game, tmp_path / "game"))
    command = [game.key, "--sounds", sounds, "--output", str(output)]
    done = CliRunner().invoke(gather, command)
    assert done.exit_code == 0, done.output
    corpus = Corpus((output,), tmp_path / "cache")
    assert len(corpus.clips) == len(game.rows())
    assert {(clip.source, clip.speaker_kind) for clip in corpus.clips} == {(game.title, "real")}
    assert all(5700 < clip.offset - clip.onset <= 5920 for clip in corpus.clips)
    roles = {clip.speaker: clip.role for clip in corpus.clips}
    heard = {speaker.partition(":")[2]: role is Role.TRAINING for speaker, role in roles.items()}
    match game:
        case _ if game is MEGAGLEST:
            assert heard == {"cast": True}
        case _ if game is DRASCULA:
            assert heard == {
                "hero": True, "B": True, "BJ": True, "D": True, "E": True, "I": True, "L": True,
                "P": True, "T": False, "VB": True,
            }  # fmt: skip
        case _:
            assert set(heard.values()) == {False}
            assert set(heard) == {
                f"{language}-{who}"
                for language in ("greek", "latin", "napatan", "persian")
                for who in ("female", "male")
            }


def test_speech_files_of_drascula_are_bytes_without_a_header(tmp_path: Path) -> None:
    path = tmp_path / "1.ALS"
    path.write_bytes(np.full(DRASCULA_RATE, 192, np.uint8).tobytes())
    heard = DRASCULA.read(path)
    assert len(heard) == 16_000
    assert heard[8000] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("times", [1, 2])
def test_what_is_left_of_a_wav_file_in_drascula_is_silent(tmp_path: Path, times: int) -> None:
    header = b"RIFF\0\0\0\0WAVEfmt " + bytes(20) + b"data\0\0\0\0"
    sound = bytes([128]) * 2000 + bytes([192]) * 2000 + bytes([128]) * 2000
    path = tmp_path / "1.ALS"
    path.write_bytes((header * times)[4:] + sound + b"LIST0\0\0\0INFOISFT")
    (first, *_, last) = np.flatnonzero(np.abs(DRASCULA.read(path)) > 0.25)
    start = (len(header) * times - 4 + 2000) / DRASCULA_RATE
    assert first / 16_000 == pytest.approx(start, abs=1e-3)
    assert last / 16_000 == pytest.approx(start + 2000 / DRASCULA_RATE, abs=1e-3)


@each_game
def test_another_folder_is_told_of_in_one_line(game: Game, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    with pytest.raises(MissingError, match=game.sounds):
        list(game.recordings(tmp_path / "elsewhere"))
    told = CliRunner().invoke(gather, [game.key, "--sounds", str(tmp_path / "elsewhere")])
    assert told.exit_code == 1
    assert f"is missing; {game.title}'s sounds lie in" in told.output


def test_sounds_are_those_of_one_game(tmp_path: Path) -> None:
    told = CliRunner().invoke(gather, ["--sounds", str(tmp_path)])
    assert told.exit_code == 2
    assert "--sounds is one game's folder; name that GAME" in told.output


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What every Debian package holds; there are no other commands than those that unpack it."""
    content, commands = tmp_path / "content", tmp_path / "bin"
    content.mkdir()
    commands.mkdir()
    for name, script in (
        ("apt-get", ": > $3_1.deb"),
        ("dpkg-deb", f'PATH=/usr/bin:/bin; cp -r "{content}/." "$3"'),
    ):
        (commands / name).write_text(f"#!/bin/sh\n{script}\n")
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(commands))
    return content


@each_game
def test_a_package_is_unpacked_once(
    game: Game, tmp_path: Path, debian: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if game.archive:
        archive = debian / game.archive
        archive.parent.mkdir(parents=True)
        with ZipFile(archive, "w") as file:
            file.writestr(f"{game.sounds}/here", "unpacked")
            file.writestr("art/elsewhere", "left alone")
    else:
        (debian / game.sounds).mkdir(parents=True)
        (debian / game.sounds / "here").write_text("unpacked")
    said: list[str] = []
    folder = fetched(game, tmp_path / "work", said.append)
    assert (folder / "here").read_text() == "unpacked"
    assert said == [f"fetching {game.package}, {game.megabytes} MB …"]
    monkeypatch.setenv("PATH", "")
    assert fetched(game, tmp_path / "work", said.append) == folder
    assert len(said) == 1
    assert [path.name for path in (tmp_path / "work").iterdir()] == [game.key]


def test_without_a_package_one_is_told_what_to_do(
    tmp_path: Path, debian: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (debian.parent / "bin" / "apt-get").write_text("#!/bin/sh\nexit 100\n")
    with pytest.raises(NoPackageError, match="`apt-get update` may help"):
        fetched(ZEROAD, tmp_path / "work", print)
    assert not list((tmp_path / "work").iterdir())
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(cli, "WORK", tmp_path / "work")
    told = CliRunner().invoke(gather, ["zeroad"])
    assert told.exit_code == 1
    assert "comes in the Debian package 0ad-data; elsewhere give --sounds" in told.output
