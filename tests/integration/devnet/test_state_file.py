"""State files: a chain that outlives its process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from der_client.devnet import Devnet, DevnetError
from der_client.project import installed_project
from der_client.stacks.clarity import PrincipalValue, UIntValue
from der_client.stacks.transactions import ContractCall, ContractPublish, PostConditionMode, TokenTransfer

from .bare_devnet import PROBE, START, BareDevnet

if TYPE_CHECKING:
    from pathlib import Path


def start(path: Path, **options: Any) -> BareDevnet:
    return BareDevnet(Devnet(deploy_contracts=False, start_time=START, state_file=path, **options))


def kill(bare: BareDevnet) -> None:
    os.kill(int(bare.json("/devnet")["pid"]), signal.SIGKILL)
    bare.devnet.close()


def lines_of(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a state file, without their checksums."""
    return [json.loads(line.partition("\t")[0]) for line in path.read_text().splitlines()]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write lines in the older format without checksums."""
    first, *others = lines
    path.write_text("".join(f"{json.dumps(line)}\n" for line in [first | {"format": "der-client-devnet-1"}, *others]))


def seen(bare: BareDevnet, txids: list[str]) -> Any:
    return (
        bare.json("/extended/v2/blocks?limit=30"),
        [bare.receipt(txid) for txid in txids],
        [bare.json(f"/v2/accounts/{account.address}") for account in bare.devnet.accounts.values()],
        bare.json("/devnet") | {"pid": 0, "vm_copies_bytes": 0},
    )


def test_restart_after_kill_restores_the_same_chain(tmp_path: Path) -> None:
    path = tmp_path / "a state file.jsonl"
    bare = start(path)
    bare.publish_probe()
    txids = [
        bare.send(bare.account(number), ContractCall(bare.probe, function, (UIntValue(number),)))
        for number, function in ((1, "increment"), (2, "increment-and-divide"), (3, "refuse"), (4, "burn"))
    ]
    bare.devnet.advance(seconds=3_600)
    snapshot = bare.devnet.snapshot()
    bare.transfer(bare.account(5), bare.account(6).address, 5)
    bare.devnet.revert(snapshot)
    kept = bare.devnet.snapshot()
    bare.devnet.mine(2)
    gap = bare.build(bare.account(1), TokenTransfer(PrincipalValue(bare.account(2).address), 1), nonce=9)
    assert bare.submit(gap.encode()).ok
    before = seen(bare, [*txids, gap.txid])
    kill(bare)
    again = start(path)
    assert seen(again, [*txids, gap.txid]) == before
    # The chain continues: revert to a snapshot of the first process, mine new blocks, restart again.
    again.devnet.revert(kept)
    later = again.send(again.account(6), ContractCall(again.probe, "increment", (UIntValue(7),)))
    before = seen(again, [*txids, later])
    again.devnet.close()
    third = start(path)
    assert seen(third, [*txids, later]) == before
    third.devnet.close()


def test_truncated_last_line_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "state"
    bare = start(path)
    receipt = bare.transfer(bare.account(1), bare.account(2).address, 5)
    bare.devnet.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"do":"submit","raw":"8080')
    again = start(path)
    assert again.receipt(receipt["tx_id"][2:]) == receipt
    again.transfer(again.account(1), again.account(2).address, 6)
    again.devnet.close()
    assert path.read_bytes().startswith(whole)
    start(path).devnet.close()


def test_kill_during_traffic_loses_no_confirmed_transaction(tmp_path: Path) -> None:
    path = tmp_path / "state"
    bare = start(path)
    answered: dict[int, list[str]] = {number: [] for number in range(1, 5)}
    stop = threading.Event()

    def keep_sending(number: int) -> None:
        own = BareDevnet(bare.devnet)
        sender, recipient = bare.account(number), PrincipalValue(bare.account(8).address)
        nonce = 0
        while not stop.is_set():
            transaction = own.build(sender, TokenTransfer(recipient, nonce + 1), nonce=nonce)
            try:
                response = own.submit(transaction.encode())
            except OSError:
                return
            assert response.ok, response.text
            answered[number].append(transaction.txid)
            nonce += 1

    threads = [threading.Thread(target=keep_sending, args=(number,)) for number in answered]
    for thread in threads:
        thread.start()
    while min(len(txids) for txids in answered.values()) < 10:
        pass
    kill(bare)
    stop.set()
    for thread in threads:
        thread.join()
    again = start(path)
    for number, txids in answered.items():
        assert all(again.receipt(txid)["tx_status"] == "success" for txid in txids)
        # One more transaction may have been mined whose response was lost.
        assert again.nonce(again.account(number).address) in (len(txids), len(txids) + 1)
    again.devnet.close()


def test_a_state_file_can_be_used_by_one_devnet_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "state"
    bare = start(path)
    with pytest.raises(DevnetError, match="in use by the devnet with process id"):
        start(path)
    bare.devnet.mine()
    height = bare.devnet.block_height
    bare.devnet.close()
    assert list(tmp_path.iterdir()) == [path]
    again = start(path)
    assert again.devnet.block_height == height
    again.devnet.close()


def test_publishing_continues_after_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with Devnet(start_time=START, state_file=path) as devnet:
        contracts, height = devnet.contracts, devnet.block_height
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:6]))  # the header, and a bit more than two contracts
    with Devnet(start_time=START, state_file=path) as devnet:
        assert (devnet.contracts, devnet.block_height) == (contracts, height)
        devnet.mine()
        devnet.reset()
        assert devnet.block_height == height


def test_changed_contract_is_reported_and_keeps_its_old_source(tmp_path: Path) -> None:
    state, project = tmp_path / "state", tmp_path / "project"
    for part in ("settings", "deployments", "contracts"):
        shutil.copytree(installed_project() / part, project / part)
    with Devnet(start_time=START, state_file=state, project=project) as devnet:
        contracts = devnet.contracts
    with Devnet(start_time=START, state_file=state, project=project) as devnet:
        assert devnet.log() == ""  # nothing has changed
    changed, *_ = sorted((project / "contracts").glob("*.clar"))
    changed.write_text(changed.read_text() + ";; changed\n")
    with Devnet(start_time=START, state_file=state, project=project) as devnet:
        assert devnet.contracts == contracts
        (told,) = devnet.log().splitlines()
        assert told == (
            f"devnet: {devnet.deployer.address}.{changed.stem} in the state file differs from "
            f"contracts/{changed.name}: the chain keeps the old source; start with a new state file to use the new one"
        )
        path = f"/v2/contracts/source/{devnet.deployer.address}/{changed.stem}?proof=0"
        source = BareDevnet(devnet).json(path)["source"]
        assert ";; changed" not in source


def test_new_contract_is_reported(tmp_path: Path) -> None:
    state = tmp_path / "state"
    start(state).devnet.close()
    with Devnet(start_time=START, state_file=state) as devnet:
        told = devnet.log().splitlines()
        assert told
        assert all("is not in the state file: the chain does not have it" in line for line in told)


def test_invalid_line_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "state"
    start(path).devnet.close()
    write_lines(path, [*lines_of(path), {"do": "submit", "raw": "00"}])
    with pytest.raises(DevnetError, match="line 3 of the state file"):
        start(path)


def test_file_that_is_not_a_state_file_is_left_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text('{"format": "shopping list"}\n')
    with pytest.raises(DevnetError, match="not a state file"):
        start(path)
    assert path.read_text() == '{"format": "shopping list"}\n'
    path.write_text("milk\n")
    with pytest.raises(DevnetError, match="not a state file"):
        start(path)
    assert path.read_text() == "milk\n"
    assert list(tmp_path.iterdir()) == [path]


def test_rolled_back_transactions_are_not_executed_again(tmp_path: Path) -> None:
    path = tmp_path / "state"
    bare = start(path, block_interval_s=0)
    bare.devnet.mine()
    sender, other = bare.account(1), bare.account(2)
    published = bare.build(
        bare.devnet.deployer, ContractPublish("probe", PROBE, 4), fee=20_000, mode=PostConditionMode.ALLOW
    )
    bare.submit(published.encode())
    bare.devnet.mine()
    calls = [
        bare.build(account, ContractCall(bare.probe, function, (UIntValue(7),)), nonce=nonce)
        for account in (sender, other)
        for nonce, function in enumerate(("burn", "increment-and-divide", "refuse", "increment"))
    ]
    for call in calls:
        assert bare.submit(call.encode()).ok
    bare.devnet.mine()
    before = seen(bare, [call.txid for call in calls])
    assert {receipt["tx_status"] for receipt in before[1]} == {
        "success",
        "abort_by_response",
        "abort_by_post_condition",
    }
    bare.devnet.close()
    (mined,) = [line for line in lines_of(path) if line.get("undone")]
    rolled_back = {receipt["tx_id"][2:] for receipt in before[1] if receipt["tx_status"] == "abort_by_post_condition"}
    assert rolled_back <= mined["undone"].keys() < {call.txid for call in calls}
    again = start(path, block_interval_s=0)
    assert seen(again, [call.txid for call in calls]) == before
    again.devnet.close()
    # An older state file, which does not list rolled-back transactions, leads to the same state.
    lines = lines_of(path)
    for line in lines:
        line.pop("undone", None)
    write_lines(path, lines)
    third = start(path, block_interval_s=0)
    assert seen(third, [call.txid for call in calls]) == before
    third.devnet.close()


def test_accepted_transactions_are_not_checked_again(tmp_path: Path) -> None:
    """An earlier version of the devnet, for example, accepted any contract for a trait."""
    path = tmp_path / "state"
    bare = start(path)
    bare.publish_probe()
    missing = PrincipalValue(f"{bare.account(2).address}.missing")
    call = bare.build(bare.account(1), ContractCall(bare.probe, "look-through", (missing,)))
    assert bare.submit(call.encode()).status_code == 400
    bare.devnet.close()
    entries: list[dict[str, Any]] = [{"do": "submit", "raw": call.encode().hex()}, {"do": "mine", "each": True}]
    write_lines(path, [*lines_of(path), *entries])
    again = start(path)
    assert again.receipt(call.txid)["tx_status"] == "abort_by_response"
    assert again.nonce(again.account(1).address) == 1
    again.devnet.close()


def test_without_costs_a_restart_shows_no_costs(tmp_path: Path) -> None:
    path = tmp_path / "state"
    bare = start(path, track_costs=False)
    bare.publish_probe()
    before = bare.call(bare.account(1), "increment", UIntValue(7))
    assert before["execution_cost_runtime"] == 0
    bare.devnet.close()
    again = start(path, track_costs=False)
    assert again.receipt(before["tx_id"][2:]) == before
    again.devnet.close()


def test_damaged_line_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "state"
    bare = start(path)
    bare.transfer(bare.account(1), bare.account(2).address, 5)
    bare.devnet.close()
    whole = bytearray(path.read_bytes())
    whole[whole.index(b'"submit"') + 30] ^= 1
    path.write_bytes(whole)
    with pytest.raises(DevnetError, match="line 3 does not match its checksum"):
        start(path)


def test_only_the_owner_can_read_a_state_file(tmp_path: Path) -> None:
    path = tmp_path / "state"
    start(path).devnet.close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    path, link = tmp_path / "state", tmp_path / "link"
    link.symlink_to(path)
    bare = start(link)
    with pytest.raises(DevnetError, match="in use by the devnet with process id"):
        start(path)
    bare.devnet.close()
    assert sorted(tmp_path.iterdir()) == [link, path]
