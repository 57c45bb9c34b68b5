"""Full disks: the devnet refuses changes that it cannot store, and continues when there is space again."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from der_client.devnet import Devnet
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.transactions import TokenTransfer

from .bare_devnet import START, BareDevnet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(  # noqa: S603  # a fixed command
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("disks can be mounted by root only")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S603, S607  # a fixed command


def fill(folder: Path) -> Path:
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


def test_full_disk_with_the_state_file(small_disk: Path) -> None:
    """Accepted transactions are mined and survive a restart; refused ones have no effect."""
    state = small_disk / "state"
    bare = BareDevnet(Devnet(deploy_contracts=False, start_time=START, state_file=state))
    sender, recipient = bare.account(1), PrincipalValue(bare.account(2).address)
    before = [bare.transfer(sender, recipient.value, 5) for _ in range(3)]
    ballast = fill(small_disk)
    refused = accepted = 0
    for _ in range(60):
        answer = bare.submit(bare.build(sender, TokenTransfer(recipient, 7)).encode())
        assert answer.status_code in {200, 503}, answer.text
        refused += answer.status_code == 503
        accepted += answer.ok
    assert refused > 0
    assert bare.get("/v2/info").ok
    for _ in range(100):  # the lines of empty blocks are short, so some may fit
        answer = bare.post("/devnet/mine", json={})
        assert answer.status_code in {200, 503}, answer.text
    assert answer.status_code == 503
    height = bare.json("/devnet")["block_height"]
    ballast.unlink()
    deadline = time.monotonic() + 60
    while bare.json("/devnet")["mempool_size"] > 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    after = bare.transfer(sender, recipient.value, 9)
    assert after["tx_status"] == "success"
    assert bare.json("/devnet")["block_height"] > height
    balance, nonce = bare.balance(recipient.value), bare.nonce(sender.address)
    bare.devnet.close()
    again = BareDevnet(Devnet(deploy_contracts=False, start_time=START, state_file=state))
    assert (again.balance(recipient.value), again.nonce(sender.address)) == (balance, nonce)
    assert [again.receipt(receipt["tx_id"][2:]) for receipt in (*before, after)] == [*before, after]
    again.devnet.close()


def test_full_temporary_folder_stops_mining_but_not_reads(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that do not fit are not mined, and all mined blocks can be read."""
    monkeypatch.setenv("TMPDIR", str(small_disk))
    with Devnet(deploy_contracts=False, start_time=START) as devnet:
        bare = BareDevnet(devnet)
        sender, recipient = bare.account(1), PrincipalValue(bare.account(2).address)
        ballast = fill(small_disk)
        refused = 0
        nonce = 0
        for _ in range(6_000):
            answer = bare.submit(bare.build(sender, TokenTransfer(recipient, 7), nonce=nonce).encode())
            assert answer.status_code in {200, 503}, answer.text
            if answer.status_code == 503:
                refused += 1
                if refused == 3:
                    break
            else:
                nonce += 1
        assert refused == 3
        height = bare.json("/devnet")["block_height"]
        for number in range(height - 30, height + 1):
            assert bare.get(f"/extended/v2/blocks/{number}/transactions").ok
        ballast.unlink()
        deadline = time.monotonic() + 60
        while bare.json("/devnet")["mempool_size"] > 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert bare.transfer(sender, recipient.value, 9)["tx_status"] == "success"
        assert bare.nonce(sender.address) == nonce + 1
