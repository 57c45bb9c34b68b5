"""A key on a network: builds transactions with the right nonce and fee, sends them, and waits."""

from __future__ import annotations

import logging
from functools import cached_property, partial
from typing import TYPE_CHECKING, Final, get_args

from der_client.stacks.checks import check_items, check_kind
from der_client.stacks.clarity import PrincipalValue
from der_client.stacks.errors import (
    ConfirmationTimeoutError,
    InvalidValueError,
    KeyFormatError,
    SigningError,
    TransactionRejectedError,
    whole,
)
from der_client.stacks.fees import FeePolicy, Fees
from der_client.stacks.keys import PrivateKey
from der_client.stacks.nonces import NonceTracker
from der_client.stacks.pending import PendingTransaction
from der_client.stacks.rpc import Client, TransactionReceipt
from der_client.stacks.transactions import PostCondition, PostConditionMode, SingleSig, TokenTransfer, Transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.network import Network
    from der_client.stacks.transactions import Multisig, UserPayload

__all__ = ["Account", "FeePolicy", "Fees", "PendingTransaction", "TransactionReceipt"]

_LOG: Final = logging.getLogger(__name__)
_POST_CONDITIONS: Final = get_args(PostCondition)
_FEE_METHODS: Final = ("choose", "replace", "check")


class Account:
    """A single-signature account. Safe to use from several threads; use one object per key, so that nonces agree.

    Args:
        key: The key that signs; it never leaves this object.
        client: The node.
        fee_policy: How fees are chosen, and their cap; any object with the methods of `Fees`.

    Attributes:
        client: The node.
        fee_policy: How fees are chosen, and their cap.
    """

    def __init__(self, key: PrivateKey, client: Client, *, fee_policy: Fees | None = None) -> None:
        if not isinstance(key, PrivateKey):
            has_key = isinstance(getattr(key, "key", None), PrivateKey)
            advice = "its .key" if has_key else "PrivateKey.from_hex(…) or Wallet.account(…)"
            raise KeyFormatError(f"Account takes a PrivateKey, not {type(key).__name__}: use {advice}")
        self._key = key
        self._connect(client, fee_policy)

    def _connect(self, client: Client, fee_policy: Fees | None) -> None:
        check_kind(client, Client, "client", "for a node's URL, use Client(url)")
        is_policy = not isinstance(fee_policy, type) and all(hasattr(fee_policy, name) for name in _FEE_METHODS)
        if fee_policy is not None and not is_policy:
            given = f"the class {fee_policy.__name__}" if isinstance(fee_policy, type) else type(fee_policy).__name__
            raise InvalidValueError(
                f"fee_policy: must be an object with the methods choose, replace and check, not {given}: FeePolicy() "
                "makes one"
            )
        self.client: Client = client
        self.fee_policy: Fees = FeePolicy() if fee_policy is None else fee_policy
        self._nonces = NonceTracker(client, lambda: self.address)

    @cached_property
    def _spender(self) -> SingleSig | Multisig:
        """Determines the address and how transactions are signed."""
        return SingleSig(self._key.public_key)

    @property
    def network(self) -> Network:
        """The network of the client."""
        return self.client.network

    @cached_property
    def address(self) -> str:
        """The account's address on its network."""
        return self._spender.address(self.network)

    def balance_ustx(self) -> int:
        """Return the balance that the account can spend, in µSTX.

        Raises:
            NodeError: If the node is down or responds with something else.
        """
        return self.client.account(self.address).balance_ustx

    def next_nonce(self) -> int:
        """Return the nonce of the next transaction, after those in flight from this object.

        Raises:
            NodeError: If the node is down or responds with something else.
        """
        return self._nonces.peek()

    def build(
        self,
        payload: UserPayload,
        *,
        post_conditions: Sequence[PostCondition] = (),
        mode: PostConditionMode = PostConditionMode.DENY,
        nonce: int | None = None,
        fee_ustx: int | None = None,
    ) -> Transaction:
        """Build an unsigned transaction. Nothing is reserved: to send several at once, use `submit`.

        Args:
            payload: What it does.
            post_conditions: Conditions on what it moves.
            mode: Whether assets that no post-condition names may move.
            nonce: The account's next one if not given.
            fee_ustx: By the fee policy if not given, in µSTX.

        Raises:
            AddressError: If an address belongs to another network.
            InvalidValueError: If it could never be executed, the fee would be above the cap, or the client's network is
                not the node's.
            NodeError: If the node is down or responds with something else.
        """
        conditions = check_items(post_conditions, _POST_CONDITIONS, "post_conditions", "post-conditions")
        network = self.client.checked_network()
        draft = Transaction.build(
            payload,
            account=self._spender,
            network=network,
            nonce=self.next_nonce() if nonce is None else nonce,
            fee=0 if fee_ustx is None else fee_ustx,
            post_conditions=conditions,
            mode=mode,
        )
        if fee_ustx is None:
            return draft.with_fee(self.fee_policy.choose(self.client, payload.encode(), draft.estimated_length))
        self.fee_policy.check(fee_ustx, draft.estimated_length)
        return draft

    def sign(self, transaction: Transaction) -> Transaction:
        """Sign a transaction of this account.

        Raises:
            SigningError: If it does not belong to this account or network.
        """
        self._check_own(transaction)
        return transaction.sign(self._key)

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
        """Build, sign and send in one go, with a nonce that no other thread gets.

        Args:
            payload: What it does.
            post_conditions: Conditions on what it moves.
            mode: Whether assets that no post-condition names may move.
            nonce: The account's next one if not given.
            fee_ustx: By the fee policy if not given, in µSTX; a replacement offers more than what it replaces.
            replaces: Whether to replace the transaction with the same nonce that is on its way; give ``nonce``, too.

        Raises:
            AddressError: If an address belongs to another network.
            InvalidValueError: If it could never be executed, the fee would be above the cap, or the client's network is
                not the node's.
            NonceConflictError: If another transaction on its way has the nonce that was given.
            TransactionRejectedError: If the node refuses it; its nonce is free again.
            ConfirmationTimeoutError: If it is unknown whether it arrived; it carries the txid.
            NodeError: If the node is down or responds with something else.
        """
        if nonce is not None:
            built = self.build(payload, post_conditions=post_conditions, mode=mode, nonce=nonce, fee_ustx=fee_ustx)
            if replaces and fee_ustx is None:
                built = self._outbidding(built)
            return self.sign_and_send(built, replaces=replaces)
        if replaces:
            raise InvalidValueError("replaces=True needs nonce=, the nonce of the transaction to replace")
        reserved = self._nonces.reserve()
        try:
            signed = self.sign(
                self.build(payload, post_conditions=post_conditions, mode=mode, nonce=reserved, fee_ustx=fee_ustx)
            )
        except BaseException:
            self._nonces.free(reserved)
            raise
        return self._send(signed, reserved, is_reserved=True)

    def sign_and_send(self, transaction: Transaction, *, replaces: bool = False) -> PendingTransaction:
        """Sign a transaction from `build` and send it.

        Args:
            transaction: An unsigned transaction of this account.
            replaces: Whether to replace the transaction with the same nonce that is on its way.

        Raises:
            SigningError: If it does not belong to this account or network, or another account has to sign, too.
            NonceConflictError: If another transaction on its way has its nonce.
            TransactionRejectedError: If the node refuses it; its nonce is free again.
            ConfirmationTimeoutError: If it is unknown whether it arrived; it carries the txid.
            NodeError: If the node is down or responds with something else.
        """
        signed = self.sign(transaction)
        if not signed.is_signed:
            raise SigningError(
                "the transaction needs its sponsor's signature, too: sign it with sign(), and pass it to the "
                "sponsor's Account.sponsor()"
            )
        return self._send(signed, transaction.nonce, replaces=replaces)

    def send(self, signed: Transaction, *, replaces: bool = False) -> PendingTransaction:
        """Send a signed transaction as it is. Sending the same one twice is harmless.

        Args:
            signed: A transaction of this account, with all signatures.
            replaces: Whether to replace the transaction with the same nonce that is on its way.

        Raises:
            SigningError: If it does not belong to this account or network, or a signature is not valid.
            NonceConflictError: If another transaction on its way has its nonce.
            TransactionRejectedError: If the node refuses it; its nonce is free again.
            ConfirmationTimeoutError: If it is unknown whether it arrived; it carries the txid.
            NodeError: If the node is down or responds with something else.
        """
        self._check_own(signed)
        signed.verify()
        return self._send(signed, signed.nonce, replaces=replaces)

    def sponsor(self, signed: Transaction, *, fee_ustx: int | None = None) -> PendingTransaction:
        """Pay for a sponsored transaction that its origin has signed, and send it.

        Args:
            signed: A transaction that was built with ``sponsored=True`` and signed by its origin.
            fee_ustx: By the fee policy if not given, in µSTX.

        Raises:
            SigningError: If it is for another network, not sponsored, or not validly signed by its origin.
            InvalidValueError: If the fee would be above the cap.
            TransactionRejectedError: If the node refuses it; the nonce is free again.
            ConfirmationTimeoutError: If it is unknown whether it arrived; it carries the txid.
            NodeError: If the node is down or responds with something else.
        """
        self._check_network(signed)
        length = signed.estimated_length
        if fee_ustx is None:
            fee_ustx = self.fee_policy.choose(self.client, signed.payload.encode(), length)
        self.fee_policy.check(fee_ustx, length)
        nonce = self._nonces.reserve()
        try:
            complete = signed.sponsor(self._key, nonce=nonce, fee=fee_ustx)
        except BaseException:
            self._nonces.free(nonce)
            raise
        return self._send(complete, nonce, is_reserved=True, as_origin=False)

    def transfer(
        self,
        to: str,
        amount_ustx: int,
        memo: str | bytes = b"",
        *,
        nonce: int | None = None,
        fee_ustx: int | None = None,
        replaces: bool = False,
    ) -> PendingTransaction:
        """Send STX.

        Args:
            to: The recipient's principal, of this network.
            amount_ustx: At least 1 µSTX.
            memo: Up to 34 bytes; they are public.
            nonce: The account's next one if not given.
            fee_ustx: By the fee policy if not given, in µSTX.
            replaces: Whether to replace the transaction with the same nonce that is on its way; give ``nonce``, too.

        Raises:
            AddressError: If the recipient is not a principal of this network.
            InvalidValueError: If amount or memo is impossible, the recipient is this account, or the fee would be above
                the cap.
            NonceConflictError: If another transaction on its way has the nonce that was given.
            TransactionRejectedError: If the node refuses it; its nonce is free again.
            ConfirmationTimeoutError: If it is unknown whether it arrived; it carries the txid.
            NodeError: If the node is down or responds with something else.
        """
        try:
            memo_bytes = memo.encode() if isinstance(memo, str) else memo
        except UnicodeEncodeError:
            raise InvalidValueError(f"memo {memo!r} is not text in UTF-8; give bytes") from None
        payload = TokenTransfer(PrincipalValue(to), amount_ustx, memo_bytes)
        return self.submit(payload, nonce=nonce, fee_ustx=fee_ustx, replaces=replaces)

    def pending(self, txid: str) -> PendingTransaction:
        """Return a transaction that was sent earlier, to wait for."""
        return PendingTransaction(self.client, txid)

    def forget_in_flight(self) -> None:
        """Forget this account's transactions in flight, after the chain was set back (a devnet's revert or reset)."""
        self._nonces.forget()

    def _outbidding(self, replacement: Transaction) -> Transaction:
        """Return a replacement with a higher fee than the transaction that it replaces, by the fee policy."""
        txid = self._nonces.txid(replacement.nonce)
        replaced = self.client.transaction(txid) if txid else None
        if replaced is None:
            raise InvalidValueError(
                f"replaces=True: the fee of the transaction with nonce {replacement.nonce} is not known here; give "
                "fee_ustx higher than the fee of the transaction to replace"
            )
        if replacement.fee > replaced.fee_ustx:
            return replacement
        higher = self.fee_policy.replace(replaced.fee_ustx, replacement.estimated_length, 0.0)
        if higher is None:
            raise InvalidValueError(
                f"replaces=True: the fee policy offers no more than the {replaced.fee_ustx} µSTX of the transaction to "
                "replace; give a higher fee_ustx"
            )
        self.fee_policy.check(higher, replacement.estimated_length)
        return replacement.with_fee(higher)

    def _send(
        self,
        signed: Transaction,
        nonce: int,
        *,
        is_reserved: bool = False,
        replaces: bool = False,
        as_origin: bool = True,
    ) -> PendingTransaction:
        """Send a transaction that has been checked; ``nonce`` is this account's nonce in it."""
        txid = signed.txid
        raw = signed.encode()
        before = self._nonces.claim(nonce, txid, is_reserved=is_reserved, replaces=replaces)
        try:
            self.client.send(raw)
        except ConfirmationTimeoutError:
            raise  # it may be in the mempool: the nonce stays taken
        except TransactionRejectedError as error:
            self._nonces.free(nonce, before)
            if before is None:
                self._learn(error, nonce, as_origin=as_origin)
            raise
        except Exception:
            self._nonces.free(nonce, before)
            raise
        _LOG.info("sent %s (nonce %d) from %s", txid, nonce, self.address)
        return PendingTransaction(
            self.client,
            txid,
            on_mined=partial(self._nonces.used, nonce),
            on_dropped=partial(self._nonces.dropped, nonce, txid),
            raw=raw,
        )

    def _learn(self, error: TransactionRejectedError, nonce: int, *, as_origin: bool) -> None:
        """Note what a refusal says about this account's nonces; one for a conflict does not say whose nonce it is."""
        is_own = error.data.get("is_origin", as_origin) is as_origin
        match error.reason, error.data.get("expected"):
            case "BadNonce", int(expected) if is_own and error.data.get("principal", self.address) == self.address:
                self._nonces.used(expected - 1)
            case (("BadNonce" | "ConflictingNonceInMempool"), _) if is_own and as_origin:
                self._nonces.taken(nonce)

    def _check_own(self, transaction: Transaction) -> None:
        self._check_network(transaction)
        origin = transaction.of_network(self.network).origin  # bytes do not contain a network's own address versions
        if origin != self.address:
            raise SigningError(
                f"the transaction's origin is {origin}, but this account is {self.address}; "
                "use the account it was built for"
            )

    def _check_network(self, transaction: Transaction) -> None:
        check_kind(transaction, Transaction, "transaction")
        network = self.client.checked_network()
        if (transaction.version, transaction.chain_id) != (network.transaction_version, network.chain_id):
            raise SigningError(
                f"the transaction is for chain id {transaction.chain_id}, but the account is on {network.name} "
                f"({network.chain_id}); build it for this network"
            )

    @whole
    def __repr__(self) -> str:
        """Return the account and the node, which is not asked for it; never the key."""
        return f"Account({self.__dict__.get('address', self._key.public_key)}, {self.client.url})"
