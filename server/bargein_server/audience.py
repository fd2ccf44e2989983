"""Who hears what a session says: its connections, the event log, the recording, the counters."""

from bargein_protocol.codec import encode
from bargein_protocol.messages import ServerMessage, SessionCreated
from msgspec import UNSET, UnsetType

from bargein_server.history import History
from bargein_server.member import Farewell, Member
from bargein_server.recording.format import without_secrets
from bargein_server.recording.recorder import Recorder
from bargein_server.services import Services


class Audience:
    """Passes each message on once, in order.

    Args:
        services: has the event log and the counters.
        issuer: the API key that the session belongs to.
        session_id: the session's name.
        metadata: the client's labels, for subscribers.
        recorder: None if the session is not recorded.
    """

    def __init__(
        self,
        services: Services,
        *,
        issuer: str,
        session_id: str,
        metadata: dict[str, object],
        recorder: Recorder | None,
    ) -> None:
        self._services = services
        self._issuer = issuer
        self._session_id = session_id
        self._metadata = metadata
        self._recorder = recorder
        self._history = History()
        self._members: list[Member] = []

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
        self._services.event_log.add(self._issuer, self._session_id, kind, data, metadata)
