"""What the processor tells the rest of the pipeline; both frames travel downstream."""

from dataclasses import dataclass

from bargein_protocol.messages import ServerMessage
from pipecat.frames.frames import SystemFrame


@dataclass
class BargeinGuardFrame(SystemFrame):
    """Whether Bargein decides who has the floor: the bot is speaking and the server listens."""

    guarded: bool


@dataclass
class BargeinEventFrame(SystemFrame):
    """Something that the server said: a verdict, a false interruption, a warning and so on."""

    event: ServerMessage
