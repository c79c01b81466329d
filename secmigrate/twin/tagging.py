"""The Resource Groups Tagging API's `GetResources`, the one call that tells the tags of many policies at once.

It speaks JSON, not IAM's query protocol. Of IAM's kinds it knows, as AWS does, customer managed policies and instance
profiles, and neither users nor roles. Source: AWS, *Services that support the Resource Groups Tagging API*.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from secmigrate.twin import shown
from secmigrate.twin.account import Account
from secmigrate.twin.paging import Markers, Row
from secmigrate.twin.refusal import Refusal

TARGET = "ResourceGroupsTaggingAPI_20170126.GetResources"


_EXPIRED = ("PaginationTokenExpiredException", "The pagination token is invalid or has expired.")


class _TagFilter(Struct, rename="pascal"):
    key: str
    values: tuple[str, ...] = ()


class _GetResources(Struct, rename="pascal"):
    pagination_token: str = ""
    tag_filters: tuple[_TagFilter, ...] = ()
    resources_per_page: Annotated[int, Meta(ge=1, le=100)] = 100
    resource_type_filters: tuple[str, ...] = ()


def get_resources(account: Account, markers: Markers, page_size: int | None, body: bytes) -> dict[str, Any]:
    """The tagged things that the filters let through, by page. Raises InvalidParameterException."""
    try:
        asked = msgspec.json.decode(body or b"{}", type=_GetResources)
    except msgspec.DecodeError as error:
        raise Refusal("InvalidParameterException", str(error)) from None
    rows = sorted(
        Row((0, thing.arn), "", partial(_mapping, thing))
        for kind, things in _kinds(account).items()
        for thing in things
        if thing.labels and _wanted(kind, asked) and all(_fits(thing.labels, one) for one in asked.tag_filters)
    )
    call = f"GetResources{asked.tag_filters}{asked.resource_type_filters}"
    limit = min(asked.resources_per_page, page_size or 100)
    page = markers.page(rows, call, asked.pagination_token or None, limit, _EXPIRED)
    return {"ResourceTagMappingList": [row.show() for row in page.rows], "PaginationToken": page.marker}


def _kinds(account: Account) -> Mapping[str, Iterable[Any]]:
    return {"iam:policy": account.own_policies(), "iam:instance-profile": account.each_profile()}


def _wanted(kind: str, asked: _GetResources) -> bool:
    """A filter is a service or a service and a kind; none is everything."""
    return not asked.resource_type_filters or any(
        kind in (one, f"{one}:{kind[4:]}") for one in asked.resource_type_filters
    )


def _fits(labels: dict[str, str], wanted: _TagFilter) -> bool:
    return wanted.key in labels and (not wanted.values or labels[wanted.key] in wanted.values)


def _mapping(thing: Any) -> dict[str, Any]:
    return {"ResourceARN": thing.arn, "Tags": shown.tags(thing.labels)}
