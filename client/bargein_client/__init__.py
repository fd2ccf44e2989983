"""The Bargein client: stream a session, follow events, replay recordings.

async with connect("ws://127.0.0.1:8765") as session:
    await session.agent_started()
    await session.send_audio(pcm)
    async for event in session:
        ...
"""

from bargein_client.errors import BargeinError, ClientError, NetworkError, ServerError
from bargein_client.lifeline import SessionState
from bargein_client.retrying import Backoff
from bargein_client.session import DEFAULT_URL, Session, connect
from bargein_client.subscription import SessionEvent, subscribe

__all__ = [
    "DEFAULT_URL",
    "Backoff",
    "BargeinError",
    "ClientError",
    "NetworkError",
    "ServerError",
    "Session",
    "SessionEvent",
    "SessionState",
    "connect",
    "subscribe",
]
