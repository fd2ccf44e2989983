"""What a replay decided, next to what was decided when it was recorded."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from bargein_protocol.codec import decode_server, encode
from bargein_protocol.messages import Interruption, NonInterruption, ServerMessage, Verdict

ONSET_TOLERANCE_MS = 25.0
"""One frame of a prediction: another server may cut the audio at other places."""


class Difference(NamedTuple):
    """One place where they differ; None: there is nothing on that side."""

    recorded: str | None
    replayed: str | None


def verdicts(messages: Iterable[ServerMessage]) -> list[Verdict]:
    """The verdicts among the messages, in order."""
    return [message for message in messages if isinstance(message, Interruption | NonInterruption)]


def decode_events(events: Iterable[bytes]) -> list[ServerMessage]:
    """Recorded events as messages; types that this version does not know are left out."""
    return [message for event in events if (message := decode_server(event)) is not None]


def describe(verdict: Verdict) -> str:
    """A verdict in a few words."""
    probability = "" if verdict.probability is None else f" p={verdict.probability:.2f}"
    moments = f"onset {verdict.onset_ms / 1000:.3f} s, decided {verdict.at_ms / 1000:.3f} s"
    if isinstance(verdict, Interruption):
        return f"interruption ({verdict.source}) {moments}{probability}"
    return f"non_interruption: {verdict.reason} {moments}{probability}"


def compare_verdicts(
    recorded: Sequence[Verdict], replayed: Sequence[Verdict]
) -> Iterator[Difference]:
    """Verdicts that differ in kind, reason or onset; what came when is not compared.

    Verdicts are paired by their onsets.
    """
    waiting = list(replayed)
    for verdict in recorded:
        near = [other for other in waiting if _near(verdict, other)]
        if not near:
            yield Difference(describe(verdict), None)
            continue
        waiting.remove(near[0])
        if _kind(verdict) != _kind(near[0]):
            yield Difference(describe(verdict), describe(near[0]))
    for verdict in waiting:
        yield Difference(None, describe(verdict))


def compare_events(
    recorded: Sequence[bytes], replayed: Sequence[ServerMessage], *, whole: bool
) -> Iterator[Difference]:
    """Events that differ by a byte; a recording that was cut short only as far as it goes."""
    again = [encode(message) for message in replayed]
    shared = min(len(recorded), len(again))
    longest = max(len(recorded), len(again)) if whole else shared
    for index in range(longest):
        before = recorded[index] if index < len(recorded) else None
        after = again[index] if index < len(again) else None
        if before != after:
            yield Difference(_text(before), _text(after))


def _text(event: bytes | None) -> str | None:
    return None if event is None else event.decode()


def _near(verdict: Verdict, other: Verdict) -> bool:
    return abs(verdict.onset_ms - other.onset_ms) <= ONSET_TOLERANCE_MS


def _kind(verdict: Verdict) -> tuple[str, str | None]:
    reason = verdict.reason if isinstance(verdict, NonInterruption) else None
    return str(verdict.__struct_config__.tag), reason
