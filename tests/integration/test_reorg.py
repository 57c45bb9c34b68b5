"""Forks on the devnet: blocks are replaced by others with the same transactions, reordered ones, or none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from der_client.devnet import Devnet, DevnetError
from der_client.stacks.account import Account
from der_client.stacks.rpc import Client, api
from der_client.stacks.rpc.responses import Block, TransactionStatus


@pytest.fixture(scope="module")
def chain() -> Iterator[Devnet]:
    with Devnet(deploy_contracts=False, track_costs=False) as devnet:
        yield devnet


@pytest.fixture
def fork(chain: Devnet) -> Devnet:
    chain.reset()
    return chain


def account(devnet: Devnet, name: str) -> Account:
    return Account(devnet.accounts[name].key, Client(devnet.url))


def blocks(devnet: Devnet) -> dict[int, Block]:
    return {block.height: block for block in Client(devnet.url).blocks(30).blocks}


def order(devnet: Devnet, count: int) -> list[str]:
    """Return the senders of the last transactions, oldest first."""
    names = {each.address: name for name, each in devnet.accounts.items()}
    client = Client(devnet.url)
    tip = client.block().height
    sent = [each for height in range(2, tip + 1) for each in client.run(api.block_transactions(height))]
    return [names[each.sender] for each in sent][-count:]


def send_some(devnet: Devnet) -> list[str]:
    """Send five transfers from three accounts, each in its own block, and return their txids."""
    one, two, three = (account(devnet, f"wallet_{number}") for number in (1, 2, 3))
    target = devnet.accounts["wallet_4"].address
    pending = [
        sender.transfer(target, amount) for sender, amount in ((one, 1), (two, 2), (one, 3), (three, 4), (two, 5))
    ]
    return [each.wait().txid for each in pending]


def test_the_same_transactions_are_mined_in_other_blocks(fork: Devnet) -> None:
    fork.mine(2)
    txids = send_some(fork)
    before, client = blocks(fork), Client(fork.url)
    tip = max(before)
    assert fork.reorg(4, "again") == tip + 1
    after = blocks(fork)
    common = tip - 4
    assert all(after[height] == before[height] for height in before if height <= common)
    assert all(after[height].hash != before[height].hash for height in range(common + 1, tip + 1))
    assert after[common + 1].tx_count == 0
    receipts = [client.transaction(txid) for txid in txids]
    assert [receipt and receipt.block_height for receipt in receipts] == [common, *range(common + 2, tip + 2)]
    assert client.balances(fork.accounts["wallet_4"].address).stx_ustx - 10**14 == 15


def test_transactions_of_different_accounts_are_reordered(fork: Devnet) -> None:
    txids = send_some(fork)
    assert order(fork, 5) == ["wallet_1", "wallet_2", "wallet_1", "wallet_3", "wallet_2"]
    fork.reorg(5, "reordered")
    assert order(fork, 5) == ["wallet_2", "wallet_2", "wallet_3", "wallet_1", "wallet_1"]
    assert all(Client(fork.url).transaction(txid) for txid in txids)


def test_dropped_transactions_can_be_sent_again(fork: Devnet) -> None:
    sender = account(fork, "wallet_1")
    pending = sender.transfer(fork.accounts["wallet_2"].address, 7)
    pending.wait()
    fork.reorg(1, "dropped")
    client = Client(fork.url)
    assert client.transaction(pending.txid) is None
    client.send(pending.raw)
    receipt = account(fork, "wallet_1").pending(pending.txid).wait()
    assert receipt.status is TransactionStatus.SUCCESS


def test_a_reorg_across_empty_blocks_snapshots_and_time_jumps(fork: Devnet) -> None:
    send_some(fork)
    kept = fork.snapshot()
    fork.advance(seconds=86_400)
    fork.mine(2)
    before = blocks(fork)
    txid = account(fork, "wallet_5").transfer(fork.accounts["wallet_4"].address, 1).wait().txid
    gone = fork.snapshot()
    fork.mine(3)
    assert fork.reorg(4, "dropped") == max(before) + 5
    after = blocks(fork)
    assert {height: after[height] for height in after if height in before} == {
        height: before[height] for height in after if height in before
    }
    assert Client(fork.url).transaction(txid) is None
    with pytest.raises(DevnetError, match=f"no snapshot {gone}"):
        fork.revert(gone)
    fork.revert(kept)


def test_too_many_blocks_and_unknown_options_are_rejected(fork: Devnet) -> None:
    fork.mine(2)
    with pytest.raises(DevnetError, match="at most 2: no more were mined since the start"):
        fork.reorg(3)
    with pytest.raises(DevnetError, match="must be one of again, reordered, dropped"):
        fork.reorg(1, "lost")  # type: ignore[arg-type]
    with pytest.raises(DevnetError, match="blocks must be an integer from 1 to 1000"):
        fork.reorg(0)


def test_readers_never_see_an_incomplete_fork(fork: Devnet) -> None:
    fork.mine(500)
    tip = Client(fork.url).block().height
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        client = Client(fork.url)
        while not done.is_set():
            seen.append(client.block().height)

    lookers = [threading.Thread(target=look) for _ in range(4)]
    for looker in lookers:
        looker.start()
    try:
        for _ in range(3):
            tip = fork.reorg(2)
    finally:
        done.set()
        for looker in lookers:
            looker.join()
    assert set(seen) <= {tip - 3, tip - 2, tip - 1, tip}


def test_a_state_file_keeps_the_fork(tmp_path: Path) -> None:
    state = tmp_path / "state"
    with Devnet(deploy_contracts=False, track_costs=False, state_file=state) as devnet:
        send_some(devnet)
        devnet.reorg(3, "reordered")
        told = blocks(devnet)
    with Devnet(deploy_contracts=False, track_costs=False, state_file=state) as devnet:
        assert blocks(devnet) == told
