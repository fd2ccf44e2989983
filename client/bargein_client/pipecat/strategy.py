"""When the user's turn starts: at the VAD's word while the bot is silent, else at a verdict.

    state       event                                      then
    ─────────   ────────────────────────────────────────   ──────────────────────
    FREE        the VAD hears the user                     the user's turn starts
                guard on                                   GUARDED
    GUARDED     the VAD hears the user                     DISPUTED
                guard off                                  FREE
    DISPUTED    non-interruption, unless it is incon-      GUARDED
                clusive, or the VAD hears the end of it
                guard off (the bot is done, or Bargein     FREE, and the user's turn starts:
                is away)                                   the user is speaking still
                a prediction: likeliest an echo            ECHOING
    ECHOING     a prediction: likeliest something else     DISPUTED
                guard off                                  FREE: the bot's last word dies away
                as DISPUTED otherwise
    any but     interruption                               GUARDED, and the turn starts
    FREE
    any         a transcript (the gate let it through)     the user's turn starts

The guard is on while the bot is speaking and Bargein listens. A turn that has started already is
not started again; the turn controller sees to that.
"""

from enum import Enum, auto

from bargein_protocol.messages import (
    Interruption,
    NonInterruption,
    PredictionMade,
    ServerMessage,
)
from pipecat.frames.frames import (
    Frame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.turns.types import ProcessFrameResult
from pipecat.turns.user_start import BaseUserTurnStartStrategy

from bargein_client.pipecat.frames import BargeinEventFrame, BargeinGuardFrame

INCONCLUSIVE = {"agent_stopped", "session_closed"}
"""Reasons that say nothing about the user."""


class Floor(Enum):
    """Who decides whether a sound of the user starts a turn."""

    FREE = auto()
    """The VAD."""
    GUARDED = auto()
    """Bargein; the user is silent, or was found not to interrupt."""
    DISPUTED = auto()
    """Bargein; the VAD hears the user and there is no verdict yet."""
    ECHOING = auto()
    """As DISPUTED, but what the VAD hears is the bot by the latest prediction."""


OPEN = {Floor.DISPUTED, Floor.ECHOING}
"""The VAD hears something, and a verdict is to come."""


class BargeinUserTurnStartStrategy(BaseUserTurnStartStrategy):  # type: ignore[no-untyped-call]
    """Starts the user's turn by Bargein's verdicts while the bot is speaking, else by the VAD.

    It takes the place of Pipecat's default start strategies and needs a `BargeinProcessor` before
    the aggregator; without one it does what they do. Strategies behind it in the list do not see
    the VAD's onsets that it holds back.
    """

    def __init__(self, *, enable_interruptions: bool = True) -> None:
        super().__init__(enable_interruptions=enable_interruptions)
        self._floor = Floor.FREE

    async def process_frame(self, frame: Frame) -> ProcessFrameResult:
        """STOP if the turn starts with this frame or if the frame is held back, else CONTINUE."""
        match frame:
            case VADUserStartedSpeakingFrame():
                return await self._user_started()
            case VADUserStoppedSpeakingFrame():
                self._settle()
            case BargeinGuardFrame():
                return await self._guard(guarded=frame.guarded)
            case BargeinEventFrame():
                return await self._hear(frame.event)
            case TranscriptionFrame() | InterimTranscriptionFrame():
                return await self._start()
            case _:
                pass
        return ProcessFrameResult.CONTINUE

    async def _user_started(self) -> ProcessFrameResult:
        if self._floor is Floor.FREE:
            return await self._start()
        self._floor = Floor.DISPUTED
        return ProcessFrameResult.STOP

    async def _guard(self, *, guarded: bool) -> ProcessFrameResult:
        before = self._floor
        self._floor = Floor.GUARDED if guarded else Floor.FREE
        if before is Floor.DISPUTED and not guarded:
            return await self._start()
        return ProcessFrameResult.CONTINUE

    async def _hear(self, event: ServerMessage) -> ProcessFrameResult:
        if isinstance(event, Interruption) and self._floor is not Floor.FREE:
            self._settle()
            return await self._start()
        if isinstance(event, NonInterruption) and event.reason not in INCONCLUSIVE:
            self._settle()
        if isinstance(event, PredictionMade) and self._floor in OPEN:
            likeliest = max(event.classes, key=event.classes.__getitem__)
            self._floor = Floor.ECHOING if likeliest == "echo" else Floor.DISPUTED
        return ProcessFrameResult.CONTINUE

    def _settle(self) -> None:
        if self._floor in OPEN:
            self._floor = Floor.GUARDED

    async def _start(self) -> ProcessFrameResult:
        await self.trigger_user_turn_started()
        return ProcessFrameResult.STOP
