"""The session's audio tracks, side by side on one clock."""

from bargein_server.detection.timing import Timing, samples
from bargein_server.detection.window import BYTES, AudioHistory

REFERENCE_SLACK = samples(200)
"""How far the agent track may fall behind the user track before it is put back in step."""
MAX_LEAD = samples(2000)
"""How far the agent track may run ahead; audio beyond it is left out, so memory is bounded."""
MARGIN = samples(500)
"""How often the past is swept: not at every frame."""


class Tracks:
    """The recent past of the user's audio and, with two tracks, of the agent's."""

    def __init__(self, *, two_tracks: bool) -> None:
        self.user = AudioHistory()
        self.agent = AudioHistory() if two_tracks else None
        self._swept = 0

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
        behind = self.user.end - self.agent.end
        if behind > (REFERENCE_SLACK if self.agent.end else 0):
            self.agent.silence(behind)
        if behind > -MAX_LEAD:
            self.agent.append(pcm)

    def read(self, start: int, end: int, onset: int) -> tuple[bytes, bytes | None]:
        """User audio and agent audio of positions start ≤ p < end.

        Before the session the user's is more of what it began with, that is what there was up to
        `onset`, again and again: the model has to know the room before a sound, and a room does
        not begin at 0. The agent was silent then.
        """
        reference = None if self.agent is None else self.agent.read(start, end)
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
        for track in (self.user, self.agent):
            if track is not None:
                track.forget_before(oldest)
