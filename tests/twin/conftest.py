"""Clients for a twin: as any program would talk to it, over HTTP, with boto3."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from secmigrate.iam import Snapshot
from secmigrate.twin import Twin

ACCOUNT = "123456789012"


@cache
def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id="invented", aws_secret_access_key="invented", region_name="us-east-1")


def client(twin: Twin, service: Any = "iam") -> Any:
    """A client that leaves it to the twin to find fault with parameters, and sees every error at once: no retries."""
    config = Config(retries={"total_max_attempts": 1}, read_timeout=10, parameter_validation=False)
    return _session().client(service, endpoint_url=twin.url, config=config)


def code_of(call: Callable[[], object]) -> str:
    """The error code a call is answered with; empty if it succeeds."""
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


@pytest.fixture
def empty() -> Iterator[Twin]:
    """A twin of an account with nothing in it."""
    with Twin(Snapshot(account=ACCOUNT)) as twin:
        yield twin


@pytest.fixture
def iam(empty: Twin) -> Any:
    """A client of the empty twin."""
    return client(empty)
