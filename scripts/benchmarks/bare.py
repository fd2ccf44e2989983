"""The yardstick: a `websockets` server that throws the audio away."""

import asyncio
import json
from pathlib import Path

import click
import uvloop
from bargein_protocol.messages import SUBPROTOCOL
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol


async def _throw_away(connection: ServerConnection) -> None:
    async for _ in connection:
        pass


async def _serve(port: int, ready_file: Path) -> None:
    server = await serve(
        _throw_away,
        "127.0.0.1",
        port,
        compression=None,
        subprotocols=[Subprotocol(SUBPROTOCOL)],
    )
    where = {"port": server.sockets[0].getsockname()[1], "http_port": 0}
    await asyncio.to_thread(ready_file.write_text, json.dumps(where))
    await server.serve_forever()


@click.command()
@click.option("--port", type=int, required=True)
@click.option("--http-port", type=int)
@click.option("--ready-file", type=click.Path(path_type=Path), required=True)
def main(port: int, http_port: int, ready_file: Path) -> None:  # noqa: ARG001
    """Serve until killed."""
    uvloop.run(_serve(port, ready_file))


if __name__ == "__main__":
    main()
