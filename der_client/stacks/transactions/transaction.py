"""Transactions: built, signed step by step, encoded, decoded, verified.

A transaction never changes: every step returns a new one. Its bytes, once encoded, are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self

from der_client.stacks.checks import check_enum, check_kind, check_number
from der_client.stacks.errors import DecodeError, InvalidValueError, KeyFormatError, SigningError, bytes_follow
from der_client.stacks.keys import PrivateKey
from der_client.stacks.network import NETWORKS, Network, check_network_kind
from der_client.stacks.transactions.accounts import Multisig, SingleSig, check_public_keys
from der_client.stacks.transactions.codes import AnchorMode, PostConditionMode
from der_client.stacks.transactions.conditions import (
    NO_SPONSOR,
    MultiSigCondition,
    condition_address,
    is_nobody,
)
from der_client.stacks.transactions.hashing import sha512_256, sha512_256_hex
from der_client.stacks.transactions.head import SPONSORED, STANDARD, START, read_head
from der_client.stacks.transactions.lazy import lazy
from der_client.stacks.transactions.payload_types import read_payload
from der_client.stacks.transactions.post_conditions import read_post_conditions
from der_client.stacks.transactions.sendable import check_sendable
from der_client.stacks.transactions.signing import (
    ORIGIN_FLAG,
    SPONSOR_FLAG,
    add_signature,
    is_account_of,
    verify_condition,
    with_all_keys,
    without_signatures,
)
from der_client.stacks.transactions.system_payloads import Coinbase, PoisonMicroblock
from der_client.stacks.transactions.wire import U64_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from der_client.stacks.keys import PublicKey
    from der_client.stacks.transactions.conditions import SpendingCondition
    from der_client.stacks.transactions.payload_types import Payload, UserPayload
    from der_client.stacks.transactions.post_conditions import PostCondition

MAX_TRANSACTION_LENGTH: Final = 2 << 20

_ON_CHAIN: Final = AnchorMode.ON_CHAIN  # looking up a member takes as long as a type check


@dataclass(frozen=True)
class Transaction:
    """One transaction, signed or not. Create it with ``build`` or ``decode``.

    Attributes:
        version: 0x00 on mainnet, 0x80 elsewhere.
        chain_id: 1 on mainnet, 0x80000000 on testnet and devnets.
        origin_condition: The sender's account, and its signatures.
        sponsor_condition: The sponsor's account, if it is sponsored (``NO_SPONSOR`` until it has a sponsor), or
            ``None``.
        anchor_mode: Where it may be mined; without effect since Nakamoto.
        post_condition_mode: Whether assets that no post-condition names may move.
        post_conditions: Conditions on the assets that move.
        payload: What it does.
    """

    version: int
    chain_id: int
    origin_condition: SpendingCondition
    sponsor_condition: SpendingCondition | None
    anchor_mode: AnchorMode
    post_condition_mode: PostConditionMode
    post_conditions: tuple[PostCondition, ...]
    payload: Payload

    @classmethod
    def build(
        cls,
        payload: UserPayload,
        *,
        network: Network,
        nonce: int,
        fee: int,
        public_key: PublicKey | None = None,
        account: SingleSig | Multisig | None = None,
        post_conditions: Sequence[PostCondition] = (),
        mode: PostConditionMode = PostConditionMode.DENY,
        sponsored: bool = False,
        anchor_mode: AnchorMode = AnchorMode.ANY,
    ) -> Self:
        """Build an unsigned transaction, and check everything that can be checked without a node.

        Args:
            payload: What it does.
            network: The network that it is for.
            nonce: The sender's next nonce.
            fee: The sender's fee, in µSTX. With ``sponsored``, nearly always 0: the sponsor sets its own.
            public_key: The sender's key, for an ordinary account.
            account: Or the sender's account, if it has several keys or uses segwit. Give one of the two.
            post_conditions: Conditions on the assets that move.
            mode: Whether assets that no post-condition names may move.
            sponsored: Whether a sponsor pays the fee; see ``sponsor``.
            anchor_mode: Without effect since Nakamoto.

        Returns:
            The transaction; ``sign`` comes next.

        Raises:
            AddressError: If an address is of another network; the text names both.
            EncodeError: If no user can send this payload, or an argument cannot be encoded.
            InvalidValueError: If an argument has the wrong type, a number is out of range, or no node would accept the
                transaction: a transfer of 0, to oneself or with post-conditions, or over 2 MiB.
        """
        sender: SingleSig | Multisig
        if public_key is not None and account is None:
            sender = SingleSig(public_key)
        elif account is not None and public_key is None:
            sender = _check_account(account)
        else:
            raise InvalidValueError("give either public_key (an ordinary account) or account")
        if not isinstance(network, Network):
            check_network_kind(network)
        check_number(nonce, 0, U64_MAX, "nonce")
        check_number(fee, 0, U64_MAX, "fee (µSTX)")
        check_enum(mode, PostConditionMode, "mode")
        check_enum(anchor_mode, AnchorMode, "anchor_mode")
        transaction = object.__new__(cls)
        parts = {
            "version": network.transaction_version,
            "chain_id": network.chain_id,
            "origin_condition": sender.condition(nonce, fee),
            "sponsor_condition": NO_SPONSOR if sponsored else None,
            "anchor_mode": anchor_mode,
            "post_condition_mode": mode,
            "post_conditions": _sequence_of(post_conditions),
            "payload": payload,
            "network": network,
        }
        _put_attributes(transaction, parts)
        check_sendable(payload, transaction.post_conditions, sender, network)
        length = transaction.estimated_length
        if length > MAX_TRANSACTION_LENGTH:
            raise InvalidValueError(
                f"the transaction has {length} bytes; a node accepts at most {MAX_TRANSACTION_LENGTH}"
            )
        return transaction

    @classmethod
    def decode(cls, data: bytes | bytearray | memoryview, network: Network | None = None) -> Self:
        """Read a transaction, signed or half-signed, that fills the whole input.

        Args:
            data: Its bytes, at most 2 MiB.
            network: The network it is from, if that has its own address versions; the bytes do not contain them.

        Returns:
            The transaction; encoding it gives the same bytes. Its signatures are not checked: see ``verify``.

        Raises:
            DecodeError: If it is not well-formed.
            InvalidValueError: If it is for another chain than the network's.
        """
        if not isinstance(data, bytes):
            if not isinstance(data, bytearray | memoryview):
                raise DecodeError(
                    f"decode takes bytes, not {type(data).__name__}; for hexadecimal text, use bytes.fromhex(…)", 0
                )
            data = bytes(data)
        if len(data) > MAX_TRANSACTION_LENGTH:
            raise DecodeError(f"a transaction has at most {MAX_TRANSACTION_LENGTH} bytes, not {len(data)}", len(data))
        transaction, end = cls._read(data, 0)
        if end != len(data):
            raise DecodeError(bytes_follow(len(data) - end, "the transaction"), end)
        if network is not None:
            transaction.__dict__["network"] = _check_chain(transaction.version, transaction.chain_id, network)
        return transaction

    @classmethod
    def read(cls, data: bytes, offset: int) -> tuple[Self, int]:
        """Read a transaction in something longer, such as a block.

        Args:
            data: The input.
            offset: Where the transaction starts.

        Returns:
            The transaction and the offset behind it.

        Raises:
            DecodeError: If it is not well-formed, or longer than 2 MiB.
        """
        transaction, end = cls._read(data, offset)
        if end - offset > MAX_TRANSACTION_LENGTH:
            raise DecodeError(f"a transaction has at most {MAX_TRANSACTION_LENGTH} bytes, not {end - offset}", offset)
        return transaction, end

    @classmethod
    def _read(cls, data: bytes, start: int) -> tuple[Self, int]:
        version, chain_id, origin, sponsor, anchor_mode, mode, body_at, count, offset = read_head(data, start)
        post_conditions: tuple[PostCondition, ...] = ()
        if count:
            post_conditions, offset = read_post_conditions(data, offset, count)
        payload, end = read_payload(data, offset)
        if anchor_mode is not _ON_CHAIN and isinstance(payload, (Coinbase, PoisonMicroblock)):
            raise DecodeError(f"a {type(payload).__name__} must have anchor mode 01", body_at)
        transaction = cls.__new__(cls)
        parts: dict[str, object] = {
            "version": version,
            "chain_id": chain_id,
            "origin_condition": origin,
            "sponsor_condition": sponsor,
            "anchor_mode": anchor_mode,
            "post_condition_mode": mode,
            "post_conditions": post_conditions,
            "payload": payload,
            # Only one form is ever accepted, so these bytes are the encoding.
            "_encoded": data[start:end],
            "_body": data[body_at:end],
        }
        _put_attributes(transaction, parts)
        return transaction, end

    def of_network(self, network: Network) -> Self:
        """Return the same transaction with its addresses shown as those of another network of the same chain.

        Args:
            network: The network whose address versions to use.

        Raises:
            InvalidValueError: If the transaction is for another chain than the network's.
        """
        if self.network == network:
            return self
        transaction = object.__new__(type(self))
        _put_attributes(transaction, {**self.__dict__, "network": _check_chain(self.version, self.chain_id, network)})
        return transaction

    def encode(self) -> bytes:
        """Return the transaction's bytes, signed or partly signed.

        Returns:
            The bytes for ``decode`` and for a node.
        """
        return self._encoded

    @lazy
    def txid(self) -> str:
        """Return the transaction's id: 64 hexadecimal digits, without 0x. It changes with every signature."""
        return sha512_256_hex(self._encoded)

    @lazy
    def network(self) -> Network:
        """Return the network it was built or decoded for; `origin` and `sponsor_address` are shown for it.

        For a transaction decoded without one: ``MAINNET`` or ``TESTNET`` (which also covers devnets).
        """
        return next(network for network in NETWORKS.values() if network.transaction_version == self.version)

    @property
    def origin(self) -> str:
        """The sender's address."""
        return condition_address(self.origin_condition, self.network)

    @property
    def nonce(self) -> int:
        """The sender's nonce."""
        return self.origin_condition.nonce

    @property
    def is_sponsored(self) -> bool:
        """Whether a sponsor pays the fee."""
        return self.sponsor_condition is not None

    @property
    def sponsor_address(self) -> str | None:
        """The address that pays the fee; ``None`` if it is the sender, or not yet known."""
        sponsor = self.sponsor_condition
        return None if sponsor is None or is_nobody(sponsor) else condition_address(sponsor, self.network)

    @property
    def fee(self) -> int:
        """The fee that the sender, or in a sponsored transaction the sponsor, pays, in µSTX."""
        return (self.sponsor_condition or self.origin_condition).fee

    @property
    def is_signed(self) -> bool:
        """Whether it has all signatures that it needs (correct or not)."""
        return not self.missing_signatures

    @property
    def missing_signatures(self) -> int:
        """How many signatures it still needs, the sponsor's included."""
        sponsor = self.sponsor_condition
        return self.origin_condition.missing_signatures + (0 if sponsor is None else sponsor.missing_signatures)

    @lazy
    def initial_sighash(self) -> bytes:
        """Return the hash from which all signatures start: the transaction's, without nonces, fees and signatures."""
        if self.sponsor_condition is None:
            return sha512_256(self._head + self.origin_condition.encode_blank() + self._body)
        return sha512_256(self._head + self.origin_condition.encode_blank() + NO_SPONSOR.encode() + self._body)

    @lazy
    def estimated_length(self) -> int:
        """Return its length in bytes when fully signed, for estimating the fee."""
        sponsor = 0 if self.sponsor_condition is None else self.sponsor_condition.signed_length
        return START.size + self.origin_condition.signed_length + sponsor + len(self._body)

    def sign(self, key: PrivateKey) -> Self:
        """Add the next signature: the sender's, or, once that is complete, the sponsor's.

        Args:
            key: The signer's key.

        Returns:
            The transaction with one more signature.

        Raises:
            KeyFormatError: If it is not a private key.
            SigningError: If it is complete, or it is not this key's turn.
        """
        if not isinstance(key, PrivateKey):
            raise _no_private_key(key)
        origin, sponsor = self.origin_condition, self.sponsor_condition
        if not origin.is_complete:
            return self._with_conditions(add_signature(origin, key, self.initial_sighash, ORIGIN_FLAG), sponsor)
        if sponsor is None or sponsor.is_complete:
            raise SigningError(f"transaction {self.txid} is already fully signed")
        if is_nobody(sponsor):
            raise SigningError("the sender has signed; now a sponsor is needed: call sponsor(key, nonce=…, fee=…)")
        sighash = verify_condition(origin, self.initial_sighash, ORIGIN_FLAG)
        return self._with_conditions(origin, add_signature(sponsor, key, sighash, SPONSOR_FLAG))

    def sponsor(self, key: PrivateKey, *, nonce: int, fee: int) -> Self:
        """Pay for a sponsored transaction that its sender has signed: set the sponsor and sign.

        Args:
            key: The key of the sponsor's ordinary account.
            nonce: The sponsor's next nonce.
            fee: The sponsor's fee, in µSTX.

        Returns:
            The transaction, fully signed.

        Raises:
            InvalidValueError: If a number is out of range, or the key is not a key.
            SigningError: If it is not sponsored, or the sender has not signed (correctly).
        """
        if not isinstance(key, PrivateKey):
            raise _no_private_key(key)
        return self.with_sponsor(SingleSig(key.public_key), nonce=nonce, fee=fee).sign(key)

    def with_sponsor(self, account: SingleSig | Multisig, *, nonce: int, fee: int) -> Self:
        """Set the sponsor of a sponsored transaction, without signing.

        Args:
            account: The sponsor's account.
            nonce: The sponsor's next nonce.
            fee: The sponsor's fee, in µSTX.

        Returns:
            The transaction, without any sponsor's signature; the sender's stay.

        Raises:
            InvalidValueError: If a number is out of range, or the account is not an account.
            SigningError: If it is not sponsored, or the sender has not signed.
        """
        _check_account(account)
        if self.sponsor_condition is None:
            raise SigningError("this transaction is not sponsored; build it with sponsored=True")
        if not self.origin_condition.is_complete:
            raise SigningError("the sender signs before the sponsor: call sign(key) with the sender's key first")
        check_number(nonce, 0, U64_MAX, "nonce")
        check_number(fee, 0, U64_MAX, "fee (µSTX)")
        return self._with_conditions(self.origin_condition, account.condition(nonce, fee))

    def with_fee(self, fee: int) -> Self:
        """Set another fee for its payer. This removes the payer's signatures.

        Args:
            fee: The fee in µSTX.

        Returns:
            The transaction; the payer must sign (again).

        Raises:
            InvalidValueError: If the fee is out of range.
            SigningError: If it is sponsored, but has no sponsor yet.
        """
        check_number(fee, 0, U64_MAX, "fee (µSTX)")
        origin, sponsor = self.origin_condition, self.sponsor_condition
        if sponsor is None:
            return self._with_conditions(self._unsigned_origin(origin.nonce, fee), None)
        if is_nobody(sponsor):
            raise SigningError("the sponsor sets the fee: call sponsor(key, nonce=…, fee=…)")
        sighash = verify_condition(origin, self.initial_sighash, ORIGIN_FLAG)
        return self._with_conditions(origin, without_signatures(sponsor, sponsor.nonce, fee, sighash, SPONSOR_FLAG))

    def with_nonce(self, nonce: int) -> Self:
        """Set another nonce for the sender. This removes all signatures and the sponsor.

        Args:
            nonce: The sender's nonce.

        Returns:
            The transaction; the sender must sign (again).

        Raises:
            InvalidValueError: If the nonce is out of range.
        """
        check_number(nonce, 0, U64_MAX, "nonce")
        origin = self._unsigned_origin(nonce, self.origin_condition.fee)
        return self._with_conditions(origin, None if self.sponsor_condition is None else NO_SPONSOR)

    def with_public_keys(self, public_keys: Sequence[PublicKey]) -> Self:
        """Complete another program's half-signed multi-signature transaction that lacks the keys that have not signed.

        The address made from the keys determines whose they are: the sender's, the sponsor's, or both.
        Transactions half-signed by this library contain all keys and don't need this.

        Args:
            public_keys: All keys of the sender's or the sponsor's account, in their order.

        Returns:
            The transaction, with every key or its signature in its place.

        Raises:
            KeyFormatError: If one is not a public key.
            SigningError: If these are the keys of neither account, or its signatures were not made by them in this
                order; for a sponsor's keys, also if the sender, who comes first, has not completely and correctly
                signed.
        """
        conditions = (self.origin_condition, self.sponsor_condition)
        several = [condition for condition in conditions if isinstance(condition, MultiSigCondition)]
        if not several:
            raise SigningError("nothing is missing from this transaction: its signer has only one key")
        keys = check_public_keys(public_keys)
        if not any(is_account_of(condition, keys) for condition in several):
            hashes = " or ".join(condition.signer.hex() for condition in several)
            raise SigningError(
                f"these {len(keys)} keys, in this order, do not belong to the account with hash {hashes}"
            )
        origin, sponsor = conditions
        if isinstance(origin, MultiSigCondition) and is_account_of(origin, keys):
            origin = with_all_keys(origin, keys, self.initial_sighash, ORIGIN_FLAG)
        if isinstance(sponsor, MultiSigCondition) and is_account_of(sponsor, keys):
            sighash = verify_condition(origin, self.initial_sighash, ORIGIN_FLAG)
            sponsor = with_all_keys(sponsor, keys, sighash, SPONSOR_FLAG)
        return self._with_conditions(origin, sponsor)

    def verify(self) -> Literal[True]:
        """Check every signature, and that the keys are those of the sender's and the sponsor's addresses.

        Returns:
            True; anything wrong raises.

        Raises:
            SigningError: If a signature is missing, wrong, has a high s, or was made by another key.
        """
        sighash = verify_condition(self.origin_condition, self.initial_sighash, ORIGIN_FLAG)
        if self.sponsor_condition is not None:
            verify_condition(self.sponsor_condition, sighash, SPONSOR_FLAG)
        return True

    @lazy
    def _head(self) -> bytes:
        authorization = STANDARD if self.sponsor_condition is None else SPONSORED
        return START.pack(self.version, self.chain_id, authorization)

    @lazy
    def _body(self) -> bytes:
        """Return everything after the authorization; signing does not change it."""
        post_conditions = b"".join([condition.encode() for condition in self.post_conditions])
        head = bytes((self.anchor_mode, self.post_condition_mode)) + len(self.post_conditions).to_bytes(4)
        return head + post_conditions + self.payload.encode()

    @lazy
    def _encoded(self) -> bytes:
        sponsor = b"" if self.sponsor_condition is None else self.sponsor_condition.encode()
        return self._head + self.origin_condition.encode() + sponsor + self._body

    def _unsigned_origin(self, nonce: int, fee: int) -> SpendingCondition:
        return without_signatures(self.origin_condition, nonce, fee, self.initial_sighash, ORIGIN_FLAG)

    def _with_conditions(self, origin: SpendingCondition, sponsor: SpendingCondition | None) -> Self:
        transaction = object.__new__(type(self))
        parts = {
            "version": self.version,
            "chain_id": self.chain_id,
            "origin_condition": origin,
            "sponsor_condition": sponsor,
            "anchor_mode": self.anchor_mode,
            "post_condition_mode": self.post_condition_mode,
            "post_conditions": self.post_conditions,
            "payload": self.payload,
            "network": self.network,
            # None of these contains a nonce, a fee or a signature.
            "_head": self._head,
            "_body": self._body,
            "initial_sighash": self.initial_sighash,
        }
        _put_attributes(transaction, parts)
        return transaction


def _check_chain(version: int, chain_id: int, network: Network) -> Network:
    check_network_kind(network)
    if (version, chain_id) != (network.transaction_version, network.chain_id):
        raise InvalidValueError(
            f"network: the transaction is for chain id {chain_id} (version {version:#04x}), but {network.name} has "
            f"chain id {network.chain_id} (version {network.transaction_version:#04x})"
        )
    return network


def _check_account(account: SingleSig | Multisig) -> SingleSig | Multisig:
    check_kind(account, (SingleSig, Multisig), "account", "for one key, use SingleSig(key.public_key)")
    return account


def _no_private_key(key: object) -> KeyFormatError:
    return KeyFormatError(
        f"key must be a PrivateKey, got {type(key).__name__}; for hexadecimal text, use PrivateKey.from_hex(…)"
    )


def _sequence_of(post_conditions: Sequence[PostCondition]) -> tuple[PostCondition, ...]:
    try:
        return tuple(post_conditions)
    except TypeError:
        raise InvalidValueError(
            f"post_conditions must be a list or tuple, got {type(post_conditions).__name__}; put one into a list"
        ) from None


# All at once instead of field by field, as the constructor of a frozen class does: this takes a tenth of the time.
_put_attributes: Final = Transaction.__dict__["__dict__"].__set__
