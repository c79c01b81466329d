"""What the provisioner's exports say about its levels, beside what we assumed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from secmigrate.mapping import Difference


def calibration_lines(differences: Sequence[Difference], unknown: Sequence[str]) -> Iterator[str]:
    """Each level that was learned, and whether it is as we assume; then what was not understood."""
    yield f"{len(differences)} level{'' if len(differences) == 1 else 's'} learned"
    for one in differences:
        yield f"  {one.service} {one.level}: {'not as we assume' if one.differs else 'as we assume'} ({one.source})"
        yield from (f"    {words}: {told}" for words, told in _differences(one) if told)
    if unknown:
        yield f"{len(unknown)} not understood"
        yield from (f"  {line}" for line in unknown)


def calibration_document(differences: Sequence[Difference], unknown: Sequence[str]) -> dict[str, Any]:
    """The same for scripts."""
    return {
        "levels": [
            {
                "service": one.service,
                "level": one.level,
                "source": one.source,
                "differs": one.differs,
                "more": one.more,
                "less": one.less,
                "wider": one.wider,
                "narrower": one.narrower,
            }
            for one in differences
        ],
        "unknown": list(unknown),
    }


def _differences(one: Difference) -> Iterator[tuple[str, str]]:
    yield "allows more", one.more
    yield "allows less", one.less
    yield "allows on more resources, or under fewer conditions", one.wider
    yield "allows on fewer resources, or under more conditions", one.narrower
