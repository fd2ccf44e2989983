"""The actor of one session: the only place with a clock.

    state    connection  goes to
    ───────  ──────────  ─────────────────────────────────────────────────────────────────────
    LIVE     there       PARKED when it is lost, ENDED by session.close, a limit or an error
    PARKED   lost        LIVE when it is resumed, ENDED when the resume window passes
    ENDED    –           –

The session is a plain object that its connections, the predictor's answers and one timer call; it
has no task. Whatever happens becomes an input of the core through `_feed` alone, and is recorded
there; what the core says goes to its `Audience`.
"""

import asyncio
import logging
import math
import secrets
from collections.abc import Callable
from enum import Enum, auto

from bargein_protocol import messages
from bargein_protocol.audio import Track
from bargein_protocol.errors import ErrorCode, ProtocolError, WarningCode, error_for_close
from bargein_protocol.messages import ClientMessage, SessionCreated, Verdict
from bargein_protocol.options import OptionsUpdate

from bargein_server.audio.quality import QualityMonitor
from bargein_server.detection import inputs
from bargein_server.detection.inputs import Input
from bargein_server.detection.outputs import RequestPrediction, StreamEnded
from bargein_server.detection.timing import samples
from bargein_server.recording.recorder import Recorder
from bargein_server.sessions.audience import Audience
from bargein_server.sessions.core import CoreOutput, SessionCore
from bargein_server.sessions.limits import Limits
from bargein_server.sessions.markers import to_input
from bargein_server.sessions.member import GOODBYE, Farewell, Member
from bargein_server.sessions.options import effective, unknown_options
from bargein_server.sessions.predictions import Answer, Predictions
from bargein_server.sessions.services import Services
from bargein_server.sessions.stalls import Stalls
from bargein_server.sessions.throttle import Throttle
from bargein_server.sessions.wire import milliseconds

logger = logging.getLogger(__name__)

BYTES_PER_SAMPLE = 2
MAX_CONNECTIONS = 16
"""Connections that may be in one session."""
FAST_AHEAD_S = 2.0
"""Audio further ahead of real time than this is mentioned to the client."""


class SessionState(Enum):
    """Where a session stands."""

    LIVE = auto()
    PARKED = auto()
    ENDED = auto()


class Session:
    """One session and its connections; ends by itself when a limit is reached.

    Args:
        services: what all sessions share.
        core: the detector behind it.
        audience: who hears it.
        recorder: None if it is not recorded.
        ended: called once, when it has ended.
    """

    def __init__(
        self,
        services: Services,
        core: SessionCore,
        audience: Audience,
        *,
        recorder: Recorder | None,
        ended: Callable[["Session", str], None],
    ) -> None:
        self._services = services
        self._core = core
        self._audience = audience
        self._recorder = recorder
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._state = SessionState.LIVE
        self._owner: Member | None = None
        now = self._loop.time()
        self._limits = Limits(services.settings, now)
        self._stalls = Stalls()
        self._quality = QualityMonitor()
        self._predictions = Predictions(services.predictor, self._answered)
        self._throttle = Throttle(self._predictions)
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due = math.inf
        self.resume_token = secrets.token_urlsafe(24)
        self.attach_token = secrets.token_urlsafe(24)
        self.last_verdict: Verdict | None = None
        """The latest one."""

    @property
    def session_id(self) -> str:
        """Its name."""
        return self._core.session_id

    @property
    def state(self) -> SessionState:
        """Where it stands."""
        return self._state

    @property
    def at_ms(self) -> float:
        """The audio clock."""
        return milliseconds(self._core.position)

    # ---------------------------------------------------------------- connections

    def open(self, owner: Member, *, unknown: list[str]) -> None:
        """Begin, with the connection that created it."""
        self._owner = owner
        self._audience.add(owner)
        self._audience.announce(self._created())
        self._audience.warn_unknown(unknown)
        self._arm(self._loop.time())
        owner.join(self)

    def resume(self, owner: Member, after: int) -> None:
        """Go on with another connection in place of the one that was lost.

        Raises:
            ProtocolError: what came after message `after` is not held any more.
        """
        missed = self._audience.missed(after)
        if missed is None:
            raise ProtocolError(
                ErrorCode.RESUME_TOO_OLD, f"messages after {after} are no longer held"
            )
        former, self._owner = self._owner, owner
        self._state = SessionState.LIVE
        self._limits.unpark(self._loop.time())
        self._stalls.settle()  # the welcome tells the time
        if former is not None:
            former.dismiss(ErrorCode.REPLACED)
        owner.say(self._created())
        for data in missed:
            owner.send(data)
        self._audience.add(owner)
        self._services.metrics.resumed.inc()
        owner.join(self)

    def attach(self, member: Member) -> None:
        """Let a second connection take part.

        Raises:
            ProtocolError: there are enough of them.
        """
        if self._audience.size >= MAX_CONNECTIONS:
            raise ProtocolError(
                ErrorCode.SERVER_FULL, f"the session has {MAX_CONNECTIONS} connections"
            )
        member.say(self._created())
        self._audience.add(member)
        member.join(self)

    def leave(self, member: Member, close_code: int) -> None:
        """A connection is gone; the session waits for its owner if that may come back."""
        self._audience.remove(member)
        self._throttle.forget(member)
        if close_code == ErrorCode.SLOW_CONSUMER.close_code:
            self._services.metrics.slow_consumers.inc()
        if member is not self._owner or self._state is not SessionState.LIVE:
            return
        self._owner = None
        error = error_for_close(close_code)
        if error is None or error.retry != "resume" or not self._services.settings.resume_window_s:
            # Not at once: it may be leaving in the middle of what is being said to everybody.
            self._loop.call_soon(self._guarded, lambda: self.end(error, told=False))
            return
        self._state = SessionState.PARKED
        now = self._loop.time()
        self._limits.park(now)
        self._arm(now)

    # ---------------------------------------------------------------- what connections send

    def hear(self, member: Member, track: Track, pcm: bytes) -> None:
        """Take audio: 16 kHz mono s16le."""
        self._limits.heard_at = now = self._loop.time()
        if track == "agent":
            self._feed(inputs.AgentAudio(pcm), now)
            return
        self._stalls.heard(len(pcm) // BYTES_PER_SAMPLE, now)
        self._feed(inputs.UserAudio(pcm), now)
        for code in self._quality.hear(pcm):
            self._audience.warn(code)
        self._keep_pace(member, now)

    def take(self, member: Member, message: ClientMessage) -> None:
        """Take a message.

        Raises:
            ProtocolError: it cannot be; the session goes on.
        """
        self._limits.heard_at = now = self._loop.time()
        match message:
            case messages.AudioGap():
                self._gap(member, samples(message.duration_ms), now)
            case messages.SessionUpdate():
                self._update(message.options, now)
            case messages.SessionClose():
                self._close(member, now)
                return
            case messages.SessionCreate():
                raise ProtocolError(ErrorCode.UNEXPECTED_MESSAGE, "the session is open already")
            case _:
                self._feed(to_input(message, self._core.position), now)
        self._arm(now)

    def refuse(self, error: ProtocolError) -> None:
        """Tell of a message that was refused; a fatal one ends the session."""
        if error.fatal:
            self.end(error.code, error.detail)
        else:
            self._audience.announce(
                messages.Error(code=error.code.code, message=error.detail, fatal=False)
            )

    def _gap(self, member: Member, duration: int, now: float) -> None:
        self._hear_rest(member, now)
        rest = self._stalls.gap(duration, now)
        if rest:
            self._feed(inputs.Gap(rest), now)
            self._keep_pace(member, now)

    def _keep_pace(self, member: Member, now: float) -> None:
        ahead_s = self._stalls.ahead_s(now)
        if ahead_s > self._services.settings.max_ahead_s:
            self.end(ErrorCode.AUDIO_TOO_FAST)
        elif ahead_s > FAST_AHEAD_S:
            self._audience.warn_once(WarningCode.AUDIO_FAST)
        self._throttle.heard(member, ahead_s)

    def _update(self, update: OptionsUpdate | None, now: float) -> None:
        current = self._core.defaults if update is None else self._core.options
        options = effective(current, update, self._services)
        self._feed(inputs.OptionsChanged(options), now)
        self._audience.warn_unknown(unknown_options(update))

    def _hear_rest(self, member: Member, now: float) -> None:
        """Take what resampling still holds: the audio breaks off here."""
        if pcm := member.flush("agent"):
            self._feed(inputs.AgentAudio(pcm), now)
        if pcm := member.flush("user"):
            self._feed(inputs.UserAudio(pcm), now)

    def _close(self, member: Member, now: float) -> None:
        if member is self._owner:
            self._hear_rest(member, now)
            self.end(None)
        else:
            member.close(GOODBYE)

    # ---------------------------------------------------------------- in and out of the core

    def _feed(self, input_: Input, now: float) -> None:
        if self._recorder is not None:
            self._recorder.input(self._core.position, input_)
        said = self._core.handle(input_)
        if said:
            self._carry_out(said, now)

    def _carry_out(self, said: list[CoreOutput], now: float) -> None:
        for output in said:
            if isinstance(output, RequestPrediction):
                timeout_ms = self._core.options.prediction_timeout_ms
                self._predictions.ask(output, timeout_ms, now)
            elif isinstance(output, StreamEnded):
                self._predictions.forget(output.overlap_id)
            else:
                if isinstance(output, Verdict):
                    self.last_verdict = output
                self._audience.publish(output)
        if self._state is not SessionState.ENDED:
            self._audience.check_recorder()
        self._arm(now)

    def _answered(self, answer: Answer, asked_at: float) -> None:
        if self._state is SessionState.ENDED:
            return
        metrics = self._services.metrics
        now = self._loop.time()
        if isinstance(answer, inputs.PredictionFailed):
            metrics.prediction_failures.labels(answer.cause).inc()
        else:
            metrics.prediction_seconds.observe(now - asked_at)
        before = self.last_verdict
        self._guarded(lambda: self._feed(answer, now))
        if self.last_verdict is not before:
            metrics.server_delay_seconds.observe(self._loop.time() - asked_at)
        self._throttle.release()

    # ---------------------------------------------------------------- the clock

    def _arm(self, now: float) -> None:
        """Have the timer run no later than the next deadline; it may run early for nothing."""
        if self._state is SessionState.ENDED:
            return
        stalled = self._stalls.deadline(now, waiting=self._core.waiting)
        deadline = min(self._limits.deadline, stalled)
        if math.isinf(deadline):
            return
        if self._timer is not None:
            if self._timer_due <= deadline:
                return
            self._timer.cancel()
        # uvloop's handle of a moment that has passed has no `when()`
        self._timer_due = deadline
        self._timer = self._loop.call_at(deadline, self._guarded, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        now = self._loop.time()
        error = self._limits.exceeded(now)
        if error is not None:
            self.end(error)
            return
        self._fill_in(now)
        self._arm(now)

    def _fill_in(self, now: float) -> None:
        missing = self._stalls.make_up(now)
        if not missing:
            return
        self._services.metrics.ticks.inc()
        self._feed(inputs.Tick(missing), now)
        if self._stalls.slow:
            self._audience.warn_once(WarningCode.AUDIO_SLOW)

    # ---------------------------------------------------------------- the end

    def end(self, error: ErrorCode | None, detail: str | None = None, *, told: bool = True) -> None:
        """End the session for everybody; `error` says why, None if it was asked for."""
        if self._state is SessionState.ENDED:
            return
        self._state = SessionState.ENDED
        if self._timer is not None:
            self._timer.cancel()
        self._predictions.close()
        lost = error is ErrorCode.CONNECTION_LOST  # by one; nobody can be sent 1006, which says so
        code = None if error is None or lost else error.close_code
        try:
            if error is not None and told:
                text = detail or error.meaning
                self._audience.announce(messages.Error(code=error.code, message=text, fatal=True))
            self._audience.check_recorder()
            self._feed(inputs.SessionEnded(), self._loop.time())
        finally:
            farewell = GOODBYE if error is None or code is None else Farewell(code, error.code)
            self._audience.dismiss(farewell)
            if self._recorder is not None:
                self._recorder.close()
            self._ended(self, "closed" if error is None else error.code)

    def fail(self) -> None:
        """End after a fault of the server; tells nobody what it was."""
        try:
            self.end(ErrorCode.INTERNAL_ERROR)
        except Exception:
            logger.exception("session %s could not be ended in order", self.session_id)

    def _guarded(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:
            logger.exception("session %s failed", self.session_id)
            self.fail()

    # ---------------------------------------------------------------- what it says of itself

    def _created(self) -> SessionCreated:
        return SessionCreated(
            session_id=self.session_id,
            resume_token=self.resume_token,
            attach_token=self.attach_token,
            options=self._core.options,
            model=self._services.model,
            server=self._services.server,
            at_ms=self.at_ms,
        )
