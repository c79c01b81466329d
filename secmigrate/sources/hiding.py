"""What Terraform manages that may make IAM's things in turn, and of which a state does not tell them.

Sources: AWS, CloudFormation, *Acknowledging IAM resources in templates* (no stack makes users, groups, roles or
policies without CAPABILITY_IAM or CAPABILITY_NAMED_IAM); the providers' documentation of these resources (a state has
the template of a stack in `template_body`, even where it came from a URL).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from secmigrate.handover import Resource
from secmigrate.iam import Gap
from secmigrate.sources.cloudformation.items import ASIDE, PREFIX
from secmigrate.sources.merging import NO_SUCH_KIND

STACKS = frozenset(
    {
        "aws_cloudformation_stack",
        "aws_cloudformation_stack_set",
        "aws_serverlessapplicationrepository_cloudformation_stack",
        "awscc_cloudformation_stack",
        "awscc_cloudformation_stack_set",
    }
)
# Their templates stand in a catalogue.
PRODUCTS = frozenset(
    {"aws_servicecatalog_provisioned_product", "awscc_servicecatalog_cloudformation_provisioned_product"}
)
ANY = "aws_cloudcontrolapi_resource"  # whatever CloudFormation knows, by its type there
HIDING = STACKS | PRODUCTS | {ANY}

_IAM = re.compile(rf"{PREFIX}(?!(?:{'|'.join(one.removeprefix(PREFIX) for one in sorted(ASIDE))})\b)\w")
_MORE = r"AWS::CloudFormation::Stack|AWS::ServiceCatalog::CloudFormationProvisionedProduct"
_IN_TEMPLATE = re.compile(rf"{_MORE}|::MODULE\b|\bTransform\b")
_TOLD = f"{NO_SUCH_KIND}; its template can be read by a further --from"


def hidden(found: Iterable[Resource], account: str, others: Collection[str]) -> Iterator[Gap]:
    """Those that may make IAM's things in the account; `others` are the providers of other accounts."""
    for one in found:
        whose = next((row for key in ("id", "arn") if (row := _account(one.values.get(key)))), "")
        if whose not in ("", account) or (not whose and one.provider in others):
            continue
        if one.type in STACKS and _may_make_iam(one):
            yield Gap(one.address, _TOLD)
        elif one.type in PRODUCTS or (one.type == ANY and _is_iam(one.values.get("type_name"))):
            yield Gap(one.address, NO_SUCH_KIND)


def _account(arn: object) -> str:
    parts = arn.split(":", 5) if isinstance(arn, str) and arn.startswith("arn:") else []
    return parts[4] if len(parts) > 5 else ""


def _may_make_iam(stack: Resource) -> bool:
    """Whether a stack may, by its template and by what it was allowed."""
    body = str(stack.values.get("template_body") or "")
    # A plan leaves out what it does not know yet.
    allowed = stack.values.get("capabilities", ["CAPABILITY_IAM"]) or ()
    is_allowed = any("_IAM" in str(one) for one in allowed)
    return bool(_IAM.search(body)) or (is_allowed and (not body or bool(_IN_TEMPLATE.search(body))))


def _is_iam(type_name: object) -> bool:
    """Whether a type of CloudFormation's is, or may make, IAM's things; what a plan does not know yet may be."""
    return type_name is None or bool(_IAM.match(str(type_name)) or re.match(_MORE, str(type_name)))
