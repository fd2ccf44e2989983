"""Where the user's latest sound begins.

The client says neither onset nor pre-roll, so the server listens for itself. Windows may hold
earlier sounds of the same agent turn; what is judged is the latest.
"""

from bargein_protocol.options import Options

from bargein_server.detection.speech import SpeechChange, SpeechGate
from bargein_server.detection.timing import samples
from bargein_server.detection.vad import Vad
from bargein_server.livekit.messages import SAMPLE_BYTES

PRE_ROLL = samples(1000)
"""The clients cut a window this long before the sound that their own VAD heard."""


class WindowSpeech:
    """Listens to a sequence of windows, piece by piece, with a VAD.

    Args:
        vad: fresh; heard by nobody else.
        options: the server's: `onset_ms` of voice make an onset, `hangover_ms` of silence part two
            sounds.
    """

    def __init__(self, vad: Vad, options: Options) -> None:
        self._vad = vad
        self._gate = SpeechGate(
            vad.frame_samples, samples(options.onset_ms), samples(options.hangover_ms)
        )
        self._rest = b""
        self._heard = 0
        self._found = False

    def hear(self, pcm: bytes) -> None:
        """Listen to what follows."""
        pending = self._rest + pcm
        size = self._vad.frame_samples * SAMPLE_BYTES
        whole = len(pending) - len(pending) % size
        for start in range(0, whole, size):
            self._hear_frame(pending[start : start + size])
        self._rest = pending[whole:]

    @property
    def found(self) -> bool:
        """Whether there was any onset."""
        return self._found

    def onset(self, end: int) -> int:
        """Where the latest sound begins in a sequence that ends at `end`, in samples.

        The client heard a voice, or it would not have asked. If this VAD heard none (a quiet
        voice, a noisy line), the sound begins where the client's cut says: after the pre-roll, or
        at the start of a sequence that is too short for one.
        """
        if self._found:
            return self._gate.onset
        return PRE_ROLL if end > PRE_ROLL else 0

    @property
    def sound_end(self) -> int:
        """Where the latest sound ends, as far as it has been heard; 0: there is none."""
        return self._gate.sound_end if self._found else 0

    @property
    def sounding(self) -> int:
        """Length of the latest sound in samples, as far as it has been heard; 0: there is none."""
        return self._gate.sound_end - self._gate.onset if self._found else 0

    def _hear_frame(self, frame: bytes) -> None:
        self._heard += self._vad.frame_samples
        change = self._gate.hear(voiced=self._vad.is_speech(frame), end=self._heard)
        self._found = self._found or change is SpeechChange.ONSET
