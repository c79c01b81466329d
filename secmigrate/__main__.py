"""The program: `python -m secmigrate`, and what the script `secmigrate` starts. All commands are here."""

from __future__ import annotations

from secmigrate import wizard  # noqa: F401 -- it registers itself
from secmigrate.cli import main
from secmigrate.cli.app import app

__all__ = ["app", "main"]

if __name__ == "__main__":
    main()
