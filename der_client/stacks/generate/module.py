"""Writes the Python module for a contract."""

from __future__ import annotations

import inspect
import re
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import NoneType_, OptionalType, ResponseType
from der_client.stacks.contract import Contract
from der_client.stacks.contract.events import Event
from der_client.stacks.contract.models import Model
from der_client.stacks.generate import comments
from der_client.stacks.generate.definitions import Definitions
from der_client.stacks.generate.errors import find_errors
from der_client.stacks.generate.events import find_events
from der_client.stacks.generate.inference import Inference
from der_client.stacks.generate.layout import broken, call_like, import_lines, listed
from der_client.stacks.generate.names import Namespace, camel_case, singular, snake_case, upper_case
from der_client.stacks.generate.shapes import CONTRACT, Shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from der_client.stacks.clarity import ClarityType
    from der_client.stacks.clarity.source import Source
    from der_client.stacks.generate.events import FoundEvent
    from der_client.stacks.generate.inference import InterfaceOf, Printed
    from der_client.stacks.generate.shapes import Field, ModelShape
    from der_client.stacks.generate.type_syntax import Type
    from der_client.stacks.rpc.responses import ContractInterface, FunctionInterface

# Annotations and decorators in a class are looked up in the class first, so no member may have these names.
_IN_ANNOTATIONS: Final = frozenset({"bool", "bytes", "int", "str", "tuple"})
_DECORATORS: Final = frozenset({"constant", "data_map", "data_var", "public", "read_only"})
_METHOD_NAMES: Final = {
    *_IN_ANNOTATIONS,
    *_DECORATORS,
    *dir(Contract),
    *(name for base in Contract.__mro__ for name in inspect.get_annotations(base)),
}
_FIELD_NAMES: Final = _IN_ANNOTATIONS | set(dir(Model)) | set(dir(Event)) | {"model_config"}
_IMPORTED: Final = (
    *("Annotated", "ClassVar", "Sequence", "ConfigDict", "Contract", "ErrorCode", "Event", "Model", "ClarityName"),
    *("ClarityValue", "Int", "MaxLength", "Principal", "Response", "Trait", "UInt", "None", "True", "False"),
    *("AsciiType", "BufferType", "ListType", "NoneType_", "OptionalType", "ResponseType", "TraitType", "TupleType"),
    "Utf8Type",
)


@dataclass(frozen=True)
class ContractInput:
    """The input of a module.

    Attributes:
        name: The contract's name.
        source: Its source.
        interface: Its interface.
        interface_of: A function that returns the interface of another contract that the source names.
        trait_result: A function that returns the result of a trait's function in another contract, by contract, trait
            and function.
        callees: The modules and classes of contracts of the same project that it calls.
        origin: The contract's origin, for the first line of the module: its id, or its file.
    """

    name: str
    source: Source
    interface: ContractInterface
    interface_of: InterfaceOf = lambda _: None
    trait_result: Callable[[str, str, str], Type] = lambda *_: None
    callees: Mapping[str, str] = field(default_factory=dict)
    origin: str = ""


def class_name(contract_name: str) -> str:
    """Return the name of the class for a contract."""
    return camel_case(contract_name)


def module_name(contract_name: str) -> str:
    """Return the name of the module for a contract."""
    return Namespace().take(snake_case(contract_name))


def write_module(contract: ContractInput) -> str:
    """Write the module that declares a contract; the same input gives the same text.

    Args:
        contract: The contract.

    Returns:
        The text of the module.
    """
    return "\n".join(_Module(contract).lines()) + "\n"


class _Module:
    def __init__(self, contract: ContractInput) -> None:
        self._contract = contract
        self._interface = contract.interface
        self._definitions = Definitions.of(contract.source)
        self._classes = Namespace((*_IMPORTED, *contract.callees.values()))
        self._class = self._classes.take(class_name(contract.name), f"{class_name(contract.name)}Contract")
        self._shapes = Shapes(self._classes, _FIELD_NAMES, self._definitions.field_orders)
        self._methods = Namespace(_METHOD_NAMES)
        self._unknown: list[Printed] = []
        self._unreachable: set[str] = set()
        self._errors = find_errors(self._definitions)
        self._error_class = self._classes.take(f"{self._class}Error") if self._errors else ""

    def lines(self) -> list[str]:
        self._shapes.use("Contract", CONTRACT)
        # What is read most gets its name first; the order of the text differs.
        self._name_entries()
        functions = list(self._functions())
        storage = list(self._storage())
        event_names: list[str] = []
        events = [self._event(event, event_names) for event in self._found_events()]
        errors = self._error_lines()
        models = [self._model_lines(model) for model in self._shapes.order]
        head = self._class_lines(event_names)
        body = [line for part in self._spaced([*storage, *functions]) for line in part]
        contract = [*head, *body] if body else head
        if not body and len(head) == 1:
            contract.append("    pass")
        sized = [f"{name} = {text}" for name, text in sorted(self._shapes.sized.items(), key=_by_length)]
        for module, name in self._contract.callees.items():
            self._shapes.use(name, f".{module}")
        parts = [part for part in (*models, errors, *events, contract) if part]
        preamble = [*self._header(), *self._undeclared(), "", *import_lines(self._shapes.imports)]
        if sized:
            preamble += ["", *sized]
        return [*preamble, *(line for part in parts for line in ("", "", *part))]

    def _header(self) -> list[str]:
        return [
            f'"""{self._contract.origin or self._contract.name}: written by ``der generate``."""',
            "",
            '# mypy: disable-error-code="empty-body"',
        ]

    def _undeclared(self) -> list[str]:
        """Return a sentence on what is printed but has no event here, because its type was not found."""
        if not self._unknown:
            return []
        places = [
            f"line {self._contract.source.position(printed.place)[0]} ({printed.function or 'at the deployment'})"
            for printed in self._unknown
        ]
        text = f"No event is declared for what is printed in {', '.join(places)}: its type could not be found."
        if self._unreachable:
            text += f" Contracts that could not be read: {', '.join(sorted(self._unreachable))}."
        return ["", *textwrap.wrap(text, comments.WIDTH, initial_indent="# ", subsequent_indent="# ")]

    # The contract's class.

    def _class_lines(self, events: Sequence[str]) -> list[str]:
        arguments = ["Contract", f'name="{self._contract.name}"']
        if self._error_class:
            arguments.append(f"errors={self._error_class}")
        callees = sorted(self._contract.callees.values())
        groups = [(name, items) for name, items in (("events", events), ("callees", callees)) if items]
        grouped = [f"{name}=({', '.join(items)}{',' * (len(items) == 1)})" for name, items in groups]
        one = ", ".join((*arguments, *grouped))
        if len(f"class {self._class}({one}):") <= comments.WIDTH:
            lines = [f"class {self._class}({one}):"]
        elif len(f"    {one}") <= comments.WIDTH:
            lines = [f"class {self._class}(", f"    {one}", "):"]
        else:
            lines = [f"class {self._class}(", *(f"    {argument}," for argument in arguments)]
            lines += [line for name, items in groups for line in listed(name, items, 4)]
            lines.append("):")
        return [*lines, *self._class_docstring()]

    def _class_docstring(self) -> list[str]:
        about = comments.prose(self._definitions.about)
        lines = comments.docstring(about, {}, 4) if about else [f'    """The contract ``{self._contract.name}``."""']
        kinds = {
            "fungible_tokens": tuple(self._interface.fungible_tokens),
            "non_fungible_tokens": tuple(self._interface.non_fungible_tokens),
        }
        tokens = [f"    {kind}: ClassVar[tuple[str, ...]] = {_tuple(names)}" for kind, names in kinds.items() if names]
        if tokens:
            self._shapes.use("ClassVar", "typing")
            lines += ["", *tokens]
        return lines

    @staticmethod
    def _spaced(parts: Sequence[list[str]]) -> Iterator[list[str]]:
        for part in parts:
            yield ["", *part]

    def _functions(self) -> Iterator[list[str]]:
        order = list(self._definitions.functions)
        known = [each for each in self._interface.functions.values() if each.access in ("public", "read_only")]
        place = {name: number for number, name in enumerate(order)}
        for function in sorted(known, key=lambda each: (place.get(each.name, len(place)), each.name)):
            yield self._function(function)

    def _function(self, function: FunctionInterface) -> list[str]:
        definition = self._definitions.functions.get(function.name)
        comment = () if definition is None else definition.comment
        name = self._methods.take(snake_case(function.name))
        output = function.output.ok if isinstance(function.output, ResponseType) else function.output
        subject = _subject(function.name)
        about = self._shapes.about(f"What ``{function.name}`` returns.")
        result = "None" if isinstance(output, NoneType_) else about.annotation(output, subject, f"{subject}-result")
        names = Namespace(("self",))
        pythonic = [
            names.take(snake_case(argument.name)) for argument in function.arguments
        ]  # two arguments may have the same name
        parameters = ["self"]
        optional = _trailing_optionals([argument.type for argument in function.arguments])
        for number, (argument, python) in enumerate(zip(function.arguments, pythonic, strict=True)):
            kinds = (argument.name, f"{function.name}-{argument.name}")
            about = self._shapes.about(f"The ``{argument.name}`` of ``{function.name}``.")
            annotation = about.annotation(argument.type, *kinds, parameter=True)
            default = " = None" if number >= len(function.arguments) - optional else ""
            parameters.append(f"{python}: {self._shapes.named(python, argument.name, annotation)}{default}")
        said = comments.parameters(comment)
        python_names = {argument.name: name for argument, name in zip(function.arguments, pythonic, strict=True)}
        arguments = {python_names[clarity]: text for clarity, text in said.items() if clarity in python_names}
        return self._method(
            function.access, function.name, name, parameters, result, comments.prose(comment), arguments
        )

    def _method(
        self,
        decorator: str,
        clarity: str,
        name: str,
        parameters: Sequence[str],
        result: str,
        text: str = "",
        arguments: Mapping[str, str] | None = None,
    ) -> list[str]:
        self._shapes.use(decorator, CONTRACT)
        suffix = "" if name.replace("_", "-") == clarity else f'(name="{clarity}")'
        doc = comments.docstring(text, dict(arguments or {}), 8)
        head = call_like(f"def {name}", parameters, f" -> {result}:{'' if doc else ' ...'}", 4)
        return [f"    @{decorator}{suffix}", *head, *doc]

    def _storage(self) -> Iterator[list[str]]:
        errors = {error.constant for error in self._errors}
        kept = self._definitions.comments
        for variable in self._in_order(self._interface.variables):
            each = self._interface.variables[variable]
            if variable in errors:
                continue
            decorator = "constant" if each.access == "constant" else "data_var"
            constant = self._definitions.constants.get(variable)
            comment = kept.get(variable, ()) if constant is None else constant.comment
            name = self._methods.take(snake_case(variable), f"{snake_case(variable)}_{decorator.removeprefix('data_')}")
            annotation = self._shapes.about(f"What ``{variable}`` holds.").annotation(each.type, variable)
            yield self._method(decorator, variable, name, ["self"], annotation, comments.prose(comment))
        for key in self._in_order(self._interface.maps):
            entry = self._interface.maps[key]
            name = self._methods.take(snake_case(key), f"{snake_case(key)}_map")
            argument = self._shapes.annotation(entry.key, parameter=True)
            value = self._shapes.annotation(OptionalType(entry.value))
            yield self._method(
                "data_map", key, name, ["self", f"key: {argument}"], value, comments.prose(kept.get(key, ()))
            )

    def _name_entries(self) -> None:
        """Name tuples after the maps that store them, which have the best names for them."""
        for key in self._in_order(self._interface.maps):
            entry = self._interface.maps[key]
            key_name, value_name = _map_names(key)
            about = self._shapes.about(f"An entry of the map ``{key}``.")
            about.annotation(entry.value, value_name, f"{value_name}-entry", f"{key}-entry")
            about = self._shapes.about(f"A key of the map ``{key}``.")
            about.annotation(entry.key, key_name, f"{singular(key)}-key")

    def _in_order(self, names: Mapping[str, object]) -> list[str]:
        """Return names in the order of the source; those that are not in it come last."""
        known = (*self._definitions.constants, *self._definitions.comments)
        place = {name: number for number, name in reversed(list(enumerate(known)))}
        return sorted(names, key=lambda name: (place.get(name, len(known)), name))

    # The definitions above it.

    def _model_lines(self, model: ModelShape) -> list[str]:
        self._shapes.use("Model", CONTRACT)
        lines = [f"class {model.name}(Model):", f'    """{model.about}"""', ""]
        if model.holds_values:
            self._shapes.use("ConfigDict", "pydantic")
            lines += ["    model_config = ConfigDict(arbitrary_types_allowed=True)", ""]
        return [*lines, *_field_lines(model.fields)]

    def _error_lines(self) -> list[str]:
        if not self._errors:
            return []
        self._shapes.use("ErrorCode", CONTRACT)
        lines = [f"class {self._error_class}(ErrorCode):", f'    """Errors of ``{self._contract.name}``."""', ""]
        members = Namespace()
        for error in self._errors:
            member = members.take(upper_case(error.constant))
            room = comments.WIDTH - len(f'    {member} = {error.code}, "", "{error.constant}"')
            reason = _quoted(textwrap.shorten(comments.prose(error.comment), max(room, 20), placeholder=" …"))
            parts = [str(error.code)]
            if not _same(member, error.constant):
                parts += [reason or '""', f'"{error.constant}"']
            elif reason:
                parts.append(reason)
            lines.append(f"    {member} = {', '.join(parts)}")
        return lines

    def _found_events(self) -> tuple[FoundEvent, ...]:
        inference = Inference(self._definitions, self._interface, self._interface_of, self._contract.trait_result)
        printed = inference.printed()
        self._unknown = [each for each in printed if each.type is None]
        return find_events(self._definitions, printed)

    def _interface_of(self, contract: str) -> ContractInterface | None:
        found = self._contract.interface_of(contract)
        if found is None:
            self._unreachable.add(contract.removeprefix("'"))
        return found

    def _event(self, event: FoundEvent, names: list[str]) -> list[str]:
        self._shapes.use("Event", CONTRACT)
        said = "-".join(event.constants.values())
        first = next(filter(None, event.functions), "deployment")
        wanted: tuple[str, ...]
        if event.is_whole:
            wanted = (f"{_kind_word(event.fields['value'])}-printed",)
        elif said:
            wanted = (said, f"{said}-event", f"{said}-in-{first}")
        else:
            wanted = (f"{first}-printed",)
        name = self._classes.take(*map(camel_case, wanted))
        names.append(name)
        arguments = ["Event"]
        others = {key: text for key, text in event.constants.items() if key != "topic"}
        if "topic" in event.constants:
            arguments.append(f"topic={_quoted(event.constants['topic'])}")
        if others:
            pairs = ", ".join(f"{_quoted(key)}: {_quoted(text)}" for key, text in others.items())
            arguments.append(f"where={{{pairs}}}")
        if event.is_whole:
            arguments.append("whole=True")
        fields = self._shapes.fields(event.fields, name)
        by = ", ".join(f"``{function}``" if function else "the deployment" for function in event.functions)
        doc = comments.docstring(f"Printed by {by}.", {}, 4)
        lines = [*call_like(f"class {name}", arguments, ":"), *doc]
        return [*lines, *([""] if fields else []), *_field_lines(fields)]


def _field_lines(fields: Iterable[Field]) -> Iterator[str]:
    for each in fields:
        yield from broken(f"{each.name}: {each.annotation}", 4)


def _by_length(item: tuple[str, str]) -> tuple[str, int]:
    name = item[0].rstrip("0123456789")
    return name, int(item[0][len(name) :])


def _subject(function: str) -> str:
    """Return the subject of a function's name: ``get-token-info`` returns a token-info."""
    for prefix in ("get-", "fetch-", "read-", "lookup-", "calculate-", "compute-", "find-", "preview-", "check-"):
        if function.startswith(prefix) and len(function) > len(prefix):
            return function.removeprefix(prefix)
    return function


def _map_names(name: str) -> tuple[str, str]:
    """Return names for the keys and the entries of a map: ``name-to-index`` has names and indexes."""
    if match := re.fullmatch(r"(.+)-(?:to|2)-(.+)", name):
        return f"{singular(match[1])}-key", match[2]
    value = re.sub(r"(?<=.)-(map|by-.+)$", "", name)
    return f"{singular(value)}-key", singular(value)


def _trailing_optionals(kinds: Sequence[ClarityType]) -> int:
    count = 0
    for kind in reversed(kinds):
        if not isinstance(kind, OptionalType):
            break
        count += 1
    return count


def _quoted(text: str) -> str:
    """Return a string literal in double quotes; empty for no text."""
    if not text:
        return ""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if escaped.isprintable() else ascii(text)


def _tuple(names: Iterable[str]) -> str:
    items = [f'"{name}"' for name in names]
    return f"({', '.join(items)}{',' if len(items) == 1 else ''})"


def _same(member: str, constant: str) -> bool:
    plain = str.maketrans("", "", "-_")
    return member.translate(plain).lower() == constant.translate(plain).lower()


def _kind_word(kind: ClarityType) -> str:
    """Return the kind of a type in a word: ``uint``, ``list``."""
    return re.sub(r"^string-", "", str(kind).strip("(").split(" ", 1)[0].rstrip(")"))
