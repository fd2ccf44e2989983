"""An echo that a test says is found, and that nothing takes out of the user's audio."""

from collections.abc import Callable

Find = Callable[[bytes, bytes], int | None]


class Found:
    """Late by what `find` says of the user's and the agent's audio; by default there is none."""

    def __init__(self, find: Find = lambda _user, _agent: None) -> None:
        self._find = find

    def delay(self, user: bytes, agent: bytes) -> int | None:
        return self._find(user, agent)

    def forget(self) -> None:
        pass

    def begin(self, agent: bytes) -> None:
        pass

    def clean(self, user: bytes, agent: bytes) -> bytes:  # noqa: ARG002
        return user
