"""AWS's own managed policies without AWS: a data file cut from moto's bundled copy, default versions only.

    python -m secmigrate.twin.catalogue mappings/aws-managed-policies.json.xz

writes it anew, the same bytes for the same moto. A live account's own documents are newer and always win.
"""

from __future__ import annotations

import importlib.metadata
import json
import lzma
import sys
from pathlib import Path

import msgspec
from msgspec import Struct

from secmigrate.errors import BadInput
from secmigrate.iam import Document, Policy, Seen, from_jsonable, to_jsonable


class _Default(Struct, frozen=True, forbid_unknown_fields=True):
    document: Document
    version: str


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    source: str
    date: str  # when AWS last changed one of them
    policies: dict[str, _Default]


def read(data: bytes, partition: str = "aws") -> dict[str, Policy]:
    """The policies of a data file, by ARN, for a partition. Raises BadInput if it is no such file."""
    try:
        file = msgspec.json.decode(lzma.decompress(data), type=_File, dec_hook=from_jsonable)
    except (lzma.LZMAError, msgspec.DecodeError) as error:
        raise BadInput(
            f"not a file of AWS managed policies: {error}", hint="python -m secmigrate.twin.catalogue"
        ) from None
    policies = (
        Policy(
            arn=arn.replace("arn:aws:", f"arn:{partition}:", 1),
            document=default.document,
            version=Seen(id=default.version),
        )
        for arn, default in file.policies.items()
    )
    return {policy.arn: policy for policy in policies}


def written() -> bytes:
    """The data file, from the moto that is installed."""
    from moto.iam.aws_managed_policies import aws_managed_policies_data  # six megabytes of source text

    bundled = json.loads(aws_managed_policies_data)
    policies = {
        f"arn:aws:iam::aws:policy{policy['Path']}{name}": _Default(
            document=Document(policy["Document"]), version=policy["DefaultVersionId"]
        )
        for name, policy in bundled.items()
    }
    file = _File(
        source=f"moto {importlib.metadata.version('moto')}",
        date=max(policy["UpdateDate"] for policy in bundled.values())[:10],
        policies=dict(sorted(policies.items())),
    )
    data = msgspec.json.encode(file, enc_hook=to_jsonable, order="deterministic")
    return lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)


def main(arguments: list[str]) -> int:
    """Writes the data file. Returns the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m secmigrate.twin.catalogue FILE\n")
        return 2
    Path(arguments[0]).write_bytes(written())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
