"""The five contracts on a network, as one account sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from der_client.contracts import (
    AssetVerification,
    GridIntegration,
    MarketParticipation,
    ProductionTracking,
    Settlement,
)
from der_client.stacks.account import Account, Fees
from der_client.stacks.address import split_principal
from der_client.stacks.contract.frames import Listing
from der_client.stacks.errors import AddressError, DeploymentError, InvalidValueError, NotFoundError, whole
from der_client.stacks.keys import PrivateKey
from der_client.stacks.rpc import Client
from der_client.stacks.rpc import devnet as devnet_endpoints
from der_client.stacks.secret import Secret
from der_client.stacks.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from der_client.contracts.asset_verification import Asset
    from der_client.contracts.market_participation import Offer
    from der_client.contracts.settlement import Payment
    from der_client.stacks.contract import Contract
    from der_client.stacks.network import Network
    from der_client.stacks.rpc import AsyncClient

T = TypeVar("T")
C = TypeVar("C", bound="Contract")
_PAGE = 30


class HasKey(Protocol):
    """Something that has a key, such as an account of the devnet."""

    @property
    def key(self) -> PrivateKey:
        """The key."""


@dataclass
class _Connection:
    """What all views of one connection share: the node, and one account object per key, so that nonces agree."""

    client: Client
    deployer: str
    fee_policy: Fees | None
    accounts: dict[bytes, Account] = field(default_factory=dict)

    def account(self, owner: PrivateKey | HasKey | Account | Wallet | Secret[str]) -> Account:
        if isinstance(owner, Account):
            return self._checked(owner)
        key = _key_of(owner)
        return self.accounts.setdefault(key.public_key.data, Account(key, self.client, fee_policy=self.fee_policy))

    def _checked(self, account: Account) -> Account:
        if account.client.url != self.client.url:
            raise InvalidValueError(
                f"account: it is for {account.client.url}, but the connection is to {self.client.url}; give its key"
            )
        if self.fee_policy is not None:
            raise InvalidValueError("fee_policy: an Account has its own; give its key instead, or leave fee_policy out")
        return account


def _key_of(owner: object) -> PrivateKey:
    """Return the key of an object that has one. The error never shows text, which may be a secret in the wrong place.

    Raises:
        InvalidValueError: If it has none.
    """
    if isinstance(owner, Wallet):
        return owner.account(0)
    key = owner if isinstance(owner, PrivateKey) else getattr(owner, "key", None)
    if isinstance(key, PrivateKey):
        return key
    if isinstance(owner, Secret):
        try:
            address, _ = split_principal(owner.reveal())
        except AddressError:
            instead = "text: write PrivateKey.from_hex(…) for a key, Wallet.from_mnemonic(…) for words"
        else:
            instead = f"the address {address}, which cannot sign: give its PrivateKey, or leave it out to read only"
    else:
        instead = type(owner).__name__
    raise InvalidValueError(
        f"account: expected a PrivateKey, an Account, a Wallet or an account of the devnet, got {instead}"
    )


def _out_of_sight(account: Any) -> Any:
    """Wrap text: it is a mistake, and may be a secret, which no frame must show."""
    return Secret.of(account) if isinstance(account, str) else account


class Der:
    """The five contracts, typed; make one with ``connect``.

    Attributes:
        assets: The register of plants, and the roles.
        production: What they produced.
        grid: Their connections and feeds.
        market: Offers of energy.
        settlement: Payments.
        account: The account that signs; ``None`` if the connection only reads.
        client: The node.
        deployer: The address that deployed the contracts.
    """

    def __init__(self, connection: _Connection, account: Account | None, node: AsyncClient | None = None) -> None:
        self._connection = connection
        self._node = node
        self.client = connection.client
        self.deployer = connection.deployer
        self.account = account
        self.assets = self._open(AssetVerification)
        self.production = self._open(ProductionTracking)
        self.grid = self._open(GridIntegration)
        self.market = self._open(MarketParticipation)
        self.settlement = self._open(Settlement)

    def _open(self, contract: type[C]) -> C:
        opened = contract(self.client, self.deployer, self.account)
        return opened if self._node is None else opened.with_async_client(self._node)

    @classmethod
    def connect(
        cls,
        url: str | Client,
        account: PrivateKey | HasKey | Account | Wallet | None = None,
        *,
        deployer: str | None = None,
        network: Network | None = None,
        fee_policy: Fees | None = None,
    ) -> Self:
        """Connect to the contracts.

        Args:
            url: Base address that serves ``/v2`` and ``/extended``, or a ``Client``.
            account: The account that signs: a key, an account of the devnet, an Account at the same URL, or a Wallet,
                of which the first account is used; without one, only reading works.
            deployer: The address that deployed the contracts; an embedded devnet names it, no other network does.
            network: The network behind the URL; if not given, the node is asked.
            fee_policy: How fees are chosen, and their cap: a ``FeePolicy``, or any object with the methods of ``Fees``.

        Raises:
            DeploymentError: If no deployer was given, and the node is not an embedded devnet.
            InvalidValueError: If something else is given as the account, or the URL is not a base address.
            AddressError: If the deployer is not an address.
            NodeError: If the node could not be reached.
        """
        account = _out_of_sight(account)
        client = url if isinstance(url, Client) else Client(url, network=network)
        if deployer is None:
            try:
                deployer = client.run(devnet_endpoints.deployer())
            except NotFoundError:
                raise DeploymentError(
                    f"{client.url} is not an embedded devnet; pass deployer=, the address that deployed the contracts"
                ) from None
        connection = _Connection(client, deployer, fee_policy)
        return cls(connection, None if account is None else connection.account(account))

    def with_account(self, account: PrivateKey | HasKey | Account | Wallet) -> Self:
        """Return the same contracts for another account, over the same connection."""
        account = _out_of_sight(account)
        return type(self)(self._connection, self._connection.account(account), self._node)

    def with_async_client(self, node: AsyncClient) -> Self:
        """Return the same contracts with a client for an event loop: ``await der.market.get_offer.aio(1)``.

        Args:
            node: A client of the same node, for the event loop in which the methods are awaited.

        Raises:
            InvalidValueError: If it is not an AsyncClient, or is one of another URL.
        """
        return type(self)(self._connection, self.account, node)

    def check_deployed(self, *contracts: Contract) -> None:
        """Check that contracts are deployed, so that a wrong deployer is not mistaken for a failing node.

        Args:
            *contracts: The contracts to check; all five if none is given.

        Raises:
            DeploymentError: If one of them is not deployed.
            NodeError: If the node could not be reached.
        """
        for contract in contracts or (self.assets, self.production, self.grid, self.market, self.settlement):
            try:
                self.client.contract_interface(contract.contract_id)
            except NotFoundError:
                raise DeploymentError(
                    f"{contract.contract_id} is not deployed; deploy the contracts first, or pass the address "
                    "that deployed them"
                ) from None

    def now(self) -> datetime:
        """Chain time (UTC), that of the latest block: the contracts' clock, which may differ from the local one."""
        return self.client.block("latest").block_time

    def list_assets(self) -> Listing[int, Asset]:
        """Return all assets by id."""
        return _all(self.assets.get_asset_count(), self.assets.get_assets)

    def list_offers(self) -> Listing[int, Offer]:
        """Return all offers by id."""
        return _all(self.market.get_offer_count(), self.market.get_offers)

    def list_payments(self) -> Listing[int, Payment]:
        """Return all payments by id."""
        return _all(self.settlement.get_payment_count(), self.settlement.get_payments)

    @whole
    def __repr__(self) -> str:
        who = self.account.address if self.account else "nobody"
        return f"Der({self.client.url}, contracts of {self.deployer}, as {who})"


def _all(count: int, get: Callable[[Sequence[int]], tuple[T | None, ...]]) -> Listing[int, T]:
    """Read things with ids 1 to count, a page at a time."""
    found: Listing[int, T] = Listing()
    for first in range(1, count + 1, _PAGE):
        ids = range(first, min(first + _PAGE, count + 1))
        found.update((number, thing) for number, thing in zip(ids, get(ids), strict=True) if thing is not None)
    return found
