"""What the processes that work for a command have in common."""

import multiprocessing
import os
from threading import Thread


def end_with_parent() -> None:
    """Ends this worker when its command is killed: nobody would take what it makes."""
    parent = multiprocessing.parent_process()
    assert parent is not None  # noqa: S101 - only workers get here

    def follow() -> None:
        parent.join()
        os._exit(1)

    Thread(target=follow, daemon=True).start()
