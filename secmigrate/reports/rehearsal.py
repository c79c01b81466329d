"""How a rehearsal is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from secmigrate.rehearsal import Leg, Pace

SHOWN = 60  # users without access that are named
ROLES = 4  # roles that are named


def leg_lines(leg: Leg, pace: Pace) -> Iterator[str]:
    """One plan: what it took, where it ended, and how long each person was without something."""
    runs = f" and {leg.runs} runs of the provisioner" if leg.runs else ""
    took = f"about {_time(leg.seconds)} at {1 / pace.call:.0f} calls a second"
    more = f" and {pace.stack:.0f} s for each run (assumed)" if leg.runs else ""
    yield f"{leg.name}: {leg.calls} calls{runs}, {took}{more}"
    yield f"  it ended {'as planned' if leg.as_planned else 'NOT AS PLANNED'}"
    lacking = sorted(leg.lacking.items(), key=lambda one: (-one[1], one[0]))
    yield f"  seconds without access: 0 for {len(leg.without) - len(lacking)} of {len(leg.without)} users"
    yield from (f"    {user}: {seconds:g} s" for user, seconds in lacking[:SHOWN])
    if len(lacking) > SHOWN:
        yield f"    … and {len(lacking) - SHOWN} more (--json lists them)"
    for seconds in sorted({*leg.roles.values()}):
        roles = [role for role, spent in leg.roles.items() if spent == seconds]
        shown = ", ".join(roles[:ROLES]) + (f" and {len(roles) - ROLES} more" if len(roles) > ROLES else "")
        yield f"  roles that nobody can assume for {seconds:g} s: {len(roles)} ({shown})"


def rehearsal_document(legs: Sequence[Leg], findings: Sequence[str]) -> dict[str, Any]:
    """The same for programs, with every user."""
    rows = [
        {
            "name": leg.name,
            "calls": leg.calls,
            "runs": leg.runs,
            "seconds": round(leg.seconds, 1),
            "as_planned": leg.as_planned,
            "users": [{"user": user, "seconds_without": seconds} for user, seconds in leg.without.items()],
            "roles": [{"role": role, "seconds_without": seconds} for role, seconds in leg.roles.items()],
        }
        for leg in legs
    ]
    return {"legs": rows, "findings": list(findings)}


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
