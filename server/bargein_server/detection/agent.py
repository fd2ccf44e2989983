"""When the agent is audible."""

from enum import Enum, auto


class AgentState(Enum):
    """Whether the agent can be heard."""

    SILENT = auto()
    SPEAKING = auto()


class AgentTurn:
    """The agent's present turn; starting twice and stopping twice change nothing."""

    def __init__(self) -> None:
        self._state = AgentState.SILENT
        self._started = 0
        self._stopped: int | None = None

    @property
    def speaking(self) -> bool:
        """Whether the agent can be heard."""
        return self._state is AgentState.SPEAKING

    @property
    def started(self) -> int:
        """The position at which the latest turn became audible."""
        return self._started

    def start(self, at: int) -> bool:
        """The agent became audible at `at`; False if it was already.

        A turn told late begins no earlier than the last one ended: one sound is one overlap.
        """
        if self.speaking:
            return False
        self._state, self._started = AgentState.SPEAKING, max(at, self._stopped or 0)
        return True

    def ends(self, at: int) -> bool:
        """Whether a stop at `at` ends the present turn, and is not the last one's, told again."""
        told_again = at == self._stopped and at < self._started
        return self.speaking and not told_again

    def stop(self, at: int) -> bool:
        """The agent ceased to be audible at `at`; False if it had already."""
        if not self.ends(at):
            return False
        self._state, self._stopped = AgentState.SILENT, at
        return True

    def within(self, position: int, margin: int | None) -> bool:
        """Whether `position` lies less than `margin` after the present turn's start."""
        return margin is not None and self.speaking and position < self._started + margin
