"""Where `bargein mic` hears the user: a microphone, or a WAV file in its place."""

import asyncio
import importlib
import wave
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, get_args

import msgspec
from bargein_protocol.audio import AudioFormat, SampleRate

PIECE_MS = 20
MOST_WAITING_MS = 5000
"""What a microphone hears is lost while so much waits for the server already."""
MIC_RATES = (16_000, 48_000, 44_100)
"""Tried in this order; the server resamples."""


class DeafError(Exception):
    """Nothing can be heard; the message says what to do about it."""


class Ear(msgspec.Struct, frozen=True):
    """An open source of audio."""

    audio: AudioFormat
    pieces: AsyncIterator[bytes]
    """Mono s16le, in real time; ends with the file, a microphone never does."""


def wav_file(path: Path) -> Ear:
    """A mono WAV file of 16 bit, heard at the pace at which it was spoken.

    Raises:
        DeafError: it is something else.
    """
    try:
        with wave.open(str(path)) as file:
            rate, width, channels = file.getframerate(), file.getsampwidth(), file.getnchannels()
            pcm = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise DeafError(f"{path}: {str(error) or 'no whole WAV file'}") from None
    if (width, channels) != (2, 1) or rate not in get_args(SampleRate):
        rates = ", ".join(map(str, get_args(SampleRate)))
        raise DeafError(f"{path}: wanted is mono, 16 bit, and one of {rates} Hz")
    return Ear(_format(rate), _paced(pcm, rate * 2 * PIECE_MS // 1000))


@asynccontextmanager
async def microphone(device: str | None = None) -> AsyncGenerator[Ear]:
    """A microphone, open within the block.

    Args:
        device: its number or a part of its name; default: the system's choice.

    Raises:
        DeafError: there is none, or sounddevice or PortAudio is not installed.
    """
    library = _sounddevice()
    chosen = int(device) if device is not None and device.isdecimal() else device
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING_MS // PIECE_MS)

    def keep(piece: bytes) -> None:
        if not queue.full():
            queue.put_nowait(piece)

    def heard(data: object, *_: object) -> None:  # called on a thread of PortAudio's
        loop.call_soon_threadsafe(keep, bytes(data))  # type: ignore[call-overload]

    try:
        rate = _rate_of(library, chosen)
        stream = library.RawInputStream(
            samplerate=rate,
            blocksize=rate * PIECE_MS // 1000,
            device=chosen,
            channels=1,
            dtype="int16",
            callback=heard,
        )
    except (library.PortAudioError, ValueError) as error:
        raise DeafError(f"no microphone: {error}; --input FILE hears a WAV file") from None
    with stream:
        yield Ear(_format(rate), _endless(queue))


def _sounddevice() -> Any:  # noqa: ANN401 – it has no types
    try:
        return importlib.import_module("sounddevice")
    except ModuleNotFoundError:
        raise DeafError('sounddevice is not installed: pip install "bargein[mic]"') from None
    except OSError as error:  # its shared library
        raise DeafError(f"{error}; on Debian: apt install libportaudio2") from None


def _rate_of(library: Any, device: int | str | None) -> int:  # noqa: ANN401
    """The first rate that the device takes; raises what the library raises if it takes none."""
    for rate in MIC_RATES[:-1]:
        try:
            library.check_input_settings(device, channels=1, dtype="int16", samplerate=rate)
        except library.PortAudioError:
            continue
        return rate
    library.check_input_settings(device, channels=1, dtype="int16", samplerate=MIC_RATES[-1])
    return MIC_RATES[-1]


def _format(rate: int) -> AudioFormat:
    return msgspec.convert({"sample_rate": rate}, AudioFormat)


async def _paced(pcm: bytes, piece: int) -> AsyncGenerator[bytes]:
    clock = asyncio.get_running_loop().time
    due = clock()
    for start in range(0, len(pcm), piece):
        due += PIECE_MS / 1000
        await asyncio.sleep(max(0.0, due - clock()))
        yield pcm[start : start + piece]


async def _endless(queue: asyncio.Queue[bytes]) -> AsyncGenerator[bytes]:
    while True:
        yield await queue.get()
