"""Audio frames: which are legal, and that they come back as they were."""

from contextlib import suppress
from typing import get_args

import pytest
from bargein_protocol.audio import (
    BYTES_PER_SAMPLE,
    AudioFormat,
    AudioFrame,
    Encoding,
    SampleRate,
    format_frame,
    parse_frame,
)
from bargein_protocol.errors import ErrorCode, ProtocolError
from hypothesis import given
from hypothesis import strategies as st
from support.messages import structs

ONE = AudioFormat()
TWO = AudioFormat(tracks=("user", "agent"))
FORMATS: st.SearchStrategy[AudioFormat] = structs(AudioFormat)


def test_one_track_is_all_samples() -> None:
    assert parse_frame(bytes(640), ONE) == AudioFrame("user", bytes(640))


def test_first_byte_names_the_track() -> None:
    assert parse_frame(b"\x00" + b"\x01\x02" * 80, TWO) == AudioFrame("user", b"\x01\x02" * 80)
    assert parse_frame(b"\x01" + b"\x01\x02" * 80, TWO) == AudioFrame("agent", b"\x01\x02" * 80)


@pytest.mark.parametrize("encoding", get_args(Encoding))
@pytest.mark.parametrize("sample_rate", get_args(SampleRate))
def test_five_ms_to_one_second_of_every_format(encoding: Encoding, sample_rate: SampleRate) -> None:
    audio = AudioFormat(encoding=encoding, sample_rate=sample_rate)
    size = BYTES_PER_SAMPLE[encoding]
    least, most = audio.samples(5) * size, audio.samples(1000) * size
    assert most == sample_rate * size
    for length in (least, most):
        assert parse_frame(bytes(length), audio).payload == bytes(length)
    for length in (0, least - size, most + size):
        refused(bytes(length), audio)


@pytest.mark.parametrize(
    ("data", "audio", "detail"),
    [
        (b"", ONE, "holds 0 ms"),
        (bytes(641), ONE, "641 bytes are no whole number of 2-byte s16le samples"),
        (bytes(642), AudioFormat(encoding="f32le"), "no whole number of 4-byte f32le samples"),
        (bytes(20), ONE, "holds 0.625 ms; send 5 ms to 1000 ms at a time"),
        (bytes(48_000), ONE, "holds 1500 ms"),
        (b"", TWO, "not nothing"),
        (b"\x02" + bytes(640), TWO, "begins with 0 (user) or 1 (agent), not 2"),
        (bytes(640), TWO, "639 bytes"),
        (b"\x01", TWO, "holds 0 ms"),
    ],
)
def test_refused_frame_says_why(data: bytes, audio: AudioFormat, detail: str) -> None:
    assert detail in refused(data, audio).detail


def refused(data: bytes, audio: AudioFormat) -> ProtocolError:
    with pytest.raises(ProtocolError) as caught:
        parse_frame(data, audio)
    assert caught.value.code is ErrorCode.INVALID_AUDIO
    return caught.value


@given(FORMATS, st.data())
def test_frame_comes_back_as_it_was(audio: AudioFormat, data: st.DataObject) -> None:
    samples = data.draw(st.integers(audio.samples(5), audio.samples(1000)))
    frame = AudioFrame(
        data.draw(st.sampled_from(audio.tracks)),
        data.draw(st.randoms(use_true_random=False)).randbytes(samples * audio.bytes_per_sample),
    )
    assert parse_frame(format_frame(frame, audio), audio) == frame


@given(st.binary(max_size=4000), FORMATS)
def test_any_bytes_are_a_frame_or_refused(data: bytes, audio: AudioFormat) -> None:
    with suppress(ProtocolError):
        frame = parse_frame(data, audio)
        assert format_frame(frame, audio) == data
