"""The session's audio tracks, side by side on one clock."""

from collections.abc import Callable

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

EchoDelay = Callable[[bytes, bytes], int | None]
"""By how many samples `user` hears the agent later than `agent` says, if it plainly does; `agent`
begins `LATEST_ECHO` before `user` and ends with it."""


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
        echo_delay: finds the agent in the user's audio; None: there is no track of the agent's.
    """

    def __init__(self, echo_delay: EchoDelay | None) -> None:
        self._echo_delay = echo_delay
        self.user = AudioHistory()
        self.agent = AudioHistory() if echo_delay else None
        self._swept = 0
        self._lag = 0
        self._look_at = 0

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
        if self.agent is None or self._echo_delay is None or now < self._look_at:
            return False
        start = now - LOOKED_THROUGH
        user, agent = self.user.read(start, now), self.agent.read(start - LATEST_ECHO, now)
        delay = self._echo_delay(user, agent)
        self._look_at = now + LOOK_AGAIN
        if delay is None or 0 <= delay - self._lag <= KNOWN_ECHO:
            return False
        before, self._lag = self._lag, max(0, delay - USUAL_ECHO)
        return self._lag != before

    def read(self, start: int, end: int, onset: int) -> tuple[bytes, bytes | None]:
        """User audio of positions start ≤ p < end, and the agent audio whose echo it may hold.

        Before the session the user's is more of what it began with, that is what there was up to
        `onset`, again and again: the model has to know the room before a sound, and a room does
        not begin at 0. The agent was silent then.
        """
        lag = self._lag
        reference = None if self.agent is None else self.agent.read(start - lag, end - lag)
        if start >= 0:
            return self.user.read(start, end), reference
        past = self.user.read(0, onset) * (1 - start // onset)
        return past[start * BYTES :] + self.user.read(0, end), reference

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
            self.agent.forget_before(oldest - LATEST_ECHO)
