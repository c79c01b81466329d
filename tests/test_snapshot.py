"""What a snapshot is told by the one before it is what it would find out by itself."""

from __future__ import annotations

import importlib
import pkgutil

from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct, structs

import secmigrate
from secmigrate.iam import Entity, Group, InstanceProfile, Policy, Role, Seen, Snapshot, User
from tests.small import allow

KEPT = ("members", "memberships", "profiles", "own_policies", "_uses")
ARNS = tuple(f"arn:aws:iam::111122223333:policy/{name}" for name in "pq")
NAMES = st.sampled_from(("ana", "bo"))
GROUPS = st.sampled_from(("devs", "ops", "crew"))
ATTACHED = st.sets(st.sampled_from(ARNS)).map(tuple)
DOCUMENT = allow("s3:GetObject")

THINGS: st.SearchStrategy[Entity] = st.one_of(
    st.builds(
        User,
        name=NAMES,
        groups=st.sets(GROUPS).map(tuple),
        attached=ATTACHED,
        boundary=st.sampled_from(("", *ARNS)),
        tags=st.just({}),
        inline=st.just({}),
        path=st.just("/"),
    ),
    st.builds(Group, name=GROUPS, attached=ATTACHED, inline=st.just({}), path=st.just("/")),
    NAMES.map(lambda name: Role(name=name, trust=DOCUMENT, attached=ARNS[:1])),
    st.sampled_from(ARNS).map(lambda arn: Policy(arn=arn, document=DOCUMENT)),
    st.builds(lambda name, role: InstanceProfile(name=name, roles=(role,)), NAMES, NAMES),
)
STEPS = st.lists(
    st.tuples(st.sets(st.sampled_from(KEPT)), st.sampled_from(("put", "drop", "rename")), THINGS), max_size=12
)


@given(STEPS)
def test_what_is_kept_is_what_is_there(steps: list[tuple[set[str], str, Entity]]) -> None:
    now = Snapshot(account="111122223333")
    for asked, step, thing in steps:
        for name in sorted(asked):
            getattr(now, name)
        before = now
        if step != "rename":
            now = getattr(now, step)(thing)
        elif isinstance(thing, Group) and thing.name in now.groups:
            now = now.renamed(now.groups[thing.name], "new")
        for one in (before, now):
            alone = structs.replace(one)  # knows nothing yet
            assert {name: known == getattr(alone, name) for name, known in one.__dict__.items()} == dict.fromkeys(
                one.__dict__, True
            )


def test_a_group_under_another_name_keeps_its_members() -> None:
    devs = Group(name="devs", attached=ARNS[:1])
    start = Snapshot(
        account="111122223333",
        users={"ana": User(name="ana", groups=("devs", "ops")), "bo": User(name="bo", groups=("ops",))},
        groups={"devs": devs, "ops": Group(name="ops")},
    )
    found = start.renamed(devs, "old-devs")
    assert found.users == {"ana": User(name="ana", groups=("old-devs", "ops")), "bo": start.users["bo"]}
    assert found.groups == {"ops": Group(name="ops"), "old-devs": structs.replace(devs, name="old-devs")}
    assert found.members == {"ops": ("ana", "bo"), "old-devs": ("ana",)}
    assert start.members == {"devs": ("ana",), "ops": ("ana", "bo")}


def test_what_is_equal_is_not_unequal() -> None:
    """A Struct with an `__eq__` of its own keeps msgspec's `__ne__`, which knows nothing of it."""
    seen = [Seen(id=one) for one in "ab"]
    whole = [Snapshot(account="111122223333", users={"ana": User(name="ana", seen=one)}) for one in seen]
    for one, other in (seen, whole):
        assert (one == other, one != other) == (True, False)


def test_no_struct_is_forgotten_that_says_what_equal_is() -> None:
    for module in pkgutil.walk_packages(secmigrate.__path__, "secmigrate."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    kinds, found = [Struct], []
    while kinds:
        found += (more := kinds.pop().__subclasses__())
        kinds += more
    assert Snapshot in found
    assert [one for one in found if ("__eq__" in vars(one)) != ("__ne__" in vars(one))] == []
