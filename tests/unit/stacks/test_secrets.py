"""Secrets are not shown: in the wrong place, in objects that are copied, or in half-created objects."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
from collections.abc import Callable
from typing import Any

import pytest

import der_client
from der_client import Der
from der_client.devnet import DevnetControl
from der_client.stacks.account import Account
from der_client.stacks.address import from_bitcoin_address, split_principal, to_bitcoin_address
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.errors import DerClientError, NonceConflictError, without_secrets
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import DEVNET
from der_client.stacks.rpc import AsyncClient, Client, api, node
from der_client.stacks.transactions import (
    ORIGIN,
    ContractCall,
    ContractPublish,
    FtPostCondition,
    FungibleCode,
    StxPostCondition,
    TokenTransfer,
)

NODE = "http://127.0.0.1:1"
KEY = PrivateKey.from_hex("7287ba251d44a4d3fd9276c88ce34c5c52a038955511cccaf77e61068649c17801")
HERE = KEY.address(DEVNET)
PHRASE = (
    "sell invite acquire kitten bamboo drastic jelly vivid peace spawn twice guilt "
    "pave pen trash pretty park cube fragile unaware remain midnight betray rebuild"
)
SECRETS = {
    "key": KEY.to_hex(),
    "short key": KEY.to_hex()[:64],
    "key with 0x": f"0x{KEY.to_hex()}",
    "key in capitals": KEY.to_hex().upper(),
    "phrase": PHRASE,
}
PLACES: dict[str, Callable[[str], object]] = {
    "principal": PrincipalValue,
    "address": split_principal,
    "contract's name": lambda secret: split_principal(f"{HERE}.{secret}"),
    "Bitcoin address": from_bitcoin_address,
    "Stacks address": to_bitcoin_address,
    "URL": Client,
    "path of a URL": lambda secret: Client(f"{NODE}/{secret}"),
    "path of an asynchronous client": lambda secret: AsyncClient(f"{NODE}/node/{secret}/"),
    "tip": lambda secret: node.account(HERE, tip=f"{secret}0"),
    "sender": lambda secret: node.call_read(f"{HERE}.x", "f", [], sender=secret),
    "block": lambda secret: api.block(f"{secret}0"),
    "variable": lambda secret: node.data_var(f"{HERE}.x", secret),
    "contract to read": node.contract_source,
    "host": lambda secret: Client(f"https://{secret}"),
    "URL of Der": lambda secret: Der.connect(secret, KEY),
    "account of Der": lambda secret: Der.connect(NODE, secret),  # type: ignore[arg-type]
    "deployer": lambda secret: Der.connect(NODE, KEY, deployer=secret),
    "network": lambda secret: Client(NODE, network=secret),  # type: ignore[arg-type]
    "stream": lambda secret: Client(NODE).stream(secret),
    "txid": lambda secret: node.check_txid(f"{secret}0"),
    "memo": lambda secret: TokenTransfer(PrincipalValue(HERE), 1, secret.encode()),
    "recipient": lambda secret: Account(KEY, Client(NODE)).transfer(secret, 1),
    "amount": lambda secret: TokenTransfer(PrincipalValue(HERE), secret),  # type: ignore[arg-type]
    "contract": lambda secret: ContractCall(secret, "f"),
    "function": lambda secret: ContractCall(f"{HERE}.x", secret),
    "name": lambda secret: ContractPublish(secret, "(ok true)"),
    "principal of a post-condition": lambda secret: StxPostCondition(secret, FungibleCode.EQUAL, 1),
    "asset": lambda secret: FtPostCondition(ORIGIN, secret, FungibleCode.EQUAL, 1),
}


@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
@pytest.mark.parametrize("give", PLACES.values(), ids=PLACES)
def test_a_secret_in_the_wrong_place_is_not_shown(give: Callable[[str], object], secret: str) -> None:
    with pytest.raises(DerClientError) as caught:
        give(secret)
    told = "".join(str(error).lower() for error in (caught.value, caught.value.__cause__) if error is not None)
    assert secret.lower().removeprefix("0x")[:16] not in told
    assert PHRASE[:24] not in told


@pytest.mark.parametrize(
    "text",
    [
        "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi",
        "KwDiBf89QgGbjEhKnhXJuH7LrciVrZi3qYjgd9M7rFU73sVHnoWn",
    ],
)
def test_other_forms_of_keys_are_removed(text: str) -> None:
    assert text not in without_secrets(f"what {text!r} is")


@pytest.mark.parametrize(
    "text",
    [
        "a transfer takes none; its amount is all that moves",
        "these words were written only because somebody wanted plain sentences here",
        "hash 7287ba251d44a4d3fd9276c88ce34c5c52a03895",
        HERE,
    ],
)
def test_text_without_secrets_is_unchanged(text: str) -> None:
    assert without_secrets(text) == text


def test_the_txid_of_a_conflicting_transaction_is_shown() -> None:
    txid = "ab" * 32
    assert txid in str(NonceConflictError(f"nonce 5 is in use by transaction {txid}", 5, txid))


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("travel", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_client_cannot_be_copied_or_pickled(
    kind: type[Client | AsyncClient], travel: Callable[[object], object]
) -> None:
    """Its headers may contain API keys."""
    with pytest.raises(TypeError, match="make one from its URL"):
        travel(kind(NODE, headers={"x-api-key": "hush"}))


@pytest.mark.parametrize("travel", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_devnets_control_cannot_be_copied_or_pickled(
    monkeypatch: pytest.MonkeyPatch, travel: Callable[[object], object]
) -> None:
    """It contains a token."""
    monkeypatch.setattr(DevnetControl, "_control", lambda *_: {})
    with pytest.raises(TypeError, match="make one from its URL"):
        travel(DevnetControl(NODE, control_token="hush"))


def shown_by_hand() -> list[type]:
    kinds: set[type] = set()
    for found in pkgutil.walk_packages(der_client.__path__, "der_client."):
        if found.name.endswith(("pytest_plugin", "__main__")):
            continue
        for member in vars(importlib.import_module(found.name)).values():
            if inspect.isclass(member) and member.__module__.startswith("der_client."):
                kinds.update(
                    kind
                    for kind in member.__mro__
                    if kind.__module__.startswith("der_client.")
                    and "__repr__" in vars(kind)
                    and not hasattr(kind, "__dataclass_fields__")
                    and not issubclass(kind, BaseException)
                )
    return sorted(kinds, key=lambda kind: kind.__qualname__)


@pytest.mark.parametrize("kind", shown_by_hand())
def test_a_half_created_object_can_be_shown(kind: Any) -> None:
    """An error report shows the object even if the error occurred while it was created."""
    try:
        half = kind.__new__(kind)
    except TypeError:
        pytest.skip("cannot be half-made")
    assert kind.__name__ in repr(half)
