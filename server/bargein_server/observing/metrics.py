"""What the server counts, in Prometheus' terms; one registry per server."""

from bargein_protocol import messages
from bargein_protocol.messages import ServerMessage
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_FAST = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    """The server's counters; a module of its own may add to `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        ProcessCollector(registry=r)
        self.sessions = Gauge("bargein_sessions", "Sessions open now", registry=r)
        self.connections = Gauge("bargein_connections", "WebSockets open now", registry=r)
        self.started = Counter("bargein_sessions_started", "Sessions opened", registry=r)
        self.resumed = Counter("bargein_sessions_resumed", "Sessions taken up again", registry=r)
        self.ended = Counter("bargein_sessions_ended", "Sessions ended", ["cause"], registry=r)
        self.overlaps = Counter("bargein_overlaps", "Overlaps opened", registry=r)
        self.verdicts = Counter(
            "bargein_verdicts", "Verdicts given", ["kind", "reason", "source"], registry=r
        )
        self.false_interruptions = Counter(
            "bargein_false_interruptions", "Interruptions without a user turn", registry=r
        )
        self.prediction_seconds = Histogram(
            "bargein_prediction_seconds", "Question to answer", registry=r, buckets=_FAST
        )
        self.prediction_failures = Counter(
            "bargein_prediction_failures", "Questions without an answer", ["cause"], registry=r
        )
        self.server_delay_seconds = Histogram(
            "bargein_server_delay_seconds",
            "Arrival of the audio that proved a verdict to the verdict being written",
            registry=r,
            buckets=_FAST,
        )
        self.slow_consumers = Counter(
            "bargein_slow_consumers", "Connections closed for not reading", registry=r
        )
        self.ticks = Counter("bargein_ticks", "Times that stalled audio was made up", registry=r)
        self.errors = Counter("bargein_errors", "Error messages sent", ["code"], registry=r)
        self.warnings = Counter("bargein_warnings", "Warnings sent", ["code"], registry=r)
        self.refused = Counter(
            "bargein_handshakes_refused", "Connections refused", ["status"], registry=r
        )
        self.events_missed = Counter(
            "bargein_events_missed", "Events that a subscriber was too late for", registry=r
        )

    def count(self, message: ServerMessage) -> None:
        """Count what a session says."""
        match message:
            case messages.OverlapOpened():
                self.overlaps.inc()
            case messages.Interruption():
                self.verdicts.labels("interruption", "", message.source).inc()
            case messages.NonInterruption():
                self.verdicts.labels("non_interruption", message.reason, message.source).inc()
            case messages.FalseInterruption():
                self.false_interruptions.inc()
            case messages.Error():
                self.errors.labels(message.code).inc()
            case messages.Warning():
                self.warnings.labels(message.code).inc()
            case _:
                pass

    def render(self) -> bytes:
        """The text that Prometheus reads."""
        return generate_latest(self.registry)
