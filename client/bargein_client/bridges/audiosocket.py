"""Asterisk AudioSocket: packets over TCP of one type byte, a 16 bit big-endian length, a payload.

Linear PCM, little-endian, at the rate that the packet's type says. There is no clear: Asterisk
plays what it gets, so the bridge holds the agent's audio and passes it on in real time.

Documented at https://docs.asterisk.org/Configuration/Channel-Drivers/AudioSocket
"""

import struct
import uuid

from bargein_protocol.audio import AudioFormat, SampleRate
from bargein_protocol.messages import ServerMessage

from bargein_client.bridges.events import (
    AgentAudio,
    AgentEvent,
    BadMessageError,
    CallEnded,
    CallerAudio,
    CallStarted,
    PlatformEvent,
)
from bargein_client.bridges.platform import Message, Platform

HANGUP, UUID, ERROR = 0x00, 0x01, 0xFF
RATES: dict[int, SampleRate] = {
    0x10: 8000,
    0x12: 16000,
    0x13: 24000,
    0x14: 32000,
    0x15: 44100,
    0x16: 48000,
}
"""Sample rate by type of audio packet."""
HEADER = struct.Struct(">BH")


class AudioSocket(Platform):
    """An AudioSocket call; each message is one packet, header included."""

    name = "audiosocket"
    transport = "tcp"
    paced = True

    def __init__(self) -> None:
        self._call_id = ""
        self._kind: int | None = None

    def from_platform(self, message: Message) -> PlatformEvent | None:
        """The call starts with the first audio packet, which tells the rate."""
        kind, payload = split(message)
        if kind == UUID:
            self._call_id = str(uuid.UUID(bytes=payload)) if len(payload) == 16 else payload.hex()
            return None
        if kind in {HANGUP, ERROR}:
            return CallEnded()
        if kind not in RATES:
            return None
        if self._kind is None:
            self._kind = kind
            audio = AudioFormat(sample_rate=RATES[kind])
            return CallStarted(self._call_id or str(uuid.uuid4()), audio)
        return CallerAudio(payload)

    def from_agent(self, message: Message) -> AgentEvent | None:
        """Audio for the caller."""
        kind, payload = split(message)
        return AgentAudio(payload) if kind in RATES else None

    def clear(self) -> list[Message]:
        """Nothing to send: what is queued is here."""
        return []

    def audio(self, payload: bytes) -> Message:
        """One packet at the rate that the caller's have."""
        return HEADER.pack(self._kind or 0x10, len(payload)) + payload

    def tell(self, event: ServerMessage) -> Message | None:  # noqa: ARG002
        """Nothing: no packet type is free for it."""
        return None


def split(message: Message) -> tuple[int, bytes]:
    """Type and payload of a packet.

    Raises:
        BadMessageError: the length does not fit.
    """
    if isinstance(message, str) or len(message) < HEADER.size:
        raise BadMessageError("an AudioSocket packet begins with three bytes")
    kind, length = HEADER.unpack_from(message)
    if len(message) != HEADER.size + length:
        raise BadMessageError(f"{length} bytes were announced, {len(message) - HEADER.size} came")
    return kind, message[HEADER.size :]
