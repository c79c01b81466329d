"""Lines that fit a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

WIDTH = 80
GLUE = "\u00a0"  # a space at which no line is broken; it is written as any other
INDENT = " " * 12


def wrapped(text: str, rest: str = "") -> list[str]:
    """The text in lines, the second and later ones after `rest`. An ARN that is longer than a line stays whole."""
    start = text[: len(text) - len(text.lstrip())]
    lines = wrap(
        text.lstrip(),
        WIDTH,
        initial_indent=start,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace(GLUE, " ") for line in lines]


def labelled(label: str, text: str) -> Iterator[str]:
    """A text beside its label, as a column of its own; nothing for an empty text."""
    if text:
        yield from wrapped(f"    {label:8}{text}" if label else f"{INDENT}{text}", rest=INDENT)


def listed(names: Sequence[str], most: int = 0, between: str = ", ") -> str:
    """The names, at most so many (0: all), and how many more there are. One more is not worth leaving out."""
    if not most or len(names) <= most + 1:
        if len(names) > 1 and between == ", ":
            return f"{between.join(names[:-1])} and {names[-1]}"
        return between.join(names)
    return f"{between.join(names[:most])} and {len(names) - most} more"
