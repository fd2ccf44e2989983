"""Makes the audio of a planned item."""

import numpy as np
from numpy.typing import NDArray

from bargein_model.composer import effects
from bargein_model.composer.corpus import Corpus
from bargein_model.contract import SAMPLE_RATE
from bargein_model.evaluation import acoustics
from bargein_model.evaluation.items import Condition, Facts, Group, Item
from bargein_model.evaluation.material import kind_of, speaker_of
from bargein_model.evaluation.planning import AT_10_DB, WITH_REFERENCE, Plan

Floats = NDArray[np.float32]
Random = np.random.Generator

LONGEST_S = 3.5
ONSET_S, LATE_S = (1.0, 1.5), (4.0, 10.0)
"""What is heard before the sound."""
TAIL_S = 1.0
"""Agent speech and room tone after the sound: longer than the hangover and a prediction."""
ECHO_S, DELAYED_ECHO_S = (0.020, 0.060), (0.150, 0.230)
"""From the loudspeaker to the microphone, and there over a network."""
PAUSE_S = (0.3, 0.7)
"""Of an agent that goes on …"""
GOES_ON_S = (0.0, 0.2)
"""… so long before a user speaks."""
LEAK_DB = (-40, -10)
"""The agent at the microphone, against the level it is played at."""
BACKCHANNEL_S = (0.16, 0.19, 0.23, 0.26, 0.29, 0.33, 0.37, 0.42, 0.49, 0.63, 0.86)
"""Deciles of 5, 10, 20 … 90, 95 % of real backchannels' length (`timing_stats.json`)."""
_LEVELS = (5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95)
SUSTAINED = {Group.NOISE: (0.2, 3.0), Group.MUSIC: (1.0, 3.5), Group.BABBLE: (1.0, 3.5)}
"""How long a piece of a long recording sounds, in seconds."""


def compose(plan: Plan, corpus: Corpus) -> Item:
    """The item; the same plan gives the same bytes."""
    rng = np.random.default_rng([plan.seed, 1])
    sound, content = _sound(plan, corpus, rng)
    before_s = LATE_S if plan.condition is Condition.LATE else ONSET_S
    onset = int(rng.uniform(*before_s) * SAMPLE_RATE)
    length = onset + len(sound) + int(TAIL_S * SAMPLE_RATE)
    agent = _agent(plan, corpus, length, onset, rng)
    level_db = _level_db(plan, rng)
    scene = _scene(plan, corpus, sound, onset, length, rng) * np.float32(effects.gain(level_db))
    if plan.echo_path is not None:
        leak_db = effects.active_level_db(agent) + float(rng.uniform(*LEAK_DB))
        late_s = DELAYED_ECHO_S if plan.condition is Condition.ECHO_DELAYED else ECHO_S
        scene += acoustics.echo_of(agent, corpus.audio(plan.echo_path), leak_db, late_s, rng)
    heard = _line(plan, scene + _room_tone(plan, length, rng), onset, onset + len(sound), rng)
    known = plan.condition is not Condition.ECHO and (
        plan.condition in WITH_REFERENCE or rng.random() < 0.5
    )
    kind = kind_of(plan.sound)
    if plan.group is Group.ECHO:
        kind = "with reference" if known else "no reference"
    return Item(
        facts=_facts(plan, kind, onset, onset + content, onset + len(sound)),
        audio=_pcm(heard),
        reference=_pcm(agent) if known else None,
    )


def _facts(plan: Plan, kind: str, onset: int, content: int, end: int) -> Facts:
    return Facts(
        name=plan.name,
        group=plan.group,
        condition=plan.condition,
        kind=kind,
        language=plan.sound.language if plan.sound.kind in {"speech", "backchannel"} else "",
        source=plan.sound.source,
        speaker=speaker_of(plan.sound),
        onset=onset,
        content=content,
        end=end,
        clip=f"{plan.sound.reel.name}@{plan.sound.start}",
    )


def _sound(plan: Plan, corpus: Corpus, rng: Random) -> tuple[Floats, int]:
    """The foreground at 0 dB, trimmed to what sounds, and where its content begins."""
    clip, audio = plan.sound, corpus.audio(plan.sound)
    if plan.group is Group.ECHO:
        return np.zeros(int(rng.uniform(1.5, LONGEST_S) * SAMPLE_RATE), np.float32), 0
    begin, end = clip.onset, clip.offset
    if plan.group in SUSTAINED:
        begin, end = _piece(begin, end, SUSTAINED[plan.group], rng)
    end = min(end, begin + int(LONGEST_S * SAMPLE_RATE))
    tempo = _tempo(plan.group, end - begin, rng)
    trimmed = effects.faded(effects.stretched(audio[begin:end], tempo))
    content = 0 if clip.continuation is None else int((clip.continuation - begin) / tempo)
    return effects.at_level(trimmed, 0.0), content if plan.group is Group.CONTINUED else 0


def _piece(begin: int, end: int, span_s: tuple[float, float], rng: Random) -> tuple[int, int]:
    wanted = int(rng.uniform(*span_s) * SAMPLE_RATE)
    start = begin + int(rng.integers(max(1, end - begin - wanted)))
    return start, min(end, start + wanted)


def _tempo(group: Group, length: int, rng: Random) -> float:
    """Backchannels towards a real length; every other voice as much at random."""
    if group in SUSTAINED or group is Group.VOCAL:
        return 1.0
    if group is not Group.BACKCHANNEL:
        return float(rng.uniform(0.85, 1.25))
    wanted = float(np.interp(rng.uniform(5, 95), _LEVELS, BACKCHANNEL_S)) * SAMPLE_RATE
    return float(np.clip(length / wanted, 0.8, 1.3))


def _level_db(plan: Plan, rng: Random) -> float:
    """The active level of the user's sound."""
    return float(rng.uniform(-42, -16) if plan.condition is Condition.MIXED else -24)


def _scene(
    plan: Plan, corpus: Corpus, sound: Floats, onset: int, length: int, rng: Random
) -> Floats:
    """Sound, room and background, the sound being at 0 dB."""
    scene = np.zeros(length, np.float32)
    scene[onset : onset + len(sound)] = sound
    if plan.room is not None:
        scene = acoustics.in_room(scene, corpus.audio(plan.room))
    if plan.background is not None:
        snr_db = 10.0 if plan.condition in AT_10_DB else float(rng.uniform(5, 30))
        scene += acoustics.background(corpus.audio(plan.background), length, -snr_db, rng)
    return scene


def _room_tone(plan: Plan, length: int, rng: Random) -> Floats:
    level_db = float(rng.uniform(-78, -58) if plan.condition is Condition.MIXED else -72)
    return effects.room_tone(length, rng) * np.float32(effects.gain(level_db))


def _line(plan: Plan, heard: Floats, onset: int, end: int, rng: Random) -> Floats:
    if plan.condition is Condition.MIXED:
        return acoustics.through_line(heard, rng)
    if plan.condition is Condition.TELEPHONE:
        return acoustics.telephone(heard)
    if plan.condition is Condition.LEVELS:
        return acoustics.levels_changed(heard, onset, end, rng)
    return heard


def _agent(plan: Plan, corpus: Corpus, length: int, onset: int, rng: Random) -> Floats:
    """The agent's answer, over and over; in an echo item it sets in or goes on at `onset`."""
    clip, echo = plan.agent, plan.group is Group.ECHO
    gap = np.zeros(int(rng.uniform(0.15, 0.4) * SAMPLE_RATE), np.float32)
    said = np.concatenate([corpus.audio(clip)[clip.onset : clip.offset], gap])
    answer = np.zeros(length, np.float32)
    if plan.condition is Condition.ECHO_RESUMED:
        start = onset if echo else onset - int(rng.uniform(*GOES_ON_S) * SAMPLE_RATE)
        pauses = start - int(rng.uniform(*PAUSE_S) * SAMPLE_RATE)
        answer[:pauses] = effects.faded(np.resize(said, pauses))
    else:
        start = onset if echo else 0
    answer[start:] = np.resize(said, length - start)
    return effects.at_level(answer, float(rng.uniform(-26, -16)))


def _pcm(audio: Floats) -> bytes:
    return (np.clip(audio, -1, 1) * 32767).round().astype("<i2").tobytes()
