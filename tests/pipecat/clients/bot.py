"""The README's bot in a pipeline of Pipecat's own, with a scripted ear, mind and mouth.

Only what would need the network is made up: the recogniser hears the script's words, the model has
one answer, the voice is a recording. Transport, VAD, turn strategies, aggregators and frames are
Pipecat's. Runs where Pipecat is installed: `bot.py EXAMPLE URL`.

Reads one JSON object per line from standard input: `{"do": "say", "seconds"}` makes the bot speak,
`{"do": "play", "file", "words", "words_at_ms"}` plays a file as the user, `{"do": "room",
"delay_ms", "level_db"}` lets the microphone hear the loudspeaker, `{"do": "loudspeaker"}` asks for
one when the session is open, `{"do": "mute"}` mutes the user whenever the bot speaks. The end of
the input ends it. In between there is silence from the microphone, in real time. Writes one JSON
object per line for every frame and event that matters.
"""

import asyncio
import importlib.util
import json
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any, cast

import numpy as np
import soundfile
import soxr
from bargein_client.pipecat import BargeinEventFrame, BargeinGuardFrame, BargeinProcessor
from bargein_protocol.codec import encode
from loguru import logger
from numpy.typing import NDArray
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
from pipecat.turns.user_mute.always_user_mute_strategy import AlwaysUserMuteStrategy
from pipecat.workers.runner import WorkerRunner

Floats = NDArray[np.float32]

RATE = 16_000
FRAME_MS = 20
FRAME_BYTES = RATE * 2 * FRAME_MS // 1000
REPLY_SECONDS = 1
BUFFERED = RATE * 60 // 1000
"""What a sound card holds, so that it plays on while the machine is busy."""
VOICE = Path(__file__).parents[3] / "server/bargein_server/pages/static/audio/agent-plans.mp3"
"""What the bot says, over and over."""
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
        self._room = np.zeros(0, np.float32)
        self._position = 0
        self._moved = asyncio.Condition()
        self._mouth: asyncio.Task[None] | None = None

    @property
    def position(self) -> int:
        """Samples heard so far: the clock that the loudspeaker goes by, too."""
        return self._position

    def play(self, pcm: bytes) -> None:
        """Hear this next."""
        self._pcm += pcm

    def leak(self, audio: Floats, position: int) -> None:
        """Hear this, too, from `position` on."""
        start = position - self._position
        longer = max(0, start + len(audio) - len(self._room))
        self._room = np.pad(self._room, (0, longer))
        self._room[start : start + len(audio)] += audio

    async def until(self, position: int) -> None:
        """Wait until so much was heard."""
        async with self._moved:
            await self._moved.wait_for(lambda: self._position >= position)

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
            audio = self._in_room(data.ljust(FRAME_BYTES, b"\0"))
            await self.push_audio_frame(InputAudioRawFrame(audio, RATE, 1))
            async with self._moved:
                self._moved.notify_all()
            if data and not self._pcm:
                report("played")
            due += FRAME_MS / 1000
            await asyncio.sleep(max(0.0, due - clock()))

    def _in_room(self, pcm: bytes) -> bytes:
        audio = np.frombuffer(pcm, np.int16).astype(np.float32)
        leaked, self._room = self._room[: len(audio)], self._room[len(audio) :]
        audio[: len(leaked)] += leaked
        self._position += len(audio)
        return audio.clip(-32768, 32767).astype(np.int16).tobytes()


class Loudspeaker(BaseOutputTransport):
    """Plays in real time, into nothing or a room with a microphone."""

    def __init__(self, params: TransportParams, microphone: Microphone) -> None:
        super().__init__(params)
        self._microphone = microphone
        self._room: tuple[int, float] | None = None
        self._free_at = 0

    def stand_in_room(self, delay_ms: int, level_db: float) -> None:
        """Let the microphone hear what is played, so much later and so much lower."""
        self._room = delay_ms, 10 ** (level_db / 20)

    async def start(self, frame: StartFrame) -> None:
        """Be ready."""
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        """Take as long as the audio does, but for what is buffered."""
        begins = max(self._free_at, self._microphone.position)
        self._free_at = begins + frame.num_frames * RATE // frame.sample_rate
        if self._room is not None:
            delay_ms, gain = self._room
            pcm = np.frombuffer(frame.audio, np.int16).astype(np.float32)
            audio = resampled(pcm * gain, frame.sample_rate, RATE)
            self._microphone.leak(audio, begins + delay_ms * RATE // 1000)
        await self._microphone.until(self._free_at - BUFFERED)
        return True


class Telephone(BaseTransport):
    """Microphone and loudspeaker."""

    def __init__(self) -> None:
        super().__init__()
        params = TransportParams(
            audio_in_enabled=True, audio_out_enabled=True, audio_out_end_silence_secs=0
        )
        self.microphone = Microphone(params)
        self.loudspeaker = Loudspeaker(params, self.microphone)

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
    """Speaks for as many seconds as the text begins with."""

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
        audio = np.resize(self._said(), seconds * self.sample_rate).astype(np.int16)
        for piece in np.split(audio, 10 * seconds):
            yield TTSAudioRawFrame(piece.tobytes(), self.sample_rate, 1, context_id=context_id)

    def _said(self) -> Floats:
        samples, rate = cast("Any", soundfile).read(VOICE, dtype="int16")
        return resampled(samples.astype(np.float32), rate, self.sample_rate)


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
            fields = {
                "event": event["type"],
                "source": event.get("source"),
                "reason": event.get("reason"),
            }
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


def resampled(audio: Floats, rate: int, to_rate: int) -> Floats:
    """The same at another rate; each call for itself, which a test's room survives."""
    result: Floats = cast("Any", soxr).resample(audio, rate, to_rate)
    return result


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


async def obey(
    worker: PipelineWorker,
    telephone: Telephone,
    ear: Ear,
    bargein: BargeinProcessor,
    user: LLMUserAggregator,
) -> None:
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
            case "room":
                telephone.loudspeaker.stand_in_room(command["delay_ms"], command["level_db"])
            case "mute":
                strategies = user._params.user_mute_strategies  # pyright: ignore[reportPrivateUsage]
                strategies.append(AlwaysUserMuteStrategy())  # type: ignore[no-untyped-call]
            case "loudspeaker":
                try:
                    bargein.loudspeaker()
                except RuntimeError as error:
                    report("refused", text=str(error))
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
    (bargein,) = (each for each in pipeline.processors if isinstance(each, BargeinProcessor))
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
        tasks.create_task(obey(worker, telephone, ear, bargein, user))
    report("over")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
