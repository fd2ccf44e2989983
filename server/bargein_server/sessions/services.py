"""What the process has once and every session uses."""

from collections.abc import Callable
from dataclasses import dataclass

from bargein_protocol.messages import ModelInfo, ServerInfo
from bargein_protocol.options import Options

from bargein_server.configuration.settings import Settings
from bargein_server.detection.vad import Vad
from bargein_server.models.predictor import Predictor
from bargein_server.observing.census import Census
from bargein_server.observing.event_log import EventLog
from bargein_server.observing.metrics import Metrics


@dataclass(frozen=True, kw_only=True)
class Services:
    """The parts that sessions share."""

    settings: Settings
    defaults: Options
    """The server's own session options; `threshold` is resolved."""
    predictor: Predictor
    vad: Callable[[Options], Vad]
    event_log: EventLog
    metrics: Metrics
    census: Census
    """What a drain waits for."""
    model: ModelInfo
    server: ServerInfo
