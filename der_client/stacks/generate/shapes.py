"""Spells types in a generated module: annotations, and the models and short names that these need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from der_client.stacks.clarity import (
    BOOL,
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
from der_client.stacks.generate.names import Namespace, camel_case, singular, snake_case

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_SCALARS: Final = {UINT: "UInt", INT: "Int", PRINCIPAL: "Principal", TraitType(): "Trait", BOOL: "bool"}
_CONSTANTS: Final = {UINT: "UINT", INT: "INT", PRINCIPAL: "PRINCIPAL", BOOL: "BOOL"}
_SIZED: Final = {BufferType: ("Bytes", "bytes"), AsciiType: ("Ascii", "str"), Utf8Type: ("Utf8", "str")}

CONTRACT: Final = "der_client.stacks.contract"
CLARITY: Final = "der_client.stacks.clarity"
_MODULES: Final = {
    "Annotated": "typing",
    "Sequence": "collections.abc",
    **dict.fromkeys(("UInt", "Int", "Principal", "Trait", "MaxLength", "ClarityName", "Response"), CONTRACT),
    **dict.fromkeys(_CONSTANTS.values(), CLARITY),
}


@dataclass(slots=True)
class Field:
    """A field of a model, or a parameter.

    Attributes:
        name: Its name in Python.
        annotation: Its annotation.
    """

    name: str
    annotation: str


@dataclass(slots=True)
class ModelShape:
    """A model for a tuple.

    Attributes:
        name: The class.
        about: Its description, in one sentence.
        fields: Its fields, in the order of the source if known.
        holds_values: Whether a field is a Clarity value itself.
    """

    name: str
    about: str
    fields: list[Field]
    holds_values: bool


class Shapes:
    """Spells types, and collects what the module needs for it.

    Args:
        classes: The names of classes in use.
        field_names: Names that no field of a model may have.
        field_orders: The fields of tuples in the order of the source, by their names.
    """

    def __init__(
        self,
        classes: Namespace,
        field_names: Iterable[str],
        field_orders: Mapping[frozenset[str], tuple[str, ...]] | None = None,
    ) -> None:
        self._classes = classes
        self._orders = field_orders or {}
        self._field_names = frozenset(field_names)
        self._models: dict[str, ModelShape] = {}
        self._about = ""
        self.order: list[ModelShape] = []
        self.sized: dict[str, str] = {}
        self.imports: dict[str, set[str]] = {}

    def use(self, name: str, module: str | None = None) -> str:
        """Import a name."""
        self.imports.setdefault(module or _MODULES[name], set()).add(name)
        return name

    def about(self, sentence: str) -> Shapes:
        """Set the description of the next new tuple."""
        self._about = sentence
        return self

    def annotation(self, kind: ClarityType, *names: str, parameter: bool = False) -> str:
        """Spell a type.

        Args:
            kind: The type.
            *names: Possible names of a tuple in it, the best first, in Clarity.
            parameter: Whether it is a parameter's type, where a list may be any sequence.
        """
        if kind in _SCALARS:
            text = _SCALARS[kind]
            return text if kind == BOOL else self.use(text)
        match kind:
            case BufferType() | AsciiType() | Utf8Type():
                return self._sized_name(kind)
            case OptionalType(item=item) if not isinstance(item, (OptionalType, NoneType_)):
                return f"{self.annotation(item, *names, parameter=parameter)} | None"
            case ListType(item=item, length=length) if not isinstance(item, NoneType_):
                inner = self.annotation(item, *map(singular, names), parameter=parameter)
                sequence = f"{self.use('Sequence')}[{inner}]" if parameter else f"tuple[{inner}, ...]"
                return f"{self.use('Annotated')}[{sequence}, {self.use('MaxLength')}({length})]"
            case TupleType():
                return self._model(kind, names).name
            case ResponseType(ok=ok, error=error) if error == UINT and not isinstance(ok, (OptionalType, NoneType_)):
                return f"{self.use('Response')}[{self.annotation(ok, *names)}]"
        return f"{self.use('Annotated')}[{self.use('ClarityValue', CLARITY)}, {self.spelled(kind)}]"

    def spelled(self, kind: ClarityType) -> str:
        """Return the expression that creates a type."""
        if kind in _CONSTANTS:
            return self.use(_CONSTANTS[kind])
        self.use(type(kind).__name__, CLARITY)
        match kind:
            case BufferType() | AsciiType() | Utf8Type():
                return f"{type(kind).__name__}({kind.length})"
            case OptionalType():
                return f"OptionalType({self.spelled(kind.item)})"
            case ListType():
                return f"ListType({self.spelled(kind.item)}, {kind.length})"
            case ResponseType():
                return f"ResponseType({self.spelled(kind.ok)}, {self.spelled(kind.error)})"
            case TupleType():
                inner = ", ".join(f'"{name}": {self.spelled(field)}' for name, field in kind.fields.items())
                return f"TupleType({{{inner}}})"
        return f"{type(kind).__name__}()"

    def named(self, name: str, clarity: str, annotation: str) -> str:
        """Return an annotation that also gives the name in Clarity, where that is not the Python name with hyphens."""
        if name.replace("_", "-") == clarity:
            return annotation
        if annotation.startswith("Annotated[") and annotation.endswith(")]"):
            annotation = annotation.removeprefix("Annotated[").removesuffix("]")
        return f'{self.use("Annotated")}[{annotation}, {self.use("ClarityName")}("{clarity}")]'

    def fields(self, fields: Mapping[str, ClarityType], owner: str, taken: Iterable[str] = ()) -> list[Field]:
        """Return the fields of a model or an event.

        Args:
            fields: Their types by their names in Clarity.
            owner: The owner of the fields, after which models of tuples among them may be named.
            taken: Further names that no field may have.
        """
        names = Namespace((*self._field_names, *taken))
        found = []
        for clarity in self._orders.get(frozenset(fields), fields):
            kind = fields[clarity]
            name = names.take(snake_case(clarity).lstrip("_") or "unnamed")
            self._about = f"The ``{clarity}`` of :class:`{owner}`."
            annotation = self.annotation(kind, clarity, f"{owner}-{clarity}")
            found.append(Field(name, self.named(name, clarity, annotation)))
        return found

    def _sized_name(self, kind: BufferType | AsciiType | Utf8Type) -> str:
        prefix, base = _SIZED[type(kind)]
        name = f"{prefix}{'_' if prefix[-1].isdigit() else ''}{kind.length}"
        if name not in self.sized:
            self.use(type(kind).__name__, CLARITY)
            self.sized[name] = f"{self.use('Annotated')}[{base}, {type(kind).__name__}({kind.length})]"
        return name

    def _model(self, kind: TupleType, names: tuple[str, ...]) -> ModelShape:
        key = str(kind)
        if key not in self._models:
            candidates = [camel_case(name) for name in names if name] or ["Tuple"]
            model = ModelShape(self._classes.take(*candidates), self._about, [], holds_values=False)
            self._models[key] = model
            model.fields = self.fields(kind.fields, model.name)
            model.holds_values = any("[ClarityValue, " in field.annotation for field in model.fields)
            self.order.append(model)
        return self._models[key]
