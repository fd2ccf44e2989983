"""Every encoding and rate becomes 16 kHz mono s16le, however it is cut into messages."""

import io
from itertools import pairwise
from typing import Any, get_args

import numpy as np
import pytest
import soundfile
from bargein_protocol.audio import AudioFormat, Encoding, SampleRate
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_server.audio.decoding import AudioDecoder
from hypothesis import given
from hypothesis import strategies as st

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)
RATES: tuple[SampleRate, ...] = get_args(SampleRate)
DTYPES: dict[Encoding, str] = {"s16le": "<i2", "f32le": "<f4", "mulaw": "u1", "alaw": "u1"}
formats = st.builds(
    AudioFormat, encoding=st.sampled_from(ENCODINGS), sample_rate=st.sampled_from(RATES)
)


def noise(audio: AudioFormat, samples: int) -> bytes:
    """Any samples of this format."""
    random = np.random.default_rng(samples)
    if audio.encoding == "f32le":
        return random.uniform(-1.2, 1.2, samples).astype("<f4").tobytes()
    return random.bytes(samples * audio.bytes_per_sample)


def tone(rate: int, hertz: float, seconds: float = 1) -> Any:
    return 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(rate * seconds)) / rate)


def decode(audio: AudioFormat, payload: bytes) -> Any:
    decoder = AudioDecoder(audio)
    return np.frombuffer(decoder.decode(payload) + decoder.flush(), "<i2")


def test_the_common_case_is_not_copied() -> None:
    payload = bytes(640)
    assert AudioDecoder(AudioFormat()).decode(payload) is payload


@pytest.mark.parametrize(("encoding", "subtype"), [("mulaw", "ULAW"), ("alaw", "ALAW")])
def test_every_code_of_g711_is_what_libsndfile_says(encoding: Encoding, subtype: str) -> None:
    codes = bytes(range(256))
    raw: dict[str, Any] = {"format": "RAW", "subtype": subtype, "samplerate": 16000, "channels": 1}
    expected, _ = soundfile.read(io.BytesIO(codes), dtype="int16", **raw)
    heard = decode(AudioFormat(encoding=encoding), codes)
    assert heard.tolist() == expected.tolist()


def test_floats_are_scaled_and_clipped() -> None:
    floats = np.array([0, 0.5, -0.5, 1, -1, 1.5, -1e30, 1 / 32768], "<f4")
    heard = decode(AudioFormat(encoding="f32le"), floats.tobytes())
    assert heard.tolist() == [0, 16384, -16384, 32767, -32768, 32767, -32768, 1]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [16000, 48000])
def test_floats_that_are_no_numbers_are_refused_and_have_no_effect(
    wrong: float, rate: SampleRate
) -> None:
    audio = AudioFormat(encoding="f32le", sample_rate=rate)
    good = noise(audio, rate // 10)
    decoder = AudioDecoder(audio)
    heard = decoder.decode(good)
    with pytest.raises(ProtocolError) as caught:
        decoder.decode(np.array([0, wrong], "<f4").tobytes())
    assert caught.value.code is ErrorCode.INVALID_AUDIO
    heard += decoder.decode(good) + decoder.flush()
    assert heard == decode(audio, good + good).tobytes()


@given(formats, st.lists(st.integers(0, 4800), max_size=12))
def test_any_cut_gives_the_same_bytes(audio: AudioFormat, cuts: list[int]) -> None:
    payload, size = noise(audio, 4800), audio.bytes_per_sample
    decoder = AudioDecoder(audio)
    heard = b"".join(
        decoder.decode(payload[start * size : end * size])
        for start, end in pairwise([0, *sorted(cuts), 4800])
    )
    assert heard + decoder.flush() == decode(audio, payload).tobytes()


@given(formats, st.integers(0, 20_000))
def test_the_output_is_as_long_as_the_input(audio: AudioFormat, samples: int) -> None:
    heard = len(decode(audio, noise(audio, samples)))
    assert abs(heard - samples * 16000 / audio.sample_rate) <= 1


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_stays_where_and_what_it_is(rate: SampleRate) -> None:
    payload = np.rint(tone(rate, 1000) * 32767).astype("<i2").tobytes()
    heard = decode(AudioFormat(sample_rate=rate), payload) / 32767
    middle = slice(1600, -1600)
    np.testing.assert_allclose(heard[middle], tone(16000, 1000)[middle], atol=2e-3)


@pytest.mark.parametrize("rate", [24000, 32000, 44100, 48000])
def test_what_16_khz_cannot_hold_is_filtered_out(rate: SampleRate) -> None:
    payload = np.rint(tone(rate, 10_000) * 32767).astype("<i2").tobytes()
    heard = decode(AudioFormat(sample_rate=rate), payload)
    assert np.abs(heard[1600:-1600]).max() <= 3


@pytest.mark.parametrize(
    ("rate", "most_ms"), [(8000, 14), (16000, 0), (24000, 5), (32000, 7), (44100, 5), (48000, 5)]
)
def test_the_output_keeps_up_with_the_input(rate: SampleRate, most_ms: float) -> None:
    audio = AudioFormat(sample_rate=rate)
    decoder, heard, behind_ms = AudioDecoder(audio), 0, list[float]()
    for i in range(1, 101):
        heard += len(decoder.decode(bytes(audio.samples(20) * 2))) // 2
        behind_ms.append(20 * i - heard / 16)
    assert 0 <= max(behind_ms[1:]) <= most_ms


def test_silence_stays_silence() -> None:
    assert not decode(AudioFormat(sample_rate=8000), bytes(16000)).any()
