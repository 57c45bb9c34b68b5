"""Generated modules: they pass the checkers, match the deployed contract, and can be called and read."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from der_client.cli.app import app
from der_client.devnet import Devnet
from der_client.generation import modules_of_file, modules_of_project
from der_client.stacks.account import Account
from der_client.stacks.clarity import AsciiValue, SomeValue, TupleValue, UIntValue
from der_client.stacks.clarity.source import Source
from der_client.stacks.errors import ContractError, DeploymentError, TransactionFailedError
from der_client.stacks.generate.module import ContractInput, write_module
from der_client.stacks.rpc import Client, ContractInterface
from der_client.stacks.transactions import ContractPublish

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
BOARD = HERE / "board.clar"


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    files = (BOARD, HERE / "tokens.clar", HERE / "wide.clar")
    return {name: text for file in files for name, text in modules_of_file(file).items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, texts: dict[str, str]) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"generated_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def devnet() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False) as devnet:
        account = Account(devnet.deployer.key, Client(devnet.url))
        for name in ("tokens", "board", "wide"):
            account.submit(ContractPublish(name, (HERE / f"{name}.clar").read_text())).wait()
        yield devnet


@pytest.fixture(scope="module")
def generated(folder: Path) -> ModuleType:
    return load(folder / "board.py")


@pytest.fixture
def board(devnet: Devnet, generated: ModuleType) -> Any:
    client = Client(devnet.url)
    return generated.Board(client, devnet.deployer.address, Account(devnet.accounts["wallet_1"].key, client))


def test_generated_modules_pass_formatters_and_checkers(folder: Path) -> None:
    for command in (
        ["ruff", "format", "--isolated", "--line-length=120", "--check"],
        ["ruff", "check", "--isolated", "--line-length=120", "--select=E,F,I,N,RUF,UP,B"],
        ["mypy", "--strict", "--config-file=", "--no-incremental"],
    ):
        run = subprocess.run(  # noqa: S603 -- checkers, on files that were just generated
            [sys.executable, "-m", *command, "."], cwd=folder, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, run.stdout + run.stderr


def test_generated_modules_match_the_deployed_contracts(board: Any, folder: Path, devnet: Devnet) -> None:
    assert board.differences() == ()
    tokens = load(folder / "tokens.py").Tokens(Client(devnet.url), devnet.deployer.address)
    assert tokens.differences() == ()
    module = load(folder / "wide.py")
    wide = module.Wide(Client(devnet.url), devnet.deployer.address)
    assert wide.differences() == ()
    found = wide.get_balances(wide.deployer, 1)
    assert (found.seller, found.buyer) == (wide.deployer, module.Buyer(name="x", id=1))
    assert wide.settings() == module.Settings(zeta=1, alpha=True)


def test_fields_keep_the_order_of_the_source(folder: Path) -> None:
    module = load(folder / "wide.py")
    models = {name: list(getattr(module, name).model_fields) for name in ("Pool", "PoolKey", "Balances", "Settings")}
    assert models == {
        "Pool": ["y", "x", "note"],
        "PoolKey": ["token_y", "token_x"],
        "Balances": ["seller", "amount", "buyer"],
        "Settings": ["zeta", "alpha"],
    }
    assert list(module.Bought.model_fields) == ["seller", "amount"]


def test_the_same_source_generates_the_same_text(texts: dict[str, str]) -> None:
    assert modules_of_file(BOARD)["board"] == texts["board"]


def test_calls_and_reads(board: Any, generated: ModuleType, devnet: Devnet) -> None:
    who = devnet.accounts["wallet_2"].address
    receipt = board.bid(3, who, b"\x01").send().wait()
    assert receipt.value == 3
    printed, seen, whole = receipt.events
    assert printed == generated.BidEvent(item=3, from_=who, memo=b"\x01")
    assert seen == generated.Seen(items=(3,))
    assert (type(whole), whole.value) == (generated.UintPrinted, 3)
    bid = board.get_bid(3, who)
    assert (bid.price, bid.memo, bid.class_) == (3, b"\x01", True)
    assert board.bids(generated.BidKey(item=3, from_=who)) == bid
    assert board.bids(generated.BidKey(item=4, from_=who)) is None
    assert board.id_to_name(3) == "aé"
    assert board.owner() == devnet.deployer.address
    assert board.get_totals() == board.totals()
    assert (board.max_bids(), board.name_constant()) == (5, "board")
    assert (board.is_any(), board.is_any_()) == (True, False)
    assert board.sum(2, "abc", bool=True) == 3
    assert (board.maybe(deep=True).value, board.maybe(deep=False).error_code) == (1, 2)
    assert board.maybe_maybe() == SomeValue(SomeValue(UIntValue(1)))
    values = board.import_()
    assert sorted(values.model_dump().values()) == [1, 2, 3, 4]
    assert (board.fungible_tokens, board.non_fungible_tokens) == (("point",), ("seat",))


def test_calls_with_traits_lists_and_tuples(board: Any, generated: ModuleType, devnet: Devnet) -> None:
    receipt = board.pay(f"{devnet.deployer.address}.tokens", 3).send().wait()
    assert receipt.value is True
    items = [generated.Item(item=1, lambda_=b"a", pay=True)] * 200
    receipt = board.batch(items, 9).send().wait()
    assert receipt.value.count == 200
    assert [type(event).__name__ for event in receipt.events] == ["BatchEvent", "BatchPrinted"]
    inner = generated.Nested(tuple_=generated.Tuple(bool_=True))
    assert board.nested((inner, None)).send().wait().value == (inner, None)


def test_contract_errors_are_named(board: Any, generated: ModuleType) -> None:
    with pytest.raises(ContractError, match="only the owner may do this") as caught:
        board.only_owner().send().wait()
    assert caught.value.error is generated.BoardError.ERR_NOT_OWNER
    with pytest.raises(ContractError) as caught:
        board.bid(0, board.deployer).simulate()
    assert caught.value.error is generated.BoardError.ERR_NO_BID
    assert not hasattr(generated.BoardError, "PREFIX")
    with pytest.raises(TransactionFailedError, match="text"):
        board.fail_with_text().send().wait()
    with pytest.raises(TransactionFailedError) as failed:
        board.fail_with_tuple(1).send().wait()
    assert failed.value.result == TupleValue({"code": UIntValue(1), "why": AsciiValue("many")})
    assert board.fail_with_tuple(0).send().wait().value is True


def test_the_generate_command(devnet: Devnet, tmp_path: Path, texts: dict[str, str]) -> None:
    run = CliRunner()
    contract_id = f"{devnet.deployer.address}.board"
    shown = run.invoke(app, ["generate", contract_id, "--url", devnet.url])
    assert shown.exit_code == 0, shown.output
    first, rest = shown.stdout.split("\n", 1)
    assert first == f'"""{contract_id}: written by ``der generate``."""'
    assert rest == texts["board"].split("\n", 1)[1]
    file = tmp_path / "board.py"
    assert run.invoke(app, ["generate", contract_id, "--url", devnet.url, "-o", str(file), "--check"]).exit_code == 1
    assert not file.exists()
    assert run.invoke(app, ["generate", contract_id, "--url", devnet.url, "-o", str(file)]).exit_code == 0
    assert run.invoke(app, ["generate", contract_id, "--url", devnet.url, "-o", str(file), "--check"]).exit_code == 0
    file.write_text(file.read_text().replace("100", "101"))
    stale = run.invoke(app, ["generate", contract_id, "--url", devnet.url, "-o", str(file), "--check"])
    assert stale.exit_code == 1
    assert "not up to date" in stale.stderr


def test_a_file_that_refers_to_contracts_of_other_deployers(tmp_path: Path) -> None:
    sip_009 = "SP2PABAF9FTAJYNFZH93XENAJ8FVY99RRM50D2JG9.nft-trait"
    issuer = "SP3FBR2AGK5H9QBDH3EEN6DF8EK8JY7RX8QJ5SVTE"
    (tmp_path / f"{issuer}.prices.clar").write_text("(define-read-only (price) {now: u5})")
    (tmp_path / "near.clar").write_text("(define-read-only (far) (ok 0x01))")
    (tmp_path / "shop.clar").write_text(
        f"""(use-trait nft '{sip_009}.nft-trait)
(define-public (buy (what <nft>))
  (let ((price (contract-call? '{issuer}.prices price)) (last (try! (contract-call? what get-last-token-id))))
    (print (merge {{event: "bought", price: price, last: last}} {{by: (unwrap-panic (contract-call? .near far))}}))
    (ok true)))"""
    )
    text = modules_of_file(tmp_path / "shop.clar")["shop"]
    assert text.count("class ") == 3
    assert 'class Bought(Event, where={"event": "bought"}):' in text
    assert all(f"    {field}\n" in text for field in ("price: Price", "last: UInt", "by: Bytes1"))
    assert not list(tmp_path.glob(".cache"))


def test_a_contract_that_pays_during_publication(tmp_path: Path) -> None:
    (tmp_path / "gift.clar").write_text(
        """(define-constant SAFE (as-contract tx-sender))
(define-read-only (paid) (stx-get-balance SAFE))
(stx-transfer? u5 tx-sender SAFE)"""
    )
    assert "def paid(self) -> UInt: ..." in modules_of_file(tmp_path / "gift.clar")["gift"]


def test_a_source_without_a_visible_clarity_version(tmp_path: Path) -> None:
    """Two definitions of the same trait match only since Clarity 2."""
    trait = "(define-trait coin ((give (uint) (response bool uint))))"
    (tmp_path / "a.clar").write_text(trait)
    (tmp_path / "b.clar").write_text(f"{trait} (define-public (use (what <coin>)) (contract-call? what give u1))")
    (tmp_path / "shop.clar").write_text(
        "(use-trait coin .a.coin) (define-public (pay (what <coin>)) (contract-call? .b use what))"
    )
    assert "def pay(self, what: Trait) -> bool: ..." in modules_of_file(tmp_path / "shop.clar")["shop"]


MANIFEST = """
[project]
name = "half"
requirements = [{ contract_id = "SP2PABAF9FTAJYNFZH93XENAJ8FVY99RRM50D2JG9.far" }]
[contracts.fine]
path = "fine.clar"
[contracts.caller]
path = "caller.clar"
[contracts.callers-caller]
path = "callers-caller.clar"
[contracts.gone]
path = "gone.clar"
[contracts.wrong]
path = "wrong.clar"
"""


@pytest.fixture
def half(tmp_path: Path) -> Path:
    project = tmp_path / "half"
    project.mkdir()
    (project / "Clarinet.toml").write_text(MANIFEST)
    (project / "fine.clar").write_text("(define-constant MAX u5) (define-constant ERR-X (err u4))")
    far = "SP2PABAF9FTAJYNFZH93XENAJ8FVY99RRM50D2JG9.far"
    (project / "caller.clar").write_text(f"(define-public (f) (contract-call? '{far} f))")
    (project / "callers-caller.clar").write_text("(define-public (f) (contract-call? .caller f))")
    (project / "wrong.clar").write_text("(define-read-only (f) (g))")
    return project


def test_unavailable_contracts_of_a_project_are_left_out(half: Path, tmp_path: Path) -> None:
    output = tmp_path / "package"
    command = ["generate", str(half), "-o", str(output), "--url", "http://127.0.0.1:9"]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 1
    assert sorted(file.name for file in output.iterdir()) == ["__init__.py", "fine.py"]
    assert "def max(self) -> UInt" in (output / "fine.py").read_text()
    said = [line for line in done.stderr.splitlines() if line.startswith("left out ")]
    for name, reason in (
        ("SP2PABAF9FTAJYNFZH93XENAJ8FVY99RRM50D2JG9.far", "could not be fetched"),
        ("caller", "it needs SP2PABAF9FTAJYNFZH93XENAJ8FVY99RRM50D2JG9.far, which is left out"),
        ("callers-caller", "it needs caller, which is left out"),
        ("gone", "gone.clar does not exist"),
        ("wrong", "use of unresolved function 'g'"),
    ):
        assert any(line.startswith(f"left out {name}: ") and reason in line for line in said), (name, said)
    assert len(said) == 5
    assert CliRunner().invoke(app, [*command, "--check"]).exit_code == 1


def test_an_incomplete_project_is_rejected(half: Path) -> None:
    for name in ("gone", "caller", "callers-caller"):
        (half / f"{name}.clar").write_text("(define-read-only (f) u1)")
    with pytest.raises(DeploymentError, match=r"contract wrong cannot be published: .*unresolved function 'g'"):
        modules_of_project(half)
    (half / "wrong.clar").unlink()
    with pytest.raises(DeploymentError, match=r"wrong\.clar does not exist"):
        modules_of_project(half)


def test_print_events_of_unknown_types_are_listed() -> None:
    issuer = "SP3FBR2AGK5H9QBDH3EEN6DF8EK8JY7RX8QJ5SVTE"
    source = f"""(define-public (known) (begin (print u1) (ok true)))

(define-public (buy)
  (begin (print (contract-call? '{issuer}.prices price)) (ok true)))"""
    interface = ContractInterface({}, {}, {}, (), {}, None, None)
    text = write_module(ContractInput("shop", Source.read(source), interface))
    said = text.replace("\n# ", " ")
    assert " No event is declared for what is printed in line 4 (buy): its type could not be found." in said
    assert f"Contracts that could not be read: {issuer}.prices.\n" in said
    assert "No event is declared" not in write_module(
        ContractInput("shop", Source.read(source.splitlines()[0]), interface)
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "no-such-thing"], "neither a contract's id"),
        (["generate", str(BOARD), "--check"], "--output"),
        (["generate", str(HERE)], "--output"),
        (["generate", str(HERE), "-o", "x"], "is not a Clarinet project"),
    ],
)
def test_invalid_arguments_are_rejected(arguments: list[str], words: str) -> None:
    failed = CliRunner().invoke(app, arguments)
    assert failed.exit_code != 0
    assert words in failed.stderr + str(failed.exception or "")
