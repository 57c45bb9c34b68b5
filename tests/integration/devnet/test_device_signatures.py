"""P-256 signatures of meters and hashes of Merkle trees, checked by Clarity itself."""

from __future__ import annotations

from datetime import date

from cryptography.hazmat.primitives.asymmetric import ec

from der_client.readings import Curve, DayMessage, DayReadings, Leaf, MerkleTree, root_of
from der_client.readings.merkle import leaf_value
from der_client.readings.signers import compressed
from der_client.stacks.clarity import BoolValue, BufferValue
from der_client.stacks.transactions import ContractPublish, PostConditionMode

from .bare_devnet import BareDevnet

SOURCE = """
(define-read-only (is-signed (digest (buff 32)) (signature (buff 64)) (key (buff 33)))
  (secp256r1-verify digest signature key))
(define-read-only (leaf-hash (leaf {asset-id: uint, day: uint, mask: uint, wh: uint, whs-hash: (buff 32)}))
  (sha256 (concat 0x00 (unwrap-panic (to-consensus-buff? leaf)))))
(define-read-only (node-hash (left (buff 32)) (right (buff 32))) (sha256 (concat 0x01 (concat left right))))
"""


def publish(bare: BareDevnet) -> str:
    payload = ContractPublish("signatures", SOURCE, 5)
    txid = bare.send(bare.devnet.deployer, payload, fee=20_000, mode=PostConditionMode.ALLOW)
    assert bare.receipt(txid)["tx_status"] == "success", bare.receipt(txid)
    return f"{bare.devnet.deployer.address}.signatures"


def test_clarity_verifies_p256_signatures(bare: BareDevnet) -> None:
    contract = publish(bare)
    key = ec.generate_private_key(ec.SECP256R1())
    message = DayMessage.sign(
        key,
        DayReadings(date(2027, 1, 15), 900, 40, (0, 857, 1210)),
        contract=contract,
        asset_id=7,
        key_epoch=1,
        chain_id=0x80000000,
    )
    order = Curve.P256.order
    high = message.rs[:32] + (order - int.from_bytes(message.rs[32:])).to_bytes(32)
    for digest, signature, expected in (
        (message.digest, message.rs, True),
        (message.digest, high, True),
        (bytes(32), message.rs, False),
    ):
        arguments = [BufferValue(digest), BufferValue(signature), BufferValue(compressed(key.public_key()))]
        answer = bare.client.call_read(contract, "is-signed", arguments, sender=bare.devnet.deployer.address)
        assert answer == BoolValue(expected)


def test_leaves_and_nodes_have_the_same_hashes_in_clarity(bare: BareDevnet) -> None:
    contract = publish(bare)
    sender = bare.devnet.deployer.address
    leaves = [Leaf(number, date(2027, 1, 15), 0b111, 5 * number, bytes([number]) * 32) for number in (1, 2)]
    hashes = [bare.client.call_read(contract, "leaf-hash", [leaf_value(leaf)], sender=sender) for leaf in leaves]
    assert hashes == [BufferValue(leaf.hash) for leaf in leaves]
    root = bare.client.call_read(contract, "node-hash", hashes, sender=sender)
    tree = MerkleTree.of(leaves)
    assert root == BufferValue(tree.root)
    assert root_of(leaves[1].hash, tree.proof(1)) == tree.root
