"""The thread that runs the model, so that the event loop never waits for it."""

import asyncio
import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bargein_server.models.batch import Heard, Span, hear
from bargein_server.models.contract import Model

Deliver = Callable[[list[Heard] | None, int], None]
"""Told what the model heard (None: it failed), and how many µs that took."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Run:
    spans: Sequence[Span]
    loop: asyncio.AbstractEventLoop
    deliver: Deliver


class Worker:
    """Runs one batch after the other on a thread of its own."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._inbox: queue.SimpleQueue[_Run | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="bargein-predictor", daemon=True)
        self._thread.start()

    def submit(self, spans: Sequence[Span], deliver: Deliver) -> None:
        """Run spans of one length together; `deliver` is called later, on the running loop."""
        self._inbox.put(_Run(spans, asyncio.get_running_loop(), deliver))

    async def close(self) -> None:
        """Wait for the batch under way, then end the thread."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        self._inbox.put(_Run((), loop, lambda _heard, _us: ended.set()))
        self._inbox.put(None)
        await ended.wait()
        self._thread.join()

    def _work(self) -> None:
        while self._work_once():
            pass  # what a run held has been let go of by now, while the thread waits for the next

    def _work_once(self) -> bool:
        run = self._inbox.get()
        if run is None:
            return False
        began = time.perf_counter_ns()
        heard = self._hear(run.spans)
        inference_us = (time.perf_counter_ns() - began) // 1000
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it who asked
            run.loop.call_soon_threadsafe(run.deliver, heard, inference_us)
        return True

    def _hear(self, spans: Sequence[Span]) -> list[Heard] | None:
        if not spans:
            return []
        try:
            return hear(self._model, spans)
        except Exception:  # noqa: BLE001 – whatever it is, it costs this batch, not the worker
            _log.exception("the model failed on a batch of %d", len(spans))
            return None
