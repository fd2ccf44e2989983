"""Hears the bot where the user does: behind the output transport."""

from collections.abc import Awaitable, Callable

from pipecat.frames.frames import Frame, OutputAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor


class BargeinLoudspeaker(FrameProcessor):
    """Made by `BargeinProcessor.loudspeaker`; passes everything on.

    An output transport passes a frame on when it has played it, so what comes here is what the
    user hears, at the pace at which they hear it, and nothing of what an interruption cut off.

    Args:
        play: is given each frame of audio.
        name: of the processor.
    """

    def __init__(
        self, play: Callable[[OutputAudioRawFrame], Awaitable[None]], *, name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self._play = play

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Take note of what is played."""
        await super().process_frame(frame, direction)
        if isinstance(frame, OutputAudioRawFrame) and direction is FrameDirection.DOWNSTREAM:
            await self._play(frame)
        await self.push_frame(frame, direction)
