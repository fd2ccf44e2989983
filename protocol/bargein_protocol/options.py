"""The settings of a session: what a client may ask for, and what is in effect.

Absent, null, false, {}, and zero are different things. An absent field keeps what is in effect, a
null turns a feature off where its type allows null (and is an error elsewhere), zero is the number.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from bargein_protocol.errors import ErrorCode, ProtocolError

Margins = Annotated[tuple[float, ...], Meta(min_length=2, max_length=2)]
Threshold = Annotated[float, Meta(gt=0, lt=1)]
Count = Annotated[int, Meta(ge=1, le=40)]
Wait = Annotated[float, Meta(ge=0, le=600_000)]

FRAME_MS = 25
"""One frame of a prediction."""
MAX_BOUNDARY_MS = 60_000
"""The widest backchannel boundary."""


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """The effective options of a session, all of them."""

    overlap: Literal["server", "client"] = "server"
    """Who opens and closes overlaps: the server's VAD, or the client's markers."""
    threshold: Threshold | None = None
    """Probability from which a frame counts as interruption; null: the model's own default."""
    min_frames: Count = 2
    """Consecutive frames at or over the threshold that make an interruption."""
    min_speech_ms: Annotated[float, Meta(ge=25, le=2000)] = 100.0
    """Sound to hear before the first prediction."""
    hop_ms: Annotated[float, Meta(ge=25, le=1000)] = 50.0
    """New audio between two predictions; a multiple of 25."""
    pre_roll_ms: Annotated[float, Meta(ge=0, le=2000)] = 1000.0
    """Audio heard from before the onset; a multiple of 25."""
    window_ms: Annotated[float, Meta(ge=500, le=10_000)] = 3000.0
    """The most audio that a first prediction of an overlap hears, pre-roll included."""
    vad: Literal["webrtc", "silero"] = "webrtc"
    """Which voice activity detector hears onsets and offsets."""
    vad_aggressiveness: Annotated[int, Meta(ge=0, le=3)] = 2
    """How readily the webrtc VAD calls a frame silence: 0 (least) to 3 (most)."""
    onset_ms: Annotated[float, Meta(ge=10, le=1000)] = 50.0
    """Sound within the last 100 ms or so that makes an onset."""
    hangover_ms: Annotated[float, Meta(ge=20, le=5000)] = 400.0
    """Silence to wait for before an offset."""
    vad_min_speech_ms: Annotated[float, Meta(ge=50, le=10_000)] = 500.0
    """Sound that is an interruption by VAD alone: without a model, and in the start boundary unless
    the model hears no speech in it."""
    backchannel_boundary_ms: float | Margins | None = (1000.0, 1000.0)
    """[start, end] margins of an agent's turn with own rules; one number: both; null: none."""
    cooldown_ms: Wait = 0.0
    """After a verdict, time in which no new overlap opens."""
    gate_transcripts: bool = True
    """Whether transcripts wait for the verdict on their overlap."""
    transcript_hold_ms: Annotated[float, Meta(ge=0, le=60_000)] = 5000.0
    """The longest that a transcript is held."""
    transcript_min_words: Annotated[int, Meta(ge=1, le=100)] | None = None
    """Words of one transcript that prove an undecided overlap an interruption; null: none do."""
    false_interruption_ms: Wait | None = None
    """Silence after an interruption that makes it a false one (2000 is usual); null: never."""
    prediction_timeout_ms: Annotated[float, Meta(ge=10, le=10_000)] = 500.0
    """Wall time to wait for a prediction before the session goes on by VAD."""
    predictions: bool = False
    """Whether every prediction is sent to the client."""

    def __post_init__(self) -> None:
        """Raise `ValueError` where settings contradict each other."""
        if any(not 0 <= margin <= MAX_BOUNDARY_MS for margin in self.boundaries_ms or ()):
            raise ValueError(f"`backchannel_boundary_ms` is 0 to {MAX_BOUNDARY_MS} ms")
        for name in ("hop_ms", "pre_roll_ms"):
            if getattr(self, name) % FRAME_MS:
                raise ValueError(f"`{name}` is a multiple of {FRAME_MS} ms")
        if self.window_ms < self.pre_roll_ms + self.min_speech_ms:
            raise ValueError("`window_ms` is at least `pre_roll_ms` + `min_speech_ms`")

    @property
    def boundaries_ms(self) -> tuple[float, float] | None:
        """The backchannel boundary as (start, end), however it was written."""
        margin = self.backchannel_boundary_ms
        if margin is None:
            return None
        return (margin[0], margin[1]) if isinstance(margin, tuple) else (margin, margin)


OptionsUpdate = Annotated[dict[str, Any], Meta(title="Options")]
"""Options as a client writes them: only the fields it wants to change."""


def merge_options(current: Options, update: OptionsUpdate) -> Options:
    """`current` with the fields of `update` in their place; unknown fields are ignored.

    Raises:
        ProtocolError: a value of the wrong type, out of range, or at odds with another option.
    """
    try:
        return msgspec.convert(msgspec.to_builtins(current) | update, Options)
    except msgspec.ValidationError as error:
        raise ProtocolError(ErrorCode.INVALID_OPTIONS, f"options: {error}") from None
