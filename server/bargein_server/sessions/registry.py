"""All sessions of the process: opened, resumed, joined and ended."""

import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import orjson
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.messages import Attach, Resume, SessionCreate, SessionId
from bargein_protocol.options import Options
from bargein_protocol.recording import Header
from msgspec import UnsetType

from bargein_server.recording.recorder import Recorder
from bargein_server.serving.auth import Grant
from bargein_server.sessions.audience import Audience
from bargein_server.sessions.core import SessionCore
from bargein_server.sessions.member import Member
from bargein_server.sessions.options import effective, unknown_options
from bargein_server.sessions.services import Services
from bargein_server.sessions.session import Session

logger = logging.getLogger(__name__)

DEEPEST = 8
"""Levels within which labels are written: in events, lists of sessions and recordings."""


@dataclass(frozen=True, eq=False)
class Entry:
    """A session and what the registry knows of it."""

    session: Session
    issuer: str
    metadata: dict[str, object]
    started_at: str
    two_tracks: bool


class Sessions:
    """The registry of native sessions."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._entries: dict[str, Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        """Every session that has not ended, the oldest first."""
        return iter(tuple(self._entries.values()))

    def enter(self, request: SessionCreate, member: Member, grant: Grant) -> None:
        """Do what a connection's first message asks for: open, resume or join a session.

        Raises:
            ProtocolError: it cannot be.
        """
        if not isinstance(request.resume, UnsetType):
            self._find(request, grant, request.resume).resume(member, request.resume.after)
        elif not isinstance(request.attach, UnsetType):
            self._find(request, grant, request.attach).attach(member)
        else:
            self._open(request, member, grant)

    def end_all(self, error: ErrorCode) -> None:
        """End every session."""
        for entry in self:
            entry.session.end(error)

    # ----------------------------------------------------------------

    def _open(self, request: SessionCreate, member: Member, grant: Grant) -> None:
        session_id = self._choose_id(request, grant)
        _check_labels(request.metadata)
        options = effective(self._services.defaults, request.options, self._services)
        recorder = self._record(session_id, request, options)
        two_tracks = "agent" in request.audio.tracks
        core = SessionCore(
            session_id,
            options,
            defaults=self._services.defaults,
            vad=self._services.vad,
            two_tracks=two_tracks,
            recording=recorder.name if recorder is not None else None,
        )
        audience = Audience(
            self._services,
            core,
            issuer=grant.issuer,
            metadata=request.metadata,
            recorder=recorder,
        )
        session = Session(self._services, core, audience, recorder=recorder, ended=self._ended)
        self._entries[session_id] = Entry(
            session, grant.issuer, request.metadata, _now(), two_tracks
        )
        logger.info("session %s opened by %r", session_id, grant.issuer)
        self._services.metrics.started.inc()
        self._services.metrics.sessions.inc()
        self._services.census.enter()
        try:
            session.open(member, unknown=unknown_options(request.options))
        except Exception:
            session.fail()
            raise

    def _choose_id(self, request: SessionCreate, grant: Grant) -> str:
        limit = self._services.settings.max_sessions
        if len(self._entries) >= limit:
            raise ProtocolError(ErrorCode.SERVER_FULL, f"{limit} sessions are open")
        session_id = request.session_id
        if isinstance(session_id, UnsetType):
            own = _session_of(grant)
            session_id = own or f"s-{secrets.token_hex(8)}"
        if not grant.may_use(session_id):
            raise ProtocolError(ErrorCode.FORBIDDEN, f"the token is not for session {session_id}")
        if session_id in self._entries:
            raise ProtocolError(ErrorCode.SESSION_EXISTS, f"session {session_id} is open already")
        return session_id

    def _find(self, request: SessionCreate, grant: Grant, claim: Resume | Attach) -> Session:
        session_id = request.session_id
        if isinstance(session_id, UnsetType):
            raise ProtocolError(ErrorCode.INVALID_MESSAGE, "say which session: `session_id`")
        if not grant.may_use(session_id):
            raise ProtocolError(ErrorCode.FORBIDDEN, f"the token is not for session {session_id}")
        entry = self._entries.get(session_id)
        if entry is None or not _opens(claim, entry.session):
            raise ProtocolError(
                ErrorCode.UNKNOWN_SESSION, f"no session {session_id} with this token is open"
            )
        if "agent" in request.audio.tracks and not entry.two_tracks:
            raise ProtocolError(
                ErrorCode.INVALID_MESSAGE, "`audio.tracks`: the session has no agent track"
            )
        return entry.session

    def _record(self, session_id: str, request: SessionCreate, options: Options) -> Recorder | None:
        settings = self._services.settings
        if settings.record is None:
            if request.record:
                raise ProtocolError(
                    ErrorCode.RECORDING_REFUSED, ErrorCode.RECORDING_REFUSED.meaning
                )
            return None
        if settings.allow_record and not request.record:
            return None
        header = Header(
            session_id=session_id,
            started_at=_now(),
            audio=request.audio,
            options=options,
            model=self._services.model,
            server=self._services.server,
            metadata=request.metadata,
        )
        return Recorder.open(settings.record, header)

    def _ended(self, session: Session, cause: str) -> None:
        del self._entries[session.session_id]
        seconds = session.at_ms / 1000
        logger.info("session %s ended after %.1f s: %s", session.session_id, seconds, cause)
        self._services.metrics.sessions.dec()
        self._services.census.leave()
        self._services.metrics.ended.labels(cause).inc()


def _session_of(grant: Grant) -> str | None:
    """The one session that a token is for; None if it is for any."""
    if not isinstance(grant.session, str):
        return None
    try:
        return msgspec.convert(grant.session, SessionId)
    except msgspec.ValidationError:
        raise ProtocolError(
            ErrorCode.FORBIDDEN, f"the token is for session {grant.session!r}, which is no name"
        ) from None


def _check_labels(metadata: dict[str, object]) -> None:
    held: object = metadata
    for _ in range(DEEPEST):
        held = [held]
    try:
        orjson.dumps(held)
    except TypeError as error:
        detail = f"`metadata` cannot be written: {error}"
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, detail) from None


def _opens(claim: Resume | Attach, session: Session) -> bool:
    right = session.resume_token if isinstance(claim, Resume) else session.attach_token
    return secrets.compare_digest(claim.token.encode(), right.encode())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
