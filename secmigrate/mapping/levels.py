"""Which levels and AWS managed policies answer for what somebody can do, and what is left over.

Levels are compared with policies by the access engine: which actions, on which resources. Names differ on purpose, for
today's buckets are not named for the project; so what is allowed on named resources is answered by a level that allows
the same on the project's, and the names are told apart (`unreached`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from msgspec import Struct

from secmigrate.iam import Document
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.patterns import matches
from secmigrate.mapping.reach import Reach
from secmigrate.mapping.rules import ManagedPolicy, Rule
from secmigrate.mapping.waived import NOTHING_WAIVED, Waived
from secmigrate.sec import Levels, Service

LOST = "neither a level nor an AWS managed policy covers it"


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


class _Fitting:
    def __init__(
        self, who: Reach, rule: Rule | None, ladders: Ladders, fixed: Mapping[str, str], waived: Waived
    ) -> None:
        self.who, self.rule, self.ladders, self.fixed, self.waived = who, rule, ladders, fixed, waived
        self.grants = ladders.grants
        self.own_levels = rule is None or rule.become.services == "own"
        self.today = self.grants.allowed((*who.own_documents, *who.aws_documents.values()))

    def done(self) -> Fit:
        carried = {name for name in self.who.aws if not self.own_levels or name not in self.who.aws_documents}
        carried = {name for name in carried if not self._replaced_unread(name)}
        while True:
            chosen = self._levels(carried)
            levels = self.ladders.documents({service: level for service, (level, _) in chosen.items()})
            kept = tuple(self.who.aws_documents[name] for name in sorted(carried) if name in self.who.aws_documents)
            more = {
                name
                for name, document in self.who.aws_documents.items()
                if name not in carried and self._lacks(document, (*levels, *kept))
            }
            if not more:
                break
            carried |= more
        reasons = [line for _, lines in chosen.values() for line in lines]
        reasons += [f"{service}: {level} because a person decided so" for service, level in sorted(self.fixed.items())]
        reasons += [self._carried(name, levels) for name in self.who.aws if name in carried]
        missing = self.today & ~self.grants.allowed((*levels, *kept))
        added, left = self._added(missing & ~self.waived.actions)
        reasons += [f"{one.name} is added: it answers for {names}, and allows more" for one, names in added]
        if left:
            lost = self.ladders.wording.summed(left)
            reasons.append(f"not carried over: {lost}; {LOST}")
        reasons += self._waived(missing & self.waived.actions)
        return Fit(
            assignments={service: level for service, (level, _) in sorted(chosen.items())},
            managed_policies=tuple(sorted({*carried, *(one.name for one, _ in added)})),
            reasons=tuple(reasons),
        )

    def _lacks(self, document: Document, levels: tuple[Document, ...]) -> bool:
        """Whether the document allows something that counts, and that the levels do not."""
        return any(row.actions & ~self.waived.actions for row in self.grants.lacking((document,), levels))

    def _waived(self, left: int) -> Iterator[str]:
        if self.waived.told:
            yield self.waived.told
        if left:
            yield f"not carried over: {self.ladders.wording.summed(left)}; {self.waived.why}"

    def _levels(self, carried: Iterable[str]) -> dict[str, tuple[str, list[str]]]:
        """The level of each service that is used, and why, where these AWS managed policies go along."""
        kept = tuple(self.who.aws_documents[name] for name in sorted(carried) if name in self.who.aws_documents)
        others = tuple(document for name, document in self.who.aws_documents.items() if name not in carried)
        needed = self.grants.allowed((*self.who.own_documents, *others)) & ~self.grants.anywhere(kept)
        needed &= ~self.waived.actions
        found: dict[str, tuple[str, list[str]]] = {}
        for service in self.ladders.levels.values() if self.own_levels else ():
            if service.id not in self.fixed:
                level, reasons = self._level(service, needed)
                if level:
                    found[service.id] = (level, reasons)
        for service_id, level in self.fixed.items():
            found[service_id] = (level, [])
        return found

    def _level(self, service: Service, needed: int) -> tuple[str, list[str]]:
        """The level for one service, if it is used at all, and what led to it."""
        today = self.today & self.ladders.of(service.id)
        needed &= today
        expected = self.rule.levels.get(service.id, "") if self.rule else ""
        if not today:
            return self._unread_level(service, expected)
        if not today & ~self.waived.actions:
            return "", []
        if not needed:
            return self._beside(service, expected)
        # An action that a level names without reaching its resources is no reason for a wider one: it is told as lost.
        named = {key: self.ladders.named(service.id, key) for key in service.levels}
        most = max((needed & bits).bit_count() for bits in named.values())
        fitting = [key for key, bits in named.items() if (needed & bits).bit_count() == most]
        narrowest = self.ladders.narrowest(service.id, fitting)
        chosen = expected if expected in narrowest else narrowest[0]
        others = [one for one in narrowest if one != chosen]
        missing = needed & ~named[chosen]
        reasons = [f"{service.id}: no level covers {self._some(missing)}; chosen lower"] if missing else []
        added = self.ladders.allowed(service.id, chosen) & ~self.today
        reasons.append(
            f"{service.id}: {chosen} ({service.levels[chosen].name}) covers {self._some(needed & ~missing)}"
            + (f"; {' and '.join(others)} would too" if others else "")
            + (f"; it adds {self.ladders.wording.counted(added)}" if added else "")
        )
        return chosen, [*reasons, *self._limited(service, chosen, fitting, narrowest, needed)]

    def _limited(
        self, service: Service, chosen: str, fitting: Sequence[str], narrowest: Sequence[str], needed: int
    ) -> list[str]:
        """What holds on every resource today, and in the chosen level only on some."""
        document = self.ladders.document(service.id, chosen)
        today = self.grants.anywhere((*self.who.own_documents, *self.who.aws_documents.values()))
        limited = today & needed & ~self.grants.anywhere((document,)) & self.grants.allowed((document,))
        wider = [key for key in fitting if key not in narrowest]
        if not wider or not limited:
            return []
        told = f"today {self._some(limited)} hold on every resource, in {chosen} only on those named for the"
        return [f"chosen lower: {service.id} {chosen}, not {wider[-1]}: {told} project or for its development"]

    def _beside(self, service: Service, expected: str) -> tuple[str, list[str]]:
        """The level where a managed policy that goes along covers all: the widest that adds nothing to it, up to the
        one that the rule expects. None is needed.
        """
        free = [key for key in service.levels if not self.ladders.allowed(service.id, key) & ~self.today]
        under = [key for key in free if self.ladders.join(service.id, (key, expected)) == expected] if expected else []
        if not under:
            return "", []
        chosen = expected if expected in under else under[-1]
        name = service.levels[chosen].name
        return chosen, [f"{service.id}: {chosen} ({name}) adds nothing to the AWS managed policies that go along"]

    def _unread_level(self, service: Service, expected: str) -> tuple[str, list[str]]:
        """The level where a policy document could not be read: the rule's, or the lowest."""
        unread = [arn.rsplit("/", 1)[1] for arn in self.who.unread]
        names = [name for name in unread if any(matches(name, glob) for glob in service.replaces)]
        if names:
            chosen = expected or next(iter(service.levels))
            how = "the rule's level" if expected else "chosen lower"
            missing = f"the document of {', '.join(names)} is not in the inventory"
            return chosen, [f"{service.id}: {chosen}, {how}: {missing}"]
        customer = [arn for arn in self.who.unread if arn.rsplit("/", 1)[1] not in self.who.aws]
        if expected and customer:
            return expected, [f"{service.id}: {expected}, the rule's level: {', '.join(customer)} could not be read"]
        return "", []

    def _replaced_unread(self, name: str) -> bool:
        """Whether an AWS managed policy without a document is known by its name to be a level's."""
        return self.own_levels and name not in self.who.aws_documents and _replacing(name, self.ladders.levels)

    def _carried(self, name: str, levels: tuple[Document, ...]) -> str:
        path = self.who.paths.get(name, "")
        note = f" (U: its path {path} is left out, and how SEC finds such a name is unknown)" if path else ""
        document = self.who.aws_documents.get(name)
        if document is None or not self.own_levels:
            return f"{name} goes along as it is{note}"
        beyond = self.grants.allowed((document,)) & ~self.grants.allowed(levels)
        if beyond:
            return f"{name} goes along as it is, for {self.ladders.wording.summed(beyond)}{note}"
        return f"{name} goes along as it is: it reaches resources that are not named for the project{note}"

    def _added(self, left: int) -> tuple[list[tuple[ManagedPolicy, str]], int]:
        """The rule's managed policies that answer for what is left, of each service the narrowest that answers for all
        that one of them does; and what still is.
        """
        found: dict[str, tuple[ManagedPolicy, int]] = {}
        actions = self.ladders.actions
        offered = self.rule.become.managed_policies if self.rule else ()
        answers = [(one, actions.bits_of(one.actions)) for one in offered if one.name not in self.who.aws]
        for service, part in actions.by_service(left):
            bits = part << actions.start(service)
            while best := max(answers, key=lambda one: (one[1] & bits).bit_count(), default=None):
                policy, told = best[0], best[1] & bits
                if not told:
                    break
                found[policy.name] = (policy, found.get(policy.name, (policy, 0))[1] | told)
                bits &= ~told
                left &= ~told
        return [(policy, self._some(bits)) for policy, bits in found.values()], left

    def _some(self, bits: int) -> str:
        return self.ladders.wording.some(bits, self.who.everything)


def _replacing(name: str, levels: Levels) -> bool:
    return any(matches(name, glob) for service in levels.values() for glob in service.replaces)
