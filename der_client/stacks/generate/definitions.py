"""What a source defines: functions, constants, maps, variables, tokens, traits, and the comments above them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity.source import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from der_client.stacks.clarity.source import Expression, Source

_FUNCTIONS: Final = {"define-public": "public", "define-read-only": "read_only", "define-private": "private"}


@dataclass(frozen=True, slots=True)
class FunctionDefinition:
    """A function.

    Attributes:
        name: Its name.
        access: ``public``, ``read_only`` or ``private``.
        parameters: The names of its parameters.
        body: What it evaluates, in order.
        comment: The lines of comment directly above it.
        traits: The names of the traits of its parameters, by parameter.
    """

    name: str
    access: str
    parameters: tuple[str, ...]
    body: tuple[Expression, ...]
    comment: tuple[str, ...]
    traits: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ConstantDefinition:
    """A constant.

    Attributes:
        name: Its name.
        value: The expression of its value.
        comment: The comment above it, or else after it.
    """

    name: str
    value: Expression
    comment: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a source defines, by name.

    Attributes:
        functions: The functions.
        constants: The constants.
        comments: The lines of comment above maps, variables and tokens.
        trait_functions: The type expressions of the functions of each trait that the source itself defines.
        used_traits: The names under which the source imports traits, with their contract and their name there.
        implemented: The traits that it implements, as the source writes them.
        other: What is evaluated when the contract is published.
        about: The lines of comment that the source begins with.
        field_orders: The fields of tuples in the order of their first appearance in the source; interfaces sort them.
    """

    functions: dict[str, FunctionDefinition] = field(default_factory=dict)
    constants: dict[str, ConstantDefinition] = field(default_factory=dict)
    comments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    trait_functions: dict[str, dict[str, Expression]] = field(default_factory=dict)
    used_traits: dict[str, tuple[str, str]] = field(default_factory=dict)
    implemented: list[str] = field(default_factory=list)
    other: list[Expression] = field(default_factory=list)
    about: tuple[str, ...] = ()
    field_orders: dict[frozenset[str], tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, source: Source) -> Definitions:
        """Find out what a source defines; invalid definitions are left out."""
        found = cls(about=_heading(source))
        for expression in source.expressions:
            _add(found, expression, source)
            for each in expression.walk():
                if each.fields:
                    found.field_orders.setdefault(frozenset(each.fields), tuple(each.fields))
        return found

    def evaluated(self) -> Iterator[Expression]:
        """Yield everything that is evaluated at some time."""
        for function in self.functions.values():
            yield from function.body
        for constant in self.constants.values():
            yield constant.value
        yield from self.other


def _add(found: Definitions, expression: Expression, source: Source) -> None:
    head, items = expression.head, expression.items
    if not head.startswith("define-") and head not in ("use-trait", "impl-trait"):
        found.other.append(expression)
        return
    if len(items) < 2:
        return
    if head in _FUNCTIONS and items[1].head:
        function = _function(expression, source)
        found.functions[function.name] = function
    elif head == "define-constant" and len(items) == 3:
        comment = source.comment_above(expression)
        behind = source.comment_behind(expression)
        found.constants[items[1].text] = ConstantDefinition(items[1].text, items[2], (behind,) if behind else comment)
    elif head == "define-trait" and len(items) == 3:
        functions = {item.items[0].text: item for item in items[2].items if item.items}
        found.trait_functions[items[1].text] = functions
    elif head == "use-trait" and len(items) == 3:
        contract, _, name = items[2].text.rpartition(".")
        found.used_traits[items[1].text] = (contract, name)
    elif head == "impl-trait":
        found.implemented.append(items[1].text)
    elif head in ("define-map", "define-data-var", "define-fungible-token", "define-non-fungible-token"):
        found.comments[items[1].text] = source.comment_above(expression)
        if head == "define-data-var" and len(items) == 4:
            found.other.append(items[3])


def _function(expression: Expression, source: Source) -> FunctionDefinition:
    name, *parameters = expression.items[1].items
    named = [parameter.items for parameter in parameters if len(parameter.items) == 2]
    return FunctionDefinition(
        name.text,
        _FUNCTIONS[expression.head],
        tuple(parameter.text for parameter, _ in named),
        expression.items[2:],
        source.comment_above(expression),
        {parameter.text: kind.text[1:-1] for parameter, kind in named if kind.text.startswith("<")},
    )


def _heading(source: Source) -> tuple[str, ...]:
    """Return the comment at the beginning of a source, unless it belongs to its first definition."""
    lines: list[str] = []
    first = min((source.position(each.start)[0] for each in source.expressions), default=0)
    line = min(source.comments, default=0)
    while line < first and (comment := source.comments.get(line)) is not None:
        lines.append(comment.text)
        line += 1
    return () if line == first else tuple(lines)


def is_name(expression: Expression) -> bool:
    """Return whether an expression is a name or number, and not a list, tuple or text."""
    return expression.kind is Kind.ATOM
