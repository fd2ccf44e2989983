"""Bargein for Pipecat: a bot that talks on through “mm-hmm” and stops when it is interrupted.

These parts belong together. `BargeinProcessor` stands in the pipeline before the user aggregator:
it streams the user's audio and the bot's speaking state to a Bargein session and holds transcripts
back until their overlap is decided. Its `loudspeaker()`, right behind the output transport, lets
the server hear the bot, too, and know its echo. `BargeinUserTurnStartStrategy` goes into the
aggregator: while the bot is speaking, it starts the user's turn on an interruption and on nothing
else.

While the bot is silent, and whenever Bargein is away, the VAD starts the user's turn as it always
does. Needs `pip install "bargein[pipecat]"`.
"""

from bargein_client.pipecat.frames import BargeinEventFrame, BargeinGuardFrame
from bargein_client.pipecat.loudspeaker import BargeinLoudspeaker
from bargein_client.pipecat.processor import BargeinProcessor
from bargein_client.pipecat.strategy import BargeinUserTurnStartStrategy

__all__ = [
    "BargeinEventFrame",
    "BargeinGuardFrame",
    "BargeinLoudspeaker",
    "BargeinProcessor",
    "BargeinUserTurnStartStrategy",
]
