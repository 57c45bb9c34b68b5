"""Views with plain names: what holds now, for dashboards and for people who write SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection


def create(connection: Connection) -> None:
    """Make the views."""
