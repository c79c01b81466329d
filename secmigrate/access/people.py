"""Everybody's access before and after: who loses what, who gains what, and where that cannot be told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Struct, structs

from secmigrate.access.actions import ActionCatalogue
from secmigrate.access.assuming import Doors, Reach, Trusted, Ways, trusted
from secmigrate.access.comparing import Comparer, Row
from secmigrate.access.effective import Side, Sides
from secmigrate.iam import Principal, PrincipalKind, Role, Snapshot, User

Names = tuple[str, ...]


class Reached(Struct, frozen=True):
    """The roles that somebody may not assume any more, may assume now, or may under other conditions, so that something
    may be lost; and those that she may assume wherever she could and elsewhere too, or perhaps now.
    """

    lost: Names = ()
    gained: Names = ()
    unsure: Names = ()
    wider: Names = ()

    def __bool__(self) -> bool:
        return bool(self.lost or self.gained or self.unsure or self.wider)


SAME_ROLES = Reached()


class Change(Struct, frozen=True):
    """What becomes of one user's or role's access."""

    kind: PrincipalKind
    name: str
    becomes: str  # the name afterwards: a role may be replaced by another one; empty if nothing takes its place
    lost: tuple[Row, ...] = ()
    gained: tuple[Row, ...] = ()
    may_lose: tuple[Row, ...] = ()
    may_gain: tuple[Row, ...] = ()
    unread: Names = ()  # what says something that cannot be read, and what is wrong with it
    roles: Reached = SAME_ROLES  # of a user
    trust_lost: tuple[Trusted, ...] = ()  # of a role: who may not assume it any more
    trust_gained: tuple[Trusted, ...] = ()

    def __bool__(self) -> bool:
        return any((*self._rows(), self.unread, self.roles, self.trust_lost, self.trust_gained))

    @property
    def takes(self) -> bool:
        """Whether something is lost, or may be."""
        return bool(self.lost or self.may_lose or self.roles.lost or self.roles.unsure)

    def _rows(self) -> Iterator[tuple[Row, ...]]:
        yield from (self.lost, self.gained, self.may_lose, self.may_gain)

    @property
    def told(self) -> tuple[object, ...]:
        """What is told of it, whoever it is: two with the same can be told together."""
        return (
            *(frozenset(rows) for rows in self._rows()),
            self.unread,
            self.roles,
            self.trust_lost,
            self.trust_gained,
        )


class Comparison:
    """Two moments of an account, compared for one principal after the other."""

    def __init__(
        self,
        before: Snapshot,
        after: Snapshot,
        catalogue: ActionCatalogue,
        successors: Mapping[str, str] | None = None,
        comparer: Comparer | None = None,
    ) -> None:
        """`successors` are new role names by old ones. A `comparer` that knows both snapshots saves work."""
        self.before = before
        self.after = after
        self.successors = successors or {}
        self.comparer = comparer or Comparer(Sides(catalogue, (before, after)), before.partition)
        self.sides = self.comparer.sides
        self.catalogue = self.sides.catalogue
        self.nothing = Side((), None, (after, User(name="nobody")))  # what somebody can do who has no policy at all
        self._doors = (Doors(before, self.sides), Doors(after, self.sides))
        self._reached: dict[tuple[Reach, Reach], Reached] = {}

    def users(self, names: Iterable[str] | None = None) -> Iterator[Change]:
        """What becomes of each user that is there before and after, or of these; by name."""
        found = [
            (before, after, self.sides.of(self.before, before), self.sides.of(self.after, after))
            for name in sorted(self.before.users if names is None else names)
            if (before := self.before.users.get(name)) and (after := self.after.users.get(name))
        ]
        self._meet((old, new) for *_, old, new in found)
        for before, after, old, new in found:
            yield self._user(before, after, old, new)

    def user(self, name: str) -> Change:
        """What becomes of one user. Raises KeyError if she is not there before and after."""
        before, after = self.before.users[name], self.after.users[name]
        return self._user(before, after, self.sides.of(self.before, before), self.sides.of(self.after, after))

    def _user(self, before: User, after: User, old: Side, new: Side) -> Change:
        return _change(self.comparer, old, new, (before, after), self._reaches((before, after), old, new))

    def forget(self) -> None:
        """Lets go of what was worked out on the way but the rows, which changes keep; what is asked again is worked out
        again. On a large account that is most of the memory.
        """
        self.comparer = Comparer(self.sides, self.before.partition, self.comparer.same)

    def change(self, before: Principal, after: Principal) -> Change:
        """What becomes of the own access of a principal, which may have another name afterwards."""
        old, new = self.sides.of(self.before, before), self.sides.of(self.after, after)
        return _change(self.comparer, old, new, (before, after))

    def roles(self, names: Iterable[str] | None = None) -> Iterator[Change]:
        """What becomes of each role, or of these, if its access or trust changes; by name. One without a successor
        loses all.
        """
        found = list(self._replaced(names))
        self._meet((old, new) for *_, old, new in found)
        for role, new, old_side, new_side in found:
            if new is None:
                lost = self.comparer.lacking(old_side, new_side)
                yield Change("role", role.name, "", lost=lost, trust_lost=_allowed(trusted(role.trust)))
                continue
            change = _change(self.comparer, old_side, new_side, (role, new))
            gone, come = _trust(trusted(role.trust), trusted(new.trust))
            if change or gone or come:
                yield structs.replace(change, trust_lost=gone, trust_gained=come)

    def _replaced(self, names: Iterable[str] | None) -> Iterator[tuple[Role, Role | None, Side, Side]]:
        """Roles, with what stands in their place, and their sides; without those of which plainly nothing changes."""
        for name in sorted(self.before.roles if names is None else names):
            role, new = self.before.roles[name], self.after.roles.get(self.successor(name))
            if new is not role or self._policies_differ(role):
                old_side = self.sides.of(self.before, role)
                yield role, new, old_side, self.sides.of(self.after, new) if new else self.nothing

    def _meet(self, sides: Iterable[tuple[Side, Side]]) -> None:
        """Meets all statements beforehand: an example looks at them again whenever there are new ones."""
        self.comparer.finder.met.meet({part for pair in sides for side in pair for part in side.all_parts})

    def successor(self, role: str) -> str:
        """The role that stands where this one stood; empty if none does."""
        new = self.successors.get(role, role)
        return new if new in self.after.roles else ""

    def assumed(self, name: str) -> frozenset[str]:
        """The roles that a user may assume before, or may under a condition."""
        user = self.before.users[name]
        return frozenset(self._doors[0].reach(user, self.sides.of(self.before, user)).ways)

    def assumable(self, name: str) -> frozenset[str]:
        """The roles of before that a user may assume, or whose successor she may assume afterwards."""
        after = self.after.users[name]
        ways = self._doors[1].reach(after, self.sides.of(self.after, after)).ways
        return self.assumed(name) | {role for role in self.before.roles if self.successor(role) in ways}

    def _reaches(self, ones: tuple[User, User], old: Side, new: Side) -> Reached:
        before, after = self._doors[0].reach(ones[0], old), self._doors[1].reach(ones[1], new)
        if not before.shared or not after.shared:
            return self._between(before.ways, after.ways)
        key = (before, after)
        if key not in self._reached:
            self._reached[key] = self._between(before.ways, after.ways)
        return self._reached[key]

    def _between(self, before: Mapping[str, Ways], after: Mapping[str, Ways]) -> Reached:
        lost: list[str] = []
        unsure: list[str] = []
        wider: list[str] = []
        for role, ways in before.items():
            there = after.get(self.successor(role))
            if there is None:
                (lost if ways.certain else unsure).append(role)
            elif ways is not there and not ways.within(there):
                unsure.append(role)
            elif ways is not there and not there.within(ways):
                wider.append(role)
        taken = {self.successor(role) for role in before}
        gained = [role for role, ways in after.items() if role not in taken and ways.certain]
        wider += [role for role, ways in after.items() if role not in taken and not ways.certain]
        return Reached(tuple(sorted(lost)), tuple(sorted(gained)), tuple(sorted(unsure)), tuple(sorted(wider)))

    def _policies_differ(self, one: Principal) -> bool:
        arns = (*one.attached, getattr(one, "boundary", ""))
        return any(self.before.policies.get(arn) != self.after.policies.get(arn) for arn in arns)


def _change(
    comparer: Comparer, old: Side, new: Side, ones: tuple[Principal, Principal], roles: Reached = SAME_ROLES
) -> Change:
    less, more = comparer.lacking(old, new), comparer.lacking(new, old)
    return Change(
        kind=ones[0].kind,
        name=ones[0].name,
        becomes=ones[1].name,
        lost=_only(less, certain=True),
        gained=_only(more, certain=True),
        may_lose=_only(less, certain=False),
        may_gain=_only(more, certain=False),
        unread=_unread(old, new),
        roles=roles,
    )


def _only(rows: tuple[Row, ...], *, certain: bool) -> tuple[Row, ...]:
    return tuple(row for row in rows if row.certain == certain)


def _unread(old: Side, new: Side) -> Names:
    if not any(part.flawed for side in (old, new) for part in side.all_parts):
        return ()
    found = {
        f"{source}, {flaw.place}: {flaw.what}"
        for side in (old, new)
        for source in side.sources
        for flaw in source.reading.flaws
    }
    return tuple(sorted(found))


def _trust(old: tuple[Trusted, ...], new: tuple[Trusted, ...]) -> tuple[tuple[Trusted, ...], tuple[Trusted, ...]]:
    """Who is trusted no more, and who is trusted now; a Deny that is new takes, one that is gone gives. What somebody
    may bring along is told where that alone changes.
    """
    only_old = tuple(one for one in old if one not in new)
    only_new = tuple(one for one in new if one not in old)
    return (
        _wholly(tuple(one for one in only_old if one.allows) + tuple(one for one in only_new if not one.allows)),
        _wholly(tuple(one for one in only_new if one.allows) + tuple(one for one in only_old if not one.allows)),
    )


def _wholly(ones: tuple[Trusted, ...]) -> tuple[Trusted, ...]:
    """Without what may be brought along by whoever is among them for assuming the role itself."""
    assuming = {(one.allows, one.all_but, one.principal, one.condition) for one in ones if one.assumes}
    return tuple(
        one for one in ones if one.assumes or (one.allows, one.all_but, one.principal, one.condition) not in assuming
    )


def _allowed(ones: tuple[Trusted, ...]) -> tuple[Trusted, ...]:
    return tuple(one for one in ones if one.allows and one.assumes)
