"""A whole AgentSession of LiveKit with a scripted ear, mouth and mind; runs in the client's venv.

Only what would need the network is made up: the recogniser hears the script's words, the model
says one sentence, the voice is a tone of a given length. The VAD, the interruption detector and
all that decides are LiveKit's. Says `{"ready": true}` and reads `{"pcm", "words", "words_at_ms",
"agent_s", "then_s"}` from standard input; the user's audio begins with the agent's. Then writes one
JSON object per line.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession, ConversationItemAddedEvent, llm, stt, tts
from livekit.agents.language import LanguageCode
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS
from livekit.agents.utils import http_context
from livekit.agents.voice.io import AudioInput, AudioOutput, AudioOutputCapabilities

FRAME_MS = 20
FRAME_BYTES = FRAME_MS * 32
RATE = 16000
QUESTION = "Shall I read you the whole of the terms and conditions?"
REPLY = "All right, what would you like instead?"

began = time.monotonic()


def report(**fields: Any) -> None:
    """Say one thing, and when."""
    said = {"at_s": round(time.monotonic() - began, 2), **fields}
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


class Microphone(AudioInput):
    """What the user says, in real time, and silence after it."""

    def __init__(self, pcm: bytes) -> None:
        super().__init__(label="microphone")
        self._pcm = pcm
        self._position = 0
        self.opened = asyncio.Event()

    async def __anext__(self) -> rtc.AudioFrame:
        """The next 20 ms, when they have been spoken."""
        await self.opened.wait()
        if self._position == 0:
            self._began = time.monotonic()
        due = self._began + self._position / 32000
        await asyncio.sleep(max(0, due - time.monotonic()))
        data = self._pcm[self._position : self._position + FRAME_BYTES].ljust(FRAME_BYTES, b"\0")
        self._position += FRAME_BYTES
        return rtc.AudioFrame(data, RATE, 1, FRAME_BYTES // 2)


class Loudspeaker(AudioOutput):
    """Plays into nothing, in real time."""

    def __init__(self, started: Callable[[], None]) -> None:
        super().__init__(
            label="loudspeaker",
            capabilities=AudioOutputCapabilities(pause=False),
            sample_rate=RATE,
        )
        self._started = started
        self._held_s = 0.0
        self._ending = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Play this next."""
        await super().capture_frame(frame)
        if self._held_s == 0.0:
            self._began = time.time()
            self.on_playback_started(created_at=self._began)
            self._started()
        self._held_s += frame.duration

    def flush(self) -> None:
        """Nothing follows."""
        super().flush()
        if self._held_s and self._ending is None:
            left_s = self._began + self._held_s - time.time()
            self._ending = asyncio.get_running_loop().call_later(left_s, self._end, False)

    def clear_buffer(self) -> None:
        """Stop at once."""
        if self._held_s:
            self._end(True)

    def _end(self, interrupted: bool) -> None:
        if self._ending is not None:
            self._ending.cancel()
        position = min(self._held_s, time.time() - self._began)
        self._held_s, self._ending = 0.0, None
        self.on_playback_finished(playback_position=position, interrupted=interrupted)


class Recogniser(stt.STT):
    """Hears what it is told to."""

    def __init__(self) -> None:
        super().__init__(
            capabilities=stt.STTCapabilities(
                streaming=True, interim_results=False, aligned_transcript="word"
            )
        )
        self.streams: list[Recognition] = []

    async def _recognize_impl(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def stream(self, *, conn_options: Any = DEFAULT_API_CONNECT_OPTIONS, **_: Any) -> "Recognition":
        """One more ear."""
        self.streams.append(Recognition(stt=self, conn_options=conn_options))
        return self.streams[-1]

    def hear(self, words: str) -> None:
        """Hear these words now."""
        for stream in self.streams:
            stream.hear(words)


class Recognition(stt.RecognizeStream):
    """An ear that ignores the audio."""

    async def _run(self) -> None:
        async for _ in self._input_ch:
            pass

    def hear(self, words: str) -> None:
        """Hear these words now."""
        data = stt.SpeechData(language=LanguageCode("en"), text=words)
        event = stt.SpeechEvent(stt.SpeechEventType.FINAL_TRANSCRIPT, alternatives=[data])
        self._event_ch.send_nowait(event)


class Mind(llm.LLM):
    """Always says the same."""

    def chat(
        self,
        *,
        chat_ctx: llm.ChatContext,
        conn_options: Any = DEFAULT_API_CONNECT_OPTIONS,
        **_: Any,
    ) -> "Thought":
        """Answer the user."""
        return Thought(self, chat_ctx=chat_ctx, tools=[], conn_options=conn_options)


class Thought(llm.LLMStream):
    """One answer."""

    async def _run(self) -> None:
        delta = llm.ChoiceDelta(role="assistant", content=REPLY)
        self._event_ch.send_nowait(llm.ChatChunk(id="1", delta=delta))


class Voice(tts.TTS):
    """Says everything in the same time."""

    def __init__(self, duration_s: float) -> None:
        super().__init__(
            capabilities=tts.TTSCapabilities(streaming=False), sample_rate=RATE, num_channels=1
        )
        self.duration_s = duration_s

    def synthesize(self, text: str, *, conn_options: Any = DEFAULT_API_CONNECT_OPTIONS) -> "Speech":
        """Say this."""
        return Speech(tts=self, input_text=text, conn_options=conn_options)


class Speech(tts.ChunkedStream):
    """One sentence."""

    async def _run(self, output_emitter: tts.AudioEmitter) -> None:
        output_emitter.initialize(
            request_id="1", sample_rate=RATE, num_channels=1, mime_type="audio/pcm"
        )
        output_emitter.push(b"\0\20\0\360" * round(self._tts.duration_s * RATE / 2))
        output_emitter.flush()


def said(event: ConversationItemAddedEvent) -> None:
    """Report what was said, and by whom."""
    if isinstance(event.item, llm.ChatMessage):
        report(by=event.item.role, said=event.item.text_content, cut=event.item.interrupted)


async def main() -> None:
    """Play the script."""
    report(ready=True)
    script = json.load(sys.stdin)
    microphone = Microphone(await asyncio.to_thread(Path(script["pcm"]).read_bytes))
    recogniser = Recogniser()
    session = AgentSession(
        stt=recogniser,
        llm=Mind(),
        tts=Voice(script["agent_s"]),
        turn_handling={"interruption": {"mode": "adaptive"}},
    )
    session.on(
        "overlapping_speech",
        lambda e: report(overlap=e.is_interruption, requests=e.num_requests),
    )
    session.on("agent_state_changed", lambda e: report(agent=e.new_state))
    session.on("user_input_transcribed", lambda e: report(user=e.transcript))
    session.on("conversation_item_added", said)
    session.input.audio = microphone
    session.output.audio = Loudspeaker(microphone.opened.set)
    await session.start(Agent(instructions="Be brief."))
    speech = session.say(QUESTION)
    await microphone.opened.wait()
    loop = asyncio.get_running_loop()
    if script["words"]:
        loop.call_later(script["words_at_ms"] / 1000, recogniser.hear, script["words"])
    await speech
    report(done=True, interrupted=speech.interrupted)
    await asyncio.sleep(script["then_s"])
    await session.aclose()


async def in_http_context() -> None:
    """As LiveKit's worker runs its jobs."""
    async with http_context.open():
        await main()


asyncio.run(in_http_context())
