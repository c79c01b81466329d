"""What `make bench` found, in words: the tables, and the part of docs/benchmarks.md that they take the place of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.bench_measuring import Measured, Pair, median

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
MOST = 1500  # megabytes of memory that a maximum account may take, by what the project promises
_MEASURABLE = 0.01  # seconds: of less than that, growth is noise

Found = Mapping[tuple[str, str], Sequence[Measured]]  # by step and account, a round each; none: it did not end
Beside = Mapping[tuple[str, str, str], Sequence[Pair]]  # by ours, theirs and account; none: it is not there


class Circumstances(NamedTuple):
    """On what and when it was measured."""

    date: str
    python: str
    machine: str
    cores: int
    load: float  # of the last minute, before anything was measured
    rounds: int
    versions: dict[str, str]  # of ours, and of what is beside it

    @property
    def busy(self) -> bool:
        """Whether the machine had more to do than it has cores."""
        return self.load > self.cores


def report(at: Circumstances, bytes_of: Mapping[str, int], found: Found, beside: Beside) -> Iterator[str]:
    """All that is measured; `bytes_of` are the accounts' sizes as JSON."""
    yield from circumstances(at)
    yield ""
    yield from steps(bytes_of, found)
    yield ""
    yield from verdict(bytes_of, found)
    if beside:
        yield ""
        yield from rivals(beside)


def circumstances(at: Circumstances) -> Iterator[str]:
    """The date, the machine, the versions."""
    versions = ", ".join(f"{name} {version}" for name, version in at.versions.items())
    rounds = "one round" if at.rounds == 1 else f"medians of {at.rounds} rounds, in which all steps take turns"
    yield f"Measured on {at.date} with Python {at.python} on {at.machine}, {at.cores} cores; {rounds}."
    yield f"Load at the start: {at.load:.1f}. Versions: {versions}."
    if at.busy:
        yield ""
        yield "**The machine was busy with other work when this began:** seconds are too high, and short ratios rough."


def steps(bytes_of: Mapping[str, int], found: Found) -> Iterator[str]:
    """A line for each step and account."""
    yield "| step | account | JSON | seconds | x parse | growth | peak memory | calls |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for (step, account), rounds in found.items():
        size = f"{bytes_of[account] / 1e6:.1f} MB"
        if not rounds:
            yield f"| {step} | {account} | {size} | did not end | | | | |"
            continue
        one = median(rounds)
        yield (
            f"| {step} | {account} | {size} | {one.seconds:.2f} | {one.ratio:.1f} "
            f"| {_growth(bytes_of, found, step, account)} | {one.peak:.0f} MB | {one.calls or ''} |"
        )


def _growth(bytes_of: Mapping[str, int], found: Found, step: str, account: str) -> str:
    grown = growth(bytes_of, found, step, account)
    if grown is None:
        return ""
    times, most = grown
    return f"**{times:.1f} > {most:.1f}**" if times > most else f"{times:.1f} of {most:.1f}"


def growth(bytes_of: Mapping[str, int], found: Found, step: str, account: str) -> tuple[float, float] | None:
    """How many times as long the step takes as on the account before this one, and how many times as long the input
    times its logarithm would, both by their shortest round: other work makes none shorter. None if there is nothing
    to compare with.
    """
    names = list(bytes_of)
    before = names[names.index(account) - 1] if names.index(account) else ""
    if not before or not found.get((step, before)) or not found.get((step, account)):
        return None
    few, many = (min(one.seconds for one in found[step, name]) for name in (before, account))
    sizes = bytes_of[before], bytes_of[account]
    return (many / few, _n_log_n(sizes[1]) / _n_log_n(sizes[0])) if few > _MEASURABLE else None


def _n_log_n(size: int) -> float:
    return size * math.log(size)


def verdict(bytes_of: Mapping[str, int], found: Found) -> Iterator[str]:
    """What of it is more than it should be: growth, and the memory of the largest account."""
    grown = {(step, account): growth(bytes_of, found, step, account) for step, account in found}
    fast = [f"{step} ({account})" for (step, account), one in grown.items() if one and one[0] > one[1]]
    yield f"Growing faster than the input times its logarithm: {_listed(fast)}."
    large = [
        f"{step} ({account}, {max(one.peak for one in rounds):.0f} MB)"
        for (step, account), rounds in found.items()
        if any(one.peak > MOST for one in rounds)
    ]
    yield f"Over {MOST} MB of memory: {_listed(large)}."


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nothing"


def rivals(beside: Beside) -> Iterator[str]:
    """A line for each pair."""
    yield "| ours | what people use today | account | ours, s | theirs, s | theirs / ours | our calls | their calls |"
    yield "|---|---|---|---:|---:|---:|---:|---:|"
    for (ours, theirs, account), rounds in beside.items():
        if not rounds:
            yield f"| {ours} | {theirs} | {account} | | not there | | | |"
            continue
        one = median(rounds)
        calls = f"{one.our_calls or ''} | {one.their_calls or ''}"
        yield f"| {ours} | {theirs} | {account} | {one.ours:.3g} | {one.theirs:.3g} | {one.ratio:.1f} | {calls} |"


def replaced(page: str, lines: Iterable[str]) -> str:
    """The page with these lines between its markers. Raises ValueError if it has not one of each, in order."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or page.count(BEGIN) + page.count(END) != 2:
        raise ValueError(f"the page needs the lines {BEGIN} and {END}, once each and in this order")
    return "\n".join((before + BEGIN, "", *lines, "", END + after))
