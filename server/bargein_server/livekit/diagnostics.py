"""What the operator sees of LiveKit agents: counters, log lines and the list of sessions.

`X-LiveKit-…` headers name the room, the agent and the job. The worker token among them is a
secret, so headers are picked by name; none is passed on as a whole.
"""

import logging
import time
from collections.abc import Iterable

import msgspec
from bargein_protocol.errors import WarningCode
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bargein_server.audio.quality import diagnose
from bargein_server.livekit.answering import Answered
from bargein_server.livekit.judgement import Source
from bargein_server.livekit.messages import Window

logger = logging.getLogger(__name__)

LATE_S = 0.2
"""An answer that took longer is counted as late; the clients give up after 0.7 s."""
_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.7, 1.0)
_MAX_LABEL = 128


class Labels(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who a connection says it is; empty where it says nothing."""

    room: str = ""
    agent: str = ""
    job: str = ""
    client: str = ""

    @classmethod
    def of(cls, headers: Iterable[tuple[str, str]]) -> "Labels":
        """From the headers of a handshake, in any case and number."""
        values = {name.lower(): value for name, value in headers}

        def label(name: str) -> str:
            return "".join(c for c in values.get(name, "")[:_MAX_LABEL] if c.isprintable())

        return cls(
            room=label("x-livekit-room-id"),
            agent=label("x-livekit-agent-id"),
            job=label("x-livekit-job-id"),
            client=label("user-agent"),
        )

    def __str__(self) -> str:
        return " ".join(f"{name}={value!r}" for name, value in msgspec.to_builtins(self).items())


class LivekitMetrics:
    """The counters of the dialect, beside the server's own."""

    def __init__(self, registry: CollectorRegistry) -> None:
        r = registry
        self.sessions = Gauge("bargein_livekit_sessions", "LiveKit sessions open now", registry=r)
        self.started = Counter(
            "bargein_livekit_sessions_started", "LiveKit sessions opened", registry=r
        )
        self.windows = Counter(
            "bargein_livekit_windows", "Windows answered, by what", ["source"], registry=r
        )
        self.interruptions = Counter(
            "bargein_livekit_interruptions", "Windows answered with bargein_detected", registry=r
        )
        self.late = Counter(
            "bargein_livekit_late_answers", "Windows answered after over 200 ms", registry=r
        )
        self.answer_seconds = Histogram(
            "bargein_livekit_answer_seconds", "Window to answer", registry=r, buckets=_BUCKETS
        )
        self.flagged = Counter(
            "bargein_livekit_flagged_windows",
            "Windows with audio that cannot be right",
            ["code"],
            registry=r,
        )
        for source in Source:
            self.windows.labels(source.value)

    def count(self, answered: Answered) -> None:
        """Count one answer."""
        self.windows.labels(answered.judgement.source.value).inc()
        self.answer_seconds.observe(answered.took_s)
        if answered.judgement.interruption:
            self.interruptions.inc()
        if answered.took_s > LATE_S:
            self.late.inc()


class Ledger:
    """What happened in one session.

    Args:
        session_id: its name in the log.
        labels: who it says it is.
        metrics: counted along.
    """

    def __init__(self, session_id: str, labels: Labels, metrics: LivekitMetrics) -> None:
        self.session_id = session_id
        self._labels = labels
        self._metrics = metrics
        self._began = time.monotonic()
        self._windows = 0
        self._late = 0
        self._interruptions = 0
        self._by_source = dict.fromkeys(Source, 0)
        self._flagged: dict[WarningCode, int] = {}
        logger.info("session %s opened %s", session_id, labels)

    def came(self, window: Window) -> None:
        """A window arrived; its audio is looked at."""
        if self._windows == 0:
            logger.info(
                "adaptive interruption is on: first window of session %s %s",
                self.session_id,
                self._labels,
            )
        self._windows += 1
        for code in diagnose(window.pcm):
            self._flag(code)

    def answered(self, answered: Answered) -> None:
        """A window was answered."""
        source = answered.judgement.source
        if source is Source.VAD and not self._by_source[source]:
            logger.warning(
                "session %s: no answer of the model in time; its windows are answered by VAD "
                "until it is back",
                self.session_id,
            )
        self._by_source[source] += 1
        self._interruptions += answered.judgement.interruption
        self._late += answered.took_s > LATE_S
        self._metrics.count(answered)

    def describe(self) -> dict[str, object]:
        """The session for people and dashboards."""
        return {
            "session_id": self.session_id,
            "dialect": "livekit",
            **msgspec.to_builtins(self._labels),
            "duration_ms": round((time.monotonic() - self._began) * 1000),
            "windows": self._windows,
            "answers": {source.value: count for source, count in self._by_source.items()},
            "interruptions": self._interruptions,
            "late_answers": self._late,
            "flagged": {code.code: count for code, count in self._flagged.items()},
        }

    def close(self, close_code: int) -> None:
        """The session is over."""
        logger.info(
            "session %s ended (close code %d): %d windows, %d interruptions, %d by VAD, %d late",
            self.session_id,
            close_code,
            self._windows,
            self._interruptions,
            self._by_source[Source.VAD],
            self._late,
        )

    def _flag(self, code: WarningCode) -> None:
        self._metrics.flagged.labels(code.code).inc()
        if code not in self._flagged:
            logger.warning("session %s: %s (%s)", self.session_id, code.meaning, self._labels)
        self._flagged[code] = self._flagged.get(code, 0) + 1
