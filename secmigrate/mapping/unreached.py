"""What is named in today's policies, and not named for the project: the levels do not reach it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

from secmigrate.iam import Document, Snapshot
from secmigrate.mapping.ladders import Ladders
from secmigrate.mapping.outcomes import Decision, Mapped
from secmigrate.mapping.reach import own_documents

_TYPE = re.compile(r"[a-zA-Z0-9-]+[/:]")


class Unreached(Struct, frozen=True, kw_only=True, order=True):
    """A bucket, endpoint, repository or the like, as policies name it, and the groups and roles whose policies do."""

    service: str
    name: str
    by: tuple[str, ...]


def unreached(decided: Iterable[Decision], snapshot: Snapshot, ladders: Ladders) -> tuple[Unreached, ...]:
    """Every such name, by service."""
    found: dict[str, dict[str, list[str]]] = {}
    for one in decided:
        if isinstance(one, Mapped) and one.levels:
            who = snapshot.groups[one.name] if one.kind == "group" else snapshot.roles[one.name]
            documents = own_documents(who, snapshot)
            for service, level in one.levels.items() if documents else ():
                names = found.setdefault(service, {})
                for name in _names(documents, ladders, service, level):
                    if name in names:
                        names[name].append(one.name)
                    else:
                        names[name] = [one.name]
    return tuple(
        Unreached(service=service, name=name, by=tuple(by))
        for service, names in sorted(found.items())
        for name, by in sorted(names.items())
    )


def _names(documents: tuple[Document, ...], ladders: Ladders, service: str, level: str) -> set[str]:
    level_document = (ladders.document(service, level),)
    beyond = ladders.grants.beyond(documents, level_document, ladders.of(service))
    return {name for text in beyond if (name := _name(text))}


@lru_cache(maxsize=65_536)
def _name(arn: str) -> str:
    """The part that names a thing: a bucket, or what stands behind the account; empty if it is all of its kind."""
    parts = arn.split(":", 5)
    if len(parts) < 6:
        return ""
    own = parts[5].partition("/")[0] if parts[2] == "s3" else parts[5]
    return own if re.search(r"[A-Za-z0-9]", _TYPE.sub("", own, count=1) if parts[2] != "s3" else own) else ""
