"""A server with a model whose answers are known, on the event loop that it runs on in earnest."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import uvloop
from bargein_server.models.predictor import Predictor
from support.peer import Peer, peer
from support.scripted import ScriptedModel
from support.server import RunningServer, running_server


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:  # uvloop sits out the usual signal
            item.add_marker(pytest.mark.timeout(method="thread"))


@pytest.fixture
async def predictor() -> AsyncIterator[Predictor]:
    """Says of everything that it is an interruption."""
    predictor = Predictor(ScriptedModel(0.9))
    yield predictor
    await predictor.close()


@pytest.fixture
async def server(predictor: Predictor) -> AsyncIterator[RunningServer]:
    async with running_server(predictor=predictor) as server:
        yield server


@pytest.fixture
async def client(server: RunningServer) -> AsyncIterator[Peer]:
    """A connection on which nothing has been said."""
    async with peer(server.session_url) as client:
        yield client
