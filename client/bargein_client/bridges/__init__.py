"""Telephone platforms: their media streams on one side, a Bargein session on the other.

events.py     what happens in a call, in one vocabulary for all platforms
platform.py   what a platform's file has to say; one small file per platform beside it
playout.py    what the caller hears of the agent, on the caller's own clock
leg.py        one call without I/O: messages in, things to do out
call.py       one call with I/O: `Call`, for use inside a handler of your own
middleware.py the bridge between a platform and an agent's socket (`bargein bridge`)
"""

from bargein_client.bridges.call import Call
from bargein_client.bridges.platform import Platform
from bargein_client.bridges.platforms import PLATFORMS

__all__ = ["PLATFORMS", "Call", "Platform"]
