"""Streams a pipeline's user to a Bargein session and gates the transcripts by its verdicts."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec
from bargein_protocol.audio import AudioFormat, Track
from bargein_protocol.messages import (
    Interruption,
    ServerMessage,
    SessionCreated,
    TranscriptDropped,
    TranscriptReleased,
)
from loguru import logger
from pipecat.audio.resamplers.soxr_stream_resampler import SOXRStreamAudioResampler
from pipecat.frames.frames import (
    AudioRawFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    CancelFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    OutputAudioRawFrame,
    TranscriptionFrame,
    UserBackchannelFrame,
    UserMuteStartedFrame,
    UserMuteStoppedFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from bargein_client.credentials import Keys
from bargein_client.pipecat.frames import BargeinEventFrame, BargeinGuardFrame
from bargein_client.pipecat.gate import Gate, Transcript
from bargein_client.pipecat.line import ANSWER_S, PATIENCE, Line, LineState, Words
from bargein_client.pipecat.loudspeaker import BargeinLoudspeaker
from bargein_client.session import DEFAULT_URL, Session, connect


class BargeinProcessor(FrameProcessor):
    """Stands between the speech recogniser and the user aggregator.

    It passes everything on and never holds up the pipeline. Transcripts alone wait for the verdict
    on their overlap: those of an interruption go on, those of a backchannel become
    `UserBackchannelFrame`s, those of noise and echo are dropped. What else the server says goes
    downstream as `BargeinEventFrame`s.

    A second part, made by `loudspeaker`, may stand behind the output transport: it lets the server
    hear the bot, too, and tell its echo from the user.

    While the server is away or does not answer, which a warning tells, transcripts go straight
    through and the strategy goes by the VAD.

    Args:
        url: of the server.
        key: an API key, from which tokens are made here with its `secret`.
        secret: never leaves this process.
        token: a ready token instead.
        options: settings that differ from the server's (see `bargein_protocol.options`).
        metadata: labels; shown to subscribers and kept in recordings.
        name: of the processor.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        key: str | None = None,
        secret: str | None = None,
        token: str | None = None,
        options: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self._url = url
        self._keys: Keys = {"key": key, "secret": secret, "token": token}
        self._options = (options or {}) | {"predictions": True}  # they show that it listens
        self._metadata = metadata
        self._tracks: tuple[Track, ...] = ("user",)
        self._resampler = SOXRStreamAudioResampler(quality="LQ")  # little delay
        self._sample_rate = 0
        self._line = Line(self._open_session)
        self._task: asyncio.Task[None] | None = None
        self._line_state = LineState.DOWN
        self._bot_speaking = False
        self._bot_since_ms = 0.0
        self._guarded = False
        self._muted = False
        self._gate = Gate()
        self._hold_s = ANSWER_S

    def loudspeaker(self) -> BargeinLoudspeaker:
        """A processor to put right behind `transport.output()`.

        Raises:
            RuntimeError: the session is open already, with the user's track alone.
        """
        if self._task is not None:
            message = f"{self}: call loudspeaker() before the pipeline runs"
            raise RuntimeError(message)
        self._tracks = ("user", "agent")
        return BargeinLoudspeaker(self._play, name=f"{self.name}::Loudspeaker")

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take note of a frame, and pass it on now or after a verdict."""
        await super().process_frame(frame, direction)
        await self._watch()
        match frame:
            case InputAudioRawFrame():
                self._hear_user(frame)
            case BotStartedSpeakingFrame():
                await self._bot(speaking=True)
            case BotStoppedSpeakingFrame():
                await self._bot(speaking=False)
            case VADUserStartedSpeakingFrame():
                self._line.user(speaking=True)
            case VADUserStoppedSpeakingFrame():
                self._line.user(speaking=False)
            case UserMuteStartedFrame() | UserMuteStoppedFrame():
                self._muted = isinstance(frame, UserMuteStartedFrame)
            case TranscriptionFrame() | InterimTranscriptionFrame():
                await self._transcript(frame, direction)
                return
            case EndFrame() | CancelFrame():
                await self._stop()
            case _:
                pass
        await self.push_frame(frame, direction)

    async def cleanup(self) -> None:
        """Leave nothing behind."""
        await super().cleanup()  # type: ignore[no-untyped-call]
        await self._stop()

    # ------------------------------------------------------------------ what the pipeline says

    def _hear_user(self, frame: InputAudioRawFrame) -> None:
        if self._task is None:
            self._sample_rate = frame.sample_rate
            self._task = self.create_task(self._line.run(self._hear))
        heard = b"" if self._muted else _mono(frame)
        self._line.audio(heard, frame.num_frames * 1000 / frame.sample_rate)

    async def _play(self, frame: OutputAudioRawFrame) -> None:
        """The user hears this of the bot."""
        if self._task is None:
            return
        pcm = await self._resampler.resample(_mono(frame), frame.sample_rate, self._sample_rate)
        self._line.played(pcm, frame.num_frames * 1000 / frame.sample_rate)

    def _open_session(self) -> AbstractAsyncContextManager[Session]:
        return connect(
            self._url,
            audio=msgspec.convert(
                {"sample_rate": self._sample_rate, "tracks": self._tracks}, AudioFormat
            ),
            options=self._options,
            metadata=self._metadata,
            retry=PATIENCE,
            **self._keys,
        )

    async def _bot(self, *, speaking: bool) -> None:
        self._bot_speaking = speaking
        self._line.agent(speaking=speaking)
        self._bot_since_ms = self._line.at_ms if speaking else self._bot_since_ms
        await self._watch()

    async def _transcript(self, frame: Transcript, direction: FrameDirection) -> None:
        if self._line.state is LineState.DOWN:
            await self.push_frame(frame, direction)
            return
        name = self._gate.hold(frame, self._now_s())
        self._line.words(Words(name, frame.text, final=isinstance(frame, TranscriptionFrame)))

    async def _watch(self) -> None:
        """See whether the server is there; without it, nothing waits."""
        if self._task is None:
            return
        state = self._line.state
        if state is not self._line_state:
            self._line_state = state
            self._tell(state)
        up = state is LineState.UP
        if (guarded := up and self._bot_speaking) is not self._guarded:
            self._guarded = guarded
            await self.push_frame(BargeinGuardFrame(guarded))
        await self._release(waiting_s=self._hold_s if up else 0.0)

    def _tell(self, state: LineState) -> None:
        if state is LineState.UP:
            logger.info(f"{self}: Bargein listens")
        else:
            logger.warning(f"{self}: Bargein is away, the VAD alone decides until it is back")

    async def _release(self, *, waiting_s: float) -> None:
        """Pass on what has waited for so long."""
        for frame in self._gate.take_since(self._now_s() - waiting_s):
            await self.push_frame(frame)

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time()

    async def _stop(self) -> None:
        await self._release(waiting_s=0.0)
        task, self._task = self._task, None
        if task is not None:
            await self.cancel_task(task)

    # ------------------------------------------------------------------ what the server says

    async def _hear(self, event: ServerMessage) -> None:
        match event:
            case TranscriptReleased():
                if frame := self._gate.take(event.id):
                    await self.push_frame(frame)
            case TranscriptDropped():
                if frame := self._gate.take(event.id):
                    await self._drop(frame, event)
            case Interruption() if self._muted:
                logger.debug(f"{self}: an interruption by a user who is muted")
            case Interruption() if event.at_ms < self._bot_since_ms:
                logger.debug(f"{self}: an interruption of what the bot said before came too late")
            case _:
                if isinstance(event, SessionCreated):
                    self._bot_since_ms = min(self._bot_since_ms, event.at_ms)  # a clock of its own
                    self._hold_s = event.options.transcript_hold_ms / 1000 + ANSWER_S
                await self.push_frame(BargeinEventFrame(event))

    async def _drop(self, frame: Transcript, event: TranscriptDropped) -> None:
        logger.debug(f"{self}: not the user's turn ({event.reason}): [{frame.text}]")
        if event.reason == "backchannel" and isinstance(frame, TranscriptionFrame):
            await self.push_frame(
                UserBackchannelFrame(
                    text=frame.text, user_id=frame.user_id, timestamp=frame.timestamp
                )
            )


def _mono(frame: AudioRawFrame) -> bytes:
    """Its first channel."""
    if frame.num_channels == 1:
        return frame.audio
    return memoryview(frame.audio).cast("h")[:: frame.num_channels].tobytes()
