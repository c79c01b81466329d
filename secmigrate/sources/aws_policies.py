"""The documents of AWS's own policies for sources that name them and do not hold them, from the shipped catalogue."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from secmigrate.iam import Document, Gap, Policy, Snapshot, is_aws_policy
from secmigrate.sources.uniting import NOT_IN_CATALOGUE

_HOME = "arn:aws:"  # what ARNs begin with in the partition of the catalogue


def with_aws_policies(snapshot: Snapshot, known: Mapping[str, Policy]) -> Snapshot:
    """The snapshot with the documents of AWS's own policies that something uses: its own, else those of the catalogue
    `known`. One that it does not have is a gap, and so is that it is not of the snapshot's partition.
    """
    used = {arn for one in snapshot.principals() for arn in (*one.attached, getattr(one, "boundary", ""))}
    missing = {arn for arn in used - snapshot.policies.keys() if is_aws_policy(arn)}
    if not missing:
        return snapshot
    found = {arn: policy for arn in missing if (policy := known.get(arn) or _alike(arn, known))}
    gaps = {Gap(f"policy {arn}", NOT_IN_CATALOGUE) for arn in missing - found.keys()}
    elsewhere = {arn.split(":")[1] for arn in found if not arn.startswith(_HOME)}
    gaps |= {Gap(f"AWS's own policies in {one}", "they are taken for what they are in aws") for one in elsewhere}
    incomplete = tuple(sorted({*snapshot.incomplete, *gaps}))
    return structs.replace(snapshot, policies={**snapshot.policies, **found}, incomplete=incomplete)


def _alike(arn: str, known: Mapping[str, Policy]) -> Policy | None:
    """The policy of that name in the catalogue's partition, as if it were of the ARN's. It has no version number, which
    AWS counts for each partition.
    """
    start = f"arn:{arn.split(':')[1]}:"
    there = known.get(_HOME + arn.removeprefix(start))
    if there is None:
        return None
    return Policy(arn=arn, document=Document.parse(there.document.text.replace(f'"{_HOME}', f'"{start}')))
