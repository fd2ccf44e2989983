"""The client's messages as inputs of the detector: `at_ms` becomes a position.

`at_ms` counts the audio clock as the server announces it in its messages: the user's audio since
the session began, with gaps, and with the ticks by which the server fills in when audio stalls. A
client that always sends audio counts what it sent. One that lets audio stall sends `audio.gap`
for what it left out; the gap replaces the ticks that were filled in for it, so that the client's
count and the server's stay the same.
"""

from typing import assert_never

from bargein_protocol import messages
from bargein_protocol.errors import ErrorCode, ProtocolError
from msgspec import UnsetType

from bargein_server.detection import inputs
from bargein_server.detection.timing import samples
from bargein_server.sessions.wire import milliseconds

MAX_PAST_MS = 10_000
"""A marker about an earlier moment than this is refused."""
MAX_FUTURE_MS = 1_000
"""A marker may run ahead of its audio by this much, and takes effect when the audio is there."""

Marker = (
    messages.AgentStarted
    | messages.AgentStopped
    | messages.OverlapStarted
    | messages.OverlapEnded
    | messages.Transcript
)


def to_input(marker: Marker, now: int) -> inputs.Input:
    """The detector's input for `marker`, which arrived at position `now`.

    Raises:
        ProtocolError: it speaks of a moment too far in the past or in the future.
    """
    match marker:
        case messages.AgentStarted():
            return inputs.AgentStarted(_moment(marker.at_ms, now))
        case messages.AgentStopped():
            return inputs.AgentStopped(_moment(marker.at_ms, now))
        case messages.OverlapStarted():
            at = _moment(marker.at_ms, now)
            return inputs.OverlapStarted(at, min(at, samples(marker.speech_duration_ms)))
        case messages.OverlapEnded():
            return inputs.OverlapEnded(_moment(marker.at_ms, now))
        case messages.Transcript():
            return _transcript(marker, now)
        case _:
            assert_never(marker)


def _moment(at_ms: float | UnsetType, now: int) -> int:
    """The position that `at_ms` names; absent: now."""
    if isinstance(at_ms, UnsetType):
        return now
    at = samples(at_ms)
    if at < now - samples(MAX_PAST_MS):
        raise _refused(at_ms, now, f"{MAX_PAST_MS} ms in the past")
    return _not_in_the_future(at_ms, now)


def _transcript(marker: messages.Transcript, now: int) -> inputs.Transcript:
    """Words may be old (a recogniser takes its time), but not from the future."""
    end = None if isinstance(marker.end_ms, UnsetType) else _not_in_the_future(marker.end_ms, now)
    start = None
    if not isinstance(marker.start_ms, UnsetType):
        start = _not_in_the_future(marker.start_ms, now)
    return inputs.Transcript(marker.id, marker.text, start, end, marker.final)


def _not_in_the_future(at_ms: float, now: int) -> int:
    at = samples(at_ms)
    if at > now + samples(MAX_FUTURE_MS):
        raise _refused(at_ms, now, f"{MAX_FUTURE_MS} ms in the future")
    return at


def _refused(at_ms: float, now: int, limit: str) -> ProtocolError:
    return ProtocolError(
        ErrorCode.INVALID_MARKER,
        f"at_ms {at_ms:g} is more than {limit}: the audio clock shows {milliseconds(now):g} ms",
    )
