"""A session without I/O: inputs in, numbered messages and questions to the model out.

Live sessions and replay share it. It has no clock and draws nothing at random, so the same inputs
and announcements in the same order give the same messages to the byte.
"""

from collections.abc import Callable

from bargein_protocol.messages import ServerMessage
from bargein_protocol.options import Options
from msgspec.structs import replace

from bargein_server.audio.cancelling import EchoCanceller
from bargein_server.detection.detector import Detector
from bargein_server.detection.inputs import Input, OptionsChanged, UserAudio
from bargein_server.detection.outputs import Output, RequestPrediction, StreamEnded
from bargein_server.detection.vad import Vad
from bargein_server.sessions.wire import to_message

CoreOutput = ServerMessage | RequestPrediction | StreamEnded
"""A message for the client (numbered), or something that the predictor must do."""


class SessionCore:
    """The detector of one session and the numbering of what is said about it.

    Args:
        session_id: the session's name.
        options: effective at the start; `threshold` is resolved to a number.
        defaults: what `session.update {options: null}` goes back to; resolved as well.
        vad: makes the voice activity detector that options ask for.
        two_tracks: whether the agent's audio will be there as an echo reference.
        recording: the recording's name, for the summary; None if the session is not recorded.
    """

    def __init__(
        self,
        session_id: str,
        options: Options,
        *,
        defaults: Options,
        vad: Callable[[Options], Vad],
        two_tracks: bool,
        recording: str | None = None,
    ) -> None:
        self.session_id = session_id
        self.defaults = defaults
        self._options = options
        self._recording = recording
        self._detector = Detector(options, vad=vad, echo=EchoCanceller() if two_tracks else None)
        self._seq = 0

    @property
    def position(self) -> int:
        """The audio clock: samples at 16 kHz since the session began, gaps and ticks included."""
        return self._detector.position

    @property
    def options(self) -> Options:
        """The effective options."""
        return self._options

    @property
    def seq(self) -> int:
        """The number of the latest message."""
        return self._seq

    @property
    def waiting(self) -> bool:
        """Whether something would happen by the mere passing of time: audio must not stall now."""
        return self._detector.waiting

    def handle(self, input_: Input) -> list[CoreOutput]:
        """Take one input; what follows from it, in order."""
        outputs = self._detector.handle(input_)
        if not outputs and isinstance(input_, UserAudio):  # nearly always
            return []
        if isinstance(input_, OptionsChanged):
            self._options = input_.options
        return [said for output in outputs if (said := self._say(output)) is not None]

    def announce(self, message: ServerMessage) -> ServerMessage:
        """Number a message that does not come from the detector: created, error, warning."""
        self._seq += 1
        return replace(message, seq=self._seq)

    def _say(self, output: Output) -> CoreOutput | None:
        if isinstance(output, RequestPrediction | StreamEnded):
            return output
        message = to_message(output, recording=self._recording)
        return None if message is None else self.announce(message)
