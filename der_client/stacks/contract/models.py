"""The base of models for what a contract stores or prints."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from der_client.stacks.contract.showing import html_table


class Model(BaseModel):
    """Base of Clarity tuples in Python: frozen, compared by value, with units in the names."""

    model_config = ConfigDict(frozen=True, defer_build=True, ser_json_bytes="hex", val_json_bytes="hex")

    def _repr_html_(self) -> str:
        """Return a table of the fields, for notebooks."""
        return html_table(type(self).__name__, {name: getattr(self, name) for name in type(self).__pydantic_fields__})
