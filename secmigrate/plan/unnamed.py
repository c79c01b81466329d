"""What may go because nothing that stays names it, or means it and not what takes its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from msgspec import Struct

from secmigrate.iam import Entity, Group, Policy, Role, Snapshot
from secmigrate.plan.fold import Kept
from secmigrate.plan.meaning import Meaning, Meant
from secmigrate.plan.naming import in_rings, namers


class Unnamed(Struct, frozen=True):
    """The groups and roles that may go, and those that stay, with the reason."""

    groups: tuple[Group, ...]
    roles: tuple[Role, ...]
    kept: tuple[Kept, ...]


class Names:
    """The names in an account's documents, of these groups and roles and of what takes their place."""

    def __init__(
        self,
        live: Snapshot,
        groups: Sequence[Group],
        roles: Sequence[Role],
        homes: Mapping[str, Sequence[str]],
        successors: Mapping[str, str],
    ) -> None:
        """`homes` are the new groups by old ones, `successors` the new roles, by name."""
        self._live = live
        self._namers = namers(live)
        self._meaning = Meaning(
            live,
            {group.name: homes[group.name] for group in groups},
            {role.name: successors[role.name] for role in roles},
        )

    def unnamed(self, groups: Sequence[Group], roles: Sequence[Role]) -> Unnamed:
        """Those of which nothing speaks that stays. What stays keeps what it names, so it is done again.

        Roles that could not be made anew, because they trust each other, stay from the start.
        """
        rings = {role.name for role in in_rings(self._live, roles)}
        kept = [Kept("role", name, "it trusts itself, or a role that trusts it back") for name in sorted(rings)]
        arns = {self._live.arn(one): one for one in (*groups, *roles) if one.kind == "group" or one.name not in rings}
        while found := self._kept(arns.keys()):
            kept += [Kept(arns[arn].kind, arns[arn].name, reason) for arn, reason in found.items()]
            arns = {arn: one for arn, one in arns.items() if arn not in found}
        return Unnamed(
            tuple(one for one in arns.values() if isinstance(one, Group)),
            tuple(one for one in arns.values() if isinstance(one, Role)),
            tuple(kept),
        )

    def _kept(self, leaving: Set[str]) -> Mapping[str, str]:
        """Why which of these must stay while the others go."""
        staying: dict[int, list[Meant]] = {}  # of lists that many share
        return {arn: reason for arn in leaving if (reason := self._reason(arn, leaving, staying))}

    def _reason(self, arn: str, leaving: Set[str], staying: dict[int, list[Meant]]) -> str:
        """Why the thing with this ARN must stay while these go; empty if it need not. A managed policy that names it in
        full counts as staying, whatever becomes of it.
        """
        if others := {self._live.arn(thing) for thing in self._namers.get(arn, ())} - leaving:
            return f"named in {min(others)}"
        shared = self._meaning.of(arn)
        for ones in shared:
            if id(ones) not in staying:
                staying[id(ones)] = [one for one in ones if self._stays(one.by, leaving)]
        for meant in (one for ones in shared for one in staying[id(ones)]):
            if loser := self._meaning.loser(meant, arn, leaving):
                by = self._live.arn(meant.by)
                of = (
                    f", which {self._live.arn(loser)} has" if isinstance(meant.by, Policy) and loser != meant.by else ""
                )
                return f"named in {by}" if arn in meant.entries else f"meant by {by} ({meant.of(arn)}){of}"
        return ""

    def _stays(self, thing: Entity, leaving: Set[str]) -> bool:
        """Whether it is none of these, or a managed policy that only they use."""
        users = self._live.uses(thing.arn) if isinstance(thing, Policy) else ()
        return any(self._live.arn(one) not in leaving for one in users or (thing,))
