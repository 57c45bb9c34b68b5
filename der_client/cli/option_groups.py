"""Options that several commands share, each declared once: a command takes a group, and so all its options.

A group is a frozen dataclass whose fields are options. ``grouped`` replaces a parameter of such a type by the fields,
and builds the group from the values given.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, signature
from typing import Any, get_type_hints


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of the groups among its parameters; options of the same name are one."""
    own = signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: each.annotation for name, each in own.parameters.items() if is_dataclass(each.annotation)
    }
    options: dict[str, Parameter] = {}
    for group in groups.values():
        options |= _options_of(group)

    @wraps(command)
    def run(*arguments: Any, **given: Any) -> None:
        made = {name: group(**{each: given[each] for each in _options_of(group)}) for name, group in groups.items()}
        rest = {name: value for name, value in given.items() if name not in options}
        command(*arguments, **rest, **made)

    kept = [each for name, each in own.parameters.items() if name not in groups]
    run.__signature__ = own.replace(parameters=[*kept, *options.values()])  # type: ignore[attr-defined]
    run.__annotations__ = {each.name: each.annotation for each in (*kept, *options.values())}
    return run


def _options_of(group: Any) -> dict[str, Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return {
        each.name: Parameter(
            each.name,
            Parameter.KEYWORD_ONLY,
            default=Parameter.empty if each.default is MISSING else each.default,
            annotation=hints[each.name],
        )
        for each in fields(group)
    }
