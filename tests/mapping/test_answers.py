"""What a person answers, and the scope that she sets, come before what the rules say."""

from __future__ import annotations

import pytest
from msgspec import structs

from secmigrate import mapping
from secmigrate.access import Accepted
from secmigrate.documents import aws_actions
from secmigrate.errors import BadInput
from secmigrate.iam import Group, User
from secmigrate.mapping import Decisions, LeftOut, Mapped, Scope
from secmigrate.mapping.answers import GroupAnswer, RoleAnswer
from tests.mapping.accounts import (
    account,
    group,
    role,
    root,
    service,
)
from tests.mapping.test_decide import decide, said


def test_a_persons_answers_come_first() -> None:
    snapshot = account(
        group("interns", attached=("AdministratorAccess",)),
        group("team", "s3:GetObject"),
        group("ml-engineers", "s3:GetObject"),
        role("box", service("lambda")),
        role("ci", root("444455556666")),
    )
    answers = Decisions(
        groups={
            "interns": GroupAnswer(leave="they are gone by May"),
            "team": GroupAnswer(become="data_scientists", levels={"s3": "level2"}),
            "ml-engineers": GroupAnswer(become="wizards"),
        },
        roles={
            "box": RoleAnswer(become="elf", section="assumable_roles"),
            "ci": RoleAnswer(leave="not ours"),
        },
    )
    decided = decide(snapshot, answers)
    assert isinstance(decided["interns"], LeftOut)
    assert "they are gone by May" in said(decided["interns"])
    team, wizards, box = decided["team"], decided["ml-engineers"], decided["box"]
    assert isinstance(team, Mapped)
    assert isinstance(wizards, Mapped)
    assert isinstance(box, Mapped)
    assert (team.target, team.levels, team.mark) == ("data_scientists", {"s3": "level2"}, "C")
    assert (wizards.target, wizards.mark) == ("wizards", "U")
    assert (box.section, box.target, box.mark) == ("assumable_roles", "elf", "U")
    assert isinstance(decided["ci"], LeftOut)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (GroupAnswer(), "says one thing"),
        (GroupAnswer(become="x", leave="y"), "says one thing"),
        (GroupAnswer(become="x", levels={"s3": "level9"}), "no level s3: level9"),
        (GroupAnswer(become="x", levels={"ec2": "level1"}), "no level ec2: level1"),
    ],
)
def test_answers_that_cannot_be_used(answer: GroupAnswer, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        decide(account(), Decisions(groups={"g": answer}))
    assert caught.value.where == "decisions.yaml: groups.g"


GITHUB = {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}


@pytest.mark.parametrize(
    ("trusting", "answer", "message"),
    [
        (GITHUB, RoleAnswer(become="deployer"), "trusts no service"),
        (root(), RoleAnswer(become="deployer", section="service_roles"), "trusts no service"),
        (service("lambda"), RoleAnswer(become="deployer", section="cross_account_roles"), "trusts no other account"),
    ],
)
def test_a_section_for_which_the_role_trusts_nobody(trusting: dict[str, str], answer: RoleAnswer, message: str) -> None:
    with pytest.raises(BadInput, match=message) as caught:
        decide(account(role("ci", trusting)), Decisions(roles={"ci": answer}))
    assert caught.value.where == "decisions.yaml: roles.ci"
    assert "assumable_roles" in caught.value.hint
    other = structs.replace(answer, section="assumable_roles")
    assert isinstance(decide(account(role("ci", trusting)), Decisions(roles={"ci": other}))["ci"], Mapped)


def test_a_rules_own_service_will_do() -> None:
    """The rule for continuous integration brings a service, where the role trusts GitHub."""
    answers = Decisions(roles={"ci": RoleAnswer(become="cicd_execution")})
    assert isinstance(decide(account(role("ci", GITHUB)), answers)["ci"], Mapped)


def test_answers_for_what_is_not_there_are_found() -> None:
    answers = Decisions(groups={"a": GroupAnswer(leave="x")}, roles={"b": RoleAnswer(leave="x")})
    assert answers.strangers(account(Group(name="a")), aws_actions()) == ("roles.b",)


def test_what_is_accepted_for_nobody_or_nothing_is_found() -> None:
    fits = Accepted(actions=("S3:get*", "*"), users=("A?a", "*"), why="x")
    misspelt = Accepted(actions=("s3:GetObjct", "s3:PutObject"), users=("bo", "ann"), why="x")
    answers = Decisions(accept=(fits, misspelt))
    assert answers.strangers(account(User(name="ana"), User(name="Bo")), aws_actions()) == (
        "accept[1].actions: s3:GetObjct",
        "accept[1].users: ann",
    )


def test_scope() -> None:
    snapshot = account(Group(name="ml-engineers"), Group(name="qa"), role("ml-x", service("lambda")))
    decided = decide(snapshot, scope=Scope(only=("group:*", "role:other"), skip=("group:ML-*",)))
    assert {name: mapping.outcome(one) for name, one in decided.items()} == {
        "ml-engineers": "left-out",
        "qa": "mapped",
        "ml-x": "left-out",
    }
    assert said(decided["ml-engineers"]) == "out of scope: --skip group:ML-*"


@pytest.mark.parametrize("pattern", ["ml-*", "user:x", "group:", ":x"])
def test_a_scope_that_is_none(pattern: str) -> None:
    with pytest.raises(BadInput, match="is not a scope"):
        Scope(only=(pattern,))
