"""Looks up names in annotations when a class is created, so that a missing one is an error there, not in a call."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary, WeakSet

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


def local_names(function: Callable[..., Any], where: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return names in a function's annotations that only its class, or the function around the class, defines.

    Args:
        function: The function.
        where: What to call it in errors.
        body: The names in the body of its class.

    Raises:
        TypeError: If a name is not found; the text names the function, the parameter and the name.
    """
    try:
        annotations = function.__annotations__
    except NameError as error:  # since Python 3.14, annotations are evaluated when they are accessed
        raise TypeError(f"{where}: {error} in an annotation; define or import it above the class") from None
    return _resolved(annotations, function.__globals__, where, body)


def check_model(model: type[BaseModel]) -> None:
    """Refuse a model whose annotations use an undefined name.

    Raises:
        TypeError: If a name is not found; the text names the model, the field and the name.
    """
    for base in model.__mro__:
        if issubclass(base, BaseModel) and base is not BaseModel:
            module = sys.modules.get(base.__module__)
            if module is not None:
                found = _resolved(inspect.get_annotations(base), vars(module), base.__name__, vars(base))
                _LOCAL_NAMES.setdefault(model, {}).update(found)


def local_names_of(model: type[BaseModel]) -> dict[str, Any] | None:
    """Return names in a model's annotations that are not in its module, if `check_model` has found them."""
    return _LOCAL_NAMES.get(model)


def _resolved(
    annotations: Mapping[str, Any], names: Mapping[str, Any], where: str, body: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the local names among those that annotations use; models are checked in turn."""
    found: dict[str, Any] = {}
    for parameter, annotation in annotations.items():
        if not isinstance(annotation, str):
            continue
        for name in _names_in(annotation, names):
            value = names.get(name, _MISSING)
            if value is _MISSING and name not in _BUILTINS:
                value = found[name] = body[name] if name in body else _local(name)
                if value is _MISSING:
                    what = "the result" if parameter == "return" else parameter
                    raise TypeError(
                        f"{where}: the annotation of {what} is {annotation}, but {name} is not defined here: define or "
                        "import it above the class, not only under TYPE_CHECKING"
                    )
            if isinstance(value, type) and issubclass(value, BaseModel) and value not in _CHECKED:
                _CHECKED.add(value)
                check_model(value)
    return found


_MISSING = object()
_BUILTINS: Final = frozenset(vars(builtins))
_CHECKED: WeakSet[type] = WeakSet()
_LOCAL_NAMES: WeakKeyDictionary[type, dict[str, Any]] = WeakKeyDictionary()


def _local(name: str) -> Any:
    """Return the value of a name in the running functions, innermost first."""
    frame = sys._getframe(1)  # noqa: SLF001 - as pydantic and dataclasses also do
    while frame is not None:
        if frame.f_code.co_name != "<module>" and name in frame.f_locals and frame.f_globals["__name__"] != __name__:
            return frame.f_locals[name]
        frame = frame.f_back  # type: ignore[assignment]
    return _MISSING


_NAME: Final = re.compile(r"(?<![\w.\"'])[A-Za-z_]\w*")


def _names_in(annotation: str, names: Mapping[str, Any]) -> Iterable[str]:
    """Return the names that an annotation uses, including quoted text if something has that name."""
    found = _NAME.findall(annotation)
    if all(name in names or name in _BUILTINS for name in found):
        return found
    try:
        tree = ast.parse(annotation, mode="eval")
    except SyntaxError:
        return ()
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
