"""Whether a detector waits for time to pass, seen from what goes in and comes out."""

from collections.abc import Iterable

from bargein_protocol.options import Options

from bargein_server.detection import inputs, outputs
from bargein_server.detection.inputs import Input
from bargein_server.detection.outputs import Output
from bargein_server.detection.timing import samples

Marker = inputs.AgentStarted | inputs.AgentStopped | inputs.OverlapStarted | inputs.OverlapEnded


class Waiting:
    """Follows one detector; while it waits, the shell makes up for audio that stalls.

    It waits while the user makes sound, while an overlap's sound goes on, while transcripts are
    held, until a marker from the future takes effect, and for the quiet after an interruption.
    """

    def __init__(self) -> None:
        self._sounding = False
        self._overlaps: set[int] = set()
        self._transcripts = 0
        self._until = 0

    def at(self, position: int) -> bool:
        """Whether it waits at this position."""
        return (
            self._sounding
            or bool(self._overlaps)
            or self._transcripts > 0
            or position < self._until
        )

    def took(self, input_: Input, said: Iterable[Output], options: Options) -> None:
        """The detector took `input_` under these options and answered."""
        if isinstance(input_, inputs.Transcript):
            self._transcripts += 1
        elif isinstance(input_, Marker):
            self._wait_until(input_.at)
        for output in said:
            self._heard(output, options)

    def _heard(self, output: Output, options: Options) -> None:
        match output:
            case outputs.SpeechOnset() | outputs.SpeechOffset():
                self._sounding = isinstance(output, outputs.SpeechOnset)
                self._wait_for_quiet(output.at, options)
            case outputs.OverlapOpened():
                self._overlaps.add(output.overlap_id)
            case outputs.OverlapClosed():
                self._overlaps.discard(output.overlap_id)
                self._wait_for_quiet(output.at, options)
            case outputs.Interruption():
                self._wait_for_quiet(output.at, options)
            case outputs.TranscriptReleased() | outputs.TranscriptDropped():
                self._transcripts -= 1
            case _:
                pass

    def _wait_for_quiet(self, at: int, options: Options) -> None:
        if options.false_interruption_ms is not None:
            quiet_ms = options.false_interruption_ms + options.hangover_ms
            self._wait_until(at + samples(quiet_ms))

    def _wait_until(self, position: int) -> None:
        self._until = max(self._until, position)
