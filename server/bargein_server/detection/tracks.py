"""The session's audio tracks, side by side on one clock."""

from typing import Protocol

from bargein_server.detection.timing import Timing, samples
from bargein_server.detection.window import BYTES, AudioHistory

REFERENCE_SLACK = samples(200)
"""How far the agent track may fall behind the user track before it is put back in step."""
MAX_LEAD = samples(2000)
"""How far the agent track may run ahead; audio beyond it is left out, so memory is bounded."""
MARGIN = samples(500)
"""How often the past is swept: not at every frame."""
LATEST_ECHO = samples(600)
"""An echo that comes later is not looked for."""
LOOKED_THROUGH = samples(1200)
"""User audio in which it is."""
LOOK_AGAIN = samples(200)
"""How often: a loudspeaker that was starved for a moment goes on later than before."""
KNOWN_ECHO = samples(50)
"""The model is at home with an echo that comes up to so much later than its reference …"""
USUAL_ECHO = samples(35)
"""… and others are made to come as late as this."""
REMEMBERED = samples(200)
"""How long an echo may last."""


class Echo(Protocol):
    """The agent's echo in the user's audio: how late it is, and the audio without it."""

    def delay(self, user: bytes, agent: bytes) -> int | None:
        """By how many samples `user` hears the agent later than `agent` says, if it plainly does.

        `agent` begins `LATEST_ECHO` before `user` and ends with it.
        """
        ...

    def forget(self) -> None:
        """It is another now."""
        ...

    def begin(self, agent: bytes) -> None:
        """The next audio follows on this; `REMEMBERED` samples."""
        ...

    def clean(self, user: bytes, agent: bytes) -> bytes:
        """The user's audio without it: whole frames, and as much of the agent's."""
        ...


def agent_audio_start(agent_end: int, user_end: int) -> int | None:
    """Where agent audio begins that comes now; None if it is left out.

    Args:
        agent_end: up to where the agent's track goes; 0 before the first.
        user_end: up to where the user's goes.
    """
    behind = user_end - agent_end
    if behind > (REFERENCE_SLACK if agent_end else 0):
        return user_end
    return agent_end if behind > -MAX_LEAD else None


class Tracks:
    """The recent past of the user's audio and, with two tracks, of the agent's.

    Args:
        echo: the agent's in the user's audio; None: there is no track of the agent's.
    """

    def __init__(self, echo: Echo | None) -> None:
        self._echo = echo
        self.user = AudioHistory()
        self.agent = AudioHistory() if echo else None
        self._swept = 0
        self._lag = 0
        self._look_at = 0
        self._read_to: int | None = None

    @property
    def held(self) -> int:
        """Samples in memory, both tracks together."""
        tracks = (self.user, self.agent)
        return sum(track.end - track.start for track in tracks if track is not None)

    def append_agent(self, pcm: bytes) -> None:
        """Add agent audio after what came before, or now if nothing did or the track fell behind.

        Agent audio is what the loudspeaker plays now, so it comes at the pace of the user's.
        """
        if self.agent is None:
            return
        start = agent_audio_start(self.agent.end, self.user.end)
        if start is not None:
            self.agent.silence(start - self.agent.end)
            self.agent.append(pcm)

    def align(self, now: int) -> bool:
        """Look how late the agent's echo comes, if it is time to; whether `read` now differs.

        Sound cards, jitter buffers and telephone networks take a few hundred milliseconds, and the
        model knows an echo for one only close behind its reference. So the reference waits.
        """
        if self.agent is None or self._echo is None or now < self._look_at:
            return False
        start = now - LOOKED_THROUGH
        user, agent = self.user.read(start, now), self.agent.read(start - LATEST_ECHO, now)
        delay = self._echo.delay(user, agent)
        self._look_at = now + LOOK_AGAIN
        if delay is None or 0 <= delay - self._lag <= KNOWN_ECHO:
            return False
        before, self._lag = self._lag, max(0, delay - USUAL_ECHO)
        if self._lag == before:
            return False
        self._echo.forget()
        return True

    def read(self, start: int, end: int, onset: int) -> tuple[bytes, bytes | None]:
        """User audio of positions start ≤ p < end, and the agent audio whose echo it may hold.

        With two tracks the echo is taken out of it, as far as it is known by now. What is read in
        order is cleaned once; a start of before is cleaned again, for more is known by then.

        Before the session the user's is more of what it began with, that is what there was up to
        `onset`, again and again: the model has to know the room before a sound, and a room does
        not begin at 0. The agent was silent then.
        """
        user = self._user(start, end, onset)
        if self.agent is None or self._echo is None:
            return user, None
        first = start - self._lag
        if start != self._read_to:
            self._echo.begin(self.agent.read(first - REMEMBERED, first))
        self._read_to = end
        reference = self.agent.read(first, end - self._lag)
        return self._echo.clean(user, reference), reference

    def _user(self, start: int, end: int, onset: int) -> bytes:
        if start >= 0:
            return self.user.read(start, end)
        past = self.user.read(0, onset) * (1 - start // onset)
        return past[start * BYTES :] + self.user.read(0, end)

    def forget(self, heard: int, needed: int | None, timing: Timing) -> None:
        """Drop what no prediction can ask for any more.

        Args:
            heard: the present position.
            needed: the earliest position that an open overlap may ask for; None: none is open.
            timing: the options in effect.
        """
        if heard - self._swept < MARGIN:
            return
        self._swept = heard
        past = timing.window if timing.overlap == "client" else timing.pre_roll + 2 * timing.onset
        oldest = heard - past
        if needed is not None:
            oldest = max(min(oldest, needed), heard - timing.window)
        self.user.forget_before(oldest)
        if self.agent is not None:
            self.agent.forget_before(oldest - LATEST_ECHO - REMEMBERED)
