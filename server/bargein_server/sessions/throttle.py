"""Slows down clients that send faster than real time, or than the model answers."""

import asyncio

from bargein_server.sessions.member import Member
from bargein_server.sessions.predictions import Predictions

HOLD_AHEAD_S = 0.25
"""Audio further ahead of real time than this waits for the answers to its predictions."""
MAX_OUTSTANDING = 40
"""Questions to the model after which even audio in real time waits: two seconds of hops."""


class Throttle:
    """Stops reading a connection while it is too fast, and goes on as soon as it can.

    Whoever is ahead of real time (a replay at full speed) is held until the model has answered, so
    that its verdicts come where they would come in real time; and between two frames everybody
    else gets their turn.
    """

    def __init__(self, predictions: Predictions) -> None:
        self._predictions = predictions
        self._loop = asyncio.get_running_loop()
        self._held: set[Member] = set()

    def heard(self, member: Member, ahead_s: float) -> None:
        """Audio came from `member`, and is so far ahead of real time."""
        outstanding = self._predictions.outstanding
        if ahead_s <= HOLD_AHEAD_S and outstanding <= MAX_OUTSTANDING:
            return
        self._held.add(member)
        member.hold()
        if not outstanding:
            self._loop.call_soon(self.release)

    def release(self) -> None:
        """Go on with everybody, unless answers are still due."""
        if self._predictions.outstanding:
            return
        held, self._held = self._held, set()
        for member in held:
            member.go_on()

    def forget(self, member: Member) -> None:
        """The connection is gone."""
        self._held.discard(member)
