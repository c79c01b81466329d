"""Which documents mean what goes without naming it in full, and not what takes its place: a pattern that only the old
name fits, a session of the old role, a condition that its ARN or its tags fulfil.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from fnmatch import fnmatchcase
from functools import lru_cache

from msgspec import Struct

from secmigrate.access.apart import Apart
from secmigrate.access.assuming import ASSUME, Conditions, Trusted, Ways, trusted
from secmigrate.access.conditions import ALWAYS, Test, implies
from secmigrate.access.facts import Facts, decided_by, own_keys
from secmigrate.access.patterns import matches, resource, widened
from secmigrate.access.reading import Row, rows
from secmigrate.access.sources import held, holders, known_facts
from secmigrate.iam import Document, Entity, Group, Policy, Principal, Role, Snapshot, User

_IAM = re.compile(r'"arn:[^":]*:(?:iam|[^":]*[*?][^":]*):')  # without such an entry a document is about other things
_ARN, _TAG = "aws:principalarn", "aws:principaltag/"


class Meant(Struct, frozen=True, eq=False):
    """What holds a document that means something old, and what that says: a statement of its permissions about these
    entries, by a key if it is in its condition; or else whatever a trust policy asks.
    """

    by: Entity
    what: str
    entries: tuple[str, ...] = ()
    row: Row | None = None

    def of(self, arn: str) -> str:
        """What it says of that old thing."""
        entry = next((one for one in self.entries if matches(widened(resource(one)), arn)), "")
        return f"{self.what} {entry}".rstrip()


class Meaning:
    """The documents of an account, asked which old things they mean."""

    def __init__(self, live: Snapshot, groups: Mapping[str, Sequence[str]], roles: Mapping[str, str]) -> None:
        """`groups` and `roles` are what goes and what takes its place, by names; all of it is there."""
        self._live = live
        self._roles = {live.arn(live.roles[old]): (live.roles[old], live.roles[new]) for old, new in roles.items()}
        self._new_of: dict[str, Sequence[str]] = {arn: (live.arn(new),) for arn, (_, new) in self._roles.items()}
        for old, homes in groups.items():
            self._new_of[live.arn(live.groups[old])] = [live.arn(live.groups[home]) for home in homes]
        self._apart = Apart(self._new_of, {arn: (old.tags, new.tags) for arn, (old, new) in self._roles.items()})
        self._leaving = {("group", name) for name in groups} | {("role", name) for name in roles}
        self._held: dict[tuple[str, str], tuple[Document, ...]] = {}
        self._lacking: dict[tuple[object, ...], bool] = {}
        self._meant: dict[str, list[list[Meant]]] = {}  # by ARN; what holds the same entries is one list
        if self._new_of:
            self._read()

    def of(self, arn: str) -> Sequence[Sequence[Meant]]:
        """What means the thing that has this ARN and goes, whether that stays or not; one list for what many share."""
        return self._meant.get(arn, ())

    def _read(self) -> None:
        by_entries: dict[tuple[str, ...], list[Meant]] = {}
        for thing in sorted(self._live.entities(), key=self._live.arn):
            documents = (document for document in _documents(thing) if _IAM.search(document.text))
            for row in (row for document in documents for row in rows(document)):
                for key, entries in (("", row.resources), *((test.key, test.values) for test in row.condition)):
                    arns = self._apart.by_patterns(entries)
                    if arns and entries not in by_entries:
                        by_entries[entries] = []
                        for arn in arns:
                            self._meant.setdefault(arn, []).append(by_entries[entries])
                    if arns:
                        what = f"{key} is" if key else f"{_told(row)} on"
                        by_entries[entries].append(Meant(thing, what, entries, None if key else row))
            if isinstance(thing, Role):
                self._trust(thing)

    def _trust(self, holder: Role) -> None:
        for arn, what in self._preferred(holder.trust):
            if not what.startswith(_TAG) or self._may_assume(self._roles[arn][0], self._live.arn(holder)):
                self._meant.setdefault(arn, []).append([Meant(holder, f"its trust policy: {what}")])

    def _preferred(self, trust: Document) -> Iterator[tuple[str, str]]:
        """The old roles that a trust policy lets in where it does not let in what takes their place, and why."""
        ones = [one for one in trusted(trust) if ASSUME in one.calls]
        seen: set[str] = set()
        for arn, what in self._candidates(ones):
            if arn not in seen:
                seen.add(arn)
                keys = own_keys(trust)
                before, after = (self._ways(ones, role, keys) for role in self._roles[arn])
                if before.allowed and ALWAYS not in before.denied and not before.within(after):
                    yield arn, what

    def _candidates(self, ones: Sequence[Trusted]) -> Iterator[tuple[str, str]]:
        """The old roles of which some of it may say something else than of what takes their place."""
        sessions = f"arn:{self._live.partition}:sts::{self._live.account}:assumed-role/"
        for one in ones:
            name = one.principal[1].removeprefix(sessions).partition("/")[0]
            role = self._live.roles.get(name) if one.principal[1].startswith(sessions) else None
            if role is not None and self._live.arn(role) in self._roles:
                yield self._live.arn(role), one.principal[1]
        tests = {test for one in ones for test in one.condition if test.key.startswith("aws:principal")}
        for test in sorted(tests):
            if test.key == _ARN:
                yield from ((arn, str(test)) for arn in self._apart.by_arn(test) & self._roles.keys())
        for test in sorted(tests):
            if test.key.startswith(_TAG):
                yield from ((arn, str(test)) for arn in self._apart.by_tag(test))

    def _ways(self, ones: Sequence[Trusted], role: Role, keys: frozenset[str]) -> Ways:
        """How a trust policy lets in the sessions of a role, with no tags but the role's own."""
        facts = dict(known_facts(self._live, role, keys))
        facts |= {key: facts.pop(f"?{key}", None) for key in keys if key.startswith(_TAG)}
        known: Facts = tuple(sorted(facts.items()))

        def said(*, allows: bool) -> Conditions:
            about = [one for one in ones if one.allows == allows]
            decided = ((decided_by(one.condition, known), self._is_about(one, role)) for one in about)
            return frozenset(left | more for left, more in decided if left is not None and more is not None)

        return Ways(said(allows=True), said(allows=False))

    def _is_about(self, one: Trusted, role: Role) -> frozenset[Test] | None:
        """Of which sessions of the role a principal of a trust policy speaks: what must hold; None: of none."""
        kind, name = one.principal
        live = self._live
        sessions = f"arn:{live.partition}:sts::{live.account}:assumed-role/{role.name}/"
        if kind == "AWS" and name.startswith(sessions) and not one.all_but:
            return frozenset((Test("sts:rolesessionname", (name.removeprefix(sessions),), "string"),))
        everybody = {"*", live.account, f"arn:{live.partition}:iam::{live.account}:root"}
        is_named = kind == "AWS" and name in {*everybody, live.arn(role), role.seen.id or "-"}
        return ALWAYS if kind == "AWS" and is_named != one.all_but else None

    def _may_assume(self, role: Role, arn: str) -> bool:
        """Whether some policy of the role lets it assume that one, so far as that can be read."""
        return any(
            isinstance(one, str) or any(_reaches(row, arn) for row in _giving(one, (ASSUME,)))
            for one in held(self._live, role)
        )

    def loser(self, meant: Meant, arn: str, leaving: Set[str]) -> Entity | None:
        """Who has the statement, is none of these ARNs, and may not do the same to what takes the old thing's place by
        another one; what holds it if that is nobody in particular. None: nobody loses. Users who may assume roles are
        asked for more exactly elsewhere.
        """
        row = meant.row
        having = self._live.uses(meant.by.arn) if isinstance(meant.by, Policy) else (meant.by,)
        if not having or row is None or row.effect != "Allow" or row.all_but or row.all_but_resources:
            return meant.by
        staying = {self._live.arn(one): one for one in having if self._live.arn(one) not in leaving}
        if isinstance(meant.by, Policy) and meant.by.is_aws:
            # Of a policy that nobody can change, what takes the old role's place has no more than that one had.
            staying = {name: one for name, one in staying.items() if name not in self._new_of[arn]}
        assumes = {one.casefold() for one in row.actions} <= {ASSUME.casefold()}
        ones = (user_or_role for _, one in sorted(staying.items()) for user_or_role in self._for_whom(one))
        return next(
            (one for one in ones if not (assumes and isinstance(one, User)) and self._lacks(one, row, arn)), None
        )

    def _for_whom(self, holder: Entity) -> Iterator[Principal]:
        """The users and roles for whom the documents speak that it holds, or a group without members."""
        if isinstance(holder, Group) and self._live.members[holder.name]:
            yield from (self._live.users[name] for name in self._live.members[holder.name])
        elif isinstance(holder, Principal):
            yield holder

    def _lacks(self, one: Principal, row: Row, arn: str) -> bool:
        """Whether no other statement gives it the same on what takes the old thing's place."""
        key = (one.kind, one.name, row, arn)
        found = self._lacking.get(key)
        if found is None:
            others = [
                other
                for document in self._documents(one)
                for other in _giving(document, row.actions)
                if implies(row.condition, other.condition)
            ]
            found = any(not any(_reaches(other, new) for other in others) for new in self._new_of[arn])
            self._lacking[key] = found
        return found

    def _documents(self, one: Principal) -> tuple[Document, ...]:
        """What applies to a principal, without the documents of groups that go."""
        found = self._held.get((one.kind, one.name))
        if found is None:
            staying = (one for one in holders(self._live, one) if (one.kind, one.name) not in self._leaving)
            documents = (document for holder in staying for document in held(self._live, holder))
            found = tuple(document for document in documents if isinstance(document, Document))
            self._held[one.kind, one.name] = found
        return found


def _documents(thing: Entity) -> Iterator[Document]:
    """Those that say what somebody can do."""
    if isinstance(thing, Principal):
        yield from thing.inline.values()
    if isinstance(thing, Policy):
        yield thing.document


def _told(row: Row) -> str:
    more = f" and {len(row.actions) - 1} more" if len(row.actions) > 1 else ""
    return f"{'everything but ' if row.all_but else ''}{row.actions[0] if row.actions else 'something'}{more}"


@lru_cache(maxsize=65_536)
def _giving(document: Document, actions: tuple[str, ...]) -> tuple[Row, ...]:
    """The statements that allow all of these actions on something, so far as that is plain."""
    return tuple(
        row
        for row in rows(document)
        if row.effect == "Allow" and row.actions and not row.all_but and _cover(row.actions, actions)
    )


def _cover(globs: tuple[str, ...], actions: tuple[str, ...]) -> bool:
    return all(any(fnmatchcase(action.casefold(), glob.casefold()) for glob in globs) for action in actions)


def _reaches(row: Row, arn: str) -> bool:
    return any(matches(resource(one), arn) for one in row.resources) != row.all_but_resources
