"""Drives LiveKit's own detector streams by a script, in real time; runs in the client's venv.

Says `{"ready": true}` and reads one JSON object from standard input: `{"scenarios": [{"name",
"pcm", "threshold", "script"}]}`. `pcm` is a file of 16 kHz mono s16le, `script` a list of `[at_ms,
action, argument]`; a `pause` stops the audio for so many ms. Then writes one JSON object per line
for whatever the detector says. All scenarios run at the same time.
"""

import asyncio
import inspect
import json
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
from livekit import rtc
from livekit.agents import inference
from livekit.agents.inference import interruption as module

Detector = inference.AdaptiveInterruptionDetector

PATIENCE_S = 5.0
"""Many clients share the machine of a test; how long answers take is for the benchmarks to say."""
FRAME_MS = 20
FRAME_BYTES = FRAME_MS * 32


def report(**fields: Any) -> None:
    """Say one thing."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def described(event: inference.OverlappingSpeechEvent) -> dict[str, Any]:
    """What a test wants to know of an event."""
    probabilities = [] if event.probabilities is None else event.probabilities.tolist()
    return {
        "interruption": event.is_interruption,
        "probability": event.probability,
        "requests": event.num_requests,
        "frames": len(probabilities),
        "leading_zeros": next((i for i, p in enumerate(probabilities) if p), len(probabilities)),
        "delay_s": event.total_duration,
    }


def sentinel(cls: type, **offered: float) -> Any:
    """An input of the stream; which fields it takes depends on the version."""
    taken = inspect.signature(cls).parameters
    return cls(**{name: value for name, value in offered.items() if name in taken})


def act(detector: Detector, stream: Any, action: str, argument: float = 0) -> None:
    """Do one step of a script."""
    now = time.time()
    match action:
        case "agent_started":
            stream.push_frame(module._AgentSpeechStartedSentinel())
        case "agent_ended":
            stream.push_frame(module._AgentSpeechEndedSentinel())
        case "overlap_started":
            stream.push_frame(
                sentinel(
                    module._OverlapSpeechStartedSentinel,
                    speech_duration=argument / 1000,
                    started_at=now - argument / 1000,
                )
            )
        case "overlap_ended":
            stream.push_frame(sentinel(module._OverlapSpeechEndedSentinel, ended_at=now))
        case "threshold":
            detector.update_options(threshold=argument)


async def speak(
    name: str, detector: Detector, stream: Any, pcm: bytes, script: list[list[Any]]
) -> None:
    """Push the audio and the script's inputs, each at its time."""
    script = sorted(script, key=lambda step: step[0])
    began = time.monotonic()
    for start in range(0, len(pcm), FRAME_BYTES):
        at_ms = start // 32
        await asyncio.sleep(max(0, began + at_ms / 1000 - time.monotonic()))
        while script and script[0][0] <= at_ms:
            _, action, *argument = script.pop(0)
            if action == "pause":
                await asyncio.sleep(argument[0] / 1000)
                began += argument[0] / 1000
                continue
            act(detector, stream, action, *argument)
            report(scenario=name, acted=action)
        data = pcm[start : start + FRAME_BYTES]
        stream.push_frame(rtc.AudioFrame(data, 16000, 1, len(data) // 2))
    await asyncio.sleep(0.3)
    stream.end_input()


async def listen(name: str, stream: Any) -> None:
    """Report what the stream says until it ends."""
    async for event in stream:
        report(scenario=name, event=described(event))


async def play(http: aiohttp.ClientSession, scenario: dict[str, Any]) -> None:
    """Play one scenario."""
    name = scenario["name"]
    options = {} if scenario.get("threshold") is None else {"threshold": scenario["threshold"]}
    detector = Detector(http_session=http, inference_timeout=PATIENCE_S, **options)
    detector.on("error", lambda error: report(scenario=name, error=str(error.error)))
    stream = detector.stream()
    pcm = await asyncio.to_thread(Path(scenario["pcm"]).read_bytes)
    speaking = asyncio.create_task(speak(name, detector, stream, pcm, scenario["script"]))
    try:
        await listen(name, stream)
        await speaking
    except Exception as error:  # noqa: BLE001 - whatever a user of the stream would get
        report(scenario=name, failed=type(error).__name__)
        speaking.cancel()
    await stream.aclose()
    report(scenario=name, done=True)


async def main() -> None:
    """Play all scenarios."""
    report(ready=True)
    scenarios = json.load(sys.stdin)["scenarios"]
    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(play(http, s) for s in scenarios))


asyncio.run(main())
