"""One line of text for each message, in colours that tell verdicts apart."""

from typing import assert_never

from bargein_protocol import messages
from bargein_protocol.messages import ServerMessage
from rich.text import Text

INTERRUPTION = "bold red"
NON_INTERRUPTION = "green"
QUIET = "dim"


def wording(message: ServerMessage) -> Text:
    """What a message says, for people; without its moment."""
    tag = str(message.__struct_config__.tag)
    return Text.assemble((f"{tag:<20}", _style(message)), " ", _detail(message))


def moment(message: ServerMessage) -> Text:
    """The message's place on the audio clock in seconds; blank without one."""
    at_ms: float | None = getattr(message, "at_ms", None)
    return Text(" " * 9 if at_ms is None else f"{at_ms / 1000:9.3f}", style="cyan")


def _style(message: ServerMessage) -> str:
    match message:
        case messages.Interruption():
            return INTERRUPTION
        case messages.NonInterruption():
            return NON_INTERRUPTION
        case messages.FalseInterruption() | messages.Warning():
            return "yellow"
        case messages.Error():
            return "bold magenta"
        case messages.OverlapOpened():
            return "blue"
        case messages.TranscriptReleased() | messages.TranscriptDropped():
            return "default"
        case _:
            return QUIET


def _detail(message: ServerMessage) -> str:  # noqa: C901 – one case per message
    match message:
        case messages.SessionCreated():
            options = message.options
            return (
                f"{message.session_id}  model {message.model.name} {message.model.version}, "
                f"threshold {options.threshold:g}"
            )
        case messages.SessionUpdated():
            return f"threshold {message.options.threshold:g}"
        case messages.SpeechStarted() | messages.SpeechStopped():
            return ""
        case messages.OverlapOpened():
            return f"#{message.overlap_id}  since {message.onset_ms / 1000:.3f} s"
        case messages.Interruption():
            return (
                f"#{message.overlap_id}  after {message.detection_delay_ms:.0f} ms"
                f"{_probability(message.probability)}  by {message.source}"
            )
        case messages.NonInterruption():
            return f"#{message.overlap_id}  {message.reason}{_probability(message.probability)}"
        case messages.FalseInterruption():
            return f"#{message.overlap_id}  the agent may resume"
        case messages.TranscriptReleased():
            return f"{message.id}  “{message.text}”"
        case messages.TranscriptDropped():
            return f"{message.id}  {message.reason}"
        case messages.PredictionMade():
            bars = "".join(_bar(value) for value in message.probabilities)
            return f"#{message.overlap_id}  {bars} {message.probabilities[-1]:.2f}"
        case messages.Error() | messages.Warning():
            return f"{message.code}: {message.message}"
        case messages.SessionClosed():
            summary = message.summary
            return (
                f"{summary.duration_ms / 1000:.1f} s, {_counted(summary.overlaps, 'overlap')}, "
                f"{_counted(summary.interruptions, 'interruption')}"
            )
        case _:
            assert_never(message)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _probability(value: float | None) -> str:
    return "" if value is None else f"  p={value:.2f}"


def _bar(value: float) -> str:
    return "▁▂▃▄▅▆▇█"[min(7, int(value * 8))]
