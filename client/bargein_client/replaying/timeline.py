"""What happened when, taken from a recording and a replay of it: what a drawing needs."""

from collections.abc import Sequence

import msgspec
from bargein_protocol.messages import (
    AgentStarted,
    AgentStopped,
    Interruption,
    OverlapOpened,
    ServerMessage,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    Verdict,
)
from bargein_protocol.options import FRAME_MS
from bargein_protocol.recording import SAMPLE_RATE, Tape
from msgspec import UnsetType

from bargein_client.replaying.compare import verdicts

Span = tuple[float, float]
"""Begin and end, in seconds on the audio clock."""
Curve = tuple[list[float], list[float]]
"""Moments in seconds, and values."""


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """A session's story; times in seconds on the audio clock."""

    duration_s: float
    model: str
    """Who decided."""
    agent: list[Span]
    """When the agent could be heard."""
    speech: list[Span]
    """When the user made sound."""
    overlaps: list[Span]
    """From the onset to the end of the sound, or of the agent's speech."""
    probabilities: list[Curve]
    """Per overlap: of an interruption, per 25 ms frame."""
    thresholds: Curve
    """From when which threshold applied."""
    verdicts: list[Verdict]


def timeline(tape: Tape, messages: Sequence[ServerMessage]) -> Timeline:
    """The story of a tape and what was said about it."""
    duration_s = len(tape.user) / 2 / SAMPLE_RATE
    agent, speech = _agent(tape, duration_s), _speech(messages, duration_s)
    decided = verdicts(messages)
    return Timeline(
        duration_s=duration_s,
        model=_model(tape, messages),
        agent=agent,
        speech=speech,
        overlaps=[
            _overlap(message.onset_ms / 1000, speech, agent, duration_s)
            for message in messages
            if isinstance(message, OverlapOpened)
        ],
        probabilities=[_curve(verdict) for verdict in decided if verdict.probabilities],
        thresholds=_thresholds(tape, messages),
        verdicts=decided,
    )


def headline(verdict: Verdict) -> str:
    """A verdict in two words."""
    if isinstance(verdict, Interruption):
        return "interruption"
    return verdict.reason.replace("_", " ")


def _model(tape: Tape, messages: Sequence[ServerMessage]) -> str:
    welcomes = [message.model for message in messages if isinstance(message, SessionCreated)]
    model = welcomes[0] if welcomes else tape.header.model
    return f"model {model.name} {model.version}"


def _agent(tape: Tape, duration_s: float) -> list[Span]:
    changes = [
        (_moment(step.message.at_ms, step.position), isinstance(step.message, AgentStarted))
        for step in tape.steps
        if isinstance(step.message, AgentStarted | AgentStopped)
    ]
    return _spans(changes, duration_s)


def _speech(messages: Sequence[ServerMessage], duration_s: float) -> list[Span]:
    changes = [
        (message.at_ms / 1000, isinstance(message, SpeechStarted))
        for message in messages
        if isinstance(message, SpeechStarted | SpeechStopped)
    ]
    return _spans(changes, duration_s)


def _spans(changes: Sequence[tuple[float, bool]], duration_s: float) -> list[Span]:
    """From the first "on" to the first "off" after it; the last one may go on to the end."""
    spans: list[Span] = []
    began: float | None = None
    for at_s, on in changes:
        if on and began is None:
            began = at_s
        elif not on and began is not None:
            spans.append((began, at_s))
            began = None
    if began is not None:
        spans.append((began, duration_s))
    return spans


def _overlap(
    onset_s: float, speech: Sequence[Span], agent: Sequence[Span], duration_s: float
) -> Span:
    ends = [end for begin, end in [*speech, *agent] if begin - 0.1 <= onset_s < end]
    return onset_s, min(ends, default=duration_s)


def _curve(verdict: Verdict) -> Curve:
    onset_s, frame_s = verdict.onset_ms / 1000, FRAME_MS / 1000
    moments = [onset_s + (number + 1) * frame_s for number in range(len(verdict.probabilities))]
    return moments, list(verdict.probabilities)


def _thresholds(tape: Tape, messages: Sequence[ServerMessage]) -> Curve:
    moments, values = [0.0], [tape.header.options.threshold or 0.5]
    for message in messages:
        if isinstance(message, SessionCreated | SessionUpdated):
            moments.append(message.at_ms / 1000)
            values.append(message.options.threshold or values[-1])
    return moments, values


def _moment(at_ms: float | UnsetType, position: int) -> float:
    return position / SAMPLE_RATE if isinstance(at_ms, UnsetType) else at_ms / 1000
