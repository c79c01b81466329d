"""Eventual consistency: the account as it was a while ago."""

from __future__ import annotations

import pickle
import time
from collections import deque

from secmigrate.twin.account import Account


class Past:
    """Remembers the account before each write for as long as a reader may still see it.

    A copy of the whole account for every write: right for rehearsals and tests, not for thousands of writes a second.
    """

    def __init__(self, account: Account, lag_seconds: float) -> None:
        self._account = account
        self._lag = lag_seconds
        self._before: deque[tuple[float, bytes]] = deque()  # when a write came, and what was there before it

    def remember(self) -> None:
        """To be called before every write."""
        if self._lag:
            self._forget()
            self._before.append((time.monotonic(), pickle.dumps(self._account)))

    def seen(self) -> Account:
        """The account as readers see it now."""
        self._forget()
        if not self._before:
            return self._account
        account = pickle.loads(self._before[0][1])  # noqa: S301 - pickled above, by this process
        assert isinstance(account, Account)
        return account

    def _forget(self) -> None:
        while self._before and self._before[0][0] <= time.monotonic() - self._lag:
            self._before.popleft()
