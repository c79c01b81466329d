"""Patience for tests: IAM's minute is a moment here, and botocore tries nothing again by itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from botocore.config import Config

from secmigrate import apply, aws

AS_FOR_PEOPLE = aws._CONFIG


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apply, "PAUSE", 0.05)
    monkeypatch.setattr(apply, "PATIENCE", 0.3)
    once = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=10, connect_timeout=2)
    monkeypatch.setattr(aws, "_CONFIG", once)


@pytest.fixture
def patient(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """For accounts that lag behind."""
    monkeypatch.setattr(apply, "PATIENCE", 3.0)


@pytest.fixture
def eager(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore as it is for people: it tries again by itself."""
    monkeypatch.setattr(aws, "_CONFIG", AS_FOR_PEOPLE)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal lies."""
    return tmp_path / "journals" / "one.jsonl"
