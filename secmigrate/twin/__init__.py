"""A strict IAM to rehearse on: moto, plus everything AWS refuses and moto does not.

    with Twin(snapshot, aws_managed=catalogue.read(data)) as twin:
        boto3.client("iam", endpoint_url=twin.url, ...)
    twin.snapshot()

How a request goes: `server` (HTTP, faults) -> `service` (which call is it) -> `refusals` (would AWS do it: `shapes`,
`documents`, `quotas`, `conflicts`) -> `lists` and `calls` (ours) or moto -> `account` (the state, moto's backend).
`loading` turns a snapshot into an account and back. `stacks` is a small CloudFormation over the same calls.

What it does not know: who may do what (permissions are not enforced), the Simulate calls, of organizations all but the
list of their accounts, access analysis, and the existence of other accounts' principals.
"""

from __future__ import annotations

from secmigrate.twin.faults import Fault, Faults
from secmigrate.twin.loading import used_lately
from secmigrate.twin.organization import Member
from secmigrate.twin.server import Twin

__all__ = ["Fault", "Faults", "Member", "Twin", "used_lately"]
