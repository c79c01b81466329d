"""The shared pace: fast until AWS says no, then as fast as AWS can take it, without a clock."""

from __future__ import annotations

import heapq
import math

import pytest

from secmigrate.pace import Pace


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept = 0.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


def paced() -> tuple[Pace, Clock]:
    clock = Clock()
    return Pace(clock.time, clock.sleep), clock


def ask(pace: Pace, clock: Clock, calls: int, each: float) -> None:
    """So many calls, one after the other, of which each takes so long."""
    for _ in range(calls):
        pace.take()
        clock.now += each
        pace.answered(throttled=False)


def test_nobody_waits_before_aws_says_so() -> None:
    pace, clock = paced()
    ask(pace, clock, 1000, 0.001)
    assert clock.slept == 0
    assert pace.rate == math.inf


def test_it_halves_what_was_asked_in_the_last_second_and_then_waits() -> None:
    pace, clock = paced()
    ask(pace, clock, 100, 0.05)  # twenty a second
    pace.answered(throttled=True)
    assert pace.rate == pytest.approx(10, abs=0.5)
    before = clock.slept
    pace.take()
    assert clock.slept - before == pytest.approx(0.1, abs=0.01)


def test_calls_that_were_under_way_are_one_sign_and_not_four() -> None:
    pace, clock = paced()
    ask(pace, clock, 100, 0.05)
    for _ in range(4):
        pace.answered(throttled=True)
        clock.now += 0.1
    assert pace.rate == pytest.approx(10, abs=0.5)
    clock.now += 1
    pace.answered(throttled=True)
    assert pace.rate < 5.5


def test_an_account_that_alone_is_too_fast_slows_the_others_once() -> None:
    pace, clock = paced()
    ask(pace, clock, 100, 0.05)
    pace.answered(throttled=True, who="a")
    slow = pace.rate
    for _ in range(8):
        clock.now += 2
        pace.answered(throttled=False, who="b")
        pace.answered(throttled=True, who="a")
    assert pace.rate > slow
    pace.answered(throttled=True, who="b")  # two of them: it is the caller that is too fast
    assert pace.rate < slow


def test_it_never_stops() -> None:
    pace, clock = paced()
    for _ in range(20):
        pace.answered(throttled=True)
        clock.now += 2
    assert pace.rate == Pace.LEAST


@pytest.mark.parametrize(("asked", "later"), [(80, 50), (4, 2.45)])  # 40 + 10 · 1; 1.5 · 1.05 ** 10
def test_it_speeds_up_by_a_call_a_second_each_second_or_by_a_twentieth(asked: int, later: float) -> None:
    pace, clock = paced()
    ask(pace, clock, 100, 1 / asked)
    pace.answered(throttled=True)
    start = clock.now
    while clock.now < start + 10:
        ask(pace, clock, 1, 0.0)
    assert pace.rate == pytest.approx(later, rel=0.05)


@pytest.mark.parametrize("limit", [2.0, 15.0, 80.0])
@pytest.mark.parametrize("hands", [1, 4, 16])
def test_it_finds_what_a_service_can_take(limit: float, hands: int) -> None:
    """A service that answers `limit` calls a second, each in 10 ms, is kept busy and seldom asked in vain."""
    clock, tokens, at, served, refused = Clock(), limit, 0.0, 0, 0
    pace = Pace(clock.time, clock.sleep)
    free = [(clock.now, n) for n in range(hands)]  # when each hand may ask again
    end = clock.now + 300
    while free[0][0] < end:
        clock.now, hand = heapq.heappop(free)
        pace.take()  # sleeps until its turn
        tokens, at = min(limit, tokens + (clock.now - (at or clock.now)) * limit), clock.now
        throttled = tokens < 1
        tokens -= 0 if throttled else 1
        served, refused = served + (not throttled), refused + throttled
        pace.answered(throttled=throttled)
        heapq.heappush(free, (clock.now + 0.01, hand))
    possible = min(limit, hands / 0.01) * 300
    assert served > 0.7 * possible
    assert refused < 0.1 * served
