"""The whole of what `map` says of accounts of different shape."""

from __future__ import annotations

import pytest

from tests.mapping.shapes import FOLDER, SHAPES, mapped


@pytest.mark.parametrize("name", SHAPES)
def test_what_map_says_and_writes(name: str) -> None:
    for ending, text in zip(("txt", "yaml"), mapped(name), strict=True):
        assert text == (FOLDER / f"{name}.{ending}").read_text(encoding="utf-8")
