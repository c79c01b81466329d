"""A short text for each person to whom something happens: what, when, and whom to ask. Nobody else gets one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from textwrap import wrap

from secmigrate.documents import read_bytes, write_whole
from secmigrate.errors import BadInput
from secmigrate.reports.escaping import visible
from secmigrate.reports.migration import Names, Part, Person, Report, Way
from secmigrate.reports.words import many

WIDTH = 78
NAMED = 6  # actions of a service that are named

_HEAD = "Your access in AWS account "
_NO_DAY = "the day is not fixed yet; you will hear of it beforehand"
_BEFORE = "If you need something of what goes, say so before that day: it can still be changed."
_OVER = "If you need something of what is gone, say so: it can be given back."
_NOBODY = "whoever looks after AWS accounts where you work"


def notices(told: Report, *, when: str = "", contact: str = "") -> Mapping[str, str]:
    """The texts by user. `when` and `contact` are a person's own words. Raises BadInput if nothing is mapped yet."""
    if not told.mapped:
        raise BadInput("there is nothing to tell people yet", where="--notices", hint="run `secmigrate map` first")
    if told.undone:
        return {}
    ways = {way.n: way for way in told.ways}
    said = _when(told, visible(when).strip())
    whom = visible(contact).strip() or _NOBODY
    return {
        one.name: _notice(told, one, ways.get(one.way), said, whom)
        for one in told.people
        if one.affected and one.after is not None
    }


def write(folder: Path, texts: Mapping[str, str]) -> None:
    """Writes each as `NAME.txt`, and removes those of an earlier time that nobody is to get any more."""
    wanted = {file_name(name) for name in texts}
    for path in sorted(folder.glob("*.txt")):
        if path.name not in wanted and read_bytes(path).startswith(_HEAD.encode()):
            path.unlink()
    for name, text in texts.items():
        write_whole(folder / file_name(name), text.encode())


def file_name(user: str) -> str:
    """A name that no shell takes for an option and no listing hides. IAM's names hold neither `/` nor `%`."""
    return f"%{ord(user[0]):02X}{user[1:]}.txt" if user[0] in ".-" else f"{user}.txt"


def _notice(told: Report, one: Person, way: Way | None, when: str, whom: str) -> str:
    lines = [f"{_HEAD}{told.account}: {visible(one.name)}", ""]
    move = _move(one)
    if way is None:
        lines += _wrapped(f"{move}; what you can do stays the same. When: {when}. Questions: {whom}.")
        return "\n".join(lines) + "\n"
    lines += _wrapped(f"{move}." if move else "You stay in your groups; what they allow changes.")
    lines += ["", *_wrapped(f"When: {when}."), *_wrapped(f"Whom to ask: {whom}.")]
    for title, body in _parts(way):
        if body:
            lines += ["", title, *body]
    over = told.at("decommission") == "done"
    if way.open and not over:
        lines += ["", *_wrapped("Nobody has agreed to this loss yet. Until somebody has, your old groups stay.")]
    if way.open or way.taken:
        lines += ["", *_wrapped(_OVER if over else _BEFORE)]
    return "\n".join(lines) + "\n"


def _move(one: Person) -> str:
    before, after = set(one.before), set(one.after or ())
    gone, come = sorted(before - after), sorted(after - before)
    if gone and come:
        return f"You move from {_groups(gone)} to {_groups(come)}"
    if come:
        return f"You also become a member of {_groups(come)}"
    return f"You leave {_groups(gone)}" if gone else ""


def _groups(names: Iterable[str]) -> str:
    named = [visible(name) for name in names]
    return f"the group {named[0]}" if len(named) == 1 else f"the groups {_and(named)}"


def _when(told: Report, when: str) -> str:
    """In words that fit how far the migration is."""
    days = {one.name: one.last[:10] for one in told.runs if one.ended == "done"}
    if told.at("decommission") == "done":
        return f"this was done on {days.get('decommission', 'a day that no journal tells')}"
    if told.at("readd") == "done":
        since = days.get("readd")
        joined = f"you have been in your new groups since {since}" if since else "you are in your new groups"
        return f"{joined}; the old ones go {f'({when})' if when else 'on a day that is not fixed yet'}"
    return when or _NO_DAY


def _parts(way: Way) -> Iterator[tuple[str, list[str]]]:
    losses = list(_services(way.losses))
    more = [f"  and more: ask for all of it ({way.left_out} entries)"] if way.left_out else []
    yield "What you can no longer do, at least not everywhere:", [*losses, *more]
    yield "Roles that you can no longer take on:", [f"  {visible(name)}" for name in way.roles.lost]
    yield "Roles that you may have to take on in another way:", [f"  {visible(name)}" for name in way.roles.unsure]
    yield "What you can do in addition:", _wrapped(_gains(way), "  ") if way.gained else []
    yield "Roles that you can take on now:", [f"  {visible(name)}" for name in way.roles.gained]
    yield "Roles that you can take on more freely, or perhaps now:", [f"  {visible(name)}" for name in way.roles.wider]


def _gains(way: Way) -> str:
    numbers = {service: sum(levels.values()) for service, levels in way.gained.items()}
    return ", ".join(f"{service} ({many(number, 'action')})" for service, number in numbers.items())


def _services(parts: Iterable[Part]) -> Iterator[str]:
    """`s3: DeleteObject, PutObject and 3 more`, a service a line."""
    found: dict[str, dict[str, None]] = {}
    for part in parts:
        for action in part.actions:
            service, _, verb = action.partition(":")
            found.setdefault(service, {})[verb] = None
    for service, verbs in sorted(found.items()):
        yield from _wrapped(f"{service}: {_some(tuple(sorted(verbs)))}", "  ")


def _some(names: Names) -> str:
    rest = len(names) - NAMED
    return ", ".join(names) if rest <= 1 else f"{', '.join(names[:NAMED])} and {rest} more"


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _wrapped(text: str, indent: str = "") -> list[str]:
    return wrap(
        visible(text),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  " if indent else "",
        break_long_words=False,
        break_on_hyphens=False,
    )
