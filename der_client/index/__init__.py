"""The contracts' history and state in SQL: updated from any node, and read by typed methods or your own queries."""

from der_client.index.errors import (
    IndexDatabaseError,
    IndexMissingError,
    IndexVersionError,
    LeaseHeldError,
    NotIndexedError,
)
from der_client.index.follower import Follower, Progress
from der_client.index.index import Index
from der_client.index.table import Table

__all__ = [
    "Follower",
    "Index",
    "IndexDatabaseError",
    "IndexMissingError",
    "IndexVersionError",
    "LeaseHeldError",
    "NotIndexedError",
    "Progress",
    "Table",
]
