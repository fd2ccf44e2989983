"""Who hears what a session says: its connections, the event log, the recording, the counters."""

import logging

from bargein_protocol import messages
from bargein_protocol.codec import encode
from bargein_protocol.errors import WarningCode
from bargein_protocol.messages import ServerMessage, SessionCreated
from msgspec import UNSET, UnsetType

from bargein_server.recording.format import without_secrets
from bargein_server.recording.recorder import Recorder
from bargein_server.sessions.core import SessionCore
from bargein_server.sessions.history import History
from bargein_server.sessions.member import Farewell, Member
from bargein_server.sessions.services import Services
from bargein_server.sessions.wire import milliseconds

logger = logging.getLogger(__name__)


class Audience:
    """Passes each message on once, in order.

    Args:
        services: has the event log and the counters.
        core: numbers what the shell says of its own accord.
        issuer: the API key that the session belongs to.
        metadata: the client's labels, for subscribers.
        recorder: None if the session is not recorded.
    """

    def __init__(
        self,
        services: Services,
        core: SessionCore,
        *,
        issuer: str,
        metadata: dict[str, object],
        recorder: Recorder | None,
    ) -> None:
        self._services = services
        self._core = core
        self._issuer = issuer
        self._metadata = metadata
        self._recorder = recorder
        self._history = History()
        self._members: list[Member] = []
        self._warned: set[WarningCode] = set()

    def publish(self, message: ServerMessage) -> None:
        """Pass a numbered message on."""
        data = encode(message)
        self._history.add(message.seq, data)
        for member in tuple(self._members):
            member.send(data)
        if self._recorder is not None:
            self._recorder.event(message)
        self._log(message, data)
        self._services.metrics.count(message)

    def announce(self, message: ServerMessage) -> None:
        """Number a message that does not come from the detector, and pass it on."""
        message = self._core.announce(message)
        if self._recorder is not None:
            self._recorder.announced(message)
        self.publish(message)

    def warn(self, code: WarningCode, message: str | None = None) -> None:
        """Say that something looks wrong."""
        text = message or code.meaning
        at_ms = milliseconds(self._core.position)
        self.announce(messages.Warning(code=code.code, message=text, at_ms=at_ms))

    def warn_once(self, code: WarningCode) -> None:
        """Say it if it has not been said."""
        if code not in self._warned:
            self._warned.add(code)
            self.warn(code)

    def warn_unknown(self, options: list[str]) -> None:
        """Say which options nobody knows."""
        if options:
            code = WarningCode.UNKNOWN_OPTION
            self.warn(code, f"{code.meaning}: {', '.join(options)}")

    def check_recorder(self) -> None:
        """Say it if the recording has failed meanwhile."""
        failure = self._recorder.take_failure() if self._recorder is not None else None
        if failure is not None:
            logger.error("the recording of session %s failed: %s", self._core.session_id, failure)
            self.warn_once(WarningCode.RECORDING_FAILED)

    @property
    def size(self) -> int:
        """How many connections hear it."""
        return len(self._members)

    def add(self, member: Member) -> None:
        """This connection hears what is said from now on."""
        self._members.append(member)

    def remove(self, member: Member) -> None:
        """This connection is gone."""
        if member in self._members:
            self._members.remove(member)

    def missed(self, after: int) -> list[bytes] | None:
        """The messages after number `after`; None if they are not all held any more."""
        return self._history.since(after)

    def dismiss(self, farewell: Farewell) -> None:
        """Close all connections."""
        members, self._members = self._members, []
        for member in members:
            member.close(farewell)
        self._history.clear()

    def _log(self, message: ServerMessage, data: bytes) -> None:
        kind = str(message.__struct_config__.tag)
        metadata: dict[str, object] | UnsetType = UNSET
        if isinstance(message, SessionCreated):
            data, metadata = encode(without_secrets(message)), self._metadata
        self._services.event_log.add(self._issuer, self._core.session_id, kind, data, metadata)
