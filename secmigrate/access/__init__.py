"""What somebody can do, as far as it can be said without guessing: by whole statements."""

from __future__ import annotations

from secmigrate.access.statements import covers, documents_of, statements, statements_of

__all__ = ["covers", "documents_of", "statements", "statements_of"]
