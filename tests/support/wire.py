"""Every message of the server as a line of JSON, and what it says."""

import msgspec
from bargein_protocol.messages import (
    Error,
    FalseInterruption,
    Interruption,
    ModelInfo,
    NonInterruption,
    OverlapOpened,
    PredictionMade,
    ServerInfo,
    ServerMessage,
    SessionClosed,
    SessionCreated,
    SessionUpdated,
    SpeechStarted,
    SpeechStopped,
    Summary,
    TranscriptDropped,
    TranscriptReleased,
    Warning,  # noqa: A004
)
from bargein_protocol.options import Options

OPTIONS_LINE = msgspec.json.encode(Options(threshold=0.5)).decode()
"""The options as such have literal tests of their own."""

SERVER_LINES: list[tuple[str, ServerMessage]] = [
    (
        (
            '{"type": "session.created", "seq": 1, "session_id": "s", "resume_token": "r",'
            ' "attach_token": "a", "at_ms": 0, "server": {"name": "bargein", "version": "0.1.0"},'
            ' "model": {"name": "bargein", "version": "1", "default_threshold": 0.5},'
            f' "options": {OPTIONS_LINE}}}'
        ),
        SessionCreated(
            seq=1,
            session_id="s",
            resume_token="r",
            attach_token="a",
            options=Options(threshold=0.5),
            model=ModelInfo(name="bargein", version="1", default_threshold=0.5),
            server=ServerInfo(name="bargein", version="0.1.0"),
        ),
    ),
    (
        f'{{"type": "session.updated", "seq": 2, "at_ms": 40, "options": {OPTIONS_LINE}}}',
        SessionUpdated(seq=2, at_ms=40, options=Options(threshold=0.5)),
    ),
    ('{"type": "speech.started", "seq": 3, "at_ms": 210}', SpeechStarted(seq=3, at_ms=210)),
    ('{"type": "speech.stopped", "seq": 4, "at_ms": 700}', SpeechStopped(seq=4, at_ms=700)),
    (
        '{"type": "overlap.started", "seq": 5, "overlap_id": 1, "onset_ms": 210, "at_ms": 260}',
        OverlapOpened(seq=5, overlap_id=1, onset_ms=210, at_ms=260),
    ),
    (
        (
            '{"type": "interruption", "seq": 6, "overlap_id": 1, "onset_ms": 210, "at_ms": 360,'
            ' "probability": 0.9, "probabilities": [0.2, 0.9], "detection_delay_ms": 150,'
            ' "inference_ms": 0.5, "predictions": 1, "source": "model"}'
        ),
        Interruption(
            seq=6,
            overlap_id=1,
            onset_ms=210,
            at_ms=360,
            probability=0.9,
            probabilities=(0.2, 0.9),
            detection_delay_ms=150,
            inference_ms=0.5,
            predictions=1,
            source="model",
        ),
    ),
    (
        (
            '{"type": "non_interruption", "seq": 7, "overlap_id": 1, "onset_ms": 210, "at_ms": 900,'
            ' "reason": "too_short", "probability": null, "probabilities": [], "predictions": 0,'
            ' "source": "vad"}'
        ),
        NonInterruption(
            seq=7,
            overlap_id=1,
            onset_ms=210,
            at_ms=900,
            reason="too_short",
            probability=None,
            probabilities=(),
            predictions=0,
            source="vad",
        ),
    ),
    (
        '{"type": "false_interruption", "seq": 8, "overlap_id": 1, "at_ms": 2900}',
        FalseInterruption(seq=8, overlap_id=1, at_ms=2900),
    ),
    (
        (
            '{"type": "transcript.released", "seq": 9, "id": "t1", "text": "wait", "start_ms": 210,'
            ' "end_ms": 500, "final": true, "at_ms": 600}'
        ),
        TranscriptReleased(
            seq=9, id="t1", text="wait", start_ms=210, end_ms=500, final=True, at_ms=600
        ),
    ),
    (
        (
            '{"type": "transcript.dropped", "seq": 10, "id": "t2", "reason": "backchannel",'
            ' "at_ms": 600}'
        ),
        TranscriptDropped(seq=10, id="t2", reason="backchannel", at_ms=600),
    ),
    (
        (
            '{"type": "prediction", "seq": 11, "overlap_id": 1, "at_ms": 360,'
            ' "probabilities": [0.2, 0.9], "classes": {"interruption": 0.9, "backchannel": 0.1},'
            ' "inference_ms": 0.5}'
        ),
        PredictionMade(
            seq=11,
            overlap_id=1,
            at_ms=360,
            probabilities=(0.2, 0.9),
            classes={"interruption": 0.9, "backchannel": 0.1},
            inference_ms=0.5,
        ),
    ),
    (
        '{"type": "error", "seq": 12, "code": "invalid_json", "message": "m", "fatal": false}',
        Error(seq=12, code="invalid_json", message="m", fatal=False),
    ),
    (
        '{"type": "warning", "seq": 13, "code": "audio_slow", "message": "m", "at_ms": 5}',
        Warning(seq=13, code="audio_slow", message="m", at_ms=5),
    ),
    (
        (
            '{"type": "session.closed", "seq": 14, "at_ms": 4000, "summary": {"duration_ms": 4000,'
            ' "overlaps": 1, "interruptions": 1, "non_interruptions": 0, "false_interruptions": 0,'
            ' "predictions": 2, "recording": null}}'
        ),
        SessionClosed(
            seq=14,
            at_ms=4000,
            summary=Summary(
                duration_ms=4000,
                overlaps=1,
                interruptions=1,
                non_interruptions=0,
                false_interruptions=0,
                predictions=2,
            ),
        ),
    ),
]
