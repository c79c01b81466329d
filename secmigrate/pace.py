"""How fast AWS is asked: its rates are not published, so they are found out.

IAM may charge what an assumed role reads to the caller's account (AWS does not say so), so the pace is shared by all
accounts of a run, and not one for each client, as botocore's adaptive retries have it.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from threading import Lock


class Pace:
    """How fast one service is asked, by all threads and in all accounts together.

    As fast as anybody likes, until AWS says that it is too fast: then half as fast as it was asked in the second
    before, and faster again every second: by a twentieth, at most by one call a second. A bucket of one token: a pause
    is never made up for. An account that alone is too fast, while others are answered, slows the others once; after
    that only itself, by the pauses before it tries again.
    """

    LEAST = 0.5  # calls a second

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._clock, self._sleep = clock, sleep
        self._lock = Lock()
        self._next = self._slowed = -math.inf  # when the next call may go; when it was slowed down last
        self._gone: deque[float] = deque()  # when the calls of the last second went
        self._blamed: object = None  # who was too fast last
        self._others_fine = False  # whether others were answered since
        self.rate = math.inf
        """Calls a second."""

    def take(self) -> None:
        """Waits until the next call may go."""
        with self._lock:
            now = self._clock()
            at = max(now, self._next)
            self._next = at + 1 / self.rate
            self._gone.append(at)
            self._forget(at)
        if at > now:
            self._sleep(at - now)

    def answered(self, *, throttled: bool, who: object = None) -> None:
        """Learns from an answer to an account. What was under way when it slowed down says nothing new for a second."""
        with self._lock:
            now = self._clock()
            if not throttled:
                self.rate += min(1 / self.rate, 1 / 20)
                self._others_fine |= who != self._blamed
            elif now - self._slowed >= 1 and not (who == self._blamed and self._others_fine):
                self._forget(now)
                self.rate = max(self.LEAST, min(self.rate, len(self._gone)) / 2)
                self._next, self._slowed = max(self._next, now + 1 / self.rate), now
                self._blamed, self._others_fine = who, False

    def _forget(self, now: float) -> None:
        while self._gone and self._gone[0] <= now - 1:
            self._gone.popleft()
