"""Blocks in binary (GET /v3/blocks): they contain the sent transactions, and their hash is the node's block id."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from der_client.stacks.blocks import NakamotoBlock
from tests.conformance.case import OCTETS, get, text

if TYPE_CHECKING:
    import requests

    from tests.conformance.prepared import Prepared

SENT = ("transfer", "publish", "call", "refuse", "fail", "sponsor")
UNKNOWN = (f"/v3/blocks/{'ab' * 32}", f"/v3/blocks/height/{10**15}")


def block_id_of(prepared: Prepared, name: str) -> str:
    answer = prepared.node.send(get(f"/v3/transaction/{prepared.sent[name].txid}"))
    if answer.status_code == 501:
        pytest.skip("this node does not say in which block a transaction is: it needs txindex = true")
    block_id: str = answer.json()["index_block_hash"]
    return block_id


def decoded(answer: requests.Response) -> NakamotoBlock:
    assert (answer.status_code, answer.headers["content-type"]) == (200, OCTETS)
    return NakamotoBlock.decode(answer.content)


@pytest.mark.parametrize("name", SENT, ids=lambda name: f"blocks: {name}")
def test_blocks_by_id_and_height(prepared: Prepared, name: str) -> None:
    block_id, txid = block_id_of(prepared, name), prepared.sent[name].txid
    answer = prepared.node.send(get(f"/v3/blocks/{block_id}"))
    block = decoded(answer)
    assert block.header.block_id == block_id
    assert block.encode() == answer.content
    assert block.path(txid).root(txid) == block.header.transactions_root
    by_height = prepared.node.send(get(f"/v3/blocks/height/{block.header.height}"))
    assert decoded(by_height) == block
    # Its parent's id leads to the previous block.
    parent = decoded(prepared.node.send(get(f"/v3/blocks/{block.header.parent_block_id}")))
    assert parent.header.height == block.header.height - 1
    assert parent.header.timestamp <= block.header.timestamp


@pytest.mark.parametrize("path", UNKNOWN, ids=lambda path: f"blocks: none at {path.split('/')[-1][:12]}")
def test_unknown_blocks_are_not_found(prepared: Prepared, path: str) -> None:
    response = prepared.node.send(get(path))
    problems = list(text(404).mismatches(response))
    assert not problems, "\n".join(problems)
