"""The devnet as a child process: it ends when it should, and says why when it cannot start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from der_client.devnet import Devnet, DevnetControl, DevnetError

from .bench import START


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


def test_close_ends_it() -> None:
    devnet = Devnet(deploy_contracts=False)
    assert is_up(devnet.url)
    devnet.close()
    assert not is_up(devnet.url)
    devnet.close()
    assert "ended" in repr(devnet)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_never_outlives_its_parent(how: signal.Signals) -> None:
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


def test_port_that_is_taken(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(DevnetError, match=rf"port {port} of 127\.0\.0\.1 is in use; choose another with --port"):
            Devnet(deploy_contracts=False, port=port, state_file=state)
    assert not state.exists()  # it was said before anything was begun


def test_address_that_is_not_of_this_machine() -> None:
    with pytest.raises(DevnetError, match=r"cannot listen on 192\.0\.2\.1: .*--host"):
        Devnet(deploy_contracts=False, host="192.0.2.1")


def test_what_is_asked_after_the_end() -> None:
    with Devnet(deploy_contracts=False) as devnet:
        control = DevnetControl(devnet.url)
    for ask in (devnet.now, devnet.mine, devnet.snapshot, lambda: devnet.advance(seconds=1), lambda: devnet.contracts):
        with pytest.raises(DevnetError, match=r"Devnet\(http://127.*, ended\) was closed"):
            ask()
    assert devnet.log() == ""
    with pytest.raises(DevnetError, match="no embedded devnet answers"):
        control.now()
    control.close()
    with pytest.raises(DevnetError, match=r"DevnetControl\(http://127.*\) was closed"):
        control.now()


def test_its_process_has_no_secret_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DER_KEY", "0123456789abcdef")
    with Devnet(deploy_contracts=False) as devnet:
        pid = requests.get(f"{devnet.url}/devnet", timeout=5).json()["pid"]
        environment = Path(f"/proc/{pid}/environ")
        if not environment.exists():
            pytest.skip("processes cannot be looked into here")
        variables = environment.read_bytes()
    assert b"PATH=" in variables
    assert b"0123456789abcdef" not in variables


def test_project_without_settings(tmp_path: Path) -> None:
    with pytest.raises(DevnetError, match=r"Devnet\.toml does not exist"):
        Devnet(project=tmp_path)


def test_contract_that_cannot_be_published(tmp_path: Path) -> None:
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
    with pytest.raises(DevnetError, match=r"nowhere\.clar, which does not exist"):
        Devnet(project=tmp_path)


def test_start_time_is_the_first_blocks() -> None:
    with Devnet(deploy_contracts=False, start_time=START) as devnet:
        assert int(devnet.now().timestamp()) == START


def test_two_side_by_side() -> None:
    with Devnet(deploy_contracts=False) as one, Devnet(deploy_contracts=False) as two:
        one.mine(5)
        assert one.block_height == two.block_height + 5
