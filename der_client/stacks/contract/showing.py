"""Shows models, calls and receipts in a notebook."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from html import escape
from typing import TYPE_CHECKING, Any

from der_client.stacks.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def html_table(title: str, rows: Mapping[str, Any]) -> str:
    """Return a table with a title and one row for each name and value.

    Args:
        title: The title.
        rows: Values by name.
    """
    body = "".join(f"<tr><th>{escape(name)}</th><td>{escape(text_of(value))}</td></tr>" for name, value in rows.items())
    return f"<table><caption>{escape(title)}</caption><tbody>{body}</tbody></table>"


def html_grid(columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """Return a table with a header row.

    Args:
        columns: The names in the header row.
        rows: The values of each row.
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(f'<td>{escape(text_of(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def text_of(value: object) -> str:
    """Return a value as a cell of a table."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return f"0x{value.hex()}" if len(value) <= 40 else f"0x{value[:40].hex()}… ({len(value)} bytes)"
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, datetime):
        return value.isoformat()
    return shown(value, str)
