"""Every operation: survives JSON, is its inverse's inverse, is known to botocore, and does to the twin what it says."""

from __future__ import annotations

from typing import get_args

import botocore.session
import msgspec
import pytest
from botocore import xform_name
from botocore.validate import ParamValidator
from msgspec import structs

from secmigrate import iam
from secmigrate.aws import Aws
from secmigrate.iam import Group, InstanceProfile, Policy, Role, Snapshot
from secmigrate.operations import (
    AddRoleToInstanceProfile,
    AddUserToGroup,
    AnyOperation,
    AttachPolicy,
    CreateGroup,
    CreateInstanceProfile,
    CreatePolicy,
    CreatePolicyVersion,
    CreateRole,
    CreateStack,
    DeleteGroup,
    DeleteInlinePolicy,
    DeleteInstanceProfile,
    DeletePolicy,
    DeletePolicyVersion,
    DeleteRole,
    DeleteStack,
    DetachPolicy,
    Impossible,
    Operation,
    PutInlinePolicy,
    QuarantineRole,
    ReleaseRole,
    RemoveRoleFromInstanceProfile,
    RemoveUserFromGroup,
    RenameGroup,
    UpdateTrustPolicy,
)
from secmigrate.operations.call import kebab
from secmigrate.twin import Twin
from tests.small import ACCOUNT, POLICY, READ_ONLY, SPARE, account, allow, deny, trust

NEW = f"arn:aws:iam::{ACCOUNT}:policy/new/Made"
SMALL = account()

# Each applies to the small account, so that applying it changes something.
OPERATIONS: tuple[AnyOperation, ...] = (
    CreateGroup(group=Group(name="made", path="/new/")),
    DeleteGroup(group=SMALL.groups["bare"].bare()),
    CreateRole(
        role=Role(
            name="made",
            path="/new/",
            trust=trust(),
            description="-starts with a dash",
            max_session=43200,
            boundary=POLICY,
            tags={"b": "2", "a": "it is"},
        )
    ),
    DeleteRole(role=SMALL.roles["idle"].bare()),
    CreatePolicy(policy=Policy(arn=NEW, document=allow("sqs:*"), description="made", tags={"a": "1"})),
    DeletePolicy(policy=SMALL.policies[SPARE].bare()),
    CreatePolicyVersion(arn=SPARE, document=allow("sqs:Get*"), version="v9"),
    DeletePolicyVersion(arn=POLICY, document=allow("s3:GetObject"), version="v1"),
    CreateInstanceProfile(profile=InstanceProfile(name="made", path="/new/", tags={"a": "1"})),
    DeleteInstanceProfile(profile=SMALL.instance_profiles["empty"].bare()),
    AddRoleToInstanceProfile(profile="empty", role="idle"),
    RemoveRoleFromInstanceProfile(profile="worker", role="worker"),
    AddUserToGroup(user="bo", group="team"),
    RemoveUserFromGroup(user="ana", group="team"),
    AttachPolicy(principal="user", name="bo", arn=POLICY),
    AttachPolicy(principal="group", name="bare", arn=READ_ONLY),
    AttachPolicy(principal="role", name="idle", arn=SPARE),
    DetachPolicy(principal="group", name="team", arn=POLICY),
    DetachPolicy(principal="role", name="worker", arn=POLICY),
    PutInlinePolicy(principal="user", name="ana", policy="own", document=allow("iam:Get*")),
    PutInlinePolicy(principal="group", name="bare", policy="notes", document=deny("s3:*")),
    PutInlinePolicy(principal="role", name="idle", policy="logs", document=allow("logs:*")),
    DeleteInlinePolicy(principal="user", name="bo", policy="own", document=allow("iam:ChangePassword")),
    DeleteInlinePolicy(principal="group", name="team", policy="notes", document=allow("sns:Publish")),
    DeleteInlinePolicy(principal="role", name="worker", policy="logs", document=allow("logs:*")),
    RenameGroup(group="team", to="crew"),
    QuarantineRole(principal="role", name="idle", policy="secmigrate-quarantine", document=deny("*")),
    ReleaseRole(principal="role", name="worker", policy="logs", document=allow("logs:*")),
    UpdateTrustPolicy(role="idle", before=SMALL.roles["idle"].trust, after=trust("states.amazonaws.com")),
    CreateStack(
        stack="made",
        tier="medium",
        region="eu-central-1",
        groups=(Group(name="made", inline={"a": allow("s3:*")}),),
        roles=(Role(name="made", trust=trust()),),
        policies=(Policy(arn=NEW, document=allow("sqs:*")),),
    ),
    DeleteStack(stack="old", tier="startup", groups=(SMALL.groups["bare"],), roles=(SMALL.roles["idle"],)),
)

each = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.call().method)


def test_every_operation_is_walked() -> None:
    assert {type(operation) for operation in OPERATIONS} == set(get_args(AnyOperation))


@each
def test_it_survives_json(operation: AnyOperation) -> None:
    text = msgspec.json.encode(operation, enc_hook=iam.to_jsonable)
    again = msgspec.json.decode(text, type=AnyOperation, dec_hook=iam.from_jsonable)
    assert again == operation
    assert type(again) is type(operation)


@each
def test_undoing_its_undoing_is_itself(operation: AnyOperation) -> None:
    assert operation.undo() != operation
    assert operation.undo().undo() == operation


@each
def test_botocore_knows_its_method_and_parameters(operation: AnyOperation) -> None:
    for call in (operation.call(), operation.undo().call()):
        model = botocore.session.get_session().get_service_model(call.service).operation_model(call.method)
        assert model.input_shape
        report = ParamValidator().validate(dict(call.params), model.input_shape)
        assert not report.has_errors(), report.generate_report()
        assert kebab(call.method) == xform_name(call.method, "-")


@each
def test_the_twin_shows_what_it_says_and_its_undoing_too(operation: AnyOperation) -> None:
    with Twin(SMALL) as twin:
        after = operation.applied(SMALL)
        if isinstance(operation, DeleteStack):
            twin.holds_stack(operation.stack, _held(operation))
        _make(operation, twin)
        assert _unsigned(twin.snapshot()) == after
        assert after != SMALL
        assert operation.is_done(after)
        assert not operation.is_done(SMALL)
        undo = _as_numbered(operation.undo(), twin)
        _make(undo, twin)
        assert _unsigned(twin.snapshot()) == SMALL == undo.applied(after)


def _make(operation: Operation, twin: Twin) -> None:
    """What a run does, or the provisioner."""
    if isinstance(operation, DeleteStack):
        assert twin.delete_stack(operation.stack) == "DELETE_COMPLETE"
    elif isinstance(operation, CreateStack):
        assert twin.create_stack(operation.stack, _held(operation)) == "CREATE_COMPLETE"
    else:
        Aws(endpoint=twin.url).send(operation.call())


def _held(operation: CreateStack | DeleteStack) -> Snapshot:
    found = Snapshot(account=ACCOUNT)
    for thing in operation.things:
        found = found.put(thing)
    return found


def _unsigned(snapshot: Snapshot) -> Snapshot:
    for thing in (*snapshot.roles.values(), *snapshot.own_policies.values()):
        snapshot = snapshot.put(thing.settable())
    return snapshot


@each
def test_applied_twice_it_changes_nothing(operation: AnyOperation) -> None:
    after = operation.applied(SMALL)
    assert operation.applied(after) is after


@pytest.mark.parametrize(
    "operation",
    [
        CreateGroup(group=Group(name="TEAM")),
        CreateRole(role=Role(name="worker", trust=trust("lambda.amazonaws.com"))),
        DeleteGroup(group=SMALL.groups["team"].bare()),
        DeleteStack(stack="old", tier="", groups=(SMALL.groups["team"],)),
        DeleteStack(stack="old", tier="", groups=(SMALL.groups["bare"],), roles=(SMALL.roles["worker"],)),
        DeleteRole(role=SMALL.roles["worker"].bare()),
        DeletePolicy(policy=SMALL.policies[POLICY].bare()),
        AddUserToGroup(user="nobody", group="team"),
        AddUserToGroup(user="ana", group="nowhere"),
        AttachPolicy(principal="role", name="worker", arn=NEW),
        PutInlinePolicy(principal="group", name="team", policy="notes", document=allow("sns:*")),
        DeleteInlinePolicy(principal="group", name="team", policy="notes", document=allow("sns:*")),
        AddRoleToInstanceProfile(profile="worker", role="idle"),
        RenameGroup(group="team", to="BARE"),
        RenameGroup(group="nowhere", to="elsewhere"),
        UpdateTrustPolicy(role="idle", before=trust("states.amazonaws.com"), after=trust("events.amazonaws.com")),
    ],
    ids=lambda one: one.call().method,
)
def test_what_iam_would_refuse_or_nobody_planned_is_impossible(operation: AnyOperation) -> None:
    with pytest.raises(Impossible):
        operation.applied(SMALL)
    assert not operation.is_done(SMALL)


def _as_numbered(operation: Operation, twin: Twin) -> Operation:
    """A version that was just made has a number that only the account knows."""
    if not isinstance(operation, DeletePolicyVersion):
        return operation
    (found,) = (old for old in twin.snapshot().policies[operation.arn].older if old.document == operation.document)
    return DeletePolicyVersion(arn=operation.arn, document=operation.document, version=found.seen.id)


def test_what_a_stack_left_on_it_does_not_come_back() -> None:
    """Tags that begin with `aws:` are AWS's alone: IAM refuses them, so a thing made anew has only the others."""
    left = {"aws:cloudformation:stack-name": "people", "AWS:x": "y", "team": "a"}
    role = structs.replace(SMALL.roles["idle"], tags=left)
    before = SMALL.put(role)
    gone = DeleteRole(role=role.bare())
    with Twin(before) as twin:
        live = Aws(endpoint=twin.url)
        live.send(gone.call())
        assert twin.snapshot() == gone.applied(before)
        live.send(gone.undo().call())
        assert twin.snapshot() == gone.undo().applied(gone.applied(before))
        assert twin.snapshot().roles["idle"].tags == {"team": "a"}
    assert gone.undo().is_done(before)
    assert "its stack left" in gone.caveat
    assert "its stack left" not in DeleteRole(role=SMALL.roles["idle"].bare()).caveat
