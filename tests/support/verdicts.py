"""Verdicts as a server sends them."""

from bargein_protocol.messages import Interruption, NonInterruption

INTERRUPTION = Interruption(
    overlap_id=1,
    onset_ms=0,
    at_ms=300,
    probability=0.9,
    probabilities=(0.9, 0.9),
    detection_delay_ms=300,
    inference_ms=1,
    predictions=1,
    source="model",
)
HELD = NonInterruption(
    overlap_id=1,
    onset_ms=0,
    at_ms=300,
    reason="backchannel",
    probability=0.1,
    probabilities=(0.1,),
    predictions=1,
    source="model",
)
