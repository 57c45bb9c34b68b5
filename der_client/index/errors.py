"""Errors of an index."""

from __future__ import annotations

from der_client.stacks.errors import DerClientError


class IndexDatabaseError(DerClientError):
    """The index cannot be opened, read or written.

    Attributes:
        place: Where it is, without a password.
    """

    def __init__(self, message: str, place: str) -> None:
        super().__init__(f"the index {place} {message}")
        self.place = place


class IndexMissingError(IndexDatabaseError):
    """There is no index yet."""


class IndexVersionError(IndexDatabaseError):
    """The index was made by another version of this library."""


class LeaseHeldError(IndexDatabaseError):
    """Another indexer writes into this index."""


class NotIndexedError(DerClientError):
    """The index does not have what was asked for."""
