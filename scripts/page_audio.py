"""Makes the sound of the page's demonstration from a corpus in the layout of `scripts/model`.

    python scripts/page_audio.py CORPUS

Writes `server/bargein_server/pages/static/audio`: what the agent says (MP3), what a user says
meanwhile (FLAC, exact), and `scenes.json`. The users' voices are of the corpus' validation split,
which no shipped model was trained on; the clips were chosen to show what a verdict means, so they
are a demonstration and no test of the model.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray

RATE = 16_000
TARGET = Path(__file__).parents[1] / "server/bargein_server/pages/static/audio"
ROOM_DB = -78.0
"""Level of the faint noise under the users' voices: no microphone gives digital silence."""
AGENT_DB, USER_DB = -24.0, -26.0
"""Level of sounding speech."""

TURNS = {
    "plans": "agent_hibari_00044",
    "simplest": "agent_hibari_00028",
    "discount": "agent_hibari_00060",
    "details": "agent_hibari_00002",
    "parcel": "agent_hibari_00043",
}
"""What the agent can say: the name of a turn and its clip."""

SCENES: dict[str, dict[str, Any]] = {
    "question": {
        "title": "Listening along, then a question",
        "description": "“Yeah” and “okay” while the agent speaks; then the user wants to go back.",
        "turns": ["plans", "simplest"],
        "duration": 23.0,
        "sounds": [
            (3.2, "backchannel_kokoro_val_00230"),
            (6.6, "backchannel_kokoro_val_00332"),
            (11.4, "speech_kokoro_val_00077"),
            (18.6, "backchannel_kokoro_val_00480"),
        ],
    },
    "but": {
        "title": "“Alright”, and “Alright, but …”",
        "description": "The first is only that; the second goes on and takes the floor.",
        "turns": ["discount", "details"],
        "duration": 17.0,
        "sounds": [
            (3.4, "backchannel_kokoro_val_00318"),
            (7.2, "speech_kokoro_val_00082"),
        ],
    },
    "noises": {
        "title": "A cough, a laugh, a cleared throat",
        "description": "Sounds that are no words: the agent should not be put off by any of them.",
        "turns": ["parcel"],
        "duration": 13.0,
        "sounds": [
            (3.0, "vocal_dsp_val_00010"),
            (6.2, "vocal_dsp_val_00020"),
            (9.6, "vocal_dsp_val_00040"),
        ],
    },
}

Floats = NDArray[np.float64]


class Clips:
    """The clips of a corpus by their id."""

    def __init__(self, corpus: Path) -> None:
        self._corpus = corpus
        with (corpus / "manifest.csv").open(encoding="utf-8", newline="") as file:
            self._rows = {row["clip_id"]: row for row in csv.DictReader(file)}

    def text(self, clip_id: str) -> str:
        """The words, or what it is instead."""
        row = self._rows[clip_id]
        return row["text"] or row["subclass"]

    def sound(self, clip_id: str, level_db: float) -> tuple[Floats, int]:
        """The samples at a level, and where among them the sound begins."""
        row = self._rows[clip_id]
        start, end = (round(float(row[key]) * RATE) for key in ("start_s", "end_s"))
        samples, _rate = soundfile.read(self._corpus / row["reel"], start=start, stop=end)
        onset, offset = (round(float(row[key]) * RATE) for key in ("onset_s", "offset_s"))
        level = np.sqrt(np.mean(samples[onset:offset] ** 2))
        return samples * (10 ** (level_db / 20) / level), onset


def user_track(scene: dict[str, Any], clips: Clips) -> Floats:
    """The user's side of a scene; each sound begins exactly where the scene says."""
    noise = np.random.default_rng(7).standard_normal(round(scene["duration"] * RATE))
    track = noise * 10 ** (ROOM_DB / 20)
    for begin_s, clip_id in scene["sounds"]:
        samples, onset = clips.sound(clip_id, USER_DB)
        at = round(begin_s * RATE) - onset
        track[at : at + len(samples)] += samples
    return track


def main(corpus: Path) -> None:
    """Write everything."""
    clips = Clips(corpus)
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, clip_id in TURNS.items():
        samples, _ = clips.sound(clip_id, AGENT_DB)
        soundfile.write(
            TARGET / f"agent-{name}.mp3",
            samples,
            RATE,
            bitrate_mode="CONSTANT",
            compression_level=0.8,
        )
    scenes: list[dict[str, Any]] = []
    for name, scene in SCENES.items():
        soundfile.write(TARGET / f"user-{name}.flac", user_track(scene, clips), RATE, "PCM_16")
        said = [{"at_s": at, "text": clips.text(clip)} for at, clip in scene["sounds"]]
        kept = {key: scene[key] for key in ("title", "description", "turns")}
        scenes.append({"id": name, **kept, "said": said})
    turns = [{"id": name, "text": clips.text(clip)} for name, clip in TURNS.items()]
    content = json.dumps({"turns": turns, "scenes": scenes}, ensure_ascii=False, indent=1)
    (TARGET / "scenes.json").write_text(content + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
