"""Frames are taken apart alike, however they were made and however TCP cut them."""

import asyncio

import pytest
from bargein_server.serving.framing import frame_length, sole_audio
from hypothesis import given
from hypothesis import strategies as st
from support.peer import peer
from support.server import RunningServer
from websockets.frames import Frame, Opcode

FRAMES = st.builds(
    Frame,
    st.sampled_from([Opcode.BINARY, Opcode.TEXT, Opcode.CONT]),
    st.sampled_from([0, 1, 125, 126, 127, 640, 65_535, 65_536]).map(bytes),
    st.booleans(),
)


@given(FRAMES)
def test_audio_is_the_payload_of_a_common_frame(frame: Frame) -> None:
    data = frame.serialize(mask=True)
    common = frame.opcode is Opcode.BINARY and frame.fin and 126 <= len(frame.data) <= 65_535
    assert sole_audio(data) == (frame.data if common else None)
    assert sole_audio(data + b"\x89") is None
    assert sole_audio(data[:-1]) is None


@given(FRAMES, st.binary(max_size=5), st.binary(max_size=5), st.booleans())
def test_frames_are_as_long_as_they_say(
    frame: Frame,
    before: bytes,
    after: bytes,
    mask: bool,
) -> None:
    data = frame.serialize(mask=mask)
    assert frame_length(before + data + after, len(before)) == len(data)
    known = {frame_length(data[:cut], 0) for cut in range(min(len(data), 20))}
    assert known <= {0, len(data)}


@pytest.mark.parametrize("size", [1, 7, 1000, 100_000])
async def test_any_cut_by_tcp(server: RunningServer, size: int) -> None:
    """Audio, a text in fragments with a ping between them, and audio again."""
    async with peer(server.session_url) as client:
        await client.create()
        half = b'{"type": "audio.gap", '
        frames = [
            *[Frame(Opcode.BINARY, bytes(640))] * 3,
            Frame(Opcode.TEXT, half, fin=False),
            Frame(Opcode.PING, b"still there?"),
            Frame(Opcode.CONT, b'"duration_ms": 500}'),
            Frame(Opcode.BINARY, bytes(320), fin=False),
            Frame(Opcode.CONT, bytes(320)),
            *[Frame(Opcode.BINARY, bytes(32_000))] * 2,
            Frame(Opcode.TEXT, b'{"type": "session.close"}'),
        ]
        data = b"".join(frame.serialize(mask=True) for frame in frames)
        for start in range(0, len(data), size):
            client.websocket.transport.write(data[start : start + size])
            if size > 1:
                await asyncio.sleep(0)
        closed = await client.wait_for("session.closed")
        assert closed["at_ms"] == 3 * 20 + 500 + 20 + 2000
