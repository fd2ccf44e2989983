"""One connection's part in a session: what it sends, decoded, and what it is sent."""

import asyncio
import logging
from typing import NamedTuple, Protocol

from bargein_protocol.audio import AudioFormat, AudioFrame, Track
from bargein_protocol.codec import encode
from bargein_protocol.connection import ServerConnection
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.messages import ClientMessage, Error, ServerMessage
from websockets.frames import CloseCode

from bargein_server.audio.decoding import AudioDecoder
from bargein_server.serving.connection import Connection
from bargein_server.sessions.history import MAX_BYTES

logger = logging.getLogger(__name__)

OUTBOX_BYTES = 2 * MAX_BYTES
"""What a connection may leave unread; more, and it is closed as a slow consumer. A resumed one
is sent all that the history holds at once."""

HEEDED = {CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.MESSAGE_TOO_BIG}
"""What a connection may end with so that its session ends, too."""


class Farewell(NamedTuple):
    """How a connection is closed."""

    close_code: int
    reason: str


GOODBYE = Farewell(CloseCode.NORMAL_CLOSURE, "")


class Party(Protocol):
    """The session, as one of its connections sees it."""

    def hear(self, member: "Member", track: Track, pcm: bytes) -> None:
        """Take audio: 16 kHz mono s16le."""
        ...

    def take(self, member: "Member", message: ClientMessage) -> None:
        """Take a message.

        Raises:
            ProtocolError: it cannot be.
        """
        ...

    def refuse(self, error: ProtocolError) -> None:
        """Tell of a message that was refused."""
        ...

    def leave(self, member: "Member", close_code: int) -> None:
        """The connection is gone."""
        ...

    def fail(self) -> None:
        """End after a fault of the server."""
        ...


class Member:
    """A connection in a session.

    Args:
        connection: the WebSocket, not yet streaming.
        protocol: its end of the native protocol; `session.create` has come, and is accepted by
            joining a session.
        audio: what its binary messages hold.
    """

    def __init__(
        self, connection: Connection, protocol: ServerConnection, audio: AudioFormat
    ) -> None:
        self._connection = connection
        self._protocol = protocol
        self._audio = audio
        self._decoders = {track: AudioDecoder(audio) for track in audio.tracks}
        self._party: Party | None = None
        self.farewell: asyncio.Future[Farewell] = asyncio.get_running_loop().create_future()
        """How to close the connection, as soon as it is to be closed."""

    def join(self, party: Party) -> None:
        """Become part of a session; messages are delivered to it from now on."""
        self._party = party
        self._protocol.accept(self._audio)
        self._connection.stream_to(self)

    def flush(self, track: Track) -> bytes:
        """What the resampler still holds of a track; it starts afresh."""
        decoder = self._decoders.get(track)
        if decoder is None:
            return b""
        self._decoders[track] = AudioDecoder(self._audio)
        return decoder.flush()

    def send(self, data: bytes) -> None:
        """Send a message, or close the connection if it does not read."""
        if not self.farewell.done() and self._connection.send_now(data) > OUTBOX_BYTES:
            self.dismiss(ErrorCode.SLOW_CONSUMER)

    def say(self, message: ServerMessage) -> None:
        """Send a message that is about this connection alone (`seq` 0)."""
        self.send(encode(message))

    def dismiss(self, error: ErrorCode, detail: str | None = None) -> None:
        """Close the connection for this error; what it sends is no longer heard."""
        if not self.farewell.done():
            text = detail or error.meaning
            self._connection.send_now(encode(Error(code=error.code, message=text, fatal=True)))
        self.close(Farewell(error.close_code or CloseCode.INTERNAL_ERROR, error.code))

    def close(self, farewell: Farewell) -> None:
        """Close the connection; what it sends is no longer heard."""
        party, self._party = self._party, None
        if not self.farewell.done():
            self.farewell.set_result(farewell)
            self._connection.stop_streaming()
            if party is not None:
                party.leave(self, farewell.close_code)

    def hold(self) -> None:
        """Read no more until `go_on`."""
        if not self.farewell.done():
            self._connection.hold()

    def go_on(self) -> None:
        """Read on."""
        if not self.farewell.done():
            self._connection.go_on()

    # ---------------------------------------------------------------- what the connection calls

    def receive(self, data: str | bytes) -> None:
        """Take a message: the one place where errors become messages and close codes."""
        party = self._party
        if party is None:
            return
        try:
            self._take(party, self._protocol.receive(data))
        except ProtocolError as error:
            party.refuse(error)
        except Exception:
            logger.exception("a session failed")
            party.fail()

    def lost(self, close_code: int) -> None:
        """The connection is gone.

        Whatever else a peer closes with (1011 is what many libraries say when the program around
        them fails) is no error of the server's, and the peer may come back.
        """
        told = close_code if close_code in HEEDED else CloseCode.ABNORMAL_CLOSURE
        self.close(Farewell(told, ""))

    def _take(self, party: Party, message: ClientMessage | AudioFrame) -> None:
        if isinstance(message, AudioFrame):
            pcm = self._decoders[message.track].decode(message.payload)
            party.hear(self, message.track, pcm)
        else:
            party.take(self, message)
