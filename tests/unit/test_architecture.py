"""Modules import only from their own layer and lower ones, and pure modules do no I/O."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# From top to bottom; a module may import only from its own layer and from lower ones. The longest prefix counts.
LAYERS = [
    ["der_client.cli", "der_client.pytest_plugin", "der_client.clarity_reports", "der_client.__main__"],
    ["der_client.web"],
    ["der_client.certificates"],
    ["der_client.demo", "der_client.roles", "der_client.keeper", "der_client.gateway", "der_client.index"],
    ["der_client"],
    ["der_client.der"],
    ["der_client.generation"],
    ["der_client.devnet"],
    ["der_client.project"],
    ["der_client.installation"],
    ["der_client.nodejs"],
    ["der_client.recorder"],
    ["der_client.readings"],
    ["der_client.contracts"],
    ["der_client.stacks.standards", "der_client.stacks.generate"],
    ["der_client.stacks.contract"],
    ["der_client.stacks.contract.contract"],
    ["der_client.stacks.contract.reading"],
    ["der_client.stacks.contract.interface", "der_client.stacks.contract.results", "der_client.stacks.contract.frames"],
    ["der_client.stacks.contract.declarations"],
    ["der_client.stacks.contract.jobs"],
    ["der_client.stacks.contract.declared"],
    ["der_client.stacks.contract.async_call"],
    ["der_client.stacks.contract.call", "der_client.stacks.contract.forms"],
    ["der_client.stacks.contract.events", "der_client.stacks.contract.movements"],
    ["der_client.stacks.contract.models", "der_client.stacks.contract.codecs"],
    [
        "der_client.stacks.contract.layouts",
        "der_client.stacks.contract.annotations",
        "der_client.stacks.contract.hints",
        "der_client.stacks.contract.bodies",
    ],
    ["der_client.stacks.contract.showing", "der_client.stacks.contract.unsent"],
    ["der_client.stacks.deploy"],
    ["der_client.stacks.deployment_checks", "der_client.stacks.deployment_epochs"],
    ["der_client.stacks.prepared"],
    ["der_client.stacks.clarinet"],
    ["der_client.stacks.sources"],
    ["der_client.stacks.plan"],
    ["der_client.stacks.outbox"],
    ["der_client.stacks.outbox.outbox"],
    ["der_client.stacks.outbox.worker"],
    ["der_client.stacks.outbox.refusals"],
    ["der_client.stacks.outbox.signing", "der_client.stacks.outbox.forks"],
    ["der_client.stacks.outbox.lane"],
    ["der_client.stacks.outbox.journal"],
    ["der_client.stacks.outbox.job_table"],
    ["der_client.stacks.outbox.database", "der_client.stacks.outbox.rows"],
    ["der_client.stacks.outbox.schema", "der_client.stacks.outbox.jobs"],
    ["der_client.stacks.multisig"],
    ["der_client.stacks.account"],
    ["der_client.stacks.pending"],
    ["der_client.stacks.outcome"],
    ["der_client.stacks.fees", "der_client.stacks.nonces"],
    ["der_client.stacks.known_nonces"],
    ["der_client.stacks.rpc"],
    ["der_client.stacks.keystore"],
    ["der_client.stacks.blocks"],
    ["der_client.stacks.transactions"],
    ["der_client.stacks.messages", "der_client.stacks.wallet"],
    ["der_client.stacks.keys"],
    ["der_client.stacks.ripemd160"],
    ["der_client.stacks.clarity"],
    ["der_client.stacks.bitcoin"],
    ["der_client.stacks.address"],
    ["der_client.stacks.network", "der_client.stacks.epochs", "der_client.stacks.standard_traits"],
    ["der_client.stacks.checks"],
    ["der_client.stacks.secret"],
    ["der_client.stacks.extras"],
    ["der_client.stacks.contract.errors"],
    ["der_client.stacks.errors"],
    ["der_client.stacks.unmet"],
    ["der_client.stacks"],
]
LEVELS = {prefix: len(LAYERS) - number for number, layer in enumerate(LAYERS) for prefix in layer}

PURE = [
    "der_client.stacks.bitcoin",
    "der_client.stacks.clarity",
    "der_client.stacks.keys",
    "der_client.stacks.address",
    "der_client.stacks.wallet",
    "der_client.stacks.messages",
    "der_client.stacks.transactions",
    "der_client.stacks.blocks",
]
READINGS_MAY_KNOW = ["address", "checks", "clarity", "errors", "extras", "keys", "messages"]
DOES_IO = {"requests", "socket", "subprocess", "urllib3", "http", "threading", "tempfile", "time", "pathlib", "os"}

MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "der_client").rglob("*.py"))
}


def imports(module: str) -> set[str]:
    """Return everything that a module imports: when it is loaded, inside functions, and only for annotations."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        match node:
            case ast.Import(names=names):
                found.update(name.name for name in names)
            case ast.ImportFrom(module=str(source), names=names):
                found.update(
                    f"{source}.{name.name}" if f"{source}.{name.name}" in MODULES else source for name in names
                )
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(MODULES[module].read_text()))
    return found


def level(module: str) -> int:
    name = module
    while name not in LEVELS:
        name = name.rpartition(".")[0]
    return LEVELS[name]


@pytest.mark.parametrize("module", MODULES)
def test_modules_import_only_from_lower_layers(module: str) -> None:
    upward = [target for target in imports(module) if target in MODULES and level(target) > level(module)]
    assert not upward, f"{module} must not know {upward}"


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_a_layer(module: str) -> None:
    prefix = module
    while prefix not in LEVELS:
        prefix = prefix.rpartition(".")[0]
    assert prefix not in {"der_client", "der_client.stacks"} or prefix == module, f"give {module} a layer"


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("der_client.stacks")])
def test_the_stacks_sdk_imports_nothing_about_energy(module: str) -> None:
    foreign = [
        target
        for target in imports(module)
        if target.startswith("der_client") and not target.startswith("der_client.stacks")
    ]
    assert not foreign


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("der_client.readings")])
def test_readings_import_only_modules_that_run_on_a_meter(module: str) -> None:
    allowed = tuple(f"der_client.{part}" for part in ("readings", *(f"stacks.{name}" for name in READINGS_MAY_KNOW)))
    foreign = [name for name in imports(module) if name.startswith("der_client") and not name.startswith(allowed)]
    assert not foreign, f"{module} must run on a meter, so it must not know {foreign}"


@pytest.mark.parametrize(
    "module", [name for name in MODULES if f"{name}.".startswith(tuple(f"{pure}." for pure in PURE))]
)
def test_pure_modules_do_no_io(module: str) -> None:
    assert not {target.partition(".")[0] for target in imports(module)} & DOES_IO


def test_importing_the_library_loads_no_heavy_modules() -> None:
    heavy = ["typer", "rich", "yaml", "cryptography", "pandas", "pytest", "sqlalchemy", "asyncio"]
    code = f"import sys; from der_client import Der; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout.strip() == "[]"


def test_there_are_no_circular_imports() -> None:
    """Imports for annotations count, too.

    Two modules that need each other's types should be one module, or share a third one.
    """
    graph = {module: {target for target in imports(module) if target in MODULES} for module in MODULES}
    while leaves := {module for module, targets in graph.items() if not targets & graph.keys() - {module}}:
        graph = {module: targets for module, targets in graph.items() if module not in leaves}
    # The remaining modules are in a circle or import from one; here the latter are removed, from the top down.
    while roots := {
        module for module in graph if not any(module in graph[other] for other in graph if other != module)
    }:
        graph = {module: targets for module, targets in graph.items() if module not in roots}
    assert not graph, {module: sorted(targets & graph.keys()) for module, targets in graph.items()}
