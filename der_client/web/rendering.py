"""Renders pages from templates: all text is escaped, every link is built here, and an undefined name is an error."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from markupsafe import Markup

from der_client.web import amounts
from der_client.web.slot_times import slot_times
from der_client.web.tokens import money, money_in_column, short_principal, token_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request
    from jinja2.runtime import Context

    from der_client.index import Index

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
_NAVIGATION: Final = (
    ("Overview", "/"),
    ("Plants", "/plants"),
    ("Market", "/market"),
    ("Money", "/money"),
    ("Certificates", "/certificates"),
    ("API", "/api"),
)


class Renderer:
    """Renders pages, each with the index's state at the top.

    Args:
        index: The index that all pages read.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._environment = _environment()

    def page(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,
    ) -> HTMLResponse:
        """Render a page.

        Args:
            request: The request.
            template: The template's file name.
            status: The answer's status.
            headers: Further headers of the answer.
            values: The template's values. ``tip`` is read from the index if not given.
        """
        if "tip" not in values:
            values["tip"] = self._index.tip()
        tip = values["tip"]
        root = request.scope.get("root_path", "")
        context = {
            "root_path": root,
            "here": request.url.path.removeprefix(root),
            "now": None if tip is None else tip.block_time,
            **values,
        }
        text = self._environment.get_template(template).render(context)
        return HTMLResponse(text, status_code=status, headers=dict(headers or {}))


@cache
def _environment() -> Environment:
    """Return the templates, compiled once for all applications of a process."""
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        energy=amounts.energy,
        power=amounts.power,
        kwh=amounts.exact_energy,
        count=amounts.count,
        moment=amounts.moment,
        money=money,
        money_in_column=money_in_column,
        token=token_name,
        words=_words,
        with_code=_with_code,
        short=short_principal,
        from_now=amounts.from_now,
        day_from=amounts.day_from,
        slot_times=slot_times,
    )
    environment.globals.update(link=_link, static=_static, navigation=_NAVIGATION)
    return environment


def _words(value: object) -> str:
    """Return a state, a kind or a topic in words: ``combined heat and power``."""
    return str(value).lower().replace("_", " ").replace("-", " ")


def _with_code(text: str) -> Markup:
    """Return a text in which parts between backticks are shown as code."""
    parts = text.split("`")
    return Markup("").join(  # an empty one escapes what is joined to it
        Markup('<span class="code">{}</span>').format(part) if number % 2 else part for number, part in enumerate(parts)
    )


@pass_context
def _link(context: Context, path: str, **query: object) -> str:
    """Return a link to one of these pages: the path is quoted, and parameters that are ``None`` are left out."""
    given = {name: str(value) for name, value in query.items() if value is not None and value != ""}
    return f"{context['root_path']}{quote(path)}" + (f"?{urlencode(given)}" if given else "")


@pass_context
def _static(context: Context, name: str) -> str:
    """Return a link to a static file that changes with its content, so that browsers may cache it."""
    return f"{context['root_path']}/static/{name}?v={_digest(name)}"


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
