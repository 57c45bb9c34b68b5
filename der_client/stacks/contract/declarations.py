"""A class's declaration of a contract: its functions, storage, errors and events, independent of any network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from der_client.stacks.clarity import check_contract_name
from der_client.stacks.contract.bodies import check_is_declared
from der_client.stacks.contract.declared import Constant, DataMap, DataVar, Declared, DeclaredFunction
from der_client.stacks.contract.errors import ErrorCode
from der_client.stacks.contract.events import Event
from der_client.stacks.contract.hints import check_model, local_names
from der_client.stacks.errors import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

T = TypeVar("T")


class ContractDeclaration:
    """The declared part of a contract, in its class; derived classes inherit all of it.

    Attributes:
        name: The contract's name on chain; empty for an interface.
        functions: The declared functions by their names in Clarity.
        data_vars: The declared data variables, likewise.
        data_maps: The declared maps, likewise.
        constants: The declared constants, likewise.
        errors: Its error codes; those of its base class if it has none of its own.
        error_codes: All its error codes, including those of its base classes.
        event_classes: The events that it prints, likewise.
        callees: The contracts of the same deployer that it calls.
        strict_events: Whether it is an error if no declared event fits what was printed.
    """

    name: str = ""
    errors: ClassVar[type[ErrorCode] | None] = None
    error_codes: ClassVar[tuple[type[ErrorCode], ...]] = ()
    event_classes: ClassVar[tuple[type[Event], ...]] = ()
    callees: ClassVar[tuple[type[ContractDeclaration], ...]] = ()
    functions: ClassVar[Mapping[str, DeclaredFunction[..., Any]]] = {}
    data_vars: ClassVar[Mapping[str, DataVar[..., Any]]] = {}
    data_maps: ClassVar[Mapping[str, DataMap[..., Any]]] = {}
    constants: ClassVar[Mapping[str, Constant[..., Any]]] = {}
    strict_events: bool = False

    def __init_subclass__(
        cls,
        *,
        name: str | None = None,
        errors: type[ErrorCode] | None = None,
        events: Sequence[type[Event]] = (),
        callees: Sequence[type[ContractDeclaration]] = (),
        strict_events: bool | None = None,
    ) -> None:
        """Declare a contract, or an interface.

        Args:
            name: Its name on chain; without one, the class is an interface.
            errors: Its error codes.
            events: The events that it prints.
            callees: The contracts of the same deployer that it calls, whose errors and events reach the caller.
            strict_events: Whether it is an error if no declared event fits what was printed.

        Raises:
            TypeError: If two methods declare the same function, one has a name that this class needs itself, an
                annotation has an undefined name, an argument is not of its kind, or a method with an empty body is not
                declared.
            EncodeError: If no contract can have this name.
        """
        super().__init_subclass__()
        if errors is not None and not _is_class(errors, ErrorCode):
            raise TypeError(f"{cls.__name__}: errors= must be a class derived from ErrorCode, not {shown(errors)}")
        _check_classes(events, Event, f"{cls.__name__}: events=")
        _check_classes(callees, ContractDeclaration, f"{cls.__name__}: callees=")
        declared = _declared_by(cls, is_exact=name is not None)
        cls.name = "" if name is None else check_contract_name(name)
        cls.functions = {key: each for key, each in declared.items() if isinstance(each, DeclaredFunction)}
        cls.data_vars = {key: each for key, each in declared.items() if isinstance(each, DataVar)}
        cls.data_maps = {key: each for key, each in declared.items() if isinstance(each, DataMap)}
        cls.constants = {key: each for key, each in declared.items() if isinstance(each, Constant)}
        bases = [base for base in cls.__bases__ if issubclass(base, ContractDeclaration)]
        cls.error_codes = _unique((errors,) if errors else (), *(base.error_codes for base in bases))
        cls.errors = cls.error_codes[0] if cls.error_codes else None
        cls.event_classes = _unique(events, *(base.event_classes for base in bases))
        cls.callees = _unique(callees, *(base.callees for base in bases))
        if strict_events is not None:
            cls.strict_events = strict_events
        for event in events:
            check_model(event)

    @classmethod
    def family(cls) -> Iterator[type[ContractDeclaration]]:
        """Yield this contract and all that it calls, directly or not."""
        yield cls
        for callee in cls.callees:
            yield from callee.family()


def _is_class(value: object, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base)


def _check_classes(values: object, base: type, what: str) -> None:
    """Refuse what is not a list of classes, such as one by itself."""
    kind = "Contract" if base is ContractDeclaration else base.__name__
    if _is_class(values, base):
        raise TypeError(f"{what} must be a tuple of classes; write ({values.__name__},)")  # type: ignore[attr-defined]
    if not isinstance(values, Iterable):
        raise TypeError(f"{what} must be a tuple of classes derived from {kind}, not {shown(values)}")
    for value in values:
        if not _is_class(value, base):
            raise TypeError(f"{what} must be classes derived from {kind}, not {shown(value)}")


def _declared_by(contract: type[ContractDeclaration], *, is_exact: bool) -> dict[str, Declared[..., Any]]:
    """Return everything that a class declares, inherited or not, by Clarity name."""
    by_attribute: dict[str, Any] = {}
    for base in reversed(contract.__mro__):
        by_attribute |= vars(base)
    for attribute, each in vars(contract).items():
        check_is_declared(each, attribute)
    own = {name: each for name, each in vars(contract).items() if isinstance(each, Declared)}
    for attribute, each in own.items():
        if attribute in _TAKEN:
            raise TypeError(
                f"{contract.__name__}.{attribute}: Contract itself has something of this name; call the method "
                f'{attribute}_ and declare it with name="{each.name}"'
            )
        each.is_exact = is_exact
        each.local_names = local_names(each.function, f"{contract.__name__}.{attribute}", vars(contract))
    declared: dict[str, Declared[..., Any]] = {}
    for each in by_attribute.values():
        if isinstance(each, Declared):
            if each.name in declared:
                raise TypeError(f"{contract.__name__} declares {each.name} twice")
            declared[each.name] = each
    if contract.__module__.startswith("der_client.stacks.contract."):
        _TAKEN.update(vars(contract), contract.__annotations__)
    return declared


_TAKEN: set[str] = {*vars(ContractDeclaration), *ContractDeclaration.__annotations__}
"""Names of the base classes, which a declared method cannot have."""


def _unique(*groups: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(each for group in groups for each in group))
