"""Infers the types of expressions that no interface gives: those that a contract prints.

The interface gives the types of everything that a contract defines; this module adds those of Clarity's own functions
and of what ``let`` and ``match`` bind. A type may be wider than the VM's; one that cannot be inferred is ``None``.

Facts from Clarity's reference, checked against the VM on public contracts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from der_client.stacks.clarity import (
    INT,
    PRINCIPAL,
    UINT,
    AsciiType,
    BufferType,
    ClarityType,
    ListType,
    NoneType_,
    OptionalType,
    ResponseType,
    TraitType,
    TupleType,
    Utf8Type,
)
from der_client.stacks.clarity.source import Expression, Kind
from der_client.stacks.clarity.supertypes import least_supertype, sizes_of
from der_client.stacks.errors import InvalidValueError
from der_client.stacks.generate.functions import BLOCK_PROPERTIES, FIXED, KEYWORDS, LIKE_FIRST
from der_client.stacks.generate.type_syntax import Type, parse_type, result_in_trait, tuple_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from der_client.stacks.generate.definitions import Definitions
    from der_client.stacks.rpc.responses import ContractInterface

Environment = dict[str, Type]
InterfaceOf = Callable[[str], "ContractInterface | None"]
"""Returns the interface of a contract that a source names, ``.name`` or ``ADDRESS.name``; ``None`` if unknown."""

NOTHING: Final = NoneType_()
_NUMBER: Final = re.compile(r"(u?)-?[0-9]+\Z")
_PRINCIPAL: Final = re.compile(r"'S[0-9A-Z]{20,}(\..*)?\Z|\.[a-zA-Z]")
_ESCAPE: Final = re.compile(r"\\(?:u\{[0-9a-fA-F]+\}|.)", re.DOTALL)
_MAX_LENGTH: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Printed:
    """A value that is printed somewhere.

    Attributes:
        function: The function that prints it; empty if it is printed when the contract is published.
        place: Where the printed expression begins in the source.
        value: The printed expression; for a name that ``let`` binds, the expression that it is bound to.
        type: Its type; ``None`` if it could not be found.
    """

    function: str
    place: int
    value: Expression
    type: Type


class Inference:
    """Finds types within one contract.

    Args:
        definitions: What its source defines.
        interface: Its interface.
        interface_of: A function that returns the interfaces of other contracts.
        trait_interface: A function that returns the result of a trait's function by contract, trait and function;
            ``None`` if it is not known.
    """

    def __init__(
        self,
        definitions: Definitions,
        interface: ContractInterface,
        interface_of: InterfaceOf,
        trait_result: Callable[[str, str, str], Type],
    ) -> None:
        self._definitions = definitions
        self._interface = interface
        self._interface_of = interface_of
        self._trait_result = trait_result
        self._printed: list[Printed] = []
        self._function = ""
        self._traits: Mapping[str, str] = {}
        self._seen: set[int] = set()
        self._bound: dict[str, Expression] = {}

    def printed(self) -> tuple[Printed, ...]:
        """Return everything that the contract prints, in the order of the source."""
        self._printed = []
        for expression in self._definitions.other:
            self._enter("", {}, (expression,))
        for constant in self._definitions.constants.values():
            self._enter("", {}, (constant.value,))
        for name, function in self._definitions.functions.items():
            known = self._interface.functions.get(name)
            types = {} if known is None else {argument.name: argument.type for argument in known.arguments}
            self._traits = function.traits
            self._enter(name, {parameter: types.get(parameter) for parameter in function.parameters}, function.body)
            self._traits = {}
        return tuple(sorted(self._printed, key=lambda printed: printed.place))

    def _enter(self, function: str, environment: Environment, body: Sequence[Expression]) -> None:
        self._function = function
        try:
            self._last(body, environment)
        except RecursionError:
            return

    def type_of(self, expression: Expression, environment: Environment) -> Type:
        """Return the type of an expression; ``environment`` has those of the names that are bound around it."""
        match expression.kind:
            case Kind.STRING:
                return _string_type(expression.text)
            case Kind.ATOM:
                return self._atom(expression.text, environment)
            case Kind.TUPLE:
                return self._tuple(expression.fields, environment)
        if not expression.items:
            return None
        head = expression.head
        special = self._SPECIAL.get(head)
        if special is not None:
            return special(self, expression.items[1:], environment)
        types = [self.type_of(item, environment) for item in expression.items[1:]]
        if head in FIXED:
            return FIXED[head]
        if head in LIKE_FIRST:
            return types[-1 if head == "filter" else 0] if types else None
        function = self._interface.functions.get(head)
        return None if function is None else function.output

    def _atom(self, text: str, environment: Environment) -> Type:
        if text in environment:
            return environment[text]
        if text in KEYWORDS:
            return KEYWORDS[text]
        if number := _NUMBER.match(text):
            return UINT if number[1] else INT
        if text.startswith("0x"):
            return BufferType((len(text) - 2) // 2)
        if _PRINCIPAL.match(text):
            return PRINCIPAL
        variable = self._interface.variables.get(text)
        return None if variable is None else variable.type

    def _tuple(self, fields: Mapping[str, Expression], environment: Environment) -> Type:
        return tuple_type({name: self.type_of(value, environment) for name, value in fields.items()})

    def _last(self, body: Iterable[Expression], environment: Environment) -> Type:
        kind: Type = None
        for expression in body:
            kind = self.type_of(expression, environment)
        return kind

    # Functions that read their arguments in their own way.

    def _print(self, items: Sequence[Expression], environment: Environment) -> Type:
        if len(items) != 1:
            return None
        kind = self.type_of(items[0], environment)
        if items[0].start not in self._seen:
            self._seen.add(items[0].start)
            shown = self._bound.get(items[0].text, items[0])
            self._printed.append(Printed(self._function, items[0].start, shown, kind))
        return kind

    def _let(self, items: Sequence[Expression], environment: Environment) -> Type:
        if not items:
            return None
        inner, outside = dict(environment), self._bound
        self._bound = dict(outside)
        for binding in items[0].items:
            if len(binding.items) == 2:
                name, value = binding.items
                inner[name.text] = self.type_of(value, inner)
                self._bound[name.text] = value
        kind = self._last(items[1:], inner)
        self._bound = outside
        return kind

    def _if(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        return join(types[1], types[2]) if len(types) == 3 else None

    def _match(self, items: Sequence[Expression], environment: Environment) -> Type:
        if len(items) not in (4, 5):
            return None
        matched = self.type_of(items[0], environment)
        good, bad = _inside(matched), matched.error if isinstance(matched, ResponseType) else None
        first = self.type_of(items[2], {**environment, items[1].text: good})
        if len(items) == 4:
            return join(first, self.type_of(items[3], environment))
        return join(first, self.type_of(items[4], {**environment, items[3].text: bad}))

    def _unwrap(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        return _inside(types[0]) if types else None

    def _unwrap_err(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        return types[0].error if types and isinstance(types[0], ResponseType) else None

    def _default_to(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        return join(types[0], _inside(types[1])) if len(types) == 2 else None

    def _wrap(self, items: Sequence[Expression], environment: Environment) -> list[ClarityType]:
        kind = self.type_of(items[0], environment) if items else None
        return [] if kind is None else [kind]

    def _some(self, items: Sequence[Expression], environment: Environment) -> Type:
        return next((OptionalType(kind) for kind in self._wrap(items, environment)), None)

    def _ok(self, items: Sequence[Expression], environment: Environment) -> Type:
        return next((ResponseType(kind, NOTHING) for kind in self._wrap(items, environment)), None)

    def _err(self, items: Sequence[Expression], environment: Environment) -> Type:
        return next((ResponseType(NOTHING, kind) for kind in self._wrap(items, environment)), None)

    def _var_get(self, items: Sequence[Expression], _: Environment) -> Type:
        variable = self._interface.variables.get(items[0].text) if items else None
        return None if variable is None else variable.type

    def _map_get(self, items: Sequence[Expression], environment: Environment) -> Type:
        self._last(items[1:], environment)
        entry = self._interface.maps.get(items[0].text) if items else None
        return None if entry is None else OptionalType(entry.value)

    def _tuple_call(self, items: Sequence[Expression], environment: Environment) -> Type:
        fields = {item.items[0].text: item.items[1] for item in items if len(item.items) == 2}
        return self._tuple(fields, environment)

    def _get(self, items: Sequence[Expression], environment: Environment) -> Type:
        if len(items) != 2:
            return None
        kind = self.type_of(items[1], environment)
        if isinstance(kind, OptionalType) and isinstance(kind.item, TupleType):
            inner = kind.item.fields.get(items[0].text)
            return None if inner is None else OptionalType(inner)
        return kind.fields.get(items[0].text) if isinstance(kind, TupleType) else None

    def _merge(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        if len(types) == 2 and isinstance(types[0], TupleType) and isinstance(types[1], TupleType):
            return TupleType({**types[0].fields, **types[1].fields})
        return None

    def _list(self, items: Sequence[Expression], environment: Environment) -> Type:
        kind: Type = NOTHING
        for item in items:
            kind = join(kind, self.type_of(item, environment))
        return None if kind is None else ListType(kind, len(items))

    def _map(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items[1:]]
        lengths = [length for kind in types if (length := _length(kind)) is not None]
        if not items or not lengths:
            return None
        result = self._applied(items[0].text, [_item(kind) for kind in types])
        return None if result is None else ListType(result, min(lengths))

    def _fold(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items[1:]]
        function = self._interface.functions.get(items[0].text) if items else None
        if function is not None:
            return function.output
        return types[-1] if types else None

    def _applied(self, name: str, types: list[Type]) -> Type:
        function = self._interface.functions.get(name)
        if function is not None:
            return function.output
        if name in FIXED:
            return FIXED[name]
        return types[0] if name in LIKE_FIRST and types else None

    def _append(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        if len(types) != 2 or not isinstance(types[0], ListType):
            return None
        item = join(types[0].item, types[1])
        return None if item is None else ListType(item, types[0].length + 1)

    def _concat(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        kind = types[0] if types else None
        for other in types[1:]:
            joined, one, two = join(kind, other), _length(kind), _length(other)
            if joined is None or one is None or two is None:
                return None
            kind = resized(joined, one + two)
        return kind

    def _as_max_len(self, items: Sequence[Expression], environment: Environment) -> Type:
        kind = self.type_of(items[0], environment) if items else None
        if len(items) != 2 or kind is None or not (length := items[1].text[1:]).isdigit():
            return None
        shorter = resized(kind, int(length))
        return None if shorter is None else OptionalType(shorter)

    def _element_at(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        item = _item(types[0]) if types else None
        return None if item is None else OptionalType(item)

    def _same_optional(self, items: Sequence[Expression], environment: Environment) -> Type:
        types = [self.type_of(item, environment) for item in items]
        return OptionalType(types[0]) if types and types[0] is not None else None

    def _inner(self, items: Sequence[Expression], environment: Environment) -> Type:
        return self._last(items, environment)

    def _in_response(self, items: Sequence[Expression], environment: Environment) -> Type:
        kind = self._last(items, environment)
        return None if kind is None else ResponseType(kind, UINT)

    def _contract_call(self, items: Sequence[Expression], environment: Environment) -> Type:
        self._last(items[2:], environment)
        if len(items) < 2:
            return None
        contract, function = items[0].text, items[1].text
        if trait := self._traits.get(contract):
            return self._result_of_trait(trait, function)
        if contract in environment and isinstance(environment[contract], TraitType):
            return None
        if constant := self._definitions.constants.get(contract):
            contract = constant.value.text
        interface = self._interface_of(contract.removeprefix("'")) if contract else None
        found = None if interface is None else interface.functions.get(function)
        return None if found is None else found.output

    def _result_of_trait(self, trait: str, function: str) -> Type:
        if own := self._definitions.trait_functions.get(trait):
            return result_in_trait(own.get(function))
        contract, name = self._definitions.used_traits.get(trait, ("", ""))
        return self._trait_result(contract.removeprefix("'"), name, function) if contract else None

    def _block_info(self, items: Sequence[Expression], environment: Environment) -> Type:
        self._last(items[1:], environment)
        kind = BLOCK_PROPERTIES.get(items[0].text) if items else None
        return None if kind is None else OptionalType(kind)

    def _to_consensus(self, items: Sequence[Expression], environment: Environment) -> Type:
        kind = self.type_of(items[0], environment) if items else None
        return None if kind is None else OptionalType(BufferType(min(_MAX_LENGTH, _serialized_size(kind))))

    def _from_consensus(self, items: Sequence[Expression], environment: Environment) -> Type:
        self._last(items[1:], environment)
        kind = parse_type(items[0]) if items else None
        return None if kind is None else OptionalType(kind)

    def _to_ascii(self, items: Sequence[Expression], environment: Environment) -> Type:
        self._last(items, environment)
        return ResponseType(AsciiType(_MAX_LENGTH), UINT)

    _SPECIAL: ClassVar[dict[str, Callable[[Inference, Sequence[Expression], Environment], Type]]] = {
        "print": _print,
        "let": _let,
        "begin": _inner,
        "if": _if,
        "match": _match,
        **dict.fromkeys(("unwrap!", "unwrap-panic", "try!"), _unwrap),
        **dict.fromkeys(("unwrap-err!", "unwrap-err-panic"), _unwrap_err),
        "default-to": _default_to,
        "some": _some,
        "ok": _ok,
        "err": _err,
        "var-get": _var_get,
        "map-get?": _map_get,
        "tuple": _tuple_call,
        "get": _get,
        "merge": _merge,
        "list": _list,
        "map": _map,
        "fold": _fold,
        "append": _append,
        "concat": _concat,
        "as-max-len?": _as_max_len,
        **dict.fromkeys(("element-at", "element-at?"), _element_at),
        **dict.fromkeys(("slice?", "replace-at?"), _same_optional),
        "as-contract": _inner,
        "at-block": _inner,
        "as-contract?": _in_response,
        "restrict-assets?": _in_response,
        "contract-call?": _contract_call,
        **dict.fromkeys(
            ("get-block-info?", "get-burn-block-info?", "get-stacks-block-info?", "get-tenure-info?"),
            _block_info,
        ),
        "to-consensus-buff?": _to_consensus,
        "from-consensus-buff?": _from_consensus,
        "to-ascii?": _to_ascii,
    }


def join(one: Type, other: Type) -> Type:
    """Return the least type that includes the values of two types; ``None`` if there is none or one is unknown."""
    if one is None or other is None:
        return None
    try:
        return least_supertype(one, other)
    except InvalidValueError:
        return None


def resized(kind: ClarityType, length: int) -> Type:
    """Return the same kind of sequence, of another length."""
    match kind:
        case ListType():
            return ListType(kind.item, length)
        case BufferType() | AsciiType() | Utf8Type():
            return type(kind)(length)
    return None


def _inside(kind: Type) -> Type:
    match kind:
        case OptionalType():
            return kind.item
        case ResponseType():
            return kind.ok
    return None


def _length(kind: Type) -> int | None:
    return kind.length if isinstance(kind, (ListType, BufferType, AsciiType, Utf8Type)) else None


def _item(kind: Type) -> Type:
    match kind:
        case ListType():
            return kind.item
        case BufferType() | AsciiType() | Utf8Type():
            return type(kind)(1)
    return None


def _string_type(text: str) -> ClarityType:
    if text.startswith("u"):
        return Utf8Type(len(_ESCAPE.sub("x", text[2:-1])))
    return AsciiType(len(_ESCAPE.sub("x", text[1:-1])))


def _serialized_size(kind: ClarityType) -> int:
    """Return the most bytes that a value of a type needs in its wire form, or somewhat more."""
    match kind:
        case TupleType():
            return 5 + sum(1 + len(name) + _serialized_size(inner) for name, inner in kind.fields.items())
        case ListType():
            return 5 + kind.length * _serialized_size(kind.item)
        case OptionalType():
            return 1 + _serialized_size(kind.item)
        case ResponseType():
            return 1 + max(_serialized_size(kind.ok), _serialized_size(kind.error))
    return 5 + sizes_of(kind)[0]
