"""Ports that several processes may share, so that one can take over from another."""

import asyncio


async def is_served(host: str, port: int) -> bool:
    """Whether somebody listens there."""
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True
