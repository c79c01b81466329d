"""CloudFormation stacks of IAM groups, roles and managed policies: made, deleted and told of as CloudFormation does.

moto's own knows no groups and refuses nothing. Every resource goes through the same IAM calls and refusals as a
client's, so a group with members does not delete, and a name that is taken fails the stack. Unlike AWS all is over when
the call returns.

Sources: AWS, *CloudFormation API reference*; *Stack status codes*; *Troubleshooting CloudFormation*.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from secmigrate.iam import StackResource
from secmigrate.twin.account import Account
from secmigrate.twin.paging import Markers, Row
from secmigrate.twin.refusal import Refusal
from secmigrate.twin.template import (
    GROUP,
    NAMES,
    POLICY,
    ROLE,
    Resources,
    check_references,
    named_in,
    read_template,
    retained_in,
    text_of,
)

Params = dict[str, Any]
Make = Callable[[str, Params], Any]  # makes one call of IAM; raises Refusal
STACK = "AWS::CloudFormation::Stack"
PAGE = 100  # of ListStackResources
_EXPIRED = ("ValidationError", "The NextToken is not valid.")
GONE, SKIPPED = "DELETE_COMPLETE", "DELETE_SKIPPED"


class Resource(msgspec.Struct):
    """One resource of a stack."""

    logical: str
    kind: str
    properties: dict[str, Any]
    status: str
    physical: str = ""  # its name or ARN, once it is made
    reason: str = ""
    at: datetime | None = None


class Stack(msgspec.Struct):
    """A stack, and what became of it; events oldest first."""

    name: str
    id: str
    created: datetime
    status: str = ""
    reason: str = ""
    resources: list[Resource] = []
    retained: set[str] = set()  # logical ids that stay in the account when they leave the stack
    events: list[dict[str, Any]] = []


class Stacks:
    """The stacks of one account and one region. Not safe for threads: ask under the twin's lock."""

    def __init__(self, account: Account, make: Make, markers: Markers, page_size: int | None = None) -> None:
        self._account, self._make, self._markers, self._page_size = account, make, markers, page_size
        self._stacks: list[Stack] = []

    # What CloudFormation answers ------------------------------------------------------------------------------------

    def answer(self, action: str, params: Params) -> Params | None:
        """The answer to a call. Raises Refusal, as CloudFormation would, and NotImplemented for other calls."""
        calls: Mapping[str, Callable[[Params], Params | None]] = {
            "CreateStack": self._create,
            "DeleteStack": self._delete,
            "DescribeStacks": self._describe,
            "DescribeStackEvents": self._told_events,
            "DescribeStackResources": self._told_resources,
            "ListImports": self._imported,
            "ListStackResources": self._listed,
            "UpdateStack": self._update,
        }
        if action not in calls:
            raise Refusal("NotImplemented", f"The twin does not answer {action}.")
        return calls[action](params)

    def _create(self, params: Params) -> Params:
        if "CAPABILITY_NAMED_IAM" not in params.get("Capabilities", ()):
            raise Refusal("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
        if "TemplateBody" not in params:
            raise Refusal("ValidationError", "the twin takes a template by TemplateBody only")
        made = self.create(params["StackName"], read_template(params["TemplateBody"]))
        made.retained = retained_in(params["TemplateBody"])
        return {"StackId": made.id}

    def _update(self, params: Params) -> Params:
        """Takes what the new template has no more out of the stack. It adds nothing, and changes nothing else."""
        stack, text = self._known(params), params.get("TemplateBody", "")
        kept, mine = named_in(text), {one.logical for one in stack.resources}
        if not kept & mine:
            raise Refusal("ValidationError", "At least one Resources member must be defined.")
        check_references(text)
        self._turn(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        left = self._unmade(stack, mine - kept)
        stack.resources = [one for one in stack.resources if one.logical in kept or one.logical in left]
        stack.retained = retained_in(text)
        self._turn(stack, "UPDATE_COMPLETE")
        return {"StackId": stack.id}

    def _delete(self, params: Params) -> None:
        self.destroy(params["StackName"])

    def _describe(self, params: Params) -> Params:
        stacks = [self._known(params)] if "StackName" in params else [one for one in self._stacks if one.status != GONE]
        rows = []
        for one in stacks:
            row = {"StackName": one.name, "StackId": one.id, "CreationTime": one.created, "StackStatus": one.status}
            rows.append({**row, **({"StackStatusReason": one.reason} if one.reason else {})})
        return {"Stacks": rows}

    def _told_events(self, params: Params) -> Params:
        return {"StackEvents": self._known(params).events[::-1]}

    def _told_resources(self, params: Params) -> Params:
        stack = self._known(params)
        rows = []
        for one in stack.resources:
            row = {"StackName": stack.name, "StackId": stack.id, "LogicalResourceId": one.logical, "Timestamp": one.at}
            row |= {"ResourceType": one.kind, "ResourceStatus": one.status}
            row |= {"PhysicalResourceId": one.physical} if one.physical else {}
            rows.append({**row, **({"ResourceStatusReason": one.reason} if one.reason else {})})
        return {"StackResources": rows}

    def _listed(self, params: Params) -> Params:
        told = ("LogicalResourceId", "PhysicalResourceId", "ResourceType", "ResourceStatus", "ResourceStatusReason")
        found = self._told_resources(params)["StackResources"]
        shown = [
            {**{key: row[key] for key in told if key in row}, "LastUpdatedTimestamp": row["Timestamp"]} for row in found
        ]
        rows = [Row((at, ""), "", lambda row=row: row) for at, row in enumerate(shown)]  # type: ignore[misc]
        limit = min(self._page_size or PAGE, PAGE)
        page = self._markers.page(rows, f"list {params['StackName']}", params.get("NextToken"), limit, _EXPIRED)
        answer: Params = {"StackResourceSummaries": [row.show() for row in page.rows]}
        return answer | ({"NextToken": page.marker} if page.marker else {})

    def _imported(self, params: Params) -> Params:
        raise Refusal("ValidationError", f"Export '{params['ExportName']}' is not imported by any stack.")

    def _known(self, params: Params) -> Stack:
        name = params.get("StackName", "")
        found = self._find(name)
        if found is None or (found.status == GONE and found.id != name):
            raise Refusal("ValidationError", f"Stack with id {name} does not exist")
        return found

    def _find(self, name: str) -> Stack | None:
        """The newest of that name, or the one of that id."""
        return next((one for one in reversed(self._stacks) if name in (one.name, one.id)), None)

    # What a deployment does ------------------------------------------------------------------------------------------

    def deploy(self, name: str, resources: Resources) -> str:
        """Makes the stack, over one of that name that failed and was rolled back; gives its status."""
        found = self._find(name)
        if found and found.status.startswith("ROLLBACK"):
            self.delete(found)
        return self.create(name, resources).status

    def destroy(self, name: str) -> str:
        """Deletes the stack of that name or id, if there is one; gives its status."""
        found = self._find(name)
        if found and found.status != GONE:
            self.delete(found)
        return found.status if found else GONE

    # What becomes of a stack ----------------------------------------------------------------------------------------

    def create(self, name: str, resources: Resources) -> Stack:
        """Makes a stack; one that fails half way is rolled back. Raises AlreadyExistsException."""
        stack = self._new(name, resources)
        self._turn(stack, "CREATE_IN_PROGRESS", "User Initiated")
        for at, one in enumerate(stack.resources):
            self._event(stack, one, "CREATE_IN_PROGRESS")
            try:
                self._made(stack, one)
            except Refusal as refusal:
                self._event(stack, one, "CREATE_FAILED", _reason(refusal))
                self._roll_back(stack, one, stack.resources[at + 1 : at + 2])
                return stack
            self._event(stack, one, "CREATE_COMPLETE")
        self._turn(stack, "CREATE_COMPLETE")
        return stack

    def adopt(self, name: str, resources: Resources) -> None:
        """Takes what is in the account already for a stack that was made earlier."""
        stack = self._new(name, resources)
        for one in stack.resources:
            one.physical = self._physical(one)
            self._sign(stack, one)
            self._event(stack, one, "CREATE_COMPLETE")
        self._turn(stack, "CREATE_COMPLETE")

    def hold(self, name: str, rows: Iterable[StackResource]) -> None:
        """Takes what lies in the account, or beside it, for a stack that was made earlier."""
        stack = self._new(name, {})
        stack.resources = [Resource(one.logical_id, one.type, {}, "", one.physical) for one in rows]
        stack.retained = {one.logical_id for one in rows if one.deletion_policy.startswith("Retain")}
        for one in stack.resources:
            self._event(stack, one, "CREATE_COMPLETE")
        self._turn(stack, "CREATE_COMPLETE")

    def delete(self, stack: Stack) -> None:
        """Deletes what the stack holds, as far as IAM lets it; what stays, and so the stack, is DELETE_FAILED."""
        self._turn(stack, "DELETE_IN_PROGRESS", "User Initiated")
        left = self._unmade(stack)
        why = f"The following resource(s) failed to delete: [{', '.join(left)}]. " if left else ""
        self._turn(stack, "DELETE_FAILED" if left else GONE, why)

    def _new(self, name: str, resources: Resources) -> Stack:
        there = self._find(name)
        if there and there.status != GONE:
            raise Refusal("AlreadyExistsException", f"Stack [{name}] already exists")
        number = f"{len(self._stacks) + 1:08x}-0000-4000-8000-000000000000"
        where = f"arn:{self._account.partition}:cloudformation:{self._account.region_name}:{self._account.account_id}"
        stack = Stack(name=name, id=f"{where}:stack/{name}/{number}", created=self._account.now())
        stack.resources = [Resource(logical, kind, dict(body), "") for logical, (kind, body) in resources.items()]
        self._stacks.append(stack)
        return stack

    def _roll_back(self, stack: Stack, failed: Resource, others: list[Resource]) -> None:
        for one in others:  # what was being made at the same time
            self._event(stack, one, "CREATE_IN_PROGRESS")
            self._event(stack, one, "CREATE_FAILED", "Resource creation cancelled")
        names = ", ".join(one.logical for one in (failed, *others))
        why = f"The following resource(s) failed to create: [{names}]. Rollback requested by user."
        self._turn(stack, "ROLLBACK_IN_PROGRESS", why)
        left = self._unmade(stack)
        self._turn(stack, "ROLLBACK_FAILED" if left else "ROLLBACK_COMPLETE")

    def _unmade(self, stack: Stack, leaving: Container[str] | None = None) -> list[str]:
        """Takes away what is made (or `leaving`, of that), last first; gives the logical ids of what stays."""
        left = []
        for one in reversed(stack.resources):
            if (
                not one.physical
                or one.status in (GONE, SKIPPED)
                or (leaving is not None and one.logical not in leaving)
            ):
                continue
            if one.logical in stack.retained:
                self._event(stack, one, SKIPPED)
                continue
            self._event(stack, one, "DELETE_IN_PROGRESS")
            try:
                for action, params in _undoing(self._account, one):
                    self._make(action, params)
            except Refusal as refusal:
                # What is gone already counts as deleted.
                if refusal.code != "NoSuchEntity":
                    self._event(stack, one, "DELETE_FAILED", _reason(refusal))
                    left.append(one.logical)
                    continue
            self._event(stack, one, GONE)
        return left

    def _made(self, stack: Stack, one: Resource) -> None:
        for action, params in _doing(one):
            self._make(action, params)
            one.physical = one.physical or self._physical(one)  # from now on there is something to roll back
        self._sign(stack, one)

    def _physical(self, one: Resource) -> str:
        name: str = one.properties[NAMES[one.kind]]
        if one.kind != POLICY:
            return name
        path = one.properties.get("Path", "/")
        return f"arn:{self._account.partition}:iam::{self._account.account_id}:policy{path}{name}"

    def _sign(self, stack: Stack, one: Resource) -> None:
        """The tags that CloudFormation leaves; IAM's groups take none."""
        signed = {"stack-name": stack.name, "stack-id": stack.id, "logical-id": one.logical}
        labels = {f"aws:cloudformation:{key}": value for key, value in signed.items()}
        if one.kind == ROLE:
            self._account.role(one.physical).labels.update(labels)
        if one.kind == POLICY:
            self._account.policy(one.physical).labels.update(labels)

    def _turn(self, stack: Stack, status: str, reason: str = "") -> None:
        stack.status, stack.reason = status, reason
        self._note(stack, stack.name, stack.id, STACK, status, reason)

    def _event(self, stack: Stack, one: Resource, status: str, reason: str = "") -> None:
        one.status, one.reason, one.at = status, reason, self._account.now()
        self._note(stack, one.logical, one.physical, one.kind, status, reason)

    def _note(self, stack: Stack, logical: str, physical: str, kind: str, status: str, reason: str) -> None:
        row = {
            "StackId": stack.id,
            "EventId": f"{logical}-{status}-{len(stack.events):06}",
            "StackName": stack.name,
            "LogicalResourceId": logical,
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "Timestamp": self._account.now(),
            "ResourceStatus": status,
        }
        stack.events.append({**row, **({"ResourceStatusReason": reason} if reason else {})})


def _doing(one: Resource) -> Iterator[tuple[str, Params]]:
    """The IAM calls that make a resource."""
    body, name = one.properties, one.properties[NAMES[one.kind]]
    path = {"Path": body["Path"]} if "Path" in body else {}
    if one.kind == POLICY:
        more = {key: body[key] for key in ("Description",) if key in body}
        yield "CreatePolicy", {"PolicyName": name, "PolicyDocument": text_of(body["PolicyDocument"]), **path, **more}
        return
    kind = "Group" if one.kind == GROUP else "Role"
    made = {f"{kind}Name": name, **path}
    if one.kind == ROLE:
        made["AssumeRolePolicyDocument"] = text_of(body["AssumeRolePolicyDocument"])
        made |= {
            key: body[key]
            for key in ("Description", "MaxSessionDuration", "PermissionsBoundary", "Tags")
            if key in body
        }
    yield f"Create{kind}", made
    for row in body.get("Policies", ()):
        document = text_of(row["PolicyDocument"])
        params = {f"{kind}Name": name, "PolicyName": row["PolicyName"], "PolicyDocument": document}
        yield f"Put{kind}Policy", params
    for arn in body.get("ManagedPolicyArns", ()):
        yield f"Attach{kind}Policy", {f"{kind}Name": name, "PolicyArn": arn}


def _undoing(account: Account, one: Resource) -> Iterator[tuple[str, Params]]:
    """The IAM calls that take a resource away: what the stack itself hung on it, and then the thing."""
    if one.kind not in NAMES:
        raise Refusal("NotImplemented", f"The twin's stacks delete no {one.kind}.")
    if one.kind == POLICY:
        yield "DeletePolicy", {"PolicyArn": one.physical}
        return
    kind = "Group" if one.kind == GROUP else "Role"
    there = account.group(one.physical) if one.kind == GROUP else account.role(one.physical)
    if one.kind == GROUP and account.group(one.physical).users:
        # That the group stays whole then is assumed: whether AWS takes its policies first, its pages do not say.
        yield "DeleteGroup", {"GroupName": one.physical}
    for row in one.properties.get("Policies", ()):
        if row["PolicyName"] in there.policies:
            yield f"Delete{kind}Policy", {f"{kind}Name": one.physical, "PolicyName": row["PolicyName"]}
    for arn in one.properties.get("ManagedPolicyArns", ()):
        if arn in there.managed_policies:
            yield f"Detach{kind}Policy", {f"{kind}Name": one.physical, "PolicyArn": arn}
    yield f"Delete{kind}", {f"{kind}Name": one.physical}


def _reason(refusal: Refusal) -> str:
    """A refusal as an event tells it."""
    status = {"EntityAlreadyExists": 409, "DeleteConflict": 409, "LimitExceeded": 409, "NoSuchEntity": 404}
    told = f"Service: Iam, Status Code: {status.get(refusal.code, 400)}, Request ID: request-id"
    return f"{refusal.message} ({told}) ({refusal.code})"
