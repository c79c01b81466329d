"""What the going of old groups and roles takes from people, asked before anything goes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import structs

from secmigrate.access import Change, Watch
from secmigrate.access.assuming import Trusted
from secmigrate.access.telling import trustees
from secmigrate.iam import Group, Role, Snapshot, User

_SHOWN = 3  # losses of a user that a danger names


class Farewell:
    """The account without its old groups and roles, compared with the account as it is now."""

    def __init__(self, live: Snapshot, successors: Mapping[str, str], watch: Watch) -> None:
        """`successors` are the new role names by old ones."""
        self._live = live
        self._successors = successors
        self._watch = watch
        self._lost: dict[str, list[str]] = {}  # by user
        self._changed: dict[frozenset[str], tuple[Change, ...]] = {}  # by the groups that go

    @property
    def stranded(self) -> list[str]:
        """Who would end with less, and what she would lose, a line each."""
        return [f"{user} ({_few(lost)})" for user, lost in sorted(self._lost.items())]

    def of_groups(self, groups: Sequence[Group]) -> tuple[tuple[Group, ...], dict[str, str]]:
        """The groups that may go, and why others must stay.

        A user who would lose something keeps all of her groups: which of them gave it is for a person to see in
        `access`.
        """
        going = frozenset(group.name for group in groups)
        needed: dict[str, str] = {}
        for change in self._changes(going):
            if lost := self._watch.losses(change):
                self._lost.setdefault(change.name, []).extend(lost)
                for group in going.intersection(self._live.users[change.name].groups):
                    needed.setdefault(group, f"{change.name} would lose access with it")
        return tuple(group for group in groups if group.name not in needed), needed

    def of_roles(self, roles: Sequence[Role]) -> tuple[tuple[Role, ...], dict[str, str]]:
        """The roles that may go, and why others must stay: somebody may assume them, but not what takes their place."""
        going = {role.name for role in roles}
        needed: dict[str, str] = {}
        if going:
            after = self._without((), going)
            for change in self._watch.between(self._live, after, self._successors).users():
                for role in going.intersection(self._watch.barred(change)):
                    self._lost.setdefault(change.name, []).append(f"to assume role {role}")
                    needed.setdefault(role, f"{change.name} may assume it, but not {self._successors[role]}")
        return tuple(role for role in roles if role.name not in needed), needed

    def gains(self, groups: Iterable[Group]) -> list[str]:
        """Who may do more without these groups, and what, a line each."""
        changes = self._changes(frozenset(group.name for group in groups))
        return [f"{change.name} ({_few(gained)})" for change in changes if (gained := self._watch.gains(change))]

    def _changes(self, going: frozenset[str]) -> tuple[Change, ...]:
        """What becomes of the members of these groups without them; asked twice, if nothing keeps any of the groups."""
        found = self._changed.get(going)
        if found is None:
            after = self._without(going, ())
            found = tuple(self._watch.between(self._live, after).users(self._members(going)))
            self._changed[going] = found
        return found

    def _members(self, groups: frozenset[str]) -> list[str]:
        return [user.name for user in self._live.users.values() if not groups.isdisjoint(user.groups)]

    def _without(self, groups: Iterable[str], roles: Iterable[str]) -> Snapshot:
        gone, gone_roles = set(groups), set(roles)

        def left(user: User) -> User:
            if gone.isdisjoint(user.groups):
                return user
            return structs.replace(user, groups=tuple(group for group in user.groups if group not in gone))

        return structs.replace(
            self._live,
            users={name: left(user) for name, user in self._live.users.items()},
            groups={name: group for name, group in self._live.groups.items() if name not in gone},
            roles={name: role for name, role in self._live.roles.items() if name not in gone_roles},
        )


def narrowed(before: Snapshot, after: Snapshot, successors: Mapping[str, str], watch: Watch) -> list[str]:
    """The roles whose place one takes that does not let everybody in, or may not do all, a line each."""
    found = []
    there = [role for role in successors if role in before.roles]
    for change in watch.between(before, after, successors).roles(there):
        let_in = after.roles[change.becomes].trust.aws_principals if change.becomes else ()
        shut_out = (one for one in change.trust_lost if not _is_seen_to(one, before, after, successors, let_in))
        less = [f"not by {who}" for who in trustees(shut_out, before, gained=False)] + watch.losses(change)
        if less:
            found.append(f"{change.name} as {change.becomes} ({_few(less)})")
    return found


def _is_seen_to(
    one: Trusted, before: Snapshot, after: Snapshot, successors: Mapping[str, str], let_in: Collection[str]
) -> bool:
    """Whether it is a user, each of whom is asked for herself, or a role whose successor is let in in its place."""
    kind, arn = one.principal
    here = f"arn:{before.partition}:iam::{before.account}:"
    if kind != "AWS" or not one.allows:
        return False
    if arn.startswith(f"{here}role/"):
        new = after.roles.get(successors.get(arn.rpartition("/")[2], ""))
        return new is not None and after.arn(new) in let_in
    return arn.startswith(f"{here}user/")


def _few(lines: Sequence[str]) -> str:
    rest = len(lines) - _SHOWN
    return ", ".join(lines[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
