"""What a change of an account takes from its users, or gives them: the question that a planner asks at each step."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import filter as filter_names
from fnmatch import fnmatchcase

from msgspec import Struct, structs

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.assuming import ASSUME, Doors
from secmigrate.access.comparing import Comparer, Row
from secmigrate.access.effective import Side, Sides
from secmigrate.access.formats import meet
from secmigrate.access.patterns import widened
from secmigrate.access.people import Change, Comparison
from secmigrate.iam import Document, Snapshot, User


class Accepted(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Losses that a person has seen and takes: these actions, for these users, for this reason. Globs, cases aside."""

    actions: tuple[str, ...]
    users: tuple[str, ...] = ("*",)
    why: str
    by: str = ""  # who said so

    def covers(self, user: str) -> bool:
        """Whether it is about that user."""
        return any(fnmatchcase(user.casefold(), glob.casefold()) for glob in self.users)


def idle(accepted: Iterable[Accepted], catalogue: ActionCatalogue, users: Iterable[str]) -> list[str]:
    """Globs of accepted losses that fit no action or none of the users: misspelt, or gone since. A line each."""
    names = [name.casefold() for name in users]
    return [
        f"accept[{n}].{field}: {glob}"
        for n, one in enumerate(accepted)
        for field, globs in (("actions", one.actions), ("users", one.users))
        for glob in globs
        if not (catalogue.bits(glob) if field == "actions" else filter_names(names, glob.casefold()))
    ]


class Passage:
    """The way from one moment of an account to another: who goes without something on it that she has at both ends."""

    def __init__(self, comparer: Comparer, start: Snapshot, end: Snapshot) -> None:
        self._comparer = comparer
        self._start: tuple[Snapshot, dict[str, Side]] = (start, {})
        self._end: tuple[Snapshot, dict[str, Side]] = (end, {})

    def dips(self, between: Snapshot, user: str) -> bool:
        """Whether the user lacks something in between that she has both at the start and at the end."""
        comparer = self._comparer
        now, start = comparer.sides.of(between, between.users[user]), self._side(self._start, user)
        if start.plainly_within(now):
            return False
        end = self._side(self._end, user)
        if end.plainly_within(now) or not comparer.lacks(start, now) or not comparer.lacks(end, now):
            return False
        in_the_end: dict[object, int] = {}
        for row in comparer.lacking(start, end):
            in_the_end[row.extent] = in_the_end.get(row.extent, 0) | row.actions
        gone = comparer.lacking(start, now)
        if any(row.actions & ~in_the_end.get(row.extent, 0) for row in gone):
            return True
        # What is lost in the end may be lost in part only: the rest of it she has at both ends.
        missing = comparer.lacking(end, now)
        return any(one.actions & other.actions and _overlap(one, other) for one in gone for other in missing)

    def _side(self, moment: tuple[Snapshot, dict[str, Side]], user: str) -> Side:
        """What she can do at one end; she is asked about again and again."""
        snapshot, known = moment
        found = known.get(user)
        if found is None:
            found = known[user] = self._comparer.sides.of(snapshot, snapshot.users[user])
        return found


def _overlap(one: Row, other: Row) -> bool:
    return meet(widened(one.extent.region.pattern), widened(other.extent.region.pattern))


class Watch:
    """Compares moments of one account, user by user, and knows which losses are accepted."""

    def __init__(
        self,
        catalogue: ActionCatalogue,
        snapshots: Sequence[Snapshot],
        accepted: Iterable[Accepted] = (),
        documents: Iterable[Document] = (),
    ) -> None:
        """`snapshots`, all of one account and at least one, and `documents` hold every document that will be met."""
        self._comparer = Comparer(Sides(catalogue, snapshots, documents), snapshots[0].partition)
        self._catalogue = self._comparer.sides.catalogue
        self._accepted = tuple(accepted)
        self._masks: dict[str, int] = {}
        self._doors: tuple[Snapshot, Doors] | None = None  # of the snapshot that was asked about last

    def between(self, before: Snapshot, after: Snapshot, successors: Mapping[str, str] | None = None) -> Comparison:
        """The comparison of two of the account's moments."""
        return Comparison(before, after, self._catalogue, successors, self._comparer)

    def side(self, snapshot: Snapshot, user: User) -> Side:
        """All that decides what a user can do who is like that in the snapshot."""
        return self._comparer.sides.of(snapshot, user)

    def keeps(self, before: Side, after: Side) -> bool:
        """Whether the user can still do all that she could, for certain and by her own policies and groups."""
        return not self._comparer.lacks(before, after)

    def keeps_roles(self, snapshot: Snapshot, before: User, after: User) -> bool:
        """Whether the user may still assume every role that she may, for certain, who is like that afterwards and has
        lost no policy.
        """
        sides = self.side(snapshot, before), self.side(snapshot, after)
        assume = self._catalogue.bits(ASSUME)
        if not any(bits & assume for part in sides[1].deniers - sides[0].deniers for bits in part.denies.values()):
            return True
        if self._doors is None or self._doors[0] is not snapshot:
            self._doors = snapshot, Doors(snapshot, self._comparer.sides)
        then, now = (self._doors[1].reach(*one).ways for one in zip((before, after), sides, strict=True))
        return all(role in now and ways.within(now[role]) for role, ways in then.items())

    def only_gives(self, snapshot: Snapshot, group: str) -> bool:
        """Whether nobody who joins the group loses anything by it: nothing in it denies, or may deny, anything."""
        found = snapshot.groups.get(group)
        return found is not None and not self._comparer.sides.of(snapshot, found).deniers

    def passage(self, start: Snapshot, end: Snapshot) -> Passage:
        """The way from one of the account's moments to another, to be asked at every step."""
        return Passage(self._comparer, start, end)

    def losses(self, change: Change) -> list[str]:
        """What a user loses, or may lose, by her own policies and groups, and nobody accepted: in words, what is lost
        for certain first.
        """
        said = {line for row in self.unaccepted(change) for line in self._said(row, row.actions)}
        return sorted(said, key=lambda line: (line.startswith("perhaps"), line))

    def idle(self, snapshot: Snapshot) -> list[str]:
        """What is accepted for nothing, or for nobody in the account: see `idle`."""
        return idle(self._accepted, self._catalogue, snapshot.users)

    def unaccepted(self, change: Change) -> tuple[Row, ...]:
        """The same as rows that hold only what nobody accepted."""
        accepted, rows = self._accepted_by(change.name), (*change.lost, *change.may_lose)
        return tuple(structs.replace(row, actions=left) for row in rows if (left := row.actions & ~accepted))

    def barred(self, change: Change) -> list[str]:
        """The roles that a user may not assume any more, or perhaps not as before, and nobody accepted it."""
        if self._catalogue.bits(ASSUME) & self._accepted_by(change.name):
            return []
        return sorted({*change.roles.lost, *change.roles.unsure})

    def gains(self, change: Change) -> list[str]:
        """What a user gains, or may gain, in words."""
        return sorted({line for row in (*change.gained, *change.may_gain) for line in self._said(row, row.actions)})

    def _said(self, row: Row, bits: int) -> Iterator[str]:
        for action in self._catalogue.named(bits):
            yield f"{'' if row.certain else 'perhaps '}{action.name} on {row.extent.region}"

    def _accepted_by(self, user: str) -> int:
        if user not in self._masks:
            mask = 0
            for one in self._accepted:
                if one.covers(user):
                    for glob in one.actions:
                        mask |= self._catalogue.bits(glob)
            self._masks[user] = mask
        return self._masks[user]
