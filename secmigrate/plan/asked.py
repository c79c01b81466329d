"""With which options a plan was asked for, and what is not so any more in one that is asked for anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from msgspec import Meta, Struct, structs

from secmigrate.iam import Entity
from secmigrate.operations import AnyOperation, Call, CreateStack, DeleteStack
from secmigrate.plan.fold import Plan
from secmigrate.plan.quarantine import begins

MOST_DAYS = 36_500  # a hundred years

Days = Annotated[int, Meta(ge=0, le=MOST_DAYS)]
_KINDS = ("stack", "group", "role", "policy", "instance-profile", "user")  # those first that the others follow from

_Effect = tuple[Call, tuple[Entity, ...]]


class Asked(Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The options that choose what a plan does, of all commands that make plans; those left out are as by default."""

    unused_days: Days = 90
    quarantine: Literal["roles", "all", "none"] = "roles"
    quarantine_days: Days = 7
    users_only: bool = False
    only: tuple[str, ...] = ()  # sorted
    to: str = ""
    no_bridge: bool = False
    master: str = ""  # a path

    @property
    def words(self) -> tuple[str, ...]:
        """As a person types them."""
        found: list[str] = []
        for field in structs.fields(self):
            value, flag = getattr(self, field.name), f"--{field.name.replace('_', '-')}"
            if value == field.default:
                continue
            if isinstance(value, tuple):
                found += [word for one in value for word in (flag, one)]
            else:
                found += [flag] if value is True else [flag, str(value)]
        return tuple(found)


def different(before: Plan, now: Plan) -> Iterator[str]:
    """What a plan does otherwise than one that is made now, a line each; nothing if both do the same. Ids, dates and
    last use, which its operations hold for whoever undoes them, are no part of that.
    """
    if list(map(_effect, before.operations)) == list(map(_effect, now.operations)):
        return
    then, today = _days(before), _days(now)
    if then and today - then:
        yield f"it was planned on {', '.join(sorted(then))}, and rest in quarantine begins on the day of the call"
    was, will = _by_subject(before), _by_subject(now)
    other = [subject for subject in {**was, **will} if was.get(subject) != will.get(subject)]
    kept = {(one.kind, one.name): one.why for one in now.kept}
    for subject in sorted(other, key=lambda one: (_KINDS.index(one[0]), one)):
        thing = " ".join(subject)
        if subject not in will:
            yield f"{thing} stays: {kept[subject]}" if subject in kept else f"{thing} is not touched any more"
        else:
            yield f"{thing} is changed otherwise" if subject in was else f"{thing} is changed as well"
    if not other and then == today:
        yield "its calls come in another order"


def _days(plan: Plan) -> set[str]:
    """The days on which rest in quarantine begins."""
    return {day for operation in plan.operations if (day := begins(operation))}


def _by_subject(plan: Plan) -> dict[tuple[str, str], list[_Effect]]:
    """What is done to each thing, but for its entry in quarantine."""
    found: dict[tuple[str, str], list[_Effect]] = {}
    for operation in plan.operations:
        steps = found.setdefault(operation.subject, [])
        if not begins(operation):
            steps.append(_effect(operation))
    return found


def _effect(operation: AnyOperation) -> _Effect:
    """The call, and what a stack holds, of which its call tells only the name."""
    held = operation.things if isinstance(operation, CreateStack | DeleteStack) else ()
    return operation.call(), tuple(one.restorable() for one in held)
