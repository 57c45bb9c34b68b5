"""An account with several keys on a network: its transactions are signed step by step, by the holders of the keys."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from der_client.stacks.account import Account
from der_client.stacks.checks import check_items, check_kind
from der_client.stacks.errors import SigningError, whole
from der_client.stacks.keys import PrivateKey
from der_client.stacks.transactions import Multisig, PostConditionMode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.fees import Fees
    from der_client.stacks.pending import PendingTransaction
    from der_client.stacks.rpc import Client
    from der_client.stacks.transactions import PostCondition, Transaction, UserPayload


class MultisigAccount(Account):
    """An account with several keys. It can own contracts, and calls typed contracts like any other account.

    With enough keys here, it works like an ``Account``. With fewer, or none, build a call with ``call.transaction()``,
    pass it around as bytes, sign it with ``.sign(key)`` or ``sign``, and send it with ``call.send(signed)``.

    Args:
        multisig: The public keys, and how many of them must sign.
        client: The node.
        keys: The private keys that are available here.
        fee_policy: How fees are chosen, and their cap; as for `Account`.

    Raises:
        SigningError: If a key is not one of the account's.
    """

    def __init__(
        self,
        multisig: Multisig,
        client: Client,
        *,
        keys: Sequence[PrivateKey] = (),
        fee_policy: Fees | None = None,
    ) -> None:
        check_kind(multisig, Multisig, "multisig", "e.g. Multisig(public_keys, required)")
        given = check_items(keys, PrivateKey, "keys", "private keys, such as PrivateKey.from_hex(…)")
        for key in given:
            if key.public_key not in multisig.public_keys:
                raise SigningError(f"keys: the key of {key.public_key.data.hex()} is not one of the account's")
        self.multisig = multisig
        self._keys = tuple(sorted(given, key=lambda key: multisig.public_keys.index(key.public_key)))
        self._connect(client, fee_policy)

    @cached_property
    def _spender(self) -> Multisig:
        return self.multisig

    def sign(self, transaction: Transaction) -> Transaction:
        """Sign a transaction of this account with the keys held here, if signatures are missing.

        Raises:
            SigningError: If it does not belong to this account or network, or no key is held here.
        """
        self._check_own(transaction)
        if not self._keys:
            self._refuse()
        for key in self._keys:
            if not transaction.is_signed:
                transaction = transaction.sign(key)
        return transaction

    def submit(
        self,
        payload: UserPayload,
        *,
        post_conditions: Sequence[PostCondition] = (),
        mode: PostConditionMode = PostConditionMode.DENY,
        nonce: int | None = None,
        fee_ustx: int | None = None,
        replaces: bool = False,
    ) -> PendingTransaction:
        """As `Account.submit`, if enough keys are held here.

        Raises:
            SigningError: If there are too few.
        """
        self._require_enough()
        return super().submit(
            payload, post_conditions=post_conditions, mode=mode, nonce=nonce, fee_ustx=fee_ustx, replaces=replaces
        )

    def sign_and_send(self, transaction: Transaction, *, replaces: bool = False) -> PendingTransaction:
        """As `Account.sign_and_send`, if the keys held here complete the signatures.

        Raises:
            SigningError: If there are too few.
        """
        signed = self.sign(transaction)
        if not signed.is_signed:
            self._refuse()
        return self.send(signed, replaces=replaces)

    def sponsor(self, signed: Transaction, *, fee_ustx: int | None = None) -> NoReturn:
        """Refuse: an account with several keys does not sponsor.

        Raises:
            SigningError: Always.
        """
        del signed, fee_ustx
        raise SigningError("an account with several keys does not sponsor transactions; use one with a single key")

    def _require_enough(self) -> None:
        if len(self._keys) < self.multisig.required:
            self._refuse()

    def _refuse(self) -> NoReturn:
        held = len(self._keys)
        raise SigningError(
            f"{self.multisig.required} of {len(self.multisig.public_keys)} keys must sign, and {held} "
            f"{'is' if held == 1 else 'are'} held here: build the transaction by account.build(…) or "
            "call.transaction(), let each signer .sign(key) it, then account.send(it) or call.send(it)"
        )

    @whole
    def __repr__(self) -> str:
        """Return the account and the node, which is not asked for it; never a key."""
        of = f"{self.multisig.required} of {len(self.multisig.public_keys)}"
        return f"MultisigAccount({self.__dict__.get('address', of)}, {self.client.url})"
