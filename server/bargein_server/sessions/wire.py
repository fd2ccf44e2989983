"""What the detector says, in the words of the wire: positions become `at_ms`, times become ms."""

from typing import assert_never

from bargein_protocol import messages
from bargein_protocol.messages import ServerMessage, Summary

from bargein_server.detection import outputs
from bargein_server.detection.outputs import Output

SAMPLES_PER_MS = 16


def milliseconds(position: int) -> float:
    """A position, or a duration in samples at 16 kHz, in milliseconds."""
    return position / SAMPLES_PER_MS


def to_message(  # noqa: C901 - the one place that knows every output
    output: Output, *, recording: str | None
) -> ServerMessage | None:
    """The message for `output`, not numbered yet; None for what is no client's business."""
    at_ms = milliseconds(output.at)
    match output:
        case outputs.SpeechOnset():
            return messages.SpeechStarted(at_ms=at_ms)
        case outputs.SpeechOffset():
            return messages.SpeechStopped(at_ms=at_ms)
        case outputs.OverlapOpened():
            onset_ms = milliseconds(output.onset)
            return messages.OverlapOpened(
                overlap_id=output.overlap_id, onset_ms=onset_ms, at_ms=at_ms
            )
        case outputs.Interruption():
            return _interruption(output)
        case outputs.NonInterruption():
            return _non_interruption(output)
        case outputs.FalseInterruption():
            return messages.FalseInterruption(overlap_id=output.overlap_id, at_ms=at_ms)
        case outputs.TranscriptReleased():
            return _transcript_released(output)
        case outputs.TranscriptDropped():
            return messages.TranscriptDropped(id=output.id, reason=output.reason, at_ms=at_ms)
        case outputs.PredictionHeard():
            return _prediction(output)
        case outputs.OptionsTaken():
            return messages.SessionUpdated(at_ms=at_ms, options=output.options)
        case outputs.Warned():
            code = output.code
            return messages.Warning(code=code.code, message=code.meaning, at_ms=at_ms)
        case outputs.Ended():
            return _closed(output, recording)
        case outputs.OverlapClosed() | outputs.RequestPrediction() | outputs.StreamEnded():
            return None
        case _:
            assert_never(output)


def _interruption(output: outputs.Interruption) -> messages.Interruption:
    return messages.Interruption(
        overlap_id=output.overlap_id,
        onset_ms=milliseconds(output.onset),
        at_ms=milliseconds(output.at),
        probability=output.probability,
        probabilities=output.probabilities,
        detection_delay_ms=milliseconds(output.at - output.onset),
        inference_ms=None if output.inference_us is None else output.inference_us / 1000,
        predictions=output.predictions,
        source=output.source,
    )


def _non_interruption(output: outputs.NonInterruption) -> messages.NonInterruption:
    return messages.NonInterruption(
        overlap_id=output.overlap_id,
        onset_ms=milliseconds(output.onset),
        at_ms=milliseconds(output.at),
        reason=output.reason,
        probability=output.probability,
        probabilities=output.probabilities,
        predictions=output.predictions,
        source=output.source,
    )


def _transcript_released(output: outputs.TranscriptReleased) -> messages.TranscriptReleased:
    return messages.TranscriptReleased(
        id=output.id,
        text=output.text,
        start_ms=milliseconds(output.start),
        end_ms=milliseconds(output.end),
        final=output.final,
        at_ms=milliseconds(output.at),
    )


def _prediction(output: outputs.PredictionHeard) -> messages.PredictionMade:
    last = output.frames[-1]
    return messages.PredictionMade(
        overlap_id=output.overlap_id,
        at_ms=milliseconds(output.at),
        probabilities=tuple(frame.interruption for frame in output.frames),
        classes={name: getattr(last, name) for name in last.__struct_fields__},
        inference_ms=output.inference_us / 1000,
    )


def _closed(output: outputs.Ended, recording: str | None) -> messages.SessionClosed:
    summary = Summary(
        duration_ms=milliseconds(output.at),
        overlaps=output.overlaps,
        interruptions=output.interruptions,
        non_interruptions=output.non_interruptions,
        false_interruptions=output.false_interruptions,
        predictions=output.predictions,
        recording=recording,
    )
    return messages.SessionClosed(at_ms=milliseconds(output.at), summary=summary)
