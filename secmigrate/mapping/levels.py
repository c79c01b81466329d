"""Which levels and AWS managed policies answer for what somebody can do, and what is left over.

Levels are compared with policies by the access engine: which actions, on which resources. Names differ on purpose, for
today's buckets are not named for the project; so what is allowed on named resources is answered by a level that allows
the same on the project's, and the names are told apart (`unreached`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from secmigrate.access.actions import union, without
from secmigrate.iam import Document, is_aws_policy
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.patterns import matches
from secmigrate.mapping.reach import Reach
from secmigrate.mapping.rules import ManagedPolicy, Rule
from secmigrate.mapping.waived import NOTHING_WAIVED, Waived
from secmigrate.sec import Levels, Service

_LOST = "neither a level nor an AWS managed policy covers it"


class Fit(Struct, frozen=True, kw_only=True):
    """What somebody's policies come to in SEC's terms, and the reasons for it."""

    assignments: Mapping[str, str]
    managed_policies: tuple[str, ...]
    reasons: tuple[str, ...]


def fit(
    who: Reach,
    rule: Rule | None,
    ladders: Ladders,
    fixed: Mapping[str, str] | None = None,
    waived: Waived = NOTHING_WAIVED,
) -> Fit:
    """The levels and AWS managed policies for what somebody can do.

    For each service the lowest level that covers it; an AWS managed policy that allows more than the levels do, on
    whatever resource, goes along, and then the levels need not cover what it does. `rule` decides where several levels
    fit, and brings managed policies; `fixed` are levels that a person chose. What is `waived` need not be covered.
    """
    return _Fitting(who, rule, ladders, fixed or {}, waived).done()


def needed_levels(who: Reach, ladders: Ladders, waived: Waived = NOTHING_WAIVED) -> Mapping[str, str]:
    """The levels alone, by service, where no rule has a say."""
    chosen = _Fitting(who, None, ladders, {}, waived).chosen()
    return {service: one.level for service, one in sorted(chosen.levels.items())}


class _Level(NamedTuple):
    """The level of one service, and what says why: it is asked only of what stays."""

    level: str
    reasons: Callable[[], list[str]]


_NO_LEVEL = _Level("", list)


class _Chosen(NamedTuple):
    """The levels by service, and what goes along: the names of AWS managed policies, and the documents of both."""

    levels: Mapping[str, _Level]
    carried: set[str]
    level_documents: tuple[Document, ...]
    kept: tuple[Document, ...]


class _Fitting:
    def __init__(
        self, who: Reach, rule: Rule | None, ladders: Ladders, fixed: Mapping[str, str], waived: Waived
    ) -> None:
        self.who, self.rule, self.ladders, self.fixed, self.waived = who, rule, ladders, fixed, waived
        self.grants = ladders.grants
        self.expected = rule.levels if rule else {}
        self.own_levels = rule is None or rule.become.services == "own"
        self._documents = (*who.own_documents, *who.aws_documents.values())
        self.today = self.grants.allowed(self._documents)

    @cached_property
    def _anywhere(self) -> int:
        """What it may do today on every resource."""
        return self.grants.anywhere(self._documents)

    def chosen(self) -> _Chosen:
        """The levels, and the managed policies that go along because they allow more than the levels do."""
        carried = {name for name in self.who.aws if not self.own_levels or name not in self.who.aws_documents}
        carried = {name for name in carried if not self._replaced_unread(name)}
        while True:
            chosen = self._levels(carried)
            levels = self.ladders.documents({service: one.level for service, one in chosen.items()})
            kept = tuple(self.who.aws_documents[name] for name in sorted(carried) if name in self.who.aws_documents)
            more = {
                name
                for name, document in self.who.aws_documents.items()
                if name not in carried and self._lacks(document, (*levels, *kept))
            }
            if not more:
                return _Chosen(chosen, carried, levels, kept)
            carried |= more

    def done(self) -> Fit:
        """All of it, with the reasons."""
        chosen, carried, levels, kept = self.chosen()
        reasons = [line for one in chosen.values() for line in one.reasons()]
        reasons += [f"{service}: {level} because a person decided so" for service, level in sorted(self.fixed.items())]
        reasons += [self._carried(name, levels) for name in self.who.aws if name in carried]
        missing = without(self.today, self.grants.allowed((*levels, *kept)))
        added, left = self._added(without(missing, self.waived.actions))
        reasons += [f"{one.name} is added: it answers for {names}, and allows more" for one, names in added]
        if left:
            lost = self.ladders.wording.summed(left)
            reasons.append(f"not carried over: {lost}; {_LOST}")
        reasons += self._waived(missing & self.waived.actions)
        return Fit(
            assignments={service: one.level for service, one in sorted(chosen.items())},
            managed_policies=tuple(sorted({*carried, *(one.name for one, _ in added)})),
            reasons=tuple(reasons),
        )

    def _lacks(self, document: Document, levels: tuple[Document, ...]) -> bool:
        """Whether the document allows something that counts, and that the levels do not."""
        if not self.waived.actions:
            return self.grants.lacks((document,), levels)
        return any(row.actions & ~self.waived.actions for row in self.grants.lacking((document,), levels))

    def _waived(self, left: int) -> Iterator[str]:
        if self.waived.told:
            yield self.waived.told
        if left:
            yield f"not carried over: {self.ladders.wording.summed(left)}; {self.waived.why}"

    def _levels(self, carried: Collection[str]) -> dict[str, _Level]:
        """The level of each service that is used, where these AWS managed policies go along."""
        needed = self._needed(carried)
        if self.waived.actions:
            needed = without(needed, self.waived.actions)
        found: dict[str, _Level] = {}
        for service in self.ladders.levels.values() if self.own_levels else ():
            if service.id not in self.fixed:
                one = self._level(service, needed)
                if one.level:
                    found[service.id] = one
        for service_id, level in self.fixed.items():
            found[service_id] = _Level(level, list)
        return found

    def _needed(self, carried: Collection[str]) -> int:
        """What is allowed today, without what the carried AWS managed policies answer for."""
        kept = tuple(self.who.aws_documents[name] for name in sorted(carried) if name in self.who.aws_documents)
        if not kept:
            return self.today
        others = tuple(document for name, document in self.who.aws_documents.items() if name not in carried)
        return self.grants.allowed((*self.who.own_documents, *others)) & ~self.grants.anywhere(kept)

    def _level(self, service: Service, needed: int) -> _Level:
        """The level for one service, if it is used at all, and what led to it."""
        today = self.ladders.part(service.id, self.today)
        expected = self.expected.get(service.id, "")
        if not today:
            return self._unread_level(service, expected) if self.who.unread else _NO_LEVEL
        if self.waived.actions and not without(today, self.ladders.part(service.id, self.waived.actions)):
            return _NO_LEVEL
        part = today if needed is self.today else self.ladders.part(service.id, needed) & today
        if not part:
            return self._beside(service, expected)
        # An action that a level names without reaching its resources is no reason for a wider one: it is told as lost.
        covered = self.ladders.covered(service.id, part)
        most = max(covered.values())
        fitting = [key for key, number in covered.items() if number == most]
        narrowest = self.ladders.narrowest(service.id, fitting)
        chosen = expected if expected in narrowest else narrowest[0]
        return _Level(chosen, lambda: self._reasons(service, chosen, fitting, narrowest, part))

    def _reasons(
        self, service: Service, chosen: str, fitting: Sequence[str], narrowest: Sequence[str], needed: int
    ) -> list[str]:
        """`needed` is a set of the service."""
        others = [one for one in narrowest if one != chosen]
        covered = needed & self.ladders.rung(service.id, chosen).named
        missing = needed ^ covered
        reasons = [f"{service.id}: no level covers {self._part(service, missing)}; chosen lower"] if missing else []
        added = without(self.ladders.allowed(service.id, chosen), self.today)
        reasons.append(
            f"{service.id}: {chosen} ({service.levels[chosen].name}) covers {self._part(service, covered)}"
            + (f"; {' and '.join(others)} would too" if others else "")
            + (f"; it adds {self.ladders.wording.counted(added)}" if added else "")
        )
        return [*reasons, *self._limited(service, chosen, fitting, narrowest, needed)]

    def _limited(
        self, service: Service, chosen: str, fitting: Sequence[str], narrowest: Sequence[str], needed: int
    ) -> list[str]:
        """What holds on every resource today, and in the chosen level only on some."""
        wider = [key for key in fitting if key not in narrowest]
        if not wider:
            return []
        rung = self.ladders.rung(service.id, chosen)
        limited = self.ladders.part(service.id, self._anywhere) & needed & rung.allowed & ~rung.anywhere
        if not limited:
            return []
        told = f"today {self._part(service, limited)} hold on every resource, in {chosen} only on those named for the"
        return [f"chosen lower: {service.id} {chosen}, not {wider[-1]}: {told} project or for its development"]

    def _beside(self, service: Service, expected: str) -> _Level:
        """The level where a managed policy that goes along covers all: the widest that adds nothing to it, up to the
        one that the rule expects. None is needed.
        """
        free = [key for key in service.levels if not without(self.ladders.allowed(service.id, key), self.today)]
        under = [key for key in free if self.ladders.join(service.id, (key, expected)) == expected] if expected else []
        if not under:
            return _NO_LEVEL
        chosen = expected if expected in under else under[-1]
        name = service.levels[chosen].name
        told = f"{service.id}: {chosen} ({name}) adds nothing to the AWS managed policies that go along"
        return _Level(chosen, lambda: [told])

    def _unread_level(self, service: Service, expected: str) -> _Level:
        """The level where a policy document could not be read: the rule's, or the lowest."""
        unread = [arn.rsplit("/", 1)[1] for arn in self.who.unread]
        names = [name for name in unread if any(matches(name, glob) for glob in service.replaces)]
        if names:
            chosen = expected or next(iter(service.levels))
            how = "the rule's level" if expected else "chosen lower"
            missing = f"the document of {', '.join(names)} is not in the inventory"
            told = f"{service.id}: {chosen}, {how}: {missing}"
            return _Level(chosen, lambda: [told])
        customer = [arn for arn in self.who.unread if not is_aws_policy(arn)]
        if expected and customer:
            unknown = f"{service.id}: {expected}, the rule's level: {', '.join(customer)} could not be read"
            return _Level(expected, lambda: [unknown])
        return _NO_LEVEL

    def _replaced_unread(self, name: str) -> bool:
        """Whether an AWS managed policy without a document is known by its name to be a level's."""
        return self.own_levels and name not in self.who.aws_documents and _replacing(name, self.ladders.levels)

    def _carried(self, name: str, levels: tuple[Document, ...]) -> str:
        path = self.who.paths.get(name, "")
        note = f" (U: its path {path} is left out, and how SEC finds such a name is unknown)" if path else ""
        document = self.who.aws_documents.get(name)
        if document is None or not self.own_levels:
            return f"{name} goes along as it is{note}"
        beyond = without(self.grants.allowed((document,)), self.grants.allowed(levels))
        if beyond:
            return f"{name} goes along as it is, for {self.ladders.wording.summed(beyond)}{note}"
        return f"{name} goes along as it is: it reaches resources that are not named for the project{note}"

    def _added(self, left: int) -> tuple[list[tuple[ManagedPolicy, str]], int]:
        """The rule's managed policies that answer for what is left, of each service the narrowest that answers for all
        that one of them does; and what still is.
        """
        found: dict[str, tuple[ManagedPolicy, int]] = {}
        actions = self.ladders.actions
        offered = self.rule.become.managed_policies if self.rule and left else ()
        answers = [(one, actions.bits_of(one.actions)) for one in offered if one.name not in self.who.aws]
        answered = left & union(bits for _, bits in answers)
        for service, part in actions.by_service(answered):
            rows = [(policy, actions.of_service(service, bits)) for policy, bits in answers]
            while part:
                policy, told = max(((one, bits & part) for one, bits in rows), key=lambda row: row[1].bit_count())
                known = found.get(policy.name, (policy, 0))[1]
                found[policy.name] = (policy, known | told << actions.start(service))
                part ^= told  # noqa: PLW2901 - what is left to answer for
        return [(policy, self._some(bits)) for policy, bits in found.values()], without(left, answered)

    def _part(self, service: Service, part: int) -> str:
        return self._some(self.ladders.whole(service.id, part))

    def _some(self, bits: int) -> str:
        return self.ladders.wording.some(bits, self.who.everything)


def _replacing(name: str, levels: Levels) -> bool:
    return any(matches(name, glob) for service in levels.values() for glob in service.replaces)
