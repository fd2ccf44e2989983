"""Buffers of any length become legal frames, and not a sample is lost."""

import array

import pytest
from bargein_client.framing import Framer
from bargein_protocol.audio import AudioFormat, parse_frame
from hypothesis import given
from hypothesis import strategies as st


@given(chunks=st.lists(st.binary(max_size=9000)))
def test_frames_are_legal_and_complete(chunks: list[bytes]) -> None:
    audio = AudioFormat(encoding="s16le", sample_rate=8000)
    framer = Framer(audio)
    frames = [frame for chunk in chunks for frame in framer.cut(chunk)]
    for frame in frames:
        assert parse_frame(frame, audio).payload == frame
    given_ = b"".join(chunks)
    sent = b"".join(frames)
    assert given_.startswith(sent)
    assert len(given_) - len(sent) < 2 * audio.samples(5)
    assert framer.held == (len(given_) - len(sent)) // 2


def test_arrays_of_the_right_type_are_taken() -> None:
    samples = array.array("h", range(160))
    assert list(Framer(AudioFormat()).cut(samples)) == [samples.tobytes()]


def test_arrays_of_another_type_are_refused() -> None:
    with pytest.raises(TypeError, match=r"the session is s16le.*'f'"):
        list(Framer(AudioFormat()).cut(array.array("f", [0.0] * 160)))
