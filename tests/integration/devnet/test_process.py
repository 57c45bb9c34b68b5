"""The devnet as a child process: when it ends, and why it cannot start."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from der_client.devnet import Devnet, DevnetControl, DevnetError
from der_client.nodejs import find_node
from der_client.project import installed_project
from der_client.stacks.account import Account
from der_client.stacks.clarity import PrincipalValue, UIntValue, Utf8Value
from der_client.stacks.rpc import Client
from der_client.stacks.transactions import ContractCall, ContractPublish, TokenTransfer

from .bare_devnet import START, BareDevnet


def is_up(url: str) -> bool:
    try:
        return requests.get(f"{url}/v2/info", timeout=5).ok
    except requests.ConnectionError:
        return False


def wait_until_down(url: str) -> None:
    deadline = time.monotonic() + 20
    while is_up(url):
        assert time.monotonic() < deadline, "the devnet outlived its parent"
        time.sleep(0.05)


def test_close_ends_the_process() -> None:
    devnet = Devnet(deploy_contracts=False)
    assert is_up(devnet.url)
    devnet.close()
    assert not is_up(devnet.url)
    devnet.close()
    assert "ended" in repr(devnet)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_process_never_outlives_its_parent(how: signal.Signals) -> None:
    program = (
        "from der_client import Devnet; import time; d = Devnet(deploy_contracts=False); print(d.url, flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:  # noqa: S603
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert is_up(url)
        os.kill(parent.pid, how)
    wait_until_down(url)


def test_an_occupied_port_is_reported(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(DevnetError, match=rf"port {port} of 127\.0\.0\.1 is in use; choose another with --port"):
            Devnet(deploy_contracts=False, port=port, state_file=state)
    assert not state.exists()  # the port is checked before anything is created


def test_an_address_of_another_machine_is_reported() -> None:
    with pytest.raises(DevnetError, match=r"cannot listen on 192\.0\.2\.1: .*--host"):
        Devnet(deploy_contracts=False, host="192.0.2.1")


def test_requests_after_close_are_errors() -> None:
    with Devnet(deploy_contracts=False) as devnet:
        control = DevnetControl(devnet.url)
    for ask in (devnet.now, devnet.mine, devnet.snapshot, lambda: devnet.advance(seconds=1), lambda: devnet.contracts):
        with pytest.raises(DevnetError, match=r"Devnet\(http://127.*, ended\) was closed"):
            ask()
    assert devnet.log() == ""
    with pytest.raises(DevnetError, match="no embedded devnet responds"):
        control.now()
    control.close()
    with pytest.raises(DevnetError, match=r"DevnetControl\(http://127.*\) was closed"):
        control.now()


def test_the_process_does_not_inherit_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_KEY", "0123456789abcdef")
    with Devnet(deploy_contracts=False) as devnet:
        pid = requests.get(f"{devnet.url}/devnet", timeout=5).json()["pid"]
        environment = Path(f"/proc/{pid}/environ")
        if not environment.exists():
            pytest.skip("processes cannot be looked into here")
        variables = environment.read_bytes()
    assert b"PATH=" in variables
    assert b"0123456789abcdef" not in variables


def test_a_project_without_settings_is_reported(tmp_path: Path) -> None:
    with pytest.raises(DevnetError, match=r"Devnet\.toml does not exist"):
        Devnet(project=tmp_path)


def test_a_contract_that_cannot_be_published_is_reported(tmp_path: Path) -> None:
    settings = tmp_path / "settings" / "Devnet.toml"
    plan = tmp_path / "deployments" / "default.devnet-plan.yaml"
    for folder in (settings.parent, plan.parent, tmp_path / "contracts"):
        folder.mkdir()
    words = "twice kind fence tip hidden tilt action fragile skin nothing glory cousin green tomorrow spring wrist shed"
    mnemonic = f"{words} math olympic multiply hip blue scout claw"
    settings.write_text(f'[accounts.deployer]\nmnemonic = "{mnemonic}"\nbalance = 100_000_000_000_000\n')
    plan.write_text(
        "plan:\n  batches:\n    - id: 0\n      transactions:\n        - transaction-type: contract-publish\n"
        "          contract-name: broken\n          expected-sender: ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM\n"
        "          cost: 1000\n          path: contracts/broken.clar\n          clarity-version: 4\n"
    )
    contract = tmp_path / "contracts" / "broken.clar"
    contract.write_text("(define-public (f) (ok (missing)))")
    with pytest.raises(DevnetError, match=r"broken cannot be published.*missing"):
        Devnet(project=tmp_path)
    contract.write_text("(define-public (f) (ok u1))")
    with Devnet(project=tmp_path) as devnet:
        assert devnet.contracts == ("ST1PQHQKV0RJXZFY1DGX8MNSNYVE3VGZJSRTPGZGM.broken",)
        assert list(devnet.accounts) == ["deployer"]
    plan.write_text(plan.read_text().replace("broken.clar", "nowhere.clar"))
    with pytest.raises(DevnetError, match=r"nowhere\.clar does not exist"):
        Devnet(project=tmp_path)


def test_the_first_block_has_the_start_time() -> None:
    with Devnet(deploy_contracts=False, start_time=START) as devnet:
        assert int(devnet.now().timestamp()) == START


def test_two_devnets_side_by_side() -> None:
    with Devnet(deploy_contracts=False) as one, Devnet(deploy_contracts=False) as two:
        one.mine(5)
        assert one.block_height == two.block_height + 5


def test_control_from_other_machines_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DER_DEVNET_TOKEN", raising=False)
    with Devnet(deploy_contracts=False, host="0.0.0.0") as devnet:  # noqa: S104  # tested here
        url = devnet.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        txid = devnet.fund(devnet.deployer.address)
        assert devnet.trace(txid).status == "success"
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": ""}):
            for path in ("mine", "impersonate"):
                refused = requests.post(f"{url}/devnet/{path}", json={}, headers=headers, timeout=5)
                assert refused.status_code == 401
                assert "token" in refused.json()["error"]
            for path in (f"trace/0x{txid}", f"profile?txid=0x{txid}", "coverage", "accounts"):
                assert requests.get(f"{url}/devnet/{path}", headers=headers, timeout=5).status_code == 401
        assert requests.get(f"{url}/devnet", timeout=5).json()["control"] is True
        assert requests.get(f"{url}/v2/info", timeout=5).ok
    monkeypatch.setenv("DER_DEVNET_TOKEN", "a token of mine")
    with Devnet(deploy_contracts=False) as devnet:
        assert DevnetControl(devnet.url).mine() == devnet.block_height
        other = DevnetControl(devnet.url, control_token="another")
        with pytest.raises(DevnetError, match="needs the devnet's token"):
            other.mine()


def test_without_a_token_control_is_disabled_on_public_addresses() -> None:
    main = installed_project() / "devnet" / "main.js"
    command = [find_node(), str(main), "--host", "0.0.0.0", "--port", "0", "--no-contracts"]  # noqa: S104
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        assert process.stderr is not None
        port = json.loads(process.stdout.readline())["url"].rpartition(":")[2]
        assert requests.get(f"http://127.0.0.1:{port}/devnet", timeout=5).json()["control"] is False
        assert requests.post(f"http://127.0.0.1:{port}/devnet/mine", json={}, timeout=5).status_code == 404
        process.terminate()
        assert "set DER_DEVNET_TOKEN" in process.stderr.read()


ENDLESS = "(define-private (f0) u1)" + "".join(
    f"(define-private (f{level}) (+ (f{level - 1}) (f{level - 1})))" for level in range(1, 40)
)


@pytest.mark.parametrize("way", ["signal", "kill", "the parent's end"])
def test_the_process_ends_while_its_vm_is_busy(tmp_path: Path, way: str) -> None:
    """With costs off, a block interval and an endless call; the state file can be used afterwards."""
    state = tmp_path / "state"
    devnet = Devnet(deploy_contracts=False, track_costs=False, block_interval_s=0.05, state_file=state)
    bare = BareDevnet(devnet)
    publisher = bare.account(1)
    code = f"{ENDLESS}(define-public (go) (ok (f39)))"
    published = bare.send(publisher, ContractPublish("endless", code, 4), fee=100_000)
    while bare.receipt(published)["tx_status"] == "pending":
        time.sleep(0.05)
    call = bare.send(publisher, ContractCall(f"{publisher.address}.endless", "go", ()))
    time.sleep(0.3)
    assert bare.receipt(call)["tx_status"] == "pending"
    started = time.monotonic()
    if way == "the parent's end":
        assert devnet._process.stdin is not None
        devnet._process.stdin.close()
    else:
        os.kill(bare.json("/devnet")["pid"], signal.SIGKILL if way == "kill" else signal.SIGTERM)
    assert devnet._process.wait(20) == (-signal.SIGKILL if way == "kill" else 0)
    assert time.monotonic() - started < 15
    devnet.close()
    with Devnet(deploy_contracts=False, track_costs=False, block_interval_s=0.05, state_file=state) as reopened:
        again = BareDevnet(reopened)
        payer, balance = again.account(2), again.balance(publisher.address)
        paid = again.send(payer, TokenTransfer(PrincipalValue(publisher.address), 7))
        while again.receipt(paid)["tx_status"] == "pending":
            time.sleep(0.05)
        assert again.receipt(paid)["tx_status"] == "success"
        assert again.receipt(call)["tx_status"] == "dropped_too_expensive"
        assert again.balance(publisher.address) == balance + 7
        assert again.nonce(publisher.address) == 1


CALLED = "(define-public (f (n uint)) (ok (/ u1 n))) (define-public (say (text (string-utf8 300))) (err u7))"


def test_block_log_has_a_line_for_each_block_and_transaction() -> None:
    lines: list[str] = []
    with Devnet(deploy_contracts=False, start_time=START, block_interval_s=0, block_log=lines.append) as devnet:
        account = Account(devnet.accounts["wallet_1"].key, Client(devnet.url))
        account.transfer(devnet.deployer.address, 5)
        account.submit(ContractPublish("c", CALLED, 4))
        devnet.mine()
        devnet.advance(seconds=3_600)
        account.submit(ContractCall(f"{account.address}.c", "f", (UIntValue(0),)))
        account.submit(ContractCall(f"{account.address}.c", "say", (Utf8Value("long " * 50),)))
        account.transfer("ST000000000000000000002AMW42H.some-contract-with-a-rather-long-name", 5)
        devnet.mine()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)  # all lines are there, because the devnet writes them before it ends
    assert "block 2, 2027-01-15 08:00:10, 2 transactions" in lines
    assert re.search(r"^  [0-9a-f]{8}… wallet_1: 5 µSTX to deployer  ok$", text, re.MULTILINE)
    assert re.search(r"^  [0-9a-f]{8}… wallet_1: publishes c  ok$", text, re.MULTILINE)
    assert re.search(r"^blocks 3 to \d+, empty$", text, re.MULTILINE)
    assert re.search(r"^  [0-9a-f]{8}… wallet_1: \(c\.f u0\)  abort_by_response DivisionByZero", text, re.MULTILINE)
    assert re.search(
        r'^  [0-9a-f]{8}… wallet_1: \(c\.say u"long long .*…\n     abort_by_response \(err u7\)$', text, re.MULTILINE
    )
    assert re.search(r"^  [0-9a-f]{8}… wallet_1: 5 µSTX to ST000000…W42H\.some-contract.*  ok$", text, re.MULTILINE)
