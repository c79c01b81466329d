"""Several sources of one account as one: what any of them knows, and where two of them contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from msgspec import structs

from secmigrate import iam
from secmigrate.errors import BadInput
from secmigrate.iam import Document, Entity, Gap, Policy, Principal, Snapshot, has_functions, is_function

LIVE = "the account itself"  # the name among sources of what is read from AWS
UNTOLD = Gap("descriptions, session lengths, some tags", "authorization details do not hold them")
FURTHER = "further pages"
# The lists of authorization details, and the rooms that hold what is in them.
LISTS: Mapping[str, str] = {
    "UserDetailList": "users",
    "GroupDetailList": "groups",
    "RoleDetailList": "roles",
    "Policies": "policies",
}
NOT_IN_FILE = "the file does not have it"
NO_TRUST = "no trust policy in the file"
NOT_IN_CATALOGUE = "it is AWS's own, and the catalogue does not have it"
_ELSEWHERE = "but not managed by it"
# What a source that looked at the whole account and lacks something may not have been told: a default says nothing.
_PERHAPS_UNTOLD: Mapping[str, Mapping[str, object]] = {
    "roles": {"description": "", "max_session": 3600},
    "policies": {"description": "", "tags": {}},
    "instance_profiles": {"tags": {}},
}
_TAGS, _DETAILS = "tag:GetResources", "iam:GetAccountAuthorizationDetails"
_TOLD_BY: Mapping[str, str] = {"roles": "iam:ListRoles"}
_UNTOLD_BY_CODE: Mapping[str, Mapping[str, object]] = {"policies": {"older": ()}}
_NO_FACTS = frozenset({"seen", "version"})
_INLINE = "inline policy "  # of that name
_HUNG = frozenset({"inline", "attached", "groups"})


class Source(NamedTuple):
    """A snapshot, and what people call the place that it is from."""

    name: str
    snapshot: Snapshot


class _Claim(NamedTuple):
    """What a source says of a thing; `full` unless it only hangs something on it. A field that is as in `untold` says
    nothing.
    """

    source: str
    thing: Entity
    full: bool
    untold: Mapping[str, object]


def unknown_trust(role: str) -> Document:
    """The trust policy of a role that a source names and does not hold: whom it lets in nobody can tell."""
    return Document({"Statement": [{"Fn::GetAtt": [role, "AssumeRolePolicyDocument"]}]})


def united(sources: Iterable[Source], *, whole: bool) -> Snapshot:
    """What several sources of one account say, in whatever order they are given: code adds to one another what it hangs
    on somebody; of sources that looked at the whole account (`whole`) each tells all of a thing.

    Where two of them contradict each other it is as in the first, and a gap: first is the account itself, then what
    lacks nothing, then what comes first by name. Raises BadInput for names that differ only in case.
    """
    ordered = list(sources)
    if len(ordered) > 1:
        ordered.sort(key=lambda one: _rank(one, whole))
    first = ordered[0].snapshot
    if len(ordered) == 1:
        return first
    claims = _claims(ordered, whole)
    rooms: dict[str, dict[str, Entity]] = {room: {} for room in (*LISTS.values(), "instance_profiles")}
    gaps: set[Gap] = set()
    for some in claims.values():
        thing, different = _together(some, whole)
        rooms[thing.room][thing.key] = thing
        gaps |= different
    full = {_told(some[0].thing) for some in claims.values() if any(one.full for one in some)}
    return structs.replace(
        first,
        **rooms,
        incomplete=tuple(sorted(gaps | _left(ordered, full, whole) | _lacking(ordered, claims, whole))),
        owners={arn: owner for one in reversed(ordered) for arn, owner in one.snapshot.owners.items()},
    )


def filled(expected: Entity, there: Entity) -> Entity:
    """What a source says of a thing, with what it leaves open as another has it: functions of CloudFormation in
    documents and ARNs, and the tags that CloudFormation adds by itself.
    """
    new: dict[str, object] = {}
    for field in ("document", "trust"):
        mine, theirs = getattr(expected, field, None), getattr(there, field, None)
        if isinstance(mine, Document) and isinstance(theirs, Document) and _agree(mine.value, theirs.value):
            new[field] = theirs
    if isinstance(expected, Principal) and isinstance(there, Principal):
        new["inline"] = {
            name: there.inline[name] if name in there.inline and _agree(one.value, there.inline[name].value) else one
            for name, one in expected.inline.items()
        }
        known = {arn for arn in expected.attached if "{" not in arn}
        if len(known) < len(expected.attached) <= len(there.attached) and known <= set(there.attached):
            new["attached"] = there.attached
    boundary = getattr(there, "boundary", "")
    if boundary and "{" in getattr(expected, "boundary", ""):
        new["boundary"] = boundary
    added = {key: one for key, one in getattr(there, "tags", {}).items() if key.startswith("aws:")}
    if added:
        new["tags"] = {**added, **getattr(expected, "tags", {})}
    return structs.replace(expected, **new)


def _agree(mine: object, theirs: object) -> bool:
    """Whether a value with functions in it can be the other one."""
    if mine == theirs or is_function(mine):
        return True
    if isinstance(mine, dict) and isinstance(theirs, dict):
        return mine.keys() == theirs.keys() and all(_agree(one, theirs[key]) for key, one in mine.items())
    if isinstance(mine, list) and isinstance(theirs, list) and has_functions(mine):
        return len(mine) == len(theirs) and all(map(_agree, mine, theirs))
    return False


def _rank(one: Source, whole: bool) -> tuple[bool, bool, str, bytes]:
    return one.name != LIVE, whole and bool(one.snapshot.incomplete), one.name, iam.encode(one.snapshot)


def _claims(ordered: Iterable[Source], whole: bool) -> dict[tuple[str, str], list[_Claim]]:
    """What the sources say, by thing."""
    found: dict[tuple[str, str], list[_Claim]] = {}
    for name, snapshot in ordered:
        elsewhere = {gap.what for gap in snapshot.incomplete if _is_elsewhere(gap)}
        untold = _untold(name, snapshot) if whole else _UNTOLD_BY_CODE
        for thing in snapshot.entities():
            claim = _Claim(name, thing, _told(thing) not in elsewhere, untold.get(thing.room, {}))
            found.setdefault((thing.room, thing.key.casefold()), []).append(claim)
    for some in found.values():
        for one in some:
            if one.thing.key != some[0].thing.key:
                told = f"{some[0].thing.key!r} in {some[0].source} and {one.thing.key!r} in {one.source}"
                hint = "IAM takes names that differ only in case for one: correct it in one of the two"
                raise BadInput(f"{one.thing.room}: {told} are one name to IAM", where="--from", hint=hint)
    return found


def _untold(name: str, snapshot: Snapshot) -> Mapping[str, Mapping[str, object]]:
    """What a source that looked at the whole account may not have been told; the account itself says what it
    refused.
    """
    if name != LIVE or not snapshot.incomplete:
        return _PERHAPS_UNTOLD if snapshot.incomplete else {}
    refused = {gap.what for gap in snapshot.incomplete}
    return {room: untold for room, untold in _PERHAPS_UNTOLD.items() if _TOLD_BY.get(room, _TAGS) in refused}


def _together(claims: Sequence[_Claim], whole: bool) -> tuple[Entity, set[Gap]]:
    """A thing as all of them say, and where two of them contradict each other."""
    first = next((one for one in claims if one.full), claims[0])
    if all(one.thing == first.thing for one in claims):
        return first.thing, set()
    if isinstance(first.thing, Policy) and first.thing.is_aws:
        return max((one.thing for one in claims), key=_version), set()
    ordered = [first, *(one for one in claims if one is not first)]
    thing = reduce(filled, (one.thing for one in ordered))
    kept: dict[str, tuple[str, Any]] = {}
    different: dict[tuple[str, str], list[str]] = {}
    for one in ordered:
        for fact, value in _facts(one, filled(one.thing, thing), whole):
            by, said = kept.setdefault(fact, (one.source, value))
            if said != value:
                different.setdefault((by, one.source), []).append(fact)
    fields = {fact: value for fact, (_, value) in kept.items() if fact in thing.__struct_fields__}
    if isinstance(thing, Principal) and not whole:
        inline = {fact: value for fact, (_, value) in kept.items() if fact.startswith(_INLINE)}
        fields["inline"] = {fact.removeprefix(_INLINE): value for fact, value in inline.items()}
        for hung in (_HUNG - {"inline"}) & {*thing.__struct_fields__}:
            fields[hung] = tuple({name for one in ordered for name in getattr(one.thing, hung)})
    gaps = {
        Gap(_told(thing), f"{by} and {other} differ in {', '.join(facts)}; it is as in {by} here")
        for (by, other), facts in different.items()
    }
    return structs.replace(thing, **fields), gaps


def _facts(claim: _Claim, thing: Entity, whole: bool) -> Iterator[tuple[str, Any]]:
    """What a claim says of the thing and another could contradict: what code hangs on somebody adds up, but for inline
    policies of one name.
    """
    for field in thing.__struct_fields__ if claim.full else ():
        value = getattr(thing, field)
        if field in _NO_FACTS or (field in claim.untold and value == claim.untold[field]):
            continue
        if whole or field not in _HUNG:
            yield field, value
    if isinstance(thing, Principal) and not whole:
        yield from ((f"{_INLINE}{name}", document) for name, document in thing.inline.items())


def _version(policy: Entity) -> tuple[int, str]:
    """AWS only ever adds versions of its own policies: the highest is the newest."""
    number = policy.version.id.removeprefix("v") if isinstance(policy, Policy) else ""
    return int(number) if number.isascii() and number.isdigit() else 0, str(policy)


def _left(ordered: Sequence[Source], full: set[str], whole: bool) -> set[Gap]:
    """The gaps of sources that no other source fills. What lacks nothing fills those of all others, but for the account
    itself: it is not known to be now as it was then.
    """
    filling = whole and any(not one.snapshot.incomplete for one in ordered)
    left: set[Gap] = set()
    for name, snapshot in ordered:
        for gap in () if filling and name != LIVE else snapshot.incomplete:
            if (_is_elsewhere(gap) and gap.what in full) or _listed(gap, ordered):
                continue
            pages = f"{name}: {gap.why}, and no page tells whether all that follow are given"
            left.add(Gap(gap.what, pages) if gap.what == FURTHER else gap)
    return left


def _listed(gap: Gap, ordered: Sequence[Source]) -> bool:
    """Whether the gap is a list that a file does not have, and another does."""
    room = LISTS.get(gap.what)
    return room is not None and any(getattr(one, room) for _, one in ordered if gap not in one.incomplete)


def _lacking(ordered: Sequence[Source], claims: Mapping[tuple[str, str], list[_Claim]], whole: bool) -> set[Gap]:
    """What is not there by a source that lacks nothing, and is by another; the account itself may have it by now."""
    gaps: set[Gap] = set()
    for name, snapshot in ordered if whole else ():
        if snapshot.incomplete and (name != LIVE or any(gap.what == _DETAILS for gap in snapshot.incomplete)):
            continue
        for some in claims.values():
            if not any(one.source in (name, LIVE) for one in some) and not getattr(some[0].thing, "is_aws", False):
                who = name if name == LIVE else f"{name}, which lacks nothing,"
                told = f"{some[0].source} has it, and {who} does not; it is here"
                gaps.add(Gap(_told(some[0].thing), told))
    return gaps


def _told(thing: Entity) -> str:
    """A thing as gaps call it."""
    return f"{thing.kind if isinstance(thing, Principal) else _KINDS[thing.room]} {thing.key}"


_KINDS: Mapping[str, str] = {"policies": "policy", "instance_profiles": "instance profile"}


def _is_elsewhere(gap: Gap) -> bool:
    """Whether a source names a thing there that it does not hold itself, and another may."""
    return gap.why.endswith(_ELSEWHERE) or gap.why in (NOT_IN_FILE, NO_TRUST, NOT_IN_CATALOGUE)
