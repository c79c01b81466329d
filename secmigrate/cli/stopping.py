"""Ctrl-C, SIGTERM and the closing of the terminal while calls are made."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress


@contextmanager
def stoppable() -> Iterator[Callable[[], bool]]:
    """Makes Ctrl-C, SIGTERM and the closing of the terminal a wish that the function tells of. A second one ends the
    program at once: what is under way is in doubt then, and looked up when somebody resumes.
    """
    wished = threading.Event()

    def stop(number: int, _frame: object) -> None:
        if number == signal.SIGHUP:
            _nobody_reads()
        if wished.is_set():
            _to_stderr(b"\nstopped at once; `secmigrate resume` looks up what was under way\n")
            os._exit(128 + number)
        wished.set()
        _to_stderr(b"\nfinishing the calls under way; once more stops at once\n")

    # Only the main thread may handle signals; elsewhere nobody presses Ctrl-C.
    main = threading.current_thread() is threading.main_thread()
    # `nohup` has SIGHUP ignored, and so it stays.
    heeded = [one for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) != signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heeded if main}
    try:
        yield wished.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _to_stderr(text: bytes) -> None:
    with suppress(OSError):
        os.write(2, text)


def _nobody_reads() -> None:
    """Output goes nowhere from now on: writing to a terminal that was closed is an error."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
