"""The README's bot in a pipeline of Pipecat's own, with a scripted ear, mind and mouth.

Only what would need the network is made up: the recogniser hears the script's words, the model has
one answer, the voice is a tone. Transport, VAD, turn strategies, aggregators and frames are
Pipecat's. Runs where Pipecat is installed: `bot.py EXAMPLE URL`.

Reads one JSON object per line from standard input: `{"do": "say", "seconds"}` makes the bot speak,
`{"do": "play", "file", "words", "words_at_ms"}` plays a file as the user, `{"do": "end"}` ends. In
between there is silence from the microphone, in real time. Writes one JSON object per line for
every frame and event that matters.
"""

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncGenerator
from typing import Any, cast

import soundfile
from bargein_client.pipecat import BargeinEventFrame, BargeinGuardFrame
from bargein_protocol.codec import encode
from loguru import logger
from pipecat.audio.vad.vad_analyzer import VADParams
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    StartFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    UserBackchannelFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADParamsUpdateFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_response_universal import LLMUserAggregator
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_input import BaseInputTransport
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import BaseTransport, TransportParams
from pipecat.workers.runner import WorkerRunner

RATE = 16_000
FRAME_MS = 20
FRAME_BYTES = RATE * 2 * FRAME_MS // 1000
REPLY_SECONDS = 1
KEEN_VAD = VADParams(confidence=0.4, start_secs=0.1, min_volume=0.3)
"""Hears a short “mm-hmm” wherever its frames happen to begin."""
TOLD = (
    BargeinEventFrame,
    BargeinGuardFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    InterruptionFrame,
    UserBackchannelFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)


def report(what: str, **fields: object) -> None:
    """One line of output."""
    print(json.dumps({"what": what, **fields}), flush=True)  # noqa: T201


class Microphone(BaseInputTransport):
    """The user, in real time: what is played, and silence."""

    def __init__(self, params: TransportParams) -> None:
        super().__init__(params)
        self._pcm = b""
        self._mouth: asyncio.Task[None] | None = None

    def play(self, pcm: bytes) -> None:
        """Hear this next."""
        self._pcm += pcm

    async def start(self, frame: StartFrame) -> None:
        """Begin to hear."""
        await super().start(frame)
        await self.set_transport_ready(frame)
        self._mouth = self.create_task(self._hear())

    async def cleanup(self) -> None:
        """Hear no more."""
        if self._mouth is not None:
            await self.cancel_task(self._mouth)
        await super().cleanup()  # type: ignore[no-untyped-call]

    async def _hear(self) -> None:
        clock = asyncio.get_running_loop().time
        due = clock()
        while True:
            data, self._pcm = self._pcm[:FRAME_BYTES], self._pcm[FRAME_BYTES:]
            audio = data.ljust(FRAME_BYTES, b"\0")
            await self.push_audio_frame(InputAudioRawFrame(audio, RATE, 1))
            if data and not self._pcm:
                report("played")
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - clock()))


class Loudspeaker(BaseOutputTransport):
    """Plays into nothing, in real time."""

    async def start(self, frame: StartFrame) -> None:
        """Be ready."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Take as long as the audio does."""
        await asyncio.sleep(frame.num_frames / frame.sample_rate)
        return True


class Telephone(BaseTransport):
    """Microphone and loudspeaker."""

    def __init__(self) -> None:
        super().__init__()
        params = TransportParams(
            audio_in_enabled=True, audio_out_enabled=True, audio_out_end_silence_secs=0
        )
        self.microphone = Microphone(params)
        self.loudspeaker = Loudspeaker(params)

    def input(self) -> Microphone:
        """Where the user is heard."""
        return self.microphone

    def output(self) -> Loudspeaker:
        """Where the bot is heard."""
        return self.loudspeaker


class Ear(STTService):
    """Hears the script's words when so much audio has passed."""

    def __init__(self) -> None:
        super().__init__(ttfs_p99_latency=0.2, settings=STTSettings(model=None, language=None))
        self._due: list[tuple[int, str]] = []

    def expect(self, words: str, after_ms: int) -> None:
        """Hear `words` after this much audio."""
        self._due.append((after_ms * RATE * 2 // 1000, words))

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Count the audio."""
        left = [(rest - len(audio), words) for rest, words in self._due]
        self._due = [(rest, words) for rest, words in left if rest > 0]
        for rest, words in left:
            if rest <= 0:
                yield TranscriptionFrame(words, "user", "now", finalized=True)


class Mind(FrameProcessor):
    """Has one answer, and tells what it was asked."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answer."""
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        message: Any = frame.context.get_messages()[-1]
        report("asked", text=message["content"])
        await self.push_frame(LLMFullResponseStartFrame())
        await self.push_frame(LLMTextFrame(f"{REPLY_SECONDS} second."))
        await self.push_frame(LLMFullResponseEndFrame())


class Voice(TTSService):
    """A tone for as many seconds as the text begins with."""

    def __init__(self) -> None:
        super().__init__(
            push_start_frame=True,
            push_stop_frames=True,
            stop_frame_timeout_s=0.2,
            settings=TTSSettings(model=None, voice=None, language=None),
        )

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Speak."""
        seconds = int(text.split(maxsplit=1)[0])
        tone = b"\0\x10\0\xf0" * (self.sample_rate // 20)
        for _ in range(10 * seconds):
            yield TTSAudioRawFrame(tone, self.sample_rate, 1, context_id=context_id)


class Witness(BaseObserver):
    """Tells of each frame that matters, once."""

    def __init__(self) -> None:
        super().__init__(observe_every_push=False)

    async def on_push_frame(self, data: FramePushed) -> None:
        """Look at a frame."""
        frame = data.frame
        if not isinstance(frame, TOLD) or data.direction is not FrameDirection.DOWNSTREAM:
            return
        fields: dict[str, object] = {}
        if isinstance(frame, BargeinEventFrame):
            event = json.loads(encode(frame.event))
            fields = {"event": event["type"], "source": event.get("source")}
        elif isinstance(frame, BargeinGuardFrame):
            fields = {"guarded": frame.guarded}
        elif isinstance(frame, UserBackchannelFrame):
            fields = {"text": frame.text}
        report(type(frame).__name__, **fields)


def load_example(path: str) -> Any:
    """The README's example as a module."""
    spec = importlib.util.spec_from_file_location("example", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_pcm(path: str) -> bytes:
    """A mono file of the pipeline's rate."""
    library = cast("Any", soundfile)  # it has no types
    samples, rate = library.read(path, dtype="int16")
    if rate != RATE:
        raise ValueError(path)
    pcm: bytes = samples.tobytes()
    return pcm


async def commands() -> AsyncGenerator[dict[str, Any], None]:
    """What standard input says, until it ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        yield json.loads(line)


async def obey(worker: PipelineWorker, telephone: Telephone, ear: Ear) -> None:
    """Carry out the script."""
    await worker.queue_frame(VADParamsUpdateFrame(KEEN_VAD))
    async for command in commands():
        match command["do"]:
            case "say":
                await worker.queue_frame(TTSSpeakFrame(f"{command['seconds']} seconds."))
            case "play":
                if command["words"]:
                    ear.expect(command["words"], command["words_at_ms"])
                telephone.microphone.play(read_pcm(command["file"]))
            case other:
                raise ValueError(other)
    await worker.stop_when_done()  # type: ignore[no-untyped-call]


async def main(example: str, url: str) -> None:
    """Run the bot until standard input ends."""
    logger.remove()
    logger.add(lambda line: report("log", text=line.record["message"]), level="WARNING")
    logger.add(sys.stderr, level="DEBUG")
    telephone, ear = Telephone(), Ear()
    pipeline: Pipeline = load_example(example).make_pipeline(telephone, ear, Mind(), Voice(), url)
    (user,) = (each for each in pipeline.processors if isinstance(each, LLMUserAggregator))
    worker = PipelineWorker(
        pipeline, observers=[Witness()], enable_rtvi=False, cancel_on_idle_timeout=False
    )

    async def turn_started(*_: object) -> None:
        report("turn")

    async def pipeline_started(*_: object) -> None:
        report("ready")

    user.add_event_handler("on_user_turn_started", turn_started)
    worker.add_event_handler("on_pipeline_started", pipeline_started)
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(runner.run())
        tasks.create_task(obey(worker, telephone, ear))
    report("over")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
