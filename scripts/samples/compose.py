"""Puts clips of the corpus on a time line: the user's track and the agent's."""

import csv
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import soundfile
from bargein_protocol.audio import AudioFormat
from bargein_protocol.messages import AgentStarted, AgentStopped, ModelInfo, ServerInfo
from bargein_protocol.options import Options
from bargein_protocol.recording import SAMPLE_RATE, Header, Step, Tape
from numpy.typing import NDArray

Samples = NDArray[np.float32]

DURATION_MS = 4000
USER_LEVEL_DB, AGENT_LEVEL_DB, ROOM_LEVEL_DB = -23.0, -23.0, -70.0
FADE_MS = 15
NOBODY = ModelInfo(name="none", version="0", default_threshold=0.5)


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of samples.toml."""

    story: str
    agent: str
    user: str
    agent_ms: int
    user_ms: int
    agent_stops_ms: int
    verdict: str
    """"interruption", or the reason of a non-interruption."""


class Corpus:
    """The clips, by their id."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with (folder / "manifest.csv").open(encoding="utf-8") as file:
            self._rows = {row["clip_id"]: row for row in csv.DictReader(file)}

    def sound(self, clip_id: str) -> Samples:
        """A clip from its first to its last moment of sound, 16 kHz mono."""
        row = self._rows[clip_id]
        begin_s = float(row["start_s"])
        start, stop = (samples(1000 * (begin_s + float(row[at]))) for at in ("onset_s", "offset_s"))
        data, _ = soundfile.read(self._folder / row["reel"], start=start, stop=stop + samples(40))
        return np.asarray(data, np.float32)

    def credit(self, clip_id: str) -> dict[str, str]:
        """Where a clip comes from."""
        row = self._rows[clip_id]
        return {name: row[name] for name in ("clip_id", "source", "licence", "speaker_id")}


def compose(name: str, sample: Sample, corpus: Corpus) -> Tape:
    """The sample as a client would drive it."""
    rng = np.random.default_rng(sum(name.encode()))
    user = room_tone(rng) * gain(ROOM_LEVEL_DB)
    place(user, levelled(corpus.sound(sample.user), USER_LEVEL_DB), sample.user_ms)
    agent = np.zeros(samples(DURATION_MS), np.float32)
    speech = levelled(corpus.sound(sample.agent), AGENT_LEVEL_DB)
    length = samples(sample.agent_stops_ms - sample.agent_ms)
    place(agent, faded(speech[:length]), sample.agent_ms)
    return Tape(
        name=name,
        header=header(name),
        user=pcm(user),
        agent=pcm(agent),
        steps=(
            Step(samples(sample.agent_ms), AgentStarted()),
            Step(samples(sample.agent_stops_ms), AgentStopped()),
        ),
        events=(),
    )


def header(name: str) -> Header:
    """What a tape has to say of itself; the server writes the one that is kept."""
    audio = AudioFormat(tracks=("user", "agent"))
    server = ServerInfo(name="none", version="0")
    return Header(
        session_id=name, started_at="", audio=audio, options=Options(), model=NOBODY, server=server
    )


def room_tone(rng: np.random.Generator) -> Samples:
    """Noise whose power falls with frequency, as that of a quiet room; root mean square 1."""
    count = samples(DURATION_MS)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 40))
    tone: Samples = np.fft.irfft(spectrum, count).astype(np.float32)
    return levelled(tone, 0.0)


def levelled(sound: Samples, level_db: float) -> Samples:
    """The sound with this root mean square, in dB of full scale."""
    root_mean_square = float(np.sqrt(np.mean(np.square(sound))))
    return sound * np.float32(gain(level_db) / root_mean_square)


def faded(sound: Samples) -> Samples:
    """The sound, ending softly."""
    length = min(samples(FADE_MS), len(sound))
    ramp: Any = np.ones(len(sound), np.float32)
    ramp[len(sound) - length :] = np.linspace(1, 0, length)
    faded_: Samples = sound * ramp
    return faded_


def place(track: Samples, sound: Samples, at_ms: int) -> None:
    """Add a sound to a track; what does not fit is left out."""
    start = samples(at_ms)
    fits = sound[: len(track) - start]
    track[start : start + len(fits)] += fits


def pcm(track: Samples) -> bytes:
    """16 bit little-endian."""
    return np.clip(np.rint(track * 32767), -32768, 32767).astype("<i2").tobytes()


def gain(level_db: float) -> float:
    """A level as a factor."""
    return float(10 ** (level_db / 20))


def samples(duration_ms: float) -> int:
    """Samples in a duration."""
    return round(duration_ms * SAMPLE_RATE / 1000)
