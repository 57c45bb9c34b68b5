"""Networks are data: transactions of a custom network are built, sent and shown correctly."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import responses

from der_client.cli.options import network_named
from der_client.stacks.account import Account
from der_client.stacks.address import check_network, decode_c32_address, network_name
from der_client.stacks.bitcoin import write_bitcoin_address
from der_client.stacks.clarinet import public_api
from der_client.stacks.clarity import (
    ListValue,
    OkValue,
    PrincipalValue,
    SomeValue,
    TupleValue,
    UIntValue,
)
from der_client.stacks.errors import AddressError, InvalidValueError, NodeResponseError, SigningError
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET, MAINNET, NETWORKS, TESTNET, Network
from der_client.stacks.rpc import Client
from der_client.stacks.rpc.methods import network_of
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    ContractPublish,
    FtPostCondition,
    FungibleCode,
    Multisig,
    TokenTransfer,
    Transaction,
)

OWN = Network("own", 0x80, 77, 10, 11)
KEY, OTHER = PrivateKey.from_hex("11" * 32 + "01"), PrivateKey.from_hex("22" * 32 + "01")
URL = "http://127.0.0.1:3999"
MAINNET_CONTRACT = "SM3VDXK3WZZSA84XXFKAFAF15NNZX32CTSG82JFQ4.sbtc-token"


def build(payload: Any, network: Network = OWN, **options: Any) -> Transaction:
    if "account" not in options:
        options["public_key"] = KEY.public_key
    return Transaction.build(payload, network=network, nonce=0, fee=1000, **options)


def test_addresses_have_the_versions_of_their_network() -> None:
    assert decode_c32_address(KEY.address(OWN))[0] == 10
    safe = Multisig((KEY.public_key, OTHER.public_key), required=2)
    assert decode_c32_address(safe.address(OWN))[0] == 11


def test_a_transaction_shows_its_networks_addresses_at_every_step() -> None:
    payload = TokenTransfer(PrincipalValue(OTHER.address(OWN)), 5)
    plain = build(payload)
    assert plain.origin == KEY.address(OWN)
    signed = plain.with_fee(2000).sign(KEY)
    assert (signed.network, signed.origin, signed.chain_id) == (OWN, KEY.address(OWN), 77)
    sponsored = build(payload, sponsored=True).sign(KEY).sponsor(OTHER, nonce=3, fee=500)
    assert sponsored.sponsor_address == OTHER.address(OWN)
    safe = Multisig((KEY.public_key, OTHER.public_key), required=2)
    assert build(payload, account=safe).sign(KEY).origin == safe.address(OWN)


def test_bytes_are_decoded_for_a_given_network() -> None:
    raw = build(TokenTransfer(PrincipalValue(OTHER.address(OWN)), 5)).sign(KEY).encode()
    assert Transaction.decode(raw).origin == KEY.address(TESTNET)  # the bytes do not contain the address versions
    read = Transaction.decode(raw, OWN)
    assert (read.origin, read.network, read.encode()) == (KEY.address(OWN), OWN, raw)
    assert read == Transaction.decode(raw)
    assert Transaction.decode(raw).of_network(OWN).origin == KEY.address(OWN)
    for other in (DEVNET, MAINNET):
        with pytest.raises(InvalidValueError, match="chain id 77"):
            Transaction.decode(raw, other)
        with pytest.raises(InvalidValueError, match="chain id 77"):
            read.of_network(other)


def test_an_account_of_a_custom_network_sends_only_its_own_transactions() -> None:
    client = Client(URL, network=OWN)
    account = Account(KEY, client)
    info = {
        "network_id": 77,
        "server_version": "test",
        "peer_version": 1,
        "stacks_tip_height": 5,
        "stacks_tip": "ab" * 32,
        "stacks_tip_consensus_hash": "cd" * 20,
        "burn_block_height": 6,
        "stable_burn_block_height": 5,
    }
    funds = {"balance": "0x0f", "locked": "0x00", "unlock_height": 0, "nonce": 0}
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{URL}/v2/info", json=info)
        mock.get(re.compile(f"{URL}/extended/.*"), status=404)
        mock.get(re.compile(f"{URL}/v2/accounts/.*"), json=funds)
        built = account.build(TokenTransfer(PrincipalValue(OTHER.address(OWN)), 5), nonce=0, fee_ustx=1000)
        signed = account.sign(built)
        mock.post(f"{URL}/v2/transactions", json=signed.txid)
        assert account.send(Transaction.decode(signed.encode())).txid == signed.txid
        with pytest.raises(SigningError, match=OTHER.address(OWN)):
            account.sign(
                Transaction.build(
                    TokenTransfer(PrincipalValue(KEY.address(OWN)), 5),
                    public_key=OTHER.public_key,
                    network=OWN,
                    nonce=0,
                    fee=1000,
                )
            )


STRANGERS: dict[str, Callable[[PrincipalValue], Any]] = {
    "itself": lambda stranger: stranger,
    "in some": SomeValue,
    "in a response": lambda stranger: OkValue(SomeValue(stranger)),
    "in a list": lambda stranger: ListValue([stranger]),
    "in a tuple": lambda stranger: TupleValue({"to": stranger, "amount": UIntValue(1)}),
    "in a list of tuples": lambda stranger: ListValue([TupleValue({"to": stranger})]),
}


class TestForeignPrincipals:
    """A principal of another network is rejected, wherever it is in a transaction."""

    @pytest.mark.parametrize("wrap", STRANGERS.values(), ids=STRANGERS)
    @pytest.mark.parametrize("network", [DEVNET, TESTNET, OWN])
    def test_a_foreign_principal_in_an_argument_is_rejected(
        self, network: Network, wrap: Callable[[PrincipalValue], Any]
    ) -> None:
        contract = f"{KEY.address(network)}.own"
        call = ContractCall(contract, "pay", (UIntValue(1), wrap(PrincipalValue(MAINNET_CONTRACT))))
        told = f"argument of pay: {MAINNET_CONTRACT} is an address of mainnet.*{network.name}"
        with pytest.raises(AddressError, match=told):
            build(call, network)
        at_home = ContractCall(contract, "pay", (wrap(PrincipalValue(KEY.address(network))),))
        assert build(at_home, network).payload == at_home

    def test_a_foreign_recipient_contract_or_post_condition_is_rejected(self) -> None:
        own = f"{KEY.address(OWN)}.own"
        with pytest.raises(AddressError, match="recipient"):
            build(TokenTransfer(PrincipalValue(OTHER.address(TESTNET)), 1))
        with pytest.raises(AddressError, match="contract: "):
            build(ContractCall(MAINNET_CONTRACT, "f"))
        for condition in (
            FtPostCondition(MAINNET_CONTRACT, f"{own}::t", FungibleCode.EQUAL, 1),
            FtPostCondition(ORIGIN, f"{MAINNET_CONTRACT}::t", FungibleCode.EQUAL, 1),
        ):
            with pytest.raises(AddressError, match="post-condition"):
                build(ContractPublish("own", "(ok true)"), post_conditions=[condition])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"transaction_version": 5}, "0x00"),
        ({"transaction_version": True}, "expected a whole number"),
        ({"chain_id": 1 << 32}, "chain_id"),
        ({"chain_id": "1"}, "chain_id"),
        ({"single_sig_version": 32}, "single_sig_version"),
        ({"multi_sig_version": -1}, "multi_sig_version"),
        ({"multi_sig_version": 10}, "must differ"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
    ],
)
def test_invalid_networks_are_rejected(change: dict[str, Any], words: str) -> None:
    fields = {
        "name": "own",
        "transaction_version": 0x80,
        "chain_id": 77,
        "single_sig_version": 10,
        "multi_sig_version": 11,
    }
    with pytest.raises(InvalidValueError, match=words):
        Network(**{**fields, **change})


def test_adding_a_network_needs_only_one_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """One entry in ``NETWORKS`` is enough to make a network known everywhere."""
    lab = Network("lab", 0x80, 4242, 10, 11, "https://lab.test", "lab")
    monkeypatch.setitem(NETWORKS, "lab", lab)
    address = KEY.address(lab)
    assert network_of(4242, "https://node.test") is lab
    assert network_named("lab") is lab
    assert network_name(10) == "lab"
    assert public_api(f"{address}.token") == "https://lab.test"
    assert write_bitcoin_address(4, bytes(20), lab).startswith("lab1")
    with pytest.raises(AddressError, match="is an address of lab, but is used on devnet"):
        check_network(address, DEVNET)
    with pytest.raises(NodeResponseError, match=r"network 5, which is not one of mainnet \(1\), .*lab \(4242\)"):
        network_of(5, "https://node.test")
    assert network_of(TESTNET.chain_id, "http://localhost:1") is DEVNET
    assert network_of(TESTNET.chain_id, "https://node.test") is TESTNET
    assert network_of(MAINNET.chain_id, "http://localhost:1") is MAINNET
