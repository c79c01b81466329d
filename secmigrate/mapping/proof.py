"""Proves every rule by its own examples."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, structs

from secmigrate.iam import Document, Group, Role, Snapshot
from secmigrate.mapping.groups import decide_group
from secmigrate.mapping.outcomes import Decision, Mapped, outcome
from secmigrate.mapping.roles import decide_role
from secmigrate.mapping.rules import Catalogue, Example, Rule

ACCOUNT = "111122223333"


class Failure(Struct, frozen=True, kw_only=True, order=True):
    """An example that does not come out as its rule says."""

    rule: str
    example: str
    message: str


def prove(catalogue: Catalogue) -> tuple[Failure, ...]:
    """Every example that fails: a yes that becomes something else or nothing, a no that becomes the rule's target.

    Also a rule that lacks one of either, and an example that two rules claim.
    """
    failing = [failure for rule in catalogue.rules() for failure in _prove(rule, catalogue)]
    return tuple(sorted([*failing, *_claimed_twice(catalogue)]))


def decide_example(example: Example, rule: Rule, catalogue: Catalogue) -> Decision:
    """What an example of a rule becomes, in an account that holds nothing else."""
    attached = tuple(f"arn:aws:iam::aws:policy/{name}" for name in example.attached)
    inline = {"example": example.document} if example.actions else {}
    empty = Snapshot(account=ACCOUNT)
    if rule.kind == "group":
        group = Group(name=example.name, attached=attached, inline=inline)
        return decide_group(group, empty.put(group), catalogue, catalogue.ladders, None)
    trusting = {"Effect": "Allow", "Principal": dict(example.principal), "Action": _assume(example)}
    trust = Document({"Version": "2012-10-17", "Statement": [trusting]})
    role = Role(name=example.name, attached=attached, inline=inline, trust=trust)
    beside = {key: catalogue.groups[key].levels for key in example.beside}
    return decide_role(role, empty.put(role), catalogue, catalogue.ladders, beside, None)


def _assume(example: Example) -> str:
    return "sts:AssumeRoleWithWebIdentity" if "Federated" in example.principal else "sts:AssumeRole"


def _prove(rule: Rule, catalogue: Catalogue) -> Iterator[Failure]:
    for word, examples in (("yes", rule.examples.yes), ("no", rule.examples.no)):
        if not examples:
            yield Failure(rule=rule.id, example="", message=f"it has no {word} example")
        for example in examples:
            decision = decide_example(example, rule, catalogue)
            became = isinstance(decision, Mapped) and decision.rule == rule.id
            if became != (word == "yes"):
                yield Failure(
                    rule=rule.id, example=example.name, message=f"a {word} example, but it is {_told(decision)}"
                )


def _told(decision: Decision) -> str:
    became = f"{outcome(decision)}: {decision.rule} ({decision.target})" if isinstance(decision, Mapped) else ""
    return became or f"{outcome(decision)}: {'; '.join(decision.reasons)}"


def _claimed_twice(catalogue: Catalogue) -> Iterator[Failure]:
    """Two rules that expect one and the same thing; `beside` and the order of lists do not make it another."""
    seen: list[tuple[Rule, Example]] = []
    for rule in catalogue.rules():
        for example in rule.examples.yes:
            plain = structs.replace(
                example, attached=tuple(sorted(example.attached)), actions=tuple(sorted(example.actions)), beside=()
            )
            for other, known in seen:
                if other.kind == rule.kind and other.id != rule.id and known == plain:
                    yield Failure(rule=rule.id, example=example.name, message=f"{other.id} claims the same example")
            seen.append((rule, plain))
