"""Distinguishes methods that only declare a part of a contract, which have no body, from those that do something."""

from __future__ import annotations

import inspect
from itertools import product
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

_DOCSTRINGS: Final = ("", "'text'; ")
_NOTHING: Final = ("...", "pass")
_RAISING: Final = tuple(f"raise NotImplementedError{arguments}" for arguments in ("", "()", "('other text')"))


def check_is_declared(member: object, name: str) -> None:
    """Refuse a method without a body that lacks its decorator: it would return None.

    Args:
        member: Something in the body of a contract's class.
        name: Its name there.

    Raises:
        TypeError: If it is such a method.
    """
    if not inspect.isfunction(member) or name.startswith("_") or _essence(member.__code__) not in _EMPTY:
        return
    returned = inspect.get_annotations(member).get("return")
    if returned not in (None, "None") and not getattr(member, "__isabstractmethod__", False):
        raise TypeError(
            f"{member.__qualname__} has an empty body, but no @public, @read_only, @data_var, @data_map or @constant; "
            "add the one that it declares"
        )


def check_is_empty(function: Callable[..., Any]) -> None:
    """Refuse the body of a declaring method, which would never run.

    Args:
        function: The method.

    Raises:
        TypeError: If its body does something.
    """
    if _essence(function.__code__) not in _DECLARING:
        raise TypeError(
            f"{function.__qualname__} has a body, which never runs: write ... instead, or remove the decorator if the "
            "contract has no such part"
        )


def _essence(code: CodeType) -> tuple[Any, ...]:
    """Return what a function does, regardless of its parameters and the texts in it."""
    constants = tuple("" if isinstance(each, str) else each for each in code.co_consts)
    return code.co_code, code.co_names, constants, code.co_freevars


def _compiled(bodies: tuple[str, ...]) -> frozenset[tuple[Any, ...]]:
    """Return the essences of functions with these bodies, with a docstring and without."""
    sources = [f"def f(self):\n {start}{body}\n" for start, body in product(_DOCSTRINGS, bodies)]
    sources += [f"def f(self):\n {start.strip('; ')}\n {body}\n" for start, body in product(_DOCSTRINGS[1:], bodies)]
    modules = [compile(source, "", "exec") for source in sources]
    return frozenset(_essence(each) for module in modules for each in module.co_consts if inspect.iscode(each))


_EMPTY: Final = _compiled(("'text'", *_NOTHING))
_DECLARING: Final = _EMPTY | _compiled(_RAISING)
