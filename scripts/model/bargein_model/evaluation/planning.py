"""Decides, before any audio is touched, what every item of the exam is made of."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice

import numpy as np

from bargein_model.composer.corpus import Clip
from bargein_model.evaluation.items import Condition, Group
from bargein_model.evaluation.material import Material, group_of, kind_of

Random = np.random.Generator
REPEATS = 4
"""How often one clip may appear in one condition, where a stratum has few …"""
PIECES = 12
"""… and where it is long: each time another piece of music or babble sounds, and an agent's echo
in another room."""
SIDE_SHARE = 0.4
"""Items per group in the other conditions, as a share of those in the mixed one."""

EXTRA_GROUPS = (Group.LONG, Group.SHORT, Group.BACKCHANNEL, Group.VOCAL)
_LONG_RECORDINGS = {Group.MUSIC, Group.BABBLE, Group.ECHO}
GROUPS: dict[Condition, tuple[Group, ...]] = {
    Condition.MIXED: tuple(Group),
    Condition.CLEAN: tuple(group for group in Group if group is not Group.ECHO),
    Condition.TELEPHONE: tuple(group for group in Group if group is not Group.ECHO),
    Condition.NOISY: tuple(group for group in Group if group is not Group.ECHO),
    Condition.LATE: tuple(group for group in Group if group is not Group.ECHO),
    Condition.LEVELS: (Group.LONG, Group.SHORT, Group.CONTINUED, Group.BACKCHANNEL, Group.VOCAL),
    Condition.ECHO_REFERENCE: (Group.LONG, Group.SHORT, Group.BACKCHANNEL, Group.ECHO),
    Condition.ECHO_DELAYED: (Group.LONG, Group.SHORT, Group.BACKCHANNEL, Group.ECHO),
    Condition.ECHO_RESUMED: (Group.LONG, Group.SHORT, Group.BACKCHANNEL, Group.ECHO),
    Condition.ECHO: (Group.LONG, Group.SHORT, Group.BACKCHANNEL, Group.ECHO),
}
WITH_REFERENCE = frozenset(
    {Condition.ECHO_REFERENCE, Condition.ECHO_DELAYED, Condition.ECHO_RESUMED}
)
LEAKING = WITH_REFERENCE | {Condition.ECHO}
AT_10_DB = frozenset({Condition.NOISY, Condition.LATE})


@dataclass(frozen=True, slots=True)
class Plan:
    """One item: its clips, and the seed of whatever else is random about it."""

    name: str
    group: Group
    condition: Condition
    seed: int
    sound: Clip
    room: Clip | None
    background: Clip | None
    agent: Clip
    echo_path: Clip | None

    @property
    def clips(self) -> tuple[Clip, ...]:
        """Every clip that goes into the item."""
        parts = (self.sound, self.room, self.background, self.agent, self.echo_path)
        return tuple(part for part in parts if part is not None)


def plan_exam(material: Material, *, seed: int, items: int) -> list[Plan]:
    """The whole exam; the same arguments give the same plans.

    Args:
        material: what to draw from.
        seed: of every draw.
        items: per group in the mixed condition.
    """
    side = max(1, round(items * SIDE_SHARE))
    return [
        plan
        for condition, groups in GROUPS.items()
        for group in groups
        for plan in _section(
            material,
            _Section(condition, group, items if condition is Condition.MIXED else side, seed),
            material.strata(group),
        )
    ]


def plan_extra(material: Material, clips: Sequence[Clip], *, seed: int, items: int) -> list[Plan]:
    """An exam on further voices under mixed conditions, as even over languages as over engines.

    Args:
        material: rooms, backgrounds and agents.
        clips: what the voices say; their label must leave no doubt.
        seed: of every draw.
        items: per group and pair of source and language (or kind, where there are no words).
    """
    plans: list[Plan] = []
    for group in EXTRA_GROUPS:
        strata: dict[str, list[Clip]] = {}
        for clip in clips:
            if group_of(clip) is group:
                name = f"{clip.source}/{clip.language or kind_of(clip)}"
                strata.setdefault(name, []).append(clip)
        section = _Section(Condition.MIXED, group, items * len(strata), seed, "extra-")
        plans += _section(material, section, strata)
    return plans


@dataclass(frozen=True, slots=True)
class _Section:
    condition: Condition
    group: Group
    count: int
    seed: int
    prefix: str = ""

    @property
    def name(self) -> str:
        return f"{self.prefix}{self.condition.name.lower()}-{self.group.name.lower()}"


def _section(
    material: Material, section: _Section, strata: dict[str, list[Clip]]
) -> Iterator[Plan]:
    rng = np.random.default_rng(_number(f"{section.seed}/{section.name}"))
    most = PIECES if section.group in _LONG_RECORDINGS else REPEATS
    for index, clip in enumerate(_evenly(strata, section.count, most, rng)):
        name = f"{section.name}-{index:03}"
        seed = _number(f"{section.seed}/{name}")
        yield _plan(material, name, section.group, section.condition, clip, seed)


def _plan(
    material: Material, name: str, group: Group, condition: Condition, sound: Clip, seed: int
) -> Plan:
    rng = np.random.default_rng(seed)
    mixed = condition is Condition.MIXED
    noisy = condition in AT_10_DB or (mixed and rng.random() < 0.7)
    leaking = group is Group.ECHO or condition in LEAKING
    return Plan(
        name=name,
        group=group,
        condition=condition,
        seed=seed,
        sound=sound,
        room=_one(material.rooms, rng) if mixed and rng.random() < 0.7 else None,
        background=_background(material, sound, rng) if noisy else None,
        agent=sound if group is Group.ECHO else _other_voice(material.agents, sound, rng),
        echo_path=_one(material.echo_paths, rng) if leaking else None,
    )


def _evenly(strata: dict[str, list[Clip]], count: int, most: int, rng: Random) -> list[Clip]:
    """Clips from all strata in turn until there are enough, none more than `most` times."""
    columns: list[list[Clip]] = []
    for clips in strata.values():
        rounds = min(most, -(-count // len(clips)))
        columns.append([clips[at] for _ in range(rounds) for at in rng.permutation(len(clips))])
    longest = max(map(len, columns), default=0)
    turns = (column[turn] for turn in range(longest) for column in columns if turn < len(column))
    return list(islice(turns, count))


def _background(material: Material, sound: Clip, rng: Random) -> Clip:
    kind = str(rng.choice(["noise", "babble", "music"], p=[0.5, 0.25, 0.25]))
    kind = kind if material.backgrounds[kind] else "noise"
    others = [c for c in material.backgrounds[kind] if c.speaker != sound.speaker]
    return _one(others or material.backgrounds[kind], rng)


def _other_voice(agents: Sequence[Clip], sound: Clip, rng: Random) -> Clip:
    """An agent who is not the user: a synthetic voice or a reader, one as likely as the other."""
    kind = str(rng.choice(["agent", "speech"]))
    others = [agent for agent in agents if agent.speaker != sound.speaker]
    return _one([agent for agent in others if agent.kind == kind] or others or agents, rng)


def _one(clips: Sequence[Clip], rng: Random) -> Clip:
    return clips[int(rng.integers(len(clips)))]


def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=6).digest())
