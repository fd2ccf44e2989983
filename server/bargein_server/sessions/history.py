"""What a session said lately, for a client that lost its connection."""

MAX_MESSAGES = 1024
MAX_BYTES = 128 * 1024


class History:
    """The latest messages as they stood on the wire; the oldest go first."""

    def __init__(self, max_messages: int = MAX_MESSAGES, max_bytes: int = MAX_BYTES) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._messages: list[bytes] = []  # an empty deque is 14 times as large
        self._bytes = 0
        self._last = 0

    def add(self, seq: int, data: bytes) -> None:
        """Keep message `seq`; they come in order, without a hole."""
        self._messages.append(data)
        self._bytes += len(data)
        self._last = seq
        while len(self._messages) > self._max_messages or self._bytes > self._max_bytes:
            self._bytes -= len(self._messages.pop(0))

    def since(self, after: int) -> list[bytes] | None:
        """The messages after number `after`; None if some of them are gone, or none was so far."""
        missed = self._last - after
        if not 0 <= missed <= len(self._messages):
            return None
        return self._messages[len(self._messages) - missed :]

    def clear(self) -> None:
        """Forget everything."""
        self._messages.clear()
        self._bytes = 0
