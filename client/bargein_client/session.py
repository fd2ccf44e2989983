"""A session with the server: audio and markers in, typed events out."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bargein_protocol.audio import AudioFormat, AudioFrame, Track
from bargein_protocol.errors import ErrorCode
from bargein_protocol.messages import (
    AgentStarted,
    AgentStopped,
    Attach,
    OverlapEnded,
    OverlapStarted,
    ServerMessage,
    SessionClose,
    SessionCreate,
    SessionCreated,
    SessionUpdate,
    Summary,
    Transcript,
)
from msgspec import UNSET, UnsetType

from bargein_client.backlog import gaps
from bargein_client.credentials import Credentials
from bargein_client.errors import BargeinError, error_for
from bargein_client.framing import Framer, Pcm
from bargein_client.lifeline import Lifeline, SessionState
from bargein_client.link import endpoint
from bargein_client.retrying import Backoff

DEFAULT_URL = "ws://127.0.0.1:8765"
CLOSE_TIMEOUT_S = 30.0
"""How long `close` waits for the summary."""
LEAVE_TIMEOUT_S = 1.0
"""How long `leave` waits for room in the socket's buffer."""


@asynccontextmanager
async def connect(
    url: str = DEFAULT_URL,
    *,
    key: str | None = None,
    secret: str | None = None,
    token: str | None = None,
    audio: AudioFormat | None = None,
    options: dict[str, Any] | None = None,
    session_id: str | None = None,
    metadata: dict[str, Any] | None = None,
    record: bool = False,
    attach: str | None = None,
    retry: Backoff | None = None,
) -> AsyncGenerator["Session"]:
    """Open a session; leaving the block ends it.

        async with connect("ws://127.0.0.1:8765") as session:
            await session.agent_started()
            await session.send_audio(pcm)

    Args:
        url: of the server; `/v1/session` is added if it has no path.
        key: an API key, from which tokens are made here with its `secret`.
        secret: never leaves this process.
        token: a ready token instead.
        audio: what `send_audio` is given; default: 16 kHz s16le, the user's track only.
        options: settings that differ from the server's (see `bargein_protocol.options`).
        session_id: a name of your choice.
        metadata: labels; shown to subscribers and kept in recordings.
        record: ask for a recording.
        attach: the `attach_token` of a running session `session_id`, to join it.
        retry: how to come back after a lost connection; `Backoff(attempts=0)`: not at all.

    Raises:
        ClientError: refused for something on this side (credentials, options, …).
        ServerError: the server is full or broken.
        NetworkError: the server cannot be reached.
    """
    create = SessionCreate(
        session_id=session_id or UNSET,
        audio=audio or AudioFormat(),
        options=options or {},
        metadata=metadata or {},
        attach=Attach(token=attach) if attach else UNSET,
        record=record,
    )
    credentials = Credentials(key=key, secret=secret, token=token)
    line = Lifeline(endpoint(url, "/v1/session"), credentials, create, retry or Backoff())
    try:
        await line.open()
        session = Session(line, create.audio)
        try:
            yield session
        except BaseException:
            await session.leave()
            raise
        if not line.told:
            await session.close()
    finally:
        await line.shut()


class Session:
    """An open session; made by `connect`.

    Iterate over it for the server's messages, oldest first; the iteration ends after
    `session.closed`. Every method that sends waits while the socket's buffer is full. Once the
    session is lost for good, they and the iteration raise `BargeinError`.
    """

    def __init__(self, line: Lifeline, audio: AudioFormat) -> None:
        self._line = line
        self._audio = audio
        self._framers: dict[Track, Framer] = {track: Framer(audio) for track in audio.tracks}

    @property
    def state(self) -> SessionState:
        """Whether what is sent goes out at once."""
        return self._line.state

    @property
    def created(self) -> SessionCreated:
        """The server's welcome: id, tokens, options, model; of the latest connection."""
        if self._line.created is None:
            raise RuntimeError("the session is not open")
        return self._line.created

    @property
    def session_id(self) -> str:
        """The session's name."""
        return self.created.session_id

    @property
    def at_ms(self) -> float:
        """The audio clock of this side: user audio and gaps handed over so far."""
        return self._line.clock * 1000 / self._audio.sample_rate

    # ------------------------------------------------------------------ what to say

    async def send_audio(self, pcm: Pcm) -> None:
        """Send user audio that follows what was sent before, of any length.

        Args:
            pcm: mono samples in the session's encoding and rate: bytes or an array.
        """
        await self._send_track("user", pcm)

    async def send_agent_audio(self, pcm: Pcm) -> None:
        """Send what the loudspeaker plays; needs `AudioFormat(tracks=("user", "agent"))`."""
        await self._send_track("agent", pcm)

    async def gap(self, duration_ms: float) -> None:
        """Say that `duration_ms` of user audio was left out (muted, lost); it counts as silence.

        Raises:
            ValueError: less than 0.
        """
        if duration_ms < 0:
            raise ValueError(f"a gap of {duration_ms:g} ms")
        duration_ms += self._framers["user"].drop() * 1000 / self._audio.sample_rate
        for gap in gaps(duration_ms):
            await self._line.send(gap)
            self._line.clock += self._audio.samples(gap.duration_ms)

    async def agent_started(self, at_ms: float | UnsetType = UNSET) -> None:
        """The agent became audible (playout, not generation); absent `at_ms`: now."""
        await self._line.send(AgentStarted(at_ms=at_ms))

    async def agent_stopped(self, at_ms: float | UnsetType = UNSET) -> None:
        """The agent ceased to be audible."""
        await self._line.send(AgentStopped(at_ms=at_ms))

    async def overlap_started(
        self, at_ms: float | UnsetType = UNSET, *, speech_duration_ms: float = 0.0
    ) -> None:
        """Your own VAD heard the user begin, `speech_duration_ms` before `at_ms`."""
        await self._line.send(OverlapStarted(at_ms=at_ms, speech_duration_ms=speech_duration_ms))

    async def overlap_ended(self, at_ms: float | UnsetType = UNSET) -> None:
        """Your own VAD heard the user stop."""
        await self._line.send(OverlapEnded(at_ms=at_ms))

    async def transcript(
        self,
        id: str,  # noqa: A002
        text: str,
        *,
        start_ms: float | UnsetType = UNSET,
        end_ms: float | UnsetType = UNSET,
        final: bool = True,
    ) -> None:
        """Words of the user; they come back as `transcript.released` or `transcript.dropped`."""
        words = Transcript(id=id, text=text, start_ms=start_ms, end_ms=end_ms, final=final)
        await self._line.send(words)

    async def update(self, **options: Any) -> None:  # noqa: ANN401
        """Change options in place; the answer is `session.updated`, or an `error`."""
        await self._line.send(SessionUpdate(options=options))

    async def reset_options(self) -> None:
        """Go back to the server's own settings."""
        await self._line.send(SessionUpdate(options=None))

    async def close(self) -> Summary:
        """End the session and wait for its summary; events that came before can still be read."""
        if not self._line.ended.done():
            await self._line.send(SessionClose())
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await asyncio.wait([self._line.ended])
        except TimeoutError:
            raise error_for(ErrorCode.CONNECTION_LOST, "no answer to `session.close`") from None
        self._line.raise_failure()
        summary = self._line.ended.result()
        if summary is None:
            raise error_for(ErrorCode.CONNECTION_LOST, "the server closed without a summary")
        return summary

    async def leave(self) -> None:
        """End the session without waiting for anything; what `connect` does after an exception."""
        with contextlib.suppress(BargeinError, TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._line.send(SessionClose())

    # ------------------------------------------------------------------ what comes back

    def __aiter__(self) -> AsyncIterator[ServerMessage]:
        """The server's messages, oldest first."""
        return self

    async def __anext__(self) -> ServerMessage:
        """The next message."""
        event = await self._line.events.get()
        if event is not None:
            return event
        self._line.events.put_nowait(None)
        self._line.raise_failure()
        raise StopAsyncIteration

    async def _send_track(self, track: Track, pcm: Pcm) -> None:
        framer = self._framers.get(track)
        if framer is None:
            raise ValueError("the session has no agent track: connect with two `tracks`")
        for payload in framer.cut(pcm):
            await self._line.send(AudioFrame(track, payload))
            if track == "user":
                self._line.clock += len(payload) // self._audio.bytes_per_sample
